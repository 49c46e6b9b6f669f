/**
 * Puts perf's records in time order within bounded memory.
 *
 * perf writes what it read from each cpu's buffer one after another, so records come as a few
 * ascending runs. A FINISHED_ROUND record promises that nothing older than the newest record of the
 * round before will follow (tools/perf/util/ordered-events.c): up to there everything is merged and
 * given out, the rest waits. Without rounds at most `limit` records wait; then the older half goes.
 *
 * Rows wait in batches as the decoder wrote them. Two kinds of rows exist only here: COMM names a
 * thread, FORK lets a child inherit its parent's name; both act in time order and vanish.
 */
import {
  BATCH_CAPACITY,
  EventBatch,
  EventKind,
  LAST_PAGE_KIND,
  RARE_WIDTH,
} from '../../src/records/events.js';
import type { ThreadNames } from './thread-names.js';

/** Rows that wait at most; 35 bytes each. */
export const SORT_LIMIT = 1 << 21;
export const KIND_COMM = 200;
export const KIND_FORK = 201;

const SHIFT = 16;
const MASK = BATCH_CAPACITY - 1;

export class TimeSorter {
  readonly #names: ThreadNames;
  readonly #deliver: (batch: EventBatch) => void;
  readonly #limit: number;
  #waiting: EventBatch[] = [];
  #spare: EventBatch[] = [];
  #out: EventBatch | null = null;
  /** Newest time of all rows, and of those before the latest round's end. */
  #newest = Number.NEGATIVE_INFINITY;
  #roundLimit = Number.NEGATIVE_INFINITY;
  /** Rows of #waiting in time order, as chunk << SHIFT | row. */
  #next: Uint32Array = new Uint32Array(64);
  #ends: Uint32Array = new Uint32Array(64);
  overflowed = 0;

  constructor(names: ThreadNames, deliver: (batch: EventBatch) => void, limit = SORT_LIMIT) {
    this.#names = names;
    this.#deliver = deliver;
    this.#limit = Math.max(1, limit);
  }

  /** The decoder's batch is full: gives the next one. */
  take(full: EventBatch): EventBatch {
    this.#keep(full);
    if (this.#waiting.length * BATCH_CAPACITY >= this.#limit) {
      this.overflowed++;
      this.#merge(Number.POSITIVE_INFINITY, Math.ceil((this.#waiting.length * BATCH_CAPACITY) / 2));
    }
    return this.#fresh();
  }

  #keep(batch: EventBatch): void {
    if (batch.length === 0) return;
    this.#waiting.push(batch);
    for (let i = 0; i < batch.length; i++) {
      if (batch.timeNs[i]! > this.#newest) this.#newest = batch.timeNs[i]!;
    }
  }

  /** A round ended; `batch` is the decoder's, gives the next one to fill. */
  finishRound(batch: EventBatch): EventBatch {
    const limit = this.#roundLimit;
    this.#keep(batch);
    this.#roundLimit = this.#newest;
    return this.#mergeAndResume(batch, limit);
  }

  /** No more records: everything goes out. */
  finish(batch: EventBatch): EventBatch {
    this.#keep(batch);
    const next = this.#mergeAndResume(batch, Number.POSITIVE_INFINITY);
    this.#flushOut();
    return next;
  }

  #mergeAndResume(batch: EventBatch, limit: number): EventBatch {
    const kept = batch.length > 0;
    if (this.#waiting.length === 0) return batch;
    this.#merge(limit, Number.POSITIVE_INFINITY);
    const last = this.#waiting[this.#waiting.length - 1];
    if (last !== undefined && !last.full) {
      this.#waiting.pop();
      // What was in it is kept again later; nothing is lost by going on in the same batch.
      if (!kept) this.#spare.push(batch);
      return last;
    }
    return kept ? this.#fresh() : batch;
  }

  #fresh(): EventBatch {
    const batch = this.#spare.pop() ?? new EventBatch();
    batch.clear();
    return batch;
  }

  /** Gives out rows up to `limit` in time, `count` in number; keeps the rest, in order. */
  #merge(limit: number, count: number): void {
    const chunks = this.#waiting;
    this.#waiting = [];
    const runs = this.#findRuns(chunks);
    let left = count;
    let kept: EventBatch | null = null;
    const heap = new RunHeap(chunks, this.#next, this.#ends, runs);
    for (;;) {
      const row = heap.take();
      if (row < 0) break;
      const chunk = chunks[row >>> SHIFT]!;
      const i = row & MASK;
      if (kept === null && left > 0 && chunk.timeNs[i]! <= limit) {
        left--;
        this.#give(chunk, i);
        continue;
      }
      if (kept === null || kept.full) {
        kept = this.#fresh();
        this.#waiting.push(kept);
      }
      copyRow(chunk, i, kept);
    }
    for (const chunk of chunks) {
      chunk.clear();
      if (this.#spare.length < 64) this.#spare.push(chunk);
    }
  }

  /** Ascending runs over all waiting rows; returns how many. */
  #findRuns(chunks: readonly EventBatch[]): number {
    let runs = 0;
    let previous = Number.POSITIVE_INFINITY;
    for (let c = 0; c < chunks.length; c++) {
      const chunk = chunks[c]!;
      for (let i = 0; i < chunk.length; i++) {
        const time = chunk.timeNs[i]!;
        if (time < previous || i === 0) {
          if (runs === this.#next.length) this.#growRuns();
          this.#next[runs] = (c << SHIFT) | i;
          this.#ends[runs] = (c << SHIFT) | i;
          runs++;
        }
        this.#ends[runs - 1] = (c << SHIFT) | i;
        previous = time;
      }
    }
    return runs;
  }

  #growRuns(): void {
    const next = new Uint32Array(this.#next.length * 2);
    const ends = new Uint32Array(this.#next.length * 2);
    next.set(this.#next);
    ends.set(this.#ends);
    this.#next = next;
    this.#ends = ends;
  }

  #give(chunk: EventBatch, i: number): void {
    const kind = chunk.kind[i]!;
    if (kind === KIND_COMM) this.#names.set(chunk.pid[i]!, chunk.comm[i]!);
    else if (kind === KIND_FORK) this.#names.inherit(chunk.pid[i]!, chunk.pfn[i]!);
    else {
      this.#out ??= new EventBatch();
      if (this.#out.full) this.#flushOut();
      const row = copyRow(chunk, i, this.#out);
      if (kind !== EventKind.lost) this.#out.comm[row] = this.#names.idOf(chunk.pid[i]!);
    }
  }

  #flushOut(): void {
    if (this.#out === null) return;
    if (this.#out.length > 0) this.#deliver(this.#out);
    this.#out.clear();
  }
}

/** Appends row i of `from` to `to`; returns its index there. */
function copyRow(from: EventBatch, i: number, to: EventBatch): number {
  const row = to.length++;
  const kind = from.kind[i]!;
  to.timeNs[row] = from.timeNs[i]!;
  to.pid[row] = from.pid[i]!;
  to.comm[row] = from.comm[i]!;
  to.stack[row] = from.stack[i]!;
  to.cpu[row] = from.cpu[i]!;
  to.detail[row] = from.detail[i]!;
  to.kind[row] = kind;
  to.order[row] = from.order[i]!;
  to.migratetype[row] = from.migratetype[i]!;
  if (kind <= LAST_PAGE_KIND || kind >= KIND_COMM) to.pfn[row] = from.pfn[i]!;
  else {
    const rare = to.addRareRow();
    const source = from.pfn[i]! * RARE_WIDTH;
    for (let f = 0; f < RARE_WIDTH; f++) to.rare[rare * RARE_WIDTH + f] = from.rare[source + f]!;
    to.pfn[row] = rare;
  }
  return row;
}

/** The next rows of all runs; equal times go by run, which keeps the order of the file. */
class RunHeap {
  readonly #chunks: readonly EventBatch[];
  readonly #next: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #heap: Uint32Array;
  readonly #times: Float64Array;
  #size = 0;

  constructor(chunks: readonly EventBatch[], next: Uint32Array, ends: Uint32Array, runs: number) {
    this.#chunks = chunks;
    this.#next = next;
    this.#ends = ends;
    this.#heap = new Uint32Array(runs);
    this.#times = new Float64Array(runs);
    for (let run = 0; run < runs; run++) {
      this.#times[run] = this.#timeOf(next[run]!);
      this.#heap[run] = run;
    }
    this.#size = runs;
    for (let i = (runs >> 1) - 1; i >= 0; i--) this.#down(i);
  }

  #timeOf(row: number): number {
    return this.#chunks[row >>> SHIFT]!.timeNs[row & MASK]!;
  }

  /** The earliest row, or -1 when there are none. */
  take(): number {
    if (this.#size === 0) return -1;
    const run = this.#heap[0]!;
    const row = this.#next[run]!;
    if (row === this.#ends[run]) {
      this.#heap[0] = this.#heap[--this.#size]!;
    } else {
      this.#next[run] = row + 1;
      this.#times[run] = this.#timeOf(row + 1);
    }
    this.#down(0);
    return row;
  }

  #down(start: number): void {
    const heap = this.#heap;
    const size = this.#size;
    let at = start;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= size) return;
      const right = left + 1;
      const least = right < size && this.#before(heap[right]!, heap[left]!) ? right : left;
      if (!this.#before(heap[least]!, heap[at]!)) return;
      const kept = heap[at]!;
      heap[at] = heap[least]!;
      heap[least] = kept;
      at = least;
    }
  }

  #before(a: number, b: number): boolean {
    const ta = this.#times[a]!;
    const tb = this.#times[b]!;
    return ta < tb || (ta === tb && a < b);
  }
}
