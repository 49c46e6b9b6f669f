/**
 * What copies of the free lists alone tell, in words: at which of them a request would have failed, and nothing of the time
 * between them. Copies that nobody dated are numbered a second apart, so no sentence about them speaks of seconds.
 */
import { isOneCopy } from './copies-alone.js';
import { onlyJudged } from './judged.js';
import { requestWords } from './narrative-reasons.js';
import type { FailureTotal, ReportData } from './report-data.js';
import { type JudgedFacts, judgeZones, zonesAtBucket } from './state-at.js';
import { capital, duration, grouped, ordersText, percent } from './words.js';

type CopyFacts = JudgedFacts &
  Pick<
    ReportData,
    'windows' | 'residuals' | 'diagnostics' | 'span' | 'replay' | 'headroom' | 'judged'
  >;

/** Nobody dated the copies: their times are their numbers, and no sentence may speak of seconds. */
export function areNumbered({ diagnostics }: Pick<ReportData, 'diagnostics'>): boolean {
  return diagnostics.some(({ code }) => code === 'copies-numbered');
}

/** `the 12 copies taken in 11 s`; without a time where nothing tells it. */
export function copiesTaken(data: Pick<ReportData, 'residuals' | 'diagnostics' | 'span'>): string {
  const { fromNs, toNs } = data.span;
  return `the ${copyCount(data)} copies${areNumbered(data) ? '' : ` taken in ${duration(toNs - fromNs)}`}`;
}

/** Of more than these only every second one, or fewer, is in a report. */
const ALL_KEPT = 1000;

const copyCount = ({ residuals }: Pick<ReportData, 'residuals'>): string =>
  residuals.length > ALL_KEPT ? `more than ${grouped(ALL_KEPT)}` : grouped(residuals.length);

/** `4 of the 12 copies taken in 11 s`. */
function copiesWords(data: CopyFacts, request: Pick<FailureTotal, 'order' | 'gfp'>): string {
  const failed = copiesFailed(data, request);
  const all = data.residuals.length;
  if (failed === all) return `each of ${copiesTaken(data)}`;
  const part = all > ALL_KEPT ? percent(failed / all) : grouped(failed);
  return `${part} of ${copiesTaken(data)}`;
}

/** `order 6: 1; orders 7 and 8: 7`: orders that fail at as many copies are named together. */
function copiesByOrder(data: CopyFacts, totals: readonly FailureTotal[]): string {
  const alike = new Map<number, number[]>();
  for (const total of totals) {
    const failed = copiesFailed(data, total);
    alike.set(failed, [...(alike.get(failed) ?? []), total.order]);
  }
  const all = data.residuals.length;
  const parts = [...alike].map(
    ([failed, orders]) =>
      `${ordersText(orders)}: ${failed === all ? 'each' : all > ALL_KEPT ? percent(failed / all) : grouped(failed)}`,
  );
  return parts.join('; ');
}

/** At how many copies a request class would have failed. */
function copiesFailed(
  data: CopyFacts,
  { order, gfp }: Pick<FailureTotal, 'order' | 'gfp'>,
): number {
  const alike = data.windows.filter((window) => window.order === order && window.gfp === gfp);
  const { residuals, timeline } = data;
  let failed = 0;
  let w = 0;
  for (const { timeNs } of residuals) {
    while (w < alike.length && alike[w]!.toNs <= timeNs) w++;
    if (w < alike.length && alike[w]!.fromNs <= timeNs) failed++;
  }
  // A window ends at the first copy that would have served, or at the last copy, which may do either.
  const lastNs = residuals.at(-1)?.timeNs ?? data.span.toNs;
  if (!alike.some(({ toNs }) => toNs >= lastNs)) return failed;
  const at = { timeNs: lastNs, certainty: 'bounded' } as const;
  const zones = zonesAtBucket(data, timeline.buckets - 1);
  const last = judgeZones(data, zones, at, { order, gfp });
  return last.verdict === 'succeeds' ? failed : failed + 1;
}

/** When copies alone say that a request fails: at which of them, for between them nothing is seen. */
export function atCopies(data: CopyFacts, total: FailureTotal): string {
  if (isOneCopy(data)) return 'when the free lists were copied';
  const { fromNs, toNs } = data.span;
  if (total.ns > 0) return `at ${copiesWords(data, total)}`;
  return `at the last copy${areNumbered(data) ? '' : `, ${duration(toNs - fromNs)} after the first`}`;
}

/** At how many copies each order would have failed. @param clean orders that no copy finds failing. */
export function copiesParagraph(
  data: CopyFacts,
  totals: readonly FailureTotal[],
  gfp: string,
  clean: readonly number[],
): string {
  const each = isOneCopy(data) ? 'then' : `at each of ${copiesTaken(data)}`;
  // Without watermarks a block may be there and still not be given.
  const served = data.headroom.marksKnown ? 'could have been served' : 'had a free block';
  if (totals.length === 0) {
    return `${capital(requestWords(gfp))} of ${onlyJudged(data) ?? 'any order'} ${served} ${each}.`;
  }
  const good = clean.length === 0 ? '' : ` ${capital(ordersText(clean))} ${served} ${each}.`;
  const main = totals[0]!;
  const alike = totals.every((total) => atCopies(data, total) === atCopies(data, main));
  if (!alike) {
    return `Of ${copiesTaken(data)}, ${requestWords(gfp)} would have failed at so many: ${copiesByOrder(data, totals)}.${good}`;
  }
  const orders = ordersText(totals.map(({ order }) => order));
  return `${capital(requestWords(gfp))} would have failed at ${orders} ${atCopies(data, main)}.${good}`;
}
