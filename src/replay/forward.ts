/**
 * The forward pass: every event once, in order, with stops where something else must happen.
 *
 * A stop is an event index before which the state is looked at or corrected (a snapshot's bracket,
 * a kpageflags copy, an instant somebody asked about). Rare events go to the solver in order.
 */
import { EventBatch, LAST_PAGE_KIND } from '../records/events.js';
import type { ReplayCore } from './core.js';
import type { Fates } from './fates.js';
import type { EventSource } from './survey.js';

export interface ForwardPlan {
  readonly source: EventSource;
  readonly core: ReplayCore;
  readonly fates: Fates;
  /** Event indices, ascending; may repeat and may equal the number of events (the end). */
  readonly stops: Float64Array;
  onStop(stop: number): void;
  /** Rare event number `row` in the RareLog, when its turn comes. */
  onRare(row: number): void;
  /** After event i of the batch was applied. */
  onEvent?(batch: EventBatch, i: number, index: number): void;
}

export function runForward(plan: ForwardPlan): void {
  const { source, core, fates, stops } = plan;
  const batch = new EventBatch();
  let stop = 0;
  let row = 0;
  for (let b = 0; b < source.batches; b++) {
    source.read(b, batch);
    const offset = source.offsetOf(b);
    const batchFates = fates.batches[b]!;
    const { kind, length } = batch;
    let nextStop = stop < stops.length ? stops[stop]! - offset : Number.POSITIVE_INFINITY;
    for (let i = 0; i < length; i++) {
      while (i >= nextStop) {
        plan.onStop(stop++);
        nextStop = stop < stops.length ? stops[stop]! - offset : Number.POSITIVE_INFINITY;
      }
      if (kind[i]! > LAST_PAGE_KIND) plan.onRare(row++);
      else core.apply(batch, i, offset + i, batchFates);
      plan.onEvent?.(batch, i, offset + i);
    }
  }
  while (stop < stops.length) plan.onStop(stop++);
}
