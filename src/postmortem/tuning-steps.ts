/**
 * How large a step would have been enough: computed from the report, with the assumption said.
 *
 * kswapd refills a zone up to its high mark and is woken at low. The burst that led to the failure
 * drained the zone from about low to what was free. With a larger low the same burst ends higher; the
 * step is the least one with which the request then passes.
 *
 * vm.min_free_kbytes raises min, and low with it: low is min plus a quarter of it or, since 4.6, plus
 * watermark_scale_factor of the zone if that is more (mm/page_alloc.c __setup_per_zone_wmarks). What
 * must remain rises as well, by the fraction of min that this request must leave (3/8 for GFP_ATOMIC).
 * vm.watermark_scale_factor raises low alone: for requests that may not go below min.
 */
import { ZONE_NAMES } from '../kernel/zonelist.js';
import type { Splat, SplatZone } from '../records/splat.js';
import type { ZoneFinding } from './findings.js';

export interface MinFreeStep {
  /** vm.min_free_kbytes now, as far as the printed zones tell. */
  readonly nowKB: number;
  readonly wantedKB: number;
  /** Memory that is kept free in addition: by how much the low marks rise. */
  readonly extraKB: number;
  /** wantedKB as a share of the memory that min_free_kbytes is spread over. */
  readonly share: number;
}

const ROUND_KB = 1024;
/** Above this share of memory the advice would do more harm than the failure. */
export const MAX_SENSIBLE_SHARE = 0.05;
/** The kernel rounds marks down; so many pages make up for it. */
const ROUNDING_PAGES = 2;

/** A zone's marks without boost and what the burst took, pages. */
interface Drain {
  readonly min: number;
  readonly gap: number;
  readonly boost: number;
  /** Free pages that the request could not use, and its own. */
  readonly unusable: number;
  /** From low to what was free. */
  readonly drained: number;
  readonly line: SplatZone;
}

function drainOf(splat: Splat, zone: ZoneFinding, pageKB: number): Drain | null {
  const line = splat.memory.zones.find((z) => z.node === zone.node && z.zone === zone.zone);
  if (line?.minKB == null || line.lowKB === null || zone.freePages === null) return null;
  if (zone.reducedPages === null || zone.minPages === null || zone.minPages === 0) return null;
  const boostKB = (line.boostKB ?? 0) + zone.hiddenBoostPages * pageKB;
  const min = (line.minKB - boostKB) / pageKB;
  const low = (line.lowKB - boostKB) / pageKB;
  const drained = low - zone.freePages;
  if (min <= 0 || low <= min) return null;
  // all that is free is HIGHATOMIC: kswapd does not count that, nor could the request
  const allKept = zone.reason === 'only-highatomic' && zone.blocks === 0;
  const parts = zone.unusable.reduce((sum, part) => sum + part.pages, 0);
  const unusable = allKept ? zone.freePages : parts;
  return { min, gap: low - min, boost: boostKB / pageKB, unusable, drained, line };
}

/** Low above min where the zone's size decides it, not min; 0 if min does. */
function fixedGap({ min, gap }: Drain): number {
  return gap > min / 4 + 1 ? gap : 0;
}

function lowOf(min: number, drain: Drain): number {
  return min + Math.max(min / 4, fixedGap(drain));
}

/** Null if the report lacks the figures, or the zone was not drained below low. */
export function minFreeStep(splat: Splat, zone: ZoneFinding, pageKB: number): MinFreeStep | null {
  const drain = drainOf(splat, zone, pageKB);
  if (drain === null || drain.drained + drain.unusable <= 0) return null;
  const leave = zone.reducedPages! / zone.minPages!;
  const { min, line } = drain;
  const need =
    drain.drained + drain.unusable + zone.reservePages + leave * drain.boost + ROUNDING_PAGES;
  // the burst must end above leave * min: low is the larger of two lines, so the nearer one decides
  const byQuarter = need / (1.25 - leave);
  const byZone = leave < 1 ? (need - fixedGap(drain)) / (1 - leave) : Number.POSITIVE_INFINITY;
  const wanted = Math.ceil(Math.min(byQuarter, byZone));
  const machineKB = lowmemKB(splat, pageKB);
  const nowKB = minFreeKB(splat, line, machineKB, pageKB);
  const factor = wanted / min;
  if (nowKB <= 0 || factor <= 1) return null;
  const wantedKB = Math.ceil((nowKB * factor) / ROUND_KB) * ROUND_KB;
  const rise = lowOf((min * wantedKB) / nowKB, drain) - lowOf(min, drain);
  return {
    nowKB,
    wantedKB,
    extraKB: Math.round((rise / min) * nowKB),
    share: machineKB === 0 ? 0 : wantedKB / machineKB,
  };
}

export interface ScaleStep {
  /** vm.watermark_scale_factor: ten-thousandths of a zone between its marks. */
  readonly wanted: number;
  readonly extraKB: number;
}

/** What the kernel takes at most (3000 since 5.18). */
const MAX_SCALE = 1000;
const SCALE_UNIT = 10_000;

/** The factor whose low mark would have left enough above min; null if none does. */
export function scaleStep(splat: Splat, zone: ZoneFinding, pageKB: number): ScaleStep | null {
  const drain = drainOf(splat, zone, pageKB);
  if (drain === null || zone.managedPages === null || zone.managedPages === 0) return null;
  const { min, gap, boost, unusable, drained } = drain;
  const keep = (zone.reducedPages! / zone.minPages!) * (min + boost) + zone.reservePages;
  const wantedGap = keep - min + drained + unusable + ROUNDING_PAGES;
  const wanted = Math.ceil((wantedGap * SCALE_UNIT) / zone.managedPages);
  if (wantedGap <= gap || wanted > MAX_SCALE) return null;
  const share = (wantedGap - gap) / zone.managedPages;
  return { wanted, extraKB: Math.round(share * lowmemKB(splat, pageKB)) };
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
function totalMinKB(splat: Splat, pageKB: number): number {
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
  /** vm.lowmem_reserve_ratio of this zone now and then. */
  readonly nowRatio: number;
  readonly wantedRatio: number;
  /** Ratios of the zones below it, which stand before it in the sysctl. */
  readonly lowerRatios: readonly number[];
}

const DEFAULT_RATIO = 256;

/**
 * Null if the zone is short by more than its reserve. The reserve is what the node's zones above it up
 * to the request's highest have, over the ratio (mm/page_alloc.c setup_per_zone_lowmem_reserve).
 */
export function reserveStep(zone: ZoneFinding, zones: readonly ZoneFinding[]): ReserveStep | null {
  if (zone.reservePages <= 0 || zone.pagesShort <= 0) return null;
  const wantedPages = zone.reservePages - zone.pagesShort;
  if (wantedPages <= 0) return null;
  const nowRatio = ratioOf(zone, zones) ?? DEFAULT_RATIO;
  const above = Math.max(pagesAbove(zone, zones), zone.reservePages * nowRatio);
  const wantedRatio = Math.floor(above / (wantedPages + 1)) + 1;
  const lowerRatios = ofNode(zone, zones)
    .filter((other) => heightOf(other) < heightOf(zone))
    .map((other) => ratioOf(other, zones) ?? DEFAULT_RATIO);
  return { reservePages: zone.reservePages, wantedPages, nowRatio, wantedRatio, lowerRatios };
}

function heightOf(zone: ZoneFinding): number {
  return ZONE_NAMES.indexOf(zone.zone);
}

/** The node's zones that the request may use, lowest first. */
function ofNode(zone: ZoneFinding, zones: readonly ZoneFinding[]): ZoneFinding[] {
  return zones
    .filter((other) => other.eligible && other.node === zone.node)
    .sort((a, b) => heightOf(a) - heightOf(b));
}

function pagesAbove(zone: ZoneFinding, zones: readonly ZoneFinding[]): number {
  return ofNode(zone, zones)
    .filter((other) => heightOf(other) > heightOf(zone))
    .reduce((sum, other) => sum + (other.managedPages ?? 0), 0);
}

/** The ratio that makes the printed reserve of what is printed above the zone; null if none does. */
function ratioOf(zone: ZoneFinding, zones: readonly ZoneFinding[]): number | null {
  const above = pagesAbove(zone, zones);
  const { reservePages } = zone;
  if (above === 0 || reservePages <= 0) return null;
  if (Math.floor(above / DEFAULT_RATIO) === reservePages) return DEFAULT_RATIO;
  const ratio = Math.round(above / reservePages);
  return ratio > 0 && Math.abs(above / ratio - reservePages) <= 1 ? ratio : null;
}

/** The largest order that any eligible zone would have served, -1 = none, null = not known. */
export function servedOrder(zones: readonly ZoneFinding[]): number | null {
  let best: number | null = null;
  for (const zone of zones) {
    if (zone.eligible && zone.servedOrder !== null) best = Math.max(best ?? -1, zone.servedOrder);
  }
  return best;
}
