/**
 * Observer: free blocks by zone and order over time, with extremes, bounds and watermarks.
 *
 * A bucket keeps what held at its end (with the first event of the next one applied) and the least
 * and most seen inside it, so nothing a chart shows is interpolated. Counts are read only when the zone's free pages changed,
 * which every change of its free lists does.
 */
import { type EventBatch, EventKind, marksLoss } from '../records/events.js';
import type { RecordingStrings } from '../records/strings.js';
import type { ReplayObserver, ReplayState, ZoneState } from '../replay/observer.js';
import { heldState } from './held-state.js';
import type { LostSpan, MarkStep, TimeGrid, Timeline, TimeMarker } from './report-data.js';
import { bucketEndNs, bucketOf, nextBucketNs } from './time-grid.js';

const MAX_MARKERS = 200;
const MAX_LOST = 500;
const CPUS = 1 << 16;
/** Every order, as bits. */
const ALL_ORDERS = -1;
/** Markers a snapshot recorder writes around each copy; they say nothing of the workload. */
const SNAP_MARKER = /^snap \d+ (begin|end)\b/;

export interface TimelineOptions {
  readonly grid: TimeGrid;
  readonly strings: RecordingStrings;
  /** False if no events were lost: then nobody asks when a cpu was last heard of. */
  readonly losses?: boolean;
  /** Pages that must stay free in the zone for GFP_ATOMIC, or null if the marks are not known. */
  readonly atomicNeed: (zone: ZoneState) => number | null;
}

/** One zone's columns: [order * buckets + bucket]. */
class ZoneColumns {
  readonly last: Int32Array;
  readonly min: Int32Array;
  readonly max: Int32Array;
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly pages: Float64Array;
  readonly pagesMin: Float64Array;
  readonly pagesMax: Float64Array;
  readonly certainty: Uint8Array;
  readonly protection: readonly number[];
  /** Made when there is something to note. */
  cma: Int32Array | null = null;
  highatomic: Int32Array | null = null;
  reserved: Float64Array | null = null;
  reservedAtMost: Float64Array | null = null;
  /** NaN = the boost is told. */
  unseenBoost = Number.NaN;
  readonly likely: Int32Array;
  readonly steps: MarkStep[] = [];
  /** Extremes of the open bucket. */
  readonly openMin: Int32Array;
  readonly openMax: Int32Array;
  openPagesMin = Number.POSITIVE_INFINITY;
  openPagesMax = Number.NEGATIVE_INFINITY;
  seenPages = Number.NaN;
  seenBoost = Number.NaN;
  openCertainty = 0;

  constructor(orders: number, buckets: number, protection: readonly number[]) {
    this.protection = protection;
    this.last = new Int32Array(orders * buckets);
    this.min = new Int32Array(orders * buckets);
    this.max = new Int32Array(orders * buckets);
    this.low = new Int32Array(orders * buckets);
    this.high = new Int32Array(orders * buckets);
    this.likely = new Int32Array(orders * buckets);
    this.pages = new Float64Array(buckets);
    this.pagesMin = new Float64Array(buckets);
    this.pagesMax = new Float64Array(buckets);
    this.certainty = new Uint8Array(buckets);
    this.openMin = new Int32Array(orders);
    this.openMax = new Int32Array(orders);
  }

  /** Starts a bucket with what holds now. */
  reopen(zone: ZoneState): void {
    this.openMin.set(zone.free.subarray(0, this.openMin.length));
    this.openMax.set(zone.free.subarray(0, this.openMax.length));
    this.openPagesMin = zone.freePages;
    this.openPagesMax = zone.freePages;
    this.seenPages = zone.freePages;
    this.openCertainty = certaintyLevel(zone);
  }

  note(zone: ZoneState, pages: number, orders = ALL_ORDERS): void {
    this.seenPages = pages;
    if (pages < this.openPagesMin) this.openPagesMin = pages;
    if (pages > this.openPagesMax) this.openPagesMax = pages;
    this.#noteOrders(zone, orders);
  }

  /** Only orders whose bit is set can have moved. */
  #noteOrders(zone: ZoneState, orders: number): void {
    const { free } = zone;
    const { openMin, openMax } = this;
    for (let left = orders; left !== 0; left &= left - 1) {
      const q = 31 - Math.clz32(left & -left);
      if (q >= openMin.length) return;
      const blocks = free[q]!;
      if (blocks < openMin[q]!) openMin[q] = blocks;
      if (blocks > openMax[q]!) openMax[q] = blocks;
    }
  }

  close(zone: ZoneState, bucket: number, buckets: number): void {
    for (let q = 0; q < this.openMin.length; q++) {
      const at = q * buckets + bucket;
      this.last[at] = zone.free[q]!;
      this.min[at] = Math.min(this.openMin[q]!, zone.free[q]!);
      this.max[at] = Math.max(this.openMax[q]!, zone.free[q]!);
      this.low[at] = zone.low[q]!;
      this.high[at] = zone.high[q]!;
      this.likely[at] = (zone.likely ?? zone.low)[q]!;
    }
    this.pages[bucket] = zone.freePages;
    this.pagesMin[bucket] = Math.min(this.openPagesMin, zone.freePages);
    this.pagesMax[bucket] = Math.max(this.openPagesMax, zone.freePages);
    this.certainty[bucket] = Math.max(this.openCertainty, certaintyLevel(zone));
    this.#closeKept(zone, bucket, buckets);
  }

  /** What is free but not for every request. */
  #closeKept(zone: ZoneState, bucket: number, buckets: number): void {
    const { cma, highatomic, cmaPages = 0, highatomicPages = 0, reservedHighatomic = 0 } = zone;
    const size = this.last.length;
    if (cma && cmaPages > 0) {
      this.cma ??= new Int32Array(size);
      put(this.cma, cma, bucket, buckets);
    }
    if (highatomic && highatomicPages > 0) {
      this.highatomic ??= new Int32Array(size);
      put(this.highatomic, highatomic, bucket, buckets);
    }
    if (reservedHighatomic > 0) {
      this.reserved ??= new Float64Array(buckets);
      this.reserved[bucket] = reservedHighatomic;
    }
    const { reservedAtMost = 0 } = zone;
    if (reservedAtMost > reservedHighatomic) {
      this.reservedAtMost ??= new Float64Array(buckets);
      this.reservedAtMost[bucket] = reservedAtMost;
    }
  }
}

function put(into: Int32Array, blocks: Int32Array, bucket: number, buckets: number): void {
  for (let q = 0; q * buckets < into.length; q++) into[q * buckets + bucket] = blocks[q] ?? 0;
}

function certaintyLevel(zone: ZoneState): number {
  return zone.certainty === 'exact' ? 0 : zone.certainty === 'bounded' ? 1 : 2;
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** Free blocks by zone and order in every bucket of time, with extremes and bounds. */
export class TimelineObserver implements ReplayObserver {
  readonly #options: TimelineOptions;
  readonly #lost: LostSpan[] = [];
  readonly #markers: TimeMarker[] = [];
  /** Last event time by cpu: where a loss began. */
  readonly #cpuTimeNs = new Float64Array(CPUS).fill(Number.NaN);
  #columns: ZoneColumns[] = [];
  #orders = 0;
  #bucket = 0;
  #bucketEndNs: number;
  /** Events were seen. */
  #walked = false;
  /** The state at the last copy or after it, as long as none were. */
  #held: ReplayState | null = null;

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#bucketEndNs = bucketEndNs(options.grid, 0);
  }

  start(state: ReplayState): void {
    this.#orders = state.orders;
    this.#columns = state.zones.map(
      ({ marks }) =>
        new ZoneColumns(state.orders, this.#options.grid.buckets, [...marks.protection]),
    );
    for (const zone of state.zones) {
      this.#columns[zone.index]!.reopen(zone);
      this.#columns[zone.index]!.unseenBoost = zone.marks.unseenBoost ?? Number.NaN;
      this.#noteMarks(zone, this.#options.grid.fromNs);
    }
  }

  get dueNs(): number {
    return this.#bucketEndNs;
  }

  due(state: ReplayState, batch: EventBatch, i: number): void {
    this.#advance(state, batch.timeNs[i]!);
  }

  batch(_state: ReplayState, batch: EventBatch, from: number, to: number): void {
    this.#walked = true;
    if (this.#options.losses === false) return;
    const { kind, cpu, timeNs } = batch;
    const cpuTimeNs = this.#cpuTimeNs;
    for (let i = from; i < to; i++) {
      if (marksLoss(kind[i]!)) this.#noteLoss(batch, i);
      cpuTimeNs[cpu[i]!] = timeNs[i]!;
    }
  }

  seldom(_state: ReplayState, batch: EventBatch, i: number): void {
    if (batch.kind[i] !== EventKind.marker || this.#markers.length >= MAX_MARKERS) return;
    const text = this.#options.strings.texts.text(batch.rareField(i, 0));
    if (SNAP_MARKER.test(text)) return;
    this.#markers.push({ timeNs: batch.timeNs[i]!, text: text.slice(0, 120) });
  }

  changed(state: ReplayState): void {
    const zones = state.zones;
    for (let z = 0; z < zones.length; z++) {
      const zone = zones[z]!;
      const pages = zone.freePages;
      const columns = this.#columns[z]!;
      if (zone.marks.boost !== columns.seenBoost) this.#noteMarks(zone, state.timeNs);
      if (pages !== columns.seenPages) columns.note(zone, pages, zone.touched);
    }
  }

  snapshot(state: ReplayState): void {
    if (!this.#walked) this.#jump(state);
    for (const zone of state.zones) {
      const columns = this.#columns[zone.index]!;
      if (zone.marks.boost !== columns.seenBoost) this.#noteMarks(zone, state.timeNs);
      columns.note(zone, zone.freePages);
    }
  }

  /** Without events: up to this copy what the one before told held. */
  #jump(state: ReplayState): void {
    const next = bucketOf(this.#options.grid, state.timeNs);
    if (this.#held === null)
      for (const zone of state.zones) this.#columns[zone.index]!.reopen(zone);
    else if (next > this.#bucket) this.#closeUpTo(this.#held, next);
    this.#held = heldState(state);
  }

  hold(state: ReplayState): void {
    this.#held = heldState(state);
  }

  end(state: ReplayState): void {
    const last = this.#walked ? state : (this.#held ?? state);
    this.#closeUpTo(last, this.#options.grid.buckets);
  }

  #advance(state: ReplayState, timeNs: number): void {
    const { grid } = this.#options;
    this.#closeUpTo(state, bucketOf(grid, timeNs));
    this.#bucketEndNs = nextBucketNs(grid, this.#bucket);
  }

  /** Closes the open bucket and all before `next`. The state is that after the event in `next`. */
  #closeUpTo(state: ReplayState, next: number): void {
    const { grid } = this.#options;
    for (; this.#bucket < next; this.#bucket++) {
      for (const zone of state.zones) {
        const columns = this.#columns[zone.index]!;
        columns.close(zone, this.#bucket, grid.buckets);
        columns.reopen(zone);
      }
    }
  }

  /** Of the changes in one bucket the last is kept. */
  #noteMarks(zone: ZoneState, timeNs: number): void {
    const { marks } = zone;
    const columns = this.#columns[zone.index]!;
    const { steps } = columns;
    columns.seenBoost = marks.boost;
    const bucketNs = bucketEndNs(this.#options.grid, this.#bucket - 1);
    if (steps.length > 1 && steps[steps.length - 1]!.timeNs >= bucketNs) steps.pop();
    const asked = this.#options.atomicNeed(zone);
    const need = asked === null ? null : known(asked);
    steps.push({
      timeNs,
      min: known(marks.min),
      low: known(marks.low),
      high: known(marks.high),
      boost: marks.boost,
      atomicNeed: need,
    });
  }

  #noteLoss(batch: EventBatch, i: number): void {
    if (this.#lost.length >= MAX_LOST) return;
    const cpu = batch.cpu[i]!;
    const before = this.#cpuTimeNs[cpu]!;
    const count = batch.kind[i] === EventKind.lost ? batch.rareField(i, 0) : Number.NaN;
    const fromNs = Number.isNaN(before) ? this.#options.grid.fromNs : before;
    this.#lost.push({ fromNs, toNs: batch.timeNs[i]!, cpu, count: known(count) });
  }

  result(): Timeline {
    const { grid } = this.#options;
    return {
      ...grid,
      zones: this.#columns.map((columns) => zoneResult(columns, this.#orders, grid.buckets)),
      lost: this.#lost,
      markers: this.#markers,
    };
  }
}

function zoneResult(columns: ZoneColumns, orders: number, buckets: number) {
  const split = (flat: Int32Array): number[][] =>
    Array.from({ length: orders }, (_, q) => [...flat.subarray(q * buckets, (q + 1) * buckets)]);
  const bounded = columns.last.some(
    (value, i) => columns.low[i] !== value || columns.high[i] !== value,
  );
  return {
    last: split(columns.last),
    min: split(columns.min),
    max: split(columns.max),
    low: bounded ? split(columns.low) : null,
    high: bounded ? split(columns.high) : null,
    freePages: [...columns.pages],
    freePagesMin: [...columns.pagesMin],
    freePagesMax: [...columns.pagesMax],
    certainty: Array.from(columns.certainty, (level) => 'ebu'[level]).join(''),
    marks: columns.steps,
    protection: columns.protection,
    ...(columns.cma === null ? {} : { cma: split(columns.cma) }),
    ...(columns.highatomic === null ? {} : { highatomic: split(columns.highatomic) }),
    ...(columns.reserved === null ? {} : { reserved: [...columns.reserved] }),
    ...(columns.reservedAtMost === null
      ? {}
      : { reservedAtMost: Array.from(columns.reservedAtMost, known) }),
    ...(columns.likely.every((blocks, i) => blocks === columns.low[i])
      ? {}
      : { likely: split(columns.likely) }),
    ...(Number.isNaN(columns.unseenBoost) ? {} : { unseenBoost: columns.unseenBoost }),
  };
}
