/**
 * Raw tracepoint records to event batches.
 *
 * A record is what the ring buffer and perf's RAW sample hold: u16 common_type, flags, pid, then the
 * event's own fields at the offsets its format text gives. Page events go straight to columns:
 * fixed places, a numeric cache for gfp masks, a table for comms, no allocation. Other kinds that
 * buddyscope knows go through rare.ts, unknown ones are counted by name.
 *
 * Everything is checked against the record's length before it is read; values out of range are
 * counted as `record-out-of-range` and dropped.
 */
import {
  EVENT_NAMES,
  EventBatch,
  EventKind,
  LAST_PAGE_KIND,
  MIGRATETYPE_NONE,
  ORDER_LIMIT,
  PFN_LIMIT,
  PFN_NONE,
  packExtfrag,
  RARE_WIDTH,
} from '../../src/records/events.js';
import type { ParseContext } from '../format.js';
import { CommTable } from './comms.js';
import type { EventFormats } from './formats.js';
import { MaskCache } from './gfp-cache.js';
import { gfpText } from './gfp-text.js';
import { kindOfEvent, STACK_EVENT } from './kinds.js';
import { type PagePlan, PFN_BAD, type Place, planPageEvent, readPfn } from './page-plan.js';
import type { EventFormat } from './parse.js';
import { RareDecoder } from './rare.js';
import { StackDecoder } from './stack.js';

const SKIP = 0;
const STACK = 1;
const RARE = 2;
const FIRST_PLAN = 3;
const DEFAULT_PAGEBLOCK_ORDER = 9;
/** Upper half of PFN_LIMIT. */
const PFN_HIGH_LIMIT = PFN_LIMIT / 4294967296;
/** sizeof(struct page) on 64-bit kernels that record page pointers. */
const DEFAULT_STRUCT_PAGE = 64;

/** Bits of common_flags (include/linux/trace_events.h): hardirq, softirq. */
const IN_SOFTIRQ = 0x10;
const IN_INTERRUPT = 0x18;
/** Bits of common_preempt_count that count; the upper ones tell migration (5.14 and later). */
const MAX_DEPTH = 15;

/** Takes a full batch away and gives the next one to fill (it may be the same, cleared). */
export type BatchHandler = (batch: EventBatch) => EventBatch;

export class RecordDecoder {
  readonly comms: CommTable;
  /** The row that was written last in `batch`, for what belongs to it (stacks). */
  row = -1;
  batch: EventBatch;
  readonly #context: ParseContext;
  readonly #formats: EventFormats;
  readonly #littleEndian: boolean;
  readonly #onFull: BatchHandler;
  readonly #what = new Uint16Array(65_536);
  readonly #plans: PagePlan[] = [];
  readonly #gfp: MaskCache[] = [];
  readonly #rare: RareDecoder;
  readonly #stacks: StackDecoder;
  readonly #accepted = new Float64Array(256);
  readonly #skipped = new Float64Array(65_536);
  readonly #structPage: number;
  #outOfRange = 0;
  #firstNs = Number.NaN;
  #lastNs = Number.NaN;

  constructor(context: ParseContext, formats: EventFormats, onFull?: BatchHandler) {
    this.#context = context;
    this.#formats = formats;
    this.#littleEndian = formats.littleEndian;
    this.comms = new CommTable(context.strings.comms);
    this.batch = new EventBatch();
    this.#onFull = onFull ?? ((batch) => this.#deliver(batch));
    this.#rare = new RareDecoder(context.strings, formats);
    this.#stacks = new StackDecoder(context.strings, formats);
    const bytes = Number(context.options['struct-page-bytes'] ?? DEFAULT_STRUCT_PAGE);
    this.#structPage = bytes >= 16 && bytes <= 4096 ? bytes : DEFAULT_STRUCT_PAGE;
    for (const format of formats.all) this.#plan(format);
  }

  #plan(format: EventFormat): void {
    if (format.name === STACK_EVENT) {
      this.#what[format.id] = STACK;
      this.#stacks.use(format);
      return;
    }
    const kind = kindOfEvent(format.name);
    if (kind === undefined) return;
    if (kind > LAST_PAGE_KIND) {
      if (this.#rare.use(format, kind)) this.#what[format.id] = RARE;
      return;
    }
    const plan = planPageEvent(format, kind);
    if (plan === null) {
      this.#context.diagnostics.report('format-unusable', this.#place(), { event: format.name });
      return;
    }
    this.#what[format.id] = FIRST_PLAN + this.#plans.length;
    this.#plans.push(plan);
    const print = format.print.byKey.get('gfp_flags');
    this.#gfp.push(new MaskCache((low, high) => gfpText(this.#context.strings, print, low, high)));
    this.#noteAssumptions(plan, format.name);
  }

  #noteAssumptions(plan: PagePlan, event: string): void {
    const { diagnostics } = this.#context;
    if (plan.pointer) {
      diagnostics.report('pfn-from-pointer', this.#place(), { event, bytes: this.#structPage });
    }
    if (plan.kind === EventKind.extfrag && plan.pageblockOrder < 0) {
      diagnostics.report('pageblock-order-assumed', this.#place(), {
        order: DEFAULT_PAGEBLOCK_ORDER,
      });
    }
  }

  #place(): { source: string } {
    return { source: this.#context.source.name };
  }

  /** True if any known format is one of ours: without it there is nothing to read. */
  get usable(): boolean {
    return this.#plans.length > 0 || this.#what.includes(RARE);
  }

  /** True if the record type belongs to a page event. */
  isPageEvent(type: number): boolean {
    return this.#what[type & 0xffff]! >= FIRST_PLAN;
  }

  /**
   * Decodes the record at [offset, offset + length) of `view`, which the caller has checked to lie
   * inside it. Returns false when no row was made.
   */
  decode(view: DataView, offset: number, length: number, cpu: number, timeNs: number): boolean {
    if (length < 8) return this.#short();
    const type = view.getUint16(offset, this.#littleEndian);
    const what = this.#what[type]!;
    if (what < FIRST_PLAN) return this.#other(what, type, view, offset, length, cpu, timeNs);
    const plan = this.#plans[what - FIRST_PLAN]!;
    if (length < plan.need) return this.#short();
    if (plan.usual && this.#littleEndian) {
      return this.#usual(view, offset, plan, what - FIRST_PLAN, cpu, timeNs);
    }
    const pfn = readPfn(view, offset, plan, this.#littleEndian, this.#structPage);
    const order = plan.orderAt < 0 ? 0 : this.#number(view, offset + plan.orderAt, plan.orderSize);
    if (pfn === PFN_BAD || order >= ORDER_LIMIT || order < 0) return this.#short();
    const pid = view.getInt32(offset + plan.pidAt, this.#littleEndian);
    const row = this.#newRow(plan.kind, cpu, pid, timeNs);
    const batch = this.batch;
    batch.pfn[row] = pfn;
    batch.order[row] = order;
    batch.migratetype[row] =
      plan.typeAt < 0
        ? MIGRATETYPE_NONE
        : typeOf(this.#number(view, offset + plan.typeAt, plan.typeSize));
    batch.detail[row] =
      plan.detailAt < 0
        ? untoldDetail(view, offset, plan.kind, order)
        : this.#detail(view, offset, plan, what - FIRST_PLAN);
    return true;
  }

  /** The same for the layout that nearly all records have, little endian: fewer questions. */
  #usual(
    view: DataView,
    offset: number,
    plan: PagePlan,
    index: number,
    cpu: number,
    timeNs: number,
  ): boolean {
    const low = view.getUint32(offset + plan.pfnAt, true);
    const high = view.getUint32(offset + plan.pfnAt + 4, true);
    const none = low === 0xffffffff && high === 0xffffffff;
    const order = plan.orderAt < 0 ? 0 : view.getUint32(offset + plan.orderAt, true);
    if (order >= ORDER_LIMIT || (high >= PFN_HIGH_LIMIT && !none)) return this.#short();
    const { kind, typeAt, detailAt } = plan;
    let detail = 0;
    if (detailAt < 0) detail = untoldDetail(view, offset, kind, order);
    else if (kind === EventKind.alloc) {
      const upper = plan.detailSize === 8 ? view.getUint32(offset + detailAt + 4, true) : 0;
      detail = this.#gfp[index]!.id(view.getUint32(offset + detailAt, true), upper);
    } else detail = view.getUint32(offset + detailAt, true) === 0 ? 0 : 1;
    const row = this.#newRow(kind, cpu, view.getInt32(offset + plan.pidAt, true), timeNs);
    const batch = this.batch;
    batch.pfn[row] = none ? PFN_NONE : high * 4294967296 + low;
    batch.order[row] = order;
    batch.migratetype[row] =
      typeAt < 0 ? MIGRATETYPE_NONE : typeOf(view.getInt32(offset + typeAt, true));
    batch.detail[row] = detail;
    return true;
  }

  #newRow(kind: EventKind, cpu: number, pid: number, timeNs: number): number {
    if (this.batch.length === this.batch.capacity) this.#flush();
    const batch = this.batch;
    const row = batch.length++;
    this.row = row;
    batch.timeNs[row] = timeNs;
    batch.kind[row] = kind;
    batch.cpu[row] = cpu;
    batch.pid[row] = pid;
    batch.comm[row] = this.comms.idOf(pid);
    batch.stack[row] = 0;
    this.#accepted[kind]!++;
    return row;
  }

  #number(view: DataView, at: number, size: number): number {
    const le = this.#littleEndian;
    if (size === 4) return view.getInt32(at, le);
    if (size === 1) return view.getUint8(at);
    if (size === 2) return view.getInt16(at, le);
    const low = view.getUint32(le ? at : at + 4, le);
    return view.getInt32(le ? at + 4 : at, le) * 4294967296 + low;
  }

  #detail(view: DataView, offset: number, plan: PagePlan, index: number): number {
    const at = offset + plan.detailAt;
    const size = plan.detailSize;
    if (plan.kind === EventKind.alloc) {
      if (size === 4) return this.#gfp[index]!.id(view.getUint32(at, this.#littleEndian), 0);
      const value = this.#number(view, at, size);
      return this.#gfp[index]!.id(value >>> 0, Math.floor(value / 4294967296) >>> 0);
    }
    const value = this.#number(view, at, size);
    if (plan.kind !== EventKind.extfrag) return value === 0 ? 0 : 1;
    const block = plan.pageblockOrder < 0 ? DEFAULT_PAGEBLOCK_ORDER : plan.pageblockOrder;
    return packExtfrag(
      value,
      block,
      this.#at(view, offset, plan.fallbackMigratetype),
      value < block ? 1 : 0,
      this.#at(view, offset, plan.changeOwnership) !== 0 ? 1 : 0,
    );
  }

  #at(view: DataView, offset: number, place: Place): number {
    return place.at < 0 ? 0 : this.#number(view, offset + place.at, place.size);
  }

  #short(): boolean {
    this.#outOfRange++;
    return false;
  }

  #other(
    what: number,
    type: number,
    view: DataView,
    offset: number,
    length: number,
    cpu: number,
    timeNs: number,
  ): boolean {
    if (what === STACK) return false;
    if (what === SKIP) {
      this.#skipped[type]!++;
      return false;
    }
    const pid = view.getInt32(offset + 4, this.#littleEndian);
    const kind = this.#rare.kindOf(type, view, offset, length);
    if (kind === 0) return this.#short();
    const row = this.#newRow(kind, cpu, pid, timeNs);
    this.batch.order[row] = 0;
    this.batch.detail[row] = 0;
    this.batch.migratetype[row] = MIGRATETYPE_NONE;
    this.batch.pfn[row] = this.batch.addRareRow();
    this.#rare.fill(this.batch, row, type, view, offset, length);
    return true;
  }

  /** A row of a kind the caller knows (perf's names of threads); it is not counted as an event. */
  addRow(
    kind: EventKind,
    cpu: number,
    pid: number,
    timeNs: number,
    pfn: number,
    comm: number,
  ): void {
    const row = this.#newRow(kind, cpu, pid, timeNs);
    this.#accepted[kind]!--;
    this.batch.comm[row] = comm;
    this.batch.pfn[row] = pfn;
  }

  /** True if the record is a kernel stack: it belongs to the event before it on that cpu. */
  isStack(view: DataView, offset: number, length: number): boolean {
    return length >= 8 && this.#what[view.getUint16(offset, this.#littleEndian)] === STACK;
  }

  /** Gives the stack record to the row written last. */
  attachStack(view: DataView, offset: number, length: number): void {
    this.batch.stack[this.row] = this.#stacks.fromRecord(view, offset, length);
  }

  /** Gives a list of addresses, innermost first, to the row written last. */
  attachChain(view: DataView, offset: number, count: number): void {
    this.batch.stack[this.row] = this.#stacks.fromAddresses(view, offset, count);
  }

  /** A row that says events of this cpu are missing before `timeNs`; NaN = how many is not known. */
  lost(cpu: number, timeNs: number, count: number): void {
    const row = this.#newRow(EventKind.lost, cpu, -1, timeNs);
    this.#accepted[EventKind.lost]!--;
    this.batch.comm[row] = 0;
    this.batch.order[row] = 0;
    this.batch.detail[row] = 0;
    this.batch.migratetype[row] = MIGRATETYPE_NONE;
    this.batch.pfn[row] = this.batch.addRareRow();
    this.batch.rare[this.batch.pfn[row]! * RARE_WIDTH] = count;
    const { source, diagnostics } = this.#context;
    if (count > 0) source.lostEvents += count;
    diagnostics.report('events-lost', this.#place(), { cpu, count: count > 0 ? count : 'some' });
  }

  #flush(): void {
    this.batch = this.#onFull(this.batch);
  }

  /** Keeps the first and last time for the source summary. */
  noteSpan(batch: EventBatch): void {
    if (batch.length === 0) return;
    if (Number.isNaN(this.#firstNs)) this.#firstNs = batch.timeNs[0]!;
    this.#lastNs = batch.timeNs[batch.length - 1]!;
  }

  #deliver(batch: EventBatch): EventBatch {
    this.noteSpan(batch);
    if (batch.length > 0) this.#context.sink.events(batch);
    batch.clear();
    return batch;
  }

  /** Hands over what is left and writes the counts to the source summary. */
  finish(): void {
    this.#flush();
    const { source, diagnostics } = this.#context;
    for (let kind = 0; kind < 256; kind++) {
      const count = this.#accepted[kind]!;
      if (count === 0) continue;
      const name = EVENT_NAMES[kind as EventKind];
      source.events[name] = (source.events[name] ?? 0) + count;
    }
    for (let type = 0; type < 65_536; type++) {
      const count = this.#skipped[type]!;
      if (count === 0) continue;
      const format = this.#formats.byId(type);
      const name = format === undefined ? '(unknown)' : `${format.system}:${format.name}`;
      source.skippedEvents[name] = (source.skippedEvents[name] ?? 0) + count;
    }
    if (this.#outOfRange > 0) {
      source.skippedEvents['(out of range)'] = this.#outOfRange;
      diagnostics.report('record-out-of-range', this.#place(), { count: this.#outOfRange });
    }
    if (!Number.isNaN(this.#firstNs)) {
      source.firstNs = this.#firstNs;
      source.lastNs = this.#lastNs;
    }
  }
}

/**
 * What no field of the event's own tells. Before 5.19 there is no percpu_refill: the kernel prints `order == 0` for it. A
 * free gets the preempt depth of its softirq (common_flags and common_preempt_count, second half of the first word).
 */
function untoldDetail(view: DataView, offset: number, kind: EventKind, order: number): number {
  if (kind === EventKind.zoneLocked) return order === 0 ? 1 : 0;
  if (kind !== EventKind.free || (view.getUint8(offset + 2) & IN_INTERRUPT) !== IN_SOFTIRQ)
    return 0;
  return view.getUint8(offset + 3) & MAX_DEPTH;
}

function typeOf(value: number): number {
  return value >= 0 && value < 128 ? value : MIGRATETYPE_NONE;
}
