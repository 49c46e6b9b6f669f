/**
 * CSV through csv-parse: a header line, then one record a line (quoted cells may span several).
 *
 * Lines and records are limited in length. csv-parse stops for good at a record that is too long (an
 * unclosed quote eats the rest of the file): reading then goes on at the next block with a new
 * parser, and the loss is reported. A text cell with a `'` before one of `= + - @ '`, tab or CR was
 * protected from spreadsheets by `convert`; the protection is taken off.
 */
import { type Options, type Parser, parse as parseCsv } from 'csv-parse';
import type { ParseContext, StreamParser } from '../format.js';
import { LineGuard } from '../ndjson/line-guard.js';
import { delimiterOf, headerLine } from './detect.js';
import { FIELD_COUNT, Field, FieldNames, ORDER_COLUMN, unitOfName } from './fields.js';
import { RowImporter } from './rows.js';

/** Snapshot cells (zoneinfo of big machines) may be this much longer than lines of text. */
const LINE_FACTOR = 64;
/** Bytes handed to csv-parse at a time, which is also what an unclosed quote can cost. */
const STEP_BYTES = 1 << 16;
/** Bytes csv-parse may hold back to see what follows. */
const LOOKAHEAD = 16;
const END_MARK = '\u0003end of input\u0003';
const PROTECTED = /^'[=+\-@'\t\r]/;

/** A record with the number of the line it ends on. */
interface InfoRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

export class CsvParser implements StreamParser {
  readonly #context: ParseContext;
  readonly #names: FieldNames;
  readonly #rows: RowImporter;
  readonly #guard: LineGuard;
  readonly #limit: number;
  #delimiter = ',';
  #parser: Parser | null = null;
  #columns: readonly number[] | null = null;
  #orders: unknown[] | null = null;
  readonly #row: unknown[] = new Array(FIELD_COUNT).fill(undefined);
  #firstLine = 1;
  /** Line the last good record ends on. */
  #lastLine = 0;
  /** Whether the mark behind the last line came out as a record of its own. */
  #ended = false;

  constructor(context: ParseContext) {
    this.#context = context;
    this.#names = new FieldNames(context.options.map);
    this.#rows = new RowImporter(context);
    this.#limit = context.limits.lineBytes * LINE_FACTOR;
    this.#guard = new LineGuard(context, this.#limit, (block, line) => this.#block(block, line));
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += STEP_BYTES) {
      this.#guard.push(chunk.subarray(at, at + STEP_BYTES));
    }
  }

  end(): void {
    this.#guard.end();
    this.#flush();
    this.#rows.end();
  }

  #block(block: Uint8Array, firstLine: number): void {
    if (this.#columns === null && this.#parser === null) {
      this.#delimiter = delimiterOf(headerLine(block));
    }
    if (this.#parser === null) {
      this.#firstLine = firstLine;
      this.#parser = this.#newParser();
    }
    this.#parser.write(block);
    this.#take();
  }

  #newParser(): Parser {
    const options: Options & { readableHighWaterMark: number } = {
      bom: this.#columns === null,
      delimiter: this.#delimiter,
      info: true,
      max_record_size: this.#limit,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      readableHighWaterMark: Number.MAX_SAFE_INTEGER,
    };
    const parser = parseCsv(options);
    // Asked for by `errored` after each block; the event comes a tick too late.
    parser.on('error', () => undefined);
    return parser;
  }

  #take(): void {
    const parser = this.#parser;
    if (parser === null) return;
    for (;;) {
      const item = parser.read() as InfoRecord | null;
      if (item === null) break;
      this.#ended = item.record[0] === END_MARK;
      if (this.#ended) break;
      this.#lastLine = this.#firstLine + item.info.lines - 1;
      this.#record(item.record, this.#lastLine);
    }
    if (parser.errored !== null) this.#lost();
  }

  /** csv-parse looks ahead: blank lines push the last record out, and a mark shows it got there. */
  #flush(): void {
    const parser = this.#parser;
    if (parser === null) return;
    parser.write(`${'\n'.repeat(LOOKAHEAD)}${END_MARK}${'\n'.repeat(LOOKAHEAD)}`);
    this.#take();
    if (this.#parser !== null && !this.#ended) this.#lost();
  }

  /** A record that csv-parse gave up on: its block is lost, reading goes on behind it. */
  #lost(): void {
    const { source, diagnostics } = this.#context;
    source.skippedLines++;
    const place = { source: source.name, line: this.#lastLine + 1 };
    diagnostics.report('csv-record-lost', place, { limit: this.#limit });
    this.#parser = null;
  }

  #record(cells: readonly string[], line: number): void {
    if (this.#columns === null) {
      this.#header(cells);
      return;
    }
    const row = this.#row.fill(undefined);
    this.#orders?.fill(undefined);
    for (let i = 0; i < cells.length; i++) {
      const column = this.#columns[i] ?? -1;
      if (column < 0) continue;
      const cell = cells[i]!;
      const value = PROTECTED.test(cell) ? cell.slice(1) : cell;
      if (column >= ORDER_COLUMN) this.#orders![column - ORDER_COLUMN] = value;
      else row[column] ??= value;
    }
    this.#rows.add(row, line, this.#orders);
  }

  #header(cells: readonly string[]): void {
    this.#columns = cells.map((cell) => this.#names.fieldOf(cell));
    const time = this.#columns.indexOf(Field.time);
    if (time >= 0) this.#rows.hintUnit(unitOfName(cells[time]!));
    let orders = 0;
    while (this.#columns.includes(ORDER_COLUMN + orders)) orders++;
    const known = this.#columns.filter((column) => column < ORDER_COLUMN + orders);
    this.#columns = this.#columns.map((column) => (known.includes(column) ? column : -1));
    if (orders > 0 && !this.#columns.includes(Field.event)) this.#orders = new Array(orders);
    else this.#columns = this.#columns.map((column) => (column >= ORDER_COLUMN ? -1 : column));
  }
}
