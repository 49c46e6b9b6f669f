/**
 * Compaction: which free pages the free scanner took, from the little its events say.
 *
 * Compaction takes migration targets from the free lists without any page event
 * (mm/compaction.c isolate_freepages, fast_isolate_freepages; 5.1 and later have both). What can be
 * known, see docs/model/compaction.md:
 * - `isolate_freepages` visits every position of its range unless it strides; after a full visit no
 *   free page of the range is left. What the model has there beyond `nr_taken` is the one block that
 *   the fast search took from the same pageblock just before.
 * - the fast search takes blocks from the movable lists, order by order, in the upper part of the
 *   zone. Kernels before 6.5 print nothing; later ones print only how many pages.
 * - every page migrated needed a target: pages isolated minus pages migrated cannot be negative.
 * - a page certainly free (its next event is an allocation) was not taken.
 * - a ghost (free, then freed again without leaving) was taken by the last compaction before its free
 *   at the latest.
 *
 * The solver runs inside the forward replay, several times: what an earlier run learnt at the end of
 * a migration (how many targets were missing) is used at its beginning in the next run.
 */
import { EventKind } from '../records/events.js';
import type { StringTable } from '../records/strings.js';
import { MAX_STRIDE, newProcess, type Process, searchFrom } from './compaction-process.js';
import type { ReplayCore } from './core.js';
import { indexOf, isCertainFate, isGhostFate } from './fate.js';
import { LaterFinds, rangeAfter } from './later-finds.js';
import { countBelow } from './sorted.js';
import type { RareLog } from './survey.js';
import { TargetBlocks } from './target-blocks.js';

/** Positions by which compound pages can shift a strided scan. */
const STRIDE_SLACK = 8;

/** Fields of the range events, as in RARE_FIELDS. */
const START = 0;
const END = 1;
const SCANNED = 2;
const TAKEN = 3;

/** How well the events explain themselves: shown as a quality figure. */
export interface CompactionQuality {
  /** Fully visited ranges whose excess is 0, a power of two, something else, negative. */
  readonly excess: [number, number, number, number];
  /** Pages taken in ranges, by choice, as ghosts at their deadline, and not to be placed. */
  rangePages: number;
  chosenPages: number;
  deadlinePages: number;
  unplacedPages: number;
}

/** Events at which pages are isolated or move. */
const MOVING: readonly number[] = [
  EventKind.isolateMigratepages,
  EventKind.isolateFreepages,
  EventKind.fastIsolateFreepages,
  EventKind.migratepages,
];

export class CompactionSolver {
  readonly quality: CompactionQuality = {
    excess: [0, 0, 0, 0],
    rangePages: 0,
    chosenPages: 0,
    deadlinePages: 0,
    unplacedPages: 0,
  };
  readonly #core: ReplayCore;
  readonly #targets: TargetBlocks;
  readonly #rare: RareLog;
  readonly #processes = new Map<number, Process>();
  /** Targets found missing, by row of the isolate_migratepages that began it. */
  readonly #needs: ReadonlyMap<number, number>;
  /** Id of the text `async` in the begin event's mode. */
  readonly #asyncMode: number;
  readonly #newNeeds = new Map<number, number>();
  /** Pages that must be gone by a rare row, by that row. */
  readonly #deadlines = new Map<number, number[]>();
  /** Rows of compaction events, for deadlines. */
  readonly #compactionRows: Int32Array;
  /** Their events, ascending. */
  readonly #compactionIndices: Float64Array;
  #requestOrder = new Map<number, number>();
  /** Event of this row, and of the next at which pages can be taken. */
  #now = 0;
  #nextTaking = 0;
  /** Fast searches have an event of their own (6.5 and later). */
  readonly #announces: boolean;

  constructor(
    core: ReplayCore,
    rare: RareLog,
    texts: StringTable,
    needs: ReadonlyMap<number, number>,
  ) {
    this.#core = core;
    this.#targets = new TargetBlocks(core, new LaterFinds(rare, core.geometry.pageblockOrder));
    this.#asyncMode = texts.internText('async');
    this.#rare = rare;
    this.#needs = needs;
    this.#announces = rare.kind.subarray(0, rare.length).includes(EventKind.fastIsolateFreepages);
    const rows: number[] = [];
    for (let row = 0; row < rare.length; row++) if (this.#canTake(row)) rows.push(row);
    this.#compactionRows = Int32Array.from(rows);
    this.#compactionIndices = Float64Array.from(rows, (row) => rare.index[row]!);
  }

  /** Whether compaction moves a page at all in this recording. */
  get acts(): boolean {
    const { kind, length } = this.#rare;
    return kind.subarray(0, length).some((k) => MOVING.includes(k));
  }

  /** Whether pages can have been taken at a row. */
  #canTake(row: number): boolean {
    const kind = this.#rare.kind[row];
    if (kind === EventKind.isolateFreepages) return true;
    // Where fast searches have no event, one may follow as soon as there are pages to migrate.
    const search = this.#announces ? EventKind.fastIsolateFreepages : EventKind.isolateMigratepages;
    return kind === search && this.#rare.field(row, TAKEN) > 0;
  }

  /** What this run learnt for the next; the very map it was given if that is nothing new. */
  get needs(): ReadonlyMap<number, number> {
    if (this.#newNeeds.size === 0) return this.#needs;
    const merged = new Map(this.#needs);
    for (const [row, pages] of this.#newNeeds) merged.set(row, (merged.get(row) ?? 0) + pages);
    return merged;
  }

  /** A ghost entered the free lists: note by when it must be gone. */
  ghost(page: number, fate: number): void {
    const row = this.#lastCompactionBefore(indexOf(fate));
    if (row < 0 || this.#rare.index[row]! <= this.#core.since[page]!) return;
    const list = this.#deadlines.get(row);
    if (list) list.push(page);
    else this.#deadlines.set(row, [page]);
  }

  #lastCompactionBefore(index: number): number {
    const rows = countBelow(this.#compactionIndices, index);
    return rows === 0 ? -1 : this.#compactionRows[rows - 1]!;
  }

  /** Called at each rare event, in order. */
  rare(row: number): void {
    const rare = this.#rare;
    this.#now = rare.index[row]!;
    const following = countBelow(this.#compactionRows, row + 1);
    this.#nextTaking =
      rare.index[this.#compactionRows[following] ?? -1] ?? Number.POSITIVE_INFINITY;
    const pid = rare.pid[row]!;
    switch (rare.kind[row]) {
      case EventKind.tryToCompact:
        this.#requestOrder.set(pid, rare.field(row, 0));
        break;
      case EventKind.kcompactdWake:
        this.#requestOrder.set(pid, rare.field(row, 1));
        break;
      case EventKind.compactionBegin:
        this.#begin(row, pid);
        break;
      case EventKind.compactionEnd:
        this.#processes.delete(pid);
        break;
      case EventKind.isolateMigratepages:
        this.#isolateMigratepages(row, this.#process(pid));
        break;
      case EventKind.fastIsolateFreepages:
        this.#fastIsolate(row, this.#process(pid));
        break;
      case EventKind.isolateFreepages:
        this.#isolateFreepages(row, this.#process(pid));
        break;
      case EventKind.migratepages:
        this.#migratepages(row, this.#process(pid));
        break;
    }
    // A block found fast lies in the pageblock that is scanned next: its pages are not overdue before.
    if (!this.#searchGoesOn(row)) this.#takeOverdue(row);
  }

  #searchGoesOn(row: number): boolean {
    return (
      this.#rare.kind[row] === EventKind.fastIsolateFreepages && rangeAfter(this.#rare, row) >= 0
    );
  }

  #process(pid: number): Process {
    let process = this.#processes.get(pid);
    if (!process) {
      process = newProcess();
      this.#processes.set(pid, process);
    }
    return process;
  }

  #begin(row: number, pid: number): void {
    const process = newProcess();
    process.zoneStart = this.#rare.field(row, 0);
    process.migratePfn = this.#rare.field(row, 1);
    process.freePfn = this.#rare.field(row, 2);
    process.endFreePfn = this.#endFreePfn(row, pid);
    process.order = this.#requestOrder.get(pid) ?? -1;
    process.searchOrder = process.order - 1;
    process.async = this.#rare.field(row, 4) === this.#asyncMode;
    process.stride = process.async ? MAX_STRIDE : 1;
    process.active = true;
    this.#processes.set(pid, process);
  }

  /** The free scanner's place at the end of the compaction that begins at a row; 0 if the end is not there. */
  #endFreePfn(row: number, pid: number): number {
    const rare = this.#rare;
    for (let r = row + 1; r < rare.length; r++) {
      if (rare.pid[r] !== pid) continue;
      if (rare.kind[r] === EventKind.compactionEnd) return rare.field(r, 2);
      if (rare.kind[r] === EventKind.compactionBegin) return 0;
    }
    return 0;
  }

  #isolateMigratepages(row: number, process: Process): void {
    process.migratePfn = Math.max(process.migratePfn, this.#rare.field(row, END));
    // Nothing isolated, nothing to migrate: the search begins with the first page that needs a target.
    if (process.migrateRow < 0 && this.#rare.field(row, TAKEN) > 0) process.migrateRow = row;
    const need = this.#needs.get(row);
    if (need !== undefined) this.#takeHidden(need, process);
  }

  #fastIsolate(row: number, process: Process): void {
    process.announced = this.#rare.field(row, TAKEN);
    process.pool += process.announced;
    // The event tells the scanner's place and half the span.
    process.freePfn = this.#rare.field(row, END);
    process.migratePfn = 2 * this.#rare.field(row, START) - process.freePfn;
    // A range event that follows shows the pageblock; else the block must be chosen now.
    if (process.announced > 0 && rangeAfter(this.#rare, row) < 0) {
      this.#takeAnnounced(process, this.#rare.field(row, START));
    }
  }

  #takeAnnounced(process: Process, fromPfn: number): void {
    let left = process.announced;
    process.announced = 0;
    while (left > 0) {
      const order = 31 - Math.clz32(left);
      const taken = this.#choose(order, fromPfn, process);
      if (taken === 0) this.quality.unplacedPages += 2 ** order;
      left -= 2 ** order;
    }
  }

  #isolateFreepages(row: number, process: Process): void {
    const start = this.#rare.field(row, START);
    const end = this.#rare.field(row, END);
    const scanned = this.#rare.field(row, SCANNED);
    const taken = this.#rare.field(row, TAKEN);
    const first = this.#core.geometry.space.pageOf(start);
    const length = end - start;
    process.pool += taken;
    if (length <= 0) return;
    const last = Math.min(first + length, this.#core.fate.length);
    const full = this.#visitsAll(length, scanned, process.stride);
    process.stride = taken > 0 ? 1 : Math.min(MAX_STRIDE, process.stride * 2);
    if (first < 0) {
      // Nothing is known of these pages: what the scanner took was never held free.
      if (full) process.announced = 0;
    } else if (full) {
      const found = this.#takeUncertain(first, last);
      this.quality.rangePages += found;
      this.#settleExcess(found - taken, process, first, last);
    } else if (taken > 0) {
      this.#takeStrided(first, last, scanned, taken);
    }
    // Ranges below the place where the scanner ends are searches around a block found fast.
    if (start >= process.endFreePfn) process.freePfn = Math.min(process.freePfn, start);
  }

  /**
   * Does a scan of a range visit every position? The slow scanner visits about length / stride of them;
   * the search around a block found fast visits all. Kernels that announce fast searches (6.5 and later)
   * count each page of what they take or skip as visited. Older ones count a skipped compound page once:
   * fewer visits are no proof there, more than the stride allows are.
   */
  #visitsAll(length: number, scanned: number, stride: number): boolean {
    if (this.#announces) return scanned >= length;
    return stride === 1 || scanned > length / stride + STRIDE_SLACK;
  }

  /** A block that begins below the range has no head in it: the scanner passes over its pages. */
  #takeUncertain(first: number, last: number): number {
    const { lists } = this.#core;
    const head = lists.blockOf(first);
    const from = head >= 0 && head < first ? head + (1 << lists.headOrder[head]!) : first;
    let found = 0;
    for (let page = from; page < last; page++) {
      if (this.#core.lists.isFree(page) && !isCertainFate(this.#core.fate[page]!)) {
        found += this.#core.take(page, 1);
      }
    }
    return found;
  }

  #settleExcess(excess: number, process: Process, first: number, last: number): void {
    const { excess: tally } = this.quality;
    if (excess === 0) tally[0]++;
    else if (excess < 0) tally[3]++;
    else if ((excess & (excess - 1)) === 0) tally[1]++;
    else tally[2]++;
    if (process.announced > 0) {
      const left = process.announced - Math.max(0, excess);
      process.announced = 0;
      if (left > 0 && (left & (left - 1)) === 0) {
        const block = this.#core.geometry.pageblockOrder;
        const blockStart = (first >> block) << block;
        this.#takeInBlock(31 - Math.clz32(left), last, blockStart + (1 << block));
      }
      return;
    }
    if (excess > 0) {
      process.pool += excess;
      if ((excess & (excess - 1)) === 0) process.searchOrder = 31 - Math.clz32(excess);
    }
  }

  /** The announced block is elsewhere in the pageblock: the first fitting head behind the range. */
  #takeInBlock(order: number, from: number, to: number): void {
    for (let page = from; page < to; page++) {
      if (this.#core.lists.headOrder[page] !== order || !this.#targets.uncertain(page, order))
        continue;
      this.quality.chosenPages += this.#core.take(page, 1 << order);
      return;
    }
  }

  /**
   * An asynchronous scan visits every 2nd, 4th … 32nd position until its first hit. If one stride
   * explains `scanned` exactly, take what it meets; else ghosts first, then blocks in pfn order.
   */
  #takeStrided(first: number, last: number, scanned: number, taken: number): void {
    for (let stride = 1; stride <= 32; stride *= 2) {
      const blocks = this.#simulateScan(first, last, stride, scanned, taken);
      if (blocks === null) continue;
      for (const [page, count] of blocks) this.quality.rangePages += this.#core.take(page, count);
      return;
    }
    this.#takeBest(first, last, taken);
  }

  #simulateScan(
    first: number,
    last: number,
    stride: number,
    scanned: number,
    taken: number,
  ): [number, number][] | null {
    const blocks: [number, number][] = [];
    let visits = 0;
    let got = 0;
    for (let page = first; page < last; page += stride) {
      visits++;
      const order = this.#core.lists.headOrder[page]!;
      if (order < 0 || !this.#targets.uncertain(page, order)) continue;
      blocks.push([page, 1 << order]);
      got += 1 << order;
      page += (1 << order) - stride;
    }
    return got === taken && (visits === scanned || visits + got - blocks.length === scanned)
      ? blocks
      : null;
  }

  #takeBest(first: number, last: number, taken: number): void {
    let left = taken;
    for (const wantGhost of [true, false]) {
      for (let page = first; page < last && left > 0; page++) {
        const fate = this.#core.fate[page]!;
        if (!this.#core.lists.isFree(page) || isCertainFate(fate)) continue;
        if (wantGhost && !isGhostFate(fate)) continue;
        left -= this.#core.take(page, 1);
      }
    }
    this.quality.rangePages += taken - left;
    this.quality.unplacedPages += left;
  }

  #migratepages(row: number, process: Process): void {
    const migrated = this.#rare.field(row, 0);
    const before = process.pool;
    process.pool -= migrated;
    // A target is looked for before the page is tried: one that failed had one too.
    const tried = !this.#announces && migrated === 0 && before <= 0 && this.#rare.field(row, 1) > 0;
    if (process.pool < 0 || tried) {
      const need = tried ? 1 : -process.pool;
      const anchor = process.migrateRow;
      if (anchor >= 0) this.#newNeeds.set(anchor, (this.#newNeeds.get(anchor) ?? 0) + need);
      this.#takeHidden(need, process);
      process.pool = Math.max(process.pool, 0);
    }
    process.migrateRow = -1;
  }

  /** Targets without any event: blocks the fast search took. */
  #takeHidden(need: number, process: Process): void {
    let left = need;
    const maxOrder = this.#core.lists.maxOrder;
    const top = process.order > 0 ? Math.min(process.order - 1, maxOrder) : maxOrder - 1;
    for (let tries = 0; left > 0 && tries < 64; tries++) {
      let taken = 0;
      const begin = Math.min(Math.max(process.searchOrder, 0), top);
      for (let step = 0; step <= top && taken === 0; step++) {
        const order = (begin - step + top + 1) % (top + 1);
        taken = this.#choose(order, searchFrom(process, 2, this.#pageblockOrder), process);
        if (taken > 0) process.searchOrder = order;
      }
      if (taken === 0) break;
      left -= taken;
      process.pool += taken;
    }
    if (left > 0) {
      const taken = this.#targets.takeEarliestGhosts(left);
      this.quality.chosenPages += taken;
      process.pool += taken;
      this.quality.unplacedPages += Math.max(0, left - taken);
    }
  }

  #choose(order: number, fromPfn: number, process: Process): number {
    const taken = this.#targets.take(order, fromPfn, process, this.#now, this.#nextTaking);
    this.quality.chosenPages += taken;
    return taken;
  }

  get #pageblockOrder(): number {
    return this.#core.geometry.pageblockOrder;
  }

  /** Ghosts whose last possible compaction this row is. */
  #takeOverdue(row: number): void {
    const pages = this.#deadlines.get(row);
    if (!pages) return;
    this.#deadlines.delete(row);
    for (const page of pages) {
      const fate = this.#core.fate[page]!;
      if (!this.#core.lists.isFree(page) || !isGhostFate(fate)) continue;
      if (this.#lastCompactionBefore(indexOf(fate)) !== row) continue;
      this.quality.deadlinePages += this.#core.take(page, 1);
    }
  }
}
