/**
 * The classes of owner: one row a distinct (comm, gfp, stack, migratetype), all numbers.
 *
 * Looked up once per allocation by hashing four integers; nothing is allocated unless the class is
 * new. Past the limit classes fold into row 0, `(others)`.
 */
const LIMIT = 1 << 16;

export class HolderTable {
  #rows = 1;
  /** The row found last: most allocations are of the class of the one before. */
  #last = 0;
  #slots = new Int32Array(1 << 12).fill(-1);
  #key = new Uint32Array(4 * 1024);
  /** Pages held now, most ever held, and allocations. */
  live = new Float64Array(1024);
  peak = new Float64Array(1024);
  allocs = new Float64Array(1024);
  folded = 0;
  /** Pages held now in each zone, [row * zones + zone]; kept where there are several. */
  liveIn: Float64Array;
  readonly zones: number;

  /** @param zones to tell apart. */
  constructor(zones = 1) {
    this.zones = zones;
    this.liveIn = new Float64Array(1024 * zones);
  }

  get size(): number {
    return this.#rows;
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

  /** As printed by the kernel; 7 for row 0. */
  migratetype(row: number): number {
    return this.#key[row * 4 + 3]!;
  }

  rowOf(comm: number, gfp: number, stack: number, migratetype: number): number {
    const at = this.#last * 4;
    const key = this.#key;
    if (
      this.#last !== 0 &&
      key[at] === comm &&
      key[at + 1] === gfp &&
      key[at + 2] === stack &&
      key[at + 3] === migratetype
    ) {
      return this.#last;
    }
    this.#last = this.#find(comm, gfp, stack, migratetype);
    return this.#last;
  }

  #find(comm: number, gfp: number, stack: number, migratetype: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(comm, gfp, stack, migratetype) & mask;
    for (;;) {
      const row = this.#slots[slot]!;
      if (row < 0) return this.#add(slot, comm, gfp, stack, migratetype);
      const at = row * 4;
      if (
        this.#key[at] === comm &&
        this.#key[at + 1] === gfp &&
        this.#key[at + 2] === stack &&
        this.#key[at + 3] === migratetype
      ) {
        return row;
      }
      slot = (slot + 1) & mask;
    }
  }

  #add(slot: number, comm: number, gfp: number, stack: number, migratetype: number): number {
    if (this.#rows >= LIMIT) {
      this.folded++;
      return 0;
    }
    const row = this.#rows++;
    if (row >= this.live.length) this.#grow();
    this.#key.set([comm, gfp, stack, migratetype], row * 4);
    this.#slots[slot] = row;
    if (this.#rows * 2 > this.#slots.length) this.#rehash();
    return row;
  }

  #grow(): void {
    const wider = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const bigger = new Float64Array(old.length * 2);
      bigger.set(old);
      return bigger;
    };
    this.live = wider(this.live);
    this.liveIn = wider(this.liveIn);
    this.peak = wider(this.peak);
    this.allocs = wider(this.allocs);
    const keys = new Uint32Array(this.#key.length * 2);
    keys.set(this.#key);
    this.#key = keys;
  }

  #rehash(): void {
    const mask = this.#slots.length * 2 - 1;
    this.#slots = new Int32Array(mask + 1).fill(-1);
    for (let row = 1; row < this.#rows; row++) {
      let slot = hash(this.comm(row), this.gfp(row), this.stack(row), this.migratetype(row)) & mask;
      while (this.#slots[slot]! >= 0) slot = (slot + 1) & mask;
      this.#slots[slot] = row;
    }
  }
}

function hash(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a + 0x9e3779b1, 0x85ebca6b);
  h = Math.imul(h ^ (b + 0x7f4a7c15), 0xc2b2ae35);
  h = Math.imul(h ^ (c * 8 + d), 0x27d4eb2f);
  return (h ^ (h >>> 15)) >>> 0;
}
