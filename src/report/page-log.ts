/**
 * Reports of the kernel log on the page: each with the failed request and the window it belongs to, and a
 * link to the moment.
 */
import type { KernelLogClock, KernelReport, ReportData } from '../analysis/report-data.js';
import { capital, duration, grouped } from '../analysis/words.js';
import { REASON_WORDS } from '../charts/theme.js';
import { clockReading, formatSeconds } from '../records/time.js';
import { escapeHtml as e } from './escape.js';

/** Microseconds: what logs and traces print. */
function seconds(data: ReportData, timeNs: number): string {
  return formatSeconds(Math.round(timeNs / 1e3) * 1e3, data.clock.epochS);
}

/** How one log came onto the trace's clock, with what that leaves open. */
function clockWords({ clock, method, offsetNs, uncertaintyNs, alike }: KernelLogClock): string {
  if (clock === 'none') return 'it has no stamps that tell seconds, so nothing is linked.';
  const stamps = clock === 'boot' ? 'its clock' : 'its wall clock';
  switch (method) {
    case 'same-clock':
      return uncertaintyNs === 0
        ? 'it shares the clock of the trace.'
        : `its clock runs within ${duration(Math.abs(offsetNs ?? 0) + uncertaintyNs)} of the trace's.`;
    case 'copies':
    case 'fitted': {
      const zero = clockReading(-(offsetNs ?? 0));
      const from = method === 'copies' ? "the recording's own copies and " : '';
      return `${stamps} reads ${zero} at the trace's 0, give or take ${duration(uncertaintyNs)}: found from ${from}the failed requests.`;
    }
    case 'ambiguous':
      return `${stamps} fits the trace in several ways, so nothing is linked.`;
    case 'none':
      return 'no failed request of the trace fits its reports, so their place in time is not known.';
    case 'too-many':
      return `${grouped(alike)} failed requests of the trace are like those that it reports, too many to hold each against it, so its place in time cannot be told and nothing is linked.`;
  }
}

function clocksWords(clocks: readonly KernelLogClock[]): string {
  return clocks.map((one) => `${one.source}: ${clockWords(one)}`).join(' ');
}

export function kernelLogCard(data: ReportData): string {
  const { kernelReports } = data;
  if (!kernelReports) return '';
  const { reports, total, clocks } = kernelReports;
  const rows = reports.map((report) => row(data, report));
  const more = total > reports.length ? ` The first ${grouped(reports.length)} are listed.` : '';
  return [
    '<section class="card" id="kernel-log" aria-labelledby="kernel-log-title">',
    '<h2 class="card-title" id="kernel-log-title">What the kernel itself reported</h2>',
    `<p class="lead">${grouped(total)} ${total === 1 ? 'report' : 'reports'} of a failed page allocation in the kernel log. ${e(clocksWords(clocks))}${more} The kernel prints only a few (since 5.4 one in ten seconds), and none for requests with __GFP_NOWARN.</p>`,
    '<div class="table-wrap" tabindex="0" role="region" aria-label="Reports in the kernel log"><table class="log">',
    '<thead><tr><th scope="col">Time (s)</th><th scope="col">Request</th><th scope="col">Caller</th><th scope="col">What the report itself shows</th><th scope="col">In the trace</th></tr></thead>',
    `<tbody>${rows.join('')}</tbody></table></div></section>`,
  ].join('\n');
}

function row(data: ReportData, report: KernelReport): string {
  const { timeNs, order } = report;
  const text = timeNs === null ? 'not known' : formatSeconds(timeNs, data.clock.epochS);
  const link = isInside(data, timeNs)
    ? `<a href="#t=${text}${order ? `&amp;order=${order}` : ''}">${text}</a>`
    : text;
  const request = [order === null ? 'order unknown' : `order ${order}`, report.gfp].filter(Boolean);
  const place = `${report.source} line ${report.line}`;
  return `<tr><td>${link}</td><td>${e(request.join(', '))}</td><td>${e(report.caller)}<br><span class="quiet">${e(report.comm)}</span></td><td>${e(report.summary)}<br><span class="quiet">${e(place)}</span></td><td>${e(inTrace(data, report))}</td></tr>`;
}

function isInside({ span }: ReportData, timeNs: number | null): boolean {
  return timeNs !== null && timeNs >= span.fromNs && timeNs <= span.toNs;
}

function inTrace(data: ReportData, report: KernelReport): string {
  const words = [requestWords(data, report), windowWords(data, report)].filter(Boolean).join(' ');
  return capital(words);
}

function requestWords(
  data: ReportData,
  { attempt, fitting, searched, timeNs }: KernelReport,
): string {
  if (attempt) {
    const after =
      timeNs === null || timeNs >= attempt.timeNs
        ? ''
        : `, ${duration(attempt.timeNs - timeNs)} later, when its report was printed`;
    return `the refused request stands at ${seconds(data, attempt.timeNs)} s${after}.`;
  }
  if (fitting > 1) return `${grouped(fitting)} refused requests fit: which it is cannot be told.`;
  if (fitting === 1) return 'one refused request fits, but it may be that of another report.';
  if (searched === 'part')
    return 'which refused request it is cannot be told: too many are like it.';
  if (searched === 'nowhere') return 'which refused request it is cannot be told.';
  if (timeNs !== null && timeNs < data.span.fromNs) return 'it failed before the trace begins.';
  if (timeNs !== null && timeNs > data.span.toNs) return 'it failed after the trace ends.';
  return 'its request is not in the trace.';
}

function windowWords(
  data: ReportData,
  { attempt, fitting, fittingWindows, window, timeNs }: KernelReport,
): string {
  if (window) {
    const from = seconds(data, window.fromNs);
    const to = seconds(data, window.toNs);
    const why = window.reason === 'none' ? '' : ` (${REASON_WORDS[window.reason]})`;
    return `Failure window ${from} to ${to} s${why}.`;
  }
  if (fittingWindows > 1) return `It fell into one of ${grouped(fittingWindows)} failure windows.`;
  if (!attempt && fitting === 0 && !isInside(data, timeNs)) return '';
  return 'No failure window of such requests covers it.';
}
