/**
 * How large a step would have been enough: computed from the report, with the assumption said.
 *
 * min_free_kbytes. kswapd refills a zone up to its high mark and is woken at low. The burst that led
 * to the failure drained the zone from about low to what was free. With a larger min the same burst
 * starts from a larger low; the step is the least min for which the request then passes. Raising min
 * raises what must remain as well, but only by the fraction this request must leave (3/8 for
 * GFP_ATOMIC), while low rises by 5/4 of it (mm/page_alloc.c __setup_per_zone_wmarks).
 */
import type { Splat } from '../records/splat.js';
import type { ZoneFinding } from './findings.js';

export interface MinFreeStep {
  /** vm.min_free_kbytes now, as far as the printed zones tell. */
  readonly nowKB: number;
  readonly wantedKB: number;
  /** Memory that is kept free in addition: low rises by 5/4 of min. */
  readonly extraKB: number;
  /** wantedKB as a share of the memory managed by all printed zones. */
  readonly share: number;
}

const LOW_OVER_MIN = 1.25;
const ROUND_KB = 1024;
/** Above this share of memory the advice would do more harm than the failure. */
export const MAX_SENSIBLE_SHARE = 0.05;

/** Null if the report lacks the figures, or the zone was not drained below low. */
export function minFreeStep(splat: Splat, zone: ZoneFinding, pageKB: number): MinFreeStep | null {
  const line = splat.memory.zones.find((z) => z.node === zone.node && z.zone === zone.zone);
  if (line?.minKB == null || line.lowKB === null || zone.freePages === null) return null;
  if (zone.reducedPages === null || zone.minPages === null || zone.minPages === 0) return null;
  const boostKB = line.boostKB ?? 0;
  const min = (line.minKB - boostKB) / pageKB;
  const low = (line.lowKB - boostKB) / pageKB;
  const drained = low - zone.freePages;
  if (min <= 0 || drained <= 0) return null;
  const unusable = zone.unusable.reduce((sum, part) => sum + part.pages, 0);
  const leave = zone.reducedPages / zone.minPages;
  const fixed = drained + unusable + zone.reservePages + (leave * boostKB) / pageKB;
  const wanted = Math.ceil((fixed + 1) / (LOW_OVER_MIN - leave));
  const nowKB = totalMinKB(splat);
  const factor = wanted / min;
  if (nowKB <= 0 || factor <= 1) return null;
  const wantedKB = Math.ceil((nowKB * factor) / ROUND_KB) * ROUND_KB;
  const managedKB = splat.memory.zones.reduce(
    (sum, z) => sum + (z.managedKB ?? z.presentKB ?? 0),
    0,
  );
  return {
    nowKB,
    wantedKB,
    extraKB: Math.round((wantedKB - nowKB) * LOW_OVER_MIN),
    share: managedKB === 0 ? 0 : wantedKB / managedKB,
  };
}

/** min of all zones without boost; HighMem and Movable have marks of their own. */
export function totalMinKB(splat: Splat): number {
  let sum = 0;
  for (const zone of splat.memory.zones) {
    if (zone.zone === 'HighMem' || zone.zone === 'Movable') continue;
    sum += (zone.minKB ?? 0) - (zone.boostKB ?? 0);
  }
  return sum;
}

export interface ReserveStep {
  readonly reservePages: number;
  /** The largest reserve with which the request would have passed. */
  readonly wantedPages: number;
  /** lowmem_reserve_ratio for this zone, if it is 256 now. */
  readonly ratio: number;
}

const DEFAULT_RATIO = 256;

/** Null if the zone is short by more than its reserve. */
export function reserveStep(zone: ZoneFinding): ReserveStep | null {
  if (zone.reservePages <= 0 || zone.pagesShort <= 0) return null;
  const wantedPages = zone.reservePages - zone.pagesShort;
  if (wantedPages <= 0) return null;
  const ratio = Math.ceil((DEFAULT_RATIO * zone.reservePages) / wantedPages);
  return { reservePages: zone.reservePages, wantedPages, ratio };
}

/** The largest order that any eligible zone would have served, -1 = none, null = not known. */
export function servedOrder(zones: readonly ZoneFinding[]): number | null {
  let best: number | null = null;
  for (const zone of zones) {
    if (zone.eligible && zone.servedOrder !== null) best = Math.max(best ?? -1, zone.servedOrder);
  }
  return best;
}
