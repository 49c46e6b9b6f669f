/**
 * Who holds each page: a record at the first page of every allocation seen, in lazily made chunks.
 *
 * Memory follows the pages that were touched, not the size of the machine; beyond CHUNK_LIMIT chunks
 * further pages stay unattributed and are counted. An allocation that is freed in parts
 * (split_page(), exact allocations) is split the way the buddy system splits a block. Page indices are
 * dense and below 2^31, so shifts are safe.
 */
const CHUNK_SHIFT = 12;
const CHUNK = 1 << CHUNK_SHIFT;
/** 64 Mi pages: 512 MiB of records at the very most. */
const CHUNK_LIMIT = 1 << 14;
const MAX_ORDER = 18;

interface Chunk {
  /** Two words a page, beside each other: (owner + 1) * 32 + order, 0 = no record; and sinceS. */
  readonly record: Uint32Array;
  readonly sinceS: Float32Array;
  /** Largest order ever recorded in the chunk. */
  largest: number;
  /** Records in it now. */
  records: number;
}

/** Told of every record that comes or goes. */
export interface OwnerListener {
  added(page: number, order: number, owner: number, sinceS: number): void;
  removed(page: number, order: number, owner: number, sinceS: number): void;
}

export class PageOwners {
  readonly #chunks: (Chunk | undefined)[];
  readonly #listener: OwnerListener;
  #used = 0;
  /** Largest order ever recorded. */
  #largest = 0;
  /** Allocations not recorded because of the limit. */
  dropped = 0;

  constructor(pages: number, listener: OwnerListener) {
    this.#chunks = new Array<Chunk | undefined>(Math.ceil(pages / CHUNK) + 1).fill(undefined);
    this.#listener = listener;
  }

  /** Owner of the allocation that begins at this page, -1 = none known. */
  ownerAt(page: number): number {
    const chunk = this.#chunks[page >> CHUNK_SHIFT];
    return chunk === undefined ? -1 : (chunk.record[(page & (CHUNK - 1)) * 2]! >>> 5) - 1;
  }

  /** Whether any allocation covers this page. */
  holds(page: number): boolean {
    return this.ownerAt(page) >= 0 || this.#headOf(page) >= 0;
  }

  orderAt(page: number): number {
    return (this.#chunks[page >> CHUNK_SHIFT]?.record[(page & (CHUNK - 1)) * 2] ?? 0) & 31;
  }

  /** Seconds since the start of the span. */
  sinceAt(page: number): number {
    return this.#chunks[page >> CHUNK_SHIFT]?.sinceS[(page & (CHUNK - 1)) * 2 + 1] ?? 0;
  }

  alloc(page: number, order: number, owner: number, sinceS: number): void {
    if (this.ownerAt(page) >= 0) this.#remove(page);
    const at = page >> CHUNK_SHIFT;
    let chunk = this.#chunks[at];
    if (chunk === undefined) {
      if (this.#used >= CHUNK_LIMIT || at >= this.#chunks.length) {
        this.dropped++;
        return;
      }
      this.#used++;
      const words = new ArrayBuffer(CHUNK * 8);
      chunk = {
        record: new Uint32Array(words),
        sinceS: new Float32Array(words),
        largest: 0,
        records: 0,
      };
      this.#chunks[at] = chunk;
    }
    const i = (page & (CHUNK - 1)) * 2;
    chunk.records++;
    chunk.record[i] = ((owner + 1) << 5) | order;
    chunk.sinceS[i + 1] = sinceS;
    if (order > chunk.largest) {
      chunk.largest = order;
      if (order > this.#largest) this.#largest = order;
    }
    this.#listener.added(page, order, owner, sinceS);
  }

  /** Frees 2^order pages from `page`, whatever allocations they belong to. */
  free(page: number, order: number): void {
    const chunk = this.#chunks[page >> CHUNK_SHIFT];
    const record = chunk === undefined ? 0 : chunk.record[(page & (CHUNK - 1)) * 2]!;
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
    this.#removeAll(page, Math.min(page + 2 ** order, this.#chunks.length * CHUNK));
  }

  /** Removes what begins at pages [from, to); chunks that hold nothing cost nothing. */
  #removeAll(from: number, to: number): void {
    for (let page = from; page < to; ) {
      const chunk = this.#chunks[page >> CHUNK_SHIFT];
      const end = Math.min(to, (page | (CHUNK - 1)) + 1);
      for (; page < end && chunk !== undefined && chunk.records > 0; page++) {
        if (this.ownerAt(page) >= 0) this.#remove(page);
      }
      page = end;
    }
  }

  /** First page of the allocation that covers this one, -1 = none. */
  #headOf(page: number): number {
    const near = this.#chunks[page >> CHUNK_SHIFT]?.largest ?? 0;
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
    const chunk = this.#chunks[page >> CHUNK_SHIFT];
    if (chunk === undefined) return;
    const i = (page & (CHUNK - 1)) * 2;
    const record = chunk.record[i]!;
    chunk.record[i] = 0;
    chunk.records--;
    this.#listener.removed(page, record & 31, (record >>> 5) - 1, chunk.sinceS[i + 1]!);
  }

  /** Calls back for every record, in page order. */
  forEach(visit: (page: number, order: number, owner: number, sinceS: number) => void): void {
    this.#chunks.forEach((chunk, at) => {
      if (chunk === undefined) return;
      for (let i = 0; i < CHUNK; i++) {
        const record = chunk.record[i * 2]!;
        if (record === 0) continue;
        visit(at * CHUNK + i, record & 31, (record >>> 5) - 1, chunk.sinceS[i * 2 + 1]!);
      }
    });
  }
}
