/**
 * The survey: one cheap look over all events before the replay.
 *
 * It finds out what the recording can tell (which level, which orders pass through per-cpu lists,
 * the size of a pageblock) from the events themselves rather than from version numbers, and lifts
 * the rare events (compaction, reclaim, lost) into one small table, because the replay must look
 * ahead and back among them. Memory: per touched section of memory and per rare event.
 */
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import {
  BATCH_CAPACITY,
  BLOCK_PAGES,
  EventBatch,
  EventKind,
  LAST_PAGE_KIND,
  PFN_NONE,
  RARE_WIDTH,
  unpackExtfrag,
} from '../records/events.js';

import { RefusalLog } from './refusals.js';
import { countBelow } from './sorted.js';
import { TouchedMemory } from './touched-memory.js';
import type { Unfollowed } from './unfollowed.js';

/** All events of a recording in time order; `EventSpool` is one. */
export interface EventSource {
  readonly length: number;
  readonly batches: number;
  offsetOf(batch: number): number;
  /**
   * @param parts columns that are needed, the others may hold anything: `pages` = all but time, comm and
   *   stack, `times` = time alone.
   */
  read(batch: number, into: EventBatch, parts?: 'all' | 'pages' | 'times'): EventBatch;
  /** Stamp of the first event of a batch, where that is known without reading it. */
  firstNsOf?(batch: number): number;
  /** What it keeps in memory, of the same allowance as the replay's own spool. */
  readonly memoryBytes?: number;
}

/** The rare events of a recording, row by row. */
export class RareLog {
  length = 0;
  index = new Float64Array(64);
  timeNs = new Float64Array(64);
  kind = new Uint8Array(64);
  cpu = new Uint16Array(64);
  pid = new Int32Array(64);
  fields = new Float64Array(64 * RARE_WIDTH);

  push(batch: EventBatch, i: number, index: number): void {
    const row = this.length++;
    if (row === this.index.length) this.#grow();
    this.index[row] = index;
    this.timeNs[row] = batch.timeNs[i]!;
    this.kind[row] = batch.kind[i]!;
    this.cpu[row] = batch.cpu[i]!;
    this.pid[row] = batch.pid[i]!;
    const from = batch.pfn[i]! * RARE_WIDTH;
    for (let f = 0; f < RARE_WIDTH; f++) {
      this.fields[row * RARE_WIDTH + f] = batch.rare[from + f]!;
    }
  }

  field(row: number, field: number): number {
    return this.fields[row * RARE_WIDTH + field]!;
  }

  /** First row at or after an event index. */
  rowAt(index: number): number {
    return countBelow(this.index, index, 0, this.length);
  }

  #grow(): void {
    const bigger = <T extends Float64Array | Uint8Array | Uint16Array | Int32Array>(old: T): T => {
      const copy = new (old.constructor as new (n: number) => T)(old.length * 2);
      copy.set(old);
      return copy;
    };
    this.index = bigger(this.index);
    this.timeNs = bigger(this.timeNs);
    this.kind = bigger(this.kind);
    this.cpu = bigger(this.cpu);
    this.pid = bigger(this.pid);
    this.fields = bigger(this.fields);
  }
}

/** Free lists followed page by page, or with pages on per-cpu lists as free ones, or known at copies only. */
export type ReplayLevel = 'buddy' | 'page' | 'snapshots';

const MAX_ORDERS = 32;
/** Where there are so many events, what not a single one shows was not recorded. */
const ENOUGH = 100;
/** Pages of events that are replayed in any case: as many as a thousand gigantic pages have … */
const EVENT_PAGES = 2 ** 28;
/** … and for each event: on real machines one moves a few dozen on average. */
const PAGES_PER_EVENT = 256;

export class Survey {
  events = 0;
  firstNs = Number.NaN;
  lastNs = Number.NaN;
  minPfn = Number.POSITIVE_INFINITY;
  /** One past the highest page seen. */
  endPfn = 0;
  /** Events by kind. */
  readonly kinds = new Float64Array(256);
  /** zone_locked with percpu_refill=1, pcpu_drain, by order. */
  readonly refills = new Float64Array(MAX_ORDERS);
  readonly drains = new Float64Array(MAX_ORDERS);
  readonly allocs = new Float64Array(MAX_ORDERS);
  readonly frees = new Float64Array(MAX_ORDERS);
  readonly failures = new Float64Array(MAX_ORDERS);
  /** Events about pages that there are, of any kind, by order. */
  readonly byOrder = new Float64Array(MAX_ORDERS);
  /** pageblock_order as extfrag events print it, or -1. */
  pageblockOrder = -1;
  /** extfrag events whose page left by a zone_locked of its own, and those whose page did not. */
  extfragWithZoneLocked = 0;
  extfragAlone = 0;
  readonly #extfragPfn = new Map<number, number>();
  maxCpu = 0;
  readonly rare = new RareLog();
  readonly refusals = new RefusalLog();
  readonly touched = new TouchedMemory();
  /** Page events of the batch being surveyed, by `tallyCell`. */
  readonly tally = new Float64Array((LAST_PAGE_KIND + 1) << 6);

  /** What the events can tell of the free lists; see `unfollowed` for why they may tell nothing. */
  get level(): ReplayLevel {
    if (this.unfollowed !== null) return 'snapshots';
    if (this.#count(EventKind.zoneLocked) > 0) return 'buddy';
    return this.#count(EventKind.alloc, EventKind.free) > 0 ? 'page' : 'snapshots';
  }

  /** Why the free lists cannot be followed by the page events that there are; null = they can, or there are none. */
  get unfollowed(): Unfollowed | null {
    const taken = this.#count(EventKind.alloc, EventKind.zoneLocked);
    const given = this.#count(EventKind.free, EventKind.pcpuDrain);
    if (Math.max(taken, given) < ENOUGH) return null;
    if (given === 0) return 'no-frees';
    if (taken === 0) return 'no-allocs';
    const passed = this.#count(EventKind.alloc, EventKind.free);
    const single = this.allocs[0]! + this.frees[0]!;
    return passed >= ENOUGH && single === 0 ? 'no-single-pages' : null;
  }

  #count(...kinds: EventKind[]): number {
    return kinds.reduce((sum, kind) => sum + this.kinds[kind]!, 0);
  }

  /**
   * Foreign blocks are cut without zone_locked, so extfrag is the only witness of the removal:
   * 6.10 and later and kernels with that code backported (mm/page_alloc.c __rmqueue_steal).
   */
  get extfragRemoves(): boolean {
    return this.extfragAlone > 4 * this.extfragWithZoneLocked;
  }

  /** Adds the tally of a batch to the counts. */
  takeTally(): void {
    for (let kind = 0; kind <= LAST_PAGE_KIND; kind++) {
      for (let order = 0; order < MAX_ORDERS; order++) {
        const ones = this.tally[tallyCell(kind, order, 1)]!;
        const count = this.tally[tallyCell(kind, order, 0)]! + ones;
        this.kinds[kind]! += count;
        this.byOrder[order]! += count;
        if (kind === EventKind.alloc) this.allocs[order]! += count;
        else if (kind === EventKind.free) this.frees[order]! += count;
        else if (kind === EventKind.pcpuDrain) this.drains[order]! += count;
        else if (kind === EventKind.zoneLocked) this.refills[order]! += ones;
      }
    }
    this.tally.fill(0);
  }

  /** Event i of the batch, of a rare kind. */
  noteRare(batch: EventBatch, i: number, index: number): void {
    const kind = batch.kind[i]!;
    this.kinds[kind]!++;
    // Texts tell the replay nothing, and there may be one for every request.
    if (kind !== EventKind.printk && kind !== EventKind.marker) this.rare.push(batch, i, index);
  }

  /** Event i of the batch, a request that got no page. */
  noteFailure(batch: EventBatch, i: number, index: number): void {
    this.kinds[EventKind.alloc]!++;
    this.failures[batch.order[i]!]!++;
    this.refusals.note(batch, i, index);
  }

  /** Follows each cpu's last stealing extfrag to the next page event of that cpu. */
  noteExtfrag(kind: number, cpu: number, pfn: number, stealing: boolean): void {
    const pending = this.#extfragPfn.get(cpu);
    if (pending !== undefined) {
      if (kind === EventKind.zoneLocked && pfn === pending) this.extfragWithZoneLocked++;
      else if (kind !== EventKind.zoneLocked) this.extfragAlone++;
      this.#extfragPfn.delete(cpu);
    }
    if (stealing) this.#extfragPfn.set(cpu, pfn);
  }

  get extfragPending(): boolean {
    return this.#extfragPfn.size > 0;
  }

  /**
   * The largest order whose events are replayed. Each costs as much as its block has pages: where few events are about
   * more pages than any machine could move in so many, those on the largest blocks are left out.
   */
  get largestOrder(): number {
    let left = EVENT_PAGES + PAGES_PER_EVENT * this.byOrder.reduce((sum, n) => sum + n, 0);
    for (let order = 0; order < MAX_ORDERS; order++) {
      left -= this.byOrder[order]! * 2 ** order;
      if (left < 0) return order - 1;
    }
    return MAX_ORDERS - 1;
  }

  /** Events on blocks of larger orders, and the pages of those blocks. */
  beyond(order: number): { readonly count: number; readonly pages: number } {
    let [count, pages] = [0, 0];
    for (let o = order + 1; o < MAX_ORDERS; o++) {
      count += this.byOrder[o]!;
      pages += this.byOrder[o]! * 2 ** o;
    }
    return { count, pages };
  }

  /**
   * Orders that pass through per-cpu lists: 0 always; where any of 1 to 3 is seen there, all three are
   * (mm/page_alloc.c pcp_allowed_order, 5.14 and later), and then the order of a huge page too if
   * the kernel's profile says so. Without events of the free lists the profile says it all.
   */
  pcpOrders(
    switches: Pick<ProfileSwitches, 'pcpOrders' | 'thpPcp'>,
    pageblockOrder: number,
  ): Uint8Array {
    const orders = new Uint8Array(MAX_ORDERS);
    for (let o = 0; o < MAX_ORDERS; o++) {
      orders[o] = this.drains[o]! > 0 || this.refills[o]! > 0 ? 1 : 0;
    }
    orders[0] = 1;
    const told = this.level !== 'buddy' && switches.pcpOrders === '0-3';
    if (told || orders[1] || orders[2] || orders[3]) {
      orders.fill(1, 1, 4);
      if (switches.thpPcp) orders[pageblockOrder] = 1;
    }
    return orders;
  }
}

/** Surveys events while they are put away: an EventWatch of a recording. */
export class SurveyWatch {
  readonly survey = new Survey();

  see(batch: EventBatch, offset: number): void {
    surveyBatch(this.survey, batch, offset);
    this.survey.events = offset + batch.length;
  }
}

/** Reads every event once. */
export function surveyEvents(source: EventSource): Survey {
  const watch = new SurveyWatch();
  const batch = new EventBatch();
  for (let b = 0; b < source.batches; b++) watch.see(source.read(b, batch), source.offsetOf(b));
  return watch.survey;
}

function surveyBatch(survey: Survey, batch: EventBatch, offset: number): void {
  const { timeNs, length } = batch;
  if (length > 0) {
    if (Number.isNaN(survey.firstNs)) survey.firstNs = timeNs[0]!;
    survey.lastNs = timeNs[length - 1]!;
  }
  const others = surveyPages(survey, batch);
  survey.takeTally();
  let followed = survey.extfragPending ? followExtfrag(survey, batch, 0) : 0;
  for (let at = 0; at < others; at++) {
    const i = OTHERS[at]!;
    const k = batch.kind[i]!;
    if (k > LAST_PAGE_KIND) survey.noteRare(batch, i, offset + i);
    else if (k !== EventKind.extfrag) survey.noteFailure(batch, i, offset + i);
    else if (i >= followed) followed = followExtfrag(survey, batch, i);
  }
}

/** Rows of a batch that more is to be noted of: rare kinds, refused requests, extfrag events. */
const OTHERS = new Uint32Array(BATCH_CAPACITY);

/**
 * Counts the events on pages and finds the memory they touch. The loop branches on nothing that is rare: V8 would compile it
 * anew when that happens for the first time.
 * @returns how many rows it left to others.
 */
function surveyPages(survey: Survey, batch: EventBatch): number {
  const { kind, order, pfn, detail, cpu, length } = batch;
  const { tally, touched } = survey;
  let { maxCpu, minPfn, endPfn } = survey;
  let others = 0;
  for (let i = 0; i < length; i++) {
    const k = kind[i]!;
    const p = pfn[i]!;
    if (cpu[i]! > maxCpu) maxCpu = cpu[i]!;
    OTHERS[others] = i;
    if (k >= EventKind.extfrag) others++;
    if (k > LAST_PAGE_KIND) continue;
    if (p === PFN_NONE && k === EventKind.alloc) {
      others++;
      continue;
    }
    const o = order[i]!;
    tally[tallyCell(k, o, detail[i]!)]!++;
    if (p < minPfn) minPfn = p;
    const end = p + BLOCK_PAGES[o]!;
    if (end > endPfn) endPfn = end;
    if (!touched.has(p, end)) touched.add(p, end);
  }
  survey.maxCpu = maxCpu;
  survey.minPfn = minPfn;
  survey.endPfn = endPfn;
  return others;
}

/**
 * Follows extfrag events to the next page events of their cpus, from row `from` on.
 * @returns one past the row at which none is followed any more.
 */
function followExtfrag(survey: Survey, batch: EventBatch, from: number): number {
  const { kind, pfn, detail, cpu, length } = batch;
  for (let i = from; i < length; i++) {
    const k = kind[i]!;
    if (k > LAST_PAGE_KIND || k === EventKind.freeBatched) continue;
    if (k === EventKind.alloc && pfn[i] === PFN_NONE) continue;
    let stealing = false;
    if (k === EventKind.extfrag) {
      const { pageblockOrder, changeOwnership } = unpackExtfrag(detail[i]!);
      survey.pageblockOrder = pageblockOrder;
      stealing = !changeOwnership;
    }
    survey.noteExtfrag(k, cpu[i]!, pfn[i]!, stealing);
    if (!survey.extfragPending) return i + 1;
  }
  return length;
}

/**
 * Where page events of one kind and order are counted while a batch is surveyed, apart by whether their detail is 1.
 * What follows from kind and order is worked out once a batch: a branch on the kind of each event, which nothing
 * foretells, takes longer than all else.
 */
function tallyCell(kind: number, order: number, detail: number): number {
  return (kind << 6) | (order << 1) | (detail === 1 ? 1 : 0);
}
