/**
 * Interns gfp texts, and tells the hot path of each.
 *
 * Masks printed as numbers become `0x…` whatever base they were printed in.
 */
import type { StringTable } from '../../src/records/strings.js';
import { isDigit, NumberReader } from './bytes.js';
import type { FastLines } from './fast-lines.js';

/** Longest gfp text accepted; all 30-odd flags spelled out come to about 500 bytes. */
const MAX_GFP_BYTES = 600;

export class GfpTexts {
  readonly #table: StringTable;
  readonly #fast: FastLines;
  readonly #number = new NumberReader();

  constructor(table: StringTable, fast: FastLines) {
    this.#table = table;
    this.#fast = fast;
  }

  /** The id of the text [start, end); -1 if it cannot be a gfp text. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0 || length > MAX_GFP_BYTES) return -1;
    const id = isDigit(bytes[start]!)
      ? this.#internMask(bytes, start, end)
      : this.#table.intern(bytes, start, end);
    if (id > 0xffff) return 0xffff;
    if (id >= 0) this.#fast.learnGfp(bytes, start, end, id);
    return id;
  }

  #internMask(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#number.read(bytes, start, end) || this.#number.next !== end) return -1;
    if (this.#number.hexadecimal) return this.#table.intern(bytes, start, end);
    return this.#table.internText(`0x${this.#number.value.toString(16)}`);
  }
}
