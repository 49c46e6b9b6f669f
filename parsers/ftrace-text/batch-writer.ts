/**
 * Fills one EventBatch and hands it to the sink when full.
 *
 * A stack trace follows the event it belongs to, possibly after events of other CPUs, so once a
 * source is known to hold stacks the last HELD rows stay behind at a hand-over. Times are kept as
 * the smallest and largest seen, because trace_pipe may run backwards across CPUs.
 */
import { EventBatch, LAST_PAGE_KIND, RARE_WIDTH } from '../../src/records/events.js';
import type { RecordSink } from '../format.js';

/** Rows that a stack trace may reach back. */
export const HELD = 64;

export class BatchWriter {
  readonly batch = new EventBatch();
  /** Events accepted, by kind. */
  readonly counts = new Float64Array(256);
  /** Rows handed over so far: row i of the batch is event number `flushed + i`. */
  flushed = 0;
  firstNs = Number.NaN;
  lastNs = Number.NaN;
  /** Events whose time equals that of the one before. */
  ties = 0;
  holdsBack = false;
  #previousNs = Number.NaN;
  readonly #sink: RecordSink;

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  /** Starts a row: the caller sets pfn, order, migratetype and detail. Returns its index. */
  add(kind: number, timeNs: number, cpu: number, pid: number, comm: number): number {
    const { batch } = this;
    if (batch.full) this.handOver();
    const i = batch.length++;
    batch.kind[i] = kind;
    batch.timeNs[i] = timeNs;
    batch.cpu[i] = cpu;
    batch.pid[i] = pid;
    batch.comm[i] = comm;
    batch.stack[i] = 0;
    batch.pfn[i] = 0;
    batch.order[i] = 0;
    batch.migratetype[i] = -1;
    batch.detail[i] = 0;
    return i;
  }

  /** Gives the rows to the sink, but for those a stack may still be added to. */
  handOver(): void {
    const kept = this.holdsBack ? Math.min(HELD, this.batch.length) : 0;
    this.#give(this.batch.length - kept, kept);
  }

  end(): void {
    this.#give(this.batch.length, 0);
  }

  #give(rows: number, kept: number): void {
    const { batch } = this;
    if (rows === 0) return;
    batch.length = rows;
    this.#count(rows);
    this.#sink.events(batch);
    this.flushed += rows;
    batch.length = 0;
    if (kept === 0) batch.rareLength = 0;
    else this.#moveDown(rows, kept);
  }

  #count(rows: number): void {
    const { timeNs, kind } = this.batch;
    const counts = new Int32Array(256);
    let first = Number.isNaN(this.firstNs) ? Number.POSITIVE_INFINITY : this.firstNs;
    let last = Number.isNaN(this.lastNs) ? Number.NEGATIVE_INFINITY : this.lastNs;
    let previous = this.#previousNs;
    let ties = 0;
    for (let i = 0; i < rows; i++) {
      const time = timeNs[i]!;
      if (time < first) first = time;
      if (time > last) last = time;
      if (time === previous) ties++;
      previous = time;
      counts[kind[i]!]!++;
    }
    for (let i = 0; i < 256; i++) this.counts[i] = this.counts[i]! + counts[i]!;
    this.#previousNs = previous;
    this.ties += ties;
    this.firstNs = first;
    this.lastNs = last;
  }

  #moveDown(rows: number, kept: number): void {
    const { batch } = this;
    const end = rows + kept;
    const columns = [
      batch.timeNs,
      batch.pfn,
      batch.pid,
      batch.comm,
      batch.stack,
      batch.cpu,
      batch.detail,
      batch.kind,
      batch.order,
      batch.migratetype,
    ];
    for (const column of columns) column.copyWithin(0, rows, end);
    batch.length = kept;
    let firstRow = -1;
    for (let i = 0; i < kept; i++) {
      if (batch.kind[i]! <= LAST_PAGE_KIND) continue;
      if (firstRow < 0) firstRow = batch.pfn[i]!;
      batch.pfn[i] = batch.pfn[i]! - firstRow;
    }
    if (firstRow < 0) firstRow = batch.rareLength;
    batch.rare.copyWithin(0, firstRow * RARE_WIDTH, batch.rareLength * RARE_WIDTH);
    batch.rareLength -= firstRow;
  }
}
