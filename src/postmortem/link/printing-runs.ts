/**
 * When the trace's refusals could have printed a report: runs of refusals that follow each other
 * closely, in bounded memory.
 *
 * A storm of refusals is one run, whoever was refused. Where runs are too many, neighbours are joined:
 * then less is known of what lies inside a run, never of its ends.
 */
import { countBelow } from '../../replay/sorted.js';

/** Refusals nearer than this to the one before are of its run, at first, ns. */
const GAP_NS = 1e6;
const MAX_RUNS = 1 << 14;

export class PrintingRuns {
  readonly #fromNs: number[] = [];
  readonly #toNs: number[] = [];
  readonly #first: (number | null)[] = [];
  #gapNs = GAP_NS;

  get count(): number {
    return this.#fromNs.length;
  }

  /** Inside a run no refusal is farther than this from the next. */
  get gapNs(): number {
    return this.#gapNs;
  }

  /** The first refusal of a run ends here, ns on the trace's clock. */
  fromNs(run: number): number {
    return this.#fromNs[run]!;
  }

  toNs(run: number): number {
    return this.#toNs[run]!;
  }

  /** The first run that ends then or later, `count` if there is none. */
  firstEndingFrom(timeNs: number): number {
    return countBelow(this.#toNs, timeNs);
  }

  /** Index of its first refusal among those kept, null if that is like no report. */
  first(run: number): number | null {
    return this.#first[run]!;
  }

  /** Adds a refusal; they come in time order. */
  add(timeNs: number, kept: number | null): void {
    const last = this.count - 1;
    if (last >= 0 && timeNs - this.#toNs[last]! <= this.#gapNs) {
      this.#toNs[last] = timeNs;
      return;
    }
    this.#fromNs.push(timeNs);
    this.#toNs.push(timeNs);
    this.#first.push(kept);
    if (this.count >= MAX_RUNS) this.#join();
  }

  /** Joins the nearest runs, until half of the room is free. */
  #join(): void {
    do {
      this.#gapNs *= 2;
      let last = 0;
      for (let run = 1; run < this.count; run++) {
        if (this.#fromNs[run]! - this.#toNs[last]! > this.#gapNs) {
          last++;
          this.#fromNs[last] = this.#fromNs[run]!;
          this.#first[last] = this.#first[run]!;
        }
        this.#toNs[last] = this.#toNs[run]!;
      }
      for (const list of [this.#fromNs, this.#toNs, this.#first]) list.length = last + 1;
    } while (this.count > MAX_RUNS / 2);
  }
}
