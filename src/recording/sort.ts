/**
 * Puts events in time order: merges several inputs, and sorts one whose times go backwards.
 *
 * An external merge sort in bounded memory: windows of half a million events are sorted stably into
 * runs (natural merge sort, since trace_pipe output is long ordered bursts, one a CPU), and runs are
 * merged at most 16 at a time, through spools. Equal stamps keep the order of the inputs and of the
 * lines. An event without a time stays behind the one before it. Inputs already in order are
 * merged without being sorted; a single ordered one never comes here.
 */
import { copyIds, copyRows } from '../records/copy-rows.js';
import { BATCH_CAPACITY, EventBatch, LAST_PAGE_KIND } from '../records/events.js';
import { copyEvents, copyRareRow, EventSpool, type SpoolBudget, type SpoolWatch } from './spool.js';

const WINDOW_BATCHES = 8;
const MAX_FAN_IN = 16;

/** Some batches of a spool whose events are in order. */
interface Run {
  readonly spool: EventSpool;
  readonly from: number;
  readonly to: number;
}

/**
 * One spool with all events of `inputs` in time order. The inputs are closed.
 * @param watch sees the batches of the result.
 * @param windowBatches batches sorted at a time; less only in tests.
 */
export function mergeByTime(
  inputs: readonly EventSpool[],
  budget: SpoolBudget,
  watch: SpoolWatch | null = null,
  windowBatches = WINDOW_BATCHES,
): EventSpool {
  let runs = inputs.flatMap((spool) => runsOf(spool, budget, windowBatches));
  while (runs.length > MAX_FAN_IN) {
    const next: Run[] = [];
    for (let i = 0; i < runs.length; i += MAX_FAN_IN) {
      const spool = new EventSpool(budget);
      mergeRuns(runs.slice(i, i + MAX_FAN_IN), spool);
      next.push({ spool, from: 0, to: spool.batches });
    }
    closeAll(runs);
    runs = next;
  }
  const result = new EventSpool(budget, watch);
  mergeRuns(runs, result);
  closeAll(runs);
  return result;
}

function closeAll(runs: readonly Run[]): void {
  for (const spool of new Set(runs.map((run) => run.spool))) spool.close();
}

/** The spool itself if it is in order, else sorted windows of it in a new spool. */
function runsOf(spool: EventSpool, budget: SpoolBudget, windowBatches: number): Run[] {
  if (spool.backwards === 0) return [{ spool, from: 0, to: spool.batches }];
  const sorted = new EventSpool(budget);
  const runs: Run[] = [];
  const window = new EventBatch(windowBatches * BATCH_CAPACITY);
  const part = new EventBatch();
  const order = new StableOrder(window.capacity);
  for (let from = 0; from < spool.batches; from += windowBatches) {
    const to = Math.min(from + windowBatches, spool.batches);
    window.clear();
    for (let b = from; b < to; b++) {
      spool.read(b, part);
      copyEvents(part, 0, part.length, window);
    }
    const indices = order.of(window.timeNs, window.length);
    for (let at = 0; at < window.length; at += BATCH_CAPACITY) {
      const end = Math.min(at + BATCH_CAPACITY, window.length);
      gather(window, indices, at, end, part);
      sorted.append(part);
    }
    runs.push({ spool: sorted, from, to });
  }
  sorted.seal();
  spool.close();
  return runs;
}

/** Fills `into` with the events that `indices[from..to)` name. */
function gather(
  source: EventBatch,
  indices: Uint32Array,
  from: number,
  to: number,
  into: EventBatch,
): void {
  into.clear();
  for (let i = from; i < to; i++) {
    const s = indices[i]!;
    const t = i - from;
    copyRows(source, s, 1, into, t);
    copyIds(source, s, 1, into, t);
    if (source.kind[s]! > LAST_PAGE_KIND) into.pfn[t] = copyRareRow(source, source.pfn[s]!, into);
  }
  into.length = to - from;
}

/** Sorts indices by time, stably, by merging the ordered stretches that are there already. */
class StableOrder {
  readonly #keys: Float64Array;
  #a: Uint32Array;
  #b: Uint32Array;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
    this.#a = new Uint32Array(capacity);
    this.#b = new Uint32Array(capacity);
  }

  of(times: Float64Array, length: number): Uint32Array {
    const keys = this.#keys;
    let last = Number.NEGATIVE_INFINITY;
    let bounds: number[] = [0];
    for (let i = 0; i < length; i++) {
      const time = times[i]!;
      if (time < last) bounds.push(i);
      // Without a time: behind the one before.
      if (!Number.isNaN(time)) last = time;
      keys[i] = last;
      this.#a[i] = i;
    }
    bounds.push(length);
    while (bounds.length > 2) {
      const next: number[] = [0];
      for (let i = 0; i + 1 < bounds.length; i += 2) {
        const end = bounds[i + 2] ?? bounds[i + 1]!;
        this.#merge(bounds[i]!, bounds[i + 1]!, end);
        next.push(end);
      }
      [this.#a, this.#b] = [this.#b, this.#a];
      bounds = next;
    }
    return this.#a;
  }

  #merge(from: number, middle: number, end: number): void {
    const keys = this.#keys;
    const source = this.#a;
    const target = this.#b;
    let left = from;
    let right = middle;
    for (let at = from; at < end; at++) {
      const takeLeft =
        right >= end || (left < middle && keys[source[left]!]! <= keys[source[right]!]!);
      target[at] = takeLeft ? source[left++]! : source[right++]!;
    }
  }
}

/** Where a merge stands in one run. */
class Cursor {
  readonly batch: EventBatch;
  readonly #run: Run;
  #next: number;
  at = 0;
  /** Time of the event at `at`; an event without one has that of the event before it. */
  timeNs = Number.NEGATIVE_INFINITY;
  done = false;

  constructor(run: Run) {
    this.#run = run;
    this.batch = run.spool.makeBatch();
    this.#next = run.from;
    this.load();
  }

  /** Makes `at` point at an event, reading on if needed. */
  load(): void {
    while (this.at >= this.batch.length) {
      if (this.#next >= this.#run.to) {
        this.done = true;
        return;
      }
      this.#run.spool.read(this.#next++, this.batch);
      this.at = 0;
    }
    const time = this.batch.timeNs[this.at]!;
    if (!Number.isNaN(time)) this.timeNs = time;
  }
}

/** Merges runs into `out` and seals it. Ties go to the earlier run. */
function mergeRuns(runs: readonly Run[], out: EventSpool): void {
  const cursors = runs.map((run) => new Cursor(run)).filter((cursor) => !cursor.done);
  const batch = new EventBatch();
  while (cursors.length > 0) {
    let first = 0;
    let bound = Number.POSITIVE_INFINITY;
    let boundIsLater = true;
    for (let c = 1; c < cursors.length; c++) {
      if (cursors[c]!.timeNs < cursors[first]!.timeNs) first = c;
    }
    for (let c = 0; c < cursors.length; c++) {
      if (c === first || cursors[c]!.timeNs >= bound) continue;
      bound = cursors[c]!.timeNs;
      boundIsLater = c > first;
    }
    takeStretch(cursors[first]!, bound, boundIsLater, batch, out);
    if (cursors[first]!.done) cursors.splice(first, 1);
  }
  out.append(batch);
  out.seal();
}

/** Moves the events of one cursor that come before `bound`, up to the end of its batch. */
function takeStretch(
  cursor: Cursor,
  bound: number,
  boundIsLater: boolean,
  batch: EventBatch,
  out: EventSpool,
): void {
  const times = cursor.batch.timeNs;
  const from = cursor.at;
  const limit = Math.min(cursor.batch.length, from + batch.capacity - batch.length);
  let end = from + 1;
  while (end < limit && !(times[end]! > bound || (times[end] === bound && !boundIsLater))) end++;
  copyEvents(cursor.batch, from, end - from, batch);
  if (batch.full) {
    out.append(batch);
    batch.clear();
  }
  cursor.at = end;
  cursor.load();
}
