/**
 * Fills one EventBatch and hands it to the sink when full.
 *
 * A stack trace follows the event it belongs to, possibly after events of other CPUs, so once a
 * source is known to hold stacks the last HELD rows stay behind at a hand-over. Times are kept as
 * the smallest and largest seen, because trace_pipe may run backwards across CPUs.
 */
import { copyRows } from '../../src/records/copy-rows.js';
import {
  BATCH_CAPACITY,
  EventBatch,
  LAST_PAGE_KIND,
  RARE_WIDTH,
} from '../../src/records/events.js';
import type { RecordSink } from '../format.js';
import type { ScannedRows } from './scanned-rows.js';

/** Copies the columns of ids that rows have. */
export type IdCopier = (
  rows: ScannedRows,
  from: number,
  count: number,
  into: EventBatch,
  at: number,
) => void;

/** Rows that a stack trace may reach back; 91 is the most seen in our recordings (two CPUs). */
export const HELD = 512;
/** Rows of a batch that is copied into a larger one: few enough to stay in a core's cache meanwhile. */
const ROWS = 1 << 13;
/** From this size on an input fills whole batches, which need not be copied. */
const BIG_BYTES = 1 << 25;

export class BatchWriter {
  readonly batch: EventBatch;
  /** Events accepted, by kind, but for those of the batch. */
  readonly counts = new Float64Array(256);
  /** The rows of the batch that were counted. */
  readonly #tally = { kinds: new Float64Array(256), ascending: true };
  /** Rows handed over so far: row i of the batch is event number `flushed + i`. */
  flushed = 0;
  #firstNs = Number.POSITIVE_INFINITY;
  #lastNs = Number.NEGATIVE_INFINITY;
  /** Rows of the batch already counted. */
  #counted = 0;
  /** Events whose time equals that of the one before. */
  ties = 0;
  holdsBack = false;
  #previousNs = Number.NaN;
  readonly #sink: RecordSink;

  /** @param inputBytes size of the input, if it is known. */
  constructor(sink: RecordSink, inputBytes = Number.NaN) {
    this.#sink = sink;
    this.batch = new EventBatch(inputBytes >= BIG_BYTES ? BATCH_CAPACITY : ROWS);
  }

  /** The smallest time handed over, NaN before there is one. */
  get firstNs(): number {
    return this.flushed === 0 ? Number.NaN : this.#firstNs;
  }

  get lastNs(): number {
    return this.flushed === 0 ? Number.NaN : this.#lastNs;
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
    batch.pfn[i] = 0;
    batch.order[i] = 0;
    batch.migratetype[i] = -1;
    batch.detail[i] = 0;
    return i;
  }

  /**
   * Takes over rows [from, from + count).
   * @param copyIds copies the ids of some of them to the batch at `at`.
   */
  append(rows: ScannedRows, from: number, count: number, copyIds: IdCopier): void {
    const { batch } = this;
    for (let done = 0; done < count; ) {
      if (batch.full) this.handOver();
      const n = Math.min(count - done, batch.capacity - batch.length);
      copyIds(rows, from + done, n, batch, batch.length);
      copyRows(rows, from + done, n, batch, batch.length);
      batch.length += n;
      done += n;
    }
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
    this.countRows();
    const { kinds } = this.#tally;
    batch.length = rows;
    batch.tally = this.holdsBack ? null : this.#tally;
    this.#sink.events(batch);
    batch.tally = null;
    for (let kind = 0; kind < kinds.length; kind++) this.counts[kind]! += kinds[kind]!;
    kinds.fill(0);
    this.#tally.ascending = true;
    this.flushed += rows;
    this.#counted = kept;
    batch.length = 0;
    if (kept > 0) this.#moveDown(rows, kept);
    else batch.rareLength = 0;
  }

  /** Counts the rows added since the last call, while they are still in the cache. */
  countRows(): void {
    const { timeNs, kind, length } = this.batch;
    const { kinds } = this.#tally;
    let first = this.#firstNs;
    let last = this.#lastNs;
    let previous = this.#previousNs;
    let ties = 0;
    let falls = 0;
    for (let i = this.#counted; i < length; i++) {
      const time = timeNs[i]!;
      if (time < first) first = time;
      if (time > last) last = time;
      if (time === previous) ties++;
      else if (time < previous && i > 0) falls++;
      previous = time;
      kinds[kind[i]!]!++;
    }
    this.#counted = length;
    if (falls > 0) this.#tally.ascending = false;
    this.#previousNs = previous;
    this.ties += ties;
    this.#firstNs = first;
    this.#lastNs = last;
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
    batch.stack.fill(0, kept);
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
