/**
 * Finds by agreement where copies stamped on another clock belong in a trace.
 *
 * From one copy to the next the number of free pages changes by so much; the trace's page events
 * say how it changed between any two instants. At the true distance of the clocks the two agree for
 * every pair of copies, at a wrong one they do not. A stamp of whole seconds leaves its copy a second
 * of room, within which any level the events pass through will do: so what is found is a span of
 * distances, and its width is the uncertainty.
 *
 * Each pair can earn as much as it misses by at distances taken at random (a pair over which nothing
 * moved earns nothing). The distance that earns most is found exactly, by branch and bound over
 * spans of distances: widening the copies' windows by a span bounds what any distance in it earns.
 */
import type { FreeCurve } from './free-curve.js';

/** One copy: its stamps on its own clock and the free pages it says. */
export interface StampedPages {
  readonly beginNs: number;
  readonly endNs: number;
  readonly pages: number;
}

/** Trace time = stamp + offset, which lies within `uncertaintyNs` of `offsetNs`. */
export interface OffsetEstimate {
  readonly offsetNs: number;
  readonly uncertaintyNs: number;
  /** Pairs of copies within the trace over which free memory moved. */
  readonly pairs: number;
  /** Share of what these pairs could earn that they earn, 0 to 1. */
  readonly agreement: number;
  /** Pages by which the pairs miss on average at the best distance. */
  readonly noisePages: number;
}

/** Copies that must be there, and pairs that must speak, before an offset is believed. */
const MIN_COPIES = 4;
const MIN_PAIRS = 5;
/** With fewer pairs of neighbours than this the uncertainty is stated wider, in proportion. */
const MANY_PAIRS = 10;
/** A pair speaks if it misses by this many pages or more at random distances. */
const MIN_PAGES = 16;
/** Least share that must be earned. */
const MIN_AGREEMENT = 0.7;
/**
 * Distances that earn less than the best by this share of what there is are not told from it; nor
 * are those that earn less by as much as the best itself leaves unexplained, up to MOST_DOUBT.
 */
const LEAST_DOUBT = 0.03;
const MOST_DOUBT = 0.3;
/** Copies used at most; more are thinned evenly. */
const MAX_COPIES = 20_000;
/**
 * Pairs are made of copies so many places apart. Neighbours tell most exactly, as little else moves
 * pages in between; copies with much room for their instant need the far ones too.
 */
const NEAR: readonly number[] = [1];
const FAR: readonly number[] = [1, 2, 4, 8];
/** Copies have much room if their stamps leave them more than this share of the time between two. */
const MUCH_ROOM = 0.1;
const RANDOM_DISTANCES = 64;
const FIRST_SPANS = 512;
/** Spans kept at a level: more are not refined further. */
const MAX_SPANS = 1000;
/** An uncertainty above this, or above a quarter of the trace, places nothing. */
const MAX_UNCERTAINTY_NS = 5e9;

/** The offset at which copies, in order of time, agree with the curve; null if none does clearly. */
export function estimateOffset(
  copies: readonly StampedPages[],
  curve: FreeCurve,
): OffsetEstimate | null {
  const apart = thinned(copies);
  if (apart.length < MIN_COPIES || !(curve.lastNs > curve.firstNs)) return null;
  const span = apart[apart.length - 1]!.beginNs - apart[0]!.beginNs;
  const room = apart.reduce((sum, { beginNs, endNs }) => sum + endNs - beginNs, 0);
  const near = room > MUCH_ROOM * span ? null : new OffsetSearch(apart, curve, NEAR).run();
  return near ?? new OffsetSearch(apart, curve, FAR).run();
}

/** Copies whose stamps leave them no common time, and not too many. */
function thinned(copies: readonly StampedPages[]): StampedPages[] {
  let lastEnd = Number.NEGATIVE_INFINITY;
  const apart = copies.filter(({ beginNs, endNs }) => {
    if (beginNs < lastEnd) return false;
    lastEnd = endNs;
    return true;
  });
  const step = Math.ceil(apart.length / MAX_COPIES);
  return apart.filter((_, i) => i % step === 0);
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly gain: number;
}

/** What the best distance so far earns, of what the pairs within the trace could. */
interface Best {
  readonly gain: number;
  readonly pairs: number;
  readonly worth: number;
}

/** What a distance must earn not to be told from the best. */
function enough({ gain, worth }: Best): number {
  const unexplained = Math.min(MOST_DOUBT * worth, worth - gain);
  return gain - Math.max(LEAST_DOUBT * worth, unexplained);
}

class OffsetSearch {
  readonly #curve: FreeCurve;
  /** Stamps since the first: small numbers, exact. */
  readonly #base: number;
  readonly #begin: Float64Array;
  readonly #end: Float64Array;
  readonly #pages: Float64Array;
  /** The copies of each pair, the earlier and the later. */
  readonly #first: number[] = [];
  readonly #second: number[] = [];
  /** What each pair can earn. */
  readonly #worth: Float64Array;
  readonly #lags: readonly number[];
  readonly #low: number;
  readonly #high: number;

  constructor(copies: readonly StampedPages[], curve: FreeCurve, lags: readonly number[]) {
    this.#curve = curve;
    this.#lags = lags;
    this.#base = copies[0]!.beginNs;
    this.#begin = Float64Array.from(copies, (copy) => copy.beginNs - this.#base);
    this.#end = Float64Array.from(copies, (copy) => copy.endNs - this.#base);
    this.#pages = Float64Array.from(copies, (copy) => copy.pages);
    for (const lag of lags) {
      for (let i = 0; i + lag < copies.length; i++) {
        this.#first.push(i);
        this.#second.push(i + lag);
      }
    }
    this.#low = curve.firstNs - this.#end[copies.length - 1]!;
    this.#high = curve.lastNs - this.#begin[0]!;
    this.#worth = this.#randomMisses();
  }

  run(): OffsetEstimate | null {
    const step = (this.#high - this.#low) / FIRST_SPANS;
    let spans: Span[] = [];
    for (let i = 0; i < FIRST_SPANS; i++) {
      spans.push(this.#span(this.#low + i * step, this.#low + (i + 1) * step));
    }
    let best: Best = { gain: 0, pairs: 0, worth: 0 };
    for (let width = step; width > this.#curve.binNs && spans.length <= MAX_SPANS; width /= 2) {
      best = spans.reduce((found, { from, to }) => this.#better(found, (from + to) / 2), best);
      const halves: Span[] = [];
      for (const { from, to, gain } of spans) {
        if (gain <= 0 || gain < enough(best)) continue;
        halves.push(this.#span(from, (from + to) / 2), this.#span((from + to) / 2, to));
      }
      spans = halves;
    }
    return this.#conclude(spans, best);
  }

  #better(best: Best, distance: number): Best {
    const gain = this.#gain(distance, distance);
    return gain > best.gain ? { gain, ...this.#pairsWithin(distance) } : best;
  }

  #conclude(spans: readonly Span[], best: Best): OffsetEstimate | null {
    const good = spans.filter((span) => span.gain >= enough(best));
    if (best.gain <= 0 || good.length === 0) return null;
    const from = Math.min(...good.map((span) => span.from));
    const to = Math.max(...good.map((span) => span.to));
    const few = this.#lags === NEAR ? Math.max(1, MANY_PAIRS / best.pairs) : 1;
    const uncertaintyNs = Math.ceil((few * (to - from)) / 2);
    const agreement = best.gain / best.worth;
    const limit = Math.min(MAX_UNCERTAINTY_NS, (this.#curve.lastNs - this.#curve.firstNs) / 4);
    if (best.pairs < MIN_PAIRS || agreement < MIN_AGREEMENT || uncertaintyNs > limit) return null;
    const offsetNs = Math.round((from + to) / 2) - this.#base;
    const noisePages = (best.worth - best.gain) / best.pairs;
    return { offsetNs, uncertaintyNs, pairs: best.pairs, agreement, noisePages };
  }

  /** Pairs within the trace at a distance that speak, and what all within could earn. */
  #pairsWithin(distance: number): { pairs: number; worth: number } {
    const { firstNs, lastNs } = this.#curve;
    let pairs = 0;
    let worth = 0;
    for (let i = 0; i < this.#worth.length; i++) {
      if (this.#end[this.#first[i]!]! + distance < firstNs) continue;
      if (this.#begin[this.#second[i]!]! + distance > lastNs) continue;
      worth += this.#worth[i]!;
      if (this.#worth[i]! >= MIN_PAGES) pairs++;
    }
    return { pairs, worth };
  }

  #span(from: number, to: number): Span {
    return { from, to, gain: this.#gain(from, to) };
  }

  /** What the copies earn at most at any distance from `from` to `to`. */
  #gain(from: number, to: number): number {
    let sum = 0;
    for (let i = 0; i < this.#worth.length; i++) {
      const worth = this.#worth[i]!;
      if (worth > 0) sum += Math.max(0, worth - this.#miss(i, from, to, worth));
    }
    return sum;
  }

  /** Pages by which pair i misses at the best distance in a span; `outside` where it is not in the trace. */
  #miss(i: number, from: number, to: number, outside: number): number {
    const curve = this.#curve;
    const a = this.#first[i]!;
    const b = this.#second[i]!;
    if (this.#end[a]! + to < curve.firstNs) return outside;
    if (this.#begin[b]! + from > curve.lastNs) return outside;
    const a0 = curve.binOf(this.#begin[a]! + from);
    const a1 = curve.binOf(this.#end[a]! + to);
    const b0 = curve.binOf(this.#begin[b]! + from);
    const b1 = curve.binOf(this.#end[b]! + to);
    const change = this.#pages[b]! - this.#pages[a]!;
    const least = curve.lowest(b0, b1) - curve.highest(a0, a1);
    const most = curve.highest(b0, b1) - curve.lowest(a0, a1);
    return change < least ? least - change : change > most ? change - most : 0;
  }

  /** Mean miss of each pair over distances spread evenly over all that put it into the trace. */
  #randomMisses(): Float64Array {
    const { firstNs, lastNs } = this.#curve;
    const worth = new Float64Array(this.#first.length);
    for (let i = 0; i < worth.length; i++) {
      const low = firstNs - this.#begin[this.#first[i]!]!;
      const high = lastNs - this.#end[this.#second[i]!]!;
      if (high <= low) continue;
      const step = (high - low) / RANDOM_DISTANCES;
      for (let k = 0; k < RANDOM_DISTANCES; k++) {
        const distance = low + (k + 0.5) * step;
        worth[i]! += this.#miss(i, distance, distance, 0) / RANDOM_DISTANCES;
      }
    }
    return worth;
  }
}
