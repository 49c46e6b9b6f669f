/**
 * Pageblocks in which later searches of compaction found blocks, where kernels announce searches (6.5 and later).
 *
 * A fast search that found too little goes on around what it found (mm/compaction.c fast_isolate_around): its event and the range
 * after it tell order and pageblock. A block that one of those must have found was not taken before.
 */
import { EventKind } from '../records/events.js';
import type { RareLog } from './survey.js';

/** Fields of the events, as in RARE_FIELDS. */
const START = 0;
const TAKEN = 3;

/** Rows after a search among which its range is looked for. */
const NEAR_ROWS = 64;

export class LaterFinds {
  readonly #pageblockOrder: number;
  /** By pageblock: (event, order) pairs, ascending. */
  readonly #finds = new Map<number, number[]>();

  constructor(rare: RareLog, pageblockOrder: number) {
    this.#pageblockOrder = pageblockOrder;
    for (let row = 0; row < rare.length; row++) {
      if (rare.kind[row] !== EventKind.fastIsolateFreepages || rare.field(row, TAKEN) <= 0)
        continue;
      const range = rangeAfter(rare, row);
      if (range < 0) continue;
      const pageblock = Math.floor(rare.field(range, START) / 2 ** pageblockOrder);
      const finds = this.#finds.get(pageblock) ?? [];
      finds.push(rare.index[row]!, 31 - Math.clz32(rare.field(row, TAKEN)));
      this.#finds.set(pageblock, finds);
    }
  }

  /** Whether a search between two events found a block of this order in the pageblock of a pfn. */
  any(pfn: number, order: number, afterIndex: number, beforeIndex: number): boolean {
    const finds = this.#finds.get(Math.floor(pfn / 2 ** this.#pageblockOrder));
    if (finds === undefined) return false;
    for (let i = 0; i < finds.length; i += 2) {
      if (finds[i]! >= beforeIndex) return false;
      if (finds[i]! > afterIndex && finds[i + 1] === order) return true;
    }
    return false;
  }
}

/** The row of the range that the same process scans before anything else it does, -1 if it does not. */
export function rangeAfter(rare: RareLog, row: number): number {
  const pid = rare.pid[row]!;
  for (let r = row + 1; r < rare.length && r < row + NEAR_ROWS; r++) {
    if (rare.pid[r] === pid) return rare.kind[r] === EventKind.isolateFreepages ? r : -1;
  }
  return -1;
}
