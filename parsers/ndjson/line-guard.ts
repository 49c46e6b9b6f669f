/**
 * Cuts a byte stream into blocks of whole lines, none longer than a limit.
 *
 * Longer lines are dropped, counted and reported before anything else sees them, so that the readers
 * behind never hold more than a block. Memory: one line, plus what one chunk holds.
 */
import type { ParseContext } from '../format.js';

/** Whole lines, each with its newline, the number of the first, and how many there are. */
export type BlockListener = (block: Uint8Array, firstLine: number, lines: number) => void;

const NEWLINE = 10;

export class LineGuard {
  readonly #context: ParseContext;
  readonly #limit: number;
  readonly #listener: BlockListener;
  #rest = new Uint8Array(0);
  #dropping = false;
  #line = 1;

  constructor(context: ParseContext, limit: number, listener: BlockListener) {
    this.#context = context;
    this.#limit = limit;
    this.#listener = listener;
  }

  push(chunk: Uint8Array): void {
    let from = 0;
    if (this.#dropping || this.#rest.length > 0) {
      const end = chunk.indexOf(NEWLINE);
      const part = chunk.subarray(0, end < 0 ? chunk.length : end + 1);
      this.#continue(part, end >= 0);
      if (end < 0) return;
      from = end + 1;
    }
    this.#wholeLines(chunk, from);
  }

  end(): void {
    if (this.#rest.length > 0) {
      const line = new Uint8Array(this.#rest.length + 1);
      line.set(this.#rest);
      line[this.#rest.length] = NEWLINE;
      this.#emit(line, 1);
    }
    this.#context.source.lines = this.#line - 1;
    this.#rest = new Uint8Array(0);
  }

  /** More of the line that was begun in an earlier chunk. */
  #continue(part: Uint8Array, ends: boolean): void {
    if (!this.#dropping && this.#rest.length + part.length > this.#limit) {
      this.#report();
      this.#dropping = true;
      this.#rest = new Uint8Array(0);
    }
    if (this.#dropping) {
      if (!ends) return;
      this.#dropping = false;
      this.#line++;
      return;
    }
    const joined = new Uint8Array(this.#rest.length + part.length);
    joined.set(this.#rest);
    joined.set(part, this.#rest.length);
    this.#rest = joined;
    if (!ends) return;
    this.#rest = new Uint8Array(0);
    this.#emit(joined, 1);
  }

  #wholeLines(chunk: Uint8Array, from: number): void {
    let blockFrom = from;
    let lines = 0;
    let at = from;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, at);
      if (newline < 0) break;
      if (newline + 1 - at > this.#limit) {
        this.#emit(chunk.subarray(blockFrom, at), lines);
        this.#report();
        this.#line++;
        blockFrom = newline + 1;
        lines = 0;
      } else lines++;
      at = newline + 1;
    }
    this.#emit(chunk.subarray(blockFrom, at), lines);
    this.#keep(chunk.subarray(at));
  }

  #keep(rest: Uint8Array): void {
    if (rest.length > this.#limit) {
      this.#report();
      this.#dropping = true;
    } else this.#rest = rest.slice();
  }

  #emit(block: Uint8Array, lines: number): void {
    if (lines === 0) return;
    const first = this.#line;
    this.#line += lines;
    this.#listener(block, first, lines);
  }

  #report(): void {
    const { source, diagnostics } = this.#context;
    source.skippedLines++;
    const place = { source: source.name, line: this.#line };
    diagnostics.report('line-too-long', place, { limit: this.#limit });
  }
}
