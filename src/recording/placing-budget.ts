/**
 * How much may be looked at to place copies without a time: one budget for all copies of a recording.
 *
 * A few lines of text can name blocks of a GiB, in events as in dumps, and each copy has to be held against all events.
 * What is granted grows with the events there are, so real recordings never reach it: their events move a few dozen
 * pages on average even where most memory is in huge pages. What no budget is left for is said (`snapshot-not-looked-at`).
 */

/** Copies that are looked at: more than anybody takes without writing down when. */
export const MAX_COPIES = 64;
/** Steps granted in any case: a second of work … */
const BASE = 2 ** 28;
/** … and for each event and copy. */
const PER_EVENT = 64;

export class PlacingBudget {
  #left: number;

  constructor(events: number, copies: number, base = BASE) {
    this.#left = base + PER_EVENT * events * Math.min(copies, MAX_COPIES);
  }

  /** False if there is not so much left; then nothing is, from now on. */
  spend(steps: number): boolean {
    this.#left -= steps;
    return this.#left >= 0;
  }

  get spent(): boolean {
    return this.#left < 0;
  }
}
