/**
 * Observer: how many order-n GFP_ATOMIC requests in a row would succeed.
 *
 * Per zone the least of two limits: the order-n blocks that splitting yields, and the pages above
 * what must stay free (mm/page_alloc.c __zone_watermark_ok takes 2^n - 1 off before it compares, so
 * the last request passes while free - (2^n - 1) > need). Summed over zones: a request that one zone
 * refuses goes to the next. CMA blocks do not count;
 * HIGHATOMIC and isolated ones are counted as if usable; reclaim,
 * compaction and per-cpu lists between requests are not modelled.
 */
import type { EventBatch } from '../records/events.js';
import type { ReplayObserver, ReplayState, ZoneState } from '../replay/observer.js';
import type { Headroom, TimeGrid } from './report-data.js';
import { bucketEndNs, bucketOf, nextBucketNs } from './time-grid.js';

export interface HeadroomOptions {
  readonly grid: TimeGrid;
  /** Pages that must stay free in the zone for GFP_ATOMIC, or null if the marks are not known. */
  readonly atomicNeed: (zone: ZoneState) => number | null;
}

/** Adds to `into[n]` the requests of order n that the zone could serve in a row. */
export function zoneHeadroom(zone: ZoneState, need: number | null, into: Float64Array): void {
  const { free, cma } = zone;
  const cmaPages = zone.cmaPages ?? 0;
  const above = zone.freePages - cmaPages - (need ?? -1) - 1;
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
  #now: Float64Array = new Float64Array();
  #least: Float64Array = new Float64Array();
  #seenPages: Float64Array = new Float64Array();
  #needs: (number | null)[] = [];

  constructor(options: HeadroomOptions) {
    this.#options = options;
    this.#bucketEndNs = bucketEndNs(options.grid, 0);
  }

  start(state: ReplayState): void {
    const { buckets } = this.#options.grid;
    this.#orders = state.orders;
    this.#last = new Float64Array(state.orders * buckets);
    this.#min = new Float64Array(state.orders * buckets);
    this.#now = new Float64Array(state.orders);
    this.#least = new Float64Array(state.orders).fill(Number.POSITIVE_INFINITY);
    this.#seenPages = new Float64Array(state.zones.length).fill(Number.NaN);
    this.#compute(state);
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
    for (let z = 0; z < zones.length; z++) {
      const pages = zones[z]!.freePages;
      if (pages < this.#seenPages[z]! || (both && pages !== this.#seenPages[z])) {
        this.#compute(state);
        return;
      }
      this.#seenPages[z] = pages;
    }
  }

  snapshot(state: ReplayState): void {
    this.#compute(state);
  }

  end(state: ReplayState): void {
    this.#closeUpTo(state, this.#options.grid.buckets);
  }

  #compute(state: ReplayState): void {
    const { zones } = state;
    this.#now.fill(0);
    for (let z = 0; z < zones.length; z++) {
      const zone = zones[z]!;
      if (this.#needs.length <= z) this.#needs.push(this.#options.atomicNeed(zone));
      zoneHeadroom(zone, this.#needs[z]!, this.#now);
      this.#seenPages[z] = zone.freePages;
    }
    for (let n = 0; n < this.#orders; n++) {
      if (this.#now[n]! < this.#least[n]!) this.#least[n] = this.#now[n]!;
    }
  }

  #advance(state: ReplayState, timeNs: number): void {
    const { grid } = this.#options;
    this.#closeUpTo(state, bucketOf(grid, timeNs));
    this.#bucketEndNs = nextBucketNs(grid, this.#bucket);
  }

  #closeUpTo(state: ReplayState, next: number): void {
    const { buckets } = this.#options.grid;
    for (let z = 0; z < state.zones.length; z++) {
      this.#needs[z] = this.#options.atomicNeed(state.zones[z]!);
    }
    for (; this.#bucket < next; this.#bucket++) {
      this.#compute(state);
      for (let n = 0; n < this.#orders; n++) {
        this.#last[n * buckets + this.#bucket] = this.#now[n]!;
        this.#min[n * buckets + this.#bucket] = this.#least[n]!;
        this.#least[n] = this.#now[n]!;
      }
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
      marksKnown: this.#needs.length > 0 && this.#needs.every((need) => need !== null),
    };
  }
}
