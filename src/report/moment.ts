/**
 * The state at a moment, out of ReportData, and what each zone would have answered there.
 *
 * Where the replay kept the exact moment, its own verdict is shown; elsewhere the state at the end
 * of the timeline's bucket is judged with the recorded need of GFP_ATOMIC (mm/page_alloc.c
 * __zone_watermark_ok: free - (2^n - 1) must exceed it, and for n > 0 a block must be there).
 */
import type { Moment, NearEvent, NearestBlock, ReportData } from '../analysis/report-data.js';
import type { FailureWindow, ZoneReason } from '../analysis/types.js';
import { bytesText, grouped } from '../analysis/words.js';
import type { Certainty } from '../replay/observer.js';

export interface MomentState {
  readonly timeNs: number;
  /** False: the state is that of a whole bucket's end. */
  readonly exactTime: boolean;
  readonly certainty: Certainty;
  readonly zones: Moment['zones'];
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
export function momentAt(
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
  const pick = (plane: readonly (readonly number[])[]): number[] =>
    plane.map((row) => row[bucket] ?? 0);
  const letters = timeline.zones.map((zone) => zone.certainty[bucket]);
  return {
    timeNs,
    exactTime: false,
    bucket,
    certainty: letters.includes('u') ? 'unknown' : letters.includes('b') ? 'bounded' : 'exact',
    zones: timeline.zones.map((zone) => ({
      free: pick(zone.last),
      low: pick(zone.low ?? zone.last),
      high: pick(zone.high ?? zone.last),
      freePages: zone.freePages[bucket] ?? 0,
    })),
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

/** Whether the replay itself judged this order and class at this moment. */
export function isJudged(moment: MomentState, order: number, gfp: string): boolean {
  return moment.verdict?.order === order && moment.verdict.gfp === gfp;
}

/**
 * Zones in the order a GFP_ATOMIC request tries them. Where the replay did not judge this very request,
 * the answer is that of plain GFP_ATOMIC.
 */
export function judgeMoment(
  data: ReportData,
  moment: MomentState,
  order: number,
  gfp = 'GFP_ATOMIC',
): ZoneAnswer[] {
  return data.zonelist.map((zone) => judgeZone(data, moment, zone, order, gfp));
}

function judgeZone(
  data: ReportData,
  moment: MomentState,
  zone: number,
  order: number,
  gfp: string,
): ZoneAnswer {
  const { node, zone: name } = data.zones[zone]!;
  const given = moment.verdict?.zones.find((z) => z.node === node && z.zone === name);
  if (isJudged(moment, order, gfp) && given) {
    return {
      zone,
      ok: given.verdict === 'succeeds',
      reason: given.reason,
      arithmetic: `${pagesWords(data, given.freePages, order, given.needPages, ' usable')}; ${blocksWords(given.blocks, order, ' usable')}`,
    };
  }
  const state = moment.zones[zone]!;
  const steps = data.timeline.zones[zone]?.marks ?? [];
  const need =
    steps.findLast((step) => step.timeNs <= moment.timeNs)?.atomicNeed ??
    steps[0]?.atomicNeed ??
    null;
  const blocks = state.free.slice(order).reduce((sum, count) => sum + count, 0);
  const above = need === null || state.freePages - 2 ** order + 1 > need;
  const pages = pagesWords(data, state.freePages, order, need, '');
  return {
    zone,
    ok: above && blocks > 0,
    reason: !above ? 'below-watermark' : blocks > 0 ? 'none' : 'fragmented',
    arithmetic: `${pages}; ${blocksWords(blocks, order, '')}`,
  };
}

/** `4 096 free (16 MiB) − 7 = 4 089 > 268 that must stay`: the kernel's own comparison. */
function pagesWords(
  data: ReportData,
  free: number,
  order: number,
  need: number | null,
  usable: string,
): string {
  const size = bytesText(free * data.pageSize);
  const rest = 2 ** order - 1;
  const left = free - rest;
  const sum = rest === 0 ? '' : ` − ${grouped(rest)} = ${signed(left)}`;
  const mark =
    need === null
      ? '; how many must stay is not known'
      : ` ${left > need ? '>' : '≤'} ${grouped(need)} that must stay free`;
  return `pages: ${grouped(free)}${usable} (${size})${sum}${mark}`;
}

function signed(value: number): string {
  return value < 0 ? `−${grouped(-value)}` : grouped(value);
}

function blocksWords(blocks: number, order: number, usable: string): string {
  const what = blocks === 1 ? 'block' : 'blocks';
  return `${blocks === 0 ? 'no' : grouped(blocks)}${usable} ${what} of order ${order} or more`;
}
