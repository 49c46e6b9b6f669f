/**
 * The head of a perf.data file: attrs with their ids, where the records are, the features.
 *
 * tools/perf/util/header.h: file mode `PERFILE2`, u64 size 104, u64 attr size, sections {u64 offset,
 * u64 size} of attrs, data, event types, then 256 feature bits; after the data one section a set
 * bit. Pipe mode has only magic and size 16: attrs and features come as records. A big-endian file
 * has the magic's bytes reversed.
 */

import type { EventFormats } from '../event-format/formats.js';
import type { RandomAccess } from '../format.js';
import { Cursor, latin1, MemoryAccess } from '../trace-dat/cursor.js';
import { MetadataReader } from '../trace-dat/metadata.js';
import type { Reporter } from '../trace-dat/reporter.js';
import { type PerfAttr, readAttr } from './attr.js';

export const MAGIC = 'PERFILE2';
export const MAGIC_SWAPPED = '2ELIFREP';

const FEATURE_TRACING_DATA = 1;
const TEXT_FEATURES: Readonly<Record<number, string>> = {
  4: 'release',
  5: 'perf version',
  6: 'arch',
};
const MAX_ATTRS = 65_536;
const MAX_IDS = 1 << 20;
const MAX_ATTR_BYTES = 4096;

export interface PerfHead {
  readonly littleEndian: boolean;
  readonly pipe: boolean;
  readonly attrs: PerfAttr[];
  /** Byte range of the records. */
  readonly dataAt: number;
  readonly dataEnd: number;
  readonly facts: Record<string, string>;
}

/** Reads the head; null (and reported) if there is no usable one. */
export function readHead(
  file: RandomAccess,
  formats: EventFormats,
  reporter: Reporter,
): PerfHead | null {
  const magic = latin1(file.read(0, 8));
  const littleEndian = magic !== MAGIC_SWAPPED;
  const cursor = new Cursor(file, 8, littleEndian);
  const size = cursor.u64();
  formats.littleEndian = littleEndian;
  if (cursor.failed !== null) {
    reporter.cut('the file header', 0, 16, file.size);
    return null;
  }
  const empty = { littleEndian, attrs: [], facts: {} };
  if (size === 16) return { ...empty, pipe: true, dataAt: 16, dataEnd: file.size };
  const attrSize = cursor.u64();
  const attrs = { at: cursor.u64(), size: cursor.u64() };
  const data = { at: cursor.u64(), size: cursor.u64() };
  cursor.skip(16);
  const bits = cursor.bytes(32);
  if (bits === null) {
    reporter.cut('the file header', 0, 104, file.size);
    return null;
  }
  const end = data.at + data.size;
  if (end > file.size) reporter.cut('the records', data.at, data.size, file.size - data.at);
  const head: PerfHead = {
    ...empty,
    pipe: false,
    dataAt: Math.min(data.at, file.size),
    // A recording that was killed has size 0: then everything behind is records.
    dataEnd: data.size === 0 ? file.size : Math.min(end, file.size),
  };
  readAttrs(file, head, attrs, attrSize, reporter);
  readFeatures(file, head, bits, end, formats, reporter);
  return head;
}

function readAttrs(
  file: RandomAccess,
  head: PerfHead,
  section: { at: number; size: number },
  attrSize: number,
  reporter: Reporter,
): void {
  if (attrSize < 64 || attrSize > MAX_ATTR_BYTES) {
    reporter.damaged('the list of events', `entries of ${attrSize} bytes`, 16);
    return;
  }
  const count = Math.min(Math.floor(section.size / attrSize), MAX_ATTRS);
  for (let i = 0; i < count; i++) {
    const at = section.at + i * attrSize;
    const bytes = file.read(at, attrSize);
    if (bytes.length < attrSize) {
      reporter.cut('the list of events', at, attrSize, bytes.length);
      return;
    }
    const cursor = new Cursor(new MemoryAccess(bytes), attrSize - 16, head.littleEndian);
    const ids = readIds(file, cursor.u64(), cursor.u64(), head.littleEndian);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const attr = readAttr(view, 0, attrSize - 16, head.littleEndian, ids);
    if (attr !== null) head.attrs.push(attr);
  }
}

function readIds(file: RandomAccess, at: number, size: number, littleEndian: boolean): number[] {
  if (at + size > file.size) return [];
  const cursor = new Cursor(file, at, littleEndian);
  const ids: number[] = [];
  for (let left = Math.min(Math.floor(size / 8), MAX_IDS); left > 0; left--) {
    ids.push(cursor.u64());
  }
  return ids;
}

function readFeatures(
  file: RandomAccess,
  head: PerfHead,
  bits: Uint8Array,
  tableAt: number,
  formats: EventFormats,
  reporter: Reporter,
): void {
  const table = new Cursor(file, tableAt, head.littleEndian);
  // The bits are u64 words of the writer: their byte order matters on big endian.
  for (let feature = 0; feature < 256; feature++) {
    const byte = head.littleEndian ? feature >> 3 : (feature >> 6) * 8 + 7 - ((feature & 63) >> 3);
    if (((bits[byte]! >> (feature & 7)) & 1) === 0) continue;
    const at = table.u64();
    const size = table.u64();
    if (table.failed !== null) {
      reporter.cut('the table of features', tableAt, 16, table.left);
      return;
    }
    if (feature === FEATURE_TRACING_DATA) {
      readTracingData(new Cursor(file, at, head.littleEndian), file, at, formats, reporter);
    } else noteFeature(head, feature, new Cursor(file, at, head.littleEndian), size);
  }
}

/** Keeps the texts among the features: u32 length, text. */
export function noteFeature(head: PerfHead, feature: number, cursor: Cursor, size: number): void {
  const name = TEXT_FEATURES[feature];
  if (name === undefined || size < 4) return;
  const length = Math.min(cursor.u32(), 256, size - 4);
  const text = cursor.bytes(length);
  if (text === null) return;
  const end = text.indexOf(0);
  head.facts[name] = latin1(end < 0 ? text : text.subarray(0, end));
}

/** The event formats perf copied: magic, version 0.5 or 0.6, then as in trace.dat 6. */
export function readTracingData(
  cursor: Cursor,
  file: RandomAccess,
  at: number,
  formats: EventFormats,
  reporter: Reporter,
): void {
  const start = cursor.bytes(10);
  if (start === null || start[0] !== 0x17 || start[1] !== 0x08 || start[2] !== 0x44) {
    reporter.damaged('the event formats', 'no magic', at);
    return;
  }
  const version = cursor.cstring();
  const littleEndian = cursor.u8() === 0;
  formats.longSize = cursor.u8() === 4 ? 4 : 8;
  const inner = new Cursor(file, cursor.position, littleEndian);
  const metadata = new MetadataReader(formats, reporter.diagnostics, reporter.source);
  metadata.pageSize = inner.u32();
  if (!metadata.headers(inner)) return;
  if (!metadata.ftraceFormats(inner) || !metadata.eventFormats(inner)) return;
  if (!metadata.kallsyms(inner) || !metadata.printkFormats(inner)) return;
  if (version >= '0.6') metadata.cmdlines(inner);
}
