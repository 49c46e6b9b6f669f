/**
 * The 64-bit words of a binary copy by pfn (/proc/kpageflags, /proc/kpagecount), from chunks of any size.
 *
 * Words are handed over as pairs of 32-bit halves, low one first, in runs as long as a chunk allows.
 * Nothing is assumed of chunk sizes or alignment.
 */
const WORD = 8;
const SCRATCH_BYTES = 1 << 16;

export class PageWords {
  /** Words read so far. */
  pages = 0;
  readonly #take: (halves: Uint32Array, count: number) => void;
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  readonly #halves = new Uint32Array(this.#scratch.buffer);
  /** Bytes of an unfinished word at the start of scratch. */
  #carried = 0;

  /** @param take gets `count` words; those before them are counted in `pages`. */
  constructor(take: (halves: Uint32Array, count: number) => void) {
    this.#take = take;
  }

  /** Bytes after the last whole word. */
  get rest(): number {
    return this.#carried;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    if (this.#carried === 0 && (chunk.byteOffset & 3) === 0) {
      const words = chunk.length >>> 3;
      this.#hand(new Uint32Array(chunk.buffer, chunk.byteOffset, words * 2), words);
      at = words * WORD;
    }
    while (at < chunk.length) {
      const part = chunk.subarray(at, at + SCRATCH_BYTES - this.#carried);
      this.#scratch.set(part, this.#carried);
      at += part.length;
      const filled = this.#carried + part.length;
      const words = filled >>> 3;
      this.#hand(this.#halves, words);
      this.#scratch.copyWithin(0, words * WORD, filled);
      this.#carried = filled - words * WORD;
    }
  }

  #hand(halves: Uint32Array, count: number): void {
    this.#take(halves, count);
    this.pages += count;
  }
}
