/**
 * What perf's records mean: samples to rows, names, losses, rounds.
 *
 * Records per include/uapi/linux/perf_event.h (kernel) and tools/perf/lib/include/perf/event.h
 * (perf's own, from 64 on). With several events the sample's id says which attr, and so which
 * layout, it has; the tracepoint itself is told by the record's common_type.
 */
import type { EventBatch, EventKind } from '../../src/records/events.js';
import { RecordDecoder } from '../event-format/decode.js';
import type { EventFormats } from '../event-format/formats.js';
import { textEnd } from '../event-format/printk.js';
import type { ParseContext, RandomAccess } from '../format.js';
import { Cursor, MemoryAccess } from '../trace-dat/cursor.js';
import type { Reporter } from '../trace-dat/reporter.js';
import {
  clockName,
  type PerfAttr,
  readAttr,
  SampleBit,
  SOFTWARE_DUMMY,
  TYPE_SOFTWARE,
  TYPE_TRACEPOINT,
} from './attr.js';
import { noteFeature, type PerfHead, readTracingData } from './header.js';
import { SampleLayout } from './layout.js';
import { RecordPieces, RecordType } from './records.js';
import { ThreadNames } from './thread-names.js';
import { KIND_COMM, KIND_FORK, SORT_LIMIT, TimeSorter } from './time-sorter.js';
import { ZstdStream } from './zstd-stream.js';

const TWO_32 = 4294967296;
const NS = 1_000_000_000n;

export class PerfSession {
  readonly #context: ParseContext;
  readonly #file: RandomAccess;
  readonly #head: PerfHead;
  readonly #formats: EventFormats;
  readonly #reporter: Reporter;
  readonly #littleEndian: boolean;
  readonly #sorter: TimeSorter;
  readonly #names: ThreadNames;
  readonly #zstd: ZstdStream;
  readonly #pieces: RecordPieces;
  readonly #layouts = new Map<number, SampleLayout>();
  readonly #skipIds = new Set<number>();
  #decoder: RecordDecoder | null = null;
  #layout: SampleLayout | null = null;
  /** All attrs share #layout and are tracepoints: ids need no look. */
  #uniform = true;
  #attrCount = 0;
  #epochHigh = 0;
  #epochLow = 0;
  #started = false;
  #lastNs = 0;
  #noRaw = 0;
  #unpaired = 0;
  #foreign = 0;
  #sawTime = true;

  constructor(
    file: RandomAccess,
    head: PerfHead,
    formats: EventFormats,
    context: ParseContext,
    reporter: Reporter,
  ) {
    this.#file = file;
    this.#head = head;
    this.#formats = formats;
    this.#context = context;
    this.#reporter = reporter;
    this.#littleEndian = head.littleEndian;
    this.#names = new ThreadNames(context.strings.comms);
    this.#sorter = new TimeSorter(this.#names, (batch) => this.#deliver(batch));
    this.#pieces = new RecordPieces(head.littleEndian, this.record);
    this.#zstd = new ZstdStream((bytes) => this.#pieces.push(bytes), context.limits.expansion);
    for (const attr of head.attrs) this.#addAttr(attr);
  }

  #deliver(batch: EventBatch): void {
    this.#decoder?.noteSpan(batch);
    this.#context.sink.events(batch);
  }

  #addAttr(attr: PerfAttr): void {
    const tracepoint = attr.type === TYPE_TRACEPOINT;
    const layout = new SampleLayout(attr, this.#littleEndian);
    if (this.#attrCount++ === 0) {
      this.#layout = layout;
      const { source, clock } = this.#context;
      source.clock = clockName(attr.clockId);
      clock.name = source.clock;
    }
    // perf adds a dummy event to catch COMM and MMAP records; it has no samples.
    const dummy = attr.type === TYPE_SOFTWARE && attr.config === SOFTWARE_DUMMY;
    if (!dummy && (!tracepoint || layout.sampleType !== this.#layout?.sampleType)) {
      this.#uniform = false;
    }
    for (const id of attr.ids) {
      this.#layouts.set(id, layout);
      if (!tracepoint) this.#skipIds.add(id);
    }
    if (tracepoint && (attr.sampleType & SampleBit.time) === 0) this.#sawTime = false;
  }

  /** Formats may come as a record (pipe mode): the decoder is made at the first sample. */
  #ready(): RecordDecoder {
    if (this.#decoder === null) {
      this.#decoder = new RecordDecoder(this.#context, this.#formats, (batch) =>
        this.#sorter.take(batch),
      );
    }
    return this.#decoder;
  }

  /** Handles one record; gives the bytes of payload that follow it outside its size. */
  readonly record = (
    view: DataView,
    start: number,
    end: number,
    type: number,
    fileOffset: number,
  ): number => {
    if (type === RecordType.sample) this.#sample(view, start, end);
    else if (type === RecordType.comm) this.#comm(view, start, end);
    else if (type === RecordType.fork) this.#fork(view, start, end);
    else if (type === RecordType.lost) this.#lost(view, start, end, 16);
    else if (type === RecordType.lostSamples) this.#lost(view, start, end, 8);
    else if (type === RecordType.finishedRound) this.#round();
    else if (type === RecordType.compressed) this.#zstd.push(bytesOf(view, start + 8, end));
    else if (type === RecordType.compressed2) this.#compressed2(view, start, end);
    else if (type >= RecordType.attr) return this.#own(view, start, end, type, fileOffset);
    return 0;
  };

  #compressed2(view: DataView, start: number, end: number): void {
    if (end - start < 16) return;
    const size = this.#u64(view, start + 8);
    this.#zstd.push(bytesOf(view, start + 16, start + 16 + Math.min(size, end - start - 16)));
  }

  /** Records that perf itself writes: attrs and features of pipe mode, payloads to pass over. */
  #own(view: DataView, start: number, end: number, type: number, fileOffset: number): number {
    const body = new Cursor(new MemoryAccess(bytesOf(view, start + 8, end)), 0, this.#littleEndian);
    if (type === RecordType.attr) this.#attrRecord(view, start + 8, end);
    else if (type === RecordType.feature && end - start > 16) {
      const feature = body.u64();
      noteFeature(this.#head, feature, body, end - start - 16);
    } else if (type === RecordType.tracingData) {
      const size = body.u32();
      const at = fileOffset + end - start;
      if (fileOffset >= 0 && this.#decoder === null) {
        const cursor = new Cursor(this.#file, at, this.#littleEndian);
        readTracingData(cursor, this.#file, at, this.#formats, this.#reporter);
      }
      return Math.ceil(size / 8) * 8;
    } else if (type === RecordType.auxtrace) return body.u64();
    return 0;
  }

  /** The attr with its own size in its second word, then u64 ids. */
  #attrRecord(view: DataView, at: number, end: number): void {
    if (end - at < 8) return;
    const size = Math.min(view.getUint32(at + 4, this.#littleEndian), end - at);
    const ids: number[] = [];
    for (let i = at + size; i + 8 <= end; i += 8) ids.push(this.#u64(view, i));
    const attr = readAttr(view, at, size, this.#littleEndian, ids);
    if (attr !== null) this.#addAttr(attr);
  }

  #u64(view: DataView, at: number): number {
    const le = this.#littleEndian;
    const low = view.getUint32(le ? at : at + 4, le);
    return view.getUint32(le ? at + 4 : at, le) * TWO_32 + low;
  }

  /** Nanoseconds since the epoch of the u64 at `at`. The first one fixes the epoch. */
  #time(view: DataView, at: number): number {
    const le = this.#littleEndian;
    const low = view.getUint32(le ? at : at + 4, le);
    const high = view.getUint32(le ? at + 4 : at, le);
    if (!this.#started) this.#start((BigInt(high) << 32n) | BigInt(low));
    return (high - this.#epochHigh) * TWO_32 + (low - this.#epochLow);
  }

  #start(first: bigint): void {
    this.#started = true;
    this.#context.clock.start(Number(first / NS));
    const epoch = BigInt(this.#context.clock.epochS) * NS;
    this.#epochHigh = Number(epoch >> 32n);
    this.#epochLow = Number(epoch & 0xffffffffn);
  }

  #layoutOf(view: DataView, start: number, end: number): SampleLayout | null {
    const first = this.#layout;
    if (this.#uniform || first === null || first.idAt < 0) return first;
    if (start + first.idAt + 8 > end) return null;
    const id = this.#u64(view, start + first.idAt);
    if (this.#skipIds.has(id)) {
      this.#foreign++;
      return null;
    }
    return this.#layouts.get(id) ?? first;
  }

  #sample(view: DataView, start: number, end: number): void {
    const layout = this.#layoutOf(view, start, end);
    if (layout === null) return;
    if (layout.timeAt < 0) {
      this.#sawTime = false;
      return;
    }
    if (!layout.locate(view, start, end)) {
      this.#noRaw++;
      return;
    }
    const timeNs = this.#time(view, start + layout.timeAt);
    const cpu = layout.cpuAt < 0 ? 0 : view.getUint32(start + layout.cpuAt, this.#littleEndian);
    const decoder = this.#decoder ?? this.#ready();
    this.#lastNs = timeNs;
    if (!decoder.decode(view, layout.rawAt, layout.rawSize, cpu & 0xffff, timeNs)) return;
    if (layout.tidAt >= 0) {
      // -1: the task had left its pid namespace (it was exiting); the record itself still knows it.
      const tid = view.getInt32(start + layout.tidAt + 4, this.#littleEndian);
      if (tid >= 0) decoder.batch.pid[decoder.row] = tid;
    }
    if (layout.chainCount > 0) decoder.attachChain(view, layout.chainAt, layout.chainCount);
  }

  /** u32 pid, u32 tid, comm. */
  #comm(view: DataView, start: number, end: number): void {
    if (end - start < 17) return;
    const tid = view.getInt32(start + 12, this.#littleEndian);
    const stop = textEnd(view, start + 16, Math.min(end, start + 32));
    const comm = this.#context.strings.comms.intern(
      bytesOf(view, start + 16, stop),
      0,
      stop - start - 16,
    );
    const timeNs = this.#trailerTime(view, start, end, 16);
    if (Number.isNaN(timeNs)) this.#names.set(tid, comm);
    else this.#ready().addRow(KIND_COMM as EventKind, 0, tid, timeNs, 0, comm);
  }

  /** u32 pid, u32 parent's pid, u32 tid, u32 parent's tid, u64 time. */
  #fork(view: DataView, start: number, end: number): void {
    if (end - start < 32) return;
    const tid = view.getInt32(start + 16, this.#littleEndian);
    const parent = view.getInt32(start + 20, this.#littleEndian);
    const stamped = this.#u64(view, start + 24) > 0;
    if (!stamped) this.#names.inherit(tid, parent);
    else {
      const timeNs = this.#time(view, start + 24);
      this.#ready().addRow(KIND_FORK as EventKind, 0, tid, timeNs, parent, 0);
    }
  }

  /** LOST: u64 id, u64 lost; LOST_SAMPLES: u64 lost. */
  #lost(view: DataView, start: number, end: number, countAt: number): void {
    if (end - start < countAt + 8) return;
    const count = this.#u64(view, start + countAt);
    const timeNs = this.#trailerTime(view, start, end, countAt + 8);
    const cpuAt = this.#layout?.trailerCpuAt(start, end, countAt + 8) ?? -1;
    const cpu = cpuAt < 0 ? 0 : view.getUint32(cpuAt, this.#littleEndian) & 0xffff;
    this.#ready().lost(cpu, Number.isNaN(timeNs) ? this.#lastNs : timeNs, count);
  }

  /** The time a record's id fields hold, NaN if none or 0. */
  #trailerTime(view: DataView, start: number, end: number, least: number): number {
    const at = this.#layout?.trailerTimeAt(start, end, least) ?? -1;
    if (at < 0 || this.#u64(view, at) === 0) return Number.NaN;
    return this.#time(view, at);
  }

  #round(): void {
    const decoder = this.#decoder;
    if (decoder !== null) decoder.batch = this.#sorter.finishRound(decoder.batch);
  }

  /** Everything was read: gives out what waits and reports what was odd. */
  finish(): void {
    const decoder = this.#decoder;
    if (decoder !== null) {
      decoder.batch = this.#sorter.finish(decoder.batch);
      decoder.finish();
    }
    const { source } = this.#context;
    const stopped = this.#zstd.stopped ?? this.#pieces.stopped;
    if (stopped !== null) this.#reporter.damaged('the compressed stream', stopped, Number.NaN);
    if (this.#sorter.overflowed > 0) {
      this.#reporter.report('merge-budget', null, { limit: SORT_LIMIT });
    }
    if (!this.#sawTime) this.#reporter.report('perf-no-time', null, {});
    if (this.#noRaw > 0) {
      source.skippedEvents['(no raw data)'] = this.#noRaw;
      const type = `0x${((this.#layout?.sampleType ?? 0) >>> 0).toString(16)}`;
      this.#reporter.report('perf-no-raw', null, { type });
    }
    const other = this.#foreign + this.#unpaired;
    if (other > 0) source.skippedEvents['(not tracepoints)'] = other;
  }
}

function bytesOf(view: DataView, start: number, end: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, Math.max(0, end - start));
}
