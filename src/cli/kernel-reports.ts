/**
 * Reports of a kernel log given beside a trace, each joined to the failed request it speaks of and to
 * the failure window it falls into.
 *
 * Two steps: before the replay the reports say which refusals matter, after it they are joined.
 */
import type { KernelReport, KernelReports } from '../analysis/report-data.js';
import type { FailureWindow } from '../analysis/types.js';
import { attemptClassOf } from '../kernel/gfp.js';
import type { PostmortemReport } from '../postmortem/findings.js';
import { callerName } from '../postmortem/group.js';
import { KeptRefusals } from '../postmortem/link/kept-refusals.js';
import { linkReports } from '../postmortem/link/link-reports.js';
import type { LogLink, ReportLink } from '../postmortem/link/link-types.js';
import { postmortemOf } from '../postmortem/postmortem.js';
import type { Recording } from '../recording/recording.js';
import type { Snapshot } from '../records/snapshot.js';
import type { SplatRecord } from '../records/splat.js';
import type { Session } from './command.js';

/** Reports shown; the postmortem command explains all. */
const MAX_REPORTS = 200;

export class KernelReportLinks {
  /** Observers to run the replay with; none if no log is there. */
  readonly observers: readonly KeptRefusals[];
  readonly #recording: Recording;
  readonly #total: number;
  readonly #shown: readonly PostmortemReport[];

  constructor(recording: Recording, session: Session) {
    const { reports } = postmortemOf(recording.splats as readonly SplatRecord[], {
      release: session.common.kernel,
      overrides: session.common.profile,
    });
    this.#recording = recording;
    this.#total = reports.length;
    this.#shown = reports.slice(0, MAX_REPORTS);
    this.observers = reports.length === 0 ? [] : [new KeptRefusals(this.#shown, recording.strings)];
  }

  /** Null when no log held a report of a failed page allocation. Call it after the replay. */
  join(windows: readonly FailureWindow[]): KernelReports | null {
    const [refusals] = this.observers;
    if (refusals === undefined) return null;
    const { clock, events, alignment, snapshots } = this.#recording;
    const joined = linkReports(this.#shown, {
      refusals,
      windows,
      firstNs: events.firstNs,
      lastNs: events.lastNs,
      epochS: clock.epochS,
      clock: clock.name,
      wall: alignment.wall,
      wholeLogs: wholeLogs(this.#shown, snapshots),
    });
    this.#sayLimits(joined);
    const { links, clocks } = joined;
    return {
      clocks: clocks.map(({ offsetNs, ...one }) => ({
        ...one,
        offsetNs: Number.isNaN(offsetNs) ? null : offsetNs,
      })),
      total: this.#total,
      reports: links.map((link) => {
        const refusedNs = link.refusal === null ? null : refusals.timeNs(link.refusal);
        const window = link.window === null ? null : windows[link.window]!;
        return describe(this.#shown[link.report]!, link, refusedNs, window);
      }),
    };
  }

  /** Logs of which not all was held against the trace. */
  #sayLimits({ links, clocks }: LogLink): void {
    const part = links.filter((link) => link.searched === 'part');
    const sources = new Set(part.map(({ report }) => this.#shown[report]!.splat.source));
    for (const { source, alike } of clocks) {
      if (!sources.delete(source)) continue;
      this.#recording.diagnostics.report('failed-requests-limit', { source }, { count: alike });
    }
  }
}

/** Logs whose banner stands above their first report. */
function wholeLogs(
  reports: readonly PostmortemReport[],
  snapshots: readonly Snapshot[],
): Set<string> {
  const banners = new Map<string, number>();
  for (const snapshot of snapshots) {
    if (snapshot.kind === 'version') banners.set(snapshot.source, snapshot.line);
  }
  const firsts = new Map<string, number>();
  for (const { splat } of reports) {
    if (!firsts.has(splat.source)) firsts.set(splat.source, splat.line);
  }
  return new Set(
    [...firsts].flatMap(([source, line]) =>
      (banners.get(source) ?? Number.POSITIVE_INFINITY) < line ? [source] : [],
    ),
  );
}

function describe(
  report: PostmortemReport,
  link: ReportLink,
  refusedNs: number | null,
  window: FailureWindow | null,
): KernelReport {
  const { splat, request, order } = report;
  const kind = request === null || order === null ? null : attemptClassOf(request, order);
  return {
    kind: splat.kind,
    source: splat.source,
    line: splat.line,
    timeNs: Number.isNaN(link.momentNs) ? null : link.momentNs,
    order,
    gfp: request?.text ?? splat.header.gfpNames,
    comm: splat.header.comm || splat.context.comm,
    caller: callerName(report),
    cause: report.cause,
    summary: report.summary,
    attempt: refusedNs === null ? null : { timeNs: refusedNs, class: kind ?? 'blocking' },
    fitting: link.fitting,
    searched: link.searched,
    fittingWindows: link.fittingWindows,
    window: window && { fromNs: window.fromNs, toNs: window.toNs, reason: window.reason },
  };
}
