/**
 * Watermarks over time: the static marks of each zone, and the boost as the events tell it.
 *
 * Static marks come from zoneinfo (min, low, high as printed include the boost; it is printed since
 * 5.19 and taken off), else from vm.min_free_kbytes and the zones' sizes, else they stay NaN.
 *
 * Boost (docs/model/boost-from-events.md; mm/page_alloc.c boost_watermark, mm/vmscan.c balance_pgdat, 5.0 and
 * later): a fallback below pageblock order adds one pageblock up to a cap; kswapd takes off at the
 * end of a pass what it saw at its beginning. Nothing of that is traced, but both ends are: extfrag,
 * and kswapd's wake and sleep.
 */
import { computeLowmemReserve, LOWMEM_RESERVE_RATIO } from '../kernel/lowmem-reserve.js';
import { boostAfterFallback, computeZoneMarks, mostBoost } from '../kernel/min-free-kbytes.js';
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import { compiledZones } from '../kernel/zonelist.js';
import { type EventBatch, EventKind, unpackExtfrag } from '../records/events.js';
import type { Snapshot, Zoneinfo } from '../records/snapshot.js';
import type { Geometry, ZoneGeometry } from './geometry.js';
import type { ZoneMarks } from './observer.js';
import type { RareLog } from './survey.js';

const MOVABLE = 1;
/** vm.watermark_boost_factor when nothing says otherwise, in 1/10000 of the high mark. */
const DEFAULT_BOOST_FACTOR = 15000;

export interface MutableMarks extends ZoneMarks {
  boost: number;
  unseenBoost?: number;
}

export class MarkTracker {
  readonly zones: MutableMarks[];
  readonly assumptions: readonly string[];
  readonly basis: 'zoneinfo' | 'min_free_kbytes' | 'none';
  /** Counts changes of a boost, so that users of the marks know when to look again. */
  version = 0;
  readonly #geometry: Geometry;
  readonly #switches: ProfileSwitches;
  readonly #boostFactor: number;
  readonly #extfragRemoves: boolean;
  /** Boost each zone had when kswapd of its node last woke, NaN = asleep. */
  readonly #atWake: Float64Array;

  constructor(
    geometry: Geometry,
    snapshots: readonly Snapshot[],
    switches: ProfileSwitches,
    extfragRemoves: boolean,
    boostSeen = true,
  ) {
    const assumptions: string[] = [];
    this.#geometry = geometry;
    this.#switches = switches;
    this.#extfragRemoves = extfragRemoves;
    this.#atWake = new Float64Array(geometry.zones.length).fill(Number.NaN);
    const sysctl = sysctlValues(snapshots);
    this.#boostFactor = numberOf(sysctl.get('watermark_boost_factor')) ?? DEFAULT_BOOST_FACTOR;
    const copies = firstZoneinfo(snapshots);
    if (copies.length > 0) {
      this.basis = 'zoneinfo';
      this.zones = geometry.zones.map((zone) => marksFromZoneinfo(zone, copies));
    } else {
      const minFree = numberOf(sysctl.get('min_free_kbytes'));
      this.basis = minFree === null ? 'none' : 'min_free_kbytes';
      this.zones = marksFromMinFree(geometry, minFree, sysctl, switches, assumptions);
    }
    this.assumptions = assumptions;
    if (!boostSeen && switches.boost) this.#doubtBoost();
  }

  /** No fallback is in the recording: perhaps none was recorded. */
  #doubtBoost(): void {
    const block = 2 ** this.#geometry.pageblockOrder;
    this.zones.forEach((marks, z) => {
      const { managed } = this.#geometry.zones[z]!;
      const most = mostBoost(marks.high, managed, block, this.#boostFactor);
      if (most > marks.boost) marks.unseenBoost = most;
    });
  }

  /** extfrag event i of the batch, on a page of zone z. */
  extfrag(batch: EventBatch, i: number, zone: number): void {
    if (!this.#switches.boost) return;
    const { fallbackOrder, pageblockOrder, changeOwnership } = unpackExtfrag(batch.detail[i]!);
    if (fallbackOrder >= pageblockOrder) return;
    // Movable requests that only take small foreign blocks never try to claim, so do not boost.
    const claims =
      changeOwnership || batch.migratetype[i] !== MOVABLE || fallbackOrder >= pageblockOrder / 2;
    if (this.#extfragRemoves && !claims) return;
    const marks = this.zones[zone]!;
    if (Number.isNaN(marks.high)) return;
    const { managed } = this.#geometry.zones[zone]!;
    const block = 2 ** pageblockOrder;
    this.#setBoost(
      marks,
      boostAfterFallback(marks.boost, marks.high, managed, block, this.#boostFactor),
    );
  }

  /** Rare event `row`: kswapd's wakes and sleeps take boost away. */
  rare(rare: RareLog, row: number): void {
    const kind = rare.kind[row]!;
    if (kind !== EventKind.kswapdWake && kind !== EventKind.kswapdSleep) return;
    const node = rare.field(row, 0);
    for (const zone of this.#geometry.zones) {
      if (zone.node !== node) continue;
      const marks = this.zones[zone.index]!;
      const seen = this.#atWake[zone.index]!;
      if (!Number.isNaN(seen)) this.#setBoost(marks, marks.boost - Math.min(marks.boost, seen));
      this.#atWake[zone.index] = kind === EventKind.kswapdWake ? marks.boost : Number.NaN;
    }
  }

  /** A zoneinfo copy that prints the boost corrects it. */
  zoneinfo(zones: readonly Zoneinfo[]): void {
    for (const printed of zones) {
      const zone = this.#geometry.zones.find(
        (z) => z.node === printed.node && z.zone === printed.zone,
      );
      if (zone && printed.boost !== null) this.#setBoost(this.zones[zone.index]!, printed.boost);
    }
  }

  #setBoost(marks: MutableMarks, boost: number): void {
    if (marks.boost === boost) return;
    marks.boost = boost;
    this.version++;
  }
}

/** All zones of the first copy of each zone that was printed. */
function firstZoneinfo(snapshots: readonly Snapshot[]): readonly Zoneinfo[] {
  const copy = snapshots.find((s) => s.kind === 'zoneinfo');
  return copy?.kind === 'zoneinfo' ? copy.zones : [];
}

function marksFromZoneinfo(zone: ZoneGeometry, copies: readonly Zoneinfo[]): MutableMarks {
  const printed = copies.find((z) => z.node === zone.node && z.zone === zone.zone);
  if (!printed) return unknownMarks();
  const boost = printed.boost ?? 0;
  return {
    min: printed.min - boost,
    low: printed.low - boost,
    high: printed.high - boost,
    boost,
    protection: printed.protection,
  };
}

function marksFromMinFree(
  geometry: Geometry,
  minFreeKbytes: number | null,
  sysctl: ReadonlyMap<string, string>,
  switches: ProfileSwitches,
  assumptions: string[],
): MutableMarks[] {
  assumptions.push('lowmem_reserve computed from the sizes of the zones');
  const reserve = geometry.zones.map((zone) => reserveOf(zone, geometry, sysctl, switches));
  if (minFreeKbytes === null) {
    assumptions.push('watermarks unknown: verdicts rest on contiguity and lowmem_reserve alone');
    return reserve.map((protection) => ({ ...unknownMarks(), protection }));
  }
  assumptions.push('watermarks computed from vm.min_free_kbytes');
  const computed = computeZoneMarks(
    {
      minFreeKbytes,
      scaleFactor: numberOf(sysctl.get('watermark_scale_factor')) ?? 10,
      zones: geometry.zones,
    },
    switches,
  );
  return computed.map(({ min, low, high }, z) => ({
    min,
    low,
    high,
    boost: 0,
    protection: reserve[z]!,
  }));
}

/** lowmem_reserve of a zone, by compiled zone, from vm.lowmem_reserve_ratio or its defaults. */
function reserveOf(
  zone: ZoneGeometry,
  geometry: Geometry,
  sysctl: ReadonlyMap<string, string>,
  switches: ProfileSwitches,
): number[] {
  const compiled = compiledZones(
    geometry.zones.map((z) => z.zone),
    null,
  );
  const managed = compiled.map(
    (name) => geometry.zones.find((z) => z.node === zone.node && z.zone === name)?.managed ?? 0,
  );
  const given = (sysctl.get('lowmem_reserve_ratio') ?? '').trim().split(/\s+/).map(Number);
  const ratios = compiled.map((name, i) =>
    Number.isFinite(given[i]) && given.length > 1 ? given[i]! : (LOWMEM_RESERVE_RATIO[name] ?? 0),
  );
  return computeLowmemReserve(managed, ratios, switches)[compiled.indexOf(zone.zone)] ?? [];
}

function unknownMarks(): MutableMarks {
  return { min: Number.NaN, low: Number.NaN, high: Number.NaN, boost: 0, protection: [] };
}

function sysctlValues(snapshots: readonly Snapshot[]): ReadonlyMap<string, string> {
  const copy = snapshots.find((s) => s.kind === 'sysctl');
  return copy?.kind === 'sysctl' ? copy.values : new Map();
}

function numberOf(text: string | undefined): number | null {
  const value = text === undefined ? Number.NaN : Number.parseInt(text, 10);
  return Number.isFinite(value) ? value : null;
}
