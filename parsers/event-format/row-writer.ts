/**
 * Rows from readers that are not in a hurry: fields come as a record, batches go to the sink.
 *
 * Used where the input itself costs far more to take apart than a row costs to make (JSON, protobuf,
 * printed CTF). Values out of range are refused and counted.
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
  RARE_FIELDS,
  RARE_WIDTH,
} from '../../src/records/events.js';
import type { ParseContext } from '../format.js';

export interface PageRow {
  readonly kind: EventKind;
  readonly timeNs: number;
  readonly cpu: number;
  readonly pid: number;
  readonly comm: string;
  readonly pfn: number;
  readonly order: number;
  /** -1 where not known. */
  readonly migratetype: number;
  /** gfp text id for allocations, else as EventBatch.detail says. */
  readonly detail: number;
}

export class RowWriter {
  readonly #context: ParseContext;
  #batch = new EventBatch();
  readonly #take: (batch: EventBatch) => EventBatch;
  readonly #counts = new Map<string, number>();
  readonly #skipped = new Map<string, number>();
  #refused = 0;
  #first = Number.NaN;
  #last = Number.NaN;

  /** @param take gets full batches instead of the sink and gives the next one to fill. */
  constructor(context: ParseContext, take?: (batch: EventBatch) => EventBatch) {
    this.#context = context;
    this.#take = take ?? ((batch) => this.#deliver(batch));
  }

  #deliver(batch: EventBatch): EventBatch {
    if (batch.length > 0) this.#context.sink.events(batch);
    batch.clear();
    return batch;
  }

  /** Writes a page event; false (and counted) if a value cannot be. */
  page(row: PageRow): boolean {
    const pfnFits = row.pfn === PFN_NONE || (row.pfn >= 0 && row.pfn < PFN_LIMIT);
    const orderFits = row.order >= 0 && row.order < ORDER_LIMIT;
    if (!pfnFits || !orderFits || !Number.isFinite(row.timeNs) || row.kind > LAST_PAGE_KIND) {
      this.#refused++;
      return false;
    }
    const i = this.#row(row.kind, row.timeNs, row.cpu, row.pid, row.comm);
    const batch = this.#batch;
    batch.pfn[i] = Math.floor(row.pfn);
    batch.order[i] = row.order;
    const known = row.migratetype >= 0 && row.migratetype < 128;
    batch.migratetype[i] = known ? row.migratetype : MIGRATETYPE_NONE;
    batch.detail[i] = row.detail;
    return true;
  }

  /** Writes a rare event; `values` are its RARE_FIELDS in order, shorter or NaN where unknown. */
  rare(
    kind: EventKind,
    timeNs: number,
    cpu: number,
    pid: number,
    comm: string,
    values: readonly number[],
  ): void {
    if (RARE_FIELDS[kind] === undefined || !Number.isFinite(timeNs)) {
      this.#refused++;
      return;
    }
    const i = this.#row(kind, timeNs, cpu, pid, comm);
    const batch = this.#batch;
    const row = batch.addRareRow();
    batch.pfn[i] = row;
    batch.order[i] = 0;
    batch.detail[i] = 0;
    batch.migratetype[i] = MIGRATETYPE_NONE;
    values.slice(0, RARE_WIDTH).forEach((value, field) => {
      batch.rare[row * RARE_WIDTH + field] = value;
    });
  }

  /** Events of this cpu are missing before `timeNs`; NaN = how many is not known. */
  lost(cpu: number, timeNs: number, count: number): void {
    this.rare(EventKind.lost, timeNs, cpu, -1, '', [count]);
    if (count > 0) this.#context.source.lostEvents += count;
    this.#context.diagnostics.report(
      'events-lost',
      { source: this.#context.source.name },
      { cpu, count: count > 0 ? count : 'some' },
    );
  }

  /** Counts an event that is no kind of ours. */
  skip(name: string): void {
    const key = this.#skipped.has(name) || this.#skipped.size < 256 ? name : '(other)';
    this.#skipped.set(key, (this.#skipped.get(key) ?? 0) + 1);
  }

  #row(kind: EventKind, timeNs: number, cpu: number, pid: number, comm: string): number {
    if (this.#batch.full) this.#batch = this.#take(this.#batch);
    const batch = this.#batch;
    const i = batch.length++;
    batch.kind[i] = kind;
    batch.timeNs[i] = timeNs;
    batch.cpu[i] = cpu;
    batch.pid[i] = pid;
    batch.comm[i] = this.#context.strings.comms.internText(comm);
    batch.stack[i] = 0;
    if (kind !== EventKind.lost) {
      const name = EVENT_NAMES[kind];
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    }
    if (!(timeNs >= this.#first)) this.#first = timeNs;
    if (!(timeNs <= this.#last)) this.#last = timeNs;
    return i;
  }

  /** Hands over what is left, writes the counts to the source summary; gives the empty batch. */
  finish(): EventBatch {
    this.#batch = this.#take(this.#batch);
    const { source, diagnostics } = this.#context;
    for (const [name, count] of this.#counts) {
      source.events[name] = (source.events[name] ?? 0) + count;
    }
    for (const [name, count] of this.#skipped) {
      source.skippedEvents[name] = (source.skippedEvents[name] ?? 0) + count;
    }
    if (this.#refused > 0) {
      source.skippedEvents['(out of range)'] = this.#refused;
      diagnostics.report('record-out-of-range', { source: source.name }, { count: this.#refused });
    }
    if (!Number.isNaN(this.#first)) {
      if (source.clock === 'none') source.clock = this.#context.clock.name;
      source.firstNs = this.#first;
      source.lastNs = this.#last;
    }
    return this.#batch;
  }
}
