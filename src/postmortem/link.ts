/**
 * Joins a log's reports to a trace of the same run: which refused request each one is, and in which
 * failure window it fell.
 *
 * A report and a refusal are one if task, order and flags agree and the time fits. Each log is joined
 * by itself. printk stamps are those of the scheduler clock, which is ftrace's default (`local`) too,
 * so their distance to the trace is 0 unless the trace used another clock. Wall-clock stamps (syslog,
 * journald, `dmesg -T`) have no such tie: their distance is that of the recording's own copies where
 * those are on the wall clock, else it is fitted (fit-offset.ts). What could be several refusals is
 * not linked.
 *
 * The failed mm_page_alloc comes after the report it printed (mm/page_alloc.c: the event is the last
 * thing __alloc_pages does), by as long as printing took; the report's own stamps say how long.
 */
import type { Refusal } from '../analysis/refusals.js';
import type { FailureWindow } from '../analysis/types.js';
import type { PostmortemReport } from './findings.js';
import { type FittedOffset, fitOffset, type Pair } from './fit-offset.js';
import {
  endOf,
  Fits,
  LATEST_NS,
  type Linked,
  type LinkTrace,
  type LogClock,
  type LogLink,
  type ReportLink,
  windowAt,
  windowsWithin,
} from './link-rules.js';
import { linkSameClock } from './link-same-clock.js';
import { PrintedRefusals } from './printed-refusals.js';
import { type WallStamp, wallStamps } from './wall-stamps.js';

export type { LinkTrace, LogClock, LogLink, ReportLink } from './link-rules.js';

/** How much later a daemon may stamp one report than another, and one report take to print. */
const WALL_JITTER_NS = 4e8;
const BOOT_JITTER_NS = 5e7;
/** By so much CLOCK_MONOTONIC may differ from the scheduler's clock, which printk uses. */
const CLOSE_CLOCKS_NS = 2.5e8;
const OF_CLOSE_CLOCKS = { fromNs: -CLOSE_CLOCKS_NS, toNs: CLOSE_CLOCKS_NS + BOOT_JITTER_NS };
/** Local time is a multiple of this away from UTC. */
const ZONE_STEP_NS = 900e9;
const FARTHEST_ZONE_NS = 15 * 3600e9;
const MAX_PAIRS = 100_000;

/** One log and the trace. */
interface Case {
  readonly own: readonly PostmortemReport[];
  readonly stamps: readonly (WallStamp | null)[];
  readonly trace: LinkTrace;
  readonly fits: Fits;
  readonly jitterNs: number;
  /** Null where the kernel's rate limit is another. */
  readonly printed: PrintedRefusals | null;
  /** The log begins with the kernel's banner: no report before its first is missing. */
  readonly whole: boolean;
}

interface Joined {
  readonly found: readonly Linked[];
  readonly clock: Omit<LogClock, 'source' | 'linked'>;
}

export function linkReports(reports: readonly PostmortemReport[], trace: LinkTrace): LogLink {
  const links = new Array<ReportLink>(reports.length);
  const clocks: LogClock[] = [];
  const bySource = new Map<string, number[]>();
  reports.forEach((report, index) => {
    const boot = report.splat.time.monoNs !== null;
    const key = JSON.stringify([report.splat.source, boot]);
    const list = bySource.get(key);
    if (list === undefined) bySource.set(key, [index]);
    else list.push(index);
  });
  const fits = new Fits();
  for (const indices of bySource.values()) {
    const own = indices.map((index) => reports[index]!);
    const boot = own[0]!.splat.time.monoNs !== null;
    const { found, clock } = boot ? linkBoot(own, trace, fits) : linkWall(own, trace, fits);
    found.forEach((link, i) => {
      links[indices[i]!] = { report: indices[i]!, ...link };
    });
    const linked = found.filter((link) => link.refusal !== null).length;
    clocks.push({ source: own[0]!.splat.source, ...clock, linked });
  }
  return { links, clocks };
}

/**
 * A test for the observer: does this refusal matter to any of these reports? Those it may be, and those
 * that would have had a report of their own.
 */
export function mattersTo(reports: readonly PostmortemReport[]): (refusal: Refusal) => boolean {
  const fits = new Fits();
  const [first] = reports;
  return (refusal) => {
    const text = refusal.gfp;
    if (first !== undefined && !fits.nowarn(text, first.profile.switches.gfpEra)) return true;
    return reports.some((report) => fits.test(report, refusal));
  };
}

/** Stamps since boot: the trace's own clock or one that is close to it, else another. */
function linkBoot(own: readonly PostmortemReport[], trace: LinkTrace, fits: Fits): Joined {
  const log = caseOf(own, bootStamps(own), trace, fits, BOOT_JITTER_NS);
  const same = { clock: 'boot', method: 'same-clock' } as const;
  if (trace.clock === 'local') {
    const found = linkSameClock(own, trace, fits);
    if (found.some((link) => link.refusal !== null))
      return { found, clock: { ...same, offsetNs: 0, uncertaintyNs: 0 } };
  }
  const near = distanceOf(log, { offsetNs: 0, uncertaintyNs: CLOSE_CLOCKS_NS });
  if (near !== null && near !== 'ambiguous') return joined(log, near, same);
  if (near === 'ambiguous') {
    const { found } = joined(log, { ...OF_CLOSE_CLOCKS, reports: 0 }, same, -trace.epochS * 1e9);
    return { found, clock: { ...same, offsetNs: 0, uncertaintyNs: CLOSE_CLOCKS_NS } };
  }
  const far = distanceOf(log, null);
  if (far !== null && far !== 'ambiguous')
    return joined(log, far, { clock: 'boot', method: 'fitted' });
  const method = far ?? 'none';
  const clock = { clock: 'boot', method, offsetNs: Number.NaN, uncertaintyNs: 0 } as const;
  return { found: own.map(() => nothing()), clock };
}

function bootStamps(own: readonly PostmortemReport[]): WallStamp[] {
  return own.map((report) => ({ ns: endOf(report), roomNs: 0, zoned: true }));
}

/** Stamps of the wall clock: by the copies' distance if it is known, else by the reports themselves. */
function linkWall(own: readonly PostmortemReport[], trace: LinkTrace, fits: Fits): Joined {
  const { wall } = trace;
  const startNs = wall === null ? 0 : trace.firstNs + trace.epochS * 1e9 - wall.offsetNs;
  const year = new Date(startNs / 1e6).getUTCFullYear();
  const times = own.map((report) => report.splat.time);
  const stamps = wallStamps(times, Number.isNaN(year) ? 1970 : year);
  const clock = stamps.every((stamp) => stamp === null) ? 'none' : 'wall';
  const log = caseOf(own, stamps, trace, fits, WALL_JITTER_NS);
  const fitted = distanceOf(log, wall);
  if (fitted === null || fitted === 'ambiguous') {
    const found = own.map(() => nothing());
    const method = fitted ?? 'none';
    return { found, clock: { clock, method, offsetNs: Number.NaN, uncertaintyNs: 0 } };
  }
  if (wall === null) return joined(log, fitted, { clock, method: 'fitted' });
  const { span, offsetNs } = byCopies(log, fitted, wall);
  const { found } = joined(log, span, { clock, method: 'copies' });
  const { uncertaintyNs } = wall;
  return { found, clock: { clock, method: 'copies', offsetNs, uncertaintyNs } };
}

/** The copies' distance in the time zone of the log, as wide as stamps and printing make it. */
function byCopies(
  log: Case,
  fitted: FittedOffset,
  { offsetNs, uncertaintyNs }: NonNullable<LinkTrace['wall']>,
): { span: FittedOffset; offsetNs: number } {
  const own = offsetNs - log.trace.epochS * 1e9;
  const zones = Math.round(((fitted.fromNs + fitted.toNs) / 2 - own) / ZONE_STEP_NS);
  const zone = log.stamps.some((stamp) => stamp?.zoned) ? 0 : zones * ZONE_STEP_NS;
  const fromNs = own + zone - uncertaintyNs - log.jitterNs;
  const toNs = own + zone + uncertaintyNs + widthOf(log);
  return { span: { fromNs, toNs, reports: fitted.reports }, offsetNs: offsetNs + zone };
}

function caseOf(
  own: readonly PostmortemReport[],
  stamps: readonly (WallStamp | null)[],
  trace: LinkTrace,
  fits: Fits,
  jitterNs: number,
): Case {
  const whole = trace.wholeLogs.has(own[0]!.splat.source);
  return { own, stamps, trace, fits, jitterNs, printed: PrintedRefusals.of(own, trace), whole };
}

function nothing(): Linked {
  return { refusal: null, fitting: 0, window: null, fittingWindows: 0, momentNs: Number.NaN };
}

/** What the coarsest stamp cannot tell apart. */
function roomOf({ stamps }: Case): number {
  return Math.max(0, ...stamps.map((stamp) => stamp?.roomNs ?? 0));
}

function widthOf(log: Case): number {
  return log.jitterNs + roomOf(log);
}

function distanceOf(log: Case, known: LinkTrace['wall']): FittedOffset | 'ambiguous' | null {
  const { stamps, trace, printed } = log;
  const widthNs = widthOf(log);
  const stampsNs = stamps.map((stamp) => stamp?.ns ?? Number.NaN);
  // a known distance says that the reports lie in the trace
  const placed = known !== null || printed?.mayAllBeKept(widthNs) === false;
  const strict = log.whole && printed !== null && placed;
  return fitOffset({
    pairs: pairsOf(log, known),
    stampsNs,
    firstNs: trace.firstNs,
    lastNs: trace.lastNs,
    widthNs,
    known: known !== null,
    accounted: strict
      ? (deltaNs) =>
          printed.accounted(
            stampsNs.map((ns) => ns + deltaNs),
            widthNs,
          )
      : null,
  });
}

function pairsOf({ own, stamps, trace, fits, jitterNs }: Case, known: LinkTrace['wall']): Pair[] {
  const pairs: Pair[] = [];
  const { refusals, epochS } = trace;
  for (const [report, stamp] of stamps.entries()) {
    if (stamp === null) continue;
    for (let i = 0; i < refusals.length && pairs.length < MAX_PAIRS; i++) {
      if (!fits.test(own[report]!, refusals[i]!)) continue;
      const deltaNs = refusals[i]!.timeNs - stamp.ns;
      if (known === null || agrees(deltaNs + epochS * 1e9, stamp, known, jitterNs))
        pairs.push({ report, refusal: i, deltaNs });
    }
  }
  return pairs;
}

/** Whether a distance is the known one, but for printing, the stamp's room and, if open, the time zone. */
function agrees(
  deltaNs: number,
  { roomNs, zoned }: WallStamp,
  { offsetNs, uncertaintyNs }: NonNullable<LinkTrace['wall']>,
  jitterNs: number,
): boolean {
  const off = deltaNs - offsetNs;
  if (!zoned && Math.abs(off) > FARTHEST_ZONE_NS) return false;
  const rest = zoned ? off : off - Math.round(off / ZONE_STEP_NS) * ZONE_STEP_NS;
  return rest >= -uncertaintyNs - jitterNs && rest <= uncertaintyNs + roomNs + LATEST_NS;
}

/** Links under a distance that is known: a report with one fitting refusal is that refusal. */
function joined(
  log: Case,
  fitted: FittedOffset,
  how: Pick<LogClock, 'clock' | 'method'>,
  baseNs = 0,
): Joined {
  const { own, stamps, trace } = log;
  const fromNs = fitted.fromNs + baseNs;
  const toNs = fitted.toNs + baseNs;
  const middle = (fromNs + toNs) / 2;
  const candidates = stamps.map((stamp, i) =>
    stamp === null ? [] : fitting(log, own[i]!, stamp.ns + fromNs, stamp.ns + toNs),
  );
  const sure = chosen(candidates);
  if (log.printed !== null) chooseByRate(log, log.printed, candidates, sure, middle);
  if (how.clock === 'boot') chooseByLag(log, candidates, sure);
  const found = candidates.map((list, i): Linked => {
    const stamp = stamps[i] ?? null;
    if (stamp === null) return nothing();
    const refusal = sure[i]!;
    const printing = endOf(own[i]!) - (own[i]!.splat.time.monoNs ?? Number.NaN);
    const lag = Number.isNaN(printing) ? 0 : printing;
    const ends = (refusal === null ? list : [refusal]).map((at) => trace.refusals[at]!.timeNs);
    const printed = Number.isNaN(printing) ? log.jitterNs : null;
    const within = commonWindow(own[i]!, trace.windows, ends, lag, printed);
    const end = refusal === null ? stamp.ns + middle : trace.refusals[refusal]!.timeNs;
    return { refusal, fitting: list.length, ...within, momentNs: end - lag };
  });
  const offsetNs = Math.round(middle - roomOf(log) / 2 + trace.epochS * 1e9);
  const uncertaintyNs = Math.ceil((toNs - fromNs) / 2);
  return { found, clock: { ...how, offsetNs, uncertaintyNs } };
}

function fitting(
  { trace, fits }: Case,
  report: PostmortemReport,
  fromNs: number,
  toNs: number,
): number[] {
  const found: number[] = [];
  for (let i = 0; i < trace.refusals.length; i++) {
    const { timeNs } = trace.refusals[i]!;
    if (timeNs > toNs) break;
    if (timeNs >= fromNs && fits.test(report, trace.refusals[i]!)) found.push(i);
  }
  return found;
}

/** The one that fits; as many reports as refusals that fit all of them alike are taken in order. */
function chosen(candidates: readonly (readonly number[])[]): (number | null)[] {
  const alike = new Map<string, number[]>();
  const claims = new Map<number, number>();
  // more refusals than reports cannot be told apart
  const keys = candidates.map((list) => (list.length > candidates.length ? '' : list.join()));
  for (const [i, list] of candidates.entries()) {
    alike.set(keys[i]!, [...(alike.get(keys[i]!) ?? []), i]);
    for (const refusal of list) claims.set(refusal, (claims.get(refusal) ?? 0) + 1);
  }
  return candidates.map((own, i) => {
    if (keys[i] === '') return null;
    const rivals = alike.get(keys[i]!)!;
    if (rivals.length !== own.length) return null;
    const shared = own.some((refusal) => claims.get(refusal) !== rivals.length);
    return shared ? null : own[rivals.indexOf(i)]!;
  });
}

/** Of several that fit, the one that must have printed: the first, or the next after the report before. */
function chooseByRate(
  log: Case,
  printed: PrintedRefusals,
  candidates: readonly (readonly number[])[],
  sure: (number | null)[],
  middle: number,
): void {
  const width = widthOf(log);
  for (let i = 0; i < sure.length; i++) {
    if (sure[i] !== null || candidates[i]!.length === 0) continue;
    const before = i === 0 ? null : sure[i - 1]!;
    const starts = log.stamps.map((stamp) => (stamp?.ns ?? Number.NaN) + middle);
    const next =
      before !== null
        ? printed.after(log.trace.refusals[before]!.timeNs, log.jitterNs)
        : log.whole
          ? printed.first(starts.slice(0, i), width)
          : null;
    if (next !== null && candidates[i]!.includes(next)) sure[i] = next;
  }
}

/** Nearer than this to the lag of the others, and the next one so much farther. */
const NEAR_LAG_NS = 1e6;
const CLEAR_LAG_NS = 1e7;
/** Of several that fit, the one that ends as long after its report as the refusals that are sure. */
function chooseByLag(
  { stamps, trace }: Case,
  candidates: readonly (readonly number[])[],
  sure: (number | null)[],
): void {
  const lagOf = (refusal: number, i: number): number =>
    trace.refusals[refusal]!.timeNs - stamps[i]!.ns;
  const lags = sure.flatMap((refusal, i) => (refusal === null ? [] : [lagOf(refusal, i)]));
  if (lags.length === 0) return;
  const lag = lags.sort((a, b) => a - b)[lags.length >> 1]!;
  const taken = new Set(sure);
  for (let i = 0; i < sure.length; i++) {
    if (sure[i] !== null || candidates[i]!.length < 2) continue;
    const byLag = candidates[i]!.map((refusal) => ({
      refusal,
      off: Math.abs(lagOf(refusal, i) - lag),
    })).sort((a, b) => a.off - b.off);
    const [best, next] = byLag;
    const clear = best!.off <= NEAR_LAG_NS && next!.off >= best!.off + CLEAR_LAG_NS;
    if (!clear || taken.has(best!.refusal)) continue;
    sure[i] = best!.refusal;
    taken.add(best!.refusal);
  }
}

/**
 * The window of all of them, null if they may be in several.
 * @param endsNs ends of the refusals in question, in time order.
 * @param withinNs where the log does not tell how long printing took: at most about so long.
 */
function commonWindow(
  report: PostmortemReport,
  windows: readonly FailureWindow[],
  endsNs: readonly number[],
  lagNs: number,
  withinNs: number | null,
): Pick<Linked, 'window' | 'fittingWindows'> {
  const [first, last] = [endsNs[0], endsNs.at(-1)];
  if (first === undefined || last === undefined) return { window: null, fittingWindows: 0 };
  const found =
    endsNs.length === 1 && withinNs === null
      ? [windowAt(report, windows, first - lagNs, first)].filter((index) => index !== null)
      : windowsWithin(report, windows, first - (withinNs ?? lagNs), last);
  return { window: found.length === 1 ? found[0]! : null, fittingWindows: found.length };
}
