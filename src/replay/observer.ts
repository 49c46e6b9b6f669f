/**
 * What the replay shows of itself: the read-only state and the observers that watch it.
 *
 * An observer keeps only what its question needs, and asks only for the calls it needs: most events
 * move no count, so `batch`, `due` and `changed` are far cheaper than `event`. Counts are estimates with bounds: `low[q] <= true <= high[q]` as far as the replay can
 * tell, and `free[q]` is the best estimate. Where `certainty` is `exact` the three agree.
 */
import type { EventBatch } from '../records/events.js';
import type { Snapshot } from '../records/snapshot.js';

/** How sure a count is: proved, between bounds, or not known. */
export type Certainty = 'exact' | 'bounded' | 'unknown';

/** Bits of `ReplayState.pages`, one byte a simulated page. 0 = nothing known of the page. */
export const PageBit = {
  /** On a buddy free list. */
  free: 1,
  /** On a per-cpu list (buddy level only). */
  pcp: 2,
  /** Allocated. */
  allocated: 4,
  /** Taken by compaction or isolation, as inferred. */
  isolated: 8,
} as const;

/** Watermarks and reserve of a zone now. */
export interface ZoneMarks {
  /** Pages, without boost. NaN when nothing in the input tells them. */
  readonly min: number;
  readonly low: number;
  readonly high: number;
  /** Pages added to all three now. */
  readonly boost: number;
  /** The boost may be anything up to this, because no event tells it; absent = it is told. */
  readonly unseenBoost?: number;
  /** lowmem_reserve by highest zone index of the request, pages. */
  readonly protection: readonly number[];
}

/** Dense pages [from, to). On a large machine pfns may leap inside, at multiples of the largest block. */
export interface PageRun {
  readonly from: number;
  readonly to: number;
}

/** One zone at one instant. */
export interface ZoneState {
  readonly index: number;
  readonly node: number;
  readonly zone: string;
  readonly startPfn: number;
  readonly spanned: number;
  readonly managed: number;
  /** Its dense pages as runs [from, to), address rising; those of CMA areas are left out. */
  readonly runs: readonly PageRun[];
  /** Best estimate of free blocks by order, never negative. */
  readonly free: Int32Array;
  /** Bounds: the true count lies within, but for one cell in 200 (docs/accuracy.md). */
  readonly low: Int32Array;
  readonly high: Int32Array;
  /** Blocks that are very likely there, never less than `low`: what a verdict relies on; absent = `low`. */
  readonly likely?: Int32Array;
  /** Blocks of which very likely no more are there, never more than `high`; absent = `high`. */
  readonly most?: Int32Array;
  /** Free blocks as the events alone show them; absent = nothing corrects them. */
  readonly uncorrected?: Int32Array;
  /** Blocks of each order or above that the copies before and after both show; absent = they are not asked. */
  readonly shownAround?: Int32Array | null;
  /** Sum of free[q] * 2^q. */
  readonly freePages: number;
  /** Free blocks by order in CMA areas (part of `free`), and their pages; absent = none known. */
  readonly cma?: Int32Array;
  readonly cmaPages?: number;
  /** Pages of CMA areas whose free blocks nothing tells from others: so many may be free at most; absent = none. */
  readonly cmaAtMost?: number;
  /** HIGHATOMIC: free blocks by order and pages (part of `free`), pages reserved; absent = not known. */
  readonly highatomic?: Int32Array;
  readonly highatomicPages?: number;
  readonly reservedHighatomic?: number;
  /** Pages that may be reserved; Infinity = nothing tells it, absent = no more than is known. */
  readonly reservedAtMost?: number;
  readonly certainty: Certainty;
  /** Bit q set: order q moved since the last `changed` of the observers; absent = any may have. */
  readonly touched?: number;
  readonly marks: ZoneMarks;
}

/** The free lists at one instant, read-only. */
export interface ReplayState {
  /** Time of the last applied event. */
  readonly timeNs: number;
  /** Index of the last applied event in the recording. */
  readonly eventIndex: number;
  readonly zones: readonly ZoneState[];
  /** Grows whenever a zone's counts changed. */
  readonly changes?: number;
  /** The corrections move with time: counts may change in any way from event to event. */
  readonly restless?: boolean;
  readonly orders: number;
  readonly pageblockOrder: number;
  /** 1 for the orders whose blocks look free while they lie on a per-cpu list (page level); absent = none. */
  readonly pcpLooksFree?: Uint8Array | null;
  /** Only copies tell of the free lists, no event moves them: between copies the state is what they let expect; absent = no. */
  readonly eventless?: boolean;
  /** Copies alone tell of the free lists now, whatever events there are: what is exact at a copy is not for long; absent = no. */
  readonly copiesAlone?: boolean;
  /** No copy is near and no event tells: that a request fails must follow from `most` too, and a success with some events from `low`; absent = no. */
  readonly far?: boolean;
  /** PageBit of each dense page. */
  readonly pages: Uint8Array;
  /** Order of the free block that begins at this dense page, -1 elsewhere. */
  readonly headOrder: Int8Array;
  /** Migratetype of each pageblock by dense page >> pageblockOrder (zones start aligned); -1 unknown. */
  readonly pageblockType: Int8Array;
  /** Shows `batch` observers every event up to now, for those who read their accounts meanwhile. */
  readonly catchUp?: () => void;
  /** Dense index of a pfn, -1 outside every zone. */
  pageOf(pfn: number): number;
  pfnOf(page: number): number;
  /** Index in `zones` of a dense page. */
  zoneOf(page: number): number;
}

/** snapshot - simulation, per zone and order, before the correction at that snapshot but after those before it. */
export interface Residual {
  readonly timeNs: number;
  readonly source: string;
  readonly zones: readonly {
    readonly node: number;
    readonly zone: string;
    readonly blocks: readonly number[];
    /** Sum of |blocks[q]| * 2^q. */
    readonly pages: number;
    readonly freePages: number;
  }[];
}

/** Watches the state through time; `start` and `end` are called once a run. */
export interface ReplayObserver {
  start?(state: ReplayState): void;
  /**
   * Events [from, to) of the batch, in order and none left out, for observers that only read events:
   * `state` may be ahead of them. It is told of every event before the next `due` of any observer,
   * the next snapshot and the end. Must not keep references into the batch.
   * @param pages by event: the dense page it moves, the first of its block; -1 if it moves none.
   */
  batch?(state: ReplayState, batch: EventBatch, from: number, to: number, pages: Int32Array): void;
  /** Each event of the kinds that are seldom (extfrag and those after it), as `batch` would have it, for who wants no others. */
  seldom?(state: ReplayState, batch: EventBatch, i: number): void;
  /**
   * It takes what `batch` shows it on another thread, a little later: batches lie in shared memory then, and `release` is
   * called before the batch before the latest is overwritten.
   */
  readonly lags?: boolean;
  release?(): void;
  /** Stamp from which on `due` is wanted, ns; `due` must move it on. */
  readonly dueNs?: number;
  /** After the first event stamped at or after `dueNs` was applied. */
  due?(state: ReplayState, batch: EventBatch, i: number): void;
  /** After event i was applied, if since the last call a zone's counts or boost moved; not in the middle of a bulk (Watchers). */
  changed?(state: ReplayState, batch: EventBatch, i: number): void;
  /** After each single event: the dearest of all, for those who need the state at every one. */
  event?(state: ReplayState, batch: EventBatch, i: number): void;
  snapshot?(state: ReplayState, snapshot: Snapshot, residual: Residual | null): void;
  /** Without events, right after a snapshot was read: what is taken to hold until the next one. */
  hold?(state: ReplayState): void;
  end?(state: ReplayState): void;
}
