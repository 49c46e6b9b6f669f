/**
 * Why a zone can or cannot serve a request: the readable twin of watermark.ts.
 *
 * The decision is made by the same constants and functions, so the two cannot disagree; this file
 * adds the reason, what is short, and the steps in words for reports. Reasons and sub-labels follow
 * the order in which the kernel refuses: pages first, then blocks.
 */
import { AllocFlag } from './alloc-flags.js';
import {
  halvingShortage,
  supplyOk,
  unusablePages,
  usableBlocks,
  watermarkOk,
  type ZoneCounts,
  type ZoneTest,
} from './watermark.js';

/** Why a zone refuses. `none` = it serves. */
export type WatermarkReason =
  | 'none'
  | 'below-watermark'
  | 'lowmem-reserve'
  | 'fragmented'
  | 'only-highatomic'
  | 'only-cma'
  | 'isolated'
  | 'unknown';

/** What alone would have let a page shortage pass. */
export type ShortageCause = 'cma' | 'highatomic' | 'boost' | null;

export interface ZoneJudgement {
  readonly ok: boolean;
  /** The kernel's own test; false supply with a true test is a refusal after the test. */
  readonly watermarkOk: boolean;
  readonly reason: WatermarkReason;
  /** Sub-label of below-watermark. */
  readonly cause: ShortageCause;
  readonly needPages: number;
  /** Free pages that this request may count. */
  readonly freePages: number;
  /** Pages that would have to become free for the page part to pass. */
  readonly pagesShort: number;
  /** Blocks of the order or above that the request could take. */
  readonly blocks: number;
  /** Old rule: the order below which too much of the free memory lies; -1 otherwise. */
  readonly shortageOrder: number;
}

/** Judges one zone with one test. */
export function judgeZone(test: ZoneTest, zone: ZoneCounts): ZoneJudgement {
  const counted = zone.freePages - unusablePages(test, zone);
  const margin = counted - test.orderPages - test.needPages;
  const blocks = usableBlocks(test, zone);
  const passed = watermarkOk(test, zone);
  const unknown = Number.isNaN(test.needPages) && !test.noWatermarks;
  const common = {
    needPages: test.needPages,
    freePages: counted,
    pagesShort: passed || unknown || margin > 0 ? 0 : 1 - margin,
    blocks,
    watermarkOk: passed && !unknown,
    cause: null,
    shortageOrder: -1,
  };
  const supply = supplyOk(test, zone);
  if (passed && supply) return { ...common, ok: !unknown, reason: unknown ? 'unknown' : 'none' };
  if (!passed && margin <= 0)
    return { ...common, ok: false, ...shortageReason(test, zone, counted) };
  if (supply && test.halving) {
    return {
      ...common,
      ok: false,
      reason: 'fragmented',
      shortageOrder: halvingShortage(test, zone),
    };
  }
  return { ...common, ok: false, reason: blockReason(test, zone) };
}

function shortageReason(
  test: ZoneTest,
  zone: ZoneCounts,
  counted: number,
): { reason: WatermarkReason; cause: ShortageCause } {
  const free = counted - test.orderPages;
  if (test.reserve > 0 && free > test.reduced) return { reason: 'lowmem-reserve', cause: null };
  const cma = test.subtractCma ? zone.freeCma : 0;
  if (cma > 0 && free + cma > test.needPages) return { reason: 'below-watermark', cause: 'cma' };
  const kept = unusablePages(test, zone) - cma;
  if (kept > 0 && free + kept > test.needPages) {
    return { reason: 'below-watermark', cause: 'highatomic' };
  }
  if (test.boostPages > 0 && free > test.needWithoutBoost) {
    return { reason: 'below-watermark', cause: 'boost' };
  }
  return { reason: 'below-watermark', cause: null };
}

/** No usable block: because there is none at all, or only of types out of reach. */
function blockReason(test: ZoneTest, zone: ZoneCounts): WatermarkReason {
  const { order } = test;
  if (atOrAbove(zone.free, order) <= 0) return order === 0 ? 'below-watermark' : 'fragmented';
  if (!test.takesHighatomic && atOrAbove(zone.highatomic, order) > 0) return 'only-highatomic';
  if (atOrAbove(zone.cma, order) > 0) return 'only-cma';
  return atOrAbove(zone.isolated, order) > 0 ? 'isolated' : 'unknown';
}

function atOrAbove(blocks: ArrayLike<number> | null, order: number): number {
  let sum = 0;
  if (blocks !== null) for (let q = order; q < blocks.length; q++) sum += blocks[q]!;
  return sum;
}

/** The judgement in steps of words and numbers, for a report or a terminal. */
export function explainWatermark(test: ZoneTest, zone: ZoneCounts): string[] {
  const judged = judgeZone(test, zone);
  const steps: string[] = [];
  if (test.noWatermarks) steps.push('the request ignores watermarks');
  else steps.push(...markSteps(test), ...pageSteps(test, zone, judged));
  if (judged.watermarkOk || judged.pagesShort === 0) steps.push(...blockSteps(test, judged));
  steps.push(judged.ok ? 'the zone serves the request' : `the zone refuses: ${judged.reason}`);
  return steps;
}

function markSteps(test: ZoneTest): string[] {
  const name = test.path === 'fast' ? 'low' : 'min';
  const boosted = test.boostPages > 0 ? ` (boost ${test.boostPages} included)` : '';
  const steps = [`the ${name} watermark is ${test.mark} pages${boosted}`];
  if (test.reduced !== test.mark) {
    const rights: string[] = [];
    if ((test.allocFlags & AllocFlag.MIN_RESERVE) !== 0) rights.push('__GFP_HIGH');
    if ((test.allocFlags & AllocFlag.NON_BLOCK) !== 0) rights.push('no sleep');
    if ((test.allocFlags & AllocFlag.OOM) !== 0) rights.push('OOM victim');
    steps.push(`${rights.join(' and ')} lower it to ${test.reduced}`);
  }
  if (test.reserve > 0)
    steps.push(`lowmem_reserve adds ${test.reserve}: ${test.needPages} must remain`);
  return steps;
}

function pageSteps(test: ZoneTest, zone: ZoneCounts, judged: ZoneJudgement): string[] {
  const parts = [`${zone.freePages} pages are free`];
  if (test.subtractCma && zone.freeCma > 0) parts.push(`${zone.freeCma} of them CMA`);
  if (test.subtractReserved && zone.reservedHighatomic > 0) {
    parts.push(`${zone.reservedHighatomic} counted as reserved for atomics`);
  }
  if (test.subtractFreeHighatomic && zone.freeHighatomic > 0) {
    parts.push(`${zone.freeHighatomic} of them reserved for atomics`);
  }
  const left = judged.freePages - test.orderPages;
  const sign = judged.pagesShort === 0 ? 'more than' : 'not more than';
  return [parts.join(', '), `${left} would remain, ${sign} ${test.needPages}`];
}

function blockSteps(test: ZoneTest, judged: ZoneJudgement): string[] {
  if (judged.shortageOrder >= 0) {
    return [
      `${judged.blocks} usable blocks of order ${test.order} or above exist, but without the blocks up to order ${judged.shortageOrder} too little is left`,
    ];
  }
  if (judged.reason === 'unknown') return ['the watermarks of this zone are not known'];
  return [`${judged.blocks} usable blocks of order ${test.order} or above`];
}
