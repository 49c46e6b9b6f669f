/**
 * How wrong the estimate is between copies, learnt from the copies themselves: each is predicted from its two
 * neighbours and compared. They are then twice as far apart as those that will be used, so this errs on the wide side.
 *
 * Two figures come of it. What the estimate is likely wrong by at most is what a verdict allows for. Doubt comes on top and makes the
 * bounds, which are to hold for all but one cell in 200: errors of neighbouring spans, and of every order, because
 * one page that is elsewhere cuts the block around it.
 */
import type { Anchor } from './reconcile.js';

/** Orders whose pages come and go by per-cpu lists: much faster than copies are taken. */
const PCP_ORDER = 3;

/** Spans on either side whose errors may happen in a span with events too. */
export const EVENTFUL_REACH = 2;

/**
 * Blocks by order that pages on per-cpu lists hide where too few copies tell (docs/accuracy.md): a choice, about twice what
 * the recordings of small quiet machines show in two seconds.
 */
const UNTOLD = [16, 16, 12, 8, 6, 4, 3, 2, 2, 1, 1];

export class CopyErrors {
  readonly #anchors: readonly Anchor[];
  readonly #orders: number;
  /** Error of each anchor by zone and order; null where there are no two neighbours. */
  readonly #errors: readonly (Int32Array | null)[];

  readonly #calm: readonly boolean[];
  /** The largest error of all anchors without losses on either side, once it was asked for. */
  #calmest: Int32Array | null = null;

  /** @param calm of each anchor: no events were lost between it and the next; absent = not known of any. */
  constructor(anchors: readonly Anchor[], orders: number, calm: readonly boolean[] = []) {
    this.#anchors = anchors;
    this.#calm = calm;
    this.#orders = orders;
    this.#errors = interpolationErrors(anchors, orders);
  }

  /** The likely error between anchor i and the next, by zone and order; null = not told. */
  between(i: number): Int32Array | null {
    return larger(this.#errors[i] ?? null, this.#errors[i + 1] ?? null);
  }

  /**
   * Doubt after anchor i (-1: before the first) where more changes than the events say. The errors of `reach` spans on
   * either side may happen here too; where no copies on both sides tell, twice those of the whole recording.
   */
  steadyDoubt(i: number, reach: number): Int32Array {
    const outside = i < 0 || i + 2 >= this.#anchors.length;
    const near = this.#near(i, outside ? this.#errors.length : reach);
    return this.#change(i).map((change, cell) => {
      const order = cell % this.#orders;
      const untold = UNTOLD[Math.min(order, UNTOLD.length - 1)]!;
      if (near === null) return change + untold;
      if (outside) return 2 * near[cell]! + untold;
      return near[cell]! + (order > PCP_ORDER ? 1 : 0);
    });
  }

  /** Doubt after anchor i while events were lost. */
  lossDoubt(i: number): Int32Array {
    return this.#near(i, EVENTFUL_REACH) ?? this.#change(i);
  }

  /** The same where none were, but some were before: what copies in such parts were off. */
  calmDoubt(i: number): Int32Array {
    const isCalm = (k: number): boolean => this.#calm[k - 1] === true && this.#calm[k] === true;
    const near = this.#near(i, EVENTFUL_REACH, isCalm);
    if (near !== null) return near;
    this.#calmest ??= this.#errors.filter((_, k) => isCalm(k)).reduce(larger, null);
    return this.#calmest ?? this.lossDoubt(i);
  }

  /** The largest error of the span that begins at anchor i and of some spans on either side. */
  #near(
    i: number,
    reach: number,
    counts: (anchor: number) => boolean = () => true,
  ): Int32Array | null {
    const from = Math.max(0, i - reach);
    return this.#errors
      .slice(from, Math.max(0, i + 2 + reach))
      .filter((_, k) => counts(from + k))
      .reduce<Int32Array | null>(larger, null);
  }

  /** How far the residual moves over the span that begins at anchor i. */
  #change(i: number): Int32Array {
    const here = this.#anchors[Math.max(i, 0)]!.residual;
    const next = this.#anchors[i + 1]?.residual ?? here;
    return here.map((residual, cell) => Math.abs(residual - next[cell]!));
  }
}

function interpolationErrors(anchors: readonly Anchor[], orders: number): (Int32Array | null)[] {
  const copies = anchors.filter((anchor) => !anchor.partial);
  const errors = copies.map((here, k) => {
    const before = copies[k - 1];
    const after = copies[k + 1];
    if (!before || !after) return null;
    const span = after.timeNs - before.timeNs;
    const weight = span > 0 ? (here.timeNs - before.timeNs) / span : 0;
    return here.residual.map((value, cell) => {
      const moved = after.residual[cell]! - before.residual[cell]!;
      const error = Math.abs(value - before.residual[cell]! - moved * weight);
      return Math.ceil(cell % orders <= PCP_ORDER ? 2 * error + 4 : error);
    });
  });
  // A refusal is as uncertain as the copies around it.
  let k = 0;
  return anchors.map((anchor) => {
    if (!anchor.partial) return errors[k++]!;
    return larger(errors[k - 1] ?? null, errors[k] ?? null);
  });
}

function larger(a: Int32Array | null, b: Int32Array | null): Int32Array | null {
  if (!a || !b) return a ?? b;
  return a.map((error, cell) => Math.max(error, b[cell]!));
}
