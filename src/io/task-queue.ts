/**
 * A queue of small tasks from one thread to another, both of which wait at it without their event loops.
 *
 * A task is three numbers; what they mean is for the two to know. Tasks are done in order. What the giver wrote before
 * `post` is seen by the taker, and what the taker wrote before `done` by a giver that has settled.
 *
 * To wake the taker at every task would cost the giver ten microseconds each. So a taker without tasks looks by itself every
 * now and then, and is woken by a giver that waits for it.
 */

const POSTED = 0;
const DONE = 1;
const STATE = 2;
const RING = 3;
/** A power of two. */
const TASKS = 256;
const WIDTH = 3;

/** 0 before it has begun. */
const THERE = 1;
const FAILED = 2;

/** How long a taker without tasks sleeps before it looks again: longer and longer. */
const SHORT_MS = 0.1;
const LONG_MS = 5;
/** A taker that finishes no task in twice this time must be gone. (A process that was stopped meanwhile waits anew.) */
const PATIENCE_MS = 60_000;

/** Counts go round at 2^32; their distance does not. */
const distance = (later: number, earlier: number): number => (later - earlier) | 0;

export class TaskQueue {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #patienceMs: number;

  /** @param memory that of the other side's queue. */
  constructor(
    memory: SharedArrayBuffer = new SharedArrayBuffer((RING + TASKS * WIDTH) * 4),
    patienceMs = PATIENCE_MS,
  ) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
    this.#patienceMs = patienceMs;
  }

  /** Whether the taker has begun. */
  get attended(): boolean {
    return Atomics.load(this.#cells, STATE) === THERE;
  }

  /** Tasks given so far, a count that goes round. */
  get posted(): number {
    return this.#cells[POSTED]!;
  }

  /** The giver's. Waits while too many are not done. */
  post(a: number, b: number, c: number): void {
    const cells = this.#cells;
    const { posted } = this;
    this.settle((posted - TASKS + 1) | 0);
    const at = RING + (posted & (TASKS - 1)) * WIDTH;
    cells[at] = a;
    cells[at + 1] = b;
    cells[at + 2] = c;
    Atomics.store(cells, POSTED, (posted + 1) | 0);
  }

  /** The giver's: waits until the tasks up to a count are done. Throws if the taker failed, or must be gone. */
  settle(upTo: number = this.posted): void {
    const cells = this.#cells;
    let late = 0;
    for (;;) {
      const done = Atomics.load(cells, DONE);
      if (late === 2 || Atomics.load(cells, STATE) === FAILED) {
        throw new Error('a thread does not do its tasks');
      }
      if (distance(upTo, done) <= 0) return;
      Atomics.notify(cells, POSTED);
      late = Atomics.wait(cells, DONE, done, this.#patienceMs) === 'timed-out' ? late + 1 : 0;
    }
  }

  /** The taker's: tasks will be done. */
  attend(): void {
    Atomics.store(this.#cells, STATE, THERE);
  }

  /** The taker's: the next task, in `into`. Waits for it. */
  next(into: Int32Array): void {
    const cells = this.#cells;
    const done = cells[DONE]!;
    let waitMs = SHORT_MS;
    while (Atomics.load(cells, POSTED) === done) {
      if (Atomics.wait(cells, POSTED, done, waitMs) === 'timed-out') {
        waitMs = Math.min(waitMs * 1.5, LONG_MS);
      }
    }
    const at = RING + (done & (TASKS - 1)) * WIDTH;
    into.set(cells.subarray(at, at + WIDTH));
  }

  /** The taker's: the task is done. */
  done(): void {
    this.#step();
  }

  /** The taker's: no task will be done any more. */
  fail(): void {
    Atomics.store(this.#cells, STATE, FAILED);
    // A giver that is about to wait for this count to change must not miss it.
    this.#step();
  }

  #step(): void {
    const cells = this.#cells;
    Atomics.store(cells, DONE, (cells[DONE]! + 1) | 0);
    Atomics.notify(cells, DONE);
  }
}
