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

/** How deep the frees of a run were. */
const Depth = { none: 0, holder: 1, other: 2 } as const;

const CLOSED = -2;

export class LockedRuns {
  /** By place (cpu-areas.ts): the undecided frees since the last one decided, as a chain through `#chain`; -1 none. */
  #undecided = new Int32Array(0);
  /** The last one decided skipped the list. */
  #skipped = new Uint8Array(0);
  /** Some of the run went to the list. */
  #queued = new Uint8Array(0);
  /** A Depth: `other` as soon as one free is not at the holder's. */
  #depth = new Uint8Array(0);
  /** By cpu: the place that something was said of last, as a chain through `#nextOpen`; -1 none. */
  readonly #open: Int32Array;
  /** CLOSED = nothing was said of the place. */
  #nextOpen = new Int32Array(0);
  readonly #chain = new Int32Array(BATCH_CAPACITY);

  constructor(cpus: number) {
    this.#open = new Int32Array(cpus).fill(-1);
  }

  /** A free that certainly skipped the list. @param action the batch's column of actions. */
  skipped(cpu: number, place: number, action: Uint8Array): void {
    this.#enter(cpu, place);
    if (this.#skipped[place] === 1 || this.#queued[place] === 0) this.#decide(place, action);
    this.#undecided[place] = -1;
    this.#skipped[place] = 1;
  }

  /** A free that certainly went to the list. */
  queued(cpu: number, place: number): void {
    this.#enter(cpu, place);
    this.#undecided[place] = -1;
    this.#skipped[place] = 0;
    this.#queued[place] = 1;
  }

  /** A free at index i of the batch of which nothing tells but the depth of its softirq (0 = none or not told). */
  undecided(cpu: number, place: number, i: number, depth: number): void {
    this.#enter(cpu, place);
    if (depth < HOLDER_DEPTH) this.#depth[place] = Depth.other;
    else if (this.#depth[place] === Depth.none) this.#depth[place] = Depth.holder;
    this.#chain[i] = this.#undecided[place]!;
    this.#undecided[place] = i;
  }

  /**
   * Anything else on a cpu: its holder may have gone on.
   * @param locked it needs the list's lock: a drain or a removal.
   */
  interrupt(cpu: number, locked: boolean, action: Uint8Array): void {
    for (let place = this.#open[cpu]!; place >= 0; ) {
      const held = this.#skipped[place] === 1 || (locked && this.#depth[place] === Depth.holder);
      if (held && this.#queued[place] === 0) this.#decide(place, action);
      this.#undecided[place] = -1;
      this.#depth[place] = Depth.none;
      this.#skipped[place] = 0;
      this.#queued[place] = 0;
      const next = this.#nextOpen[place]!;
      this.#nextOpen[place] = CLOSED;
      place = next;
    }
    this.#open[cpu] = -1;
  }

  /** The batch ends: its indices mean nothing in the next. */
  endBatch(action: Uint8Array): void {
    for (let cpu = 0; cpu < this.#open.length; cpu++) this.interrupt(cpu, false, action);
  }

  #enter(cpu: number, place: number): void {
    if (place >= this.#undecided.length) this.#grow(place + 1);
    if (this.#nextOpen[place] !== CLOSED) return;
    this.#nextOpen[place] = this.#open[cpu]!;
    this.#open[cpu] = place;
  }

  #grow(places: number): void {
    this.#undecided = grown(this.#undecided, places, -1);
    this.#skipped = grown(this.#skipped, places, 0);
    this.#queued = grown(this.#queued, places, 0);
    this.#depth = grown(this.#depth, places, Depth.none);
    this.#nextOpen = grown(this.#nextOpen, places, CLOSED);
  }

  #decide(place: number, action: Uint8Array): void {
    for (let i = this.#undecided[place]!; i >= 0; i = this.#chain[i]!) {
      action[i] = Action.giveBypassing;
    }
  }
}
