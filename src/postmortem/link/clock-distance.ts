/**
 * How far a log's clock is from the trace's: the pairs of reports and refusals that could be one, held
 * against each other (fit-offset.ts), and against the distance that copies tell, where they do.
 */
import { countBelow } from '../../replay/sorted.js';
import type { WallStamp } from '../wall-stamps.js';
import { type FittedOffset, fitOffset, type Pair } from './fit-offset.js';
import type { Alike } from './kept-refusals.js';
import { LATEST_NS, type LinkTrace, type LogCase, widthOf } from './link-types.js';

type KnownDistance = NonNullable<LinkTrace['wall']>;

/** Local time is a multiple of this away from UTC. */
const ZONE_STEP_NS = 900e9;
const FARTHEST_ZONE_NS = 15 * 3600e9;
/** Pairs that are held against each other. */
const MAX_PAIRS = 100_000;

/**
 * Where trace time minus log time lies. `ambiguous`: several distances fit alike; `too-many`: not all
 * pairs were tried; null: none fits.
 */
export function distanceOf(
  log: LogCase,
  known: LinkTrace['wall'],
): FittedOffset | 'ambiguous' | 'too-many' | null {
  const { stamps, trace, printed } = log;
  const pairs = pairsOf(log, known);
  if (pairs === null) return 'too-many';
  const widthNs = widthOf(log);
  const stampsNs = stamps.map((stamp) => stamp?.ns ?? Number.NaN);
  // a known distance says that the reports lie in the trace
  const placed = known !== null || printed?.mayAllBeKept(widthNs) === false;
  const strict = log.whole && printed !== null && placed;
  return fitOffset({
    pairs,
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

/** The copies' distance in the time zone of the log, as wide as stamps and printing make it. */
export function byCopies(
  log: LogCase,
  fitted: FittedOffset,
  { offsetNs, uncertaintyNs }: KnownDistance,
): { span: FittedOffset; offsetNs: number } {
  const own = offsetNs - log.trace.epochS * 1e9;
  const zones = Math.round(((fitted.fromNs + fitted.toNs) / 2 - own) / ZONE_STEP_NS);
  const zone = log.stamps.some((stamp) => stamp?.zoned) ? 0 : zones * ZONE_STEP_NS;
  const fromNs = own + zone - uncertaintyNs - log.jitterNs;
  const toNs = own + zone + uncertaintyNs + widthOf(log);
  return { span: { fromNs, toNs, reports: fitted.reports }, offsetNs: offsetNs + zone };
}

/** Null where they are too many, or where refusals that could be in one are not kept. */
function pairsOf(log: LogCase, known: LinkTrace['wall']): Pair[] | null {
  const pairs: Pair[] = [];
  for (const [report, stamp] of log.stamps.entries()) {
    if (stamp === null) continue;
    const alike = log.trace.refusals.alike(log.own[report]!);
    const { fromNs, toNs } = reachOf(log, stamp, known);
    if (alike.missingFromNs <= toNs) return null;
    addPairs(pairs, report, stamp, alike, fromNs, toNs, (deltaNs) =>
      known === null ? true : agrees(deltaNs + log.trace.epochS * 1e9, stamp, known, log.jitterNs),
    );
    if (pairs.length > MAX_PAIRS) return null;
  }
  return pairs;
}

function addPairs(
  pairs: Pair[],
  report: number,
  stamp: WallStamp,
  { timesNs }: Alike,
  fromNs: number,
  toNs: number,
  allowed: (deltaNs: number) => boolean,
): void {
  for (let i = countBelow(timesNs, fromNs); i < timesNs.length && timesNs[i]! <= toNs; i++) {
    const deltaNs = timesNs[i]! - stamp.ns;
    if (!allowed(deltaNs)) continue;
    pairs.push({ report, deltaNs });
    if (pairs.length > MAX_PAIRS) return;
  }
}

/** Where in the trace a report's refusal can be at all. */
function reachOf(
  { trace, jitterNs }: LogCase,
  stamp: WallStamp,
  known: LinkTrace['wall'],
): { fromNs: number; toNs: number } {
  if (known === null) return { fromNs: Number.NEGATIVE_INFINITY, toNs: trace.lastNs };
  const at = stamp.ns + known.offsetNs - trace.epochS * 1e9;
  const zone = stamp.zoned ? 0 : FARTHEST_ZONE_NS;
  const early = known.uncertaintyNs + jitterNs + zone;
  const late = known.uncertaintyNs + stamp.roomNs + LATEST_NS + zone;
  return { fromNs: at - early, toNs: at + late };
}

/** Whether a distance is the known one, but for printing, the stamp's room and, if open, the time zone. */
function agrees(
  deltaNs: number,
  { roomNs, zoned }: WallStamp,
  { offsetNs, uncertaintyNs }: KnownDistance,
  jitterNs: number,
): boolean {
  const off = deltaNs - offsetNs;
  if (!zoned && Math.abs(off) > FARTHEST_ZONE_NS) return false;
  const rest = zoned ? off : off - Math.round(off / ZONE_STEP_NS) * ZONE_STEP_NS;
  return rest >= -uncertaintyNs - jitterNs && rest <= uncertaintyNs + roomNs + LATEST_NS;
}
