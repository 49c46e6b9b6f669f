/**
 * Texts written into the trace: tracing_mark_write, trace_printk, trace_puts.
 *
 * `print` holds the text itself behind the address that wrote it; `bprint` holds the address of a
 * format (printk_formats names it) and its arguments as packed by lib/vsprintf.c vbin_printf:
 * 32-bit slots, 64-bit values at 4-byte alignment, texts inline with their NUL. `bputs` holds the
 * address of a constant. A text written from tracing_mark_write is a marker, others are printk.
 */
import { EventKind } from '../../src/records/events.js';
import type { EventFormats } from './formats.js';

export const MAX_TEXT_BYTES = 1024;
const SPEC = /%([-+ #0]*)(\d*|\*)(?:\.(\d*|\*))?(hh|h|ll|l|z|t|L)?([a-zA-Z%])([a-zA-Z]*)/g;

/** The end of the text at `at`: its NUL or `end`, without a trailing newline, at most the limit. */
export function textEnd(view: DataView, at: number, end: number): number {
  const stop = Math.min(end, at + MAX_TEXT_BYTES);
  let i = at;
  while (i < stop && view.getUint8(i) !== 0) i++;
  while (i > at && view.getUint8(i - 1) === 10) i--;
  return i;
}

/** The text of a bprint record's arguments at [at, end) under `format`. */
export function formatBinaryPrintk(
  format: string,
  view: DataView,
  at: number,
  end: number,
  formats: EventFormats,
): string {
  const reader = new Arguments(view, at, end, formats.littleEndian);
  const text = format.replace(
    SPEC,
    (_, flags: string, width: string, precision: string | undefined, size, conversion: string) => {
      if (conversion === '%') return '%';
      const pad = width === '*' ? Number(reader.word()) : Number(width || 0);
      if (precision === '*') reader.word();
      const value = reader.value(conversion, size as string | undefined, formats.longSize);
      return padded(value, flags, Math.min(pad, 64), conversion);
    },
  );
  return text.slice(0, MAX_TEXT_BYTES).trimEnd();
}

function padded(value: string, flags: string, width: number, conversion: string): string {
  const prefix = flags.includes('#') && conversion.toLowerCase() === 'x' ? '0x' : '';
  const text = prefix + value;
  if (flags.includes('-')) return text.padEnd(width);
  if (flags.includes('0')) return prefix + value.padStart(width - prefix.length, '0');
  return text.padStart(width);
}

class Arguments {
  readonly #view: DataView;
  readonly #start: number;
  readonly #end: number;
  readonly #littleEndian: boolean;
  #at: number;

  constructor(view: DataView, at: number, end: number, littleEndian: boolean) {
    this.#view = view;
    this.#start = at;
    this.#at = at;
    this.#end = end;
    this.#littleEndian = littleEndian;
  }

  #align(size: number): void {
    this.#at = this.#start + Math.ceil((this.#at - this.#start) / size) * size;
  }

  word(): bigint {
    this.#align(4);
    if (this.#at + 4 > this.#end) return 0n;
    const value = this.#view.getInt32(this.#at, this.#littleEndian);
    this.#at += 4;
    return BigInt(value);
  }

  #double(): bigint {
    this.#align(4);
    if (this.#at + 8 > this.#end) return 0n;
    const value = this.#view.getBigInt64(this.#at, this.#littleEndian);
    this.#at += 8;
    return value;
  }

  value(conversion: string, size: string | undefined, longSize: number): string {
    if (conversion === 's') return this.#text();
    if (conversion === 'c') return String.fromCharCode(Number(this.word() & 0xffn));
    const wide =
      size === 'll' || size === 'L' || conversion === 'p' || size === 'l' || size === 'z';
    const bytes = wide ? (size === 'll' || size === 'L' ? 8 : longSize) : 4;
    const signed = bytes === 8 ? this.#double() : this.word();
    if (conversion === 'd' || conversion === 'i') return signed.toString();
    const value = BigInt.asUintN(bytes * 8, signed);
    if (conversion === 'x' || conversion === 'p') return value.toString(16);
    if (conversion === 'X') return value.toString(16).toUpperCase();
    return conversion === 'o' ? value.toString(8) : value.toString();
  }

  #text(): string {
    let end = this.#at;
    while (end < this.#end && this.#view.getUint8(end) !== 0) end++;
    const base = this.#view.byteOffset;
    const text = Buffer.from(this.#view.buffer, base + this.#at, end - this.#at).toString('latin1');
    this.#at = end + 1;
    return text;
  }
}

/** The function through which markers are written. */
export const MARK_WRITE = 'tracing_mark_write';

/** Marker or printk, by whether the address lies in MARK_WRITE (null: not known, most are markers). */
export function kindOfWriter(isMark: boolean | null): EventKind {
  return isMark === false ? EventKind.printk : EventKind.marker;
}
