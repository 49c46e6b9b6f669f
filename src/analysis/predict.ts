/**
 * Predictions and states at given instants.
 *
 * An answer is about the state just before T. If the recording itself holds an attempt of the asked
 * order stamped T, the attempt's own events do not speak: the state is taken before the first of them
 * (its zone_locked or extfrag stands before its mm_page_alloc).
 */
import { EventBatch, EventKind } from '../records/events.js';
import type { ReplayState } from '../replay/observer.js';
import { TimeIndex } from '../replay/place.js';
import type { ReplayStop } from '../replay/reconstruct.js';
import type { EventSource } from '../replay/survey.js';

/** How many events before an mm_page_alloc its removal is looked for. */
const OWN_EVENTS_SPAN = 512;
/** … and how long before. */
const OWN_EVENTS_NS = 1e6;

/** Events at which pages leave the free lists for a request. */
function isRemoval(kind: number): boolean {
  return kind === EventKind.zoneLocked || kind === EventKind.extfrag;
}

/** Finds where in the stream an instant lies. */
export class InstantFinder {
  readonly #events: EventSource;
  readonly #index: TimeIndex;
  readonly #batch = new EventBatch();
  #loaded = -1;

  constructor(events: EventSource) {
    this.#events = events;
    this.#index = new TimeIndex(events);
  }

  /** Index of the event before which the state just before T stands. */
  before(timeNs: number): number {
    return this.#index.indexAt(timeNs);
  }

  /**
   * The same for an attempt of `order` at T: before its own events, if the recording holds them.
   * Those are the removals of that order in a row just before it on its cpu: its own removal, or the
   * refill of the per-cpu list that was made for it.
   */
  beforeAttempt(timeNs: number, order: number): number {
    const from = this.before(timeNs);
    for (let index = from; this.#load(index); index++) {
      const i = index - this.#offset();
      if (this.#batch.timeNs[i]! > timeNs) break;
      if (this.#batch.kind[i] === EventKind.alloc && this.#batch.order[i] === order) {
        return Math.min(from, this.#ownStart(index, this.#batch.cpu[i]!, order));
      }
    }
    return this.#unclaimedRefill(from, timeNs, order);
  }

  /** First of the removals of this order in a row that end just before `index` on a cpu. */
  #ownStart(index: number, cpu: number, order: number): number {
    let start = index;
    for (let back = index - 1; back >= 0 && index - back < OWN_EVENTS_SPAN; back--) {
      this.#load(back);
      const i = back - this.#offset();
      const kind = this.#batch.kind[i]!;
      if (this.#batch.cpu[i] !== cpu || kind > EventKind.extfrag) continue;
      if (!isRemoval(kind) || this.#batch.order[i] !== order) break;
      start = back;
    }
    return start;
  }

  /**
   * A refill of this order that ended just before T and that no recorded request followed was made for
   * a request that is not in the recording: the one asked about.
   */
  #unclaimedRefill(from: number, timeNs: number, order: number): number {
    for (let back = from - 1; back >= 0 && from - back < OWN_EVENTS_SPAN; back--) {
      this.#load(back);
      const i = back - this.#offset();
      if (this.#batch.timeNs[i]! < timeNs - OWN_EVENTS_NS) break;
      if (!isRemoval(this.#batch.kind[i]!) || this.#batch.order[i] !== order) continue;
      const cpu = this.#batch.cpu[i]!;
      return this.#claimed(back, from, cpu) ? from : this.#ownStart(back + 1, cpu, order);
    }
    return from;
  }

  /** Whether the cpu has another page event between the refill's end and `to`. */
  #claimed(refillEnd: number, to: number, cpu: number): boolean {
    for (let index = refillEnd + 1; index < to; index++) {
      this.#load(index);
      const i = index - this.#offset();
      if (this.#batch.cpu[i] === cpu && this.#batch.kind[i]! <= EventKind.extfrag) return true;
    }
    return false;
  }

  #offset(): number {
    return this.#events.offsetOf(this.#loaded);
  }

  #load(index: number): boolean {
    if (index < 0 || index >= this.#events.length) return false;
    const current = this.#loaded;
    if (current >= 0) {
      const offset = this.#offset();
      if (index >= offset && index < offset + this.#batch.length) return true;
    }
    let low = 0;
    let high = this.#events.batches - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#events.offsetOf(middle) <= index) low = middle;
      else high = middle - 1;
    }
    this.#events.read(low, this.#batch);
    this.#loaded = low;
    return true;
  }
}

/** A stop at each instant, in the order given; `look` gets the position in `timesNs`. */
export function stopsAt(
  finder: InstantFinder,
  timesNs: readonly number[],
  order: number | null,
  look: (state: ReplayState, position: number) => void,
): ReplayStop[] {
  return timesNs.map((timeNs, position) => ({
    index: order === null ? finder.before(timeNs) : finder.beforeAttempt(timeNs, order),
    timeNs,
    run: (state) => look(state, position),
  }));
}
