/**
 * trace.dat files (trace-cmd record, extract): all events of one buffer in time order.
 *
 * Versions 6 and 7; sections and cpu data plain, zlib or zstd; both byte orders and word sizes.
 * Event fields are read at the places the file's own formats give. Cpus are merged by time page by
 * page, in memory bounded by one chunk a cpu. Guest offsets (TIME_SHIFT) are reported and not
 * applied: the guest's own order is what a replay needs.
 */

import { RecordDecoder } from '../event-format/decode.js';
import { EventFormats } from '../event-format/formats.js';
import type { Detection, FileFormat, ParseContext, RandomAccess } from '../format.js';
import { SyncedTicks } from '../ring-buffer/host-sync.js';
import { mergeStreams } from '../ring-buffer/merge.js';
import { type TickClock, Ticks } from '../ring-buffer/ticks.js';
import { noteRelease } from '../version/release.js';
import {
  MAGIC,
  newTraceDat,
  type TraceBuffer,
  type TraceDat,
  usablePageSize,
} from './container.js';
import { Cursor } from './cursor.js';
import { type Method, methodOf } from './decompress.js';
import { MetadataReader } from './metadata.js';
import { Reporter } from './reporter.js';
import {
  firstStamp,
  holdsPageEvents,
  makeStreams,
  type OpenBuffer,
  openBuffer,
  type StreamContext,
} from './streams.js';
import { walkVersion6 } from './walk-v6.js';
import { walkVersion7 } from './walk-v7.js';

export const traceDat: FileFormat = {
  id: 'trace-dat',
  title: 'trace.dat (trace-cmd record)',
  mode: 'file',
  detect,
  parse,
};

function detect(head: Uint8Array): Detection | null {
  if (head.length < MAGIC.length + 2) return null;
  for (let i = 0; i < MAGIC.length; i++) if (head[i] !== MAGIC[i]) return null;
  const version = String.fromCharCode(head[MAGIC.length]!);
  return { confidence: 1, why: `trace-cmd's magic bytes, version ${version}` };
}

function parse(file: RandomAccess, context: ParseContext): void {
  const reporter = new Reporter(context.diagnostics, context.source.name);
  const dat = newTraceDat();
  const formats = new EventFormats();
  const method = readContainer(file, dat, formats, context, reporter);
  if (method === null) return;
  noteFacts(dat, context, reporter);
  if (dat.buffers.length === 0) return;
  const decoder = new RecordDecoder(context, formats);
  decoder.comms.addCmdlines(dat.cmdlines);
  const streams: StreamContext = {
    file,
    dat,
    formats,
    method,
    expansion: context.limits.expansion,
    reporter,
  };
  const open = chooseBuffers(streams, decoder, context);
  const first = firstStamp(open);
  if (first !== null) {
    const all = makeStreams(open, dat, clocksOf(dat, first, context));
    mergeStreams(all, decoder);
    const damaged = all.reduce((sum, stream) => sum + stream.cursor.damagedBytes, 0);
    if (damaged > 0)
      reporter.damaged(`${damaged} bytes of events`, 'lengths do not fit', Number.NaN);
  }
  decoder.finish();
}

/** The clock of each cpu: one for all, or a guest's own for each. */
function clocksOf(dat: TraceDat, first: bigint, context: ParseContext): (cpu: number) => TickClock {
  const { hostSync, offsetNs, scale } = dat;
  if (hostSync !== null) {
    return (cpu) => new SyncedTicks(context.clock, first, offsetNs, scale, hostSync, cpu);
  }
  const clock = new Ticks(context.clock, first, offsetNs, scale);
  return () => clock;
}

/** Reads everything but the events; null when nothing can be done with the file. */
function readContainer(
  file: RandomAccess,
  dat: TraceDat,
  formats: EventFormats,
  context: ParseContext,
  reporter: Reporter,
): Method | null {
  const order = new Cursor(file, MAGIC.length, true);
  const version = order.cstring();
  dat.littleEndian = order.u8() === 0;
  dat.longSize = order.u8() === 4 ? 4 : 8;
  const cursor = new Cursor(file, order.position, dat.littleEndian);
  const pageSize = cursor.u32();
  if (order.failed !== null || cursor.failed !== null) {
    reporter.cut('the file header', 0, 20, file.size);
    return null;
  }
  if (version !== '6' && version !== '7') {
    reporter.damaged('the file', `version ${version.slice(0, 20)} is not known`, MAGIC.length);
    return null;
  }
  dat.version = version === '6' ? 6 : 7;
  dat.pageSize = usablePageSize(pageSize) ? pageSize : 4096;
  formats.littleEndian = dat.littleEndian;
  formats.longSize = dat.longSize;
  const metadata = new MetadataReader(formats, context.diagnostics, reporter.source);
  metadata.pageSize = dat.pageSize;
  if (dat.version === 6) {
    walkVersion6(file, cursor, dat, metadata, reporter);
    return 'none';
  }
  dat.compression = cursor.cstring();
  cursor.cstring();
  const options = cursor.u64();
  if (cursor.failed !== null) {
    reporter.cut('the file header', 0, 40, file.size);
    return null;
  }
  const method = methodOf(dat.compression);
  if (method === null) {
    reporter.report('compression-unsupported', 0, { method: dat.compression.slice(0, 40) });
    return null;
  }
  const { expansion } = context.limits;
  walkVersion7({ file, dat, method, expansion, reporter }, options, metadata);
  return method;
}

const CYCLE_CLOCKS = new Set(['counter', 'uptime', 'x86-tsc', 'ppc-tb', 's390-tod']);

function noteFacts(dat: TraceDat, context: ParseContext, reporter: Reporter): void {
  const { source, clock } = context;
  const { facts } = source;
  facts.version = String(dat.version);
  facts.compression = dat.compression;
  facts.cpus = String(dat.cpuCount);
  if (dat.tool !== '') facts['trace-cmd'] = dat.tool;
  source.overwritten += dat.overruns;
  if (dat.latency) reporter.report('latency-trace', null, {});
  if (dat.hostSync !== null) {
    const samples = dat.hostSync.cpus.reduce((sum, cpu) => sum + cpu.length, 0);
    reporter.report('clock-shifted', null, { samples });
  }
  const named = dat.clock || dat.buffers[0]?.clock || '';
  if (named !== '') {
    source.clock = named;
    clock.name = named;
    if (CYCLE_CLOCKS.has(named) && dat.scale === null) {
      reporter.report('clock-not-ns', null, { clock: named });
    }
  }
  noteKernel(dat, context);
}

/** UNAME is `Linux HOST RELEASE MACHINE`. */
function noteKernel(dat: TraceDat, context: ParseContext): void {
  const release = /^Linux \S+ (\S+)/.exec(dat.uname)?.[1];
  if (release !== undefined) noteRelease(context, release, dat.uname);
}

function chooseBuffers(
  streams: StreamContext,
  decoder: RecordDecoder,
  context: ParseContext,
): OpenBuffer[] {
  const { buffers } = streams.dat;
  const wanted = context.options.instance;
  const filled = buffers.filter((buffer) => buffer.cpus.length > 0).sort(bySize);
  if (wanted !== undefined && wanted !== 'all' && !filled.some(({ name }) => name === wanted)) {
    const names = filled.map(({ name }) => nameOf(name)).join(', ');
    streams.reporter.report('instance-unknown', null, { name: wanted.slice(0, 100), names });
  }
  if (wanted === 'all' || filled.length < 2) {
    return filled.map((buffer) => openBuffer(streams, buffer));
  }
  let chosen: OpenBuffer | null = null;
  for (const buffer of filled) {
    if (wanted !== undefined && buffer.name !== wanted) continue;
    const open = openBuffer(streams, buffer);
    const isPage = (type: number): boolean => decoder.isPageEvent(type);
    if (wanted !== undefined || holdsPageEvents(open, streams.formats, isPage)) {
      chosen = open;
      break;
    }
  }
  chosen ??= openBuffer(streams, filled[0]!);
  const used = chosen.buffer;
  context.source.facts.instance = used.name === '' ? '(top)' : used.name;
  const others = filled.filter((buffer) => buffer !== used).map((buffer) => nameOf(buffer.name));
  streams.reporter.report('instances-left-out', null, {
    used: nameOf(used.name),
    others: others.slice(0, 10).join(', '),
  });
  return [chosen];
}

/** The largest first; of equals, as they stand in the file. */
function bySize(a: TraceBuffer, b: TraceBuffer): number {
  const bytes = ({ cpus }: TraceBuffer): number => cpus.reduce((sum, { size }) => sum + size, 0);
  return bytes(b) - bytes(a);
}

function nameOf(instance: string): string {
  return instance === '' ? 'the top buffer' : instance;
}
