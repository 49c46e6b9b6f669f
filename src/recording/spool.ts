/**
 * The event spool: all events of a recording, decoded once, readable forwards and backwards.
 *
 * Evidence from both sides needs the stream more than once, and text is never parsed twice: so the
 * columns are kept in memory up to a budget and then in one temporary file. Batches are
 * cut anew: all but the last hold BATCH_CAPACITY events, whatever sizes were appended. Rare rows
 * travel with their batch, and a rare event's `pfn` is the row within that batch's own table.
 */
import { concatBytes } from '../io/raw.js';
import { copyOut, TempFile } from '../io/temp-file.js';
import { copyIds, copyRows } from '../records/copy-rows.js';
import { BATCH_CAPACITY, EventBatch, LAST_PAGE_KIND, RARE_WIDTH } from '../records/events.js';
import { DEFAULT_LIMITS } from '../records/limits.js';
import {
  type BatchShape,
  bytesOf,
  columnsOf,
  type EventParts,
  makeRoom,
  offsetOf,
  shapeOf,
} from './columns.js';

/** Bytes of events that all spools of one recording may together keep in memory. */
export class SpoolBudget {
  used = 0;
  /** A batch that no spool fills any more: one for each of thousands of small inputs would cost more than they do. */
  spare: EventBatch | null = null;
  readonly limit: number;

  constructor(limit: number = DEFAULT_LIMITS.spoolBytes) {
    this.limit = limit;
  }
}

/** Sees a batch and the index of its first event while it is being put away; must not keep it. */
export type SpoolWatch = (batch: EventBatch, offset: number) => void;

/** Events in time order, in memory up to a budget, then in a temporary file; read a batch at a time. */
export class EventSpool {
  readonly #budget: SpoolBudget;
  readonly #shapes: BatchShape[] = [];
  readonly #startNs: number[] = [];
  #blocks: Uint8Array[] = [];
  #offsets: number[] = [];
  #inMemory = 0;
  #file: TempFile | null = null;
  #open: EventBatch | null = null;
  readonly #watch: SpoolWatch | null;
  #length = 0;
  #sealed = false;
  #lastNs = Number.NEGATIVE_INFINITY;
  #firstNs = Number.NaN;
  #firstPageNs = Number.NaN;
  #lastPageNs = Number.NaN;
  #backwards = 0;
  readonly #kinds = new Float64Array(256);

  /** @param watch sees every batch once, in order, as it is put away. */
  constructor(budget: SpoolBudget = new SpoolBudget(), watch: SpoolWatch | null = null) {
    this.#budget = budget;
    this.#watch = watch;
  }

  /** Events. */
  get length(): number {
    return this.#length;
  }

  /** Batches, all of BATCH_CAPACITY events but the last. */
  get batches(): number {
    return this.#shapes.length;
  }

  /** Bytes of events in memory. */
  get memoryBytes(): number {
    return this.#inMemory;
  }

  /** Whether the events have left memory for a temporary file. */
  get onDisk(): boolean {
    return this.#file !== null;
  }

  /** Largest and first stamps appended, NaN when there are none. */
  get firstNs(): number {
    return this.#firstNs;
  }
  get lastNs(): number {
    return this.#lastNs === Number.NEGATIVE_INFINITY ? Number.NaN : this.#lastNs;
  }

  /** First and last stamps of page events in the order appended, NaN when there are none. */
  get pageSpanNs(): readonly [first: number, last: number] {
    return [this.#firstPageNs, this.#lastPageNs];
  }

  /** Events of one kind. */
  countOf(kind: number): number {
    return this.#kinds[kind] ?? 0;
  }

  /** How many events were stamped earlier than one before them: 0 = in time order. */
  get backwards(): number {
    return this.#backwards;
  }

  /** Copies the batch's events to the end. */
  append(batch: EventBatch): void {
    if (this.#sealed) throw new Error('append to a sealed spool');
    if (this.#open === null) {
      this.#open = this.#budget.spare ?? new EventBatch();
      this.#budget.spare = null;
    }
    const open = this.#open;
    this.#note(batch);
    this.#length += batch.length;
    let from = 0;
    // A full batch goes straight in; the parser's usual case.
    if (open.length === 0 && batch.length === BATCH_CAPACITY) {
      this.#flush(batch);
      from = batch.length;
    }
    while (from < batch.length) {
      const count = Math.min(batch.length - from, open.capacity - open.length);
      copyEvents(batch, from, count, open);
      from += count;
      if (open.full) {
        this.#flush(open);
        open.clear();
      }
    }
  }

  /** No more events: they can be read from now on. */
  seal(): void {
    if (this.#sealed) return;
    if (this.#open !== null && this.#open.length > 0) this.#flush(this.#open);
    this.#giveBack();
    this.#sealed = true;
  }

  #giveBack(): void {
    this.#open?.clear();
    this.#budget.spare ??= this.#open;
    this.#open = null;
  }

  /** A batch to read into, just large enough: there may be thousands of spools with a few events each. */
  makeBatch(): EventBatch {
    return new EventBatch(Math.min(BATCH_CAPACITY, this.#length));
  }

  /** Index of the first event of batch `b`. */
  offsetOf(b: number): number {
    return b * BATCH_CAPACITY;
  }

  /** Stamp of the first event of batch `b`, ns. */
  firstNsOf(b: number): number {
    return this.#startNs[b]!;
  }

  /**
   * Fills `into` with batch `b`, in any order and any number of times.
   * @param parts the columns that are needed; the others may hold anything.
   */
  read(b: number, into: EventBatch, parts: EventParts = 'all'): EventBatch {
    const shape = this.#shapes[b];
    if (!this.#sealed) throw new Error('read from a spool that is not sealed');
    if (shape === undefined) throw new RangeError(`batch ${b} of ${this.batches}`);
    makeRoom(into, shape, parts);
    const columns = columnsOf(into, shape, parts);
    const offset = offsetOf(shape, parts);
    if (this.#file !== null) this.#readFile(this.#offsets[b]! + offset, columns);
    else copyOut(this.#blocks[b]!, offset, columns);
    return into;
  }

  /** Deletes the temporary file and gives the memory back. */
  close(): void {
    this.#budget.used -= this.#inMemory;
    this.#inMemory = 0;
    this.#blocks = [];
    this.#file?.close();
    this.#file = null;
    this.#giveBack();
    this.#sealed = true;
    this.#shapes.length = 0;
    this.#length = 0;
  }

  #readFile(position: number, columns: readonly Uint8Array[]): void {
    const wanted = columns.reduce((sum, column) => sum + column.length, 0);
    const count = this.#file!.read(position, ...columns);
    if (count !== wanted) throw new Error(`spool file ends ${wanted - count} bytes early`);
  }

  #note(batch: EventBatch): void {
    const { length, timeNs, kind, tally } = batch;
    if (tally === null) countKinds(kind, length, this.#kinds);
    else for (let k = 0; k < tally.kinds.length; k++) this.#kinds[k]! += tally.kinds[k]!;
    const follows = tally?.ascending === true && timeNs[0]! >= this.#lastNs;
    const backwards = follows ? 0 : countBackwards(timeNs, length, this.#lastNs);
    this.#backwards += backwards;
    let firstPage = 0;
    while (firstPage < length && kind[firstPage]! > LAST_PAGE_KIND) firstPage++;
    let lastPage = length - 1;
    while (lastPage >= 0 && kind[lastPage]! > LAST_PAGE_KIND) lastPage--;
    if (this.#length === 0 && length > 0) this.#firstNs = timeNs[0]!;
    if (lastPage >= 0) {
      if (Number.isNaN(this.#firstPageNs)) this.#firstPageNs = timeNs[firstPage]!;
      this.#lastPageNs = timeNs[lastPage]!;
    }
    const end = length === 0 ? Number.NaN : timeNs[length - 1]!;
    const ordered = backwards === 0 && end >= this.#lastNs;
    this.#lastNs = ordered ? end : latest(timeNs, length, this.#lastNs);
  }

  #flush(batch: EventBatch): void {
    this.#watch?.(batch, this.#shapes.length * BATCH_CAPACITY);
    const shape = shapeOf(batch);
    const bytes = bytesOf(shape);
    const columns = columnsOf(batch, shape, 'all');
    if (this.#file === null && this.#budget.used + bytes > this.#budget.limit) this.#spill();
    if (this.#file === null) {
      this.#blocks.push(concatBytes(columns, bytes));
      this.#inMemory += bytes;
      this.#budget.used += bytes;
    } else this.#offsets.push(this.#file.append(...columns));
    this.#shapes.push(shape);
    this.#startNs.push(batch.timeNs[0]!);
  }

  /** Moves everything from memory to a temporary file. */
  #spill(): void {
    this.#file = new TempFile('events');
    for (const block of this.#blocks) this.#offsets.push(this.#file.append(block));
    this.#blocks = [];
    this.#budget.used -= this.#inMemory;
    this.#inMemory = 0;
  }
}

// Loops over a whole batch stand in functions of their own: see columns.ts.

/** The larger of `before` and all stamps. */
function latest(timeNs: Float64Array, length: number, before: number): number {
  let last = before;
  for (let i = 0; i < length; i++) if (timeNs[i]! >= last) last = timeNs[i]!;
  return last;
}

function countKinds(kind: Uint8Array, length: number, counts: Float64Array): void {
  for (let i = 0; i < length; i++) counts[kind[i]!]!++;
}

/** How many events are stamped earlier than `before` or one ahead of them. */
function countBackwards(timeNs: Float64Array, length: number, before: number): number {
  let last = before;
  let backwards = 0;
  for (let i = 0; i < length; i++) {
    const time = timeNs[i]!;
    if (time >= last) last = time;
    else if (time < last) backwards++;
  }
  return backwards;
}

/** Appends events [from, from + count) of one batch to another that has room, rare rows included. */
export function copyEvents(
  source: EventBatch,
  from: number,
  count: number,
  into: EventBatch,
): void {
  const end = from + count;
  const at = into.length;
  copyRows(source, from, count, into, at);
  copyIds(source, from, count, into, at);
  into.length = at + count;
  if (source.rareLength === 0) return;
  for (let i = from; i < end; i++) {
    if (source.kind[i]! > LAST_PAGE_KIND) {
      into.pfn[at + i - from] = copyRareRow(source, source.pfn[i]!, into);
    }
  }
}

/** Copies one rare row; returns its index in `into`. */
export function copyRareRow(source: EventBatch, row: number, into: EventBatch): number {
  const to = into.addRareRow();
  const from = row * RARE_WIDTH;
  into.rare.set(source.rare.subarray(from, from + RARE_WIDTH), to * RARE_WIDTH);
  return to;
}
