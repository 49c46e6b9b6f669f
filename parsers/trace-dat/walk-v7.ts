/**
 * trace.dat version 7: a chain of options sections; options name the other sections by offset.
 *
 * Section header: u16 id, u16 flags (bit 0 = compressed), u32 description, u64 size. A compressed
 * section holds u32 compressed size, u32 size, data. Buffers' cpu data lies outside, at the offsets
 * their options give.
 */
import { KernelSymbols } from '../event-format/symbols.js';
import type { RandomAccess } from '../format.js';
import { type TraceDat, usablePageSize } from './container.js';
import { Cursor, MemoryAccess } from './cursor.js';
import { decompressBlock, type Method } from './decompress.js';
import type { MetadataReader } from './metadata.js';
import { type BufferOption, Option, type OptionTargets, readOptions } from './options.js';
import type { Reporter } from './reporter.js';

const HEADER_BYTES = 16;
/** Options sections in one chain; trace-cmd writes two or three. */
const MAX_CHAIN = 1000;
const MAX_SECTION_BYTES = 128 << 20;

export interface Sections {
  readonly file: RandomAccess;
  readonly dat: TraceDat;
  readonly method: Method;
  readonly expansion: number;
  readonly reporter: Reporter;
}

export function walkVersion7(
  sections: Sections,
  firstOptions: number,
  metadata: MetadataReader,
): void {
  const { dat, reporter } = sections;
  const targets: OptionTargets = { sections: new Map(), buffers: [], next: firstOptions };
  const seen = new Set<number>();
  for (let i = 0; targets.next !== 0 && i < MAX_CHAIN; i++) {
    const offset = targets.next;
    targets.next = 0;
    if (seen.has(offset)) {
      reporter.damaged('the chain of options', 'it leads back to itself', offset);
      break;
    }
    seen.add(offset);
    const cursor = openSection(sections, offset, 'an options section');
    if (cursor === null) break;
    readOptions(cursor, dat, targets, reporter.diagnostics, reporter.source);
  }
  readMetadata(sections, targets, metadata);
  for (const option of targets.buffers) addBuffer(sections, option);
}

function readMetadata(sections: Sections, targets: OptionTargets, metadata: MetadataReader): void {
  const read = (id: number, what: string, use: (cursor: Cursor) => void): void => {
    const offset = targets.sections.get(id);
    const cursor = offset === undefined ? null : openSection(sections, offset, what);
    if (cursor !== null) use(cursor);
  };
  read(Option.headerInfo, 'the header section', (cursor) => metadata.headers(cursor));
  read(Option.ftraceEvents, 'the ftrace formats', (cursor) => metadata.ftraceFormats(cursor));
  read(Option.eventFormats, 'the event formats', (cursor) => metadata.eventFormats(cursor));
  // Large and seldom needed: decompressed when a symbol is first asked for.
  const kallsyms = targets.sections.get(Option.kallsyms);
  if (kallsyms !== undefined) {
    metadata.formats.symbols = new KernelSymbols(() => {
      const cursor = openSection(sections, kallsyms, 'kallsyms');
      return cursor === null ? new Uint8Array(0) : cursor.at(4, cursor.size - 4);
    });
  }
  read(Option.printk, 'the printk formats', (cursor) => metadata.printkFormats(cursor));
  read(Option.cmdlines, 'the cmdlines', (cursor) => {
    sections.dat.cmdlines = metadata.cmdlines(cursor) ?? sections.dat.cmdlines;
  });
}

/** A cursor over a section's content, decompressed if need be; null (and reported) if it is not there. */
function openSection(sections: Sections, offset: number, what: string): Cursor | null {
  const { file, dat, reporter } = sections;
  const cursor = new Cursor(file, offset, dat.littleEndian);
  cursor.u16();
  const flags = cursor.u16();
  cursor.u32();
  const size = cursor.u64();
  if (cursor.failed !== null) {
    reporter.cut(what, offset, HEADER_BYTES, cursor.left);
    return null;
  }
  if ((flags & 1) === 0) {
    const bytes = size <= MAX_SECTION_BYTES ? cursor.bytes(size) : null;
    if (bytes === null) {
      reporter.cut(what, offset, size, cursor.left);
      return null;
    }
    return new Cursor(new MemoryAccess(bytes), 0, dat.littleEndian);
  }
  return openCompressed(sections, cursor, what);
}

function openCompressed(sections: Sections, cursor: Cursor, what: string): Cursor | null {
  const { dat, method, expansion, reporter } = sections;
  const at = cursor.position;
  const packed = cursor.u32();
  const size = cursor.u32();
  const data = cursor.bytes(packed);
  if (data === null) {
    reporter.cut(what, at, packed, cursor.left);
    return null;
  }
  const bytes = decompressBlock(method, data, size, expansion);
  if (typeof bytes === 'string') {
    reporter.damaged(what, bytes, at);
    return null;
  }
  return new Cursor(new MemoryAccess(bytes), 0, dat.littleEndian);
}

function addBuffer(sections: Sections, option: BufferOption): void {
  const { file, dat, reporter } = sections;
  if (option.latency) {
    dat.latency = true;
    return;
  }
  const cursor = new Cursor(file, option.offset, dat.littleEndian);
  cursor.u16();
  const flags = cursor.u16();
  if (cursor.failed !== null) {
    reporter.cut(`buffer ${option.name}`, option.offset, HEADER_BYTES, cursor.left);
    return;
  }
  dat.buffers.push({
    name: option.name,
    clock: option.clock,
    pageSize: usablePageSize(option.pageSize) ? option.pageSize : dat.pageSize,
    compressed: (flags & 1) !== 0,
    cpus: option.cpus.filter((cpu) => cpu.size > 0),
  });
}
