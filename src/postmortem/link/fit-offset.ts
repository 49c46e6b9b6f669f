/**
 * The distance between a log's clock and a trace's, from which reports could be which refusals.
 *
 * Every pair of a report and a refusal of the same task, order and flags would put the clocks some
 * distance apart. At the true distance most reports have a partner, at a wrong one few do. A distance
 * counts for each report it gives a partner and against each that it puts into the trace without one:
 * whatever is printed was refused. Where the log is whole, distances that leave a refusal without the
 * report it must have had are out as well. If two distances are left, nothing is known.
 */

/** Report `report` would be some refusal if trace time = log time + `deltaNs`. */
export interface Pair {
  readonly report: number;
  readonly deltaNs: number;
}

export interface FitInput {
  readonly pairs: readonly Pair[];
  /** Stamps of all reports of the log, ns; NaN where one has none. */
  readonly stampsNs: readonly number[];
  /** The trace. */
  readonly firstNs: number;
  readonly lastNs: number;
  /** By how much the deltas of true pairs may differ: the stamps' room and how long printing takes. */
  readonly widthNs: number;
  /** The clocks' distance is known from elsewhere and `pairs` agree with it: one pair is enough. */
  readonly known: boolean;
  /** Does the log account for all refusals at this distance? null = it need not. */
  readonly accounted: ((deltaNs: number) => boolean) | null;
}

/** Where the true pairs' deltas lie. */
export interface FittedOffset {
  readonly fromNs: number;
  readonly toNs: number;
  /** Reports that have a partner there. */
  readonly reports: number;
}

interface Window {
  readonly fromNs: number;
  readonly toNs: number;
  readonly score: number;
  readonly reports: number;
  /** Reports that it puts into the trace without a partner. */
  readonly lonely: number;
}

/** Distances that a whole log is held against; a longer search leaves the question open. */
const MAX_TRIED = 2000;
/** Distances that differ by more than this are not one distance with a doubt, ns. */
const MOST_DOUBT_NS = 5e9;

/** The distance that explains most reports; `ambiguous` if two do equally well, null if none does. */
export function fitOffset(input: FitInput): FittedOffset | 'ambiguous' | null {
  const pairs = [...input.pairs].sort((a, b) => a.deltaNs - b.deltaNs);
  const windows = scored(pairs, input);
  const best = windows.reduce<Window | null>((a, b) => (a === null || better(b, a) ? b : a), null);
  if (best === null || best.score < 1) return null;
  const rivals = windows.filter(
    (w) => w.score >= best.score && (w.toNs < best.fromNs || w.fromNs > best.toNs),
  );
  const enough = best.reports > 1 || input.known || pairs.length === 1;
  if (rivals.length === 0 && enough) return spanOf([best], input);
  return whole(windows, input) ?? 'ambiguous';
}

function better(a: Window, b: Window): boolean {
  return a.score > b.score || (a.score === b.score && a.toNs - a.fromNs < b.toNs - b.fromNs);
}

/** The only distance at which the log accounts for the trace, if there is one. */
function whole(windows: readonly Window[], input: FitInput): FittedOffset | null {
  const { accounted } = input;
  if (accounted === null) return null;
  const left: Window[] = [];
  let tried = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const w of windows) {
    const middle = (w.fromNs + w.toNs) / 2;
    if (w.lonely > 0 || middle < last + input.widthNs / 8) continue;
    if (++tried > MAX_TRIED) return null;
    last = middle;
    if (accounted(middle)) left.push(w);
  }
  if (left.length === 0) return null;
  const span = spanOf(left, input);
  return span.toNs - span.fromNs > MOST_DOUBT_NS ? null : span;
}

function spanOf(windows: readonly Window[], { widthNs }: FitInput): FittedOffset {
  const low = windows.reduce((least, w) => Math.min(least, w.fromNs), Number.POSITIVE_INFINITY);
  const high = windows.reduce((most, w) => Math.max(most, w.toNs), Number.NEGATIVE_INFINITY);
  const reports = windows.reduce((most, w) => Math.max(most, w.reports), 0);
  const spare = Math.max(0, widthNs - (high - low));
  return { fromNs: low - spare, toNs: high + spare, reports };
}

/** For each pair the window that ends with it. */
function scored(pairs: readonly Pair[], input: FitInput): Window[] {
  const counts = new Map<number, number>();
  const windows: Window[] = [];
  let first = 0;
  for (const { report, deltaNs } of pairs) {
    counts.set(report, (counts.get(report) ?? 0) + 1);
    while (pairs[first]!.deltaNs < deltaNs - input.widthNs) {
      const left = pairs[first++]!.report;
      const count = counts.get(left)! - 1;
      if (count === 0) counts.delete(left);
      else counts.set(left, count);
    }
    const lonely = Math.max(0, inTrace(input, deltaNs) - counts.size);
    const reports = counts.size;
    const score = reports - lonely;
    windows.push({ fromNs: pairs[first]!.deltaNs, toNs: deltaNs, score, reports, lonely });
  }
  return windows;
}

/** Reports that this distance puts well into the trace. */
function inTrace({ stampsNs, firstNs, lastNs, widthNs }: FitInput, deltaNs: number): number {
  let inside = 0;
  for (const stamp of stampsNs) {
    const at = stamp + deltaNs;
    if (at >= firstNs + widthNs && at <= lastNs - widthNs) inside++;
  }
  return inside;
}
