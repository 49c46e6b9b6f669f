/**
 * How the number of free pages moved over a trace, as far as its page events tell: a curve of
 * bounds over equal bins of time, for finding out where copies of another clock belong.
 *
 * Which events move pages to and from the free lists depends on the kernel and on what was
 * recorded, so there are several readings of one trace; whoever compares them with copies sees
 * which one holds. Levels are relative: the curve begins at 0.
 */
import { EventBatch, EventKind, PFN_NONE } from '../records/events.js';
import type { EventSpool } from './spool.js';

/**
 * `page`: what callers take and give back (per-cpu lists count as free). `buddy`: what leaves and
 * enters the free lists. `stolen`: as buddy, and a fallback takes its block without an event of its own.
 */
export type CurveReading = 'page' | 'buddy' | 'stolen';

/** Bins of a curve at most. */
const MAX_BINS = 1 << 16;
/** Narrowest bin, ns. */
const MIN_BIN_NS = 1000;
const MAX_ORDER = 32;
const CLAMP = 2 ** 31 - 1;

/** Lowest and highest level within each bin, in pages against the start. */
export class FreeCurve {
  readonly firstNs: number;
  readonly lastNs: number;
  readonly binNs: number;
  readonly bins: number;
  /** Sparse tables: level k holds bounds over 2^k bins from each bin on. */
  readonly #low: Int32Array[];
  readonly #high: Int32Array[];

  constructor(firstNs: number, lastNs: number, low: Int32Array, high: Int32Array, binNs: number) {
    this.firstNs = firstNs;
    this.lastNs = lastNs;
    this.binNs = binNs;
    this.bins = low.length;
    this.#low = doublings(low, Math.min);
    this.#high = doublings(high, Math.max);
  }

  #level(fromBin: number, toBin: number): number {
    return 31 - Math.clz32(toBin - fromBin + 1);
  }

  /** The bin of a time, held within the trace. */
  binOf(timeNs: number): number {
    const bin = Math.floor((timeNs - this.firstNs) / this.binNs);
    return Math.max(0, Math.min(this.bins - 1, bin));
  }

  lowest(fromBin: number, toBin: number): number {
    const k = this.#level(fromBin, toBin);
    const row = this.#low[k]!;
    return Math.min(row[fromBin]!, row[toBin - 2 ** k + 1]!);
  }

  highest(fromBin: number, toBin: number): number {
    const k = this.#level(fromBin, toBin);
    const row = this.#high[k]!;
    return Math.max(row[fromBin]!, row[toBin - 2 ** k + 1]!);
  }
}

/** Bounds over 1, 2, 4 … bins from each bin on. */
function doublings(base: Int32Array, pick: (a: number, b: number) => number): Int32Array[] {
  const levels = [base];
  for (let width = 1; width * 2 <= base.length; width *= 2) {
    const below = levels[levels.length - 1]!;
    const row = new Int32Array(base.length - width * 2 + 1);
    for (let i = 0; i < row.length; i++) row[i] = pick(below[i]!, below[i + width]!);
    levels.push(row);
  }
  return levels;
}

/** The readings a trace allows, the more exact first. */
export function readingsOf(events: EventSpool): CurveReading[] {
  const has = (kind: number): boolean => events.countOf(kind) > 0;
  const readings: CurveReading[] = [];
  if (has(EventKind.zoneLocked) && has(EventKind.pcpuDrain)) {
    readings.push('buddy');
    if (has(EventKind.extfrag)) readings.push('stolen');
  }
  if (has(EventKind.alloc) && has(EventKind.free)) readings.push('page');
  return readings;
}

/** The curve of a trace in one reading. Walks the events once, and once more for the buddy readings. */
export function freeCurve(events: EventSpool, reading: CurveReading): FreeCurve {
  const { firstNs, lastNs } = events;
  const bins = Math.max(1, Math.min(MAX_BINS, Math.ceil((lastNs - firstNs) / MIN_BIN_NS)));
  const binNs = Math.max(MIN_BIN_NS, (lastNs - firstNs) / bins);
  const low = new Int32Array(bins);
  const high = new Int32Array(bins);
  const pages = pagesByEvent(events, reading);
  let level = 0;
  let bin = 0;
  eachEvent(events, (batch, i) => {
    const at = Math.min(bins - 1, Math.floor((batch.timeNs[i]! - firstNs) / binNs));
    for (; bin < at; bin++) low[bin + 1] = high[bin + 1] = level;
    if (batch.pfn[i] === PFN_NONE) return;
    const moved = pages[batch.kind[i]! * MAX_ORDER + batch.order[i]!] ?? 0;
    if (moved === 0) return;
    level = Math.max(-CLAMP, Math.min(CLAMP, level + moved));
    if (level < low[bin]!) low[bin] = level;
    else if (level > high[bin]!) high[bin] = level;
  });
  for (; bin < bins - 1; bin++) low[bin + 1] = high[bin + 1] = level;
  return new FreeCurve(firstNs, lastNs, low, high, binNs);
}

/** Pages an event adds to the free ones, by kind and order. */
function pagesByEvent(events: EventSpool, reading: CurveReading): Float64Array {
  const pages = new Float64Array((EventKind.extfrag + 1) * MAX_ORDER);
  const set = (kind: number, order: number, sign: number): void => {
    pages[kind * MAX_ORDER + order] = sign * 2 ** order;
  };
  const drained = reading === 'page' ? null : drainedOrders(events);
  for (let order = 0; order < MAX_ORDER; order++) {
    if (drained === null) {
      set(EventKind.alloc, order, -1);
      set(EventKind.free, order, 1);
      continue;
    }
    set(EventKind.zoneLocked, order, -1);
    set(EventKind.pcpuDrain, order, 1);
    if (!drained.has(order)) set(EventKind.free, order, 1);
    if (reading === 'stolen') set(EventKind.extfrag, order, -1);
  }
  return pages;
}

/** Orders that pass through per-cpu lists: those ever drained from one. */
function drainedOrders(events: EventSpool): Set<number> {
  const orders = new Set<number>();
  eachEvent(events, (batch, i) => {
    if (batch.kind[i] === EventKind.pcpuDrain) orders.add(batch.order[i]!);
  });
  return orders;
}

function eachEvent(events: EventSpool, visit: (batch: EventBatch, i: number) => void): void {
  const batch = new EventBatch();
  for (let b = 0; b < events.batches; b++) {
    events.read(b, batch);
    for (let i = 0; i < batch.length; i++) visit(batch, i);
  }
}
