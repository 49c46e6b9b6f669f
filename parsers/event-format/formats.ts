/**
 * All the event formats of one kernel, with what is needed to read its records: byte order, word
 * size, sub-buffer layout, symbols and trace_printk formats.
 *
 * trace.dat and perf.data carry these inside; for raw ring-buffer pages they come from `format`
 * files given beside them. `sharedFormats` joins the two: formats found in one input of a recording
 * are there for the inputs read after it.
 */
import type { RecordingStrings } from '../../src/records/strings.js';
import { type EventFormat, parseEventFormat, parseFields } from './parse.js';
import type { KernelSymbols } from './symbols.js';

/** Where a sub-buffer ("page") keeps its parts, in bytes: `header_page`. */
export interface PageLayout {
  readonly commitOffset: number;
  readonly commitSize: 4 | 8;
  readonly dataOffset: number;
  /** Bytes of the whole sub-buffer. */
  readonly pageSize: number;
}

export function defaultPageLayout(longSize: 4 | 8, pageSize: number): PageLayout {
  return { commitOffset: 8, commitSize: longSize, dataOffset: 8 + longSize, pageSize };
}

/** Reads a `header_page` text; a part that is missing or makes no sense takes its default. */
export function parseHeaderPage(text: string, longSize: 4 | 8, pageSize: number): PageLayout {
  const fields = parseFields(text);
  const commit = fields.find((field) => field.name === 'commit');
  const data = fields.find((field) => field.name === 'data');
  const commitSize = commit?.size === 4 || commit?.size === 8 ? commit.size : longSize;
  const dataOffset = data !== undefined && data.offset >= 8 + commitSize ? data.offset : 0;
  const layout = defaultPageLayout(commitSize, pageSize);
  return dataOffset > 0 && dataOffset < 64 ? { ...layout, dataOffset } : layout;
}

const MAX_FORMATS = 65_536;
/** Longest trace_printk format line. */
const MAX_PRINTK = 4096;

export class EventFormats {
  littleEndian = true;
  longSize: 4 | 8 = 8;
  page: PageLayout = defaultPageLayout(8, 4096);
  symbols: KernelSymbols | null = null;
  /** A saved_cmdlines text: names of pids, for inputs that carry none. */
  cmdlines: Uint8Array | null = null;
  /** trace_printk formats by address, in hex without 0x. */
  readonly printk = new Map<string, string>();
  readonly #byId = new Map<number, EventFormat>();

  get size(): number {
    return this.#byId.size;
  }

  get all(): Iterable<EventFormat> {
    return this.#byId.values();
  }

  byId(id: number): EventFormat | undefined {
    return this.#byId.get(id);
  }

  /** Adds a format text; false when it is none. */
  add(text: string, system: string): boolean {
    const format = parseEventFormat(text, system);
    if (format === null || this.#byId.size >= MAX_FORMATS) return false;
    this.#byId.set(format.id, format);
    return true;
  }

  /** Reads a printk_formats text: lines `0xADDRESS : "FORMAT"`. */
  addPrintkFormats(text: string): void {
    for (const line of text.split('\n', 65_536)) {
      if (line.length > MAX_PRINTK) continue;
      const match = /^\s*(?:0x)?([0-9a-f]{1,16})\s*:\s*"(.*)"\s*$/.exec(line);
      if (match === null) continue;
      const address = match[1]!.replace(/^0+(?=.)/, '');
      this.printk.set(address, match[2]!.replace(/\\n/g, '\n').replace(/\\(["\\])/g, '$1'));
    }
  }
}

const shared = new WeakMap<RecordingStrings, EventFormats>();

/** The formats that inputs of the recording with these strings have shown so far. */
export function sharedFormats(strings: RecordingStrings): EventFormats {
  let formats = shared.get(strings);
  if (formats === undefined) {
    formats = new EventFormats();
    shared.set(strings, formats);
  }
  return formats;
}
