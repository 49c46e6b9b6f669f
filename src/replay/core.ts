/**
 * The core of the replay: the actions of events applied to the free lists.
 *
 * Two levels (docs/model/events.md); which action an event is was decided in fates.ts:
 * - buddy level: zone_locked (and extfrag where it is the only witness) removes, pcpu_drain adds,
 *   mm_page_free adds for orders that skip the per-cpu lists. A free that did skip them although its
 *   order is kept there (interrupt context, mm/page_alloc.c free_unref_page, 6.0+) is recognised by
 *   its fate: the next event of the page is a removal.
 * - page level: mm_page_free adds, mm_page_alloc removes; per-cpu pages count as free.
 *
 * The loop allocates nothing per event. Hidden takings (compaction) are applied by compaction.ts
 * through `take`.
 */
import { BLOCK_PAGES } from '../records/events.js';
import { Action, type ActionBatch } from './actions.js';
import { isGhostFate, isSeenFate } from './fate.js';
import { fillStretch } from './fill.js';
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
}

/** What the types in zone_locked and pcpu_drain events say of pageblocks (docs/model/highatomic.md). */
export interface TypeEvidence {
  /** They name the list really used, and HIGHATOMIC pageblocks do not merge with others (5.19 and later). */
  readonly tellHighatomic: boolean;
  /** pcpu_drain reads the type when it drains (6.10 and later), not when the page was freed. */
  readonly drainsFresh: boolean;
}

/** Errors that are kept: more than that say nothing of single copies any more. */
const MAX_ERRORS = 1 << 18;

const NO_TYPES: TypeEvidence = { tellHighatomic: false, drainsFresh: false };

/** Number of the HIGHATOMIC migratetype (4.4 and later). */
const HIGHATOMIC = 3;

export class ReplayCore {
  readonly geometry: Geometry;
  readonly lists: FreeLists;
  /** Fate of each page since its last event; without `keepsHistory` only where a copy settles it, who alone asks then. */
  readonly fate: Uint32Array;
  /** With `keepsHistory`: event index since which a page is in its state (saturating at 2^32). */
  readonly since: Uint32Array;
  /** Pages may move without an event of theirs, and what is known of each is asked then. */
  keepsHistory = true;
  /** Type of each pageblock by dense page >> pageblockOrder, -1 unknown. */
  readonly blockType: Int8Array;
  readonly anomalies: Anomalies = {
    removedNotFree: 0,
    freedWhileFree: 0,
    allocatedWhileFree: 0,
    bypassed: 0,
  };
  readonly buddyLevel: boolean;
  /** Area of each section (largest block) of dense pages. */
  readonly areaBySection: Uint16Array;
  /** Events that showed the replay wrong about a page, ascending; kept where asked for. */
  errors: number[] | null = null;
  /** Called when a page becomes free whose fate is to be freed again (a ghost). */
  onGhost: ((page: number, fate: number) => void) | null = null;
  /** Refusals tell which pageblocks are HIGHATOMIC (inferred-reserve.ts): a refill of order 0 ends it. */
  infersHighatomic = false;
  /** Pageblocks whose first event says HIGHATOMIC: they were when the recording began. */
  readonly reservedBefore: number[] = [];
  readonly #types: TypeEvidence;
  /**
   * State of a single page after an action that moves it between a per-cpu list and its user, 0 for others: where
   * it is on no free list before, as nearly always, nothing else changes.
   */
  readonly #passing = new Uint8Array(Object.keys(Action).length);

  constructor(geometry: Geometry, buddyLevel: boolean, types: TypeEvidence = NO_TYPES) {
    const size = geometry.space.size;
    this.geometry = geometry;
    this.#types = types;
    this.lists = new FreeLists(
      size,
      geometry.areas.length,
      geometry.orders - 1,
      geometry.pageblockOrder,
      types.tellHighatomic,
    );
    this.fate = new Uint32Array(size);
    this.since = new Uint32Array(size);
    this.blockType = new Int8Array((size >> geometry.pageblockOrder) + 1).fill(-1);
    this.buddyLevel = buddyLevel;
    this.#passing[Action.freeToPcp] = PageBit.pcp;
    if (buddyLevel) this.#passing[Action.alloc] = PageBit.allocated;
    this.areaBySection = Uint16Array.from({ length: (size >> this.lists.maxOrder) + 1 }, (_, s) =>
      geometry.areaOf(s << this.lists.maxOrder),
    );
  }

  /** Whether the events tell which pageblocks are HIGHATOMIC: `lists` has those set apart. */
  get tellsHighatomic(): boolean {
    return this.buddyLevel && this.#types.tellHighatomic;
  }

  /** Whether `lists` has the HIGHATOMIC pageblocks set apart: events tell them, or refusals did. */
  get knowsHighatomic(): boolean {
    return this.tellsHighatomic || this.infersHighatomic;
  }

  /** These pageblocks are HIGHATOMIC from the start. */
  reserveBefore(pageblocks: readonly number[]): void {
    for (const block of pageblocks) {
      this.blockType[block] = HIGHATOMIC;
      this.lists.setApart(this.#areaOfBlock(block), block, true);
    }
  }

  #areaOfBlock(block: number): number {
    return this.areaBySection[(block << this.geometry.pageblockOrder) >> this.lists.maxOrder]!;
  }

  /** An event says on which list a page of this pageblock was or is. */
  #retype(block: number, type: number, action: number): void {
    const before = this.blockType[block]!;
    if (this.#types.tellHighatomic) {
      // A page on a per-cpu list may still carry the type of when it was freed.
      const stale = action === Action.give && !this.#types.drainsFresh;
      if (before === HIGHATOMIC && stale) return;
      if ((before === HIGHATOMIC) !== (type === HIGHATOMIC)) {
        if (before < 0) this.reservedBefore.push(block);
        this.lists.setApart(this.#areaOfBlock(block), block, type === HIGHATOMIC);
      }
    }
    this.blockType[block] = type;
  }

  /** Takes pages [page, page + count) out of the free lists where they are in them. */
  take(page: number, count: number): number {
    let taken = 0;
    const area = this.areaBySection[page >> this.lists.maxOrder]!;
    for (let p = page; p < page + count; p++) {
      if (!this.lists.isFree(p)) continue;
      this.lists.remove(area, p, 0, PageBit.isolated);
      taken++;
    }
    return taken;
  }

  /** Puts one page on the free lists. */
  put(page: number): void {
    this.lists.add(this.areaBySection[page >> this.lists.maxOrder]!, page, 0);
  }

  /** Applies the action of event i; `index` is the event's place in the recording. */
  apply(batch: ActionBatch, i: number, index: number): void {
    const action = batch.action[i]!;
    if (action === Action.none) return;
    const page = batch.page[i]!;
    const order = batch.order[i]!;
    if (order === 0) {
      const { pages } = this.lists;
      const bits = batch.type[i]! < 0 ? this.#passing[action]! : 0;
      if (bits !== 0 && (pages[page]! & PageBit.free) === 0) pages[page] = bits;
      else this.#applyToPage(action, this.#areaTold(batch, i, action, page), page, index);
      const fate = batch.fate[i]!;
      if (!this.keepsHistory) {
        if (isSeenFate(fate)) this.fate[page] = fate;
        return;
      }
      this.fate[page] = fate;
      this.since[page] = index;
      if (isGhostFate(fate) && this.onGhost !== null) this.onGhost(page, fate);
      return;
    }
    const area = this.#areaTold(batch, i, action, page);
    switch (action) {
      case Action.takeToPcp:
        if (this.#remove(area, page, order, PageBit.pcp) < BLOCK_PAGES[order]!)
          this.#notFree(index);
        break;
      case Action.take:
        if (this.#remove(area, page, order, PageBit.allocated) < BLOCK_PAGES[order]!)
          this.#notFree(index);
        break;
      case Action.stay:
      case Action.giveBypassing:
        this.anomalies.bypassed++;
        this.#enter(area, page, order);
        break;
      case Action.give:
        if (this.lists.isFree(page)) this.#stillFree(index);
        this.#enter(area, page, order);
        break;
      case Action.freeToPcp:
        if (this.#remove(area, page, order, PageBit.pcp) > 0) this.#stillFree(index);
        break;
      case Action.alloc:
        this.#alloc(area, page, order);
        break;
      case Action.freeTaken:
        this.#remove(area, page, order, PageBit.isolated);
        break;
    }
    this.#setFate(page, order, index, batch.fate[i]!, batch.runs);
  }

  /** Area of a page; what the event tells of its pageblock's type is noted first. */
  #areaTold(batch: ActionBatch, i: number, action: number, page: number): number {
    const type = batch.type[i]!;
    if (type >= 0) {
      const block = page >> this.geometry.pageblockOrder;
      if (this.blockType[block] !== type) this.#retype(block, type, action);
    }
    return this.areaBySection[page >> this.lists.maxOrder]!;
  }

  #applyToPage(action: number, area: number, page: number, index: number): void {
    const { lists, anomalies } = this;
    if (this.infersHighatomic && action === Action.takeToPcp) {
      lists.setApart(area, page >> this.geometry.pageblockOrder, false);
    }
    const wasFree = lists.isFree(page);
    switch (action) {
      case Action.takeToPcp:
        lists.remove(area, page, 0, PageBit.pcp);
        if (!wasFree) this.#notFree(index);
        break;
      case Action.take:
        lists.remove(area, page, 0, PageBit.allocated);
        if (!wasFree) this.#notFree(index);
        break;
      case Action.stay:
      case Action.giveBypassing:
        anomalies.bypassed++;
        lists.add(area, page, 0);
        break;
      case Action.give:
        if (wasFree) this.#stillFree(index);
        else lists.add(area, page, 0);
        break;
      case Action.freeToPcp:
        lists.remove(area, page, 0, PageBit.pcp);
        if (wasFree) this.#stillFree(index);
        break;
      case Action.alloc:
        lists.remove(area, page, 0, PageBit.allocated);
        if (wasFree === this.buddyLevel) {
          if (wasFree) anomalies.allocatedWhileFree++;
          else anomalies.removedNotFree++;
        }
        break;
      case Action.freeTaken:
        lists.remove(area, page, 0, PageBit.isolated);
        break;
    }
  }

  #notFree(index: number): void {
    this.anomalies.removedNotFree++;
    if (this.errors !== null && this.errors.length < MAX_ERRORS) this.errors.push(index);
  }

  #stillFree(index: number): void {
    this.anomalies.freedWhileFree++;
    if (this.errors !== null && this.errors.length < MAX_ERRORS) this.errors.push(index);
  }

  #remove(area: number, page: number, order: number, bits: number): number {
    if (order <= this.lists.maxOrder) return this.lists.remove(area, page, order, bits);
    let taken = 0;
    const step = 1 << this.lists.maxOrder;
    for (let p = page; p < page + BLOCK_PAGES[order]! && p < this.fate.length; p += step) {
      taken += this.lists.remove(this.areaBySection[p / step]!, p, this.lists.maxOrder, bits);
    }
    return taken;
  }

  #enter(area: number, page: number, order: number): void {
    if (order <= this.lists.maxOrder) {
      this.lists.add(area, page, order);
      return;
    }
    const step = 1 << this.lists.maxOrder;
    for (let p = page; p < page + BLOCK_PAGES[order]! && p < this.fate.length; p += step) {
      this.lists.add(this.areaBySection[p / step]!, p, this.lists.maxOrder);
    }
  }

  #alloc(area: number, page: number, order: number): void {
    const taken = this.#remove(area, page, order, PageBit.allocated);
    if (this.buddyLevel) {
      if (taken > 0) this.anomalies.allocatedWhileFree++;
    } else if (taken < BLOCK_PAGES[order]!) this.anomalies.removedNotFree++;
  }

  #setFate(page: number, order: number, index: number, fate: number, runs: Uint32Array): void {
    const end = Math.min(page + BLOCK_PAGES[order]!, this.fate.length);
    if (this.keepsHistory) fillStretch(this.since, index, page, end);
    for (let p = page, r = fate; p < end; r += 2) {
      const count = runs[r]!;
      const value = runs[r + 1]!;
      fillStretch(this.fate, value, p, p + count);
      if (this.onGhost !== null && isGhostFate(value)) {
        for (let q = p; q < p + count; q++) this.onGhost(q, value);
      }
      p += count;
    }
  }
}
