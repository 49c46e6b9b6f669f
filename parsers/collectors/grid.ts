/**
 * Puts series of counts, one a zone and order, together into copies of buddyinfo.
 *
 * Databases keep one series a metric; a copy is what all series say at one instant. A zone that lacks an
 * order at some instant is left out there and counted.
 */
import type { BuddyinfoSnapshot, Snapshot, SnapshotTime } from '../../src/records/snapshot.js';
import { MAX_COUNT, MAX_ORDERS, MIN_ORDERS } from '../snapshot-text/scan.js';

export interface GridCell {
  readonly node: number;
  readonly zone: string;
  readonly order: number;
}

/** Instants kept at most: a year of one a minute. */
const MAX_INSTANTS = 600_000;
const MAX_ZONES = 1024;

export class BuddyGrid {
  /** By epoch in nanoseconds: zone key to counts by order. */
  readonly #instants = new Map<number, Map<string, Float64Array>>();
  readonly #zones = new Map<string, { node: number; zone: string; orders: number }>();
  /** Values that are no count, or more instants and zones than are kept. */
  refused = 0;
  /** Zones left out of a copy since an order was missing. */
  incomplete = 0;

  get empty(): boolean {
    return this.#instants.size === 0;
  }

  put({ node, zone, order }: GridCell, timeNs: number, count: number): void {
    const fits = Number.isInteger(count) && count >= 0 && count <= MAX_COUNT;
    const place = order >= 0 && order < MAX_ORDERS && node >= 0 && node < 1 << 16 && zone !== '';
    if (!fits || !place || !Number.isFinite(timeNs)) {
      this.refused++;
      return;
    }
    const counts = this.#counts(`${node} ${zone}`, node, zone, order, timeNs);
    if (counts === null) this.refused++;
    else counts[order] = count;
  }

  #counts(
    key: string,
    node: number,
    zone: string,
    order: number,
    timeNs: number,
  ): Float64Array | null {
    let known = this.#zones.get(key);
    if (known === undefined) {
      if (this.#zones.size >= MAX_ZONES) return null;
      known = { node, zone, orders: 0 };
      this.#zones.set(key, known);
    }
    known.orders = Math.max(known.orders, order + 1);
    let zones = this.#instants.get(timeNs);
    if (zones === undefined) {
      if (this.#instants.size >= MAX_INSTANTS) return null;
      zones = new Map();
      this.#instants.set(timeNs, zones);
    }
    let counts = zones.get(key);
    if (counts === undefined) {
      counts = new Float64Array(MAX_ORDERS).fill(-1);
      zones.set(key, counts);
    }
    return counts;
  }

  /** The copies in order of time. */
  *copies(source: string, timeOf: (timeNs: number) => SnapshotTime): Generator<Snapshot> {
    for (const timeNs of [...this.#instants.keys()].sort((a, b) => a - b)) {
      const zones: BuddyinfoSnapshot['zones'][number][] = [];
      for (const [key, counts] of this.#instants.get(timeNs)!) {
        const { node, zone, orders } = this.#zones.get(key)!;
        const free = [...counts.subarray(0, orders)];
        if (orders < MIN_ORDERS || free.includes(-1)) this.incomplete++;
        else zones.push({ node, zone, free });
      }
      zones.sort((a, b) => a.node - b.node || zoneRank(a.zone) - zoneRank(b.zone));
      if (zones.length > 0) {
        yield { kind: 'buddyinfo', source, line: 0, time: timeOf(timeNs), zones };
      }
    }
  }
}

/** Zones in the kernel's order. */
const ZONES = ['DMA', 'DMA32', 'Normal', 'HighMem', 'Movable', 'Device'];

function zoneRank(zone: string): number {
  const rank = ZONES.indexOf(zone);
  return rank < 0 ? ZONES.length : rank;
}
