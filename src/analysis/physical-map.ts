/**
 * Observer: pageblocks in address order, at sampled instants.
 *
 * A pageblock is scanned again only if an event touched it since the last sample, and the pages
 * scanned in all are bounded: on huge machines fewer instants are sampled rather than more time
 * spent. On such machines a row stands for several neighbouring pageblocks. Unknown pages are kept
 * apart from free and used ones.
 */

import { type EventBatch, EventKind, marksLoss } from '../records/events.js';
import type { Snapshot } from '../records/snapshot.js';
import { PageBit, type ReplayObserver, type ReplayState } from '../replay/observer.js';
import type { HoldersObserver } from './holders.js';
import { layOutRows } from './map-rows.js';
import { pageCopies } from './page-copies.js';
import { PageVersions } from './page-versions.js';
import { FREE_OF_FOUR, knownOfFour, pageWords } from './page-words.js';
import type { PageCopies, PhysicalMap, PhysicalRow, TimeGrid } from './report-data.js';

const MAX_ROWS = 512;
const MAX_COLUMNS = 160;
/** Pages are kept one by one at every so many columns. */
const COLUMNS_A_COPY = 4;
/** Page states read over the whole recording, besides the first full scan. */
const SCAN_BUDGET = 3e8;
const UNKNOWN = 255;
const HALF_PERCENTS = 200;
/** Of this many pages of a row one must be known for the row to be drawn. */
const LEAST_KNOWN = 2048;
/** Migratetype number of Unmovable in every kernel. */
const UNMOVABLE = 0;

export interface PhysicalMapOptions {
  readonly grid: TimeGrid;
  readonly typeNames: readonly string[];
  /** Runs before this observer; gives pinned pages by pageblock and owners by page. */
  readonly holders: HoldersObserver;
}

/** Events at which the replay moves pages that no page event names: compaction, losses. */
function movesPagesUnseen(kind: number): boolean {
  return (
    (kind >= EventKind.isolateMigratepages && kind <= EventKind.migratepages) || marksLoss(kind)
  );
}

/** Samples all pageblocks in address order. */
export class PhysicalMapObserver implements ReplayObserver {
  readonly #options: PhysicalMapOptions;
  readonly #columnNs: number;
  readonly #movable: number;
  readonly #times: number[] = [];
  readonly #planes: {
    free: Uint8Array[];
    largest: Uint8Array[];
    type: Uint8Array[];
    pollution: Uint8Array[];
    known: Uint8Array[];
  } = { free: [], largest: [], type: [], pollution: [], known: [] };
  #rows: PhysicalRow[] = [];
  #pageblockOrder = 9;
  #rowFirst: Int32Array = new Int32Array();
  #rowBlocks: Int32Array = new Int32Array();
  #free: Uint32Array = new Uint32Array();
  #known: Uint32Array = new Uint32Array();
  #largest: Int8Array = new Int8Array();
  /** The states of all pages, four in each word. */
  #words: Int32Array = new Int32Array();
  /** Of the block scanned last: free pages, known pages, order of the largest free block or -1. */
  readonly #counts = new Int32Array(3);
  #dirty: Uint8Array = new Uint8Array();
  #dirtyList: Int32Array = new Int32Array();
  #dirtyCount = 0;
  #allDirty = true;
  #scanned = 0;
  #nextNs: number;
  #pages: PageCopies = { instantsNs: [], samples: [], owners: [], packed: '' };
  readonly versions: PageVersions;

  constructor(options: PhysicalMapOptions) {
    this.#options = options;
    const { grid } = options;
    this.versions = new PageVersions(options.holders);
    this.#movable = Math.max(0, options.typeNames.indexOf('Movable'));
    this.#columnNs = (grid.buckets * grid.bucketNs) / MAX_COLUMNS;
    this.#nextNs = grid.fromNs + this.#columnNs;
  }

  start(state: ReplayState): void {
    const blocks = (state.pages.length >> state.pageblockOrder) + 1;
    this.#pageblockOrder = state.pageblockOrder;
    this.#free = new Uint32Array(blocks);
    this.#known = new Uint32Array(blocks);
    this.#largest = new Int8Array(blocks).fill(-1);
    this.#dirty = new Uint8Array(blocks);
    this.#dirtyList = new Int32Array(blocks);
    this.#words = pageWords(state);
    this.versions.start(Math.ceil(state.pages.length / 2 ** state.pageblockOrder));
    this.#layOutRows(state);
    this.#sample(state, this.#options.grid.fromNs);
  }

  #layOutRows(state: ReplayState): void {
    const size = 2 ** state.pageblockOrder;
    const rows = layOutRows(state, MAX_ROWS);
    this.#rowFirst = Int32Array.from(rows, (row) => row.first);
    this.#rowBlocks = Int32Array.from(rows, (row) => row.simulated);
    this.#rows = rows.map(({ zone, pfn, count }) => ({ zone, pfn, pages: count * size }));
  }

  get dueNs(): number {
    return this.#nextNs;
  }

  /** `batch` has had event i already, so that its pageblock is scanned anew: a sample shows all of the state it is of. */
  due(state: ReplayState, batch: EventBatch, i: number): void {
    this.#sampleWithin(state, batch.timeNs[i]!);
  }

  batch(state: ReplayState, batch: EventBatch, from: number, to: number, pages: Int32Array): void {
    const { kind, order } = batch;
    const { pageblockOrder } = state;
    const dirty = this.#dirty;
    for (let i = from; i < to; i++) {
      const page = pages[i]!;
      if (page < 0) {
        if (movesPagesUnseen(kind[i]!)) this.#allDirty = true;
        continue;
      }
      const block = page >> pageblockOrder;
      if (dirty[block] === 0) this.#mark(block);
      if (order[i]! > pageblockOrder) {
        const end = Math.min(dirty.length, block + 2 ** (order[i]! - pageblockOrder));
        for (let b = block + 1; b < end; b++) this.#mark(b);
      }
    }
  }

  #mark(block: number): void {
    if (this.#dirty[block] !== 0) return;
    this.#dirty[block] = 1;
    this.#dirtyList[this.#dirtyCount++] = block;
    this.versions.touch(block);
  }

  /** Keeps these pages as they are now. */
  pin(state: ReplayState, pfn: number, pages: number): void {
    const first = state.pageOf(pfn);
    if (first < 0) return;
    const last = (first + pages - 1) >> state.pageblockOrder;
    for (let b = first >> state.pageblockOrder; b <= last; b++) this.versions.pin(state, b);
  }

  snapshot(_state: ReplayState, snapshot: Snapshot): void {
    // Of all copies only this one tells the replay of single pages.
    if (snapshot.kind === 'kpageflags') this.#allDirty = true;
  }

  end(state: ReplayState): void {
    const { grid, holders } = this.#options;
    if (this.#times.at(-1) !== state.timeNs) {
      this.#sample(state, grid.fromNs + grid.buckets * grid.bucketNs);
    }
    this.versions.sample(state, state.timeNs, 1, true);
    this.#pages = pageCopies(this.versions, state, holders);
  }

  /** Samples unless that would spend more of the scan budget than the time gone by allows. */
  #sampleWithin(state: ReplayState, timeNs: number): void {
    const { grid } = this.#options;
    const size = 2 ** state.pageblockOrder;
    const cost = this.#allDirty ? state.pages.length : this.#dirtyCount * size;
    const share = (timeNs - grid.fromNs) / (grid.buckets * grid.bucketNs);
    const atNs = this.#nextNs;
    while (this.#nextNs <= timeNs) this.#nextNs += this.#columnNs;
    if (this.#scanned + cost > SCAN_BUDGET * Math.min(1, share + 0.1)) return;
    this.#scanned += cost;
    this.#sample(state, atNs);
  }

  #sample(state: ReplayState, timeNs: number): void {
    if (this.#times.length > MAX_COLUMNS) return;
    if (this.#allDirty) {
      this.versions.touchAll();
      for (let b = 0; b < this.#free.length; b++) this.#scan(state, b);
    } else {
      for (let d = 0; d < this.#dirtyCount; d++) this.#scan(state, this.#dirtyList[d]!);
    }
    for (let d = 0; d < this.#dirtyCount; d++) this.#dirty[this.#dirtyList[d]!] = 0;
    this.#dirtyCount = 0;
    this.#allDirty = false;
    this.#times.push(timeNs);
    this.#addColumn(state);
    const { grid } = this.#options;
    const share = (timeNs - grid.fromNs) / (grid.buckets * grid.bucketNs);
    if (this.#times.length % COLUMNS_A_COPY !== 1) return;
    this.versions.sample(state, this.#times.length === 1 ? timeNs : state.timeNs, share);
  }

  #scan(state: ReplayState, block: number): void {
    const from = block << state.pageblockOrder;
    const to = Math.min(state.pages.length, from + (1 << state.pageblockOrder));
    const counts = this.#counts;
    countPages(state, this.#words, from, to, counts);
    const [free, known, largest] = [counts[0]!, counts[1]!, counts[2]!];
    const whole = free === to - from && free > 0;
    this.#free[block] = free;
    this.#known[block] = known;
    this.#largest[block] = whole && largest < state.pageblockOrder ? state.pageblockOrder : largest;
  }

  #addColumn(state: ReplayState): void {
    const rows = this.#rows.length;
    const { held } = this.#options.holders;
    const free = new Uint8Array(rows);
    const largest = new Uint8Array(rows);
    const type = new Uint8Array(rows);
    const pollution = new Uint8Array(rows);
    const knownShare = new Uint8Array(rows);
    for (let r = 0; r < rows; r++) {
      const first = this.#rowFirst[r]!;
      let freePages = 0;
      let known = 0;
      let most = -1;
      let pinned = 0;
      for (let b = first; b < first + this.#rowBlocks[r]!; b++) {
        freePages += this.#free[b]!;
        known += this.#known[b]!;
        if (this.#largest[b]! > most) most = this.#largest[b]!;
        if (this.#typeOf(state, held, b) !== UNMOVABLE) pinned += held.pinned[b] ?? 0;
      }
      const pages = this.#rows[r]!.pages;
      const unknown = known * LEAST_KNOWN < pages;
      knownShare[r] = Math.round((known / pages) * HALF_PERCENTS);
      free[r] = unknown ? UNKNOWN : Math.round((freePages / known) * HALF_PERCENTS);
      largest[r] = most < 0 ? UNKNOWN : most;
      const firstType = this.#typeOf(state, held, first);
      type[r] = firstType < 0 ? UNKNOWN : firstType;
      pollution[r] = Math.min(HALF_PERCENTS, Math.ceil((pinned / pages) * HALF_PERCENTS));
    }
    this.#planes.free.push(free);
    this.#planes.largest.push(largest);
    this.#planes.type.push(type);
    this.#planes.pollution.push(pollution);
    this.#planes.known.push(knownShare);
  }

  /** The type the kernel told, else what most recorded allocations in the block are, else -1. */
  #typeOf(state: ReplayState, held: HoldersObserver['held'], block: number): number {
    const told = state.pageblockType[block] ?? -1;
    if (told >= 0) return told;
    const pinned = held.pinned[block] ?? 0;
    const movable = held.movable[block] ?? 0;
    if (pinned === 0 && movable === 0) return -1;
    return movable >= pinned ? this.#movable : UNMOVABLE;
  }

  result(): PhysicalMap {
    const plane = (columns: readonly Uint8Array[]): string =>
      Buffer.concat(columns).toString('base64');
    return {
      pageblockOrder: this.#pageblockOrder,
      rows: this.#rows,
      timesNs: this.#times,
      free: plane(this.#planes.free),
      largest: plane(this.#planes.largest),
      type: plane(this.#planes.type),
      pollution: plane(this.#planes.pollution),
      known: plane(this.#planes.known),
      typeNames: this.#options.typeNames,
      pages: this.#pages,
    };
  }
}

/** Counts pages [from, to): see `#counts`. In a function of its own: see docs/performance.md. */
function countPages(
  { pages, headOrder }: ReplayState,
  words: Int32Array,
  from: number,
  to: number,
  counts: Int32Array,
): void {
  let free = 0;
  let known = 0;
  let largest = -1;
  for (let p = from; p < to; p++) {
    // Most pages are in use: four at a time.
    if ((p & 3) === 0 && p + 4 <= to) {
      const four = words[p >> 2]!;
      if ((four & FREE_OF_FOUR) === 0) {
        known += knownOfFour(four);
        p += 3;
        continue;
      }
    }
    const bits = pages[p]!;
    if (bits !== 0) known++;
    if ((bits & PageBit.free) === 0) continue;
    free++;
    // Only a free page begins a block, and the rest of the block is free with it.
    const order = headOrder[p]!;
    if (order > largest) largest = order;
    if (order > 0) {
      const rest = Math.min(to, p + (1 << order)) - p - 1;
      free += rest;
      known += rest;
      p += rest;
    }
  }
  counts[0] = free;
  counts[1] = known;
  counts[2] = largest;
}
