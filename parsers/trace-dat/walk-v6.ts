/**
 * trace.dat version 6: parts one after another, then 10-byte tags.
 *
 * `options  \0` options; `latency  \0` text of a latency tracer; `flyrecord\0` a table of
 * {u64 offset, u64 size} a cpu. Further buffers stand where BUFFER options point: tags again.
 */
import type { RandomAccess } from '../format.js';
import { MAX_CPUS, type TraceBuffer, type TraceDat } from './container.js';
import { Cursor } from './cursor.js';
import type { MetadataReader } from './metadata.js';
import { type OptionTargets, readOptions } from './options.js';
import type { Reporter } from './reporter.js';

export function walkVersion6(
  file: RandomAccess,
  cursor: Cursor,
  dat: TraceDat,
  metadata: MetadataReader,
  reporter: Reporter,
): void {
  if (!metadata.headers(cursor)) return;
  if (!metadata.ftraceFormats(cursor) || !metadata.eventFormats(cursor)) return;
  if (!metadata.kallsyms(cursor) || !metadata.printkFormats(cursor)) return;
  const cmdlines = metadata.cmdlines(cursor);
  if (cmdlines === null) return;
  dat.cmdlines = cmdlines;
  dat.cpuCount = Math.min(cursor.u32(), MAX_CPUS);
  const targets: OptionTargets = { sections: new Map(), buffers: [], next: 0 };
  const top = readTags(cursor, dat, targets, '', reporter);
  if (top !== null) dat.buffers.push(top);
  for (const option of targets.buffers) {
    const nested: OptionTargets = { sections: new Map(), buffers: [], next: 0 };
    const inner = new Cursor(file, option.offset, dat.littleEndian);
    const buffer = readTags(inner, dat, nested, option.name, reporter);
    if (buffer !== null) dat.buffers.push(buffer);
  }
}

function readTags(
  cursor: Cursor,
  dat: TraceDat,
  targets: OptionTargets,
  name: string,
  reporter: Reporter,
): TraceBuffer | null {
  for (;;) {
    const at = cursor.position;
    const tag = cursor.cstring();
    if (cursor.failed !== null) {
      reporter.cut('the list of cpu buffers', at, 10, cursor.left);
      return null;
    }
    if (tag === 'options  ') {
      readOptions(cursor, dat, targets, reporter.diagnostics, reporter.source);
      if (cursor.failed !== null) return null;
    } else if (tag === 'flyrecord') return readTable(cursor, dat, name, reporter);
    else {
      if (tag === 'latency  ') dat.latency = true;
      else reporter.damaged(`the tag at byte ${at}`, 'unknown', at);
      return null;
    }
  }
}

function readTable(
  cursor: Cursor,
  dat: TraceDat,
  name: string,
  reporter: Reporter,
): TraceBuffer | null {
  const cpus = [];
  for (let cpu = 0; cpu < dat.cpuCount; cpu++) {
    const at = cursor.position;
    const offset = cursor.u64();
    const size = cursor.u64();
    if (cursor.failed !== null) {
      reporter.cut('the list of cpu buffers', at, 16, cursor.left);
      break;
    }
    if (size > 0) cpus.push({ cpu, offset, size });
  }
  return { name, clock: dat.clock, pageSize: dat.pageSize, compressed: false, cpus };
}
