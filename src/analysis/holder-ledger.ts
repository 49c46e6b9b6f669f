/**
 * The ledger of who holds which page, kept event by event: all of HoldersObserver that needs the events and nothing of
 * the replayed state. So another thread can keep it, a little behind the walk: what others read of it lies in memory
 * that threads share (`LedgerMemory`), and is read when the ledger has settled.
 */
import { BLOCK_PAGES, type EventBatch, EventKind, marksLoss } from '../records/events.js';
import type { MemoryMaker } from '../records/memory.js';
import { HolderTable, type TableMemory, tableMemory } from './holder-table.js';
import { type OwnersMemory, ownersMemory, PageOwners } from './page-owners.js';

const TOP = 12;
/** Largest block that is attributed: gigantic pages are of order 18. */
export const MAX_BLOCK_ORDER = 18;

export interface LedgerPlan {
  /** Dense pages. */
  readonly pages: number;
  readonly pageblockOrder: number;
  /** Zones told apart in samples, 1 = not at all, and by pageblock which it is. */
  readonly zones: number;
  readonly zoneOfBlock: Uint8Array;
  /** Number of Movable as this kernel prints it. */
  readonly movable: number;
  readonly fromNs: number;
  /** A sample is taken every so often. */
  readonly sampleNs: number;
}

/** What the ledger says, readable by other threads. */
export interface LedgerMemory {
  readonly owners: OwnersMemory;
  readonly table: TableMemory;
  /** Attributed pages that cannot be moved, by pageblock, and those that can. */
  readonly pinned: Int32Array;
  readonly movable: Int32Array;
  /** Seconds from the start at which events were lost last, -Infinity = never. */
  readonly lossEndS: Float64Array;
}

/** The columns it reads of a batch. */
export type LedgerEvents = Pick<
  EventBatch,
  'kind' | 'timeNs' | 'order' | 'comm' | 'detail' | 'stack' | 'migratetype'
>;

/** The rows with most immovable pages at one time. */
export interface LedgerSample {
  readonly timeNs: number;
  /** Row of the table and pages. */
  readonly top: [number, number][];
  readonly total: number;
  readonly doubtful: number;
}

export interface LedgerSamples {
  readonly all: LedgerSample[];
  /** By zone; none unless zones are told apart. */
  readonly byZone: LedgerSample[][];
}

/** Who keeps a ledger: this thread, or another one. */
export interface LedgerKeeper {
  /** Takes events [from, to) of a batch; `pages` as in ReplayObserver.batch. */
  take(events: LedgerEvents, from: number, to: number, pages: Int32Array): void;
  /** Waits until everything taken is in the ledger. */
  settle(): void;
  /** Waits until nothing is read any more of any batch but the latest. */
  release(): void;
  /** No more events: takes the last sample and returns them all. */
  finish(endNs: number): LedgerSamples;
}

export function ledgerMemory({ pages, pageblockOrder, zones }: LedgerPlan, make: MemoryMaker) {
  const blocks = Math.ceil(pages / 2 ** pageblockOrder) + 1;
  return {
    owners: ownersMemory(pages, make),
    table: tableMemory(zones, make),
    pinned: new Int32Array(make(blocks * 4)),
    movable: new Int32Array(make(blocks * 4)),
    lossEndS: new Float64Array(make(8)).fill(Number.NEGATIVE_INFINITY),
  } satisfies LedgerMemory;
}

export class HolderLedger implements LedgerKeeper {
  readonly table: HolderTable;
  readonly owners: PageOwners;
  readonly #plan: LedgerPlan;
  readonly #memory: LedgerMemory;
  readonly #samples: LedgerSamples;
  #sampleEndNs: number;
  /** Immovable pages by zone: all that are held, and those allocated before the last loss. */
  readonly #immovable: Float64Array;
  readonly #doubtful: Float64Array;

  constructor(plan: LedgerPlan, memory: LedgerMemory) {
    this.#plan = plan;
    this.#memory = memory;
    this.table = new HolderTable(plan.zones, memory.table);
    this.owners = new PageOwners(memory.owners, {
      added: (page, order, row) => this.#added(page, order, row),
      removed: (page, order, row) => this.#account(page, order, row, -BLOCK_PAGES[order]!),
    });
    const zones = plan.zones > 1 ? plan.zones : 0;
    this.#samples = { all: [], byZone: Array.from({ length: zones }, () => []) };
    this.#sampleEndNs = plan.fromNs + plan.sampleNs;
    this.#immovable = new Float64Array(plan.zones);
    this.#doubtful = new Float64Array(plan.zones);
  }

  take(events: LedgerEvents, from: number, to: number, pages: Int32Array): void {
    const { kind, timeNs, order } = events;
    for (let i = from; i < to; i++) {
      const k = kind[i]!;
      if (k === EventKind.alloc || k === EventKind.free) {
        if (timeNs[i]! >= this.#sampleEndNs) this.#sample(timeNs[i]!);
        const page = pages[i]!;
        if (page < 0 || order[i]! > MAX_BLOCK_ORDER) continue;
        if (k === EventKind.free) this.owners.free(page, order[i]!);
        else this.#alloc(events, i, page);
      } else if (marksLoss(k)) {
        this.#lose(timeNs[i]!);
      }
    }
  }

  settle(): void {}

  release(): void {}

  finish(endNs: number): LedgerSamples {
    this.#sampleEndNs = endNs;
    this.#sample(endNs - 1);
    return this.#samples;
  }

  /** What was freed while events were lost still counts as held: from here on all of it is in doubt. */
  #lose(timeNs: number): void {
    if (timeNs >= this.#sampleEndNs) this.#sample(timeNs);
    this.#memory.lossEndS[0] = (timeNs - this.#plan.fromNs) / 1e9;
    this.#doubtful.set(this.#immovable);
  }

  #alloc(events: LedgerEvents, i: number, page: number): void {
    const type = events.migratetype[i]! & 7;
    const row = this.table.rowOf(events.comm[i]!, events.detail[i]!, events.stack[i]!, type);
    this.table.allocs[row]!++;
    const sinceS = (events.timeNs[i]! - this.#plan.fromNs) / 1e9;
    this.owners.alloc(page, events.order[i]!, row, sinceS);
  }

  #added(page: number, order: number, row: number): void {
    const { live, peak } = this.table;
    this.#account(page, order, row, BLOCK_PAGES[order]!);
    if (live[row]! > peak[row]!) peak[row] = live[row]!;
  }

  #account(page: number, order: number, row: number, pages: number): void {
    const { table } = this;
    const { pageblockOrder } = this.#plan;
    table.live[row]! += pages;
    const moves = table.migratetype(row) === this.#plan.movable;
    const held = moves ? this.#memory.movable : this.#memory.pinned;
    const block = page >> pageblockOrder;
    const zone = this.#plan.zoneOfBlock[block]!;
    if (table.zones > 1) table.liveIn[row * table.zones + zone]! += pages;
    if (!moves) {
      this.#immovable[zone]! += pages;
      if (this.#memory.lossEndS[0]! > Number.NEGATIVE_INFINITY) this.#doubt(page, zone, pages);
    }
    if (order <= pageblockOrder) {
      held[block]! += pages;
      return;
    }
    const end = Math.min(block + 2 ** (order - pageblockOrder), held.length);
    const each = Math.sign(pages) * (1 << pageblockOrder);
    for (let b = block; b < end; b++) held[b]! += each;
  }

  #doubt(page: number, zone: number, pages: number): void {
    if (this.owners.sinceAt(page) < this.#memory.lossEndS[0]!) this.#doubtful[zone]! += pages;
  }

  #sample(timeNs: number): void {
    const { live, liveIn, zones } = this.table;
    const { all, byZone } = this.#samples;
    const atNs = this.#sampleEndNs;
    // The end may fall on a sample: of two at one time the later one counts.
    for (const samples of [all, ...byZone]) {
      if (samples.at(-1)?.timeNs === atNs) samples.pop();
    }
    const sum = (of: Float64Array): number => of.reduce((total, pages) => total + pages, 0);
    const totals = { total: sum(this.#immovable), doubtful: sum(this.#doubtful) };
    all.push({ timeNs: atNs, top: this.#top(live, 0, 1), ...totals });
    byZone.forEach((samples, zone) => {
      const [total, doubtful] = [this.#immovable[zone]!, this.#doubtful[zone]!];
      samples.push({ timeNs: atNs, top: this.#top(liveIn, zone, zones), total, doubtful });
    });
    while (this.#sampleEndNs <= timeNs) this.#sampleEndNs += this.#plan.sampleNs;
  }

  /** Rows with most immovable pages, by their counts at [row * step + from]. */
  #top(counts: Float64Array, from: number, step: number): [number, number][] {
    const top: [number, number][] = [];
    for (let row = 0; row < this.table.size; row++) {
      const pages = counts[row * step + from]!;
      if (pages <= 0 || this.table.migratetype(row) === this.#plan.movable) continue;
      if (top.length === TOP && pages <= top[TOP - 1]![1]) continue;
      top.push([row, pages]);
      top.sort((a, b) => b[1] - a[1]);
      if (top.length > TOP) top.pop();
    }
    return top;
  }
}
