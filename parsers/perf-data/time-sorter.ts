/**
 * Puts perf's records in time order within bounded memory.
 *
 * perf writes what it read from each cpu's buffer one after another, so records come as a few
 * ascending runs. A FINISHED_ROUND record promises that nothing older than the newest record of the
 * round before will follow (tools/perf/util/ordered-events.c): up to there the runs are merged and
 * given out, what is younger waits in place. Without rounds at most `limit` records wait; then the
 * older half goes.
 *
 * Rows wait in the batches the decoder wrote. Two kinds of rows exist only here: COMM names a
 * thread, FORK lets a child inherit its parent's name; both act in time order and vanish.
 */
import {
  BATCH_CAPACITY,
  EventBatch,
  EventKind,
  LAST_PAGE_KIND,
  RARE_WIDTH,
} from '../../src/records/events.js';
import { RunHeap } from './run-heap.js';
import type { ThreadNames } from './thread-names.js';

/** Rows that wait at most; 35 bytes each. */
export const SORT_LIMIT = 1 << 21;
export const KIND_COMM = 200;
export const KIND_FORK = 201;

const SPARE_BATCHES = 8;

export class TimeSorter {
  /** How often the limit was reached without a round. */
  overflowed = 0;
  readonly #names: ThreadNames;
  readonly #deliver: (batch: EventBatch) => void;
  readonly #limit: number;
  /** Batches that hold waiting rows; the last one may be the decoder's. */
  #batches: EventBatch[] = [];
  #spare: EventBatch[] = [];
  #out: EventBatch | null = null;
  readonly #runs = new RunHeap();
  /** The batch being filled, and how many of its rows belong to runs already. */
  #filling: EventBatch | null = null;
  #scanned = 0;
  /** Newest time of all rows, and of those before the latest round's end. */
  #newest = Number.NEGATIVE_INFINITY;
  #roundLimit = Number.NEGATIVE_INFINITY;

  constructor(names: ThreadNames, deliver: (batch: EventBatch) => void, limit = SORT_LIMIT) {
    this.#names = names;
    this.#deliver = deliver;
    this.#limit = Math.max(1, limit);
  }

  /** The decoder's batch is full: gives the next one. */
  take(full: EventBatch): EventBatch {
    this.#scan(full);
    this.#filling = null;
    this.#scanned = 0;
    if (this.#batches.length * BATCH_CAPACITY >= this.#limit) {
      this.overflowed++;
      const rows = this.#batches.length * BATCH_CAPACITY;
      this.#merge(Number.POSITIVE_INFINITY, Math.ceil(rows / 2));
    }
    const next = this.#spare.pop() ?? new EventBatch();
    next.clear();
    return next;
  }

  /** A round ended; `batch` is the decoder's and goes on being filled. */
  finishRound(batch: EventBatch): EventBatch {
    const limit = this.#roundLimit;
    this.#scan(batch);
    this.#roundLimit = this.#newest;
    this.#merge(limit, Number.POSITIVE_INFINITY);
    return batch;
  }

  /** No more records: everything goes out. */
  finish(batch: EventBatch): EventBatch {
    this.#scan(batch);
    this.#merge(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    this.#flushOut();
    return batch;
  }

  /** Takes the rows written since last time into runs. */
  #scan(batch: EventBatch): void {
    if (batch.length === this.#scanned) return;
    if (this.#filling !== batch) {
      this.#filling = batch;
      this.#batches.push(batch);
    }
    const times = batch.timeNs;
    let start = this.#scanned;
    let previous = times[start]!;
    let newest = Math.max(this.#newest, previous);
    for (let i = start + 1; i < batch.length; i++) {
      const time = times[i]!;
      if (time < previous) {
        this.#runs.add(batch, start, i);
        start = i;
      } else if (time > newest) newest = time;
      previous = time;
    }
    this.#runs.add(batch, start, batch.length);
    this.#newest = newest;
    this.#scanned = batch.length;
  }

  /** Gives out rows up to `limit` in time, about `count` in number; the rest stays. */
  #merge(limit: number, count: number): void {
    const runs = this.#runs;
    let left = count;
    runs.begin();
    while (left > 0 && !runs.empty && runs.firstTime <= limit) {
      const from = runs.firstRow;
      const to = runs.stretch(limit);
      this.#give(runs.firstBatch, from, to);
      left -= to - from;
      runs.advance(to);
    }
    runs.end();
    this.#release();
  }

  /** Batches without waiting rows are free again. */
  #release(): void {
    const used = this.#runs.used();
    if (used.size === this.#batches.length) return;
    const still: EventBatch[] = [];
    for (const batch of this.#batches) {
      if (used.has(batch)) {
        still.push(batch);
        continue;
      }
      batch.clear();
      if (batch === this.#filling) {
        // The decoder goes on in it from the start.
        this.#filling = null;
        this.#scanned = 0;
      } else if (this.#spare.length < SPARE_BATCHES) this.#spare.push(batch);
    }
    this.#batches = still;
  }

  #give(batch: EventBatch, from: number, to: number): void {
    for (let i = from; i < to; ) {
      const kind = batch.kind[i]!;
      if (kind === KIND_COMM) this.#names.set(batch.pid[i]!, batch.comm[i]!);
      else if (kind === KIND_FORK) this.#names.inherit(batch.pid[i]!, batch.pfn[i]!);
      else if (kind > LAST_PAGE_KIND) this.#giveRare(batch, i);
      else {
        i = this.#givePages(batch, i, to);
        continue;
      }
      i++;
    }
  }

  /** Copies page events from i on, as far as they go; returns the row after them. */
  #givePages(batch: EventBatch, i: number, to: number): number {
    const out = this.#room();
    const names = this.#names;
    const end = Math.min(to, i + out.capacity - out.length);
    let row = out.length;
    let at = i;
    for (; at < end; at++, row++) {
      const kind = batch.kind[at]!;
      if (kind > LAST_PAGE_KIND) break;
      const pid = batch.pid[at]!;
      out.timeNs[row] = batch.timeNs[at]!;
      out.pfn[row] = batch.pfn[at]!;
      out.pid[row] = pid;
      out.comm[row] = names.idOf(pid);
      out.stack[row] = batch.stack[at]!;
      out.cpu[row] = batch.cpu[at]!;
      out.detail[row] = batch.detail[at]!;
      out.kind[row] = kind;
      out.order[row] = batch.order[at]!;
      out.migratetype[row] = batch.migratetype[at]!;
    }
    out.length = row;
    return at;
  }

  #giveRare(batch: EventBatch, i: number): void {
    const out = this.#room();
    const row = out.length++;
    const kind = batch.kind[i]!;
    const pid = batch.pid[i]!;
    out.timeNs[row] = batch.timeNs[i]!;
    out.pid[row] = pid;
    out.comm[row] = kind === EventKind.lost ? 0 : this.#names.idOf(pid);
    out.stack[row] = batch.stack[i]!;
    out.cpu[row] = batch.cpu[i]!;
    out.detail[row] = batch.detail[i]!;
    out.kind[row] = kind;
    out.order[row] = batch.order[i]!;
    out.migratetype[row] = batch.migratetype[i]!;
    const rare = out.addRareRow();
    const source = batch.pfn[i]! * RARE_WIDTH;
    for (let f = 0; f < RARE_WIDTH; f++) out.rare[rare * RARE_WIDTH + f] = batch.rare[source + f]!;
    out.pfn[row] = rare;
  }

  #room(): EventBatch {
    this.#out ??= new EventBatch();
    if (this.#out.full) this.#flushOut();
    return this.#out;
  }

  #flushOut(): void {
    if (this.#out === null) return;
    if (this.#out.length > 0) this.#deliver(this.#out);
    this.#out.clear();
  }
}
