/**
 * Bytes to lines, for text formats that are not on the event path.
 *
 * Chunks may break anywhere. A line longer than the limit is dropped, never held: memory stays
 * within limit + one chunk. The handler learns whether a line ended in a newline, because a kernel
 * file always does: one that does not was cut.
 */
export interface LineHandler {
  /** A line is bytes [start, end), without its newline. Valid only during the call. */
  line(bytes: Uint8Array, start: number, end: number, terminated: boolean): void;
  /** A line longer than the limit was dropped. */
  tooLong(): void;
}

const NEWLINE = 10;

export class LineSplitter {
  readonly #limit: number;
  readonly #handler: LineHandler;
  #carry = new Uint8Array(1024);
  #used = 0;
  #dropping = false;

  /** @param limit bytes of the longest line that is kept. */
  constructor(limit: number, handler: LineHandler) {
    this.#limit = limit;
    this.#handler = handler;
  }

  push(chunk: Uint8Array): void {
    let start = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, start);
      if (newline < 0) break;
      this.#finishLine(chunk, start, newline);
      start = newline + 1;
    }
    if (start < chunk.length) this.#keep(chunk, start, chunk.length);
  }

  /** The last line, if the input did not end in a newline. */
  end(): void {
    if (this.#dropping) this.#handler.tooLong();
    else if (this.#used > 0) this.#handler.line(this.#carry, 0, this.#used, false);
    this.#used = 0;
    this.#dropping = false;
  }

  #finishLine(chunk: Uint8Array, start: number, end: number): void {
    if (this.#used === 0 && !this.#dropping) {
      if (end - start > this.#limit) this.#handler.tooLong();
      else this.#handler.line(chunk, start, end, true);
      return;
    }
    this.#keep(chunk, start, end);
    if (this.#dropping) this.#handler.tooLong();
    else this.#handler.line(this.#carry, 0, this.#used, true);
    this.#used = 0;
    this.#dropping = false;
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    if (this.#dropping) return;
    const needed = this.#used + end - start;
    if (needed > this.#limit) {
      this.#dropping = true;
      this.#used = 0;
      return;
    }
    if (needed > this.#carry.length) {
      const bigger = new Uint8Array(Math.max(needed, this.#carry.length * 2));
      bigger.set(this.#carry.subarray(0, this.#used));
      this.#carry = bigger;
    }
    this.#carry.set(chunk.subarray(start, end), this.#used);
    this.#used = needed;
  }
}

/** Bytes as text, one character a byte; a trailing carriage return is dropped. */
export function latin1Line(bytes: Uint8Array, start: number, end: number): string {
  const last = end > start && bytes[end - 1] === 13 ? end - 1 : end;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    'latin1',
    start,
    last,
  );
}
