/**
 * Joins a log's reports to a trace of the same run: which refused request each one is, and in which
 * failure window it fell.
 *
 * A report and a refusal are one if task, order and flags agree and the time fits. Each log is joined
 * by itself. printk stamps are those of the scheduler clock, which is ftrace's default (`local`) too,
 * so their distance to the trace is 0 unless the trace used another clock. Wall-clock stamps (syslog,
 * journald, `dmesg -T`) have no such tie: their distance is that of the recording's own copies where
 * those are on the wall clock, else it is fitted. What could be several refusals is not linked.
 *
 * The failed mm_page_alloc comes after the report it printed (mm/page_alloc.c: the event is the last
 * thing __alloc_pages does), by as long as printing took; the report's own stamps say how long.
 *
 *     kept-refusals.ts    during the replay: the refusals that a report could be
 *     clock-distance.ts   how far the log's clock is from the trace's (fit-offset.ts, wall-stamps.ts)
 *     choose-refusal.ts   which refusal a report is (printed-refusals.ts: the kernel's rate limit)
 *     failure-window.ts   which window it fell into
 */
import { countBelow } from '../../replay/sorted.js';
import type { PostmortemReport } from '../findings.js';
import { type WallStamp, wallStamps } from '../wall-stamps.js';
import { chooseRefusals } from './choose-refusal.js';
import { byCopies, distanceOf } from './clock-distance.js';
import { commonWindow } from './failure-window.js';
import type { FittedOffset } from './fit-offset.js';
import {
  endOf,
  type Joined,
  type Linked,
  type LinkTrace,
  type LogCase,
  type LogClock,
  type LogLink,
  type ReportLink,
  roomOf,
  unplaced,
} from './link-types.js';
import { PrintedRefusals } from './printed-refusals.js';
import { linkSameClock } from './same-clock.js';

/** How much later a daemon may stamp one report than another, and one report take to print. */
const WALL_JITTER_NS = 4e8;
const BOOT_JITTER_NS = 5e7;
/** By so much CLOCK_MONOTONIC may differ from the scheduler's clock, which printk uses. */
const CLOSE_CLOCKS_NS = 2.5e8;
const OF_CLOSE_CLOCKS = { fromNs: -CLOSE_CLOCKS_NS, toNs: CLOSE_CLOCKS_NS + BOOT_JITTER_NS };

/** @param reports those that `trace.refusals` was made for. */
export function linkReports(reports: readonly PostmortemReport[], trace: LinkTrace): LogLink {
  const links = new Array<ReportLink>(reports.length);
  const clocks: LogClock[] = [];
  for (const indices of logsOf(reports)) {
    const own = indices.map((index) => reports[index]!);
    const boot = own[0]!.splat.time.monoNs !== null;
    const { found, clock } = boot ? linkBoot(own, trace) : linkWall(own, trace);
    found.forEach((link, i) => {
      links[indices[i]!] = { report: indices[i]!, ...link };
    });
    const linked = found.filter((link) => link.refusal !== null).length;
    const alike = new Set(own.map((report) => trace.refusals.alike(report)));
    const total = [...alike].reduce((sum, one) => sum + one.total, 0);
    clocks.push({ source: own[0]!.splat.source, ...clock, linked, alike: total });
  }
  return { links, clocks };
}

/** Indices of the reports of each log; those without seconds since boot by themselves. */
function logsOf(reports: readonly PostmortemReport[]): number[][] {
  const logs = new Map<string, number[]>();
  for (const [index, { splat }] of reports.entries()) {
    const key = JSON.stringify([splat.source, splat.time.monoNs !== null]);
    const list = logs.get(key);
    if (list === undefined) logs.set(key, [index]);
    else list.push(index);
  }
  return [...logs.values()];
}

/** Stamps since boot: the trace's own clock or one that is close to it, else another. */
function linkBoot(own: readonly PostmortemReport[], trace: LinkTrace): Joined {
  const stamps = own.map((report) => ({ ns: endOf(report), roomNs: 0, zoned: true }));
  const log = caseOf(own, stamps, trace, BOOT_JITTER_NS);
  const same = { clock: 'boot', method: 'same-clock' } as const;
  if (trace.clock === 'local') {
    const found = linkSameClock(own, trace);
    if (found.some((link) => link.refusal !== null))
      return { found, clock: { ...same, offsetNs: 0, uncertaintyNs: 0 } };
  }
  const near = distanceOf(log, { offsetNs: 0, uncertaintyNs: CLOSE_CLOCKS_NS });
  if (near === 'too-many') return withoutDistance(log, 'boot', near);
  if (near === 'ambiguous') {
    const { found } = joined(log, { ...OF_CLOSE_CLOCKS, reports: 0 }, same, -trace.epochS * 1e9);
    return { found, clock: { ...same, offsetNs: 0, uncertaintyNs: CLOSE_CLOCKS_NS } };
  }
  if (near !== null) return joined(log, near, same);
  const far = distanceOf(log, null);
  return far === null || typeof far === 'string'
    ? withoutDistance(log, 'boot', far ?? 'none')
    : joined(log, far, { clock: 'boot', method: 'fitted' });
}

/** Stamps of the wall clock: by the copies' distance if it is known, else by the reports themselves. */
function linkWall(own: readonly PostmortemReport[], trace: LinkTrace): Joined {
  const { wall } = trace;
  const startNs = wall === null ? 0 : trace.firstNs + trace.epochS * 1e9 - wall.offsetNs;
  const year = new Date(startNs / 1e6).getUTCFullYear();
  const times = own.map((report) => report.splat.time);
  const stamps = wallStamps(times, Number.isNaN(year) ? 1970 : year);
  const clock = stamps.every((stamp) => stamp === null) ? 'none' : 'wall';
  const log = caseOf(own, stamps, trace, WALL_JITTER_NS);
  const fitted = distanceOf(log, wall);
  if (fitted === null || typeof fitted === 'string')
    return withoutDistance(log, clock, fitted ?? 'none');
  if (wall === null) return joined(log, fitted, { clock, method: 'fitted' });
  const { span, offsetNs } = byCopies(log, fitted, wall);
  const { found } = joined(log, span, { clock, method: 'copies' });
  const { uncertaintyNs } = wall;
  return { found, clock: { clock, method: 'copies', offsetNs, uncertaintyNs } };
}

function caseOf(
  own: readonly PostmortemReport[],
  stamps: readonly (WallStamp | null)[],
  trace: LinkTrace,
  jitterNs: number,
): LogCase {
  const whole = trace.wholeLogs.has(own[0]!.splat.source);
  return { own, stamps, trace, jitterNs, printed: PrintedRefusals.of(own, trace), whole };
}

/** A report of which the trace holds nothing alike is not in it, wherever the log is. */
function withoutDistance(
  { own, trace }: LogCase,
  clock: LogClock['clock'],
  method: 'ambiguous' | 'too-many' | 'none',
): Joined {
  const found = own.map((report) => {
    if (method === 'none' || trace.refusals.alike(report).total === 0) return unplaced('whole');
    return unplaced(method === 'too-many' ? 'part' : 'nowhere');
  });
  return { found, clock: { clock, method, offsetNs: Number.NaN, uncertaintyNs: 0 } };
}

/** Links under a distance that is known: a report with one fitting refusal is that refusal. */
function joined(
  log: LogCase,
  fitted: FittedOffset,
  how: Pick<LogClock, 'clock' | 'method'>,
  baseNs = 0,
): Joined {
  const { own, stamps, trace } = log;
  const fromNs = fitted.fromNs + baseNs;
  const toNs = fitted.toNs + baseNs;
  const middle = (fromNs + toNs) / 2;
  const candidates = stamps.map((stamp, i) =>
    stamp === null ? [] : fitting(trace, own[i]!, stamp.ns + fromNs, stamp.ns + toNs),
  );
  const chosen = chooseRefusals(
    log,
    candidates.map((list) => list ?? []),
    middle,
    how.clock === 'boot',
  );
  const found = candidates.map((list, i): Linked => {
    const stamp = stamps[i] ?? null;
    if (stamp === null) return unplaced('nowhere');
    if (list === null) return { ...unplaced('part'), momentNs: stamp.ns + middle };
    const refusal = chosen[i]!;
    const printing = endOf(own[i]!) - (own[i]!.splat.time.monoNs ?? Number.NaN);
    const lag = Number.isNaN(printing) ? 0 : printing;
    const ends = (refusal === null ? list : [refusal]).map((at) => trace.refusals.timeNs(at));
    if (ends.length === 0) ends.push(stamp.ns + fromNs, stamp.ns + toNs);
    const printed = Number.isNaN(printing) ? log.jitterNs : null;
    const within = commonWindow(own[i]!, trace.windows, ends, lag, printed);
    const end = refusal === null ? stamp.ns + middle : trace.refusals.timeNs(refusal);
    return { refusal, fitting: list.length, searched: 'whole', ...within, momentNs: end - lag };
  });
  const offsetNs = Math.round(middle - roomOf(log) / 2 + trace.epochS * 1e9);
  const uncertaintyNs = Math.ceil((toNs - fromNs) / 2);
  return { found, clock: { ...how, offsetNs, uncertaintyNs } };
}

/** Those that a report can be and that end in a span of time; null where not all of them are kept. */
function fitting(
  { refusals }: LinkTrace,
  report: PostmortemReport,
  fromNs: number,
  toNs: number,
): readonly number[] | null {
  const { kept, timesNs, missingFromNs } = refusals.alike(report);
  if (missingFromNs <= toNs) return null;
  const from = countBelow(timesNs, fromNs);
  let to = from;
  while (to < timesNs.length && timesNs[to]! <= toNs) to++;
  return kept.slice(from, to);
}
