/**
 * Lines out of chunks, as Latin-1 strings: for text formats whose lines are taken apart by regular
 * expressions. A line longer than the limit is skipped and reported.
 */
import type { ParseContext } from '../format.js';

export class TextLines {
  /** 1-based number of the line handed out last. */
  number = 0;
  readonly #context: ParseContext;
  readonly #take: (line: string) => void;
  #rest = '';
  #skipping = false;

  constructor(context: ParseContext, take: (line: string) => void) {
    this.#context = context;
    this.#take = take;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(10, from);
      if (end < 0) break;
      this.#line(bytes.toString('latin1', from, end));
      from = end + 1;
    }
    if (from < bytes.length) this.#keep(bytes.toString('latin1', from));
  }

  #keep(part: string): void {
    if (this.#skipping) return;
    this.#rest += part;
    if (this.#rest.length <= this.#context.limits.lineBytes) return;
    this.#rest = '';
    this.#skipping = true;
  }

  #line(part: string): void {
    this.number++;
    this.#context.source.lines++;
    const line = this.#rest + part;
    this.#rest = '';
    const { limits, source, diagnostics } = this.#context;
    if (this.#skipping || line.length > limits.lineBytes) {
      this.#skipping = false;
      source.skippedLines++;
      const place = { source: source.name, line: this.number };
      diagnostics.report('line-too-long', place, { limit: limits.lineBytes });
      return;
    }
    this.#take(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  /** Counts a line that fits nothing. */
  unparsed(line: string): void {
    const { source, diagnostics } = this.#context;
    source.skippedLines++;
    const place = { source: source.name, line: this.number, excerpt: line };
    diagnostics.report('line-unparsed', place);
  }

  end(): void {
    if (this.#rest !== '' || this.#skipping) this.#line('');
  }
}
