/**
 * Which of the refusals that fit a report is the one it speaks of, once the clocks' distance is known.
 *
 * One that alone fits is it. Of several, the kernel's rate limit or the time that the others took to
 * print may single one out. No refusal is chosen for two reports: where a second report would get one
 * that another has, it gets none.
 */
import { type LogCase, widthOf } from './link-types.js';
import type { PrintedRefusals } from './printed-refusals.js';

/**
 * One refusal or none for each report.
 * @param candidates for each report the refusals that fit, in time order.
 * @param middleNs trace time minus log time.
 * @param byLag the log's stamps are fine enough to tell how long printing took.
 */
export function chooseRefusals(
  log: LogCase,
  candidates: readonly (readonly number[])[],
  middleNs: number,
  byLag: boolean,
): (number | null)[] {
  const sure = chooseInOrder(candidates);
  if (log.printed !== null) chooseByRate(log, log.printed, candidates, sure, middleNs);
  if (byLag) chooseByLag(log, candidates, sure);
  return sure;
}

/** The one that fits; as many reports as refusals that fit all of them alike are taken in order. */
function chooseInOrder(candidates: readonly (readonly number[])[]): (number | null)[] {
  const alike = new Map<string, number[]>();
  const claims = new Map<number, number>();
  // more refusals than reports cannot be told apart
  const keys = candidates.map((list) => (list.length > candidates.length ? '' : list.join()));
  for (const [i, list] of candidates.entries()) {
    alike.set(keys[i]!, [...(alike.get(keys[i]!) ?? []), i]);
    for (const refusal of list) claims.set(refusal, (claims.get(refusal) ?? 0) + 1);
  }
  return candidates.map((own, i) => {
    if (keys[i] === '') return null;
    const rivals = alike.get(keys[i]!)!;
    if (rivals.length !== own.length) return null;
    const shared = own.some((refusal) => claims.get(refusal) !== rivals.length);
    return shared ? null : own[rivals.indexOf(i)]!;
  });
}

/** Of several that fit, the one that must have printed: the first, or the next after the report before. */
function chooseByRate(
  log: LogCase,
  printed: PrintedRefusals,
  candidates: readonly (readonly number[])[],
  sure: (number | null)[],
  middleNs: number,
): void {
  const width = widthOf(log);
  const starts = log.stamps.map((stamp) => (stamp?.ns ?? Number.NaN) + middleNs);
  const taken = takenBy(sure);
  for (let i = 0; i < sure.length; i++) {
    if (sure[i] !== null || candidates[i]!.length === 0) continue;
    const before = i === 0 ? null : sure[i - 1]!;
    const next =
      before !== null
        ? printed.after(log.trace.refusals.timeNs(before), log.jitterNs)
        : log.whole
          ? printed.first(starts.slice(0, i), width)
          : null;
    if (next === null || taken.has(next) || !candidates[i]!.includes(next)) continue;
    sure[i] = next;
    taken.add(next);
  }
}

/** Nearer than this to the lag of the others, and the next one so much farther. */
const NEAR_LAG_NS = 1e6;
const CLEAR_LAG_NS = 1e7;

/** Of several that fit, the one that ends as long after its report as the refusals that are sure. */
function chooseByLag(
  { stamps, trace }: LogCase,
  candidates: readonly (readonly number[])[],
  sure: (number | null)[],
): void {
  const lagOf = (refusal: number, i: number): number =>
    trace.refusals.timeNs(refusal) - stamps[i]!.ns;
  const lags = sure.flatMap((refusal, i) => (refusal === null ? [] : [lagOf(refusal, i)]));
  if (lags.length === 0) return;
  const lag = lags.sort((a, b) => a - b)[lags.length >> 1]!;
  const taken = takenBy(sure);
  for (let i = 0; i < sure.length; i++) {
    if (sure[i] !== null || candidates[i]!.length < 2) continue;
    const byLag = candidates[i]!.map((refusal) => ({
      refusal,
      off: Math.abs(lagOf(refusal, i) - lag),
    })).sort((a, b) => a.off - b.off);
    const [best, next] = byLag;
    const clear = best!.off <= NEAR_LAG_NS && next!.off >= best!.off + CLEAR_LAG_NS;
    if (!clear || taken.has(best!.refusal)) continue;
    sure[i] = best!.refusal;
    taken.add(best!.refusal);
  }
}

function takenBy(sure: readonly (number | null)[]): Set<number> {
  return new Set(sure.filter((refusal) => refusal !== null));
}
