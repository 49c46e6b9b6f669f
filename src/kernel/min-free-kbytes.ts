/**
 * min, low and high watermarks from vm.min_free_kbytes, for inputs that print none.
 *
 * Kernel: calculate_min_free_kbytes(), __setup_per_zone_wmarks() and boost_watermark() in
 * mm/page_alloc.c, set_recommended_min_free_kbytes() in mm/khugepaged.c. Pages are of the machine's
 * page size. All divisions floor. The machine's own zoneinfo is always better than this.
 */
import type { ProfileSwitches } from './profile-switches.js';

/** Watermarks of a zone without boost, in pages. */
export interface ComputedMarks {
  readonly min: number;
  readonly low: number;
  readonly high: number;
  /** Demotion mark, one step above high. */
  readonly promo: number;
}

/** min_free_kbytes as chosen at boot. `lowmemKb`: free memory below HighMem, in kB. */
export function bootMinFreeKbytes(
  lowmemKb: number,
  switches: Pick<ProfileSwitches, 'minFreeKbytesMax'>,
): number {
  const root = Math.floor(Math.sqrt(16 * Math.max(0, lowmemKb)));
  return Math.min(Math.max(root, 128), Number(switches.minFreeKbytesMax));
}

/**
 * What khugepaged raises min_free_kbytes to when transparent huge pages are on, in pages: room for
 * two pageblocks and three for each pair of the three pcp types, in each zone up to Normal, at most
 * 5 % of low memory.
 */
export function hugepageMinFreePages(
  pageblockPages: number,
  zonesUpToNormal: number,
  lowmemPages: number,
): number {
  const wanted = pageblockPages * zonesUpToNormal * (2 + 3 * 3);
  return Math.min(wanted, Math.floor(lowmemPages / 20));
}

export interface MarksInput {
  readonly minFreeKbytes: number;
  /** vm.watermark_scale_factor, in 1/10000 of the zone. */
  readonly scaleFactor?: number;
  readonly pageSizeKb?: number;
  /** Zones of ALL nodes, since they share min_free_kbytes. */
  readonly zones: readonly { readonly zone: string; readonly managed: number }[];
}

/** Watermarks of each zone, in the order given. */
export function computeZoneMarks(
  input: MarksInput,
  switches: Pick<ProfileSwitches, 'watermarkScale' | 'movableMinClamped'>,
): ComputedMarks[] {
  const scale = input.scaleFactor ?? 10;
  const minPages = Math.floor(input.minFreeKbytes / (input.pageSizeKb ?? 4));
  const special = (zone: string): boolean =>
    zone === 'HighMem' || (switches.movableMinClamped && zone === 'Movable');
  let lowmem = 0;
  for (const { zone, managed } of input.zones) if (!special(zone)) lowmem += managed;
  return input.zones.map(({ zone, managed }) => {
    const share = lowmem === 0 ? 0 : Math.floor((minPages * managed) / lowmem);
    const clamped = Math.min(Math.max(Math.floor(managed / 1024), 32), 128);
    const min = special(zone) ? clamped : share;
    if (!switches.watermarkScale) {
      const low = min + Math.floor(share / 4);
      const high = min + Math.floor(share / 2);
      return { min, low, high, promo: high };
    }
    const step = Math.max(Math.floor(share / 4), Math.floor((managed * scale) / 10000));
    return { min, low: min + step, high: min + 2 * step, promo: min + 3 * step };
  });
}

/**
 * Boost of a zone after a fallback that mixed types below pageblock order. `high` is the high mark
 * without boost, `factor` vm.watermark_boost_factor (15000; 0 = no boost).
 */
export function boostAfterFallback(
  boost: number,
  high: number,
  managed: number,
  pageblockPages: number,
  factor = 15000,
): number {
  const most = mostBoost(high, managed, pageblockPages, factor);
  return most === 0 ? boost : Math.min(boost + pageblockPages, most);
}

/** The largest boost a zone can have, pages. */
export function mostBoost(
  high: number,
  managed: number,
  pageblockPages: number,
  factor = 15000,
): number {
  if (factor <= 0 || managed < pageblockPages * 4) return 0;
  const most = Math.floor((high * factor) / 10000);
  return most === 0 ? 0 : Math.max(pageblockPages, most);
}
