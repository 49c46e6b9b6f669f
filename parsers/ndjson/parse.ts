/**
 * NDJSON: one JSON object a line, through the `ndjson` package behind a line-length limit.
 *
 * Objects of log shippers that wrap the record (`fields`, `message`, `_source`) are unwrapped one
 * level. Blank lines are nothing; a line that is no JSON object is skipped and counted.
 */
import { parse as parseNdjson } from 'ndjson';
import { decodeBytes } from '../../src/records/strings.js';
import { kindOfName } from '../csv/event-names.js';
import { FIELD_COUNT, Field, FieldNames, unitOfName } from '../csv/fields.js';
import { RowImporter } from '../csv/rows.js';
import type { ParseContext, StreamParser } from '../format.js';
import { LineGuard } from './line-guard.js';

/** Snapshot lines (zoneinfo of big machines) may be this much longer than lines of text. */
const LINE_FACTOR = 64;
const WRAPPERS = ['_source', 'fields', 'message', 'data'];
const NEWLINE = 10;
const OPEN_BRACE = 0x7b;
const MAX_SHOWN = 200;

interface ObjectStream {
  write(block: Uint8Array): boolean;
  read(): unknown;
  readonly readableLength: number;
  on(event: 'error', listener: () => void): unknown;
}

export class NdjsonParser implements StreamParser {
  readonly #names: FieldNames;
  readonly #rows: RowImporter;
  readonly #guard: LineGuard;
  readonly #stream: ObjectStream;
  readonly #row: unknown[] = new Array(FIELD_COUNT).fill(undefined);
  /** Positions, among the lines of the block at work, of those that are no JSON. */
  #failed: number[] = [];

  constructor(context: ParseContext) {
    this.#names = new FieldNames(context.options.map);
    this.#rows = new RowImporter(context);
    const limit = context.limits.lineBytes * LINE_FACTOR;
    this.#guard = new LineGuard(context, limit, (block, line) => this.#block(block, line));
    this.#stream = parseNdjson({
      strict: true,
      readableHighWaterMark: Number.MAX_SAFE_INTEGER,
    } as Parameters<typeof parseNdjson>[0]) as unknown as ObjectStream;
    this.#stream.on('error', () => {
      this.#failed.push(this.#stream.readableLength + this.#failed.length);
    });
  }

  push(chunk: Uint8Array): void {
    this.#guard.push(chunk);
  }

  end(): void {
    this.#guard.end();
    this.#rows.end();
  }

  /** Hands on the lines that begin with `{`; other JSON values are no records. */
  #block(block: Uint8Array, firstLine: number): void {
    let line = firstLine;
    let lines: number[] = [];
    let from = 0;
    for (let at = 0; at < block.length; line++) {
      const end = block.indexOf(NEWLINE, at) + 1;
      const first = firstByte(block, at, end);
      if (first === OPEN_BRACE) {
        if (lines.length === 0) from = at;
        lines.push(line);
      } else {
        this.#objects(block.subarray(from, at), lines);
        lines = [];
        if (first !== 0) this.#rows.skip(line, textOf(block.subarray(at, end - 1)));
      }
      at = end;
    }
    this.#objects(block.subarray(from), lines);
  }

  #objects(block: Uint8Array, lines: readonly number[]): void {
    if (lines.length === 0) return;
    this.#failed = [];
    this.#stream.write(block);
    const failed = this.#failed;
    let next = 0;
    for (let i = 0; i < lines.length; i++) {
      if (failed[next] === i) {
        next++;
        this.#rows.skip(lines[i]!, textOf(nthLine(block, i)));
        continue;
      }
      const object = this.#stream.read();
      if (typeof object === 'object' && object !== null) this.#object(object, lines[i]!);
    }
  }

  #object(object: object, line: number): void {
    const row = this.#row.fill(undefined);
    this.#fill(object);
    if (kindOfName(row[Field.event]) === null && row[Field.snapshot] === undefined) {
      this.#unwrap(object);
    }
    this.#rows.add(row, line, null);
  }

  /** Takes the members whose names are known; the first of several for one field counts. */
  #fill(object: object): void {
    for (const [key, value] of Object.entries(object)) {
      const field = this.#names.fieldOf(key);
      if (field < 0 || field >= FIELD_COUNT || this.#row[field] !== undefined) continue;
      this.#row[field] = value;
      if (field === Field.time) this.#rows.hintUnit(unitOfName(key));
    }
  }

  #unwrap(object: object): void {
    for (const name of WRAPPERS) {
      const inner = (object as Readonly<Record<string, unknown>>)[name];
      if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) continue;
      const outer = this.#row[Field.time];
      this.#row.fill(undefined);
      this.#fill(inner);
      this.#row[Field.time] ??= outer;
      return;
    }
  }
}

/** First byte of a line that is no blank; 0 if there is none. */
function firstByte(block: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) if (block[at]! > 32) return block[at]!;
  return 0;
}

function nthLine(block: Uint8Array, n: number): Uint8Array {
  let from = 0;
  for (let i = 0; i < n; i++) from = block.indexOf(NEWLINE, from) + 1;
  return block.subarray(from, block.indexOf(NEWLINE, from));
}

function textOf(line: Uint8Array): string {
  return decodeBytes(line, 0, Math.min(line.length, MAX_SHOWN));
}
