/**
 * The HIGHATOMIC reserve: how large it may grow.
 *
 * Kernel: reserve_highatomic_pageblock() in mm/page_alloc.c. A pageblock joins the reserve after a
 * high-order atomic request that missed the low watermark but succeeded. Up to 6.6 the cap is tested
 * before adding, so even a small zone may own blocks; from 6.7/6.8 a zone whose 1 % is less than a
 * pageblock has none.
 */
import type { ProfileSwitches } from './profile-switches.js';

/** Pages at which the reserve stops growing; 0 = this zone never has one. */
export function highatomicCap(
  managed: number,
  pageblockPages: number,
  rule: ProfileSwitches['highatomicCap'],
): number {
  const percent = Math.floor(managed / 100);
  if (rule === 'none') return 0;
  if (rule === 'plus-pageblock') return percent + pageblockPages;
  if (percent < pageblockPages) return 0;
  return Math.ceil(percent / pageblockPages) * pageblockPages;
}

/** Whether one more pageblock may join a reserve of `reserved` pages. */
export function mayReserveHighatomic(
  reserved: number,
  managed: number,
  pageblockPages: number,
  rule: ProfileSwitches['highatomicCap'],
): boolean {
  return reserved < highatomicCap(managed, pageblockPages, rule);
}
