/**
 * What a user would have recorded of a small kernel: events (all or some), losses, snapshots.
 *
 * Copies are taken while the kernel runs and keep the index of the event before which they were taken;
 * `recorded` leaves out what was not enabled and moves the copies accordingly.
 */
import type { PlainEvent } from '../../recording/testing/batches.js';
import { EventKind } from '../../records/events.js';
import {
  PageClass,
  type Snapshot,
  type SnapshotTime,
  type Zoneinfo,
} from '../../records/snapshot.js';
import { RecordingStrings } from '../../records/strings.js';
import type { ReplayInput } from '../reconstruct.js';
import { EventList, plain } from './event-list.js';
import type { SmallKernel } from './small-kernel.js';

export interface RecordOptions {
  /** Kinds that were enabled; all of them if absent. */
  readonly kinds?: readonly EventKind[];
  /** Indices [from, to) in the log that the buffer lost. */
  readonly lost?: readonly (readonly [from: number, to: number])[];
  readonly perBatch?: number;
  /** Copies that exist; all that were taken if absent. */
  readonly snapshots?: readonly Snapshot[];
}

export interface Recorded {
  readonly input: ReplayInput;
  /** For each event of the recording, the truth after it. */
  readonly truth: readonly (readonly number[])[];
  readonly pageTruth: readonly (readonly number[])[];
  readonly compacting: readonly boolean[];
  /** Index in the recording of an index in the kernel's log. */
  indexOf(full: number): number;
}

export class SnapshotTaker {
  readonly snapshots: Snapshot[] = [];
  readonly #kernel: SmallKernel;

  constructor(kernel: SmallKernel) {
    this.#kernel = kernel;
  }

  /** With what tells all of a kernel at this moment: zones, release, free lists and where they lie. */
  static complete(kernel: SmallKernel, release: string): SnapshotTaker {
    const taker = new SnapshotTaker(kernel);
    taker.zoneinfo();
    taker.version(`Linux version ${release}`);
    taker.buddyinfo();
    taker.kpageflags()();
    return taker;
  }

  buddyinfo(): Snapshot {
    const { zones, orders, maxOrder } = this.#kernel;
    const rows = zones.map(({ node = 0, zone }, z) => {
      const free = new Array<number>(orders).fill(0);
      for (const { order } of this.#kernel.blocksOf(z)) free[Math.min(order, maxOrder)]!++;
      return { node, zone, free };
    });
    return this.#add({
      kind: 'buddyinfo',
      time: this.#time(),
      source: 'buddyinfo',
      line: 1,
      zones: rows,
    });
  }

  /** Begins a copy of kpageflags; what happens until the returned function is called goes on meanwhile. */
  kpageflags(): () => Snapshot {
    const { zones, buddy } = this.#kernel;
    const end = Math.max(...zones.map((z) => z.startPfn + z.pages));
    const classes = new Uint8Array(end);
    const begin = this.#kernel.now;
    const time = this.#time();
    const read = (half: number): void => {
      for (let p = half * (end >> 1); p < (half === 0 ? end >> 1 : end); p++) {
        classes[p] = buddy.free.has(p) ? PageClass.buddy : 0;
      }
    };
    read(0);
    return () => {
      read(1);
      const endTime = { endNs: this.#kernel.timeNs, endEvent: this.#kernel.now };
      return this.#add({
        kind: 'kpageflags',
        time: { ...time, beginEvent: begin, ...endTime },
        source: 'kpageflags',
        line: 0,
        classes,
        buddyHeadsOnly: false,
      });
    };
  }

  zoneinfo(marks: Partial<Zoneinfo> = {}): Snapshot {
    const zones = this.#kernel.zones.map(
      ({ node = 0, zone, startPfn, pages, cmaPages = 0 }, z): Zoneinfo => ({
        node,
        zone,
        freePages: this.#kernel.blocksOf(z).reduce((sum, b) => sum + 2 ** b.order, 0),
        boost: 0,
        min: 64,
        low: 80,
        high: 96,
        promo: null,
        spanned: pages,
        present: pages,
        managed: pages,
        cma: cmaPages,
        protection: [],
        startPfn,
        nrFreeCma: null,
        reservedHighatomic: null,
        freeHighatomic: null,
        pcp: [],
        vmStatsThreshold: null,
        ...marks,
      }),
    );
    return this.#add({ kind: 'zoneinfo', time: this.#time(), source: 'zoneinfo', line: 1, zones });
  }

  /** Tells the size of a pageblock; no rows of free blocks by type. */
  pagetypeinfo(): Snapshot {
    const { pageblockOrder } = this.#kernel;
    const place = { time: this.#time(), source: 'pagetypeinfo', line: 1 };
    return this.#add({
      kind: 'pagetypeinfo',
      ...place,
      pageblockOrder,
      free: [],
      blocks: [],
      mixed: null,
    });
  }

  version(text: string): Snapshot {
    const release = /\d[\w.+-]*/.exec(text)?.[0] ?? '';
    return this.#add({
      kind: 'version',
      time: this.#time(),
      source: 'version',
      line: 1,
      release,
      text,
    });
  }

  #time(): SnapshotTime {
    const { timeNs, now } = this.#kernel;
    const place = { beginEvent: now, endEvent: now };
    return {
      clock: 'trace',
      beginNs: timeNs,
      endNs: timeNs,
      snap: null,
      resolutionNs: 1,
      ...place,
    };
  }

  #add(snapshot: Snapshot): Snapshot {
    this.snapshots.push(snapshot);
    return snapshot;
  }
}

export function recorded(
  kernel: SmallKernel,
  snapshots: readonly Snapshot[],
  options: RecordOptions = {},
): Recorded {
  const { kinds, lost = [], perBatch = 64 } = options;
  const events: PlainEvent[] = [];
  const kept: { truth: readonly number[]; pageTruth: readonly number[]; compacting: boolean }[] =
    [];
  const places: number[] = [];
  kernel.log.forEach((entry, i) => {
    places.push(events.length);
    const hole = lost.find(([from, to]) => i >= from && i < to);
    if (hole) {
      if (i < hole[1] - 1) return;
      const { timeNs, cpu } = entry.event;
      events.push(plain({ kind: EventKind.lost, timeNs, cpu, rare: [hole[1] - hole[0]] }));
      kept.push(entry);
    } else if (kinds === undefined || kinds.includes(entry.event.kind)) {
      events.push(entry.event);
      kept.push(entry);
    }
  });
  const indexOf = (full: number): number => places[full] ?? events.length;
  const strings = new RecordingStrings();
  const moved = (options.snapshots ?? snapshots).map((snapshot): Snapshot => {
    const { beginEvent, endEvent } = snapshot.time;
    if (typeof beginEvent !== 'number' || typeof endEvent !== 'number') return snapshot;
    const time = { ...snapshot.time, beginEvent: indexOf(beginEvent), endEvent: indexOf(endEvent) };
    return { ...snapshot, time };
  });
  return {
    input: { events: new EventList(events, strings, perBatch), snapshots: moved, strings },
    truth: kept.map((k) => k.truth),
    pageTruth: kept.map((k) => k.pageTruth),
    compacting: kept.map((k) => k.compacting),
    indexOf,
  };
}
