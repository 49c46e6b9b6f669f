/**
 * Many reports in one log: who, what, why, how often, when.
 *
 * A group is one caller, one order, one kind of request, one cause. Times are those of the log: since
 * boot where all reports are of one boot, else wall clock, else only the order of the lines.
 */
import type { Splat } from '../records/splat.js';
import type { Cause, PostmortemReport } from './findings.js';
import { wallStamps } from './wall-stamps.js';

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
  /** Boots that the reports are of, as far as stamps that start over tell. */
  readonly boots: number;
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

/** `rtl8169_rx_fill [r8169], softirq, task swapper (pid 0)`: who asked, where, in whose name. */
export function askedBy(report: PostmortemReport): string {
  const { fn, cache, context } = report.caller;
  const caller = fn === '' && cache === '' ? 'caller unknown' : callerName(report);
  const where = context === 'unknown' ? 'context unknown' : context;
  const { header, context: found } = report.splat;
  const pid = found.pid === null ? '' : ` (pid ${found.pid})`;
  const task = header.comm === '' ? '' : `, task ${header.comm}${pid}`;
  return `${caller}, ${where}${task}`;
}

/** The flags as printed, else as decoded. */
export function flagsText({ splat, request }: PostmortemReport): string {
  const decoded = request?.flags === 0 ? 'no flags' : request?.text;
  return splat.header.gfpNames || decoded || 'flags unknown';
}

/** @param times one a report, of its timeline. */
export function groupReports(
  reports: readonly PostmortemReport[],
  times: readonly (number | null)[],
): ReportGroup[] {
  const members = new Map<string, number[]>();
  reports.forEach((report, index) => {
    const key = [callerName(report), report.order, report.request?.text, report.cause].join(
      '\u0000',
    );
    const list = members.get(key);
    if (list === undefined) members.set(key, [index]);
    else list.push(index);
  });
  const groups = [...members.values()].map((indices) => groupOf(indices, reports, times));
  return groups.sort((a, b) => b.count - a.count || a.firstLine - b.firstLine);
}

function groupOf(
  indices: readonly number[],
  reports: readonly PostmortemReport[],
  allTimes: readonly (number | null)[],
): ReportGroup {
  const own = indices.map((index) => reports[index]!);
  const first = own[0]!;
  const times = indices.map((index) => allTimes[index] ?? null).filter((time) => time !== null);
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

/** Stamps of one boot may be out of order by this much (CPUs), ns. */
const OUT_OF_ORDER_NS = 1e9;

/** The boot of each report within its log: seconds since boot that start over begin another. */
export function bootsOf(splats: readonly Splat[]): number[] {
  const last = new Map<string, { boot: number; ns: number }>();
  return splats.map(({ source, time }) => {
    const before = last.get(source) ?? { boot: 0, ns: Number.NEGATIVE_INFINITY };
    const ns = time.monoNs ?? before.ns;
    const boot = ns < before.ns - OUT_OF_ORDER_NS ? before.boot + 1 : before.boot;
    last.set(source, { boot, ns });
    return boot;
  });
}

/** Any year will do for the distances between stamps that have none. */
const SOME_YEAR = 1970;

/** The reports' times on one clock: since boot if all are of one, else the wall clock. */
export function timelineOf(reports: readonly PostmortemReport[]): Timeline {
  const splats = reports.map((report) => report.splat);
  const boots = Math.max(0, ...bootsOf(splats)) + 1;
  const mono = splats.map(({ time }) => time.monoNs);
  const wall = wallStamps(
    splats.map(({ time }) => time),
    SOME_YEAR,
  ).map((stamp) => stamp?.ns ?? null);
  const has = (times: readonly (number | null)[]): boolean => times.some((time) => time !== null);
  const sinceBoot = boots === 1 && has(mono);
  const clock = sinceBoot ? 'since boot' : has(wall) ? 'wall' : 'none';
  const times = sinceBoot ? mono : wall;
  const known = times.filter((time) => time !== null);
  let bursts = 0;
  for (let i = 1; i < known.length; i++) {
    const gap = known[i]! - known[i - 1]!;
    const before = i > 1 ? known[i - 1]! - known[i - 2]! : Number.POSITIVE_INFINITY;
    if (gap >= 0 && gap <= BURST_NS && !(before >= 0 && before <= BURST_NS)) bursts++;
  }
  const span =
    known.length < 2
      ? null
      : known.reduce((a, b) => Math.max(a, b)) - known.reduce((a, b) => Math.min(a, b));
  return { clock, times, spanNs: span, bursts, boots };
}
