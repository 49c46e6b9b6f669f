/**
 * One zone of a report against one request: does it pass, and if not, why, and by how much.
 *
 * The test is the kernel's (src/kernel/watermark.ts); this file turns printed figures into its
 * counts. A report prints letters, not counts by type: an order that shows only H, C or I has no
 * block for others, one that also shows U, M or E has at least one. What a kernel does not print
 * (the HIGHATOMIC reserve before 5.10, its free part before 6.17) is taken at its least and, to see
 * whether that matters, at its most; so is the boost, which 5.0 to 5.18 have and do not print.
 */
import { allocFlags } from '../kernel/alloc-flags.js';
import { fragmentationIndex, unusableIndex } from '../kernel/fragmentation-index.js';
import type { GfpRequest } from '../kernel/gfp.js';
import { highatomicCap } from '../kernel/highatomic.js';
import type { KernelProfile } from '../kernel/profile.js';
import { planTest, unusablePages, type ZoneCounts, type ZoneTest } from '../kernel/watermark.js';
import { judgeZone, type WatermarkReason, type ZoneJudgement } from '../kernel/zone-verdict.js';
import type { SplatFreeList, SplatZone } from '../records/splat.js';
import type { Cause, Unusable, ZoneFinding } from './findings.js';
import { zoneSteps } from './zone-steps.js';

export interface ZoneInput {
  readonly node: number;
  readonly zone: string;
  readonly line: SplatZone | null;
  readonly list: SplatFreeList | null;
}

export interface JudgeContext {
  readonly request: GfpRequest;
  readonly profile: KernelProfile;
  readonly order: number;
  readonly pageKB: number;
  readonly pageblockOrder: number;
  /** Index of the request's highest zone in lowmem_reserve[]. */
  readonly classIndex: number;
  /** Zones of this kernel, lowest first. */
  readonly compiled: readonly string[];
  /** The task reclaims memory itself (PF_MEMALLOC). */
  readonly memalloc: boolean;
}

interface Counts extends ZoneCounts {
  /** True if reservedHighatomic or freeHighatomic is an estimate that matters to this request. */
  readonly estimated: boolean;
}

export function judgeSplatZone(input: ZoneInput, context: JudgeContext): ZoneFinding {
  const { line, list } = input;
  const test = testOf(input, context, context.order);
  const least = countsOf(input, context, test, 'least');
  const judged = judgeZone(test, least);
  const reason = reasonOf(judged, input, context);
  const hiddenBoostPages = hiddenBoost(line, context);
  const certain = readings(input, context, test, least, hiddenBoostPages).every(
    (other) => reasonOf(other, input, context) === reason,
  );
  const margin = line === null ? null : marginOf(judged, test, least);
  const pagesShort = shortage(judged, reason, context.order, least.freePages);
  const known = line !== null && list !== null;
  // what is cut off of a list may hold blocks
  const noBlocksTold = list === null || (!list.complete && judged.blocks === 0);
  const finding: Omit<ZoneFinding, 'steps'> = {
    node: input.node,
    zone: input.zone,
    eligible: true,
    reason,
    because: reason === 'below-watermark' ? judged.cause : null,
    certain,
    freePages: line === null && list === null ? null : least.freePages,
    managedPages: pagesOf(line?.managedKB ?? line?.presentKB ?? null, context.pageKB),
    minPages: pagesOf(line?.minKB ?? null, context.pageKB),
    boostPages: pagesOf(line?.boostKB ?? 0, context.pageKB) ?? 0,
    hiddenBoostPages,
    reducedPages: line?.minKB == null ? null : test.reduced,
    reservePages: test.noWatermarks ? 0 : test.reserve,
    unusable: unusableOf(test, least),
    marginPages: margin === null || Number.isNaN(margin) ? null : margin,
    pagesShort,
    blocks: noBlocksTold ? null : judged.blocks,
    blocksShort: !noBlocksTold && judged.blocks === 0 ? 1 : 0,
    reachablePages: list === null ? null : reachable(test, least),
    unusableIndex: list === null ? null : unusableIndex(list.blocks, context.order),
    fragmentationIndex: list === null ? null : fragmentationIndex(list.blocks, context.order),
    servedOrder: known ? servedOrder(input, context) : null,
    freeBlocks: list?.blocks ?? [],
    letters: list?.letters ?? [],
  };
  return { ...finding, steps: zoneSteps(finding, test, context, input) };
}

/** The other judgements that unprinted figures allow. */
function readings(
  input: ZoneInput,
  context: JudgeContext,
  test: ZoneTest,
  least: Counts,
  hidden: number,
): ZoneJudgement[] {
  const others: ZoneJudgement[] = [];
  if (least.estimated) others.push(judgeZone(test, countsOf(input, context, test, 'most')));
  if (hidden > 0) others.push(judgeZone(testOf(input, context, context.order, hidden), least));
  return others;
}

/**
 * Pages of the printed min that must be boost on kernels that do not print it (5.0-5.18): low is min
 * plus at least a quarter of what min is without boost, so min without boost is at most four times
 * that distance (and the remainder of a division).
 */
export function hiddenBoost(line: SplatZone | null, context: JudgeContext): number {
  if (!context.profile.switches.boost || line === null || line.boostKB !== null) return 0;
  const min = pagesOf(line.minKB, context.pageKB);
  const low = pagesOf(line.lowKB, context.pageKB);
  if (min === null || low === null || low <= min) return 0;
  return Math.max(0, min - (4 * (low - min) + 3));
}

function testOf(input: ZoneInput, context: JudgeContext, order: number, hidden = 0): ZoneTest {
  const { line } = input;
  const boost = (pagesOf(line?.boostKB ?? 0, context.pageKB) ?? 0) + hidden;
  const printedMin = pagesOf(line?.minKB ?? null, context.pageKB);
  const min = printedMin === null ? Number.NaN : Math.max(0, printedMin - boost);
  const printedLow = pagesOf(line?.lowKB ?? null, context.pageKB) ?? Number.NaN;
  const flags = allocFlags(context.request, context.profile.switches, order, 'slow', {
    memalloc: context.memalloc,
  });
  return planTest(
    context.request,
    context.profile.switches,
    order,
    'slow',
    flags,
    { min, low: printedLow - boost, boost, protection: line?.lowmemReservePages ?? [] },
    context.classIndex,
    { pageblockOrder: context.pageblockOrder },
  );
}

function countsOf(
  input: ZoneInput,
  context: JudgeContext,
  test: ZoneTest,
  reading: 'least' | 'most',
): Counts {
  const { line, list } = input;
  const pageKB = context.pageKB;
  const free = list?.blocks ?? [];
  const types = blocksByType(list);
  const fromList = list?.totalKB ?? free.reduce((sum, n, q) => sum + n * pageKB * 2 ** q, 0);
  const freeKB = line?.freeKB ?? fromList;
  const reserve = reserveOf(input, context, test, reading, types.leastHighatomic);
  return {
    freePages: Math.floor(freeKB / pageKB),
    free,
    freeCma: pagesOf(line?.freeCmaKB ?? 0, pageKB) ?? 0,
    reservedHighatomic: reserve.pages,
    freeHighatomic: reserve.pages,
    highatomic: types.highatomic,
    cma: types.cma,
    isolated: types.isolated,
    estimated: reserve.estimated,
  };
}

interface TypedBlocks {
  readonly highatomic: number[];
  readonly cma: number[];
  readonly isolated: number[];
  /** Free pages that are HIGHATOMIC for certain. */
  readonly leastHighatomic: number;
}

/** Blocks that only the holders of a right may take: orders without U, M, E or R letters. */
function blocksByType(list: SplatFreeList | null): TypedBlocks {
  const highatomic: number[] = [];
  const cma: number[] = [];
  const isolated: number[] = [];
  let leastHighatomic = 0;
  const blocks = list?.blocks ?? [];
  for (let q = 0; q < blocks.length; q++) {
    const letters = list?.letters[q] ?? '';
    const count = blocks[q]!;
    const special = count > 0 && letters !== '' && !/[UMER]/.test(letters);
    const kinds = special ? [...letters].filter((l) => 'HCI'.includes(l)) : [];
    // a letter stands for at least one block; the rest goes to the first kind
    const share = (letter: string): number =>
      !kinds.includes(letter) ? 0 : kinds[0] === letter ? count - (kinds.length - 1) : 1;
    highatomic.push(share('H'));
    cma.push(share('C'));
    isolated.push(share('I'));
    if (letters.includes('H')) leastHighatomic += Math.max(1, share('H')) * 2 ** q;
  }
  return { highatomic, cma, isolated, leastHighatomic };
}

/** The reserve a request without rights must leave alone, printed or estimated. */
function reserveOf(
  input: ZoneInput,
  context: JudgeContext,
  test: ZoneTest,
  reading: 'least' | 'most',
  leastFree: number,
): { pages: number; estimated: boolean } {
  const { line } = input;
  const pays = test.subtractReserved || test.subtractFreeHighatomic;
  const printed = test.subtractFreeHighatomic
    ? (line?.freeHighatomicKB ?? null)
    : (line?.reservedHighatomicKB ?? null);
  if (printed !== null) return { pages: Math.floor(printed / context.pageKB), estimated: false };
  if (!pays || line === null) return { pages: 0, estimated: false };
  const reserved = pagesOf(line.reservedHighatomicKB, context.pageKB);
  if (test.subtractFreeHighatomic && reserved !== null) {
    if (reserved === 0) return { pages: 0, estimated: false };
    const least = Math.min(leastFree, reserved);
    return { pages: reading === 'least' ? least : reserved, estimated: true };
  }
  const pageblock = 2 ** context.pageblockOrder;
  const managed = pagesOf(line.managedKB ?? line.presentKB, context.pageKB) ?? 0;
  const cap = highatomicCap(managed, pageblock, context.profile.switches.highatomicCap);
  const least = leastFree === 0 ? 0 : test.subtractReserved ? pageblock : leastFree;
  return { pages: reading === 'least' ? least : Math.max(cap, least), estimated: cap > 0 };
}

/**
 * Pages beyond the least that passes. Order 0 on 4.9-5.4 has a quick test that leaves the HIGHATOMIC
 * reserve out of account; a task without watermarks only needs the pages themselves.
 */
function marginOf(judged: ZoneJudgement, test: ZoneTest, counts: Counts): number {
  if (test.noWatermarks) return counts.freePages - 2 ** test.order;
  const full = judged.freePages - test.orderPages - test.needPages - 1;
  const cma = test.subtractCma ? counts.freeCma : 0;
  const quick = counts.freePages - cma - test.shortcutPages - 1;
  return judged.watermarkOk ? Math.max(full, quick) : full;
}

const REASONS: Readonly<Record<WatermarkReason, Cause>> = {
  none: 'should-have-passed',
  'below-watermark': 'below-watermark',
  'lowmem-reserve': 'lowmem-reserve',
  fragmented: 'fragmented',
  'only-highatomic': 'only-highatomic',
  'only-cma': 'only-cma',
  isolated: 'only-isolated',
  unknown: 'cannot-be-told',
};

function reasonOf(judged: ZoneJudgement, input: ZoneInput, context: JudgeContext): Cause {
  const { line, list } = input;
  const size = pagesOf(line?.managedKB ?? line?.presentKB ?? null, context.pageKB);
  if (size !== null && size < 2 ** context.order) return 'impossible-request';
  if (line === null || line.minKB === null) {
    // marks unknown: only the lack of any block is certain
    if (list?.complete && context.order > 0 && judged.blocks === 0) return blocksOnly(judged);
    return 'cannot-be-told';
  }
  if (judged.reason === 'fragmented' && judged.shortageOrder >= 0) return 'old-halving-rule';
  // without a list no page is seen, however many are counted
  const unseen = list === null && (line.freeKB ?? 0) >= context.pageKB;
  const pagesPass = judged.pagesShort === 0 && (unseen || judged.reason !== 'below-watermark');
  // what is cut off in front of its reserve may be kept from this request
  if (pagesPass && reserveIsCut(input, context)) return 'cannot-be-told';
  if (pagesPass && list === null) {
    return context.order === 0 ? 'should-have-passed' : 'cannot-be-told';
  }
  if (pagesPass && list !== null && !list.complete && judged.blocks === 0 && context.order > 0) {
    return 'cannot-be-told';
  }
  return REASONS[judged.reason];
}

/** No zone keeps a reserve from requests that can use nothing higher. */
function reserveIsCut({ zone, line }: ZoneInput, { classIndex, compiled }: JudgeContext): boolean {
  const told = line?.lowmemReservePages?.length ?? 0;
  return told <= classIndex && compiled.indexOf(zone) < classIndex;
}

function blocksOnly(judged: ZoneJudgement): Cause {
  const cause = REASONS[judged.reason];
  return cause === 'cannot-be-told' || cause === 'below-watermark' ? 'fragmented' : cause;
}

/** A task without watermarks may still find no page at all. */
function shortage(judged: ZoneJudgement, reason: Cause, order: number, free: number): number {
  if (Number.isNaN(judged.pagesShort)) return 0;
  if (reason === 'below-watermark' && judged.pagesShort === 0)
    return Math.max(1, 2 ** order - free);
  return judged.pagesShort;
}

function unusableOf(test: ZoneTest, counts: Counts): Unusable[] {
  const parts: Unusable[] = [];
  if (test.orderPages > 0) {
    parts.push({ what: 'the request itself', pages: test.orderPages, estimated: false });
  }
  const cma = test.subtractCma ? counts.freeCma : 0;
  if (cma > 0) parts.push({ what: 'CMA', pages: cma, estimated: false });
  const kept = unusablePages(test, counts) - cma;
  if (kept > 0) {
    parts.push({ what: 'HIGHATOMIC reserve', pages: kept, estimated: counts.estimated });
  }
  return parts;
}

/** Pages in blocks of the order or above that the request may take. */
function reachable(test: ZoneTest, zone: Counts): number {
  let pages = 0;
  for (let q = test.order; q < zone.free.length; q++) {
    let blocks = zone.free[q]! - (zone.isolated?.[q] ?? 0);
    if (!test.takesHighatomic) blocks -= zone.highatomic?.[q] ?? 0;
    if (!test.countsCma) blocks -= zone.cma?.[q] ?? 0;
    pages += Math.max(0, blocks) * 2 ** q;
  }
  return pages;
}

/** The largest order that would have passed here with the same flags. */
function servedOrder(input: ZoneInput, context: JudgeContext): number {
  const top = (input.list?.blocks.length ?? 1) - 1;
  for (let order = top; order >= 0; order--) {
    const test = testOf(input, context, order);
    if (judgeZone(test, countsOf(input, context, test, 'least')).ok) return order;
  }
  return -1;
}

export function pagesOf(kB: number | null, pageKB: number): number | null {
  return kB === null ? null : Math.floor(kB / pageKB);
}
