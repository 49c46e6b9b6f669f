/**
 * Reads numbers and texts one after another from a file or a decompressed section.
 *
 * Nothing is read that is not there: a read past the end gives zeros or '' and sets `failed`, which
 * says what was wanted; callers look at it before they use what they read.
 */
import type { RandomAccess } from '../format.js';

/** Bytes in memory as RandomAccess. */
export class MemoryAccess implements RandomAccess {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(position: number, length: number): Uint8Array {
    return this.#bytes.subarray(position, position + Math.max(0, length));
  }
}

export interface ShortRead {
  readonly at: number;
  readonly need: number;
  readonly have: number;
}

const MAX_STRING = 4096;

export class Cursor {
  position: number;
  failed: ShortRead | null = null;
  readonly #file: RandomAccess;
  readonly #littleEndian: boolean;

  constructor(file: RandomAccess, position: number, littleEndian: boolean) {
    this.#file = file;
    this.position = position;
    this.#littleEndian = littleEndian;
  }

  get size(): number {
    return this.#file.size;
  }

  get left(): number {
    return Math.max(0, this.#file.size - this.position);
  }

  /** The next `count` bytes (a copy or a view), or null. */
  bytes(count: number): Uint8Array | null {
    if (this.failed === null && count >= 0 && count <= this.left) {
      const bytes = this.#file.read(this.position, count);
      if (bytes.length === count) {
        this.position += count;
        return bytes;
      }
    }
    this.failed ??= { at: this.position, need: count, have: this.left };
    return null;
  }

  /** Bytes at another place, fewer if they are not there; the cursor stays. */
  at(position: number, count: number): Uint8Array {
    return this.#file.read(position, count);
  }

  #view(count: number): DataView | null {
    const bytes = this.bytes(count);
    return bytes === null ? null : new DataView(bytes.buffer, bytes.byteOffset, count);
  }

  u8(): number {
    return this.bytes(1)?.[0] ?? 0;
  }

  u16(): number {
    return this.#view(2)?.getUint16(0, this.#littleEndian) ?? 0;
  }

  u32(): number {
    return this.#view(4)?.getUint32(0, this.#littleEndian) ?? 0;
  }

  /** A u64 as a number: above 2^53 the nearest one, which no file size reaches. */
  u64(): number {
    return Number(this.u64Exact());
  }

  u64Exact(): bigint {
    return this.#view(8)?.getBigUint64(0, this.#littleEndian) ?? 0n;
  }

  skip(count: number): void {
    if (count >= 0 && count <= this.left && this.failed === null) this.position += count;
    else this.failed ??= { at: this.position, need: count, have: this.left };
  }

  /** A text up to its NUL, which is consumed; at most 4 KiB. */
  cstring(): string {
    if (this.failed !== null) return '';
    const bytes = this.#file.read(this.position, Math.min(MAX_STRING, this.left));
    const end = bytes.indexOf(0);
    if (end < 0) {
      this.failed = { at: this.position, need: MAX_STRING, have: bytes.length };
      return '';
    }
    this.position += end + 1;
    return latin1(bytes.subarray(0, end));
  }
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
