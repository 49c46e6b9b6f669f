/**
 * Many reports in one log: who, what, why, how often, when.
 *
 * A group is one caller, one order, one kind of request, one cause. Times are those of the log: since
 * boot where it has them, else wall clock, else only the order of the lines.
 */
import type { Cause, PostmortemReport } from './findings.js';

export interface ReportGroup {
  readonly caller: string;
  readonly order: number | null;
  readonly gfp: string;
  readonly cause: Cause;
  readonly count: number;
  /** Reports the kernel left out before these. */
  readonly suppressed: number;
  /** Indices in the list of reports. */
  readonly reports: readonly number[];
  /** Names of the tasks that happened to run, at most MAX_COMMS. */
  readonly comms: readonly string[];
  readonly firstNs: number | null;
  readonly lastNs: number | null;
  readonly firstLine: number;
  readonly lastLine: number;
}

export interface Timeline {
  readonly clock: 'since boot' | 'wall' | 'none';
  /** One entry a report, in log order. */
  readonly times: readonly (number | null)[];
  readonly spanNs: number | null;
  /** Reports followed by another within BURST_NS. */
  readonly bursts: number;
}

const MAX_COMMS = 12;
/** The kernel prints one report in 10 s since 5.4; two within that time are one burst. */
const BURST_NS = 12e9;

/** `rtl8169_rx_fill [r8169]`, the slab cache, or the task if the trace is missing. */
export function callerName(report: PostmortemReport): string {
  const { fn, owner, cache } = report.caller;
  if (fn !== '') return owner === '' || owner === fn ? fn : `${fn} [${owner}]`;
  if (cache !== '') return `slab cache ${cache}`;
  const { comm } = report.splat.header;
  return comm === '' ? 'unknown caller' : `task ${comm}`;
}

export function groupReports(reports: readonly PostmortemReport[]): ReportGroup[] {
  const members = new Map<string, number[]>();
  reports.forEach((report, index) => {
    const key = [callerName(report), report.order, report.request?.text, report.cause].join(
      '\u0000',
    );
    const list = members.get(key);
    if (list === undefined) members.set(key, [index]);
    else list.push(index);
  });
  const groups = [...members.values()].map((indices) => groupOf(indices, reports));
  return groups.sort((a, b) => b.count - a.count || a.firstLine - b.firstLine);
}

function groupOf(indices: readonly number[], reports: readonly PostmortemReport[]): ReportGroup {
  const own = indices.map((index) => reports[index]!);
  const first = own[0]!;
  const times = own.map(timeOf).filter((time) => time !== null);
  const comms = [...new Set(own.map((report) => report.splat.header.comm))].filter(Boolean);
  let suppressed = 0;
  for (const report of own) suppressed += report.splat.suppressed;
  return {
    caller: callerName(first),
    order: first.order,
    gfp: first.request?.text ?? '',
    cause: first.cause,
    count: own.length,
    suppressed,
    reports: indices,
    comms: comms.slice(0, MAX_COMMS),
    firstNs: times.length === 0 ? null : times.reduce((a, b) => Math.min(a, b)),
    lastNs: times.length === 0 ? null : times.reduce((a, b) => Math.max(a, b)),
    firstLine: first.splat.line,
    lastLine: own.at(-1)!.splat.line,
  };
}

function timeOf(report: PostmortemReport): number | null {
  return report.splat.time.monoNs ?? report.splat.time.wallNs;
}

export function timelineOf(reports: readonly PostmortemReport[]): Timeline {
  const mono = reports.some((report) => report.splat.time.monoNs !== null);
  const wall = !mono && reports.some((report) => report.splat.time.wallNs !== null);
  const times = reports.map((report) =>
    mono ? report.splat.time.monoNs : report.splat.time.wallNs,
  );
  const known = times.filter((time) => time !== null);
  let bursts = 0;
  for (let i = 1; i < known.length; i++) {
    const gap = known[i]! - known[i - 1]!;
    const before = i > 1 ? known[i - 1]! - known[i - 2]! : Number.POSITIVE_INFINITY;
    if (gap >= 0 && gap <= BURST_NS && !(before >= 0 && before <= BURST_NS)) bursts++;
  }
  const span =
    known.length === 0
      ? null
      : known.reduce((a, b) => Math.max(a, b)) - known.reduce((a, b) => Math.min(a, b));
  return { clock: mono ? 'since boot' : wall ? 'wall' : 'none', times, spanNs: span, bursts };
}
