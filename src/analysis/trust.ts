/**
 * How far to trust the report: what was measured against the kernel's own counts, what was lost,
 * and which rules were applied.
 */
import { fromCopies, hasNoCopy, isOneCopy, unfollowedWords } from './copies-alone.js';
import { isJudged, onlyJudged } from './judged.js';
import type { ReportData } from './report-data.js';
import { capital, duration, grouped, percent, plural } from './words.js';

export function trustLines(data: Omit<ReportData, 'narrative'>): string[] {
  return [
    ...(hasNoCopy(data) ? [] : [certaintyLine(data), residualLine(data)]),
    ...agreementLines(data),
    lossLine(data),
    ...judgedLine(data),
    `Verdicts follow the rules of ${data.kernel.release ? `kernel ${data.kernel.release}` : 'a kernel of unknown release'}, profile ${data.kernel.profile}${data.kernel.why ? ` (${data.kernel.why})` : ''}.`,
    ...data.assumptions.map(sentence),
  ];
}

function judgedLine(data: Omit<ReportData, 'narrative'>): string[] {
  const only = onlyJudged(data);
  return only === null ? [] : [`Only requests of ${only} were judged, as --order says.`];
}

/** Begins with a capital and ends with a stop. */
function sentence(text: string): string {
  return `${capital(text)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

function certaintyLine(data: Omit<ReportData, 'narrative'>): string {
  const failing = data.totals.reduce((sum, total) => sum + total.ns, 0);
  const exact = data.totals.reduce((sum, total) => sum + total.exactNs, 0);
  if (fromCopies(data) && !isOneCopy(data)) {
    return 'The free lists are known exactly at the copies, and not between them.';
  }
  if (failing === 0) return stateCertainty(data);
  return `Of all failing time shown, ${percent(exact / failing)} holds whatever the bounds of the reconstruction; the rest rests on its best estimate.`;
}

function stateCertainty(data: Omit<ReportData, 'narrative'>): string {
  let exact = 0;
  let all = 0;
  for (const zone of data.timeline.zones) {
    for (const letter of zone.certainty) {
      all++;
      if (letter === 'e') exact++;
    }
  }
  if (all === 0) return 'The state of no zone could be reconstructed.';
  if (exact === all) return 'The free lists are known exactly, throughout.';
  return `The free lists are known exactly for ${percent(exact / all)} of the zones' time, within bounds for the rest.`;
}

/** Pages off at each snapshot, as a share of what was free. */
export function residualShares(data: Pick<ReportData, 'residuals'>): number[] {
  return data.residuals.map(({ zones }) => {
    const free = zones.reduce((sum, zone) => sum + zone.freePages, 0);
    const off = zones.reduce((sum, zone) => sum + zone.pages, 0);
    return free > 0 ? off / free : 0;
  });
}

/** A refusal this near to a window belongs to it: stamps and edges are not the same event. */
const NEAR_NS = 1e6;

/** How many of the refused atomic requests that were kept fall into a window of their order. */
export function refusalAgreement(
  data: Pick<ReportData, 'attempts' | 'windows' | 'judged' | 'orders'>,
  order: number | null = null,
): { examined: number; inside: number } {
  let examined = 0;
  let inside = 0;
  for (const attempt of data.attempts.examples) {
    if (attempt.class !== 'atomic' || !isJudged(data, attempt.order)) continue;
    if (order !== null && attempt.order !== order) continue;
    examined++;
    const { timeNs } = attempt;
    const known = data.windows.some(
      (w) =>
        w.order === attempt.order && w.fromNs - NEAR_NS <= timeNs && timeNs <= w.toNs + NEAR_NS,
    );
    if (known) inside++;
  }
  return { examined, inside };
}

function agreementLines(data: Omit<ReportData, 'narrative'>): string[] {
  const { examined, inside } = refusalAgreement(data);
  if (examined === 0 || hasNoCopy(data)) return [];
  return [
    `Of ${plural(examined, 'refused atomic request')} compared, ${percent(inside / examined)} fall into a window in which the replay says that order fails.`,
  ];
}

function residualLine(data: Omit<ReportData, 'narrative'>): string {
  if (fromCopies(data)) {
    return `The state is that of ${plural(data.residuals.length, 'copy', 'copies')} of /proc/buddyinfo; there is nothing to check it against.`;
  }
  const shares = residualShares(data).sort((a, b) => a - b);
  if (shares.length === 0) {
    return 'No snapshot of the free lists stands in the recording, so the replay could not be checked against the kernel.';
  }
  const median = shares[Math.floor(shares.length / 2)]!;
  const worst = shares[shares.length - 1]!;
  const checked = `The replay was checked against ${plural(shares.length, 'snapshot')} of the kernel's own counts`;
  if (worst === 0)
    return `${checked} and agreed with ${shares.length === 1 ? 'it' : 'each'} to the page.`;
  return `${checked}: before each correction blocks worth ${percent(median)} of free memory differed in the middle case, ${percent(worst)} in the worst.`;
}

function lossLine(data: Omit<ReportData, 'narrative'>): string {
  const spans = data.timeline.lost;
  const overwritten = data.inputs.reduce((sum, input) => sum + input.overwritten, 0);
  const before =
    overwritten > 0
      ? ` ${plural(overwritten, 'event')} before the recording's beginning had been overwritten.`
      : '';
  if (fromCopies(data) && unfollowedWords(data) === null) {
    return 'No events are in the input.';
  }
  if (data.diagnostics.some(({ code }) => code === 'events-of-one-cpu')) {
    return `All events are of one CPU of several: what the others allocated and freed is probably missing.${before}`;
  }
  if (data.lostEvents === 0 && spans.length === 0) return `No events were lost.${before}`;
  const ns = spans.reduce((sum, span) => sum + (span.toNs - span.fromNs), 0);
  // ftrace does not always say how many.
  const some = data.lostEvents > 0 ? `${grouped(data.lostEvents)} events` : 'Events of some CPU';
  return `${some} were lost${spans.length > 0 ? ` in ${plural(spans.length, 'span')} of ${duration(ns)} in all, shaded in the charts` : ''}; bounds are wider from there on.${before}`;
}
