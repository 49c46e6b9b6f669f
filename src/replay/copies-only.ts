/**
 * Corrections where no page events lie between the copies: each copy is exact while it is read, and speaks for its surroundings.
 *
 * Between two copies the nearer one is the estimate. Its neighbour is the other bound, and doubt comes on top, learnt
 * from how badly copies are foretold by their neighbours. Farther from either than a tenth of the gap, a
 * single copy is no witness any more (docs/accuracy.md has how often it was right).
 */
import { CopyErrors } from './copy-errors.js';
import { type Anchor, type CorrectionSpan, held } from './reconcile.js';

/** Spans on either side whose errors may happen in a span too: without events nothing tells lively spans from others. */
const REACH = 4;
/** Copies of which one is foretold by two neighbours. */
const FORETOLD = 3;
/** Share of the gap within which the nearer copy alone may say that a request fails. */
const NEAR = 0.1;

/**
 * The spans of corrections, ascending.
 * @param room blocks that fit into each zone, by zone and order: where too few copies tell, all of it is in doubt.
 * @param indexAt first event at or after an instant: there may be events of other kinds.
 */
export function planWithoutEvents(
  copies: readonly Anchor[],
  orders: number,
  room: Int32Array,
  indexAt: (timeNs: number) => number = () => 0,
): CorrectionSpan[] {
  const first = copies[0];
  if (!first) return [];
  const errors = new CopyErrors(copies, orders);
  const doubtAfter = (i: number): Int32Array =>
    copies.length < FORETOLD ? room : errors.steadyDoubt(i, REACH);
  const start = spanOf(first, Number.NEGATIVE_INFINITY, first.timeNs);
  const spans = copies.flatMap((copy, i) => {
    const fromNs = copy.endNs ?? copy.timeNs + 1;
    const next = copies[i + 1];
    const doubt = doubtAfter(i);
    const after = next
      ? between(copy, next, fromNs, { slack: errors.between(i), doubt })
      : [{ ...spanOf(copy, fromNs, Number.POSITIVE_INFINITY), doubt, far: true }];
    return [spanOf(copy, copy.timeNs, fromNs), ...after];
  });
  return [{ ...start, doubt: doubtAfter(-1), far: true }, ...spans].map((span) => ({
    ...span,
    copiesAlone: true,
    fromIndex: indexAt(span.fromNs),
  }));
}

/** From a copy that was read by `fromNs` to the next one. */
function between(
  earlier: Anchor,
  later: Anchor,
  fromNs: number,
  { slack, doubt }: Pick<CorrectionSpan, 'slack' | 'doubt'>,
): CorrectionSpan[] {
  const gap = Math.max(0, later.timeNs - fromNs);
  const at = (share: number): number => fromNs + share * gap;
  const part = (best: Anchor, from: number, to: number): CorrectionSpan => ({
    ...spanOf(best, at(from), at(to)),
    earlier: earlier.residual,
    later: later.residual,
    doubt: doubt ?? null,
  });
  const far = { slack: slack ?? null, far: true };
  return [
    part(earlier, 0, NEAR),
    { ...part(earlier, NEAR, 0.5), ...far },
    { ...part(later, 0.5, 1 - NEAR), ...far },
    part(later, 1 - NEAR, 1),
  ].filter((span) => span.toNs > span.fromNs);
}

/** A span in which nothing speaks but one copy. */
function spanOf({ residual }: Anchor, fromNs: number, toNs: number): CorrectionSpan {
  return { fromIndex: 0, fromNs, toNs, ...held(residual) };
}
