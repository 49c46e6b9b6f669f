/**
 * Reports of a kernel log given beside a trace, each joined to the failed request it speaks of and to
 * the failure window it falls into.
 */
import type { KernelReport, KernelReports } from '../analysis/report-data.js';
import type { Attempt, FailureWindow } from '../analysis/types.js';
import type { PostmortemReport } from '../postmortem/findings.js';
import { callerName } from '../postmortem/group.js';
import { linkReports, type ReportLink } from '../postmortem/link.js';
import { postmortemOf } from '../postmortem/postmortem.js';
import type { Recording } from '../recording/recording.js';
import type { SplatRecord } from '../records/splat.js';
import type { Session } from './command.js';

/** Reports shown; the postmortem command explains all. */
const MAX_REPORTS = 200;

/** Null when no log held a report of a failed page allocation. */
export function linkKernelReports(
  recording: Recording,
  attempts: readonly Attempt[],
  windows: readonly FailureWindow[],
  session: Session,
): KernelReports | null {
  const { reports } = postmortemOf(recording.splats as readonly SplatRecord[], {
    release: session.common.kernel,
    overrides: session.common.profile,
  });
  if (reports.length === 0) return null;
  const shown = reports.slice(0, MAX_REPORTS);
  const { epochS } = recording.clock;
  const { links, method } = linkReports(shown, attempts, windows, epochS);
  return {
    method,
    total: reports.length,
    reports: links.map((link) => describe(shown[link.report]!, link, attempts, windows)),
  };
}

function describe(
  report: PostmortemReport,
  link: ReportLink,
  attempts: readonly Attempt[],
  windows: readonly FailureWindow[],
): KernelReport {
  const { splat } = report;
  const attempt = link.attempt === null ? null : attempts[link.attempt]!;
  const window = link.window === null ? null : windows[link.window]!;
  return {
    kind: splat.kind,
    source: splat.source,
    line: splat.line,
    timeNs: Number.isNaN(link.momentNs) ? null : link.momentNs,
    order: report.order,
    gfp: report.request?.text ?? splat.header.gfpNames,
    comm: splat.header.comm || splat.context.comm,
    caller: callerName(report),
    cause: report.cause,
    summary: report.summary,
    attempt: attempt && { timeNs: attempt.timeNs, class: attempt.class },
    window: window && { fromNs: window.fromNs, toNs: window.toNs, reason: window.reason },
  };
}
