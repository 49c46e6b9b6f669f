/**
 * Runs of frees during which the per-cpu list was locked: what is known of some of them tells of the others.
 *
 * From 6.2 on a per-cpu list is taken with a trylock, and who does not get it frees straight to the free lists
 * (mm/page_alloc.c free_unref_page, pcp_spin_trylock). On its own cpu that happens to a softirq that interrupted the
 * holder, often to hundreds of pages in a row (RCU callbacks, network buffers), and the holder cannot go on before the
 * softirq ends. So between two frees of one cpu and zone that skipped the list, with no other page event of the cpu in
 * between, none went to it; and if nothing says that any of such a run went there, none did.
 *
 * A free tells its preempt depth where the softirq that it ran in is known. The holder has two levels (it pins its cpu and
 * holds the lock), the softirq one: a run of frees at three or deeper right after a drain or a removal, which need the lock,
 * interrupted their loop. In recordings of 6.1 to 7.3 that holds for 1457 of the 1461 such frees whose later events tell.
 *
 * Fed backwards in time, a batch of events at a time.
 */
import { BATCH_CAPACITY } from '../records/events.js';
import { Action } from './actions.js';
import { grown } from './cpu-areas.js';

/** Preempt depth in a softirq that interrupted a holder. */
const HOLDER_DEPTH = 3;

/** What is known of the run of a place, in bits. */
export const Run = {
  /** Something was said of it since the cpu did anything else. */
  open: 1,
  /** Some of it went to the list. */
  queued: 2,
  /** The last one decided skipped the list. */
  skipped: 4,
  /** Some are undecided. */
  waiting: 8,
  /** Undecided at the depth of a holder's softirq, and others. */
  deep: 16,
  shallow: 32,
} as const;

export class LockedRuns {
  /** By place (cpu-areas.ts): bits of Run. */
  #run = new Uint8Array(0);
  /** By place: the undecided frees since the last one decided, as a chain through `#chain`; -1 ends it. */
  #undecided = new Int32Array(0);
  /** By cpu: the place that was opened last, as a chain through `#nextOpen`; -1 ends it. */
  readonly #open: Int32Array;
  #nextOpen = new Int32Array(0);
  readonly #chain = new Int32Array(BATCH_CAPACITY);

  constructor(cpus: number) {
    this.#open = new Int32Array(cpus).fill(-1);
  }

  /** A free that certainly skipped the list. @param action the batch's column of actions. */
  skipped(cpu: number, place: number, action: Uint8Array): void {
    const run = this.#enter(cpu, place);
    if ((run & Run.skipped) !== 0 || (run & Run.queued) === 0) this.#decide(place, action);
    this.#run[place] = (run & ~Run.waiting) | Run.skipped;
  }

  /** A free that certainly went to the list. */
  queued(cpu: number, place: number): void {
    // Nearly all frees are of this kind, many in a row.
    if (place < this.#run.length && this.#run[place] === (Run.open | Run.queued)) return;
    const run = this.#enter(cpu, place);
    this.#run[place] = (run & ~Run.waiting & ~Run.skipped) | Run.queued;
  }

  /** A free at index i of the batch of which nothing tells but the depth of its softirq (0 = none or not told). */
  undecided(cpu: number, place: number, i: number, depth: number): void {
    const run = this.#enter(cpu, place);
    this.#chain[i] = (run & Run.waiting) !== 0 ? this.#undecided[place]! : -1;
    this.#undecided[place] = i;
    this.#run[place] = run | Run.waiting | (depth >= HOLDER_DEPTH ? Run.deep : Run.shallow);
  }

  /**
   * Anything else on a cpu: its holder may have gone on.
   * @param locked it needs the list's lock: a drain or a removal.
   */
  interrupt(cpu: number, locked: boolean, action: Uint8Array): void {
    for (let place = this.#open[cpu]!; place >= 0; place = this.#nextOpen[place]!) {
      const run = this.#run[place]!;
      const deep = locked && (run & (Run.deep | Run.shallow)) === Run.deep;
      const skipped = (run & Run.skipped) !== 0;
      if ((run & Run.queued) === 0 && (deep || skipped)) {
        this.#decide(place, action);
      }
      this.#run[place] = 0;
    }
    this.#open[cpu] = -1;
  }

  /** The batch ends: its indices mean nothing in the next. */
  endBatch(action: Uint8Array): void {
    for (let cpu = 0; cpu < this.#open.length; cpu++) this.interrupt(cpu, false, action);
  }

  /** Opens the run of a place if it is not; its bits. */
  #enter(cpu: number, place: number): number {
    if (place >= this.#run.length) {
      this.#run = grown(this.#run, place + 1, 0);
      this.#undecided = grown(this.#undecided, place + 1, -1);
      this.#nextOpen = grown(this.#nextOpen, place + 1, -1);
    }
    const run = this.#run[place]!;
    if (run !== 0) return run;
    this.#nextOpen[place] = this.#open[cpu]!;
    this.#open[cpu] = place;
    return Run.open;
  }

  /** All that wait did as those around them: they skipped the list. */
  #decide(place: number, action: Uint8Array): void {
    if ((this.#run[place]! & Run.waiting) === 0) return;
    for (let i = this.#undecided[place]!; i >= 0; i = this.#chain[i]!) {
      action[i] = Action.giveBypassing;
    }
  }
}
