/**
 * The classes of owner: one row a distinct (comm, gfp, stack, migratetype), all numbers.
 *
 * Looked up once per allocation by hashing four integers; nothing is allocated for a new class. Past the limit
 * classes fold into row 0, `(others)`. All of it lies in memory that another thread may read; rows that no class
 * has cost nothing, since the system gives what is untouched no room.
 */
import type { MemoryMaker } from '../records/memory.js';

const LIMIT = 1 << 16;
/** A power of two, twice the rows. */
const SLOTS = LIMIT * 2;

/** Columns of the table, by row. */
export interface TableMemory {
  /** Rows in use, and allocations folded into row 0. */
  readonly counts: Int32Array;
  /** Row by slot of the hash, 0 = free. */
  readonly slots: Int32Array;
  /** comm, gfp, stack, migratetype. */
  readonly key: Uint32Array;
  readonly live: Float64Array;
  readonly peak: Float64Array;
  readonly allocs: Float64Array;
  readonly liveIn: Float64Array;
}

/** @param zones to tell apart. */
export function tableMemory(zones: number, make: MemoryMaker): TableMemory {
  const numbers = (length: number): Float64Array => new Float64Array(make(length * 8));
  return {
    counts: new Int32Array(make(8)),
    slots: new Int32Array(make(SLOTS * 4)),
    key: new Uint32Array(make(LIMIT * 16)),
    live: numbers(LIMIT),
    peak: numbers(LIMIT),
    allocs: numbers(LIMIT),
    liveIn: numbers(LIMIT * zones),
  };
}

export class HolderTable {
  /** Pages held now, most ever held, and allocations. */
  readonly live: Float64Array;
  readonly peak: Float64Array;
  readonly allocs: Float64Array;
  /** Pages held now in each zone, [row * zones + zone]; kept where there are several. */
  readonly liveIn: Float64Array;
  readonly zones: number;
  readonly #key: Uint32Array;
  readonly #slots: Int32Array;
  readonly #counts: Int32Array;
  /** The row found last: most allocations are of the class of the one before. */
  #last = 0;

  constructor(zones: number, { counts, slots, key, live, peak, allocs, liveIn }: TableMemory) {
    this.zones = zones;
    this.live = live;
    this.peak = peak;
    this.allocs = allocs;
    this.liveIn = liveIn;
    this.#key = key;
    this.#slots = slots;
    this.#counts = counts;
    if (counts[0] === 0) counts[0] = 1;
  }

  get size(): number {
    return this.#counts[0]!;
  }

  /** Allocations of classes that had no row left. */
  get folded(): number {
    return this.#counts[1]!;
  }

  comm(row: number): number {
    return this.#key[row * 4]!;
  }

  gfp(row: number): number {
    return this.#key[row * 4 + 1]!;
  }

  stack(row: number): number {
    return this.#key[row * 4 + 2]!;
  }

  /** As printed by the kernel; 0 for row 0. */
  migratetype(row: number): number {
    return this.#key[row * 4 + 3]!;
  }

  rowOf(comm: number, gfp: number, stack: number, migratetype: number): number {
    const last = this.#last;
    if (last !== 0 && this.#is(last, comm, gfp, stack, migratetype)) return last;
    this.#last = this.#find(comm, gfp, stack, migratetype);
    return this.#last;
  }

  #is(row: number, comm: number, gfp: number, stack: number, migratetype: number): boolean {
    const key = this.#key;
    const at = row * 4;
    return (
      key[at] === comm &&
      key[at + 1] === gfp &&
      key[at + 2] === stack &&
      key[at + 3] === migratetype
    );
  }

  #find(comm: number, gfp: number, stack: number, migratetype: number): number {
    let slot = hash(comm, gfp, stack, migratetype) & (SLOTS - 1);
    for (;;) {
      const row = this.#slots[slot]!;
      if (row === 0) return this.#add(slot, comm, gfp, stack, migratetype);
      if (this.#is(row, comm, gfp, stack, migratetype)) return row;
      slot = (slot + 1) & (SLOTS - 1);
    }
  }

  #add(slot: number, comm: number, gfp: number, stack: number, migratetype: number): number {
    const row = this.size;
    if (row >= LIMIT) {
      this.#counts[1]!++;
      return 0;
    }
    this.#counts[0] = row + 1;
    this.#key.set([comm, gfp, stack, migratetype], row * 4);
    this.#slots[slot] = row;
    return row;
  }
}

function hash(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a + 0x9e3779b1, 0x85ebca6b);
  h = Math.imul(h ^ (b + 0x7f4a7c15), 0xc2b2ae35);
  h = Math.imul(h ^ (c * 8 + d), 0x27d4eb2f);
  return (h ^ (h >>> 15)) >>> 0;
}
