/**
 * Events spelled out one by one, as an EventSource with batches of any size.
 *
 * Small batches put batch borders everywhere, where a recording of a few hundred events would have none.
 */
import { addEvent, type PlainEvent } from '../../recording/testing/batches.js';
import { EventBatch, EventKind } from '../../records/events.js';
import { RecordingStrings } from '../../records/strings.js';
import type { EventSource } from '../survey.js';

/** An event with everything that is not given left at nothing. */
export function plain(event: Partial<PlainEvent> & Pick<PlainEvent, 'kind'>): PlainEvent {
  return {
    timeNs: 0,
    cpu: 0,
    pid: 100,
    comm: 'test',
    stack: '',
    pfn: 0,
    order: 0,
    migratetype: event.kind === EventKind.free ? -1 : 1,
    gfp: event.kind === EventKind.alloc ? 'GFP_KERNEL' : '',
    detail: 0,
    rare: [],
    ...event,
  };
}

export class EventList implements EventSource {
  readonly events: readonly PlainEvent[];
  readonly strings: RecordingStrings;
  readonly #perBatch: number;

  constructor(
    events: readonly PlainEvent[],
    strings: RecordingStrings = new RecordingStrings(),
    perBatch = 64,
  ) {
    this.events = events;
    this.strings = strings;
    this.#perBatch = perBatch;
  }

  get length(): number {
    return this.events.length;
  }

  get batches(): number {
    return Math.ceil(this.events.length / this.#perBatch);
  }

  offsetOf(batch: number): number {
    return batch * this.#perBatch;
  }

  read(batch: number, into: EventBatch): EventBatch {
    into.clear();
    const from = this.offsetOf(batch);
    const to = Math.min(from + this.#perBatch, this.length);
    for (let i = from; i < to; i++) addEvent(into, this.events[i]!, this.strings);
    return into;
  }
}

/** One batch of these events. */
export function batchOf(
  events: readonly PlainEvent[],
  strings: RecordingStrings = new RecordingStrings(),
): EventBatch {
  const batch = new EventBatch(Math.max(1, events.length));
  for (const event of events) addEvent(batch, event, strings);
  return batch;
}
