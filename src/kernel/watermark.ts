/**
 * Can this zone serve this request now? The watermark test and the supply behind it.
 *
 * Kernel: zone_watermark_fast() / __zone_watermark_ok() and rmqueue() in mm/page_alloc.c, in four
 * generations (switch `watermarkRule`): halving (2.6.24-4.3), modern-4.4 (4.4-4.9), modern-4.14
 * (4.14-6.2), modern-6.3 (6.3 on, and 6.1.192). docs/model/watermark-test.md has each in words.
 *
 * A test has two parts. `planTest` turns (request flags, marks, reserve) into constants once;
 * `watermarkOk` and `supplyOk` then compare them with a zone's counts, allocate nothing and are
 * meant for millions of calls. `judgeZone` (zone-verdict.ts) says the same with reasons.
 */
import { AllocFlag, type AllocPath, reducedMin } from './alloc-flags.js';
import type { GfpRequest } from './gfp.js';
import type { ProfileSwitches } from './profile-switches.js';

/**
 * A zone's free memory. Callers keep one object per zone and update it; arrays are indexed by
 * order and hold blocks. The three optional arrays are part of `free`, not beside it.
 */
export interface ZoneCounts {
  /** NR_FREE_PAGES. */
  freePages: number;
  /** Free blocks by order, all types. */
  readonly free: ArrayLike<number>;
  /** Free pages of type CMA. */
  freeCma: number;
  /** Pages in HIGHATOMIC pageblocks, free or not. */
  reservedHighatomic: number;
  /** Free pages in HIGHATOMIC pageblocks. */
  freeHighatomic: number;
  /** Free blocks by order of types HIGHATOMIC, CMA and ISOLATE; null = none. */
  readonly highatomic: ArrayLike<number> | null;
  readonly cma: ArrayLike<number> | null;
  readonly isolated: ArrayLike<number> | null;
}

/** Watermarks and reserve of a zone, in pages. min, low, high without boost. */
export interface TestMarks {
  readonly min: number;
  readonly low: number;
  readonly boost: number;
  /** lowmem_reserve by zone index of the request. */
  readonly protection: readonly number[];
}

/** Constants of one test of one zone. */
export interface ZoneTest {
  readonly order: number;
  readonly path: AllocPath;
  readonly allocFlags: number;
  /** The mark before reductions, boost included where it counts. */
  readonly mark: number;
  /** Boost inside `mark`. */
  readonly boostPages: number;
  /** What needPages would be without boost. */
  readonly needWithoutBoost: number;
  /** Reduced mark, without the reserve. */
  readonly reduced: number;
  readonly reserve: number;
  /** free - unusable must exceed this: reduced + reserve. */
  readonly needPages: number;
  /** 2^order - 1, or 2^order + 1 on kernels with that bug. */
  readonly orderPages: number;
  /** Whether CMA pages, highatomic reserve, or free highatomic pages are taken off. */
  readonly subtractCma: boolean;
  readonly subtractReserved: boolean;
  readonly subtractFreeHighatomic: boolean;
  /** Order 0: passes at once if free minus CMA exceeds this; Infinity = no such shortcut. */
  readonly shortcutPages: number;
  /** Old kernels: per-order halving instead of a look for one block. */
  readonly halving: boolean;
  /** 4.4-4.9 with HARDER: any block of the order passes the test, even an unusable one. */
  readonly anyBlockPasses: boolean;
  readonly noWatermarks: boolean;
  /** The watermark test lets highatomic / CMA blocks count as suitable. */
  readonly countsHighatomic: boolean;
  readonly countsCma: boolean;
  /** The allocation behind the test can really take highatomic blocks. */
  readonly takesHighatomic: boolean;
}

/** Facts of the machine that the tables cannot know. */
export interface TestGeometry {
  readonly pageblockOrder: number;
}

const DEFAULT_GEOMETRY: TestGeometry = { pageblockOrder: 9 };

/** The constants of one test. `classIndex`: zoneIndexOfClass of the request (zonelist.ts). */
export function planTest(
  request: GfpRequest,
  switches: ProfileSwitches,
  order: number,
  path: AllocPath,
  flags: number,
  marks: TestMarks,
  classIndex: number,
  geometry: TestGeometry = DEFAULT_GEOMETRY,
): ZoneTest {
  const nonBlock = (flags & AllocFlag.NON_BLOCK) !== 0;
  const oom = (flags & AllocFlag.OOM) !== 0;
  const boost = switches.boost ? marks.boost : 0;
  const exempt = path === 'slow' && order === 0 && boostExempt(request, switches, flags);
  const base = path === 'fast' ? marks.low : marks.min;
  const boostPages = exempt ? 0 : boost;
  const mark = base + boostPages;
  const reserve = marks.protection[classIndex] ?? 0;
  const reduced = reducedMin(mark, flags, switches);
  const reserves = reservesKept(switches, flags);
  const cmaRight = (flags & AllocFlag.CMA) !== 0;
  const anyBlockPasses = switches.watermarkRule === 'modern-4.4' && nonBlock;
  const counted = countsHighatomic(switches, flags);
  return {
    order,
    path,
    allocFlags: flags,
    mark,
    boostPages,
    needWithoutBoost: reducedMin(base, flags, switches) + reserve,
    reduced,
    reserve,
    needPages: reduced + reserve,
    orderPages: 2 ** order + (switches.halvingOffByTwo ? 1 : -1),
    subtractCma: switches.watermarkCma && !cmaRight,
    subtractReserved: reserves && switches.highatomicSubtracts === 'reserved',
    subtractFreeHighatomic: reserves && switches.highatomicSubtracts === 'free',
    shortcutPages:
      order === 0 && switches.orderZeroShortcut === 'cma-only'
        ? base + boost + reserve
        : Number.POSITIVE_INFINITY,
    halving: switches.watermarkRule === 'halving',
    anyBlockPasses,
    noWatermarks: (flags & AllocFlag.NO_WATERMARKS) !== 0,
    countsHighatomic: counted,
    countsCma: cmaRight || (!switches.watermarkCma && request.movable),
    // the last resort of requests that may not sleep is beyond order 0 behind a test that refuses
    takesHighatomic:
      (order === 0 || counted || anyBlockPasses) &&
      takesHighatomic(switches, flags, order, nonBlock, oom, geometry),
  };
}

/** Order-0 atomic requests are retried against min without boost; higher orders are not. */
function boostExempt(request: GfpRequest, switches: ProfileSwitches, flags: number): boolean {
  if (switches.orderZeroBoostExempt === 'atomic-bit') return request.atomicBit;
  if (switches.orderZeroBoostExempt === 'none') return false;
  return (flags & AllocFlag.MIN_RESERVE) !== 0;
}

/** True if the highatomic pages are kept from a request with these flags. */
function reservesKept(switches: ProfileSwitches, flags: number): boolean {
  if (switches.highatomicSubtracts === 'none') return false;
  const free =
    switches.watermarkRule === 'modern-6.3'
      ? AllocFlag.NON_BLOCK | AllocFlag.MIN_RESERVE | AllocFlag.HIGHATOMIC | AllocFlag.OOM
      : switches.watermarkRule === 'modern-4.14'
        ? AllocFlag.NON_BLOCK | AllocFlag.OOM
        : AllocFlag.NON_BLOCK;
  return (flags & free) === 0;
}

function countsHighatomic(switches: ProfileSwitches, flags: number): boolean {
  switch (switches.watermarkRule) {
    case 'halving':
    case 'modern-4.4':
      return false;
    case 'modern-4.14':
      return (flags & (AllocFlag.NON_BLOCK | AllocFlag.OOM)) !== 0;
    case 'modern-6.3':
      return (flags & (AllocFlag.HIGHATOMIC | AllocFlag.OOM)) !== 0;
  }
}

function takesHighatomic(
  switches: ProfileSwitches,
  flags: number,
  order: number,
  nonBlock: boolean,
  oom: boolean,
  geometry: TestGeometry,
): boolean {
  if (switches.highatomicSubtracts === 'none') return false;
  if (!switches.pcpMissFallsThrough && onlyFromPcp(switches, order, geometry)) return false;
  if (order > 0 && (flags & AllocFlag.HIGHATOMIC) !== 0) return true;
  if (oom && switches.watermarkRule === 'modern-6.3') return true;
  return switches.orderZeroUsesHighatomic && (nonBlock || oom);
}

function onlyFromPcp(switches: ProfileSwitches, order: number, geometry: TestGeometry): boolean {
  if (order === 0) return true;
  if (switches.pcpOrders === '0') return false;
  return order <= 3 || (switches.thpPcp && order === geometry.pageblockOrder);
}

/** Pages of the zone that this request may not count, beyond 2^order - 1. */
export function unusablePages(test: ZoneTest, zone: ZoneCounts): number {
  let pages = 0;
  if (test.subtractCma) pages += zone.freeCma;
  if (test.subtractReserved) pages += zone.reservedHighatomic;
  if (test.subtractFreeHighatomic) pages += zone.freeHighatomic;
  return pages;
}

/**
 * The kernel's watermark test of one zone. Marks that are NaN (unknown) pass: check for them first
 * where a pass must mean something.
 */
export function watermarkOk(test: ZoneTest, zone: ZoneCounts): boolean {
  if (test.noWatermarks) return true;
  if (zone.freePages - zone.freeCma * (test.subtractCma ? 1 : 0) > test.shortcutPages) return true;
  const free = zone.freePages - test.orderPages;
  if (free - unusablePages(test, zone) <= test.needPages) return false;
  if (test.order === 0) return true;
  if (test.halving) return halvingShortage(test, zone) < 0;
  return suitableBlockCounted(test, zone);
}

/**
 * Old rule: after taking off the blocks of each lower order, more than half (a quarter …) of the
 * mark must be left. The order at which that fails, or -1 if it never does.
 */
export function halvingShortage(test: ZoneTest, zone: ZoneCounts): number {
  let free = zone.freePages - test.orderPages;
  let min = test.reduced;
  let size = 1;
  for (let q = 0; q < test.order; q++) {
    free -= (zone.free[q] ?? 0) * size;
    min = Math.floor(min / 2);
    if (free <= min) return q;
    size *= 2;
  }
  return -1;
}

/** The block part of the modern test: what the test believes, not what can be taken. */
function suitableBlockCounted(test: ZoneTest, zone: ZoneCounts): boolean {
  const { free } = zone;
  for (let q = test.order; q < free.length; q++) {
    const blocks = free[q]!;
    if (blocks <= 0) continue;
    if (test.anyBlockPasses) return true;
    if (blocks > barredBlocks(zone, q, test.countsHighatomic, test.countsCma)) return true;
  }
  return false;
}

/** Blocks of order q that a request without these rights cannot take. */
function barredBlocks(zone: ZoneCounts, q: number, highatomic: boolean, cma: boolean): number {
  let barred = zone.isolated === null ? 0 : (zone.isolated[q] ?? 0);
  if (!highatomic && zone.highatomic !== null) barred += zone.highatomic[q] ?? 0;
  if (!cma && zone.cma !== null) barred += zone.cma[q] ?? 0;
  return barred;
}

/** Blocks of the order or above that the request can really take. */
export function usableBlocks(test: ZoneTest, zone: ZoneCounts): number {
  let blocks = 0;
  const { free } = zone;
  for (let q = test.order; q < free.length; q++) {
    const left = free[q]! - barredBlocks(zone, q, test.takesHighatomic, test.countsCma);
    if (left > 0) blocks += left;
  }
  return blocks;
}

/** Blocks of the order or above that are free but of types the request cannot take. */
export function unusableBlocks(test: ZoneTest, zone: ZoneCounts): number {
  let blocks = 0;
  for (let q = test.order; q < zone.free.length; q++) {
    blocks += barredBlocks(zone, q, test.takesHighatomic, test.countsCma);
  }
  return blocks;
}

/** Whether a block that the request can take is there at all; pages on per-cpu lists not counted. */
export function supplyOk(test: ZoneTest, zone: ZoneCounts): boolean {
  const { free } = zone;
  for (let q = test.order; q < free.length; q++) {
    if (free[q]! > barredBlocks(zone, q, test.takesHighatomic, test.countsCma)) return true;
  }
  return false;
}

/** The zone passes the test and has a block to give. */
export function zoneServes(test: ZoneTest, zone: ZoneCounts): boolean {
  return watermarkOk(test, zone) && supplyOk(test, zone);
}

/** Both tests of one request against one zone. */
export interface ZonePlan {
  readonly fast: ZoneTest;
  readonly slow: ZoneTest;
}

/**
 * Whether the zone serves the request without reclaim. The slow path's test is never the stricter
 * of the two, so it alone decides; which zone of several serves is another matter (the fast pass
 * goes over all zones first).
 */
export function planServes(plan: ZonePlan, zone: ZoneCounts): boolean {
  return zoneServes(plan.slow, zone);
}
