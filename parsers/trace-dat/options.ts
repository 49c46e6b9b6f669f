/**
 * The options of a trace.dat file: clock, kernel, counters, offsets, buffers.
 *
 * {u16 id, u32 size, data} in the file's byte order. Ids are trace-cmd's TRACECMD_OPTION_* (lib/
 * trace-cmd/include/private/trace-cmd-private.h, 3.x). Unknown ids are passed over by their size.
 */
import type { Diagnostics } from '../../src/records/diagnostics.js';
import type { HostSync, SyncSample } from '../ring-buffer/host-sync.js';
import { type CpuData, MAX_BUFFERS, MAX_CPUS, type TraceDat } from './container.js';
import { Cursor, latin1, MemoryAccess } from './cursor.js';

export const Option = {
  done: 0,
  date: 1,
  cpuStat: 2,
  buffer: 3,
  traceClock: 4,
  uname: 5,
  offset: 7,
  cpuCount: 8,
  version: 9,
  timeShift: 12,
  tsc2nsec: 14,
  headerInfo: 16,
  ftraceEvents: 17,
  eventFormats: 18,
  kallsyms: 19,
  printk: 20,
  cmdlines: 21,
  bufferText: 22,
} as const;

const MAX_OPTION_BYTES = 16 << 20;

/** What options point at: sections (v7) and buffers (both), in file order. */
export interface OptionTargets {
  /** Section offset by option id. */
  readonly sections: Map<number, number>;
  readonly buffers: BufferOption[];
  /** Offset of the next options section (v7), 0 for none. */
  next: number;
}

export interface BufferOption {
  readonly offset: number;
  readonly name: string;
  readonly clock: string;
  readonly pageSize: number;
  readonly latency: boolean;
  readonly cpus: readonly CpuData[];
}

/** Reads options up to DONE or the end. */
export function readOptions(
  cursor: Cursor,
  file: TraceDat,
  targets: OptionTargets,
  diagnostics: Diagnostics,
  source: string,
): void {
  while (cursor.left >= 2) {
    const id = cursor.u16();
    if (id === Option.done && file.version === 6) return;
    const size = cursor.u32();
    const at = cursor.position;
    const data = size > MAX_OPTION_BYTES ? null : cursor.bytes(size);
    if (data === null) {
      diagnostics.report(
        'binary-cut',
        { source, offset: at },
        { what: 'an option', need: size, have: cursor.left },
      );
      return;
    }
    const inner = new Cursor(new MemoryAccess(data), 0, file.littleEndian);
    if (id === Option.done) {
      targets.next = inner.u64();
      return;
    }
    readOption(id, data, inner, file, targets);
  }
}

function readOption(
  id: number,
  data: Uint8Array,
  cursor: Cursor,
  file: TraceDat,
  targets: OptionTargets,
): void {
  switch (id) {
    case Option.date:
      file.offsetNs += integer(data) * 1000n;
      break;
    case Option.offset:
      file.offsetNs += integer(data);
      break;
    case Option.cpuStat:
      file.overruns += Number(/^overrun: (\d{1,15})$/m.exec(textOf(data))?.[1] ?? 0);
      break;
    case Option.traceClock:
      file.clock = /\[([\w-]{1,40})\]/.exec(textOf(data))?.[1] ?? textOf(data).trim().slice(0, 40);
      break;
    case Option.uname:
      file.uname = textOf(data).slice(0, 500);
      break;
    case Option.version:
      file.tool = textOf(data).slice(0, 100);
      break;
    case Option.cpuCount:
      file.cpuCount = Math.min(cursor.u32(), MAX_CPUS);
      break;
    case Option.timeShift:
      file.hostSync = readHostSync(data, file.littleEndian);
      break;
    case Option.tsc2nsec:
      if (data.length >= 16) file.scale = { mult: cursor.u32(), shift: cursor.u32() };
      break;
    case Option.buffer:
    case Option.bufferText:
      if (targets.buffers.length < MAX_BUFFERS) {
        targets.buffers.push(readBuffer(cursor, file.version, id === Option.bufferText));
      }
      break;
    default:
      if (id >= Option.headerInfo && id <= Option.cmdlines && data.length >= 8) {
        targets.sections.set(id, cursor.u64());
      }
  }
}

function textOf(data: Uint8Array): string {
  const end = data.indexOf(0);
  return latin1(end < 0 ? data : data.subarray(0, end));
}

/** Decimal or 0x, signed, as strtoll reads it; 0 if it is none. */
function integer(data: Uint8Array): bigint {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]{1,16}|\d{1,19})/.exec(textOf(data));
  if (match === null) return 0n;
  const value = BigInt.asIntN(64, BigInt(match[2]!));
  return match[1] === '-' ? -value : value;
}

/** Offsets are interpolated between samples (TRACECMD_TSYNC_FLAG_INTERPOLATE). */
const INTERPOLATE = 1;
/** Samples of a cpu that are kept: one a second for a day. */
const MAX_SAMPLES = 1 << 17;

/**
 * u64 session, u32 flags, u32 cpus; per cpu u32 count and so many times, offsets and ratios of 8 bytes;
 * then, from 3.0 on, per cpu so many fractions. Null if the option ends early.
 */
function readHostSync(data: Uint8Array, littleEndian: boolean): HostSync | null {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (data.length < 16) return null;
  const flags = view.getUint32(8, littleEndian);
  const count = view.getUint32(12, littleEndian);
  const starts: { at: number; samples: number }[] = [];
  let at = 16;
  for (let cpu = 0; cpu < Math.min(count, MAX_CPUS); cpu++) {
    if (at + 4 > data.length) return null;
    const samples = view.getUint32(at, littleEndian);
    if (samples > MAX_SAMPLES || at + 4 + samples * 24 > data.length) return null;
    starts.push({ at: at + 4, samples });
    at += 4 + samples * 24;
  }
  const word = (place: number): bigint =>
    place + 8 <= data.length ? view.getBigInt64(place, littleEndian) : 0n;
  const cpus = starts.map(({ at: start, samples }) => {
    const fractions = at;
    at += samples * 8;
    const all: SyncSample[] = Array.from({ length: samples }, (_, i) => ({
      time: BigInt.asUintN(64, word(start + i * 8)),
      offset: word(start + (samples + i) * 8),
      scaling: word(start + (2 * samples + i) * 8),
      fraction: BigInt.asUintN(6, word(fractions + i * 8)),
    }));
    all.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    return all.filter(({ time }, i) => i === 0 || time !== all[i - 1]!.time);
  });
  return { interpolate: (flags & INTERPOLATE) !== 0, cpus };
}

function readBuffer(cursor: Cursor, version: 6 | 7, latency: boolean): BufferOption {
  const offset = cursor.u64();
  const name = cursor.cstring();
  const none = { offset, name, clock: '', pageSize: 0, latency, cpus: [] };
  if (version === 6 || cursor.failed !== null) return none;
  const clock = cursor.cstring();
  if (latency) return { ...none, clock };
  const pageSize = cursor.u32();
  const count = Math.min(cursor.u32(), MAX_CPUS, Math.floor(cursor.left / 20));
  const cpus: CpuData[] = [];
  for (let i = 0; i < count; i++) {
    cpus.push({ cpu: cursor.u32(), offset: cursor.u64(), size: cursor.u64() });
  }
  return { offset, name, clock, pageSize, latency, cpus };
}
