/**
 * Observer: how many order-n GFP_ATOMIC requests in a row would succeed.
 *
 * Of each zone the least of two limits: the order-n blocks that splitting yields, and the pages above
 * what must stay free (mm/page_alloc.c __zone_watermark_ok takes 2^n - 1 off before it compares, so
 * the last request passes while free - (2^n - 1) > need). Summed over zones: a request that one zone
 * refuses goes to the next. CMA blocks do not count;
 * HIGHATOMIC and isolated ones are counted as if usable; reclaim,
 * compaction and per-cpu lists between requests are not modelled.
 */
import type { EventBatch } from '../records/events.js';
import type { ReplayObserver, ReplayState, ZoneState } from '../replay/observer.js';
import { heldState } from './held-state.js';
import type { Headroom, TimeGrid } from './report-data.js';
import { bucketEndNs, bucketOf, nextBucketNs } from './time-grid.js';

export interface HeadroomOptions {
  readonly grid: TimeGrid;
  /** Pages that must stay free in the zone for GFP_ATOMIC, or null if the marks are not known. */
  readonly atomicNeed: (zone: ZoneState) => number | null;
}

/** What of a zone limits a row of requests. */
export interface RoomOf {
  readonly cma?: ArrayLike<number>;
  /** Pages in these blocks. */
  readonly cmaPages?: number;
}

/**
 * Adds to `into[n]` the requests of order n that the zone could serve in a row.
 * @param need pages that must stay free: Infinity = the zone is never tried, null = not known.
 * @param free blocks by order, and `pages` in all: the best estimate or a bound.
 */
export function zoneHeadroom(
  zone: RoomOf,
  need: number | null,
  into: Float64Array,
  free: ArrayLike<number>,
  pages: number,
): void {
  const { cma } = zone;
  const cmaPages = zone.cmaPages ?? 0;
  const above = pages - cmaPages - (need ?? -1) - 1;
  let blocks = 0;
  for (let n = into.length - 1; n >= 0; n--) {
    blocks = blocks * 2 + free[n]!;
    if (cmaPages !== 0) blocks -= cma?.[n] ?? 0;
    const byMark = above < 0 ? 0 : (above + 1) >> n;
    into[n]! += blocks < byMark ? blocks : byMark;
  }
}

/** How many requests in a row would be served, by order over time. */
export class HeadroomObserver implements ReplayObserver {
  readonly #options: HeadroomOptions;
  #orders = 0;
  #bucket = 0;
  #bucketEndNs: number;
  #last: Float64Array = new Float64Array();
  #min: Float64Array = new Float64Array();
  #low: Float64Array = new Float64Array();
  #high: Float64Array = new Float64Array();
  #now: Float64Array = new Float64Array();
  #least: Float64Array = new Float64Array();
  /** By zone: what it would serve alone, the least of that in the open bucket, and in each bucket. */
  #zones: { now: Float64Array; least: Float64Array; min: Float64Array }[] = [];
  /** Zones whose free lists moved since they were reckoned. */
  #moved: Uint8Array = new Uint8Array();
  #bounded: Float64Array = new Float64Array();
  #seenPages: Float64Array = new Float64Array();
  #needs: (number | null)[] = [];
  /** Events were seen. */
  #walked = false;
  /** The state at the last copy, as long as none were. */
  #held: ReplayState | null = null;

  constructor(options: HeadroomOptions) {
    this.#options = options;
    this.#bucketEndNs = bucketEndNs(options.grid, 0);
  }

  start(state: ReplayState): void {
    const { buckets } = this.#options.grid;
    this.#orders = state.orders;
    this.#last = new Float64Array(state.orders * buckets);
    this.#min = new Float64Array(state.orders * buckets);
    this.#low = new Float64Array(state.orders * buckets);
    this.#high = new Float64Array(state.orders * buckets);
    this.#now = new Float64Array(state.orders);
    this.#bounded = new Float64Array(state.orders);
    this.#least = new Float64Array(state.orders).fill(Number.POSITIVE_INFINITY);
    this.#seenPages = new Float64Array(state.zones.length).fill(Number.NaN);
    this.#moved = new Uint8Array(state.zones.length);
    this.#zones = state.zones.map(() => ({
      now: new Float64Array(state.orders),
      least: new Float64Array(state.orders).fill(Number.POSITIVE_INFINITY),
      min: new Float64Array(state.orders * buckets),
    }));
    this.#computeAll(state);
  }

  get dueNs(): number {
    return this.#bucketEndNs;
  }

  due(state: ReplayState, batch: EventBatch, i: number): void {
    this.#advance(state, batch.timeNs[i]!);
  }

  changed(state: ReplayState): void {
    const zones = state.zones;
    // What comes free can only help: the least of a bucket is found where pages were taken.
    const both = state.restless !== false;
    let less = false;
    for (let z = 0; z < zones.length; z++) {
      const pages = zones[z]!.freePages;
      const seen = this.#seenPages[z]!;
      if (pages === seen) continue;
      this.#moved[z] = 1;
      this.#seenPages[z] = pages;
      if (pages < seen || both) less = true;
    }
    if (less) this.#compute(state);
  }

  batch(): void {
    this.#walked = true;
  }

  snapshot(state: ReplayState): void {
    if (!this.#walked) this.#jump(state);
    this.#computeAll(state);
  }

  /** Without events: up to this copy what the one before told held. */
  #jump(state: ReplayState): void {
    const next = bucketOf(this.#options.grid, state.timeNs);
    if (this.#held !== null && next > this.#bucket) this.#closeUpTo(this.#held, next);
    this.#held = heldState(state);
  }

  end(state: ReplayState): void {
    this.#closeUpTo(state, this.#options.grid.buckets);
  }

  #computeAll(state: ReplayState): void {
    this.#moved.fill(1);
    this.#compute(state);
  }

  /** Reckons the zones that moved anew, and the sum. */
  #compute(state: ReplayState): void {
    const { zones } = state;
    this.#now.fill(0);
    for (let z = 0; z < zones.length; z++) {
      const { now, least } = this.#zones[z]!;
      if (this.#moved[z] === 1) {
        this.#moved[z] = 0;
        const zone = zones[z]!;
        if (this.#needs.length <= z) this.#needs.push(this.#options.atomicNeed(zone));
        zoneHeadroom(zone, this.#needs[z]!, now.fill(0), zone.free, zone.freePages);
        this.#seenPages[z] = zone.freePages;
        lower(least, now);
      }
      for (let n = 0; n < this.#orders; n++) this.#now[n]! += now[n]!;
    }
    lower(this.#least, this.#now);
  }

  #advance(state: ReplayState, timeNs: number): void {
    const { grid } = this.#options;
    this.#closeUpTo(state, bucketOf(grid, timeNs));
    this.#bucketEndNs = nextBucketNs(grid, this.#bucket);
  }

  #closeUpTo(state: ReplayState, next: number): void {
    const { buckets } = this.#options.grid;
    for (; this.#bucket < next; this.#bucket++) {
      // Like the timeline's marks: what moved them came at the end of the last of these buckets.
      if (this.#bucket === next - 1) this.#askNeeds(state);
      this.#computeAll(state);
      this.#bound(state, 'low', this.#low);
      this.#bound(state, 'high', this.#high);
      for (let n = 0; n < this.#orders; n++) {
        this.#last[n * buckets + this.#bucket] = this.#now[n]!;
        this.#min[n * buckets + this.#bucket] = this.#least[n]!;
        this.#least[n] = this.#now[n]!;
      }
      for (const { now, least, min } of this.#zones) {
        for (let n = 0; n < this.#orders; n++) min[n * buckets + this.#bucket] = least[n]!;
        least.set(now);
      }
    }
  }

  #askNeeds(state: ReplayState): void {
    for (let z = 0; z < state.zones.length; z++) {
      this.#needs[z] = this.#options.atomicNeed(state.zones[z]!);
    }
  }

  /** What a bound of the free lists would allow, at the end of the open bucket. */
  #bound(state: ReplayState, plane: 'low' | 'high', into: Float64Array): void {
    const { buckets } = this.#options.grid;
    const requests = this.#bounded.fill(0);
    for (let z = 0; z < state.zones.length; z++) {
      const zone = state.zones[z]!;
      const exact = zone.certainty === 'exact';
      const blocks = exact ? zone.free : zone[plane];
      const pages = exact ? zone.freePages : blocks.reduce((sum, n, q) => sum + n * 2 ** q, 0);
      zoneHeadroom(zone, this.#needs[z]!, requests, blocks, pages);
    }
    for (let n = 0; n < this.#orders; n++) {
      const at = n * buckets + this.#bucket;
      const now = this.#now[n]!;
      into[at] =
        plane === 'low' ? Math.max(0, Math.min(now, requests[n]!)) : Math.max(now, requests[n]!);
    }
  }

  result(): Headroom {
    const { buckets } = this.#options.grid;
    const split = (flat: Float64Array): number[][] =>
      Array.from({ length: this.#orders }, (_, n) => [
        ...flat.subarray(n * buckets, (n + 1) * buckets),
      ]);
    return {
      last: split(this.#last),
      min: split(this.#min),
      low: this.#equal(this.#low) ? null : split(this.#low),
      high: this.#equal(this.#high) ? null : split(this.#high),
      zoneMin: this.#zones.map(({ min }) => split(min)),
      marksKnown: this.#needs.length > 0 && this.#needs.every((need) => need !== null),
    };
  }

  #equal(bound: Float64Array): boolean {
    return bound.every((value, i) => value === this.#last[i]);
  }
}

/** Keeps the smaller of each pair in `least`. */
function lower(least: Float64Array, now: Float64Array): void {
  for (let n = 0; n < least.length; n++) if (now[n]! < least[n]!) least[n] = now[n]!;
}
