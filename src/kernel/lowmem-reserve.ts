/**
 * lowmem_reserve: the pages a zone keeps from requests that could have used a higher zone.
 *
 * Kernel: setup_per_zone_lowmem_reserve() in mm/page_alloc.c. Printed as `protection:` in zoneinfo
 * and `lowmem_reserve[]:` in splats; computed here for inputs that have neither. The array is
 * indexed by the highest zone index of the request, not by the zone.
 */
import type { ProfileSwitches } from './profile-switches.js';

/** Default vm.lowmem_reserve_ratio by zone name. */
export const LOWMEM_RESERVE_RATIO: Readonly<Record<string, number>> = {
  DMA: 256,
  DMA32: 256,
  Normal: 32,
  HighMem: 0,
  Movable: 0,
  Device: 0,
};

/**
 * reserve[zone][class] in pages for one node. `managed` holds the managed pages of each compiled
 * zone of the node, 0 for absent ones, lowest zone first.
 */
export function computeLowmemReserve(
  managed: readonly number[],
  ratios: readonly number[],
  switches: Pick<ProfileSwitches, 'lowmemRatioZeroMeansNone'>,
): number[][] {
  return managed.map((pages, zone) => {
    const reserve = managed.map(() => 0);
    const ratio = ratios[zone] ?? 0;
    if (ratio < 1 && switches.lowmemRatioZeroMeansNone) return reserve;
    if (pages === 0 && switches.lowmemRatioZeroMeansNone) return reserve;
    let above = 0;
    for (let k = zone + 1; k < managed.length; k++) {
      above += managed[k]!;
      reserve[k] = Math.floor(above / Math.max(1, ratio));
    }
    return reserve;
  });
}
