/**
 * The core of the replay: page events applied to the free lists, one batch at a time.
 *
 * Two levels (DESIGN.md §3, docs/model/events.md):
 * - buddy level: zone_locked (and extfrag where it is the only witness) removes, pcpu_drain adds,
 *   mm_page_free adds for orders that skip the per-cpu lists. A free that did skip them although its
 *   order is kept there (interrupt context, mm/page_alloc.c free_unref_page, 6.0+) is recognised by
 *   its fate: the next event of the page is a removal.
 * - page level: mm_page_free adds, mm_page_alloc removes; per-cpu pages count as free.
 *
 * The loop allocates nothing per event. Hidden takings (compaction) are applied by compaction.ts
 * through `take`.
 */
import { type EventBatch, EventKind, LAST_PAGE_KIND, PFN_NONE } from '../records/events.js';
import { type BatchFates, EXTFRAG_REMOVAL, isGhostFate, Next, nextOf } from './fates.js';
import { FreeLists } from './free-lists.js';
import type { Geometry } from './geometry.js';
import { PageBit } from './observer.js';

/** Things the trace and the model disagreed about; each is a count of events. */
export interface Anomalies {
  /** A page left the free lists by an event although the replay did not have it there. */
  removedNotFree: number;
  /** A page was freed or drained that the replay still had free: it was taken in secret. */
  freedWhileFree: number;
  /** mm_page_alloc of a page that no event had taken from the free lists (buddy level). */
  allocatedWhileFree: number;
  /** Frees that skipped the per-cpu lists although their order is kept there. */
  bypassed: number;
  /** pfns outside every zone. */
  outside: number;
}

export class ReplayCore {
  readonly geometry: Geometry;
  readonly lists: FreeLists;
  /** Fate of each page since its last event. */
  readonly fate: Uint32Array;
  /** Event index since which a page is in its state (saturating at 2^32). */
  readonly since: Uint32Array;
  /** Type of each pageblock by dense page >> pageblockOrder, -1 unknown. */
  readonly blockType: Int8Array;
  readonly anomalies: Anomalies = {
    removedNotFree: 0,
    freedWhileFree: 0,
    allocatedWhileFree: 0,
    bypassed: 0,
    outside: 0,
  };
  readonly pcpOrders: Uint8Array;
  readonly buddyLevel: boolean;
  /** Called when a page becomes free whose fate is to be freed again (a ghost). */
  onGhost: ((page: number, fate: number) => void) | null = null;

  constructor(geometry: Geometry, pcpOrders: Uint8Array, buddyLevel: boolean) {
    const size = geometry.space.size;
    this.geometry = geometry;
    this.lists = new FreeLists(size, geometry.areas.length, geometry.orders - 1);
    this.fate = new Uint32Array(size);
    this.since = new Uint32Array(size);
    this.blockType = new Int8Array((size >> geometry.pageblockOrder) + 1).fill(-1);
    this.pcpOrders = pcpOrders;
    this.buddyLevel = buddyLevel;
  }

  /** Takes pages [page, page + count) out of the free lists where they are in them. */
  take(page: number, count: number): number {
    let taken = 0;
    const area = this.geometry.areaOf(page);
    for (let p = page; p < page + count; p++) {
      if (!this.lists.isFree(p)) continue;
      this.lists.remove(area, p, 0, PageBit.isolated);
      taken++;
    }
    return taken;
  }

  /** Puts one page on the free lists. */
  put(page: number): void {
    this.lists.add(this.geometry.areaOf(page), page, 0);
  }

  /** Applies page event i. Rare kinds, duplicates and failed allocations change nothing. */
  apply(batch: EventBatch, i: number, index: number, fates: BatchFates): void {
    const kind = batch.kind[i]!;
    if (kind > LAST_PAGE_KIND || kind === EventKind.freeBatched) return;
    const pfn = batch.pfn[i]!;
    if (pfn === PFN_NONE) return;
    const page = this.geometry.space.pageOf(pfn);
    if (page < 0) {
      this.anomalies.outside++;
      return;
    }
    const order = Math.min(batch.order[i]!, 20);
    const fate = fates.fates[i]!;
    switch (kind) {
      case EventKind.zoneLocked:
        this.blockType[page >> this.geometry.pageblockOrder] = batch.migratetype[i]!;
        if (batch.detail[i] === 1 && leavesBuddyNext(order, fate, fates.runs)) {
          // Leaves again without having come back: what came between is not in the trace.
          this.#enter(page, order);
          this.anomalies.bypassed++;
        } else this.#leave(page, order, batch.detail[i] === 1 ? PageBit.pcp : PageBit.allocated);
        break;
      case EventKind.extfrag:
        if (fate !== EXTFRAG_REMOVAL) return;
        this.#leave(page, order, this.pcpOrders[order] ? PageBit.pcp : PageBit.allocated);
        return; // its fate slot holds the decision: the mm_page_alloc that follows brings the fate
      case EventKind.pcpuDrain:
        this.blockType[page >> this.geometry.pageblockOrder] = batch.migratetype[i]!;
        this.#enter(page, order);
        break;
      case EventKind.free:
        this.#free(page, order, fate, fates.runs);
        break;
      case EventKind.alloc:
        this.#alloc(page, order);
        break;
    }
    this.#setFate(page, order, index, fate, fates.runs);
  }

  #leave(page: number, order: number, bits: number): void {
    const area = this.geometry.areaOf(page);
    const free = this.#remove(area, page, order, bits);
    if (free < 2 ** order) this.anomalies.removedNotFree++;
  }

  #remove(area: number, page: number, order: number, bits: number): number {
    if (order <= this.lists.maxOrder) return this.lists.remove(area, page, order, bits);
    let taken = 0;
    const step = 1 << this.lists.maxOrder;
    for (let p = page; p < page + 2 ** order && p < this.fate.length; p += step) {
      taken += this.lists.remove(area, p, this.lists.maxOrder, bits);
    }
    return taken;
  }

  #enter(page: number, order: number): void {
    const area = this.geometry.areaOf(page);
    if (this.lists.isFree(page)) this.anomalies.freedWhileFree++;
    if (order <= this.lists.maxOrder) {
      this.lists.add(area, page, order);
      return;
    }
    const step = 1 << this.lists.maxOrder;
    for (let p = page; p < page + 2 ** order && p < this.fate.length; p += step) {
      this.lists.add(area, p, this.lists.maxOrder);
    }
  }

  #free(page: number, order: number, fate: number, runs: Uint32Array): void {
    if (this.buddyLevel && this.pcpOrders[order]) {
      if (!leavesBuddyNext(order, fate, runs)) {
        const area = this.geometry.areaOf(page);
        if (this.#remove(area, page, order, PageBit.pcp) > 0) this.anomalies.freedWhileFree++;
        return;
      }
      this.anomalies.bypassed++;
    }
    this.#enter(page, order);
  }

  #alloc(page: number, order: number): void {
    const area = this.geometry.areaOf(page);
    const taken = this.#remove(area, page, order, PageBit.allocated);
    if (this.buddyLevel) {
      if (taken > 0) this.anomalies.allocatedWhileFree++;
    } else if (taken < 2 ** order) this.anomalies.removedNotFree++;
  }

  #setFate(page: number, order: number, index: number, fate: number, runs: Uint32Array): void {
    if (order === 0) {
      this.fate[page] = fate;
      this.since[page] = index;
      if (this.onGhost !== null && isGhostFate(fate)) this.onGhost(page, fate);
      return;
    }
    const end = Math.min(page + 2 ** order, this.fate.length);
    this.since.fill(index, page, end);
    for (let p = page, r = fate; p < end; r += 2) {
      const count = runs[r]!;
      const value = runs[r + 1]!;
      this.fate.fill(value, p, p + count);
      if (this.onGhost !== null && isGhostFate(value)) {
        for (let q = p; q < p + count; q++) this.onGhost(q, value);
      }
      p += count;
    }
  }
}

/** Whether any page of a freed block next leaves the buddy lists: then the block went there. */
function leavesBuddyNext(order: number, fate: number, runs: Uint32Array): boolean {
  if (order === 0) return nextOf(fate) === Next.removal;
  for (let covered = 0, r = fate; covered < 2 ** order && r < runs.length; r += 2) {
    if (nextOf(runs[r + 1]!) === Next.removal) return true;
    covered += runs[r]!;
  }
  return false;
}
