/**
 * One pageblock page by page, as runs of like pages: what is known of every page at one instant.
 *
 * A recorded allocation is a run of its own, and so is a free block; other neighbours of the same state
 * are one run. Of allocated pages without a record nothing but that is known.
 */
import { BLOCK_PAGES } from '../records/events.js';
import { PageBit, type ReplayState } from '../replay/observer.js';
import type { HoldersObserver } from './holders.js';
import type { PageOwners } from './page-owners.js';
import { PAGE_STATES } from './report-data.js';

/** Runs of pages, a column each; `owner` is a row of HolderTable, -1 = none known. */
export class PageRuns {
  length = 0;
  pages = new Uint16Array(64);
  /** Index in PAGE_STATES. */
  state = new Uint8Array(64);
  /** -1 = not known. */
  order = new Int8Array(64);
  owner = new Int32Array(64);
  /** Seconds since the start of the span. */
  sinceS = new Float32Array(64);

  clear(): void {
    this.length = 0;
  }

  push(pages: number, state: number, order: number, owner: number, sinceS: number): void {
    const i = this.length++;
    if (i === this.pages.length) this.#grow(i + 1);
    this.pages[i] = pages;
    this.state[i] = state;
    this.order[i] = order;
    this.owner[i] = owner;
    this.sinceS[i] = sinceS;
  }

  /** Adds runs [from, to) of another. */
  append(other: PageRuns, from: number, to: number): void {
    const at = this.length;
    this.length += to - from;
    if (this.length > this.pages.length) this.#grow(this.length);
    this.#copy(other, from, to, at);
  }

  /** Moves runs [from, to) of its own down to `at`, where the runs end from now on. */
  moveDown(from: number, to: number, at: number): void {
    this.length = at + to - from;
    if (from !== at) this.#copy(this, from, to, at);
  }

  #copy(other: PageRuns, from: number, to: number, at: number): void {
    for (let i = from, k = at; i < to; i++, k++) {
      this.pages[k] = other.pages[i]!;
      this.state[k] = other.state[i]!;
      this.order[k] = other.order[i]!;
      this.owner[k] = other.owner[i]!;
      this.sinceS[k] = other.sinceS[i]!;
    }
  }

  /** Whether runs [from, to) are all of another's runs. */
  same(from: number, to: number, other: PageRuns): boolean {
    if (to - from !== other.length) return false;
    for (let i = 0; i < other.length; i++) {
      const k = from + i;
      const alike =
        this.pages[k] === other.pages[i] &&
        this.state[k] === other.state[i] &&
        this.order[k] === other.order[i] &&
        this.owner[k] === other.owner[i] &&
        this.sinceS[k] === other.sinceS[i];
      if (!alike) return false;
    }
    return true;
  }

  #grow(least: number): void {
    const length = Math.max(least, this.pages.length * 2);
    const grown = <T extends Uint16Array | Uint8Array | Int8Array | Int32Array | Float32Array>(
      old: T,
    ): T => {
      const next = new (old.constructor as new (length: number) => T)(length);
      next.set(old);
      return next;
    };
    this.pages = grown(this.pages);
    this.state = grown(this.state);
    this.order = grown(this.order);
    this.owner = grown(this.owner);
    this.sinceS = grown(this.sinceS);
  }
}

const UNKNOWN = PAGE_STATES.indexOf('unknown');
const FREE = PAGE_STATES.indexOf('free');
const PCP = PAGE_STATES.indexOf('pcp');
const ALLOCATED = PAGE_STATES.indexOf('allocated');
const ISOLATED = PAGE_STATES.indexOf('isolated');

function stateNumber(bits: number): number {
  if (bits & PageBit.free) return FREE;
  if (bits & PageBit.pcp) return PCP;
  if (bits & PageBit.isolated) return ISOLATED;
  return bits & PageBit.allocated ? ALLOCATED : UNKNOWN;
}

/** Pages from `page` on that are in one state, none of them free, and have no owner. */
function likePages(
  pages: Uint8Array,
  owners: PageOwners | null,
  page: number,
  end: number,
): number {
  const bits = pages[page]!;
  let next = page + 1;
  while (next < end && pages[next] === bits && (owners?.ownerAt(next) ?? -1) < 0) next++;
  return next - page;
}

/** Fills `into` with the runs of one pageblock now; the last one may be cut by the end of memory. */
export function readRuns(
  state: ReplayState,
  holders: HoldersObserver,
  block: number,
  into: PageRuns,
): void {
  into.clear();
  const { owners } = holders;
  const first = block << state.pageblockOrder;
  const end = Math.min(state.pages.length, first + (1 << state.pageblockOrder));
  for (let page = first; page < end; ) {
    const what = stateNumber(state.pages[page]!);
    const owner = what === FREE ? -1 : (owners?.ownerAt(page) ?? -1);
    const order = owner >= 0 ? owners!.orderAt(page) : what === FREE ? state.headOrder[page]! : -1;
    const pages =
      order >= 0
        ? Math.min(end - page, BLOCK_PAGES[order]!)
        : likePages(state.pages, owners, page, end);
    const last = into.length - 1;
    const joins = order < 0 && last >= 0 && into.state[last] === what && into.order[last]! < 0;
    if (joins) into.pages[last]! += pages;
    else into.push(pages, what, order, owner, owner >= 0 ? owners!.sinceAt(page) : 0);
    page += pages;
  }
}
