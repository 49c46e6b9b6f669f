/**
 * Geometry: which zones the machine has, where they lie, how many orders and how large a pageblock.
 *
 * Sources, best first: zoneinfo (start_pfn, spanned), then the zone names of buddyinfo with the
 * x86-64 borders (DMA below 16 MiB, DMA32 below 4 GiB; arch/x86/mm/init.c), then one zone over all
 * pfns seen. What had to be assumed is listed in `assumptions`.
 *
 * Of a machine larger than DENSE_PAGES only those parts are simulated that the recording touches or shows: of the
 * others nothing is known in any case.
 *
 * CMA areas (dmesg `cma: Reserved`) become areas of their own inside their zone: their free blocks
 * count in buddyinfo but cannot serve an atomic request, and they do not merge with their neighbours
 * (mm/page_alloc.c, 5.19 and later).
 */
import { claimsEnd, eachClaim, isPageMap } from '../records/page-claims.js';
import { PageClass, type Snapshot, type Zoneinfo } from '../records/snapshot.js';
import { PfnSpace } from './pfn-space.js';
import type { Survey } from './survey.js';
import { CHUNK_PAGES, TouchedMemory } from './touched-memory.js';

export interface ZoneGeometry {
  readonly index: number;
  readonly node: number;
  readonly zone: string;
  readonly startPfn: number;
  readonly spanned: number;
  /** Pages given to the buddy system; spanned when not known. */
  readonly managed: number;
  /** Indices of its areas. */
  readonly areas: readonly number[];
}

export interface AreaGeometry {
  readonly zone: number;
  readonly startPfn: number;
  readonly spanned: number;
  readonly cma: boolean;
}

export interface PfnRange {
  readonly startPfn: number;
  readonly pages: number;
}

export interface Geometry {
  readonly zones: readonly ZoneGeometry[];
  readonly areas: readonly AreaGeometry[];
  readonly space: PfnSpace;
  readonly orders: number;
  readonly pageblockOrder: number;
  readonly assumptions: readonly string[];
  /** Area of a dense page. */
  areaOf(page: number): number;
}

interface ZoneDraft {
  node: number;
  zone: string;
  startPfn: number;
  spanned: number;
  managed: number;
}

const DMA_END = 4096;
const DMA32_END = 1 << 20;
const DEFAULT_ORDERS = 11;
const DEFAULT_PAGEBLOCK_ORDER = 9;
/** Orders of any kernel (arm64 with pages of 64 KiB has 14): more in a copy is damage. */
const MAX_ORDERS = 18;
/** Smallest pageblock that is believed: each costs as much in maps and charts as a page. */
const MIN_PAGEBLOCK_ORDER = 3;
/** CMA areas that are told apart; the kernel has room for 64 at most by default (CONFIG_CMA_AREAS). */
const MAX_CMA = 64;
/** 16 GiB of 4 KiB pages; up to this every page has a place, touched or not. */
const DENSE_PAGES = 1 << 22;
/** Pages beyond that are simulated in any case, 64 GiB … */
const SPARSE_PAGES = 1 << 24;
/**
 * … and for each event and record of a dump, half of the 4 MiB that each may be the first to touch: on real machines
 * most come to where others have been.
 */
const PAGES_PER_RECORD = 512;

/**
 * @param pageLimit most pages to simulate.
 * @param densePages zones that span more in all are simulated where the recording touches them.
 */
export function findGeometry(
  survey: Survey,
  snapshots: readonly Snapshot[],
  cma: readonly PfnRange[],
  pageLimit: number,
  densePages: number = DENSE_PAGES,
): Geometry {
  const assumptions: string[] = [];
  const orders = findOrders(snapshots, assumptions);
  const pageblockOrder = Math.min(findPageblockOrder(survey, snapshots, assumptions), orders - 1);
  let zones = zonesFromZoneinfo(snapshots);
  if (zones.length === 0) zones = zonesByConvention(survey, snapshots, assumptions);
  const spanned = zones.reduce((sum, zone) => sum + zone.spanned, 0);
  if (cma.length > MAX_CMA) assumptions.push(`CMA areas after the first ${MAX_CMA} are left out`);
  const reserved = cma.slice(0, MAX_CMA);
  if (spanned <= densePages) {
    limitPages(zones, pageLimit, assumptions);
    return layOut(zones, areasOf(zones, reserved), null, orders, pageblockOrder, assumptions);
  }
  const areas = areasOf(zones, reserved);
  const sections = sectionsSeen(survey, snapshots, areas, orders, pageLimit, assumptions);
  return layOut(zones, areas, sections, orders, pageblockOrder, assumptions);
}

/** Numbers of the sections that events touch, maps show or CMA areas lie in, ascending. */
function sectionsSeen(
  survey: Survey,
  snapshots: readonly Snapshot[],
  areas: readonly AreaGeometry[],
  orders: number,
  pageLimit: number,
  assumptions: string[],
): number[] {
  const seen = new TouchedMemory();
  for (const { cma, startPfn, spanned } of areas) {
    if (cma) seen.addRange(startPfn, startPfn + spanned);
  }
  for (const snapshot of snapshots) {
    if (snapshot.kind === 'kpageflags') addPresent(seen, snapshot.classes);
    else if (isPageMap(snapshot)) eachClaim(snapshot, (from, to) => seen.addRange(from, to));
  }
  const section = 2 ** (orders - 1);
  const granted = grantedPages(survey, snapshots);
  const most = Math.floor(Math.min(pageLimit, granted) / section);
  const sections = new Set<number>();
  // What events touch comes first: of the rest little more is known than that it is there.
  const complete = [survey.touched, seen].every(
    (touched) => addSections(touched, areas, section, most, sections) && !touched.incomplete,
  );
  if (!complete) {
    assumptions.push(
      granted < pageLimit
        ? `of memory that this recording has few events for, all but ${most * section} pages are left out`
        : 'pages beyond the limit of simulated pages are left out',
    );
  }
  return [...sections].sort((a, b) => a - b);
}

/** Pages that the input is long enough to be about. */
function grantedPages(survey: Survey, snapshots: readonly Snapshot[]): number {
  let granted = SPARSE_PAGES + PAGES_PER_RECORD * survey.events;
  for (const snapshot of snapshots) {
    if (snapshot.kind === 'page_owner') granted += PAGES_PER_RECORD * snapshot.length;
    else if (isPageMap(snapshot)) granted += claimsEnd(snapshot);
  }
  return granted;
}

/** Adds those that lie in areas; false if there are more than `most`. */
function addSections(
  touched: TouchedMemory,
  areas: readonly AreaGeometry[],
  section: number,
  most: number,
  into: Set<number>,
): boolean {
  const perChunk = Math.max(1, CHUNK_PAGES / section);
  const isMemory = (from: number): boolean =>
    areas.some((a) => a.startPfn < from + CHUNK_PAGES && from < a.startPfn + a.spanned);
  for (const chunk of touched.chunks()) {
    if (!isMemory(chunk)) continue;
    const first = Math.floor(chunk / section);
    for (let s = first; s < first + perChunk; s++) {
      if (into.size >= most && !into.has(s)) return false;
      into.add(s);
    }
  }
  return true;
}

/** Chunks with a page that exists. */
function addPresent(seen: TouchedMemory, classes: Uint8Array): void {
  for (let pfn = 0; pfn < classes.length; pfn++) {
    if ((classes[pfn]! & PageClass.noPage) !== 0) continue;
    seen.addRange(pfn, pfn + 1);
    pfn = Math.floor(pfn / CHUNK_PAGES) * CHUNK_PAGES + CHUNK_PAGES - 1;
  }
}

function findOrders(snapshots: readonly Snapshot[], assumptions: string[]): number {
  for (const snapshot of snapshots) {
    if (snapshot.kind !== 'buddyinfo' || !snapshot.zones[0]) continue;
    const orders = snapshot.zones[0].free.length;
    if (orders <= MAX_ORDERS) return orders;
  }
  assumptions.push(`orders 0 to ${DEFAULT_ORDERS - 1}, for want of a buddyinfo copy`);
  return DEFAULT_ORDERS;
}

/** pageblock_order: as extfrag events print it, as pagetypeinfo does, or the usual one. */
export function findPageblockOrder(
  survey: Survey,
  snapshots: readonly Snapshot[],
  assumptions: string[] = [],
): number {
  if (survey.pageblockOrder >= MIN_PAGEBLOCK_ORDER) return survey.pageblockOrder;
  for (const snapshot of snapshots) {
    if (snapshot.kind === 'pagetypeinfo' && snapshot.pageblockOrder >= MIN_PAGEBLOCK_ORDER) {
      return snapshot.pageblockOrder;
    }
  }
  assumptions.push(`pageblocks of order ${DEFAULT_PAGEBLOCK_ORDER}`);
  return DEFAULT_PAGEBLOCK_ORDER;
}

/** The first zoneinfo copy that places its zones. */
function zonesFromZoneinfo(snapshots: readonly Snapshot[]): ZoneDraft[] {
  for (const snapshot of snapshots) {
    if (snapshot.kind !== 'zoneinfo') continue;
    const placed = snapshot.zones.filter(isPlaced);
    if (placed.length > 0) return placed.map(draftOf);
  }
  return [];
}

function isPlaced(zone: Zoneinfo): boolean {
  return zone.startPfn !== null && zone.spanned > 0 && zone.present > 0;
}

function draftOf(zone: Zoneinfo): ZoneDraft {
  return {
    node: zone.node,
    zone: zone.zone,
    startPfn: zone.startPfn ?? 0,
    spanned: zone.spanned,
    managed: zone.managed ?? zone.present,
  };
}

function zonesByConvention(
  survey: Survey,
  snapshots: readonly Snapshot[],
  assumptions: string[],
): ZoneDraft[] {
  const copy = snapshots.find((s) => s.kind === 'buddyinfo');
  const map = snapshots.find((s) => s.kind === 'kpageflags' || s.kind === 'kpagecount');
  const end = Math.max(survey.endPfn, map === undefined ? 0 : claimsEnd(map));
  const named = copy?.kind === 'buddyinfo' ? copy.zones : [];
  const nodes = new Set(named.map((z) => z.node));
  if (nodes.size > 1) {
    assumptions.push('several nodes and no zoneinfo: pages cannot be told apart by node');
  }
  const drafts: ZoneDraft[] = [];
  for (const { node, zone, free } of named) {
    const [startPfn, endPfn] = conventionalRange(zone, named, end);
    const spanned = Math.max(0, endPfn - startPfn);
    // A full DMA32 stands below Normal; the highest zone is at least as large as what is free of it.
    const below = zone === 'DMA32' && named.some((z) => z.zone === 'Normal');
    const pages = free.reduce((sum, n, q) => sum + n * 2 ** q, 0);
    const managed = Math.max(spanned, pages, below ? DMA32_END - startPfn : 0);
    drafts.push({ node, zone, startPfn, spanned, managed });
  }
  if (drafts.length > 0) {
    assumptions.push('zone borders as on x86-64 (DMA 16 MiB, DMA32 4 GiB), for want of zoneinfo');
    return drafts;
  }
  if (end === 0) return [];
  assumptions.push('one zone over all pages seen, for want of zoneinfo and buddyinfo');
  return [{ node: 0, zone: 'Normal', startPfn: 0, spanned: end, managed: end }];
}

function conventionalRange(
  zone: string,
  named: readonly { zone: string }[],
  end: number,
): [number, number] {
  const has = (name: string): boolean => named.some((z) => z.zone === name);
  const dmaEnd = has('DMA') ? DMA_END : 0;
  if (zone === 'DMA') return [0, Math.min(DMA_END, Math.max(end, 1))];
  if (zone === 'DMA32') return [dmaEnd, Math.min(DMA32_END, Math.max(end, dmaEnd))];
  if (zone === 'Normal') {
    const start = has('DMA32') ? DMA32_END : dmaEnd;
    return [start, Math.max(end, start)];
  }
  return [end, end];
}

function limitPages(zones: ZoneDraft[], limit: number, assumptions: string[]): void {
  let left = limit;
  for (const zone of zones) {
    if (zone.spanned > left) {
      assumptions.push(`zone ${zone.zone} cut to ${left} pages (the limit of simulated pages)`);
      zone.spanned = left;
      zone.managed = Math.min(zone.managed, left);
    }
    left -= zone.spanned;
  }
}

function layOut(
  drafts: readonly ZoneDraft[],
  areas: readonly AreaGeometry[],
  sections: readonly number[] | null,
  orders: number,
  pageblockOrder: number,
  assumptions: readonly string[],
): Geometry {
  const zones = drafts.map((draft, index): ZoneGeometry => {
    const own = areas.flatMap(({ zone }, a) => (zone === index ? [a] : []));
    return { ...draft, index, areas: own };
  });
  const space = new PfnSpace(
    areas.map((a) => ({
      node: zones[a.zone]!.node,
      zone: zones[a.zone]!.zone,
      startPfn: a.startPfn,
      spanned: a.spanned,
    })),
    orders - 1,
    sections,
  );
  const areaOf = areas.length === 1 ? () => 0 : (page: number) => space.zoneOf(page);
  return { zones, areas, space, orders, pageblockOrder, assumptions, areaOf };
}

/** Areas of all zones, in their order. */
function areasOf(zones: readonly ZoneDraft[], cma: readonly PfnRange[]): AreaGeometry[] {
  return zones.flatMap((zone, index) => splitByCma(zone, index, cma));
}

function splitByCma(draft: ZoneDraft, zone: number, cma: readonly PfnRange[]): AreaGeometry[] {
  const areas: AreaGeometry[] = [];
  const end = draft.startPfn + draft.spanned;
  let at = draft.startPfn;
  const inside = cma
    .filter((c) => c.pages > 0 && c.startPfn >= at && c.startPfn + c.pages <= end)
    .sort((a, b) => a.startPfn - b.startPfn);
  for (const area of inside) {
    if (area.startPfn < at) continue;
    if (area.startPfn > at) {
      areas.push({ zone, startPfn: at, spanned: area.startPfn - at, cma: false });
    }
    areas.push({ zone, startPfn: area.startPfn, spanned: area.pages, cma: true });
    at = area.startPfn + area.pages;
  }
  if (at < end) areas.push({ zone, startPfn: at, spanned: end - at, cma: false });
  return areas;
}

/** Blocks of each order that a zone's memory makes: zone * orders + order. */
export function blocksThatFit({ zones, orders }: Geometry): Int32Array {
  return Int32Array.from(zones.flatMap(({ managed }) => blocksOf(managed, orders)));
}

function blocksOf(pages: number, orders: number): number[] {
  return Array.from({ length: orders }, (_, order) => Math.floor(pages / 2 ** order));
}
