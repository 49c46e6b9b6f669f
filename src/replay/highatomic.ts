/**
 * HIGHATOMIC over time: how much memory is reserved for atomic multi-page requests, and how much of
 * that is free, as pagetypeinfo and zoneinfo (6.19 and later) print it.
 *
 * The reserve matters twice (docs/model/highatomic.md): requests without the right to it count its
 * pages as not there, and its blocks cannot serve them. Its pageblocks change hands without any event,
 * so between two copies the nearer one holds.
 */
import type { PagetypeinfoSnapshot, ZoneinfoSnapshot } from '../records/snapshot.js';
import type { Geometry } from './geometry.js';
import type { PlacedSnapshot } from './place.js';

/** The reserve of every zone from a moment on. */
export interface ReserveStep {
  readonly fromNs: number;
  /** Pages in HIGHATOMIC pageblocks, by zone. */
  readonly reserved: Int32Array;
  /** The same in the copies before and after, if that is more. */
  readonly atMost: Int32Array;
  /** Free blocks in them, zone * orders + order. */
  readonly free: Int32Array;
}

export function reserveSteps(
  placed: readonly PlacedSnapshot[],
  geometry: Geometry,
): readonly ReserveStep[] {
  const steps: { timeNs: number; reserved: Int32Array; free: Int32Array }[] = [];
  for (const { snapshot, timeNs } of placed) {
    if (snapshot.kind === 'pagetypeinfo') steps.push({ timeNs, ...fromTypes(snapshot, geometry) });
    else if (snapshot.kind === 'zoneinfo') {
      const printed = fromZoneinfo(snapshot, geometry);
      if (printed !== null) steps.push({ timeNs, ...printed });
    }
  }
  return steps.map(({ timeNs, reserved, free }, i) => ({
    fromNs: i === 0 ? Number.NEGATIVE_INFINITY : (steps[i - 1]!.timeNs + timeNs) / 2,
    reserved,
    atMost: reserved.map((pages, z) =>
      Math.max(pages, steps[i - 1]?.reserved[z] ?? 0, steps[i + 1]?.reserved[z] ?? 0),
    ),
    free,
  }));
}

function emptyStep(geometry: Geometry): { reserved: Int32Array; free: Int32Array } {
  return {
    reserved: new Int32Array(geometry.zones.length),
    free: new Int32Array(geometry.zones.length * geometry.orders),
  };
}

const zoneIndex = (geometry: Geometry, node: number, zone: string): number =>
  geometry.zones.findIndex((z) => z.node === node && z.zone === zone);

function fromTypes(
  copy: PagetypeinfoSnapshot,
  geometry: Geometry,
): { reserved: Int32Array; free: Int32Array } {
  const step = emptyStep(geometry);
  for (const { node, zone, counts } of copy.blocks) {
    const z = zoneIndex(geometry, node, zone);
    if (z >= 0) step.reserved[z] = (counts.HighAtomic ?? 0) * 2 ** geometry.pageblockOrder;
  }
  for (const { node, zone, type, free } of copy.free) {
    const z = zoneIndex(geometry, node, zone);
    if (z < 0 || type !== 'HighAtomic') continue;
    for (let q = 0; q < geometry.orders; q++) step.free[z * geometry.orders + q] = free[q] ?? 0;
  }
  return step;
}

/** zoneinfo says how many pages, not in which blocks: the largest that fit are assumed. */
function fromZoneinfo(
  copy: ZoneinfoSnapshot,
  geometry: Geometry,
): { reserved: Int32Array; free: Int32Array } | null {
  if (!copy.zones.some((z) => z.reservedHighatomic !== null)) return null;
  const step = emptyStep(geometry);
  for (const { node, zone, reservedHighatomic, freeHighatomic } of copy.zones) {
    const z = zoneIndex(geometry, node, zone);
    if (z < 0) continue;
    step.reserved[z] = reservedHighatomic ?? 0;
    let left = freeHighatomic ?? 0;
    for (let q = geometry.pageblockOrder; q >= 0; q--) {
      step.free[z * geometry.orders + q] = Math.floor(left / 2 ** q);
      left %= 2 ** q;
    }
  }
  return step;
}
