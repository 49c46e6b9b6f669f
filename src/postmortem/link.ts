/**
 * Joins a log's reports to a trace of the same run: which failed attempt each one is, and in which
 * failure window it fell.
 *
 * printk stamps are those of the scheduler clock, which is ftrace's default (`local`) too, so the
 * offset is 0 unless the trace used another; then it is fitted: the offset under which most reports
 * find an attempt of their order and task. The failed mm_page_alloc comes after the report it
 * printed (mm/page_alloc.c: the event is the last thing __alloc_pages does), by as long as the
 * console took.
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
  /** From the report to the end of the attempt, ns; NaN without attempt. */
  readonly delayNs: number;
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
  const same = linksAt(reports, attempts, windows, -epochS * 1e9);
  if (found(same) > 0) return { links: same, offsetNs: 0, method: 'same-clock' };
  const offset = fittedOffset(reports, attempts);
  if (offset === null) return { links: same, offsetNs: 0, method: 'none' };
  const links = linksAt(reports, attempts, windows, offset);
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

function linksAt(
  reports: readonly PostmortemReport[],
  attempts: readonly Attempt[],
  windows: readonly FailureWindow[],
  offsetNs: number,
): ReportLink[] {
  const taken = new Set<number>();
  return reports.map((report, index) => {
    const none = { report: index, attempt: null, window: null, delayNs: Number.NaN };
    const mono = report.splat.time.monoNs;
    if (mono === null) return none;
    const at = mono + offsetNs;
    const attempt = attempts.findIndex(
      (a, i) =>
        !taken.has(i) && a.timeNs >= at - EARLY_NS && a.timeNs <= at + LATEST_NS && fits(report, a),
    );
    if (attempt >= 0) taken.add(attempt);
    const window = windows.findIndex(
      (w) => w.order === report.order && w.fromNs <= at + EARLY_NS && at <= w.toNs,
    );
    return {
      report: index,
      attempt: attempt < 0 ? null : attempt,
      window: window < 0 ? null : window,
      delayNs: attempt < 0 ? Number.NaN : attempts[attempt]!.timeNs - at,
    };
  });
}
