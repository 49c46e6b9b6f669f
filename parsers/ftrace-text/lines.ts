/**
 * Chunks of any size into lines, without copying but for lines that chunks cut.
 *
 * Lines longer than the limit are never held: their bytes are dropped as they come and they are
 * reported once. The line handed out excludes `\n` and a `\r` before it. A `FastPath` gets the first
 * try at every line that lies far enough from the chunk's end.
 */
import { NEWLINE, RETURN } from './bytes.js';

export interface LineSink {
  /** Try at most this near the end of the bytes. */
  readonly fastBytes: number;
  /** New bytes that `fastLine` refers to. */
  use(bytes: Uint8Array): void;
  /** Takes lines from `pos` up to `limit`, as far as it can; returns the first position not taken. */
  fastLines(pos: number, limit: number): number;
  line(bytes: Uint8Array, start: number, end: number): void;
  tooLong(): void;
  /** The last line, without line end. */
  cutLine(bytes: Uint8Array, start: number, end: number): void;
}

export class LineSplitter {
  readonly #sink: LineSink;
  readonly #limit: number;
  /** The line that chunks cut; always with room for a line end and fastBytes more. */
  #carry: Uint8Array;
  #carried = 0;
  #dropping = false;
  /** The end of a chunk, copied to where fastBytes more may be read. */
  readonly #tail: Uint8Array;

  constructor(sink: LineSink, limit: number) {
    this.#sink = sink;
    this.#limit = limit;
    this.#carry = new Uint8Array(4 * sink.fastBytes);
    this.#tail = new Uint8Array(2 * sink.fastBytes);
  }

  push(chunk: Uint8Array): void {
    const { length } = chunk;
    const bytes = withSlack(chunk, this.#sink.fastBytes);
    const start = this.#finishCut(bytes, length);
    if (start < 0) return;
    const slack = bytes.length > length;
    const last = slack ? bytes.lastIndexOf(NEWLINE, length - 1) : length - this.#sink.fastBytes;
    let pos = start;
    if (pos <= last) {
      this.#sink.use(bytes);
      pos = this.#run(bytes, pos, last, length);
      if (pos < 0) return;
    }
    if (pos === length) return;
    if (slack) this.#keep(bytes, pos, length);
    else this.#runTail(bytes, pos);
  }

  /** The last lines, where they can be read past their end. */
  #runTail(bytes: Uint8Array, start: number): void {
    const length = bytes.length - start;
    this.#tail.set(bytes.subarray(start));
    this.#sink.use(this.#tail);
    const pos = this.#run(this.#tail, 0, this.#tail.lastIndexOf(NEWLINE, length - 1), length);
    if (pos >= 0 && pos < length) this.#keep(this.#tail, pos, length);
  }

  end(): void {
    if (this.#carried > 0) this.#sink.cutLine(this.#carry, 0, this.#carried);
    this.#carried = 0;
    this.#dropping = false;
  }

  /**
   * Takes the lines in [start, end) that begin at or before `last`, the fast way where it goes.
   * Returns where the first line after those begins; -1 when a line without end was kept.
   */
  #run(bytes: Uint8Array, start: number, last: number, end: number): number {
    let pos = start;
    while (pos <= last) {
      pos = this.#sink.fastLines(pos, last);
      if (pos > last) break;
      const newline = bytes.indexOf(NEWLINE, pos);
      if (newline < 0 || newline >= end) {
        this.#keep(bytes, pos, end);
        return -1;
      }
      this.#give(bytes, pos, newline);
      pos = newline + 1;
    }
    return pos;
  }

  /** Completes the line that the last chunk cut; -1 if this chunk does not end it either. */
  #finishCut(bytes: Uint8Array, length: number): number {
    if (!this.#dropping && this.#carried === 0) return 0;
    const newline = bytes.indexOf(NEWLINE);
    const within = newline >= 0 && newline < length;
    if (!this.#dropping) this.#keep(bytes, 0, within ? newline : length);
    if (!within) return -1;
    if (!this.#dropping) this.#giveCarried();
    this.#carried = 0;
    this.#dropping = false;
    return newline + 1;
  }

  #giveCarried(): void {
    this.#carry[this.#carried] = NEWLINE;
    this.#sink.use(this.#carry);
    if (this.#sink.fastLines(0, 0) === 0) this.#give(this.#carry, 0, this.#carried);
  }

  #give(bytes: Uint8Array, start: number, newline: number): void {
    if (newline - start > this.#limit) {
      this.#sink.tooLong();
      return;
    }
    const end = newline > start && bytes[newline - 1] === RETURN ? newline - 1 : newline;
    this.#sink.line(bytes, start, end);
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#carried + end - start;
    if (length > this.#limit) {
      this.#sink.tooLong();
      this.#carried = 0;
      this.#dropping = true;
      return;
    }
    const needed = length + 1 + this.#sink.fastBytes;
    if (needed > this.#carry.length) {
      const bigger = new Uint8Array(needed * 2);
      bigger.set(this.#carry.subarray(0, this.#carried));
      this.#carry = bigger;
    }
    this.#carry.set(bytes.subarray(start, end), this.#carried);
    this.#carried = length;
  }
}

/** The chunk with the bytes behind it, if its memory has as many as that; what they hold is not said. */
export function withSlack(chunk: Uint8Array, slack: number): Uint8Array {
  const { buffer, byteOffset, length } = chunk;
  const behind = buffer.byteLength - byteOffset - length;
  return new Uint8Array(buffer, byteOffset, behind >= slack ? length + slack : length);
}
