/**
 * The kernel's two fragmentation indices, and how many allocations in a row would succeed.
 *
 * Kernel: __fragmentation_index() and unusable_free_index() in mm/vmstat.c (debugfs extfrag/).
 * Both are in thousandths, truncated. Both count blocks of all types: blocks of CMA, HIGHATOMIC or
 * ISOLATE make an index say "available" that no atomic request can use. `headroom` does not.
 */
import { unusablePages, type ZoneCounts, type ZoneTest, zoneServes } from './watermark.js';

/** Free pages of per-order block counts. */
export function freePagesOf(free: ArrayLike<number>): number {
  let pages = 0;
  for (let q = 0; q < free.length; q++) pages += free[q]! * 2 ** q;
  return pages;
}

/** Order-`order` blocks that the free lists can be cut into without merging. */
export function blocksObtainable(free: ArrayLike<number>, order: number): number {
  let blocks = 0;
  for (let q = order; q < free.length; q++) blocks += free[q]! * 2 ** (q - order);
  return blocks;
}

/** Unusable free space index in thousandths: 0 = all free memory serves the order, 1000 = none. */
export function unusableIndex(free: ArrayLike<number>, order: number): number {
  const pages = freePagesOf(free);
  if (pages === 0) return 1000;
  const usable = blocksObtainable(free, order) * 2 ** order;
  return Math.floor(((pages - usable) * 1000) / pages);
}

/** Counts that are those of `small` below an order and of `large` from it. */
export function mixedCounts(
  small: readonly number[],
  large: readonly number[],
  from: number,
): number[] {
  return small.map((n, q) => (q < from ? n : large[q]!));
}

/** The unusable index within bounds of the counts: least when small blocks are fewest and large ones most. */
export function unusableIndexBounds(
  low: readonly number[],
  high: readonly number[],
  order: number,
): readonly [number, number] {
  return [
    unusableIndex(mixedCounts(low, high, order), order),
    unusableIndex(mixedCounts(high, low, order), order),
  ];
}

/**
 * External fragmentation index in thousandths: -1000 = a block is there, toward 0 = memory is
 * short, toward 1000 = memory is in pieces. Between -999 and -1 with very few blocks.
 */
export function fragmentationIndex(free: ArrayLike<number>, order: number): number {
  let blocks = 0;
  for (let q = 0; q < free.length; q++) blocks += free[q]!;
  if (blocks === 0) return 0;
  if (blocksObtainable(free, order) > 0) return -1000;
  const pages = freePagesOf(free);
  return 1000 - Math.floor((1000 + Math.floor((pages * 1000) / 2 ** order)) / blocks);
}

/** As debugfs extfrag_index prints a value: `-1.000`, ` 0.918`, ` 0.-500`. */
export function formatFragmentationIndex(index: number): string {
  const whole = String(Math.trunc(index / 1000)).padStart(2, ' ');
  return `${whole}.${threeDigits(index % 1000)}`;
}

/** As debugfs unusable_index prints a value: `0.935`. */
export function formatUnusableIndex(index: number): string {
  return `${Math.trunc(index / 1000)}.${threeDigits(index % 1000)}`;
}

function threeDigits(value: number): string {
  const digits = String(Math.abs(value));
  return value < 0 ? `-${digits.padStart(2, '0')}` : digits.padStart(3, '0');
}

/**
 * How many requests in a row this zone would serve from what is free now: each takes 2^order pages
 * from the smallest block that fits, until pages or blocks run out.
 */
export function headroom(test: ZoneTest, zone: ZoneCounts): number {
  if (!test.halving) return modernHeadroom(test, zone);
  const left = { ...zone, free: Array.from(zone.free) };
  let served = 0;
  while (zoneServes(test, left) && takeBlock(left.free, test.order)) {
    left.freePages -= 2 ** test.order;
    served++;
  }
  return served;
}

function modernHeadroom(test: ZoneTest, zone: ZoneCounts): number {
  if (!zoneServes(test, zone)) return 0;
  let blocks = 0;
  for (let q = test.order; q < zone.free.length; q++) {
    let usable = zone.free[q]! - (zone.isolated?.[q] ?? 0);
    if (!test.takesHighatomic) usable -= zone.highatomic?.[q] ?? 0;
    if (!test.countsCma) usable -= zone.cma?.[q] ?? 0;
    if (usable > 0) blocks += usable * 2 ** (q - test.order);
  }
  if (test.noWatermarks) return blocks;
  const spare = zone.freePages - unusablePages(test, zone) - test.orderPages - test.needPages;
  const byPages = Math.ceil(spare / 2 ** test.order);
  return Math.max(1, Math.min(blocks, byPages));
}

/** Takes one block of `order` by smallest fit, splitting as the buddy system does. */
function takeBlock(free: number[], order: number): boolean {
  let q = order;
  while (q < free.length && free[q]! <= 0) q++;
  if (q >= free.length) return false;
  free[q]!--;
  while (q > order) free[--q]!++;
  return true;
}
