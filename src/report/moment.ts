/**
 * The state at a moment, out of ReportData, and what each zone would have answered there.
 *
 * Where the replay kept the exact moment and judged this very request, its own verdict is shown; elsewhere
 * the state kept, or that at the end of the timeline's bucket, is judged by the same rules.
 */
import type {
  Moment,
  MomentZone,
  NearEvent,
  NearestBlock,
  ReportData,
} from '../analysis/report-data.js';
import { judgeZones, zonesAtBucket } from '../analysis/state-at.js';
import type { FailureWindow, VerdictWord, ZoneReason, ZoneVerdict } from '../analysis/types.js';
import { bytesText, grouped } from '../analysis/words.js';
import type { Certainty } from '../replay/observer.js';

export interface MomentState {
  readonly timeNs: number;
  /** False: the state is that of a whole bucket's end. */
  readonly exactTime: boolean;
  readonly certainty: Certainty;
  readonly zones: readonly MomentZone[];
  readonly bucket: number;
  readonly verdict: Moment['verdict'];
  readonly nearest: readonly NearestBlock[];
  /** Page events next to it; only where the replay kept the moment. */
  readonly around: readonly NearEvent[];
}

export interface ZoneAnswer {
  /** Index in `zones`. */
  readonly zone: number;
  readonly ok: boolean;
  readonly reason: ZoneReason;
  /** In words and figures. */
  readonly arithmetic: string;
}

type LeadingFacts = Pick<ReportData, 'windows' | 'narrative' | 'timeline' | 'span'>;

/**
 * Where the longest window of the order and class that the verdict speaks of opens; where it speaks of
 * none, the tightest moment.
 */
export function leadingMoment(data: LeadingFacts): number | null {
  const { order, gfp } = data.narrative;
  if (order === undefined) return tightestMoment(data);
  let longest: FailureWindow | null = null;
  for (const window of data.windows) {
    if (window.order !== order || window.gfp !== gfp) continue;
    const ns = window.toNs - window.fromNs;
    if (longest === null || ns > longest.toNs - longest.fromNs) longest = window;
  }
  return longest === null ? null : longest.fromNs;
}

/** End of the column of the timeline in which least memory was free; null = nothing is known. */
function tightestMoment({ timeline, span }: LeadingFacts): number | null {
  let least = Number.POSITIVE_INFINITY;
  let found = -1;
  for (let b = 0; b < timeline.buckets; b++) {
    if (timeline.zones.some((zone) => zone.certainty[b] === 'u')) continue;
    const pages = timeline.zones.reduce((sum, zone) => sum + (zone.freePagesMin[b] ?? 0), 0);
    if (pages < least) {
      least = pages;
      found = b;
    }
  }
  if (found < 0 || timeline.zones.length === 0) return null;
  const endNs = Math.round(timeline.fromNs + (found + 1) * timeline.bucketNs) - 1;
  return Math.max(span.fromNs, Math.min(span.toNs, endNs));
}

/** Of several moments kept at one time, the one that judged this order and class is meant. */
function momentAt(
  data: ReportData,
  timeNs: number,
  order = 0,
  gfp = 'GFP_ATOMIC',
): MomentState | null {
  const { timeline } = data;
  if (timeline.zones.length === 0) return null;
  const at = Math.floor((timeNs - timeline.fromNs) / timeline.bucketNs);
  const bucket = Math.max(0, Math.min(timeline.buckets - 1, at));
  const kept = data.moments.filter((moment) => moment.timeNs === timeNs);
  const exact = kept.find((m) => m.verdict?.order === order && m.verdict.gfp === gfp) ?? kept[0];
  if (exact)
    return {
      ...exact,
      exactTime: true,
      bucket,
      nearest: exact.nearest ?? [],
      around: exact.around ?? [],
    };
  const letters = timeline.zones.map((zone) => zone.certainty[bucket]);
  return {
    timeNs,
    exactTime: false,
    bucket,
    certainty: letters.includes('u') ? 'unknown' : letters.includes('b') ? 'bounded' : 'exact',
    zones: zonesAtBucket(data, bucket),
    verdict: null,
    nearest: [],
    around: [],
  };
}

/**
 * What stood between each zone and a block of the order when that was last looked at, not after
 * this time and within the same failing; null if it was never looked at.
 */
export function nearestBefore(
  data: ReportData,
  timeNs: number,
  order: number,
): {
  readonly timeNs: number;
  readonly blocks: readonly NearestBlock[];
  readonly verdict: Moment['verdict'];
} | null {
  const moment = data.moments.findLast(
    (m) => m.timeNs <= timeNs && m.verdict?.order === order && m.nearest !== undefined,
  );
  return moment
    ? { timeNs: moment.timeNs, blocks: moment.nearest!, verdict: moment.verdict }
    : null;
}

/** What a request would have been answered with the state of a moment. */
export interface Answer {
  readonly word: VerdictWord;
  /** Of the zone that came nearest to serving it. */
  readonly reason: ZoneReason;
  /** In the order in which the request tries them. */
  readonly zones: readonly ZoneAnswer[];
}

/** The answer at an instant, and the state that explains it. */
export interface MomentAnswer extends Answer {
  readonly moment: MomentState;
  /**
   * Of when the state is: the very event; the end of the column; the opening of the window; or the end of the column
   * although a window closed, or opens, before that.
   */
  readonly shows: 'event' | 'column' | 'opening' | 'closed' | 'not-yet';
}

interface Request {
  readonly order: number;
  readonly gfp: string;
}

/** No zone can serve by the best estimate. */
function refuses({ zones }: Answer): boolean {
  return !zones.some(({ ok }) => ok);
}

/** @param window the failure window of this request that holds the instant. */
export function answerAt(
  data: ReportData,
  atNs: number,
  request: Request,
  window: FailureWindow | null,
): MomentAnswer | null {
  const { order, gfp } = request;
  const moment = momentAt(data, atNs, order, gfp);
  if (moment === null) return null;
  const answer = judgeMoment(data, moment, order, gfp);
  const shows = moment.exactTime ? 'event' : 'column';
  if (window !== null) {
    if (refuses(answer)) return { ...answer, word: 'fails', moment, shows };
    const opening = momentAt(data, window.fromNs, order, gfp);
    const opened = opening?.exactTime ? judgeMoment(data, opening, order, gfp) : null;
    if (opening !== null && opened !== null && refuses(opened)) {
      return { ...opened, word: 'fails', moment: opening, shows: 'opening' };
    }
    return { ...answer, word: 'fails', reason: window.reason, moment, shows: 'closed' };
  }
  if (answer.word !== 'fails') return { ...answer, moment, shows };
  const endNs = data.timeline.fromNs + (moment.bucket + 1) * data.timeline.bucketNs;
  const next = data.windows.some(
    (w) => w.order === order && w.gfp === gfp && w.fromNs > atNs && w.fromNs <= endNs,
  );
  if (next && !moment.exactTime) return { ...answer, word: 'succeeds', moment, shows: 'not-yet' };
  // No window says so: an estimate alone is not enough.
  const word = moment.certainty === 'exact' ? 'fails' : 'undetermined';
  return { ...answer, word, moment, shows };
}

/** The answer to a request, zone by zone in the order it tries them. */
function judgeMoment(
  data: ReportData,
  moment: MomentState,
  order: number,
  gfp = 'GFP_ATOMIC',
): Answer {
  const { verdict: kept } = moment;
  const same = kept !== null && kept.order === order && kept.gfp === gfp;
  const verdict = same ? kept : judgeZones(data, moment.zones, moment, { order, gfp });
  return {
    word: verdict.verdict,
    reason: verdict.reason,
    zones: verdict.zones.map((zone) => zoneAnswer(data, moment, zone, order)),
  };
}

function zoneAnswer(
  data: ReportData,
  moment: MomentState,
  judged: ZoneVerdict,
  order: number,
): ZoneAnswer {
  const zone = data.zones.findIndex((z) => z.node === judged.node && z.zone === judged.zone);
  const all = moment.zones[zone]!;
  const large = (counts: readonly number[]): number =>
    counts.slice(order).reduce((sum, count) => sum + count, 0);
  const [blocks, least, most] = [large(all.free), large(all.low), large(all.high)];
  const usable = judged.blocks === blocks ? '' : ` usable of ${grouped(blocks)}`;
  const bounds = least === most ? '' : ` (${grouped(least)} to ${grouped(most)})`;
  return {
    zone,
    ok: judged.verdict === 'succeeds',
    reason: judged.reason,
    arithmetic: `${pagesWords(data, judged, order, all, moment.certainty)}; ${blocksWords(judged.blocks, order, usable + bounds)}`,
  };
}

/** Its blocks are known within bounds only. */
export function hasBounds({ low, high }: Pick<MomentZone, 'low' | 'high'>): boolean {
  return low.some((n, q) => n !== high[q]);
}

/** `pages: 4 096 free (16 MiB) − 7 = 4 089 > 268 that must stay free`: the kernel's own comparison. */
function pagesWords(
  data: ReportData,
  { freePages, needPages, pagesShort }: ZoneVerdict,
  order: number,
  all: MomentZone,
  certainty: Certainty,
): string {
  const size = bytesText(freePages * data.pageSize);
  const about = hasBounds(all) || certainty === 'unknown' ? 'about ' : '';
  const usable = freePages === all.freePages ? 'free' : `usable of ${grouped(all.freePages)} free`;
  const rest = 2 ** order - 1;
  const sum = rest === 0 ? '' : ` − ${grouped(rest)} = ${signed(freePages - rest)}`;
  const mark =
    needPages === null
      ? '; how many must stay is not known'
      : ` ${pagesShort === 0 ? '>' : '≤'} ${grouped(needPages)} that must stay free`;
  return `pages: ${about}${grouped(freePages)} ${usable} (${size})${sum}${mark}`;
}

function signed(value: number): string {
  return value < 0 ? `−${grouped(-value)}` : grouped(value);
}

function blocksWords(blocks: number, order: number, usable: string): string {
  const what = blocks === 1 ? 'block' : 'blocks';
  return `${blocks === 0 && usable === '' ? 'no' : grouped(blocks)}${usable} ${what} of order ${order} or more`;
}
