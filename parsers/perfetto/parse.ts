/**
 * A Perfetto trace file: packets one after another, some of them compressed.
 *
 * The file is a protobuf message whose field 1 repeats: key 0x0a, length, packet. Packets are taken
 * as they come in, at most MAX_PACKET bytes each. Bundles of different cpus follow one another, so
 * events are sorted within a window of SORT_LIMIT rows.
 */

import { RowWriter } from '../event-format/row-writer.js';
import type { Detection, ParseContext, StreamParser } from '../format.js';
import { ThreadNames } from '../perf-data/thread-names.js';
import { SORT_LIMIT, TimeSorter } from '../perf-data/time-sorter.js';
import { decompressBlock, type Method } from '../trace-dat/decompress.js';
import { Reporter } from '../trace-dat/reporter.js';
import { PacketReader } from './packet.js';
import { Proto } from './proto.js';

const PACKET_KEY = 0x0a;
const MAX_PACKET = 64 << 20;
const ZSTD_PACKETS = 133;

/** Two or more packets that add up, with members a trace packet has. */
export function detectPerfetto(head: Uint8Array): Detection | null {
  if (head[0] !== PACKET_KEY) return null;
  const proto = new Proto(head);
  let packets = 0;
  let known = 0;
  while (proto.next()) {
    if (proto.field !== 1 || proto.wire !== 2) return null;
    packets++;
    if (looksLikePacket(head, proto.start, proto.end)) known++;
  }
  // The head may end inside a packet; everything before has to fit.
  if (packets === 0 && proto.broken) return known === 0 ? longFirst(head) : null;
  if (known === 0 || known * 2 < packets) return null;
  return { confidence: packets > 1 ? 0.9 : 0.5, why: `${packets} Perfetto packets that add up` };
}

/** A first packet longer than the head (a big bundle or compressed packets). */
function longFirst(head: Uint8Array): Detection | null {
  if (head.length < 1 << 15) return null;
  const inner = head[4] ?? 0;
  return inner === 0x0a ? { confidence: 0.3, why: 'a long protobuf packet' } : null;
}

/** Fields every packet has one of: timestamp, sequence id, clock snapshot, config, bundles. */
const PACKET_FIELDS = new Set([1, 2, 6, 7, 8, 10, 33, 34, 35, 36, 41, 42, 45, 50, 58, 133]);

function looksLikePacket(head: Uint8Array, start: number, end: number): boolean {
  const packet = new Proto(head, start, end);
  let fits = false;
  while (packet.next()) {
    if (PACKET_FIELDS.has(packet.field)) fits = true;
    if (packet.field > 1_000_000) return false;
  }
  return fits && !packet.broken;
}

export class PerfettoParser implements StreamParser {
  readonly #context: ParseContext;
  readonly #reporter: Reporter;
  readonly #sorter: TimeSorter;
  readonly #writer: RowWriter;
  readonly #reader: PacketReader;
  #pending = new Uint8Array(1 << 16);
  #length = 0;
  /** Bytes of an oversized packet still to pass over. */
  #skip = 0;
  #position = 0;
  #stopped = false;

  constructor(context: ParseContext) {
    this.#context = context;
    this.#reporter = new Reporter(context.diagnostics, context.source.name);
    const names = new ThreadNames(context.strings.comms);
    this.#sorter = new TimeSorter(names, (batch) => context.sink.events(batch));
    this.#writer = new RowWriter(context, (batch) => this.#sorter.take(batch));
    this.#reader = new PacketReader(context, this.#writer, names);
  }

  push(chunk: Uint8Array): void {
    if (this.#stopped) return;
    let from = 0;
    if (this.#skip > 0) {
      from = Math.min(this.#skip, chunk.length);
      this.#skip -= from;
      this.#position += from;
    }
    this.#append(chunk.subarray(from));
    this.#takePackets();
  }

  #append(chunk: Uint8Array): void {
    const total = this.#length + chunk.length;
    if (total > this.#pending.length) {
      const bigger = new Uint8Array(Math.max(total, this.#pending.length * 2));
      bigger.set(this.#pending.subarray(0, this.#length));
      this.#pending = bigger;
    }
    this.#pending.set(chunk, this.#length);
    this.#length = total;
  }

  #takePackets(): void {
    let at = 0;
    while (at < this.#length && !this.#stopped) {
      const size = this.#packetSize(at);
      if (size === null) break;
      const { header, length } = size;
      if (header + length <= this.#length - at) {
        this.#packet(this.#pending, at + header, at + header + length, 0);
        at += header + length;
        continue;
      }
      if (length <= MAX_PACKET) break;
      this.#reporter.report('section-limit', this.#position + at, {
        what: 'a packet',
        limit: MAX_PACKET,
      });
      this.#skip = header + length - (this.#length - at);
      at = this.#length;
    }
    this.#pending.copyWithin(0, at, this.#length);
    this.#length -= at;
    this.#position += at;
  }

  /** Bytes of key and length, and the length; null when they are not all there. */
  #packetSize(at: number): { header: number; length: number } | null {
    const key = this.#pending[at]!;
    if (key !== PACKET_KEY) {
      this.#stopped = true;
      this.#reporter.damaged(
        'the rest of the trace',
        `byte ${key} is no packet`,
        this.#position + at,
      );
      return null;
    }
    let length = 0;
    for (let i = 1; i <= 10; i++) {
      if (at + i >= this.#length) return null;
      const byte = this.#pending[at + i]!;
      length += (byte & 127) * 2 ** (7 * (i - 1));
      if (byte < 128) return { header: i + 1, length };
    }
    this.#stopped = true;
    this.#reporter.damaged('the rest of the trace', 'a length has no end', this.#position + at);
    return null;
  }

  #packet(bytes: Uint8Array, start: number, end: number, depth: number): void {
    const packed = this.#reader.read(bytes, start, end);
    if (packed === null) return;
    if (depth > 0) {
      this.#reporter.damaged('a compressed packet', 'compressed twice', this.#position);
      return;
    }
    const plain = this.#unpack(packed.kind === ZSTD_PACKETS ? 'zstd' : 'zlib', packed.bytes);
    if (plain === null) return;
    const inner = new Proto(plain);
    while (inner.next()) {
      if (inner.field === 1 && inner.wire === 2) {
        this.#packet(plain, inner.start, inner.end, depth + 1);
      }
    }
  }

  /** The size is not stated: the limit on expansion is the bound. */
  #unpack(method: Method, bytes: Uint8Array): Uint8Array | null {
    const { expansion } = this.#context.limits;
    const result = decompressBlock(method, bytes, -1, expansion);
    if (typeof result !== 'string') return result;
    this.#reporter.damaged('a compressed packet', result, this.#position);
    return null;
  }

  end(): void {
    if (this.#length > 0 && !this.#stopped) {
      this.#reporter.cut('a packet', this.#position, this.#length + 1, this.#length);
    }
    const last = this.#writer.finish();
    this.#sorter.finish(last);
    if (this.#reader.broken > 0) {
      this.#reporter.damaged(`${this.#reader.broken} messages`, 'lengths do not fit', Number.NaN);
    }
    if (this.#sorter.overflowed > 0) {
      this.#reporter.report('merge-budget', null, { limit: SORT_LIMIT });
    }
  }
}
