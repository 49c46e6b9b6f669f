/**
 * Watermarks over time: the static marks of each zone, and the boost as the events tell it.
 *
 * Static marks come from zoneinfo (min, low, high as printed include the boost; it is printed since
 * 5.19 and taken off), else from vm.min_free_kbytes and the zones' sizes, else they stay NaN.
 *
 * Boost (docs/model/boost-from-events.md; mm/page_alloc.c boost_watermark, mm/vmscan.c balance_pgdat, 5.0 and
 * later): a fallback below pageblock order adds one pageblock up to a cap; kswapd takes off at the
 * end of a pass what it saw at its beginning. Nothing of that is traced, but both ends are: extfrag,
 * and kswapd's wake and sleep. mm_vmscan_wakeup_kswapd is printed only while kswapd waits: its pass is over by then, and what
 * the same task just added was added after it.
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
/** An allocation that boosts wakes kswapd before it returns: its fallbacks lie closer together than this, ns. */
const ONE_ALLOCATION = 1e6;
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
  /** Boost each zone had when kswapd of its node last woke, NaN = its pass is over. */
  readonly #atWake: Float64Array;
  /** The latest fallbacks of one task, by zone: how many, and the boost before them. */
  readonly #runs: FallbackRun[];

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
    this.#runs = geometry.zones.map(() => ({ count: 0, before: 0, pid: -1, timeNs: 0 }));
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

  /** extfrag event i of the batch, on a page of a zone with these free blocks. */
  extfrag(batch: EventBatch, i: number, zone: number, free: ArrayLike<number>): void {
    const marks = this.zones[zone]!;
    if (!this.#switches.boost || Number.isNaN(marks.high)) return;
    const boosts = this.#boostsOf(batch, i, free);
    if (boosts === 0) return;
    const run = this.#runs[zone]!;
    const timeNs = batch.timeNs[i]!;
    if (!follows(run, batch.pid[i]!, timeNs)) {
      run.count = 0;
      run.before = marks.boost;
      run.pid = batch.pid[i]!;
    }
    run.count += boosts;
    run.timeNs = timeNs;
    this.#setBoost(marks, this.#boosted(zone, marks.boost, boosts));
  }

  /**
   * How often a fallback boosted. Where pageblocks are claimed before single blocks are cut (6.15 and later), each order that has a
   * foreign block is tried from the top down, and a try boosts whether it succeeds or not. Movable requests try no small blocks.
   */
  #boostsOf(batch: EventBatch, i: number, free: ArrayLike<number>): number {
    const { fallbackOrder, pageblockOrder, changeOwnership } = unpackExtfrag(batch.detail[i]!);
    if (fallbackOrder >= pageblockOrder) return 0;
    const movable = batch.migratetype[i] === MOVABLE;
    const half = pageblockOrder / 2;
    if (this.#switches.fallback !== 'E') {
      const claims = changeOwnership || !movable || fallbackOrder >= half;
      return this.#extfragRemoves && !claims ? 0 : 1;
    }
    const least = Math.max(batch.order[i]!, movable ? Math.floor(half) : 0);
    let tries = 0;
    for (let q = changeOwnership ? fallbackOrder : least; q < pageblockOrder; q++) {
      if (free[q]! > 0 || q === fallbackOrder) tries++;
    }
    return tries;
  }

  /** A boost of a zone after some more fallbacks. */
  #boosted(zone: number, boost: number, fallbacks: number): number {
    const { managed } = this.#geometry.zones[zone]!;
    const { high } = this.zones[zone]!;
    const block = 2 ** this.#geometry.pageblockOrder;
    let raised = boost;
    for (let n = 0; n < fallbacks; n++) {
      raised = boostAfterFallback(raised, high, managed, block, this.#boostFactor);
    }
    return raised;
  }

  /** Rare event `row`: kswapd's passes take boost away. */
  rare(rare: RareLog, row: number): void {
    const kind = rare.kind[row]!;
    const called = kind === EventKind.wakeupKswapd;
    if (!called && kind !== EventKind.kswapdWake && kind !== EventKind.kswapdSleep) return;
    const node = rare.field(row, 0);
    for (const zone of this.#geometry.zones) {
      if (zone.node !== node) continue;
      const z = zone.index;
      const afterPass = called && follows(this.#runs[z]!, rare.pid[row]!, rare.timeNs[row]!);
      this.#endPass(z, afterPass ? this.#runs[z]! : null);
      if (kind === EventKind.kswapdWake) this.#atWake[z] = this.zones[z]!.boost;
      this.#runs[z]!.pid = -1;
    }
  }

  /** A pass of kswapd is over: what it saw at its beginning goes; `later` = fallbacks after it. */
  #endPass(zone: number, later: FallbackRun | null): void {
    const seen = this.#atWake[zone]!;
    this.#atWake[zone] = Number.NaN;
    if (Number.isNaN(seen)) return;
    const marks = this.zones[zone]!;
    const left = Math.max(0, (later === null ? marks.boost : later.before) - seen);
    this.#setBoost(marks, this.#boosted(zone, left, later?.count ?? 0));
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

/** Fallbacks that one task made in a zone one after the other. */
interface FallbackRun {
  count: number;
  before: number;
  /** -1 = over. */
  pid: number;
  timeNs: number;
}

function follows(run: FallbackRun, pid: number, timeNs: number): boolean {
  return run.pid === pid && timeNs - run.timeNs < ONE_ALLOCATION;
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
  const reserve = geometry.zones.map((zone) => reserveOf(zone, geometry, sysctl, switches));
  if (minFreeKbytes === null) {
    assumptions.push('watermarks and lowmem_reserve unknown: verdicts rest on contiguity alone');
    return reserve.map((protection) => ({ ...unknownMarks(), protection }));
  }
  assumptions.push('lowmem_reserve computed from the sizes of the zones');
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
