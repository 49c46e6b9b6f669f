/**
 * Interns gfp texts without hashing them: a trace repeats some twenty texts millions of times.
 *
 * A small cache of four ways a set, keyed by four bytes, holds the latest texts; a hit is verified
 * byte by byte, eight at a time. Eight bytes are compared as one float64: equal bits are equal
 * numbers but for NaN (which only misses) and for +0/-0, so texts holding a byte below 32 are never
 * cached. Masks printed as numbers become `0x…` whatever base they were printed in.
 */
import type { StringTable } from '../../src/records/strings.js';
import { isDigit, NEWLINE, NumberReader, RETURN } from './bytes.js';

/** Longest gfp text accepted; all 30-odd flags spelled out come to about 500 bytes. */
export const MAX_GFP_BYTES = 600;
const CACHED_BYTES = 248;
const SLOT_BYTES = 256;
const SETS = 128;
const WAYS = 4;

export class GfpCache {
  readonly #table: StringTable;
  readonly #texts = new Uint8Array(SETS * WAYS * SLOT_BYTES);
  readonly #view = new DataView(this.#texts.buffer);
  readonly #lengths = new Int32Array(SETS * WAYS);
  readonly #ids = new Int32Array(SETS * WAYS);
  readonly #scratch = new Uint8Array(SLOT_BYTES);
  readonly #scratchView = new DataView(this.#scratch.buffer);
  readonly #number = new NumberReader();

  constructor(table: StringTable) {
    this.#table = table;
  }

  /** Set by `match`: the position after the line end. */
  next = 0;

  /**
   * The id of the gfp text at `pos` if it is a cached one that a line end follows, else -1. At least
   * 300 bytes must be readable from `pos`.
   */
  match(bytes: Uint8Array, view: DataView, pos: number): number {
    let slot = setOf(view, pos) * WAYS;
    for (let way = 0; way < WAYS; way++, slot++) {
      const length = this.#lengths[slot]!;
      let after = pos + length;
      if (length === 0) return -1;
      if (bytes[after] !== NEWLINE) {
        if (bytes[after] !== RETURN || bytes[after + 1] !== NEWLINE) continue;
        after++;
      }
      if (!this.#same(view, pos, slot * SLOT_BYTES, length)) continue;
      this.next = after + 1;
      return this.#ids[slot]!;
    }
    return -1;
  }

  #same(view: DataView, pos: number, at: number, length: number): boolean {
    const cached = this.#view;
    let i = 0;
    for (; i + 8 <= length; i += 8) {
      if (view.getFloat64(pos + i, true) !== cached.getFloat64(at + i, true)) return false;
    }
    for (; i < length; i++) {
      if (view.getUint8(pos + i) !== cached.getUint8(at + i)) return false;
    }
    return true;
  }

  /** The id of the text [start, end), learnt for `match`; -1 if it cannot be a gfp text. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0 || length > MAX_GFP_BYTES) return -1;
    const id = isDigit(bytes[start]!)
      ? this.#internMask(bytes, start, end)
      : this.#table.intern(bytes, start, end);
    if (id > 0xffff) return 0xffff;
    if (length <= CACHED_BYTES && id >= 0) this.#learn(bytes, start, end, id);
    return id;
  }

  #internMask(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#number.read(bytes, start, end) || this.#number.next !== end) return -1;
    if (this.#number.hexadecimal) return this.#table.intern(bytes, start, end);
    return this.#table.internText(`0x${this.#number.value.toString(16)}`);
  }

  #learn(bytes: Uint8Array, start: number, end: number, id: number): void {
    const padded = this.#scratch.fill(NEWLINE);
    for (let i = start; i < end; i++) {
      if (bytes[i]! < 32) return;
      padded[i - start] = bytes[i]!;
    }
    const first = setOf(this.#scratchView, 0) * WAYS;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#ids[slot] === id && this.#lengths[slot] === end - start) return;
    }
    const moved = (first + WAYS - 1) * SLOT_BYTES;
    this.#texts.copyWithin((first + 1) * SLOT_BYTES, first * SLOT_BYTES, moved);
    this.#lengths.copyWithin(first + 1, first, first + WAYS - 1);
    this.#ids.copyWithin(first + 1, first, first + WAYS - 1);
    this.#texts.set(padded, first * SLOT_BYTES);
    this.#lengths[first] = end - start;
    this.#ids[first] = id;
  }
}

/** Which set a text belongs to; texts share beginnings, so bytes 4-7 alone would crowd. */
function setOf(view: DataView, pos: number): number {
  const mixed = Math.imul(view.getUint32(pos + 4, true), 0x9e3779b1);
  return mixed >>> 25;
}
