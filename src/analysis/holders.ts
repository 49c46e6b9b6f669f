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
import { BLOCK_PAGES, type EventBatch, EventKind, marksLoss } from '../records/events.js';
import type { PrintkClock } from '../records/printk-clock.js';
import type { PageOwnerSnapshot, Snapshot } from '../records/snapshot.js';
import type { RecordingStrings } from '../records/strings.js';
import { PageBit, type ReplayObserver, type ReplayState } from '../replay/observer.js';
import { HolderTable } from './holder-table.js';
import { allocatedNs } from './owner-dumps.js';
import { PageOwners } from './page-owners.js';
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
const TOP = 12;
/** Largest block that is attributed: gigantic pages are of order 18. */
const MAX_BLOCK_ORDER = 18;
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
}

interface Sample {
  readonly timeNs: number;
  /** Row of the table and pages. */
  readonly top: [number, number][];
  readonly total: number;
  readonly doubtful: number;
}

interface Counts {
  readonly pages: number[];
  readonly mixed: number[];
  readonly doubtful: number[];
}

/** Who holds which memory, and who pins pageblocks. */
export class HoldersObserver implements ReplayObserver {
  readonly #options: HoldersOptions;
  table = new HolderTable();
  readonly #movable: number;
  readonly #samples: Sample[] = [];
  readonly #zoneSamples: Sample[][] = [];
  #zoneOfBlock: Uint8Array = new Uint8Array();
  #owners: PageOwners | null = null;
  #pageblockOrder = 9;
  readonly #fromNs: number;
  #sampleEndNs: number;
  #unattributed = 0;
  /** At the end, by row: the sum over its pages of when they were allocated. */
  #startSumS = new Float64Array();
  /** Pages and pageblocks by row, in mixed pageblocks, at the end. */
  #mixedPages = new Float64Array();
  #mixedBlocks = new Float64Array();
  /** Immovable pages at the end, by row and zone. */
  readonly #spread = new Map<number, Map<number, HolderSpread & Counts>>();
  #endNs = 0;
  /** When events were lost last, and immovable pages by zone: all that are held, and those allocated before. */
  #lossEndS = Number.NEGATIVE_INFINITY;
  #immovable = new Float64Array();
  #doubtful = new Float64Array();
  /** Attributed pages that cannot be moved, by pageblock, and those that can. */
  pinned: Int32Array = new Int32Array();
  movable: Int32Array = new Int32Array();

  constructor(options: HoldersOptions) {
    this.#options = options;
    this.#movable = Math.max(0, options.typeNames.indexOf('Movable'));
    this.#fromNs = options.grid.fromNs;
    this.#sampleEndNs = options.grid.fromNs + this.#sampleNs;
  }

  get #sampleNs(): number {
    const { grid } = this.#options;
    return (grid.bucketNs * grid.buckets) / SAMPLES;
  }

  get owners(): PageOwners | null {
    return this.#owners;
  }

  start(state: ReplayState): void {
    this.#pageblockOrder = state.pageblockOrder;
    const blocks = Math.ceil(state.pages.length / 2 ** state.pageblockOrder) + 1;
    this.pinned = new Int32Array(blocks);
    this.movable = new Int32Array(blocks);
    const zones = state.zones.length;
    this.table = new HolderTable(zones > 1 && zones <= MOST_ZONES ? zones : 1);
    this.#immovable = new Float64Array(this.table.zones);
    this.#doubtful = new Float64Array(this.table.zones);
    this.#zoneOfBlock = new Uint8Array(blocks);
    if (this.table.zones > 1) {
      // Without events there may be no pages to ask about.
      const last = state.pages.length - 1;
      for (let b = 0; b < blocks && last >= 0; b++) {
        this.#zoneOfBlock[b] = state.zoneOf(Math.min(last, b << state.pageblockOrder));
      }
      for (let z = 0; z < zones; z++) this.#zoneSamples.push([]);
    }
    this.#owners = new PageOwners(state.pages.length, {
      added: (page, order, row) => this.#added(page, order, row),
      removed: (page, order, row) => this.#account(page, order, row, -BLOCK_PAGES[order]!),
    });
    const { dumps = [], printk = null, grid } = this.#options;
    if (dumps[0] && printk) this.#adopt(state, dumps[0], grid.fromNs - printk.doubtNs);
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
      if ((state.pages[page]! & PageBit.free) !== 0 || this.#owners!.holds(page)) continue;
      const type = this.#typeOf(dump.type[i]!);
      const row = this.table.rowOf(dump.comm[i]!, dump.gfp[i]!, dump.stack[i]!, type);
      const since = Number.isNaN(timeNs) ? state.timeNs : timeNs;
      this.#owners!.alloc(page, dump.order[i]!, row, (since - grid.fromNs) / 1e9);
    }
  }

  /** The number of a printed migratetype; 7 = not known. */
  #typeOf(text: number): number {
    const { strings, typeNames } = this.#options;
    const type = typeNames.indexOf(strings.texts.text(text));
    return type < 0 ? 7 : type & 7;
  }

  batch(
    state: ReplayState,
    batch: EventBatch,
    from: number,
    to: number,
    pages: ArrayLike<number>,
  ): void {
    // Events of one side do not tell for how long anything was held.
    if (state.eventless === true) return;
    const { kind, timeNs, order } = batch;
    const owners = this.#owners!;
    for (let i = from; i < to; i++) {
      const k = kind[i]!;
      if (k === EventKind.alloc || k === EventKind.free) {
        if (timeNs[i]! >= this.#sampleEndNs) this.#sample(timeNs[i]!);
        const page = pages[i]!;
        if (page < 0 || order[i]! > MAX_BLOCK_ORDER) continue;
        if (k === EventKind.free) owners.free(page, order[i]!);
        else this.#alloc(batch, i, page);
      } else if (marksLoss(k)) {
        this.#lose(timeNs[i]!);
      }
    }
  }

  /** What was freed while events were lost still counts as held: from here on all of it is in doubt. */
  #lose(timeNs: number): void {
    if (timeNs >= this.#sampleEndNs) this.#sample(timeNs);
    this.#lossEndS = (timeNs - this.#options.grid.fromNs) / 1e9;
    this.#doubtful.set(this.#immovable);
  }

  #alloc(batch: EventBatch, i: number, page: number): void {
    const type = batch.migratetype[i]! & 7;
    const row = this.table.rowOf(batch.comm[i]!, batch.detail[i]!, batch.stack[i]!, type);
    this.table.allocs[row]!++;
    this.#owners!.alloc(page, batch.order[i]!, row, (batch.timeNs[i]! - this.#fromNs) / 1e9);
  }

  #added(page: number, order: number, row: number): void {
    const { live, peak } = this.table;
    this.#account(page, order, row, BLOCK_PAGES[order]!);
    if (live[row]! > peak[row]!) peak[row] = live[row]!;
  }

  #account(page: number, order: number, row: number, pages: number): void {
    const { table } = this;
    table.live[row]! += pages;
    const moves = table.migratetype(row) === this.#movable;
    const held = moves ? this.movable : this.pinned;
    const block = page >> this.#pageblockOrder;
    const zone = this.#zoneOfBlock[block]!;
    if (table.zones > 1) table.liveIn[row * table.zones + zone]! += pages;
    if (!moves) {
      this.#immovable[zone]! += pages;
      if (this.#lossEndS > Number.NEGATIVE_INFINITY) this.#doubt(page, zone, pages);
    }
    if (order <= this.#pageblockOrder) {
      held[block]! += pages;
      return;
    }
    const end = Math.min(block + 2 ** (order - this.#pageblockOrder), held.length);
    const each = Math.sign(pages) * (1 << this.#pageblockOrder);
    for (let b = block; b < end; b++) held[b]! += each;
  }

  #doubt(page: number, zone: number, pages: number): void {
    if (this.#owners!.sinceAt(page) < this.#lossEndS) this.#doubtful[zone]! += pages;
  }

  #sample(timeNs: number): void {
    const { live, liveIn, zones } = this.table;
    const atNs = this.#sampleEndNs;
    // The end may fall on a sample: of two at one time the later one counts.
    for (const samples of [this.#samples, ...this.#zoneSamples]) {
      if (samples.at(-1)?.timeNs === atNs) samples.pop();
    }
    const sum = (of: Float64Array): number => of.reduce((total, pages) => total + pages, 0);
    const all = { total: sum(this.#immovable), doubtful: sum(this.#doubtful) };
    this.#samples.push({ timeNs: atNs, top: this.#top(live, 0, 1), ...all });
    this.#zoneSamples.forEach((samples, zone) => {
      const [total, doubtful] = [this.#immovable[zone]!, this.#doubtful[zone]!];
      samples.push({ timeNs: atNs, top: this.#top(liveIn, zone, zones), total, doubtful });
    });
    while (this.#sampleEndNs <= timeNs) this.#sampleEndNs += this.#sampleNs;
  }

  /** Rows with most immovable pages, by their counts at [row * step + from]. */
  #top(counts: Float64Array, from: number, step: number): [number, number][] {
    const top: [number, number][] = [];
    for (let row = 0; row < this.table.size; row++) {
      const pages = counts[row * step + from]!;
      if (pages <= 0 || this.table.migratetype(row) === this.#movable) continue;
      if (top.length === TOP && pages <= top[TOP - 1]![1]) continue;
      top.push([row, pages]);
      top.sort((a, b) => b[1] - a[1]);
      if (top.length > TOP) top.pop();
    }
    return top;
  }

  end(state: ReplayState): void {
    this.#endNs = state.timeNs;
    this.#sampleEndNs = state.timeNs;
    this.#sample(state.timeNs - 1);
    this.#mixedPages = new Float64Array(this.table.size);
    this.#mixedBlocks = new Float64Array(this.table.size);
    this.#spread.clear();
    const lastBlock = new Int32Array(this.table.size).fill(-1);
    let block = -1;
    let mixed = false;
    let zone = 0;
    this.#startSumS = new Float64Array(this.table.size);
    this.#owners?.forEach((page, order, row, sinceS) => {
      this.#startSumS[row]! += 2 ** order * sinceS;
      if (this.table.migratetype(row) === this.#movable) return;
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
    if (sinceS < this.#lossEndS) spread.doubtful[age]! += pages;
  }

  /** Meant for movable pages, or of unknown type and at least half free or movable. */
  #isMixed(state: ReplayState, block: number): boolean {
    const type = state.pageblockType[block] ?? -1;
    if (type >= 0) return type === this.#movable;
    const size = 2 ** this.#pageblockOrder;
    let free = this.movable[block] ?? 0;
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
    let attributed = 0;
    for (let row = 0; row < this.table.size; row++) attributed += this.table.live[row]!;
    return Math.max(0, managed - free - attributed);
  }

  /** Rows shown, most mixed pages first, then most pages; and row → index in that list. */
  #ranked(): number[] {
    const rows = [];
    for (let row = 0; row < this.table.size; row++) {
      if (this.table.peak[row]! > 0) rows.push(row);
    }
    const { live, peak } = this.table;
    rows.sort(
      (a, b) =>
        this.#mixedPages[b]! - this.#mixedPages[a]! ||
        live[b]! - live[a]! ||
        peak[b]! - peak[a]! ||
        a - b,
    );
    const sampled = new Set(
      [this.#samples, ...this.#zoneSamples].flat().flatMap(({ top }) => top.map(([row]) => row)),
    );
    return rows.filter((row, i) => i < KEEP || sampled.has(row));
  }

  /** Index of a table row in `result().holders`; -1 when it is not listed. */
  indexOfRow(): Map<number, number> {
    return new Map(this.#ranked().map((row, i) => [row, i]));
  }

  result(): Holders {
    const index = this.indexOfRow();
    let attributed = 0;
    for (let row = 0; row < this.table.size; row++) attributed += this.table.live[row]!;
    const listed = (samples: readonly Sample[]): HolderSample[] =>
      samples.map(({ top, ...sample }) => ({
        ...sample,
        top: top.map(([row, pages]) => [index.get(row) ?? -1, pages] as const),
      }));
    return {
      holders: [...index.keys()].map((row) => this.#holder(row)),
      samples: listed(this.#samples),
      ...(this.#zoneSamples.length > 0 ? { zoneSamples: this.#zoneSamples.map(listed) } : {}),
      attributedPages: attributed,
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
