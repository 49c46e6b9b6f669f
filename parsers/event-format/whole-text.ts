/**
 * A document that can only be read whole (JSON, event formats), gathered from its chunks. One longer than the limit
 * is not read and reported: a part of it would say something else.
 */
import type { ParseContext, StreamParser } from '../format.js';

export class WholeText implements StreamParser {
  readonly #context: ParseContext;
  readonly #limit: number;
  readonly #take: (text: Buffer) => void;
  #parts: Buffer[] = [];
  #length = 0;

  /**
   * @param limit bytes at most.
   * @param take gets the whole document once its end is reached.
   */
  constructor(context: ParseContext, limit: number, take: (text: Buffer) => void) {
    this.#context = context;
    this.#limit = limit;
    this.#take = take;
  }

  push(chunk: Uint8Array): void {
    this.#length += chunk.length;
    if (this.#length <= this.#limit) this.#parts.push(Buffer.from(chunk));
    else this.#parts = [];
  }

  end(): void {
    if (this.#length <= this.#limit) {
      this.#take(Buffer.concat(this.#parts));
      return;
    }
    const { diagnostics, source } = this.#context;
    const data = { what: 'the document', limit: this.#limit };
    diagnostics.report('section-limit', { source: source.name }, data);
  }
}
