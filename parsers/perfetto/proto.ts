/**
 * Protocol buffer fields one after another, as views into the bytes (protobuf.dev, encoding).
 *
 * A field is a varint key (number << 3 | wire type) and a value: 0 varint, 1 eight bytes, 2 length
 * and bytes, 5 four bytes. Groups (3, 4) do not occur in Perfetto's traces and end the walk, as
 * does any length that leads outside.
 */
export class Proto {
  /** The field under the cursor. */
  field = 0;
  wire = 0;
  /** Halves of a varint or fixed value. */
  low = 0;
  high = 0;
  /** The bytes of a length-delimited value. */
  start = 0;
  end = 0;
  /** True when the bytes made no sense before their end. */
  broken = false;
  bytes: Uint8Array;
  #at: number;
  #stop: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#at = start;
    this.#stop = end;
  }

  /** Starts over on other bytes. */
  reset(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes;
    this.#at = start;
    this.#stop = end;
    this.broken = false;
    return this;
  }

  /** Moves to the next field; false at the end. */
  next(): boolean {
    if (this.#at >= this.#stop) return false;
    if (!this.#varint()) return this.#break();
    this.field = this.low >>> 3;
    this.wire = this.low & 7;
    if (this.wire === 0) return this.#varint() || this.#break();
    if (this.wire === 2) {
      if (!this.#varint()) return this.#break();
      const length = this.high * 4294967296 + this.low;
      if (length > this.#stop - this.#at) return this.#break();
      this.start = this.#at;
      this.end = this.#at + length;
      this.#at = this.end;
      return true;
    }
    if (this.wire !== 1 && this.wire !== 5) return this.#break();
    const size = this.wire === 1 ? 8 : 4;
    if (size > this.#stop - this.#at) return this.#break();
    this.low = this.#little(this.#at);
    this.high = size === 8 ? this.#little(this.#at + 4) : 0;
    this.#at += size;
    return true;
  }

  #little(at: number): number {
    const b = this.bytes;
    return (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0;
  }

  #break(): false {
    this.broken = true;
    this.#at = this.#stop;
    return false;
  }

  #varint(): boolean {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#stop) return false;
      const byte = this.bytes[this.#at++]!;
      const part = byte & 127;
      if (shift < 28) low |= part << shift;
      else if (shift === 28) {
        low |= part << 28;
        high |= part >>> 4;
      } else high |= part << (shift - 32);
      if (byte < 128) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return true;
      }
    }
    return false;
  }

  /** The value as a number, exact up to 2^53. */
  get value(): number {
    return this.high * 4294967296 + this.low;
  }

  /** The value as a signed 32-bit number. */
  get int32(): number {
    return this.low | 0;
  }

  /** A text value, at most `limit` bytes of it. */
  text(limit = 256): string {
    return Buffer.from(
      this.bytes.subarray(this.start, Math.min(this.end, this.start + limit)),
    ).toString('utf8');
  }
}
