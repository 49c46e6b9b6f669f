/**
 * A reader of text with an event a line: lines in, rows out. What a line says, each format knows for itself.
 */
import type { ParseContext, StreamParser } from '../format.js';
import { RowWriter } from './row-writer.js';
import { TextLines } from './text-lines.js';

export abstract class LineReader implements StreamParser {
  protected readonly context: ParseContext;
  protected readonly lines: TextLines;
  protected readonly writer: RowWriter;

  constructor(context: ParseContext) {
    this.context = context;
    this.writer = new RowWriter(context);
    this.lines = new TextLines(context, (line) => this.line(line));
  }

  push(chunk: Uint8Array): void {
    this.lines.push(chunk);
  }

  end(): void {
    this.lines.end();
    this.writer.finish();
  }

  /** Takes one line, without its end. */
  protected abstract line(line: string): void;
}
