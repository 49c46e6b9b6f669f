/**
 * Joins a log's reports to a trace of the same run: which failed attempt each one is, and in which
 * failure window it fell.
 *
 * printk stamps are those of the scheduler clock, which is ftrace's default (`local`) too, so the
 * offset is 0 unless the trace used another; then it is fitted: the offset under which most reports
 * find an attempt of their order and task. `mono` runs tens of milliseconds apart from it: several
 * reports tell by how much, and of the attempts in question the one that ends there is taken.
 *
 * The failed mm_page_alloc comes after the report it printed (mm/page_alloc.c: the event is the last
 * thing __alloc_pages does), by as long as printing took; the report's own stamps say how long.
 */
import type { Attempt, FailureWindow } from '../analysis/types.js';
import type { PostmortemReport } from './findings.js';

export interface ReportLink {
  /** Index of the report. */
  readonly report: number;
  /** Index of the failed attempt, null if none fits. */
  readonly attempt: number | null;
  /** Index of the window it falls into, null if none. */
  readonly window: number | null;
  /**
   * When it failed, on the trace's clock, ns: where the attempt ends, less the time that printing
   * took; without attempt the report's own stamp; NaN if it has none.
   */
  readonly momentNs: number;
}

export interface LogLink {
  readonly links: readonly ReportLink[];
  /** Trace time minus log time, ns. */
  readonly offsetNs: number;
  /** `same-clock`: offset 0 fits; `fitted`: found from the attempts; `none`: nothing fits. */
  readonly method: 'same-clock' | 'fitted' | 'none';
}

/** Longest a slow console holds an attempt that prints. */
const LATEST_NS = 3e9;
/** Stamps of the two clocks may be read in either order by this much. */
const EARLY_NS = 2e6;
/** So many reports tell the lag of the clocks apart from the console's. */
const MIN_LAGS = 2;
/** What the fit looks at: pairs tried as offsets, reports and attempts they are tried on. */
const MAX_PAIRS = 500;
const MAX_FIT_REPORTS = 40;
const MAX_FIT_ATTEMPTS = 4000;

/**
 * @param attempts in time order; those that succeeded are skipped.
 * @param epochS whole seconds subtracted from the trace's times.
 */
export function linkReports(
  reports: readonly PostmortemReport[],
  attempts: readonly Attempt[],
  windows: readonly FailureWindow[],
  epochS = 0,
): LogLink {
  const same = refined(reports, attempts, windows, -epochS * 1e9);
  if (found(same) > 0) return { links: same, offsetNs: 0, method: 'same-clock' };
  const offset = fittedOffset(reports, attempts);
  if (offset === null) return { links: same, offsetNs: 0, method: 'none' };
  const links = refined(reports, attempts, windows, offset);
  return { links, offsetNs: offset + epochS * 1e9, method: 'fitted' };
}

/** The offset under which most reports find an attempt, or null. */
function fittedOffset(
  reports: readonly PostmortemReport[],
  attempts: readonly Attempt[],
): number | null {
  const some = reports.filter((r) => r.splat.time.monoNs !== null).slice(0, MAX_FIT_REPORTS);
  const orders = new Set(some.map((report) => report.order));
  const failed = attempts.filter((a) => !a.ok && orders.has(a.order)).slice(0, MAX_FIT_ATTEMPTS);
  let best: number | null = null;
  let most = 0;
  for (const offset of offsets(some, failed)) {
    const count = found(linksAt(some, failed, [], offset));
    if (count > most) {
      most = count;
      best = offset;
    }
  }
  return best;
}

function found(links: readonly ReportLink[]): number {
  return links.filter((link) => link.attempt !== null).length;
}

/** Differences of every report and attempt that could be the same. */
function offsets(reports: readonly PostmortemReport[], attempts: readonly Attempt[]): Set<number> {
  const differences = new Set<number>();
  for (const report of reports) {
    const at = report.splat.time.monoNs;
    if (at === null) continue;
    for (const attempt of attempts) {
      if (differences.size >= MAX_PAIRS) return differences;
      if (fits(report, attempt)) differences.add(attempt.timeNs - at);
    }
  }
  return differences;
}

function fits(report: PostmortemReport, attempt: Attempt): boolean {
  if (attempt.ok || attempt.order !== report.order) return false;
  const { pid } = report.splat.context;
  return pid === null ? attempt.comm === report.splat.header.comm : attempt.pid === pid;
}

/** Links by the first attempt that fits; then, with the lag of the clocks they show, by the nearest. */
function refined(
  reports: readonly PostmortemReport[],
  attempts: readonly Attempt[],
  windows: readonly FailureWindow[],
  offsetNs: number,
): ReportLink[] {
  const first = linksAt(reports, attempts, windows, offsetNs);
  const lags = first
    .filter((link) => link.attempt !== null)
    .map((link) => attempts[link.attempt!]!.timeNs - endOf(reports[link.report]!) - offsetNs)
    .sort((a, b) => a - b);
  if (lags.length < MIN_LAGS) return first;
  const nearest = linksAt(reports, attempts, windows, offsetNs, lags[lags.length >> 1]!);
  return found(nearest) === first.length ? nearest : first;
}

function endOf({ splat }: PostmortemReport): number {
  return splat.endMonoNs ?? splat.time.monoNs ?? Number.NaN;
}

/** @param lagNs from the last line of a report to the end of its attempt; NaN = take the first. */
function linksAt(
  reports: readonly PostmortemReport[],
  attempts: readonly Attempt[],
  windows: readonly FailureWindow[],
  offsetNs: number,
  lagNs = Number.NaN,
): ReportLink[] {
  const taken = new Set<number>();
  return reports.map((report, index) => {
    const mono = report.splat.time.monoNs;
    if (mono === null) return { report: index, attempt: null, window: null, momentNs: Number.NaN };
    const at = mono + offsetNs;
    const wanted = Number.isNaN(lagNs) ? at - EARLY_NS : endOf(report) + offsetNs + lagNs;
    const attempt = nearestAttempt(report, attempts, at, wanted, taken);
    if (attempt !== null) taken.add(attempt);
    const printing = endOf(report) - mono;
    const momentNs = attempt === null ? at : attempts[attempt]!.timeNs - printing;
    const until = attempt === null ? at : attempts[attempt]!.timeNs;
    return { report: index, attempt, window: windowAt(report, windows, momentNs, until), momentNs };
  });
}

function nearestAttempt(
  report: PostmortemReport,
  attempts: readonly Attempt[],
  at: number,
  wanted: number,
  taken: ReadonlySet<number>,
): number | null {
  let best: number | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < attempts.length; i++) {
    const attempt = attempts[i]!;
    if (attempt.timeNs < at - EARLY_NS || taken.has(i)) continue;
    if (attempt.timeNs > at + LATEST_NS) break;
    const distance = Math.abs(attempt.timeNs - wanted);
    if (distance >= least || !fits(report, attempt)) continue;
    best = i;
    least = distance;
  }
  return best;
}

/** The window that holds the moment, else one that opens before the attempt has ended. */
function windowAt(
  report: PostmortemReport,
  windows: readonly FailureWindow[],
  momentNs: number,
  untilNs: number,
): number | null {
  const own = (w: FailureWindow): boolean => w.order === report.order;
  const held = windows.findIndex(
    (w) => own(w) && w.fromNs <= momentNs + EARLY_NS && momentNs <= w.toNs,
  );
  if (held >= 0) return held;
  const opened = windows.findIndex((w) => own(w) && w.fromNs > momentNs && w.fromNs <= untilNs);
  return opened < 0 ? null : opened;
}
