/**
 * Reconciliation: what buddyinfo copies say against the simulation, and how that corrects it.
 *
 * At each copy the residual is simulation minus copy, per zone and order; the simulation is looked
 * at where the copy began and where it ended, and the nearer of the two counts (a zone is read at
 * one instant in between). Between two copies:
 * - before the first compaction event the earlier residual holds, after the last one the later:
 *   nothing else takes pages unseen; in between, the nearer copy (buddy level);
 * - the error grows steadily with per-cpu lists: interpolate (page level).
 * The other residual is the other bound: the truth moved from one to the other in between.
 */

import { EventKind } from '../records/events.js';
import type { BuddyinfoSnapshot } from '../records/snapshot.js';
import { CopyErrors, EVENTFUL_REACH } from './copy-errors.js';
import type { Geometry } from './geometry.js';
import { type Loss, lossIn } from './losses.js';
import type { Residual } from './observer.js';
import { readUntilNs } from './place.js';
import { countBelow } from './sorted.js';
import type { RareLog } from './survey.js';

/** A buddyinfo copy placed in the stream of events. */
export interface PlacedCopy {
  readonly snapshot: BuddyinfoSnapshot;
  readonly beginIndex: number;
  readonly endIndex: number;
  readonly timeNs: number;
  /** Blocks by zone and order (zone * orders + order), -1 for a zone the copy lacks. */
  readonly counts: Int32Array;
}

/** Counts of a copy in the geometry's zones. */
export function countsOf(snapshot: BuddyinfoSnapshot, geometry: Geometry): Int32Array {
  const counts = new Int32Array(geometry.zones.length * geometry.orders).fill(-1);
  for (const { node, zone, free } of snapshot.zones) {
    const index = geometry.zones.findIndex((z) => z.node === node && z.zone === zone);
    if (index < 0) continue;
    for (let q = 0; q < geometry.orders; q++) counts[index * geometry.orders + q] = free[q] ?? 0;
  }
  return counts;
}

/** Residuals of one copy, while the replay passes its bracket. */
export class ResidualProbe {
  readonly copy: PlacedCopy;
  /** simulation - copy, zone * orders + order; 0 for zones the copy lacks. */
  readonly residual: Int32Array;
  readonly #orders: number;
  readonly #distance: Float64Array;

  constructor(copy: PlacedCopy, zones: number, orders: number) {
    this.copy = copy;
    this.#orders = orders;
    this.residual = new Int32Array(zones * orders);
    this.#distance = new Float64Array(zones).fill(Number.POSITIVE_INFINITY);
  }

  /** Compares the simulation's raw counts; the nearest look of each zone is kept. */
  look(raw: Int32Array): void {
    const { counts } = this.copy;
    const orders = this.#orders;
    for (let z = 0; z < this.#distance.length; z++) {
      const base = z * orders;
      if (counts[base]! < 0) continue;
      let distance = 0;
      for (let q = 0; q < orders; q++) {
        distance += Math.abs(raw[base + q]! - counts[base + q]!) * 2 ** q;
      }
      if (distance >= this.#distance[z]!) continue;
      this.#distance[z] = distance;
      for (let q = 0; q < orders; q++) {
        this.residual[base + q] = raw[base + q]! - counts[base + q]!;
      }
    }
  }

  get pages(): number {
    return this.#distance.reduce((sum, d) => sum + (Number.isFinite(d) ? d : 0), 0);
  }
}

/** The events between which a copy was read. */
export type Bracket = Pick<PlacedCopy, 'beginIndex' | 'endIndex'>;

/** Looks per copy: a zone is read at one instant between begin and end, any event may have been it. */
const MAX_LOOKS = 256;

/** Event indices at which to compare with a copy: its whole bracket, thinned if it is long. */
export function lookIndices({ beginIndex, endIndex }: Bracket): number[] {
  const step = Math.max(1, Math.ceil((endIndex - beginIndex) / MAX_LOOKS));
  const indices: number[] = [];
  for (let index = beginIndex; index < endIndex; index += step) indices.push(index);
  indices.push(endIndex);
  return indices;
}

/** Where the residual is known: at a buddyinfo copy, or zero where kpageflags set the state. */
export interface Anchor {
  readonly beginIndex: number;
  readonly endIndex: number;
  readonly timeNs: number;
  /** The first instant after it was read; absent = right after `timeNs`. */
  readonly endNs?: number;
  readonly residual: Int32Array;
  /** What the copy shows, like its `counts`; absent where no copy of buddyinfo stands behind it. */
  readonly counts?: Int32Array;
  /** It tells of a part only (a refusal): the rest of its residual is what was believed before. */
  readonly partial?: boolean;
}

export function anchorOf(probe: ResidualProbe): Anchor {
  const { beginIndex, endIndex, timeNs, counts } = probe.copy;
  const endNs = readUntilNs(probe.copy);
  return { beginIndex, endIndex, timeNs, endNs, residual: probe.residual, counts };
}

/** One span in which the same corrections hold. */
export interface CorrectionSpan {
  readonly fromIndex: number;
  readonly fromNs: number;
  readonly toNs: number;
  /** Subtracted from the simulation: the estimate. */
  readonly best: Int32Array;
  /** The neighbours' residuals: bounds. Equal to best where nothing could have happened. */
  readonly earlier: Int32Array;
  readonly later: Int32Array;
  /** Estimate moves linearly from earlier to later over the span. */
  readonly linear: boolean;
  /** Blocks by which the estimate is likely wrong at most, beyond its neighbours; absent = none. */
  readonly slack?: Int32Array | null;
  /** Blocks by which it may be wrong besides, which is rare: the bounds are wider by them; absent = none. */
  readonly doubt?: Int32Array | null;
  /** Blocks of each order or above that the copies on both sides show; absent = not asked for, or none there. */
  readonly shown?: Int32Array | null;
  /** Copies alone tell of the free lists. */
  readonly copiesAlone?: boolean;
  /** No copy is near and no event tells: that a request fails must follow from the copies on both sides. */
  readonly far?: boolean;
  /** Nothing tells the state here: counts are what the events alone show. */
  readonly unknown?: boolean;
}

/** What the corrections between two copies depend on. */
export interface CorrectionContext {
  readonly rare: RareLog;
  readonly losses: readonly Loss[];
  /** A copy of kpageflags told where free memory lies. */
  readonly mapped: boolean;
  /** The error grows steadily (page level). */
  readonly linear: boolean;
  /** What compaction takes is in the events: what they show as free and is not lies on per-cpu lists. */
  readonly takingsTold: boolean;
  readonly orders: number;
  indexAt(timeNs: number): number;
  /** Events that put the replay right, ascending. */
  readonly errors: readonly number[];
}

/** The spans of corrections, ascending. */
export function planCorrections(
  anchors: readonly Anchor[],
  context: CorrectionContext,
): CorrectionSpan[] {
  const { linear, losses, orders } = context;
  const spans: CorrectionSpan[] = [];
  const first = anchors[0];
  if (!first) return spans;
  const calm = anchors.map(({ beginIndex }, i) => {
    const end = anchors[i + 1]?.endIndex ?? Number.POSITIVE_INFINITY;
    return lossIn(losses, beginIndex, end) === null;
  });
  const errors = new CopyErrors(anchors, orders, calm);
  const doubtIn = (i: number, from: number, to: number): Int32Array | null => {
    if (linear) return errors.steadyDoubt(i, EVENTFUL_REACH);
    if (lossIn(losses, 0, to) === null) return null;
    return lossIn(losses, from, to) === null ? errors.calmDoubt(i) : errors.lossDoubt(i);
  };
  const start = { fromIndex: 0, fromNs: Number.NEGATIVE_INFINITY };
  const before = doubtIn(-1, first.beginIndex, first.endIndex);
  spans.push({ ...start, toNs: first.timeNs, ...held(first.residual), doubt: before });
  const copies = linear && context.takingsTold ? copiesAround(anchors) : null;
  for (let i = 0; i + 1 < anchors.length; i++) {
    const slack = linear ? errors.between(i) : null;
    const shown = copies && shownByBoth(copies.before[i]!, copies.after[i + 1]!, orders);
    const parts = between(anchors[i]!, anchors[i + 1]!, context);
    parts.forEach((span, k) => {
      const end = parts[k + 1]?.fromIndex ?? anchors[i + 1]!.beginIndex;
      spans.push({ ...span, slack, doubt: doubtIn(i, span.fromIndex, end), shown });
    });
  }
  const last = anchors[anchors.length - 1]!;
  spans.push({
    fromIndex: last.endIndex,
    fromNs: last.timeNs,
    toNs: Number.POSITIVE_INFINITY,
    ...held(last.residual),
    doubt: doubtIn(anchors.length - 1, last.endIndex, Number.POSITIVE_INFINITY),
  });
  return spans;
}

/** For each anchor the counts of the last copy up to it and of the first one from it on; null = none. */
function copiesAround(
  anchors: readonly Anchor[],
): Record<'before' | 'after', (Int32Array | null)[]> {
  const latest = (from: readonly Anchor[]): (Int32Array | null)[] => {
    let last: Int32Array | null = null;
    return from.map(({ counts }) => {
      last = counts ?? last;
      return last;
    });
  };
  return { before: latest(anchors), after: latest([...anchors].reverse()).reverse() };
}

/** Blocks of each order or above that one copy shows and the other shows too. */
function shownByBoth(
  before: Int32Array | null,
  after: Int32Array | null,
  orders: number,
): Int32Array | null {
  if (!before || !after) return null;
  const shown = new Int32Array(before.length);
  for (let base = 0; base < shown.length; base += orders) {
    let earlier = 0;
    let later = 0;
    for (let q = orders - 1; q >= 0; q--) {
      earlier += Math.max(0, before[base + q]!);
      later += Math.max(0, after[base + q]!);
      shown[base + q] = Math.min(earlier, later);
    }
  }
  return shown;
}

/** Only the past speaks: each copy's residual holds until the next; before the first nothing does. */
export function holdCorrections(anchors: readonly Anchor[], none: Int32Array): CorrectionSpan[] {
  const start = { fromIndex: 0, fromNs: Number.NEGATIVE_INFINITY };
  const spans: CorrectionSpan[] = [
    {
      ...start,
      toNs: anchors[0]?.timeNs ?? Number.POSITIVE_INFINITY,
      ...held(none),
      unknown: true,
    },
  ];
  anchors.forEach((anchor, i) => {
    const toNs = anchors[i + 1]?.timeNs ?? Number.POSITIVE_INFINITY;
    const from = { fromIndex: anchor.endIndex, fromNs: anchor.timeNs };
    spans.push({ ...from, toNs, ...held(anchor.residual) });
  });
  return spans;
}

/** Nothing moves the residual: it is the estimate and both bounds. */
export function held(
  residual: Int32Array,
): Pick<CorrectionSpan, 'best' | 'earlier' | 'later' | 'linear'> {
  return { best: residual, earlier: residual, later: residual, linear: false };
}

function between(a: Anchor, b: Anchor, context: CorrectionContext): CorrectionSpan[] {
  const parts = turning(a, b, context);
  if (context.mapped || context.linear) return parts;
  // What is given back beside free memory that no event and no map shows merges with it, at any time.
  return parts.map((part) => ({ ...part, earlier: a.residual, later: b.residual }));
}

/** The estimate turns from what copy a tells to what copy b tells where something may have happened in secret. */
function turning(a: Anchor, b: Anchor, context: CorrectionContext): CorrectionSpan[] {
  const { rare, linear, errors } = context;
  const earlier = a.residual;
  const later = b.residual;
  const begin = { fromIndex: a.endIndex, fromNs: a.timeNs };
  const end = { fromIndex: b.beginIndex, fromNs: b.timeNs };
  if (linear) return [{ ...begin, toNs: end.fromNs, best: earlier, earlier, later, linear: true }];
  // A loss moves more than anything else. An error that is gone at the later copy went where events put it right; one
  // that is new there came with a compaction.
  const loss = lossBetween(context.losses, begin, end);
  const taking =
    loss ??
    (distance(later) < distance(earlier) ? errorsBetween(errors, begin, end) : null) ??
    rowsBetween(rare, begin.fromIndex, end.fromIndex, hidesTakings);
  const middleNs = (begin.fromNs + end.fromNs) / 2;
  // A copy takes time: half way between two beginnings may still lie within the first of them.
  const indexWithin = (timeNs: number): number =>
    Math.min(Math.max(context.indexAt(timeNs), begin.fromIndex), end.fromIndex);
  const base = { earlier, later, linear: false };
  if (taking === null) {
    const middle = { fromIndex: indexWithin(middleNs), fromNs: middleNs };
    return [
      { ...begin, toNs: middleNs, best: earlier, ...base },
      { ...middle, toNs: end.fromNs, best: later, ...base },
    ];
  }
  const turnNs = Math.min(Math.max(taking.middleNs ?? middleNs, taking.firstNs), taking.lastNs);
  return [
    { ...begin, toNs: taking.firstNs, best: earlier, earlier, later: earlier, linear: false },
    { fromIndex: taking.first, fromNs: taking.firstNs, toNs: turnNs, best: earlier, ...base },
    { fromIndex: indexWithin(turnNs), fromNs: turnNs, toNs: taking.lastNs, best: later, ...base },
    {
      fromIndex: taking.last,
      fromNs: taking.lastNs,
      toNs: end.fromNs,
      best: later,
      earlier: later,
      later,
      linear: false,
    },
  ];
}

/** Events from the first to the last that may have moved the residual. */
interface Turn {
  readonly first: number;
  readonly firstNs: number;
  readonly last: number;
  readonly lastNs: number;
  /** When half of it has happened, where that is known. */
  readonly middleNs?: number;
}

/** Blocks of a residual, whatever their size. */
function distance(residual: Int32Array): number {
  return residual.reduce((sum, blocks) => sum + Math.abs(blocks), 0);
}

type Place = Pick<CorrectionSpan, 'fromIndex' | 'fromNs'>;

/** From the first to the last event between two places that put the replay right. */
function errorsBetween(errors: readonly number[], from: Place, to: Place): Turn | null {
  const first = countBelow(errors, from.fromIndex);
  const end = countBelow(errors, to.fromIndex);
  if (first === end) return null;
  // Their stamps are not kept; between two copies the events are about as dense everywhere.
  const rate = (to.fromNs - from.fromNs) / (to.fromIndex - from.fromIndex);
  const timeAt = (index: number): number => from.fromNs + (index - from.fromIndex) * rate;
  const last = errors[end - 1]! + 1;
  return {
    first: errors[first]!,
    firstNs: timeAt(errors[first]!),
    last,
    lastNs: timeAt(last),
    middleNs: timeAt(errors[(first + end) >> 1]!),
  };
}

/** From where the first loss between two places begins to where the last one ends. */
function lossBetween(losses: readonly Loss[], from: Place, to: Place): Turn | null {
  const first = lossIn(losses, from.fromIndex, to.fromIndex);
  if (first === null) return null;
  const last = losses.findLast((loss) => loss.fromIndex < to.fromIndex)!;
  return {
    first: Math.max(first.fromIndex, from.fromIndex),
    firstNs: Math.max(first.fromNs, from.fromNs),
    last: Math.min(last.endIndex, to.fromIndex),
    lastNs: Math.min(last.endNs, to.fromNs),
  };
}

/** First and last event of some kinds between two indices. */
function rowsBetween(
  rare: RareLog,
  from: number,
  to: number,
  wanted: (kind: number) => boolean,
): Turn | null {
  let first = -1;
  let last = -1;
  for (let row = rare.rowAt(from); row < rare.length && rare.index[row]! < to; row++) {
    if (!wanted(rare.kind[row]!)) continue;
    if (first < 0) first = row;
    last = row;
  }
  if (first < 0) return null;
  return {
    first: rare.index[first]!,
    firstNs: rare.timeNs[first]!,
    last: rare.index[last]! + 1,
    lastNs: rare.timeNs[last]!,
  };
}

function hidesTakings(kind: number): boolean {
  return (
    (kind >= EventKind.compactionBegin && kind <= EventKind.migratepages) ||
    (kind >= EventKind.testPagesIsolated && kind <= EventKind.cmaAllocBusyRetry)
  );
}

/** What each copy found wrong with the state as the copy before it had corrected it. */
export function describeResiduals(
  probes: readonly ResidualProbe[],
  anchors: readonly Anchor[],
  geometry: Geometry,
): Residual[] {
  const places = new Map(anchors.map(({ residual }, place) => [residual, place]));
  return probes.map((probe) => {
    const before = anchors[places.get(probe.residual)! - 1];
    return describeResidual(probe, before?.residual ?? null, geometry);
  });
}

function describeResidual(
  probe: ResidualProbe,
  corrected: Int32Array | null,
  geometry: Geometry,
): Residual {
  const { orders } = geometry;
  return {
    timeNs: probe.copy.timeNs,
    source: probe.copy.snapshot.source,
    zones: geometry.zones.map((zone) => {
      const base = zone.index * orders;
      let pages = 0;
      let freePages = 0;
      const blocks: number[] = [];
      for (let q = 0; q < orders; q++) {
        const difference = (corrected?.[base + q] ?? 0) - probe.residual[base + q]!;
        blocks.push(difference === 0 ? 0 : difference);
        pages += Math.abs(difference) * 2 ** q;
        freePages += Math.max(0, probe.copy.counts[base + q]!) * 2 ** q;
      }
      return { node: zone.node, zone: zone.zone, blocks, pages, freePages };
    }),
  };
}
