/**
 * Actions: what each event does to the free lists, decided once and replayed several times.
 *
 * The backward pass (fates.ts) knows the future of every page, so it can decide there what an event
 * means (did this free skip the per-cpu lists? is this extfrag the removal itself?) and store the
 * decision, with the dense page and the fate, in columns beside the events. The forward passes then
 * neither look at the event nor look up a pfn. Columns are kept in memory up to the recording's
 * budget and then in a temporary file.
 */
import { concatBytes } from '../io/raw.js';
import { copyOut, TempFile } from '../io/temp-file.js';
import { BATCH_CAPACITY } from '../records/events.js';
import { type MemoryMaker, ownMemory } from '../records/memory.js';

export const Action = {
  /** Changes nothing: rare kinds, duplicates, failures, pfns outside every zone. */
  none: 0,
  /** Leaves the free lists for a per-cpu list. */
  takeToPcp: 1,
  /** Leaves the free lists for its user. */
  take: 2,
  /** A removal that cannot have lasted: the pages leave again without having come back. */
  stay: 3,
  /** Enters the free lists. */
  give: 4,
  /** Enters the free lists although its order is kept on per-cpu lists. */
  giveBypassing: 5,
  /** Freed to a per-cpu list. */
  freeToPcp: 6,
  /** Handed to a caller, from a per-cpu list or after a removal of its own. */
  alloc: 7,
  /** Page level: freed, but freed again without an allocation in between: it was taken at once. */
  freeTaken: 8,
} as const;

/** Columns of one batch; index i is event i of the batch. */
export class ActionBatch {
  length = 0;
  /** Dense page, -1 for an event that moves none. */
  readonly page: Int32Array;
  /** The fate (order 0), or where its runs begin in `runs` (order > 0). */
  readonly fate = new Uint32Array(BATCH_CAPACITY);
  readonly action = new Uint8Array(BATCH_CAPACITY);
  readonly order = new Uint8Array(BATCH_CAPACITY);
  /** Migratetype of the list, -1 where the event does not say. */
  readonly type = new Int8Array(BATCH_CAPACITY);
  /** (pages, fate) pairs, `runsLength` numbers. */
  runs = new Uint32Array(4096);
  runsLength = 0;

  /** @param make memory of the pages, which observers read. */
  constructor(make: MemoryMaker = ownMemory) {
    this.page = new Int32Array(make(BATCH_CAPACITY * 4));
  }

  pushRun(pages: number, fate: number): void {
    if (this.runsLength + 2 > this.runs.length) {
      const bigger = new Uint32Array(this.runs.length * 2);
      bigger.set(this.runs);
      this.runs = bigger;
    }
    this.runs[this.runsLength++] = pages;
    this.runs[this.runsLength++] = fate;
  }
}

const BYTES_PER_EVENT = 11;

/** Action batches by number, written in any order, read any number of times. */
export class ActionSpool {
  readonly #blocks: (Uint8Array | null)[];
  readonly #places: { offset: number; length: number; runs: number }[];
  readonly #budget: number;
  #inMemory = 0;
  #file: TempFile | null = null;

  /** @param budget bytes kept in memory before a temporary file is used. */
  constructor(batches: number, budget: number) {
    this.#blocks = new Array(batches).fill(null);
    this.#places = new Array(batches);
    this.#budget = budget;
  }

  write(b: number, batch: ActionBatch): void {
    const { length, runsLength } = batch;
    const bytes = length * BYTES_PER_EVENT + runsLength * 4;
    const columns = columnsOf(batch, length, runsLength);
    const place = { offset: -1, length, runs: runsLength };
    if (this.#inMemory + bytes <= this.#budget) {
      this.#blocks[b] = concatBytes(columns, bytes);
      this.#inMemory += bytes;
    } else {
      this.#file ??= new TempFile('actions');
      place.offset = this.#file.append(...columns);
    }
    this.#places[b] = place;
  }

  read(b: number, into: ActionBatch): ActionBatch {
    const { offset, length, runs } = this.#places[b]!;
    if (into.runs.length < runs) into.runs = new Uint32Array(runs);
    const columns = columnsOf(into, length, runs);
    const block = this.#blocks[b]!;
    if (block === null) this.#file!.read(offset, ...columns);
    else copyOut(block, 0, columns);
    into.length = length;
    into.runsLength = runs;
    return into;
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
    this.#blocks.fill(null);
  }
}

/** The memory of the columns, one after the other. */
function columnsOf(batch: ActionBatch, length: number, runs: number): Uint8Array[] {
  const bytes = (
    { buffer, byteOffset, BYTES_PER_ELEMENT }: Int32Array | Uint32Array | Uint8Array | Int8Array,
    count: number,
  ): Uint8Array => new Uint8Array(buffer, byteOffset, count * BYTES_PER_ELEMENT);
  return [
    bytes(batch.page, length),
    bytes(batch.fate, length),
    bytes(batch.runs, runs),
    bytes(batch.action, length),
    bytes(batch.order, length),
    bytes(batch.type, length),
  ];
}
