/**
 * A set of pages, a bit each: ranges go in and out 32 pages at a time.
 */
export class PageSet {
  readonly #words: Uint32Array;
  /** Pages in the set. */
  size = 0;

  /** @param end one past the last pfn there is room for; pages beyond are never in the set. */
  constructor(end: number) {
    this.#words = new Uint32Array(Math.ceil(end / 32));
  }

  clone(): PageSet {
    const copy = new PageSet(this.#words.length * 32);
    copy.#words.set(this.#words);
    copy.size = this.size;
    return copy;
  }

  /** Puts pages [from, to) in. */
  add(from: number, to: number): void {
    this.#each(from, to, (w, mask) => {
      this.size += bitCount(mask & ~this.#words[w]!);
      this.#words[w]! |= mask;
    });
  }

  /** Takes pages [from, to) out and returns how many of them were in. */
  take(from: number, to: number): number {
    const before = this.size;
    this.#each(from, to, (w, mask) => {
      this.size -= bitCount(mask & this.#words[w]!);
      this.#words[w]! &= ~mask;
    });
    return before - this.size;
  }

  /** Steps that `add` and `take` need for [from, to). */
  static steps(from: number, to: number): number {
    return Math.ceil((to - from) / 32) + 1;
  }

  #each(from: number, to: number, visit: (word: number, mask: number) => void): void {
    const end = Math.min(to, this.#words.length * 32);
    if (from >= end) return;
    const first = Math.floor(from / 32);
    const last = Math.floor((end - 1) / 32);
    for (let w = first; w <= last; w++) {
      let mask = -1;
      if (w === first) mask &= -1 << (from % 32);
      if (w === last) mask &= -1 >>> (31 - ((end - 1) % 32));
      visit(w, mask);
    }
  }
}

function bitCount(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
