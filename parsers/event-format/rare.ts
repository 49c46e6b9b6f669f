/**
 * Records of rare kinds (compaction, vmscan, oom, cma, marks) to rows of the side table.
 *
 * Each field is compiled once a format: a plain number is read at its place; a text or a gfp mask
 * goes through the print format's own expression with a numeric cache in front; the rest is
 * evaluated. Fields a kernel does not have stay NaN.
 */
import { type EventBatch, EventKind, RARE_WIDTH } from '../../src/records/events.js';
import type { RecordingStrings } from '../../src/records/strings.js';
import { evaluate, type Fields } from './c-evaluate.js';
import type { Expression } from './c-expression.js';
import type { EventFormats } from './formats.js';
import { MaskCache } from './gfp-cache.js';
import { gfpText } from './gfp-text.js';
import { type RareFieldSource, rareSources } from './kinds.js';
import type { EventFormat, FormatField } from './parse.js';
import { formatBinaryPrintk, kindOfWriter, MARK_WRITE, MAX_TEXT_BYTES, textEnd } from './printk.js';

type Reader = (view: DataView, offset: number, length: number) => number;

interface RarePlan {
  readonly kind: EventKind;
  readonly format: EventFormat;
  readonly readers: readonly Reader[];
}

export class RareDecoder {
  readonly #strings: RecordingStrings;
  readonly #formats: EventFormats;
  readonly #plans = new Map<number, RarePlan>();
  readonly #record: RecordFields;
  /** Kind + 1 of the writers of `print` records, by address. */
  readonly #writers: MaskCache;

  constructor(strings: RecordingStrings, formats: EventFormats) {
    this.#strings = strings;
    this.#formats = formats;
    this.#record = new RecordFields(formats.littleEndian);
    this.#writers = new MaskCache((low, high) => {
      const address = (BigInt(high) << 32n) | BigInt(low);
      return kindOfWriter(formats.symbols?.holds(MARK_WRITE, address) ?? null);
    });
  }

  /** Compiles a format; false if none of its fields can be read. */
  use(format: EventFormat, kind: EventKind): boolean {
    const printk = kind === EventKind.printk;
    const readers = printk
      ? [this.#printkReader(format)]
      : rareSources(kind).map((source) => this.#reader(format, source));
    this.#plans.set(format.id, { kind, format, readers });
    return readers.length > 0;
  }

  /** The kind of a record, 0 if it is too short for its own fields. */
  kindOf(type: number, view: DataView, offset: number, length: number): EventKind | 0 {
    const plan = this.#plans.get(type);
    if (plan === undefined) return 0;
    if (plan.kind !== EventKind.printk || plan.format.name !== 'print') return plan.kind;
    const ip = plan.format.fields.find((field) => field.name === 'ip');
    if (ip === undefined || ip.offset + ip.size > length) return 0;
    const le = this.#formats.littleEndian;
    const at = offset + ip.offset;
    const first = view.getUint32(at, le);
    if (ip.size !== 8) return this.#writers.id(first, 0) as EventKind;
    const second = view.getUint32(at + 4, le);
    return this.#writers.id(le ? first : second, le ? second : first) as EventKind;
  }

  fill(
    batch: EventBatch,
    row: number,
    type: number,
    view: DataView,
    offset: number,
    length: number,
  ): void {
    const plan = this.#plans.get(type);
    if (plan === undefined) return;
    const base = batch.pfn[row]! * RARE_WIDTH;
    for (let i = 0; i < plan.readers.length && i < RARE_WIDTH; i++) {
      batch.rare[base + i] = plan.readers[i]!(view, offset, length);
    }
  }

  #reader(format: EventFormat, source: RareFieldSource): Reader {
    const field = fieldNamed(format, source.names);
    // A text field of that name says more than a `key=` that several fields share.
    if (field !== undefined && field.text !== 'none') return this.#textReader(field);
    const print = source.names.map((name) => format.print.byKey.get(name)).find(isKnown);
    if (source.type === 'number') return this.#numberReader(format, field, print);
    const input = inputOf(format, print) ?? field;
    const make = source.type === 'gfp' ? this.#gfpMaker(print) : this.#textMaker(print, input);
    if (input === undefined) return () => Number.NaN;
    const cache = new MaskCache(make);
    const { offset: at, size, signed } = input;
    const le = this.#formats.littleEndian;
    return (view, offset, length) => {
      if (at + size > length) return Number.NaN;
      const value = readInteger(view, offset + at, size, signed, le);
      return cache.id(value >>> 0, Math.floor(value / 4294967296) >>> 0);
    };
  }

  #gfpMaker(print: Expression | undefined): (low: number, high: number) => number {
    return (low, high) => gfpText(this.#strings, print, low, high);
  }

  /** Texts that depend on one number: `__print_symbolic(REC->idx, …)`, `REC->sync ? … : …`. */
  #textMaker(
    print: Expression | undefined,
    input: FormatField | undefined,
  ): (low: number, high: number) => number {
    return (low, high) => {
      const unsigned = (BigInt(high) << 32n) | BigInt(low);
      const value = input?.signed === true ? BigInt.asIntN(64, unsigned) : unsigned;
      const fields: Fields = {
        number: (name) => (name === input?.name ? value : null),
        text: () => null,
      };
      const text = print === undefined ? null : evaluate(print, fields);
      return this.#strings.texts.internText(String(text ?? value).trim());
    };
  }

  #numberReader(
    format: EventFormat,
    field: FormatField | undefined,
    print: Expression | undefined,
  ): Reader {
    const plain = print?.kind === 'field' ? fieldNamed(format, [print.name]) : undefined;
    const simple = plain ?? (print === undefined ? field : undefined);
    const le = this.#formats.littleEndian;
    if (simple !== undefined) {
      const { offset: at, size, signed } = simple;
      return (view, offset, length) =>
        at + size <= length ? readInteger(view, offset + at, size, signed, le) : Number.NaN;
    }
    if (print === undefined) return () => Number.NaN;
    return (view, offset, length) => {
      const value = evaluate(print, this.#record.at(format, view, offset, length));
      return typeof value === 'bigint' ? Number(value) : Number.NaN;
    };
  }

  #textReader(field: FormatField): Reader {
    return (view, offset, length) => {
      const span = this.#record.span(field, view, offset, length);
      if (span === null) return Number.NaN;
      return this.#internBytes(view, span.start, textEnd(view, span.start, span.end));
    };
  }

  #internBytes(view: DataView, start: number, end: number): number {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + start, end - start);
    return this.#strings.texts.intern(bytes, 0, bytes.length);
  }

  #printkReader(format: EventFormat): Reader {
    const formats = this.#formats;
    const buf = format.fields.find((field) => field.name === 'buf');
    if (format.name === 'print') {
      const at = buf?.offset ?? 8 + formats.longSize;
      return (view, offset, length) =>
        this.#internBytes(
          view,
          offset + Math.min(at, length),
          textEnd(view, offset + Math.min(at, length), offset + length),
        );
    }
    const pointer = fieldNamed(format, ['fmt', 'str']);
    const at = buf?.offset ?? 0;
    return (view, offset, length) => {
      if (pointer === undefined || pointer.offset + pointer.size > length) return Number.NaN;
      const value = readBig(view, offset + pointer.offset, pointer.size, formats.littleEndian);
      const key = value.toString(16);
      const text = formats.printk.get(key) ?? `0x${key}`;
      if (at === 0 || at > length) return this.#strings.texts.internText(text.trimEnd());
      const done = formatBinaryPrintk(text, view, offset + at, offset + length, formats);
      return this.#strings.texts.internText(done);
    };
  }
}

function isKnown(expression: Expression | undefined): boolean {
  return expression !== undefined && expression.kind !== 'unknown';
}

function fieldNamed(format: EventFormat, names: readonly string[]): FormatField | undefined {
  for (const name of names) {
    const field = format.fields.find((candidate) => candidate.name === name);
    if (field !== undefined && (field.text !== 'none' || isReadable(field.size))) return field;
  }
  return undefined;
}

function isReadable(size: number): boolean {
  return size === 1 || size === 2 || size === 4 || size === 8;
}

/** The one record field an expression rests on, if it is one and a number. */
function inputOf(format: EventFormat, print: Expression | undefined): FormatField | undefined {
  const names = new Set<string>();
  const visit = (expression: Expression): void => {
    if (expression.kind === 'field') names.add(expression.name);
    else if (expression.kind === 'unary' || expression.kind === 'table') visit(expression.arg);
    else if (expression.kind === 'binary') {
      visit(expression.left);
      visit(expression.right);
    } else if (expression.kind === 'choice') {
      visit(expression.test);
      visit(expression.yes);
      visit(expression.no);
    }
  };
  if (print !== undefined) visit(print);
  return names.size === 1 ? fieldNamed(format, [...names]) : undefined;
}

/** An integer of 1, 2, 4 or 8 bytes as a number; beyond 2^53 the nearest one. */
export function readInteger(
  view: DataView,
  at: number,
  size: number,
  signed: boolean,
  littleEndian: boolean,
): number {
  if (size === 4)
    return signed ? view.getInt32(at, littleEndian) : view.getUint32(at, littleEndian);
  if (size === 1) return signed ? view.getInt8(at) : view.getUint8(at);
  if (size === 2)
    return signed ? view.getInt16(at, littleEndian) : view.getUint16(at, littleEndian);
  const low = view.getUint32(littleEndian ? at : at + 4, littleEndian);
  const highAt = littleEndian ? at + 4 : at;
  const high = signed ? view.getInt32(highAt, littleEndian) : view.getUint32(highAt, littleEndian);
  return high * 4294967296 + low;
}

function readBig(view: DataView, at: number, size: number, littleEndian: boolean): bigint {
  if (size === 8) return view.getBigUint64(at, littleEndian);
  return BigInt(readInteger(view, at, size, false, littleEndian));
}

/** The fields of the record being read, for expressions that need several. */
class RecordFields implements Fields {
  readonly #littleEndian: boolean;
  #format: EventFormat | null = null;
  #view: DataView | null = null;
  #offset = 0;
  #length = 0;

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  at(format: EventFormat, view: DataView, offset: number, length: number): this {
    this.#format = format;
    this.#view = view;
    this.#offset = offset;
    this.#length = length;
    return this;
  }

  number(name: string): bigint | null {
    const field = this.#format?.fields.find((candidate) => candidate.name === name);
    if (field === undefined || this.#view === null || !isReadable(field.size)) return null;
    if (field.text !== 'none' || field.offset + field.size > this.#length) return null;
    const big = readBig(this.#view, this.#offset + field.offset, field.size, this.#littleEndian);
    return field.signed ? BigInt.asIntN(field.size * 8, big) : big;
  }

  text(): string | null {
    return null;
  }

  /** Where a text field's bytes are, all inside the record; null if they are not. */
  span(
    field: FormatField,
    view: DataView,
    offset: number,
    length: number,
  ): { start: number; end: number } | null {
    let start = field.offset;
    let end = field.size > 0 ? field.offset + field.size : length;
    if (field.text !== 'inline') {
      if (field.offset + 4 > length) return null;
      const word = view.getUint32(offset + field.offset, this.#littleEndian);
      start = (word & 0xffff) + (field.text === 'rel_loc' ? field.offset + 4 : 0);
      end = start + (word >>> 16);
    }
    if (end > length) return null;
    return { start: offset + start, end: offset + Math.min(end, start + MAX_TEXT_BYTES) };
  }
}
