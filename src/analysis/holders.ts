/**
 * Observer: who holds memory, above all pages that cannot be moved in pageblocks meant to be movable.
 *
 * Every recorded allocation is attributed to its comm, gfp flags and, where stacks were recorded,
 * call site, until it is freed. Pages allocated before the recording have the owner that a page_owner dump
 * names (owner-dumps.ts); without one they are counted as unattributed. What was freed while events were lost
 * still counts, but as in doubt. Unmovable and reclaimable pages both pin a pageblock: compaction moves neither.
 * A page that compaction moves is freed at its old place and appears at the new one without an event, so
 * movable pages get lost to attribution over time; those that matter here do not move.
 */
import type { EventBatch } from '../records/events.js';
import { ownMemory, sharedMemory } from '../records/memory.js';
import type { PrintkClock } from '../records/printk-clock.js';
import type { PageOwnerSnapshot, Snapshot } from '../records/snapshot.js';
import type { RecordingStrings } from '../records/strings.js';
import { PageBit, type ReplayObserver, type ReplayState } from '../replay/observer.js';
import {
  HolderLedger,
  type LedgerKeeper,
  type LedgerMemory,
  type LedgerPlan,
  type LedgerSample,
  type LedgerSamples,
  ledgerMemory,
  MAX_BLOCK_ORDER,
} from './holder-ledger.js';
import type { HolderTable } from './holder-table.js';
import { allocatedNs } from './owner-dumps.js';
import type { PageOwners } from './page-owners.js';
import {
  AGE_LIMITS_NS,
  type Holder,
  type HolderSample,
  type HolderSpread,
  type Holders,
  type PageOwner,
  type TimeGrid,
} from './report-data.js';

const SAMPLES = 60;
const KEEP = 200;
/** With more zones than this, samples do not tell them apart. */
const MOST_ZONES = 64;
/** Frames of the allocator itself, which say nothing of the caller. */
const ALLOCATOR_FRAME =
  /^(=>\s*)?(trace_|__set_page_owner|save_stack|post_alloc_hook|prep_new_page|__alloc_pages|alloc_pages|__alloc_frozen|get_page_from|__rmqueue|rmqueue|new_slab|allocate_slab|___slab|__slab|kmem_cache_|__kmem|__kmalloc|kmalloc|__folio_alloc|folio_alloc|alloc_slab)/;

export interface HoldersOptions {
  readonly grid: TimeGrid;
  readonly strings: RecordingStrings;
  /** Migratetype names by number. */
  readonly typeNames: readonly string[];
  /** page_owner dumps placed in the recording, in order. */
  readonly dumps?: readonly PageOwnerSnapshot[];
  /** How the times in them compare with the recording's. */
  readonly printk?: PrintkClock | null;
  /** Keeps the ledger on another thread, in this memory, or declines; with dumps it is kept on this one. */
  readonly keepElsewhere?:
    | ((plan: LedgerPlan, memory: LedgerMemory) => LedgerKeeper | null)
    | undefined;
}

interface Counts {
  readonly pages: number[];
  readonly mixed: number[];
  readonly doubtful: number[];
}

/** The ledger as this thread reads it, and who keeps it. */
interface Kept {
  readonly ledger: HolderLedger;
  readonly memory: LedgerMemory;
  readonly keeper: LedgerKeeper;
}

/** Who holds which memory, and who pins pageblocks. */
export class HoldersObserver implements ReplayObserver {
  readonly #options: HoldersOptions;
  readonly #movable: number;
  #kept: Kept | null = null;
  #samples: LedgerSamples = { all: [], byZone: [] };
  #pageblockOrder = 9;
  #unattributed = 0;
  /** At the end, by row: the sum over its pages of when they were allocated. */
  #startSumS = new Float64Array();
  /** Pages and pageblocks by row, in mixed pageblocks, at the end. */
  #mixedPages = new Float64Array();
  #mixedBlocks = new Float64Array();
  /** Immovable pages at the end, by row and zone. */
  readonly #spread = new Map<number, Map<number, HolderSpread & Counts>>();
  #endNs = 0;
  /** The ledger may be kept elsewhere. */
  readonly lags: boolean;

  constructor(options: HoldersOptions) {
    this.#options = options;
    this.#movable = Math.max(0, options.typeNames.indexOf('Movable'));
    this.lags = options.keepElsewhere !== undefined && (options.dumps ?? []).length === 0;
  }

  /** Who holds each page now; null before the start. */
  get owners(): PageOwners | null {
    return this.#kept === null ? null : this.#settled.ledger.owners;
  }

  /** The classes of owner. */
  get table(): HolderTable {
    return this.#settled.ledger.table;
  }

  /** Attributed pages that cannot be moved, by pageblock, and those that can. */
  get held(): Pick<LedgerMemory, 'pinned' | 'movable'> {
    return this.#settled.memory;
  }

  /** The ledger with all events that `batch` was told of. */
  get #settled(): Kept {
    if (this.#kept === null) throw new Error('asked for holders before the start');
    this.#kept.keeper.settle();
    return this.#kept;
  }

  start(state: ReplayState): void {
    this.#pageblockOrder = state.pageblockOrder;
    const { dumps = [], printk = null, grid, keepElsewhere } = this.#options;
    const plan = this.#plan(state);
    const memory = ledgerMemory(plan, this.lags ? sharedMemory : ownMemory);
    const ledger = new HolderLedger(plan, memory);
    const elsewhere = this.lags ? keepElsewhere?.(plan, memory) : null;
    this.#kept = { ledger, memory, keeper: elsewhere ?? ledger };
    if (dumps[0] && printk) this.#adopt(state, dumps[0], grid.fromNs - printk.doubtNs);
  }

  #plan(state: ReplayState): LedgerPlan {
    const { grid } = this.#options;
    const { pageblockOrder } = state;
    const pages = state.pages.length;
    const zones =
      state.zones.length > 1 && state.zones.length <= MOST_ZONES ? state.zones.length : 1;
    const blocks = Math.ceil(pages / 2 ** pageblockOrder) + 1;
    const zoneOfBlock = new Uint8Array(blocks);
    // Without events there may be no pages to ask about.
    for (let b = 0; b < blocks && zones > 1 && pages > 0; b++) {
      zoneOfBlock[b] = state.zoneOf(Math.min(pages - 1, b << pageblockOrder));
    }
    const sampleNs = (grid.bucketNs * grid.buckets) / SAMPLES;
    const { fromNs } = grid;
    return { pages, pageblockOrder, zones, zoneOfBlock, movable: this.#movable, fromNs, sampleNs };
  }

  snapshot(state: ReplayState, snapshot: Snapshot): void {
    if (snapshot.kind === 'page_owner') this.#adopt(state, snapshot, Number.POSITIVE_INFINITY);
  }

  /** Takes over what a dump says of blocks that have no owner yet and were allocated until `untilNs`. */
  #adopt(state: ReplayState, dump: PageOwnerSnapshot, untilNs: number): void {
    const { grid, printk = null } = this.#options;
    for (let i = 0; i < dump.length; i++) {
      const timeNs = allocatedNs(dump, i, printk);
      const page = state.pageOf(dump.pfn[i]!);
      const late = untilNs !== Number.POSITIVE_INFINITY && !(timeNs <= untilNs);
      if (late || page < 0 || dump.order[i]! > MAX_BLOCK_ORDER) continue;
      const { ledger } = this.#settled;
      if ((state.pages[page]! & PageBit.free) !== 0 || ledger.owners.holds(page)) continue;
      const type = this.#typeOf(dump.type[i]!);
      const row = ledger.table.rowOf(dump.comm[i]!, dump.gfp[i]!, dump.stack[i]!, type);
      const since = Number.isNaN(timeNs) ? state.timeNs : timeNs;
      ledger.owners.alloc(page, dump.order[i]!, row, (since - grid.fromNs) / 1e9);
    }
  }

  /** The number of a printed migratetype; 7 = not known. */
  #typeOf(text: number): number {
    const { strings, typeNames } = this.#options;
    const type = typeNames.indexOf(strings.texts.text(text));
    return type < 0 ? 7 : type & 7;
  }

  batch(state: ReplayState, batch: EventBatch, from: number, to: number, pages: Int32Array): void {
    // Events of one side do not tell for how long anything was held.
    if (state.eventless !== true) this.#kept!.keeper.take(batch, from, to, pages);
  }

  release(): void {
    this.#kept?.keeper.release();
  }

  end(state: ReplayState): void {
    const { ledger } = this.#settled;
    const { table, owners } = ledger;
    this.#endNs = state.timeNs;
    this.#samples = this.#kept!.keeper.finish(state.timeNs);
    this.#mixedPages = new Float64Array(table.size);
    this.#mixedBlocks = new Float64Array(table.size);
    this.#spread.clear();
    const lastBlock = new Int32Array(table.size).fill(-1);
    let block = -1;
    let mixed = false;
    let zone = 0;
    this.#startSumS = new Float64Array(table.size);
    owners.forEach((page, order, row, sinceS) => {
      this.#startSumS[row]! += 2 ** order * sinceS;
      if (table.migratetype(row) === this.#movable) return;
      if (page >> this.#pageblockOrder !== block) {
        block = page >> this.#pageblockOrder;
        mixed = this.#isMixed(state, block);
        zone = state.zoneOf(page);
      }
      this.#spreadOver(row, zone, sinceS, 2 ** order, mixed);
      if (!mixed) return;
      this.#mixedPages[row]! += 2 ** order;
      if (lastBlock[row] !== block) this.#mixedBlocks[row]!++;
      lastBlock[row] = block;
    });
    this.#unattributed = this.#countUnattributed(state);
  }

  #spreadOver(row: number, zone: number, sinceS: number, pages: number, mixed: boolean): void {
    const zones = this.#spread.get(row) ?? new Map<number, HolderSpread & Counts>();
    this.#spread.set(row, zones);
    const none = (): number[] => new Array<number>(AGE_LIMITS_NS.length + 1).fill(0);
    const spread = zones.get(zone) ?? { zone, pages: none(), mixed: none(), doubtful: none() };
    zones.set(zone, spread);
    const ageNs = this.#endNs - this.#options.grid.fromNs - sinceS * 1e9;
    const found = AGE_LIMITS_NS.findIndex((limit) => ageNs < limit);
    const age = found < 0 ? AGE_LIMITS_NS.length : found;
    spread.pages[age]! += pages;
    if (mixed) spread.mixed[age]! += pages;
    if (sinceS < this.#kept!.memory.lossEndS[0]!) spread.doubtful[age]! += pages;
  }

  /** Meant for movable pages, or of unknown type and at least half free or movable. */
  #isMixed(state: ReplayState, block: number): boolean {
    const type = state.pageblockType[block] ?? -1;
    if (type >= 0) return type === this.#movable;
    const size = 2 ** this.#pageblockOrder;
    let free = this.#kept!.memory.movable[block] ?? 0;
    const end = Math.min(state.pages.length, (block + 1) * size);
    for (let p = block * size; p < end; p++) free += state.pages[p]! & PageBit.free;
    return free * 2 > size;
  }

  #countUnattributed(state: ReplayState): number {
    let managed = 0;
    let free = 0;
    for (const zone of state.zones) {
      managed += zone.managed;
      free += zone.freePages;
    }
    return Math.max(0, managed - free - this.#attributed());
  }

  #attributed(): number {
    const { live, size } = this.table;
    return live.subarray(0, size).reduce((sum, pages) => sum + pages, 0);
  }

  /** Rows shown, most mixed pages first, then most pages; and row → index in that list. */
  #ranked(): number[] {
    const rows = [];
    const { live, peak, size } = this.table;
    for (let row = 0; row < size; row++) if (peak[row]! > 0) rows.push(row);
    rows.sort(
      (a, b) =>
        this.#mixedPages[b]! - this.#mixedPages[a]! ||
        live[b]! - live[a]! ||
        peak[b]! - peak[a]! ||
        a - b,
    );
    const sampled = new Set(
      [this.#samples.all, ...this.#samples.byZone]
        .flat()
        .flatMap(({ top }) => top.map(([row]) => row)),
    );
    return rows.filter((row, i) => i < KEEP || sampled.has(row));
  }

  /** Index of a table row in `result().holders`; -1 when it is not listed. */
  indexOfRow(): Map<number, number> {
    return new Map(this.#ranked().map((row, i) => [row, i]));
  }

  result(): Holders {
    const index = this.indexOfRow();
    const { all, byZone } = this.#samples;
    const listed = (samples: readonly LedgerSample[]): HolderSample[] =>
      samples.map(({ top, ...sample }) => ({
        ...sample,
        top: top.map(([row, pages]) => [index.get(row) ?? -1, pages] as const),
      }));
    return {
      holders: [...index.keys()].map((row) => this.#holder(row)),
      samples: listed(all),
      ...(byZone.length > 0 ? { zoneSamples: byZone.map(listed) } : {}),
      attributedPages: this.#attributed(),
      unattributedPages: this.#unattributed,
      folded: this.table.folded,
    };
  }

  /** Who a row of the table stands for. */
  ownerOf(row: number): PageOwner {
    const { strings, typeNames } = this.#options;
    const { table } = this;
    return {
      comm: row === 0 ? '(others)' : strings.comms.text(table.comm(row)),
      gfp: strings.gfps.text(table.gfp(row)),
      site: callSite(strings.stacks.text(table.stack(row))),
      migratetype: typeNames[table.migratetype(row)] ?? 'unknown',
    };
  }

  #holder(row: number): Holder {
    const { grid } = this.#options;
    const { table } = this;
    const live = table.live[row]!;
    const startNs = live > 0 ? grid.fromNs + (this.#startSumS[row]! / live) * 1e9 : this.#endNs;
    return {
      ...this.ownerOf(row),
      pages: live,
      mixedPages: this.#mixedPages[row] ?? 0,
      mixedBlocks: this.#mixedBlocks[row] ?? 0,
      peakPages: table.peak[row]!,
      allocs: table.allocs[row]!,
      meanAgeNs: Math.max(0, Math.round(this.#endNs - startNs)),
      spread: [...(this.#spread.get(row)?.values() ?? [])].sort((a, b) => a.zone - b.zone),
    };
  }
}

/** The first three frames outside the allocator, innermost first. */
export function callSite(stack: string): string {
  return stack
    .split('\n')
    .map((frame) => frame.replace(/^\s*(=>)?\s*|\+0x[0-9a-f]+\/0x[0-9a-f]+$/g, '').trim())
    .filter((frame) => frame !== '' && !ALLOCATOR_FRAME.test(frame))
    .slice(0, 3)
    .join(' ← ');
}
