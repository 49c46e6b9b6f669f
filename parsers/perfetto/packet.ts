/**
 * What a Perfetto packet holds of use: ftrace events (rare ones: rare.ts), buddyinfo polls, thread names, the kernel.
 *
 * Field numbers from protos/perfetto/trace (trace_packet.proto, ftrace/ftrace_event.proto,
 * ftrace/kmem.proto, sys_stats/sys_stats.proto, ps/process_tree.proto, 2026). Proto3 leaves zero
 * fields out, so a missing number is 0; a missing pfn with a missing page is a failed allocation.
 */
import { EventKind, PFN_NONE } from '../../src/records/events.js';
import type { BuddyinfoSnapshot, ZoneFree } from '../../src/records/snapshot.js';
import { NO_TIME } from '../../src/records/snapshot.js';
import type { RowWriter } from '../event-format/row-writer.js';
import type { ParseContext } from '../format.js';
import type { ThreadNames } from '../perf-data/thread-names.js';
import { noteRelease } from '../version/release.js';
import { Proto } from './proto.js';
import { RARE_MESSAGES, rareValues } from './rare.js';

const MmField = {
  pfn: 0,
  order: 1,
  migratetype: 2,
  page: 3,
  detail: 4,
  fallback: 5,
  change: 6,
} as const;
const FIELDS = 7;
const NONE = -1;

interface Message {
  readonly kind: EventKind;
  /** MmField by protobuf field number. */
  readonly fields: readonly number[];
}

const { pfn, order, migratetype, page, detail, fallback, change } = MmField;
/** By the number of FtraceEvent's member. */
const MESSAGES: ReadonlyMap<number, Message> = new Map([
  [307, { kind: EventKind.alloc, fields: [NONE, detail, migratetype, order, page, pfn] }],
  [
    308,
    {
      kind: EventKind.extfrag,
      fields: [NONE, migratetype, order, fallback, detail, page, change, pfn],
    },
  ],
  [309, { kind: EventKind.zoneLocked, fields: [NONE, migratetype, order, page, pfn] }],
  [310, { kind: EventKind.free, fields: [NONE, order, page, pfn] }],
  [311, { kind: EventKind.freeBatched, fields: [NONE, NONE, page, pfn] }],
  [312, { kind: EventKind.pcpuDrain, fields: [NONE, migratetype, order, page, pfn] }],
]);

const BOOT_CLOCK = 6;
const CLOCKS = ['boot', 'unknown', 'global', 'local', 'mono_raw'];
const PAGEBLOCK_ORDER = 9;

export class PacketReader {
  readonly #context: ParseContext;
  readonly #writer: RowWriter;
  readonly #names: ThreadNames;
  readonly #values = new Float64Array(FIELDS);
  readonly #seen = new Uint8Array(FIELDS);
  readonly #bundle = new Proto(new Uint8Array(0));
  readonly #event = new Proto(new Uint8Array(0));
  readonly #message = new Proto(new Uint8Array(0));
  #started = false;
  #epochHigh = 0;
  #epochLow = 0;
  #assumed = false;
  broken = 0;

  constructor(context: ParseContext, writer: RowWriter, names: ThreadNames) {
    this.#context = context;
    this.#writer = writer;
    this.#names = names;
  }

  /** Reads one packet at [start, end). Gives the span of compressed packets inside it, if any. */
  read(bytes: Uint8Array, start: number, end: number): { kind: number; bytes: Uint8Array } | null {
    const packet = new Proto(bytes, start, end);
    let timeNs = Number.NaN;
    let clock = BOOT_CLOCK;
    let stats: Uint8Array | null = null;
    let packed: { kind: number; bytes: Uint8Array } | null = null;
    while (packet.next()) {
      const { field } = packet;
      if (field === 8 && packet.wire === 0) timeNs = this.#time(packet);
      else if (field === 58) clock = packet.value;
      else if (packet.wire !== 2) continue;
      else if (field === 1) this.#readBundle(bytes, packet.start, packet.end);
      else if (field === 2) this.#readProcessTree(bytes, packet.start, packet.end);
      else if (field === 7) stats = bytes.subarray(packet.start, packet.end);
      else if (field === 45) this.#readSystemInfo(bytes, packet.start, packet.end);
      else if (field === 50 || field === 133) {
        packed = { kind: field, bytes: bytes.subarray(packet.start, packet.end) };
      }
    }
    if (packet.broken) this.broken++;
    if (stats !== null) this.#readSysStats(stats, clock === BOOT_CLOCK ? timeNs : Number.NaN);
    return packed;
  }

  #time(proto: Proto): number {
    if (!this.#started) {
      this.#started = true;
      const first = (BigInt(proto.high) << 32n) | BigInt(proto.low);
      this.#context.clock.start(Number(first / 1_000_000_000n));
      const epoch = BigInt(this.#context.clock.epochS) * 1_000_000_000n;
      this.#epochHigh = Number(epoch >> 32n);
      this.#epochLow = Number(epoch & 0xffffffffn);
    }
    return (proto.high - this.#epochHigh) * 4294967296 + (proto.low - this.#epochLow);
  }

  #readBundle(bytes: Uint8Array, start: number, end: number): void {
    const bundle = this.#bundle.reset(bytes, start, end);
    let cpu = 0;
    let clock = 0;
    let lost = false;
    while (bundle.next()) {
      if (bundle.field === 1) cpu = bundle.value & 0xffff;
      else if (bundle.field === 3) lost = bundle.value !== 0;
      else if (bundle.field === 5) clock = bundle.value;
    }
    if (bundle.broken) this.broken++;
    this.#context.clock.name = CLOCKS[clock] ?? 'unknown';
    this.#context.source.clock = this.#context.clock.name;
    bundle.reset(bytes, start, end);
    while (bundle.next()) {
      if (bundle.field !== 2 || bundle.wire !== 2) continue;
      lost = this.#readEvent(bytes, bundle.start, bundle.end, cpu, lost);
    }
  }

  /** Gives false once the loss before this event was written. */
  #readEvent(bytes: Uint8Array, start: number, end: number, cpu: number, lost: boolean): boolean {
    const event = this.#event.reset(bytes, start, end);
    let timeNs = Number.NaN;
    let pid = 0;
    let member = 0;
    let from = 0;
    let to = 0;
    while (event.next()) {
      if (event.field === 1) timeNs = this.#time(event);
      else if (event.field === 2) pid = event.int32;
      else if (event.wire === 2) {
        member = event.field;
        from = event.start;
        to = event.end;
      }
    }
    if (event.broken) this.broken++;
    if (lost && Number.isFinite(timeNs)) this.#writer.lost(cpu, timeNs, Number.NaN);
    const page = MESSAGES.get(member);
    const rare = RARE_MESSAGES.get(member);
    if (page !== undefined) this.#writePage(page, bytes, from, to, cpu, timeNs, pid);
    else if (rare !== undefined) {
      const inner = this.#message.reset(bytes, from, to);
      const values = rareValues(rare, inner, this.#context.strings);
      if (inner.broken) this.broken++;
      this.#writer.rare(rare.kind, timeNs, cpu, pid, '', values);
    } else if (member !== 0) this.#writer.skip(`ftrace event ${member}`);
    return false;
  }

  #writePage(
    message: Message,
    bytes: Uint8Array,
    from: number,
    to: number,
    cpu: number,
    timeNs: number,
    pid: number,
  ): void {
    const inner = this.#message.reset(bytes, from, to);
    const values = this.#values.fill(0);
    const seen = this.#seen.fill(0);
    let failed = false;
    while (inner.next()) {
      const slot = message.fields[inner.field] ?? NONE;
      if (slot === NONE || inner.wire !== 0) continue;
      if (slot === pfn && inner.low === 0xffffffff && inner.high === 0xffffffff) failed = true;
      values[slot] = slot === pfn || slot === page ? inner.value : inner.int32;
      seen[slot] = 1;
    }
    if (inner.broken) this.broken++;
    const alloc = message.kind === EventKind.alloc;
    if (alloc && values[pfn] === 0 && values[page] === 0) failed = true;
    this.#writer.page({
      kind: message.kind,
      timeNs,
      cpu,
      pid,
      comm: '',
      pfn: failed ? PFN_NONE : values[pfn]!,
      order: values[order]!,
      migratetype: message.fields.includes(migratetype) ? values[migratetype]! : -1,
      detail: alloc ? this.#gfp(values[detail]!) : this.#detail(message.kind),
    });
  }

  #gfp(mask: number): number {
    return this.#context.strings.gfps.internText(`0x${(mask >>> 0).toString(16)}`) & 0xffff;
  }

  #detail(kind: EventKind): number {
    const values = this.#values;
    if (kind === EventKind.zoneLocked) return values[order] === 0 ? 1 : 0;
    if (kind !== EventKind.extfrag) return 0;
    this.#noteAssumed();
    const fallbackOrder = values[detail]! & 31;
    return (
      fallbackOrder |
      (PAGEBLOCK_ORDER << 5) |
      ((values[fallback]! & 7) << 10) |
      ((fallbackOrder < PAGEBLOCK_ORDER ? 1 : 0) << 13) |
      ((values[change] === 0 ? 0 : 1) << 14)
    );
  }

  #noteAssumed(): void {
    if (this.#assumed) return;
    this.#assumed = true;
    const { diagnostics, source } = this.#context;
    const data = { order: PAGEBLOCK_ORDER };
    diagnostics.report('pageblock-order-assumed', { source: source.name }, data);
  }

  /** processes = 1 {pid 1, cmdline 3}, threads = 2 {tid 1, name 2}. */
  #readProcessTree(bytes: Uint8Array, start: number, end: number): void {
    const tree = new Proto(bytes, start, end);
    while (tree.next()) {
      if (tree.wire !== 2 || tree.field > 2) continue;
      const inner = new Proto(bytes, tree.start, tree.end);
      const nameField = tree.field === 1 ? 3 : 2;
      let tid = -1;
      let name = '';
      while (inner.next()) {
        if (inner.field === 1) tid = inner.int32;
        else if (inner.field === nameField && inner.wire === 2 && name === '') name = inner.text();
      }
      if (tid < 0 || name === '') continue;
      const comm = tree.field === 1 ? commOf(tid, name) : name;
      this.#names.set(tid, this.#context.strings.comms.internText(comm));
    }
  }

  /** utsname = 1 {sysname 1, version 2, release 3, machine 4}. */
  #readSystemInfo(bytes: Uint8Array, start: number, end: number): void {
    const info = new Proto(bytes, start, end);
    while (info.next()) {
      if (info.field !== 1 || info.wire !== 2) continue;
      const names = new Proto(bytes, info.start, info.end);
      let release = '';
      let text = '';
      while (names.next()) {
        if (names.wire !== 2) continue;
        if (names.field === 3) release = names.text();
        text += `${text === '' ? '' : ' '}${names.text()}`;
      }
      if (!/^\d/.test(release)) continue;
      noteRelease(this.#context, release, text);
    }
  }

  /** buddy_info = 12 {node 1, zone 2, order_pages 3}: a copy of /proc/buddyinfo. */
  #readSysStats(bytes: Uint8Array, timeNs: number): void {
    const stats = new Proto(bytes);
    const zones: ZoneFree[] = [];
    while (stats.next()) {
      if (stats.field !== 12 || stats.wire !== 2) continue;
      const zone = readZone(bytes, stats.start, stats.end);
      if (zone !== null && zones.length < 4096) zones.push(zone);
    }
    if (zones.length === 0) return;
    const { source, sink } = this.#context;
    const snapshot: BuddyinfoSnapshot = {
      kind: 'buddyinfo',
      source: source.name,
      line: 0,
      zones,
      time: Number.isNaN(timeNs)
        ? NO_TIME
        : { clock: 'trace', beginNs: timeNs, endNs: timeNs, snap: null, resolutionNs: 1 },
    };
    source.snapshots.buddyinfo = (source.snapshots.buddyinfo ?? 0) + 1;
    sink.snapshot(snapshot);
  }
}

/**
 * The comm of a process from its command: the last part of a path, 15 bytes of it. Kernel threads have their name
 * there, workers with what they work on behind it.
 */
function commOf(pid: number, command: string): string {
  if (pid === 0) return '<idle>';
  const name = command.startsWith('/') ? command.replace(/^.*\//, '') : command;
  return name.replace(/^(kworker\/[^-+]*)[-+].*$/, '$1').slice(0, 15);
}

function readZone(bytes: Uint8Array, start: number, end: number): ZoneFree | null {
  const proto = new Proto(bytes, start, end);
  let node = 0;
  let zone = '';
  const free: number[] = [];
  while (proto.next()) {
    if (proto.field === 1) node = Number(/\d{1,4}/.exec(proto.text(16))?.[0] ?? 0);
    else if (proto.field === 2) zone = proto.text(32);
    else if (proto.field === 3 && proto.wire === 0) free.push(proto.value);
    else if (proto.field === 3 && proto.wire === 2) addPacked(free, bytes, proto.start, proto.end);
    if (free.length > 32) return null;
  }
  return zone === '' || free.length === 0 ? null : { node, zone, free };
}

/** Packed numbers: varints one after another. */
function addPacked(into: number[], bytes: Uint8Array, start: number, end: number): void {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end && into.length <= 32; at++) {
    value += (bytes[at]! & 127) * scale;
    scale *= 128;
    if (bytes[at]! >= 128) continue;
    into.push(value);
    value = 0;
    scale = 1;
  }
}
