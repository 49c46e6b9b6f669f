/**
 * What stands between a zone and its next free block of an order: the aligned block with the fewest
 * pages in use, and the one with the fewest among those that hold nothing known to be immovable.
 *
 * Pages on per-cpu lists and isolated pages count as in use: the buddy lists do not have them. A page
 * whose allocation was recorded is movable or not by its migratetype; of others nothing is known.
 * What is read over a whole recording is bounded, so huge machines are looked at more seldom.
 */
import type { RecordingStrings } from '../records/strings.js';
import { PageBit, type PageRun, type ReplayState } from '../replay/observer.js';
import type { HoldersObserver } from './holders.js';
import { FREE_OF_FOUR, pageWords } from './page-words.js';
import type { NearestBlock } from './report-data.js';

/** Words of four page states read over the whole recording. */
const BUDGET = 2e8;
/** Looks at one order, spread over the recording. */
const LOOKS = 16;
const HOLDERS = 3;

export interface NearestBlockOptions {
  readonly fromNs: number;
  readonly toNs: number;
  readonly strings: RecordingStrings;
  /** Runs before; tells whose each page is. */
  readonly holders: HoldersObserver;
  /** Number of Movable as this kernel prints it. */
  readonly movableType: number;
}

interface Use {
  readonly taken: number;
  readonly movable: number;
  readonly immovable: number;
}

export class NearestBlocks {
  readonly #options: NearestBlockOptions;
  readonly #nextNs = new Map<number, number>();
  #left = BUDGET;

  constructor(options: NearestBlockOptions) {
    this.#options = options;
  }

  /** The nearest blocks of every zone now, or null when this order was looked at a moment ago. */
  look(state: ReplayState, order: number): NearestBlock[] | null {
    const { fromNs, toNs } = this.#options;
    const { timeNs } = state;
    if (timeNs < (this.#nextNs.get(order) ?? Number.NEGATIVE_INFINITY)) return null;
    if (state.pages.length === 0 || this.#left <= 0) return null;
    this.#nextNs.set(order, timeNs + (toNs - fromNs) / LOOKS);
    const words = pageWords(state);
    return state.zones.flatMap((zone) => this.#inZone(state, words, zone.index, zone.runs, order));
  }

  #inZone(
    state: ReplayState,
    words: Int32Array,
    zone: number,
    runs: readonly PageRun[],
    order: number,
  ): NearestBlock[] {
    const size = 2 ** order;
    let fewest = -1;
    let least = size;
    let clean = -1;
    let cleanLeast = size;
    for (const { from, to } of runs) {
      const first = Math.ceil(from / size) * size;
      this.#left -= (to - first) >> 2;
      for (let page = first; page + size <= to; page += size) {
        const limit = Math.max(least, cleanLeast);
        const taken =
          size < 4
            ? takenPages(state.pages, page, size, limit)
            : takenByWords(words, page, size, limit);
        if (taken < 0) continue;
        if (taken < least) {
          least = taken;
          fewest = page;
        }
        if (taken < cleanLeast && this.#use(state, page, size).immovable === 0) {
          cleanLeast = taken;
          clean = page;
        }
      }
    }
    const found: NearestBlock[] = [];
    if (fewest >= 0) found.push(this.#describe(state, zone, fewest, order, 'fewest'));
    if (clean >= 0 && clean !== fewest) {
      found.push(this.#describe(state, zone, clean, order, 'movable'));
    }
    return found;
  }

  /** Visits the recorded allocations that cover pages in use of a block. */
  #eachOwner(
    state: ReplayState,
    first: number,
    size: number,
    visit: (row: number, pages: number) => void,
  ): void {
    const { owners } = this.#options.holders;
    if (owners === null) return;
    for (let page = first; page < first + size; ) {
      const row = state.pages[page]! & PageBit.free ? -1 : owners.ownerAt(page);
      if (row < 0) {
        page++;
        continue;
      }
      const pages = Math.min(2 ** owners.orderAt(page), first + size - page);
      visit(row, pages);
      page += pages;
    }
  }

  #use(state: ReplayState, first: number, size: number): Use {
    const { table } = this.#options.holders;
    let taken = 0;
    for (let p = first; p < first + size; p++) if ((state.pages[p]! & PageBit.free) === 0) taken++;
    let movable = 0;
    let immovable = 0;
    this.#eachOwner(state, first, size, (row, pages) => {
      if (table.migratetype(row) === this.#options.movableType) movable += pages;
      else immovable += pages;
    });
    return { taken, movable: Math.min(movable, taken), immovable: Math.min(immovable, taken) };
  }

  #describe(
    state: ReplayState,
    zone: number,
    first: number,
    order: number,
    kind: NearestBlock['kind'],
  ): NearestBlock {
    const { table } = this.#options.holders;
    const { strings } = this.#options;
    const { taken, movable, immovable } = this.#use(state, first, 2 ** order);
    const byRow = new Map<number, number>();
    this.#eachOwner(state, first, 2 ** order, (row, pages) => {
      byRow.set(row, (byRow.get(row) ?? 0) + pages);
    });
    const top = [...byRow].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, HOLDERS);
    return {
      zone,
      order,
      kind,
      pfn: state.pfnOf(first),
      taken,
      movable,
      immovable,
      unknown: Math.max(0, taken - movable - immovable),
      holders: top.map(([row, pages]) => ({
        comm: row === 0 ? '(others)' : strings.comms.text(table.comm(row)),
        gfp: strings.gfps.text(table.gfp(row)),
        pages,
      })),
    };
  }
}

/** Pages of a block that are not free; -1 as soon as there are `limit` of them, or none at all known. */
function takenPages(pages: Uint8Array, first: number, size: number, limit: number): number {
  let taken = 0;
  let known = 0;
  for (let p = first; p < first + size; p++) {
    const bits = pages[p]!;
    known |= bits;
    if ((bits & PageBit.free) === 0 && ++taken >= limit) return -1;
  }
  return known === 0 ? -1 : taken;
}

/** The same for blocks of at least four pages, four at a time. */
function takenByWords(words: Int32Array, first: number, size: number, limit: number): number {
  let taken = 0;
  let known = 0;
  const end = (first + size) >> 2;
  for (let w = first >> 2; w < end; w++) {
    const bits = words[w]!;
    known |= bits;
    taken += 4 - (Math.imul(bits & FREE_OF_FOUR, 0x01010101) >>> 24);
    if (taken >= limit) return -1;
  }
  return known === 0 ? -1 : taken;
}
