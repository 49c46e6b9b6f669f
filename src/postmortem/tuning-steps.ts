/**
 * How large a step would have been enough: computed from the report, with the assumption said.
 *
 * min_free_kbytes. kswapd refills a zone up to its high mark and is woken at low. The burst that led
 * to the failure drained the zone from about low to what was free. With a larger min the same burst
 * starts from a larger low; the step is the least min for which the request then passes. Raising min
 * raises what must remain as well, but only by the fraction this request must leave (3/8 for
 * GFP_ATOMIC), while low rises by 5/4 of it (mm/page_alloc.c __setup_per_zone_wmarks).
 */
import type { Splat, SplatZone } from '../records/splat.js';
import type { ZoneFinding } from './findings.js';

export interface MinFreeStep {
  /** vm.min_free_kbytes now, as far as the printed zones tell. */
  readonly nowKB: number;
  readonly wantedKB: number;
  /** Memory that is kept free in addition: low rises by 5/4 of min. */
  readonly extraKB: number;
  /** wantedKB as a share of the memory that min_free_kbytes is spread over. */
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
  const boostKB = (line.boostKB ?? 0) + zone.hiddenBoostPages * pageKB;
  const min = (line.minKB - boostKB) / pageKB;
  const low = (line.lowKB - boostKB) / pageKB;
  const drained = low - zone.freePages;
  if (min <= 0 || drained <= 0) return null;
  const unusable = zone.unusable.reduce((sum, part) => sum + part.pages, 0);
  const leave = zone.reducedPages / zone.minPages;
  const fixed = drained + unusable + zone.reservePages + (leave * boostKB) / pageKB;
  const wanted = Math.ceil((fixed + 1) / (LOW_OVER_MIN - leave));
  const machineKB = lowmemKB(splat, pageKB);
  const nowKB = minFreeKB(splat, line, machineKB, pageKB);
  const factor = wanted / min;
  if (nowKB <= 0 || factor <= 1) return null;
  const wantedKB = Math.ceil((nowKB * factor) / ROUND_KB) * ROUND_KB;
  return {
    nowKB,
    wantedKB,
    extraKB: Math.round((wantedKB - nowKB) * LOW_OVER_MIN),
    share: machineKB === 0 ? 0 : wantedKB / machineKB,
  };
}

/**
 * Memory that min_free_kbytes is spread over: the printed zones, or what the machine has where zones
 * are left out (from 6.1 those above the request's highest).
 */
function lowmemKB(splat: Splat, pageKB: number): number {
  const { zones, ramPages, reservedPages, highmemPages } = splat.memory;
  let printed = 0;
  for (const zone of zones) {
    if (!ownMarks(zone)) printed += zone.managedKB ?? zone.presentKB ?? 0;
  }
  const ram = ((ramPages ?? 0) - (reservedPages ?? 0) - (highmemPages ?? 0)) * pageKB;
  return Math.max(printed, ram);
}

/** Less than this share of the memory printed: zones are missing. */
const NEARLY_ALL = 0.9;

/** min_free_kbytes: the sum of the zones, or scaled up from this one where zones are missing. */
function minFreeKB(splat: Splat, line: SplatZone, machineKB: number, pageKB: number): number {
  const ownKB = line.managedKB ?? 0;
  const all = splat.memory.zones.reduce(
    (sum, zone) => sum + (ownMarks(zone) ? 0 : (zone.managedKB ?? zone.presentKB ?? 0)),
    0,
  );
  if (all >= machineKB * NEARLY_ALL || ownKB === 0 || ownMarks(line))
    return totalMinKB(splat, pageKB);
  return Math.round((unboostedMinKB(line, pageKB) * machineKB) / ownKB);
}

function ownMarks(zone: SplatZone): boolean {
  return zone.zone === 'HighMem' || zone.zone === 'Movable';
}

/** min of all zones without boost; HighMem and Movable have marks of their own. */
export function totalMinKB(splat: Splat, pageKB: number): number {
  let sum = 0;
  for (const zone of splat.memory.zones) if (!ownMarks(zone)) sum += unboostedMinKB(zone, pageKB);
  return sum;
}

/** Where the boost is not printed, low tells the most that min can be without it (judge-zone.ts). */
function unboostedMinKB(zone: SplatZone, pageKB: number): number {
  const min = zone.minKB ?? 0;
  if (zone.boostKB !== null) return min - zone.boostKB;
  if (zone.lowKB === null || zone.lowKB <= min) return min;
  return Math.min(min, 4 * (zone.lowKB - min) + 3 * pageKB);
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
