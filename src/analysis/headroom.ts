/**
 * Observer: how many requests in a row would succeed, for each kind of request, by order over time.
 *
 * Summed over zones (row-tests.ts): a request that one zone refuses goes to the next.
 */
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import type { EventBatch } from '../records/events.js';
import type { ReplayObserver, ReplayState } from '../replay/observer.js';
import { SideCounts } from '../replay/request-test.js';
import { heldState } from './held-state.js';
import type { Headroom, TimeGrid } from './report-data.js';
import { RowTests } from './row-tests.js';
import { bucketEndNs, bucketOf, nextBucketNs } from './time-grid.js';

export interface HeadroomOptions {
  readonly grid: TimeGrid;
  readonly switches: ProfileSwitches;
  /** Kinds of request as gfp texts; the first is the one that bounds are kept for. */
  readonly gfps: readonly string[];
  /** Node that requests come from. */
  readonly node: number;
}

/** What was found of one zone, or of all together: [order * buckets + bucket]. */
class Row {
  readonly now: Float64Array;
  /** The least in the open bucket. */
  readonly least: Float64Array;
  readonly min: Float64Array;

  constructor(orders: number, buckets: number) {
    this.now = new Float64Array(orders);
    this.least = new Float64Array(orders).fill(Number.POSITIVE_INFINITY);
    this.min = new Float64Array(orders * buckets);
  }

  lower(): void {
    const { now, least } = this;
    for (let n = 0; n < now.length; n++) if (now[n]! < least[n]!) least[n] = now[n]!;
  }

  /** Takes over what was found now, and adds to `sum` by how much it differs. */
  take(found: Float64Array, sum: Float64Array): void {
    const { now, least } = this;
    for (let n = 0; n < now.length; n++) {
      const requests = found[n]!;
      sum[n]! += requests - now[n]!;
      now[n] = requests;
      if (requests < least[n]!) least[n] = requests;
    }
  }

  close(bucket: number, buckets: number): void {
    for (let n = 0; n < this.least.length; n++) this.min[n * buckets + bucket] = this.least[n]!;
    this.least.set(this.now);
  }
}

/** One kind of request. */
class Kind {
  readonly gfp: string;
  readonly tests: RowTests;
  readonly all: Row;
  readonly zones: readonly Row[];
  readonly #found: Float64Array;

  constructor(state: ReplayState, { switches, node, grid }: HeadroomOptions, gfp: string) {
    this.gfp = gfp;
    this.tests = new RowTests(state, switches, gfp, node);
    this.all = new Row(state.orders, grid.buckets);
    this.zones = state.zones.map(() => new Row(state.orders, grid.buckets));
    this.#found = new Float64Array(state.orders);
  }

  /** Reckons the zones that moved anew, and the sum. */
  compute(moved: Uint8Array, counts: readonly SideCounts[]): void {
    for (let z = 0; z < this.zones.length; z++) {
      if (moved[z] === 0) continue;
      this.tests.count(z, counts[z]!, this.#found);
      this.zones[z]!.take(this.#found, this.all.now);
    }
    this.all.lower();
  }
}

/** How many requests in a row would be served, by order over time. */
export class HeadroomObserver implements ReplayObserver {
  readonly #options: HeadroomOptions;
  #orders = 0;
  #bucket = 0;
  #bucketEndNs: number;
  #kinds: readonly Kind[] = [];
  #counts: readonly SideCounts[] = [];
  readonly #last: Float64Array[] = [];
  readonly #low: Float64Array[] = [];
  readonly #high: Float64Array[] = [];
  #bounded: Float64Array = new Float64Array();
  #inZone: Float64Array = new Float64Array();
  /** Zones whose free lists moved since they were reckoned. */
  #moved: Uint8Array = new Uint8Array();
  #seenPages: Float64Array = new Float64Array();
  /** Of each zone, as the tests have them. */
  #boosts: Float64Array = new Float64Array();
  #marksKnown = false;
  /** Events were seen. */
  #walked = false;
  /** The state at the last copy or after it, as long as none were. */
  #held: ReplayState | null = null;

  constructor(options: HeadroomOptions) {
    this.#options = options;
    this.#bucketEndNs = bucketEndNs(options.grid, 0);
  }

  start(state: ReplayState): void {
    const { grid, gfps } = this.#options;
    this.#orders = state.orders;
    this.#kinds = gfps.map((gfp) => new Kind(state, this.#options, gfp));
    this.#counts = state.zones.map(() => new SideCounts('free'));
    for (const plane of [this.#last, this.#low, this.#high]) {
      for (let n = 0; n < state.orders; n++) plane.push(new Float64Array(grid.buckets));
    }
    this.#bounded = new Float64Array(state.orders);
    this.#inZone = new Float64Array(state.orders);
    this.#seenPages = new Float64Array(state.zones.length).fill(Number.NaN);
    this.#moved = new Uint8Array(state.zones.length);
    this.#boosts = Float64Array.from(state.zones, ({ marks }) => marks.boost);
    this.#marksKnown = state.zones.every(({ marks }) => !Number.isNaN(marks.min));
    this.#computeAll(state);
  }

  get dueNs(): number {
    return this.#bucketEndNs;
  }

  due(state: ReplayState, batch: EventBatch, i: number): void {
    const { grid } = this.#options;
    this.#closeUpTo(state, bucketOf(grid, batch.timeNs[i]!));
    this.#bucketEndNs = nextBucketNs(grid, this.#bucket);
  }

  changed(state: ReplayState): void {
    const zones = state.zones;
    // What comes free can only help: the least of a bucket is found where pages were taken.
    const both = state.restless !== false;
    let less = this.#takeMarks(state);
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

  /** Whether a boost moved since the last time. */
  #takeMarks(state: ReplayState): boolean {
    const { zones } = state;
    let moved = false;
    for (let z = 0; z < zones.length; z++) {
      const { boost } = zones[z]!.marks;
      if (boost === this.#boosts[z]) continue;
      this.#boosts[z] = boost;
      this.#moved[z] = 1;
      moved = true;
    }
    if (moved) for (const { tests } of this.#kinds) tests.refresh(state);
    return moved;
  }

  batch(): void {
    this.#walked = true;
  }

  snapshot(state: ReplayState): void {
    if (!this.#walked) this.#jump(state);
    this.#takeMarks(state);
    this.#computeAll(state);
  }

  /** Without events: up to this copy what the one before told held. */
  #jump(state: ReplayState): void {
    const next = bucketOf(this.#options.grid, state.timeNs);
    if (this.#held !== null && next > this.#bucket) this.#closeUpTo(this.#held, next);
    this.#held = heldState(state);
  }

  hold(state: ReplayState): void {
    this.#held = heldState(state);
  }

  end(state: ReplayState): void {
    const last = this.#walked ? state : (this.#held ?? state);
    this.#closeUpTo(last, this.#options.grid.buckets);
  }

  #computeAll(state: ReplayState): void {
    this.#moved.fill(1);
    this.#compute(state);
  }

  #compute(state: ReplayState): void {
    const { zones } = state;
    for (let z = 0; z < zones.length; z++) {
      if (this.#moved[z] === 0) continue;
      this.#counts[z]!.load(zones[z]!);
      this.#seenPages[z] = zones[z]!.freePages;
    }
    for (let k = 0; k < this.#kinds.length; k++) {
      this.#kinds[k]!.compute(this.#moved, this.#counts);
    }
    for (let z = 0; z < zones.length; z++) this.#moved[z] = 0;
  }

  #closeUpTo(state: ReplayState, next: number): void {
    const { buckets } = this.#options.grid;
    for (; this.#bucket < next; this.#bucket++) {
      this.#computeAll(state);
      this.#bound(state, 'low', this.#low);
      this.#bound(state, 'high', this.#high);
      for (let n = 0; n < this.#orders; n++) {
        this.#last[n]![this.#bucket] = this.#kinds[0]!.all.now[n]!;
      }
      for (const { all, zones } of this.#kinds) {
        all.close(this.#bucket, buckets);
        for (const row of zones) row.close(this.#bucket, buckets);
      }
    }
  }

  /** What a bound of the free lists would allow, at the end of the open bucket. */
  #bound(state: ReplayState, side: 'low' | 'high', into: readonly Float64Array[]): void {
    const { tests, all } = this.#kinds[0]!;
    const requests = this.#bounded.fill(0);
    for (let z = 0; z < state.zones.length; z++) {
      const zone = state.zones[z]!;
      const counts = new SideCounts(zone.certainty === 'exact' ? 'free' : side).load(zone);
      tests.count(z, counts, this.#inZone);
      for (let n = 0; n < this.#orders; n++) requests[n]! += this.#inZone[n]!;
    }
    for (let n = 0; n < this.#orders; n++) {
      const now = all.now[n]!;
      into[n]![this.#bucket] =
        side === 'low' ? Math.min(now, requests[n]!) : Math.max(now, requests[n]!);
    }
  }

  result(): Headroom {
    const { buckets } = this.#options.grid;
    const split = ({ min }: Row): number[][] =>
      Array.from({ length: this.#orders }, (_, n) => [
        ...min.subarray(n * buckets, (n + 1) * buckets),
      ]);
    const [first, ...others] = this.#kinds;
    const planes = (rows: readonly Float64Array[]): number[][] => rows.map((row) => [...row]);
    return {
      last: planes(this.#last),
      min: first ? split(first.all) : [],
      low: this.#equal(this.#low) ? null : planes(this.#low),
      high: this.#equal(this.#high) ? null : planes(this.#high),
      zoneMin: first ? first.zones.map(split) : [],
      others: others.map(({ gfp, all, zones }) => ({
        gfp,
        min: split(all),
        zoneMin: zones.map(split),
      })),
      marksKnown: this.#marksKnown,
    };
  }

  #equal(bound: readonly Float64Array[]): boolean {
    return bound.every((row, n) => row.every((value, b) => value === this.#last[n]![b]));
  }
}
