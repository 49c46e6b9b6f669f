/**
 * The parts that describe events: header_page, event formats, kallsyms, printk formats, cmdlines.
 *
 * The same payloads stand in trace.dat version 6 (in this order), in the sections of version 7, and
 * in perf.data's tracing data. Each length is checked before its bytes are read; a part that is cut
 * is reported and what came before it stays usable.
 */
import type { Diagnostics } from '../../src/records/diagnostics.js';
import { type EventFormats, parseHeaderPage } from '../event-format/formats.js';
import { MAX_FORMAT_BYTES } from '../event-format/parse.js';
import { KernelSymbols } from '../event-format/symbols.js';
import { type Cursor, latin1 } from './cursor.js';

/** Largest text part kept: kallsyms of a big kernel is 20 MB. */
const MAX_PART_BYTES = 128 << 20;
const MAX_SYSTEMS = 4096;
const MAX_EVENTS = 65_536;

export class MetadataReader {
  readonly formats: EventFormats;
  readonly #diagnostics: Diagnostics;
  readonly #source: string;
  /** Bytes of a page as the file header states them. */
  pageSize = 4096;

  constructor(formats: EventFormats, diagnostics: Diagnostics, source: string) {
    this.formats = formats;
    this.#diagnostics = diagnostics;
    this.#source = source;
  }

  /** header_page and header_event. */
  headers(cursor: Cursor): boolean {
    if (cursor.cstring() !== 'header_page') return this.#cut(cursor, 'header_page');
    const page = this.#part(cursor, cursor.u64(), 'header_page');
    if (page === null || cursor.cstring() !== 'header_event') {
      return this.#cut(cursor, 'header_event');
    }
    const { longSize } = this.formats;
    this.formats.page = parseHeaderPage(latin1(page), longSize, this.pageSize);
    return this.#part(cursor, cursor.u64(), 'header_event') !== null;
  }

  /** The ftrace system's own formats: u32 count, {u64 size, text}. */
  ftraceFormats(cursor: Cursor): boolean {
    return this.#system(cursor, 'ftrace');
  }

  /** u32 systems, {name, u32 count, {u64 size, text}}. */
  eventFormats(cursor: Cursor): boolean {
    const systems = cursor.u32();
    if (systems > MAX_SYSTEMS) return this.#cut(cursor, 'event formats');
    for (let i = 0; i < systems; i++) {
      const name = cursor.cstring();
      if (cursor.failed !== null) return this.#cut(cursor, 'event formats');
      if (!this.#system(cursor, name)) return false;
    }
    return true;
  }

  #system(cursor: Cursor, system: string): boolean {
    const count = cursor.u32();
    if (count > MAX_EVENTS) return this.#cut(cursor, 'event formats');
    for (let i = 0; i < count; i++) {
      const size = cursor.u64();
      if (size > MAX_FORMAT_BYTES) {
        cursor.skip(size);
        continue;
      }
      const text = this.#part(cursor, size, 'event formats');
      if (text === null) return false;
      this.formats.add(latin1(text), system);
    }
    return true;
  }

  /** u32 size, text of /proc/kallsyms, which is read when a symbol is first asked for. */
  kallsyms(cursor: Cursor): boolean {
    const size = cursor.u32();
    const at = cursor.position;
    cursor.skip(size);
    if (cursor.failed !== null) return this.#cut(cursor, 'kallsyms');
    if (size > 0) {
      this.formats.symbols = new KernelSymbols(() => cursor.at(at, Math.min(size, MAX_PART_BYTES)));
    }
    return true;
  }

  /** u32 size, text of printk_formats. */
  printkFormats(cursor: Cursor): boolean {
    const text = this.#part(cursor, cursor.u32(), 'printk formats');
    if (text !== null) this.formats.addPrintkFormats(latin1(text));
    return text !== null;
  }

  /** u64 size, text of saved_cmdlines. */
  cmdlines(cursor: Cursor): Uint8Array | null {
    return this.#part(cursor, cursor.u64(), 'cmdlines');
  }

  #part(cursor: Cursor, size: number, what: string): Uint8Array | null {
    if (size > MAX_PART_BYTES && size <= cursor.left) {
      cursor.skip(size);
      this.#diagnostics.report(
        'section-limit',
        { source: this.#source, offset: cursor.position },
        { what, limit: MAX_PART_BYTES },
      );
      return new Uint8Array(0);
    }
    const bytes = cursor.bytes(size);
    if (bytes === null) this.#cut(cursor, what);
    return bytes;
  }

  #cut(cursor: Cursor, what: string): false {
    const short = cursor.failed;
    const place = { source: this.#source, offset: short?.at ?? cursor.position };
    if (short === null) {
      this.#diagnostics.report('binary-damaged', place, { what, reason: 'unexpected content' });
    } else {
      this.#diagnostics.report('binary-cut', place, { what, need: short.need, have: short.have });
    }
    return false;
  }
}
