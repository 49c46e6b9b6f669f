/**
 * Pageblocks page by page through time: for each the versions it went through, at sampled instants.
 *
 * A pageblock is read again only if something touched it since, and a version like the one before is not
 * kept, so a block that lies still costs one version. Memory is bounded: when there are too many runs,
 * every second instant is forgotten and from then on only every second one is taken. The pages read in
 * all are bounded too: on huge machines fewer instants are taken, and only the pageblocks that events
 * touch first are followed, as many as there is room for. Single blocks can be pinned at an instant
 * that matters, followed or not: those versions are not forgotten, but they have a bound of their own.
 */
import type { ReplayState } from '../replay/observer.js';
import type { HoldersObserver } from './holders.js';
import { PageRuns, readRuns } from './page-runs.js';

/** Runs kept in all. */
const MAX_RUNS = 300_000;
const MAX_PINNED_RUNS = 40_000;
/** Page states read over the whole recording, besides the first and the last reading. */
const READ_BUDGET = 2e7;
/** 64 GiB of pageblocks of 2 MiB. */
const MAX_FOLLOWED = 1 << 15;
/** Kinds of blocks in #followed. */
const NOT_YET = 0;
const FOLLOWED = 1;
const DROPPED = 2;

export interface PageVersion {
  readonly block: number;
  /** Index of its instant in `instants`. */
  readonly instant: number;
  readonly pinned: boolean;
  /** Migratetype number of the pageblock, -1 = unknown. */
  readonly type: number;
  /** Its runs are [from, to) of `runs`. */
  readonly from: number;
  readonly to: number;
}

export class PageVersions {
  readonly #holders: HoldersObserver;
  readonly #budget: number;
  readonly #limit: number;
  /** Time of every instant taken; versions know their number in it. */
  readonly instants: number[] = [];
  #samples: number[] = [];
  #every = 1;
  #turn = 0;
  #versions: PageVersion[] = [];
  readonly runs = new PageRuns();
  readonly #reading = new PageRuns();
  #pinnedRuns = 0;
  #read = 0;
  /** Newest version by block, -1 = none. */
  #newest: Int32Array = new Int32Array();
  #touched: Uint8Array = new Uint8Array();
  #waiting: number[] = [];
  #followed: Uint8Array = new Uint8Array();
  /** Blocks followed, in the order they were taken up. */
  #order: number[] = [];
  #room = MAX_FOLLOWED;

  constructor(holders: HoldersObserver, limit = MAX_RUNS, budget = READ_BUDGET) {
    this.#holders = holders;
    this.#limit = limit;
    this.#budget = budget;
  }

  start(blocks: number): void {
    this.#newest = new Int32Array(blocks).fill(-1);
    this.#touched = new Uint8Array(blocks);
    this.#followed = new Uint8Array(blocks);
    this.#waiting = [];
    this.touchAll();
  }

  /** Any block may have changed: all, or on a machine too large those that are followed. */
  touchAll(): void {
    const blocks = this.#touched.length;
    if (blocks > MAX_FOLLOWED) for (const block of this.#order) this.touch(block);
    else for (let block = 0; block < blocks; block++) this.touch(block);
  }

  /** The block may have changed since it was last read. */
  touch(block: number): void {
    if (this.#touched[block] !== 0 || !this.#follow(block)) return;
    this.#touched[block] = 1;
    this.#waiting.push(block);
  }

  #follow(block: number): boolean {
    if (this.#followed[block] === NOT_YET && this.#order.length < this.#room) {
      this.#followed[block] = FOLLOWED;
      this.#order.push(block);
    }
    return this.#followed[block] === FOLLOWED;
  }

  /** Whether each sample shows the block; else only its own versions do. */
  isFollowed(block: number): boolean {
    return this.#followed[block] === FOLLOWED;
  }

  /** An instant has come; `share` of the recording has passed. `last`: take it in any case. */
  sample(state: ReplayState, timeNs: number, share: number, last = false): void {
    if (this.#turn++ % this.#every !== 0 && !last) return;
    const cost = this.#waiting.length * 2 ** state.pageblockOrder;
    const first = this.#samples.length === 0;
    if (!first && !last && this.#read + cost > this.#budget * Math.min(1, share + 0.1)) return;
    if (!first) this.#read += cost;
    const instant = this.#instant(timeNs);
    if (this.#samples.at(-1) !== instant) this.#samples.push(instant);
    for (const block of this.#waiting) {
      this.#touched[block] = 0;
      this.#keep(state, block, instant, false);
    }
    this.#waiting = [];
    while (this.runs.length > this.#limit && this.#samples.length > 2) this.#forget();
    while (this.runs.length - this.#pinnedRuns > this.#limit * 2 && this.#room > 1) this.#drop();
  }

  /** Keeps a block as it is now, whatever is forgotten later. */
  pin(state: ReplayState, block: number): void {
    if (this.#pinnedRuns >= MAX_PINNED_RUNS || block >= this.#newest.length) return;
    this.#keep(state, block, this.#instant(state.timeNs), true);
  }

  #instant(timeNs: number): number {
    if (this.instants.at(-1) !== timeNs) this.instants.push(timeNs);
    return this.instants.length - 1;
  }

  #keep(state: ReplayState, block: number, instant: number, pinned: boolean): void {
    readRuns(state, this.#holders, block, this.#reading);
    const type = state.pageblockType[block] ?? -1;
    const newest = this.#versions[this.#newest[block]!];
    if (newest?.type === type && this.runs.same(newest.from, newest.to, this.#reading)) {
      if (pinned && newest.instant === instant) {
        this.#versions[this.#newest[block]!] = { ...newest, pinned };
      }
      if (!pinned || newest.instant === instant) return;
    }
    const nothing = this.#reading.length === 1 && this.#reading.state[0] === 0;
    if (nothing && newest === undefined) return;
    const from = this.runs.length;
    this.runs.append(this.#reading, 0, this.#reading.length);
    if (pinned) this.#pinnedRuns += this.#reading.length;
    this.#newest[block] = this.#versions.length;
    this.#versions.push({ block, instant, pinned, type, from, to: this.runs.length });
  }

  /** Forgets every second sample, and the versions that only it shows. */
  #forget(): void {
    this.#every *= 2;
    const last = this.#samples.length - 1;
    this.#samples = this.#samples.filter((_, i) => i % 2 === 0 || i === last);
    const next = new Int32Array(this.#newest.length).fill(-1);
    const kept: PageVersion[] = [];
    // From the newest back: a version is shown if a sample falls before the next one of its block.
    for (let v = this.#versions.length - 1; v >= 0; v--) {
      const version = this.#versions[v]!;
      const until = next[version.block]! < 0 ? Number.POSITIVE_INFINITY : next[version.block]!;
      next[version.block] = version.instant;
      if (version.pinned || until === Number.POSITIVE_INFINITY) kept.push(version);
      else if (this.#samples.some((s) => s >= version.instant && s < until)) kept.push(version);
    }
    this.#keepOnly(kept.reverse());
  }

  /** Follows only half as many blocks from now on. */
  #drop(): void {
    this.#room = Math.ceil(Math.min(this.#room, this.#order.length) / 2);
    for (const block of this.#order.splice(this.#room)) this.#followed[block] = DROPPED;
    this.#waiting = this.#waiting.filter((block) => this.isFollowed(block));
    this.#keepOnly(this.#versions.filter((v) => v.pinned || this.isFollowed(v.block)));
  }

  #keepOnly(kept: readonly PageVersion[]): void {
    this.#newest.fill(-1);
    let end = 0;
    this.#versions = kept.map((version, i) => {
      const from = end;
      this.runs.moveDown(version.from, version.to, from);
      end = this.runs.length;
      this.#newest[version.block] = i;
      return { ...version, from, to: end };
    });
    this.runs.length = end;
  }

  /** Instants at which every block is known as its newest version up to then. */
  get samples(): readonly number[] {
    return this.#samples;
  }

  get versions(): readonly PageVersion[] {
    return this.#versions;
  }
}
