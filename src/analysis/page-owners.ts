/**
 * Who holds each page: a record at the first page of every allocation seen.
 *
 * Eight bytes a page in two columns, which cost memory only where pages were touched: the system gives what is untouched no
 * room. An allocation that is freed in parts (split_page(), exact allocations) is split the way the buddy system
 * splits a block. Page indices are dense and below 2^31, so shifts are safe.
 */
import type { MemoryMaker } from '../records/memory.js';

const CHUNK_SHIFT = 12;
const CHUNK = 1 << CHUNK_SHIFT;
const MAX_ORDER = 18;

/** Told of every record that comes or goes. */
export interface OwnerListener {
  added(page: number, order: number, owner: number): void;
  /** `sinceAt` still tells since when. */
  removed(page: number, order: number, owner: number): void;
}

/** Columns of the records. */
export interface OwnersMemory {
  /** By page: (owner + 1) * 32 + order, 0 = no record; seconds since the start of the span. */
  readonly record: Uint32Array;
  readonly sinceS: Float32Array;
  /** By chunk: the largest order ever recorded, and the records in it now. */
  readonly largestIn: Uint8Array;
  readonly records: Int32Array;
}

export function ownersMemory(pages: number, make: MemoryMaker): OwnersMemory {
  const chunks = (pages >> CHUNK_SHIFT) + 1;
  return {
    record: new Uint32Array(make(pages * 4)),
    sinceS: new Float32Array(make(pages * 4)),
    largestIn: new Uint8Array(make(chunks)),
    records: new Int32Array(make(chunks * 4)),
  };
}

export class PageOwners {
  readonly #record: Uint32Array;
  readonly #sinceS: Float32Array;
  readonly #largestIn: Uint8Array;
  readonly #records: Int32Array;
  readonly #listener: OwnerListener;
  /** Largest order ever recorded. */
  #largest = 0;

  constructor(memory: OwnersMemory, listener: OwnerListener) {
    this.#record = memory.record;
    this.#sinceS = memory.sinceS;
    this.#largestIn = memory.largestIn;
    this.#records = memory.records;
    this.#listener = listener;
  }

  /** Owner of the allocation that begins at this page, -1 = none known. */
  ownerAt(page: number): number {
    return (this.#record[page]! >>> 5) - 1;
  }

  /** Whether any allocation covers this page. */
  holds(page: number): boolean {
    return this.ownerAt(page) >= 0 || this.#headOf(page) >= 0;
  }

  orderAt(page: number): number {
    return this.#record[page]! & 31;
  }

  /** Seconds since the start of the span. */
  sinceAt(page: number): number {
    return this.#sinceS[page]!;
  }

  alloc(page: number, order: number, owner: number, sinceS: number): void {
    // The last block of memory may be cut.
    if (page >= this.#record.length) return;
    const chunk = page >> CHUNK_SHIFT;
    if (this.#record[page] !== 0) this.#remove(page);
    this.#record[page] = ((owner + 1) << 5) | order;
    this.#sinceS[page] = sinceS;
    this.#records[chunk]!++;
    if (order > this.#largestIn[chunk]!) {
      this.#largestIn[chunk] = order;
      if (order > this.#largest) this.#largest = order;
    }
    this.#listener.added(page, order, owner);
  }

  /** Frees 2^order pages from `page`, whatever allocations they belong to. */
  free(page: number, order: number): void {
    const record = this.#record[page]!;
    if (record !== 0) {
      if ((record & 31) === order) {
        this.#remove(page);
        return;
      }
      if ((record & 31) > order) this.#splitTo(page, page, order);
    } else {
      const head = this.#headOf(page);
      if (head >= 0) this.#splitTo(head, page, order);
    }
    this.#removeAll(page, Math.min(page + 2 ** order, this.#record.length));
  }

  /** Removes what begins at pages [from, to); chunks that hold nothing cost nothing. */
  #removeAll(from: number, to: number): void {
    for (let page = from; page < to; ) {
      const chunk = page >> CHUNK_SHIFT;
      const end = Math.min(to, (page | (CHUNK - 1)) + 1);
      for (; page < end && this.#records[chunk]! > 0; page++) {
        if (this.#record[page] !== 0) this.#remove(page);
      }
      page = end;
    }
  }

  /** First page of the allocation that covers this one, -1 = none. */
  #headOf(page: number): number {
    const near = this.#largestIn[page >> CHUNK_SHIFT]!;
    const limit = Math.min(MAX_ORDER, this.#largest > CHUNK_SHIFT ? this.#largest : near);
    for (let order = 1; order <= limit; order++) {
      const head = page & ~((1 << order) - 1);
      if (this.ownerAt(head) >= 0) return this.orderAt(head) >= order ? head : -1;
    }
    return -1;
  }

  /** Splits the allocation at `head` until `page` begins one of at most `order`. */
  #splitTo(head: number, page: number, order: number): void {
    const owner = this.ownerAt(head);
    const sinceS = this.sinceAt(head);
    let size = this.orderAt(head);
    this.#remove(head);
    let at = head;
    while (size > order) {
      size--;
      const upper = at + (1 << size);
      if (page >= upper) {
        this.alloc(at, size, owner, sinceS);
        at = upper;
      } else {
        this.alloc(upper, size, owner, sinceS);
      }
    }
    this.alloc(at, size, owner, sinceS);
  }

  #remove(page: number): void {
    const record = this.#record[page]!;
    this.#record[page] = 0;
    this.#records[page >> CHUNK_SHIFT]!--;
    this.#listener.removed(page, record & 31, (record >>> 5) - 1);
  }

  /** Calls back for every record, in page order. */
  forEach(visit: (page: number, order: number, owner: number, sinceS: number) => void): void {
    for (let chunk = 0; chunk < this.#records.length; chunk++) {
      if (this.#records[chunk] === 0) continue;
      const end = Math.min((chunk + 1) << CHUNK_SHIFT, this.#record.length);
      for (let page = chunk << CHUNK_SHIFT; page < end; page++) {
        const record = this.#record[page]!;
        if (record === 0) continue;
        visit(page, record & 31, (record >>> 5) - 1, this.#sinceS[page]!);
      }
    }
  }
}
