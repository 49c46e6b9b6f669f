/**
 * A small machine with a plain buddy allocator that drives observers, for tests and for charts.
 *
 * Two zones, deterministic, no cleverness: free blocks are held in sets and found by linear search.
 * The default workload fills memory, frees every other page so that much is free and nothing is
 * large (the classic checkerboard), tries atomic requests all along, and recovers at the end.
 */
import { EventBatch, EventKind, PFN_NONE, packExtfrag } from '../../records/events.js';
import { RecordingStrings } from '../../records/strings.js';
import {
  PageBit,
  type ReplayObserver,
  type ReplayState,
  type ZoneState,
} from '../../replay/observer.js';
import { showEvent } from '../../replay/watchers.js';
import type { FailureWindow, WindowEdge, ZoneReason } from '../types.js';

export const ORDERS = 11;
export const TYPE_NAMES = ['Unmovable', 'Movable', 'Reclaimable', 'HighAtomic', 'CMA', 'Isolate'];
export const UNMOVABLE = 0;
export const MOVABLE = 1;
export const PAGEBLOCK_ORDER = 9;

interface NaiveZone extends ZoneState {
  readonly firstPage: number;
  readonly blocks: Set<number>[];
  freePages: number;
}

/** Pages that must stay free for GFP_ATOMIC: min less a half less a quarter, plus the reserve. */
export function syntheticNeed(zone: ZoneState): number {
  const half = zone.marks.min - (zone.marks.min >> 1);
  return half - (half >> 2) + (zone.marks.protection[1] ?? 0);
}

export class SyntheticMachine {
  readonly strings = new RecordingStrings();
  readonly windows: FailureWindow[] = [];
  readonly observers: readonly ReplayObserver[];
  readonly state: ReplayState & { timeNs: number; eventIndex: number };
  readonly #zones: NaiveZone[];
  readonly #batch = new EventBatch(1);
  readonly #open: (FailureWindow | null)[] = new Array<FailureWindow | null>(ORDERS).fill(null);
  readonly #orderOf = new Map<number, number>();
  timeNs: number;

  /** @param makeObservers is given the machine's string tables. */
  constructor(
    makeObservers: (strings: RecordingStrings) => readonly ReplayObserver[],
    sizes: readonly number[] = [4096, 49152],
    startNs = 100e9,
  ) {
    this.timeNs = startNs;
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const names = ['DMA', 'DMA32', 'Normal'];
    let first = 0;
    this.#zones = sizes.map((size, index) => {
      const zone = naiveZone(index, names[index] ?? 'Movable', first, size);
      first += size;
      return zone;
    });
    this.state = {
      timeNs: startNs,
      eventIndex: -1,
      zones: this.#zones,
      orders: ORDERS,
      pageblockOrder: PAGEBLOCK_ORDER,
      pages: new Uint8Array(total),
      headOrder: new Int8Array(total).fill(-1),
      pageblockType: new Int8Array(total >> PAGEBLOCK_ORDER).fill(MOVABLE),
      pageOf: (pfn) => (pfn >= 0 && pfn < total ? pfn : -1),
      pfnOf: (page) => page,
      zoneOf: (page) => this.#zones.findIndex((z) => page < z.firstPage + z.spanned),
    };
    this.#zones.forEach((zone) => {
      for (let page = zone.firstPage; page < zone.firstPage + zone.spanned; page += 1024) {
        this.#insert(zone, page, 10);
      }
    });
    this.observers = makeObservers(this.strings);
    for (const observer of this.observers) observer.start?.(this.state);
  }

  /** Allocates 2^order pages; returns the first page, or -1 and records a refusal. */
  alloc(order: number, comm: string, gfp: string, migratetype = MOVABLE, stepNs = 5000): number {
    const atomic = gfp.includes('GFP_ATOMIC');
    const page = this.#take(order, atomic);
    this.#emit(EventKind.alloc, page < 0 ? PFN_NONE : page, order, comm, gfp, migratetype, stepNs);
    return page;
  }

  free(page: number, order: number, comm: string, stepNs = 5000): void {
    this.#put(page, order);
    this.#emit(EventKind.free, page, order, comm, '', MOVABLE, stepNs);
  }

  marker(text: string): void {
    const batch = this.#batch;
    batch.clear();
    const row = batch.addRareRow();
    batch.rare[row * 8] = this.strings.texts.internText(text);
    this.#fire(EventKind.marker, row);
  }

  lost(count: number, cpu = 1): void {
    const batch = this.#batch;
    batch.clear();
    const row = batch.addRareRow();
    batch.rare[row * 8] = count;
    batch.cpu[0] = cpu;
    this.#fire(EventKind.lost, row);
  }

  extfrag(page: number): void {
    const batch = this.#batch;
    batch.clear();
    batch.detail[0] = packExtfrag(9, 9, MOVABLE, 0, 1);
    batch.migratetype[0] = UNMOVABLE;
    batch.order[0] = 0;
    this.#fire(EventKind.extfrag, page);
  }

  end(): void {
    this.#open.forEach((window) => {
      if (window) this.windows.push({ ...window, toNs: this.timeNs });
    });
    this.windows.sort((a, b) => a.fromNs - b.fromNs || a.order - b.order);
    for (const observer of this.observers) observer.end?.(this.state);
  }

  #emit(
    kind: number,
    pfn: number,
    order: number,
    comm: string,
    gfp: string,
    migratetype: number,
    stepNs: number,
  ): void {
    const batch = this.#batch;
    batch.clear();
    this.timeNs += stepNs;
    batch.order[0] = order;
    batch.comm[0] = this.strings.comms.internText(comm);
    batch.detail[0] = this.strings.gfps.internText(gfp);
    batch.migratetype[0] = migratetype;
    batch.pid[0] = 100 + batch.comm[0];
    this.#fire(kind, pfn);
    this.#judge({ event: kind === EventKind.alloc ? 'alloc' : 'free', comm, pid: 1, order, pfn });
  }

  #fire(kind: number, pfn: number): void {
    const batch = this.#batch;
    batch.length = 1;
    batch.kind[0] = kind;
    batch.pfn[0] = pfn;
    batch.timeNs[0] = this.timeNs;
    this.state.timeNs = this.timeNs;
    this.state.eventIndex++;
    for (const observer of this.observers) showEvent(observer, this.state, batch, 0);
  }

  #judge(edge: WindowEdge): void {
    for (let order = 1; order < ORDERS; order++) {
      const reason = this.#reasonFor(order);
      const open = this.#open[order];
      if (open && open.reason !== reason) {
        this.windows.push({ ...open, toNs: this.timeNs, closedBy: edge });
        this.#open[order] = null;
      }
      if (reason !== 'none' && !this.#open[order]) {
        this.#open[order] = {
          order,
          gfp: 'GFP_ATOMIC',
          node: 0,
          fromNs: this.timeNs,
          toNs: this.timeNs,
          reason,
          certainty: order > 8 ? 'bounded' : 'exact',
          openedBy: edge,
          closedBy: null,
        };
      }
    }
  }

  #reasonFor(order: number): ZoneReason {
    let worst: ZoneReason = 'lowmem-reserve';
    for (const zone of this.#zones) {
      if (zone.freePages - (2 ** order - 1) <= syntheticNeed(zone)) {
        if (zone.index > 0) worst = 'below-watermark';
      } else if (zone.blocks.slice(order).some((set) => set.size > 0)) {
        return 'none';
      } else {
        worst = 'fragmented';
      }
    }
    return worst;
  }

  #take(order: number, atomic: boolean): number {
    for (let z = this.#zones.length - 1; z >= 0; z--) {
      const zone = this.#zones[z]!;
      const need = atomic ? syntheticNeed(zone) : zone.marks.min + (zone.marks.protection[1] ?? 0);
      if (zone.freePages - (2 ** order - 1) <= need) continue;
      for (let q = order; q < ORDERS; q++) {
        const page = zone.blocks[q]!.values().next().value;
        if (page === undefined) continue;
        this.#remove(zone, page, q);
        for (let split = q - 1; split >= order; split--) {
          this.#insert(zone, page + 2 ** split, split);
        }
        this.state.pages.fill(PageBit.allocated, page, page + 2 ** order);
        this.#orderOf.set(page, order);
        return page;
      }
    }
    return -1;
  }

  #put(page: number, order: number): void {
    const zone = this.#zones[this.state.zoneOf(page)]!;
    let [head, size] = [page, order];
    while (size < ORDERS - 1) {
      const relative = head - zone.firstPage;
      const buddy = zone.firstPage + (relative ^ (2 ** size));
      if (!zone.blocks[size]!.has(buddy)) break;
      this.#remove(zone, buddy, size);
      head = Math.min(head, buddy);
      size++;
    }
    this.#insert(zone, head, size);
  }

  #insert(zone: NaiveZone, page: number, order: number): void {
    zone.blocks[order]!.add(page);
    this.state.headOrder[page] = order;
    this.state.pages.fill(PageBit.free, page, page + 2 ** order);
    this.#count(zone, order, 1);
  }

  #remove(zone: NaiveZone, page: number, order: number): void {
    zone.blocks[order]!.delete(page);
    this.state.headOrder[page] = -1;
    this.#count(zone, order, -1);
  }

  #count(zone: NaiveZone, order: number, change: number): void {
    zone.free[order]! += change;
    zone.low[order] = order > 8 ? Math.max(0, zone.free[order]! - 1) : zone.free[order]!;
    zone.high[order] = zone.free[order]!;
    zone.freePages += change * 2 ** order;
  }
}

function naiveZone(index: number, zone: string, firstPage: number, spanned: number): NaiveZone {
  const min = Math.floor(spanned / 70);
  return {
    index,
    node: 0,
    zone,
    startPfn: firstPage,
    spanned,
    managed: spanned,
    firstPage,
    runs: [{ from: firstPage, to: firstPage + spanned }],
    free: new Int32Array(ORDERS),
    low: new Int32Array(ORDERS),
    high: new Int32Array(ORDERS),
    freePages: 0,
    certainty: index === 0 ? 'exact' : 'bounded',
    marks: {
      min,
      low: min + (min >> 2),
      high: min + (min >> 1),
      boost: 0,
      protection: index === 0 ? [0, 5000, 5000] : [0, 0, 0],
    },
    blocks: Array.from({ length: ORDERS }, () => new Set<number>()),
  };
}

/** A linear congruential generator: the same numbers every run. */
export function lcg(seed: number): (below: number) => number {
  let x = seed >>> 0;
  return (below) => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return Math.floor((x / 2 ** 32) * below);
  };
}

/** The span of `checkerboard` on the default machine, for observers that need it beforehand. */
export const CHECKERBOARD_SPAN = { fromNs: 100e9, toNs: 101.375e9 };

const ATOMIC = 'GFP_ATOMIC|__GFP_NOWARN';

/** Fill, burst, free every other page, probe, recover. About 100 000 events in 1.37 s. */
export function checkerboard(machine: SyntheticMachine): void {
  const random = lcg(7);
  const probe = (stepNs = 9000): void => {
    const order = 1 + random(5);
    const comm = random(3) ? 'ksoftirqd/1' : '</script><b>&';
    const page = machine.alloc(order, comm, ATOMIC, UNMOVABLE, stepNs);
    if (page >= 0) machine.free(page, order, comm);
  };
  machine.marker('phase fill');
  const held = fill(machine, random, probe);
  machine.marker('phase burst');
  const burst: number[] = [];
  for (let page = 0; page >= 0; ) {
    page = machine.alloc(0, 'hog_tick', ATOMIC, UNMOVABLE, 60_000);
    if (page >= 0) burst.push(page);
  }
  for (let i = 0; i < 400; i++) probe();
  machine.marker('phase checkerboard');
  const keep = held.filter((page, i) => {
    if (i % 200 === 0) probe();
    if (page % 2 === 1 || random(100) >= 60) return true;
    machine.free(page, 0, 'memhog', 15_000);
    return false;
  });
  machine.marker('snap 3 begin buddyinfo');
  machine.lost(1200);
  machine.marker('phase hog');
  const hogged: number[] = [];
  for (let page = 0; page >= 0; ) {
    page = machine.alloc(2, 'hog_tick', ATOMIC, UNMOVABLE, 400_000);
    if (page >= 0) hogged.push(page);
  }
  for (let i = 0; i < 900; i++) probe(300_000);
  machine.marker('phase recover');
  for (const page of hogged) machine.free(page, 2, 'hog_tick', 900_000);
  for (const page of burst) machine.free(page, 0, 'hog_tick', 90_000);
  for (let i = keep.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [keep[i], keep[j]] = [keep[j]!, keep[i]!];
  }
  keep.forEach((page, i) => {
    if (i % 60 === 0) probe();
    if (random(100) < 97) machine.free(page, 0, 'memhog', 15_000);
  });
  machine.end();
}

function fill(
  machine: SyntheticMachine,
  random: (below: number) => number,
  probe: () => void,
): number[] {
  const held: number[] = [];
  for (let page = 0, i = 0; page >= 0; i++) {
    const pinned = random(40) === 0;
    const comm = pinned ? (random(3) ? 'systemd-udevd' : 'kworker/0:2') : 'memhog';
    page = machine.alloc(
      0,
      comm,
      pinned ? 'GFP_KERNEL|__GFP_ZERO' : 'GFP_HIGHUSER_MOVABLE',
      pinned ? UNMOVABLE : MOVABLE,
    );
    if (page >= 0 && !pinned) held.push(page);
    if (page >= 0 && pinned && random(6) === 0) machine.extfrag(page);
    if (i % 400 === 0) probe();
  }
  return held;
}
