/**
 * Actions: what each event does to the free lists, decided once and replayed several times.
 *
 * The backward pass (fates.ts) knows the future of every page, so it can decide there what an event
 * means (did this free skip the per-cpu lists? is this extfrag the removal itself?) and store the
 * decision, with the dense page and the fate, in columns beside the events. The forward passes then
 * neither look at the event nor look up a pfn. Columns are kept in memory up to the recording's
 * budget and then in a temporary file.
 */
import { TempFile } from '../io/temp-file.js';
import { BATCH_CAPACITY } from '../records/events.js';

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
  readonly page = new Int32Array(BATCH_CAPACITY);
  /** The fate (order 0), or where its runs begin in `runs` (order > 0). */
  readonly fate = new Uint32Array(BATCH_CAPACITY);
  readonly action = new Uint8Array(BATCH_CAPACITY);
  readonly order = new Uint8Array(BATCH_CAPACITY);
  /** Migratetype of the list, -1 where the event does not say. */
  readonly type = new Int8Array(BATCH_CAPACITY);
  /** (pages, fate) pairs, `runsLength` numbers. */
  runs = new Uint32Array(4096);
  runsLength = 0;

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
  readonly #places: { offset: number; bytes: number; length: number; runs: number }[];
  readonly #budget: number;
  #inMemory = 0;
  #file: TempFile | null = null;
  #scratch = new Uint8Array(0);

  /** @param budget bytes kept in memory before a temporary file is used. */
  constructor(batches: number, budget: number) {
    this.#blocks = new Array(batches).fill(null);
    this.#places = new Array(batches);
    this.#budget = budget;
  }

  write(b: number, batch: ActionBatch): void {
    const bytes = batch.length * BYTES_PER_EVENT + batch.runsLength * 4;
    const kept = this.#inMemory + bytes <= this.#budget;
    const block = kept ? new Uint8Array(bytes) : this.#room(bytes);
    let at = 0;
    const put = (view: Int32Array | Uint32Array | Uint8Array | Int8Array, length: number): void => {
      const size = length * view.BYTES_PER_ELEMENT;
      block.set(new Uint8Array(view.buffer, view.byteOffset, size), at);
      at += size;
    };
    put(batch.page, batch.length);
    put(batch.fate, batch.length);
    put(batch.runs, batch.runsLength);
    put(batch.action, batch.length);
    put(batch.order, batch.length);
    put(batch.type, batch.length);
    const place = { offset: -1, bytes, length: batch.length, runs: batch.runsLength };
    if (kept) {
      this.#blocks[b] = block;
      this.#inMemory += bytes;
    } else {
      this.#file ??= new TempFile('actions');
      place.offset = this.#file.append(block);
    }
    this.#places[b] = place;
  }

  read(b: number, into: ActionBatch): ActionBatch {
    const place = this.#places[b]!;
    let block = this.#blocks[b]!;
    if (block === null) {
      block = this.#room(place.bytes);
      this.#file!.read(place.offset, block);
    }
    let at = 0;
    const get = (view: Int32Array | Uint32Array | Uint8Array | Int8Array, length: number): void => {
      const size = length * view.BYTES_PER_ELEMENT;
      new Uint8Array(view.buffer, view.byteOffset, size).set(block.subarray(at, at + size));
      at += size;
    };
    if (into.runs.length < place.runs) into.runs = new Uint32Array(place.runs);
    get(into.page, place.length);
    get(into.fate, place.length);
    get(into.runs, place.runs);
    get(into.action, place.length);
    get(into.order, place.length);
    get(into.type, place.length);
    into.length = place.length;
    into.runsLength = place.runs;
    return into;
  }

  /** The bytes of one batch on their way to or from the file. */
  #room(bytes: number): Uint8Array {
    if (this.#scratch.length < bytes) this.#scratch = new Uint8Array(bytes);
    return this.#scratch.subarray(0, bytes);
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
    this.#blocks.fill(null);
  }
}
