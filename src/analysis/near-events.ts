/**
 * The page events around the instant an observer is called at, read from the batch that the walk is in.
 *
 * Costs nothing until asked. Near the edge of a batch fewer are known.
 */
import { EVENT_NAMES, type EventBatch, EventKind, LAST_PAGE_KIND } from '../records/events.js';
import type { RecordingStrings } from '../records/strings.js';
import type { ReplayObserver, ReplayState } from '../replay/observer.js';
import type { NearEvent } from './report-data.js';

const BEFORE = 6;
const AFTER = 3;
/** Batched frees repeat a free. */
const SAID_TWICE = EventKind.freeBatched;

export class NearEvents implements ReplayObserver {
  readonly #strings: RecordingStrings;
  #batch: EventBatch | null = null;
  /** Events [0, #seen) of the batch are applied. */
  #seen = 0;

  constructor(strings: RecordingStrings) {
    this.#strings = strings;
  }

  batch(_state: ReplayState, batch: EventBatch, _from: number, to: number): void {
    this.#batch = batch;
    this.#seen = to;
  }

  /** The last events up to now, the newest of them included, and the first ones after. */
  now(state: ReplayState): NearEvent[] {
    const batch = this.#batch;
    // A batch that was filled anew since holds later events where the old ones were.
    if (batch === null || batch.timeNs[this.#seen - 1]! > state.timeNs) return [];
    const found: NearEvent[] = [];
    for (let i = this.#seen - 1; i >= 0 && found.length < BEFORE; i--) {
      if (isPageEvent(batch, i)) found.push(this.#describe(batch, i));
    }
    found.reverse();
    const known = found.length;
    for (let i = this.#seen; i < batch.length && found.length < known + AFTER; i++) {
      if (isPageEvent(batch, i)) found.push(this.#describe(batch, i));
    }
    return found;
  }

  #describe(batch: EventBatch, i: number): NearEvent {
    return {
      timeNs: batch.timeNs[i]!,
      event: EVENT_NAMES[batch.kind[i] as EventKind],
      cpu: batch.cpu[i]!,
      comm: this.#strings.comms.text(batch.comm[i]!),
      order: batch.order[i]!,
      pfn: batch.pfn[i]!,
    };
  }
}

function isPageEvent(batch: EventBatch, i: number): boolean {
  return batch.kind[i]! <= LAST_PAGE_KIND && batch.kind[i] !== SAID_TWICE;
}
