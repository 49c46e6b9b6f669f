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

/** Preempt depth in a softirq that interrupted a holder. */
const HOLDER_DEPTH = 3;

/** How deep the frees of a run were. */
const Depth = { none: 0, holder: 1, other: 2 } as const;

export class LockedRuns {
  readonly #areas: number;
  /** By cpu and area: the undecided frees since the last one decided, as a chain through `#earlier`; -1 none. */
  readonly #undecided: Int32Array;
  /** The last one decided skipped the list. */
  readonly #skipped: Uint8Array;
  /** Some of the run went to the list. */
  readonly #queued: Uint8Array;
  /** A Depth: `other` as soon as one free is not at the holder's. */
  readonly #depth: Uint8Array;
  /** By cpu: whether any of its runs holds something. */
  readonly #open: Uint8Array;
  readonly #chain = new Int32Array(BATCH_CAPACITY);

  /** @param areas number of areas that have per-cpu lists of their own. */
  constructor(cpus: number, areas: number) {
    this.#areas = areas;
    this.#undecided = new Int32Array(cpus * areas).fill(-1);
    this.#skipped = new Uint8Array(cpus * areas);
    this.#queued = new Uint8Array(cpus * areas);
    this.#depth = new Uint8Array(cpus * areas);
    this.#open = new Uint8Array(cpus);
  }

  /** A free that certainly skipped the list. @param action the batch's column of actions. */
  skipped(cpu: number, area: number, action: Uint8Array): void {
    const run = this.#run(cpu, area);
    if (this.#skipped[run] === 1 || this.#queued[run] === 0) this.#decide(run, action);
    this.#undecided[run] = -1;
    this.#skipped[run] = 1;
  }

  /** A free that certainly went to the list. */
  queued(cpu: number, area: number): void {
    const run = this.#run(cpu, area);
    this.#undecided[run] = -1;
    this.#skipped[run] = 0;
    this.#queued[run] = 1;
  }

  /** A free at index i of the batch of which nothing tells but the depth of its softirq (0 = none or not told). */
  undecided(cpu: number, area: number, i: number, depth: number): void {
    const run = this.#run(cpu, area);
    if (depth < HOLDER_DEPTH) this.#depth[run] = Depth.other;
    else if (this.#depth[run] === Depth.none) this.#depth[run] = Depth.holder;
    this.#chain[i] = this.#undecided[run]!;
    this.#undecided[run] = i;
  }

  /**
   * Anything else on a cpu: its holder may have gone on.
   * @param locked it needs the list's lock: a drain or a removal.
   */
  interrupt(cpu: number, locked: boolean, action: Uint8Array): void {
    if (this.#open[cpu] === 0) return;
    this.#open[cpu] = 0;
    for (let run = cpu * this.#areas; run < (cpu + 1) * this.#areas; run++) {
      const held = this.#skipped[run] === 1 || (locked && this.#depth[run] === Depth.holder);
      if (held && this.#queued[run] === 0) this.#decide(run, action);
      this.#undecided[run] = -1;
      this.#depth[run] = Depth.none;
      this.#skipped[run] = 0;
      this.#queued[run] = 0;
    }
  }

  /** The batch ends: its indices mean nothing in the next. */
  endBatch(action: Uint8Array): void {
    for (let cpu = 0; cpu < this.#open.length; cpu++) this.interrupt(cpu, false, action);
  }

  #run(cpu: number, area: number): number {
    this.#open[cpu] = 1;
    return cpu * this.#areas + area;
  }

  #decide(run: number, action: Uint8Array): void {
    for (let i = this.#undecided[run]!; i >= 0; i = this.#chain[i]!) {
      action[i] = Action.giveBypassing;
    }
  }
}
