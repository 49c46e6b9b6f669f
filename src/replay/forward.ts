/**
 * The forward pass: every event once, in order, with stops where something else must happen.
 *
 * A stop is an event index before which the state is looked at or corrected (a snapshot's bracket,
 * a kpageflags copy, an instant somebody asked about). Rare events go to the solver in order. Passes
 * without observers read only the actions, not the events.
 */
import { BATCH_CAPACITY, EventBatch } from '../records/events.js';
import { ownMemory, sharedMemory } from '../records/memory.js';
import { ActionBatch } from './actions.js';
import type { ReplayCore } from './core.js';
import type { Fates } from './fates.js';
import type { EventSource, RareLog } from './survey.js';
import type { Watchers } from './watchers.js';

export interface ForwardPlan {
  readonly source: EventSource;
  readonly core: ReplayCore;
  readonly fates: Fates;
  readonly rare: RareLog;
  /** Event indices, ascending; may repeat and may equal the number of events (the end). */
  readonly stops: Float64Array;
  onStop(stop: number): void;
  /** Rare event number `row` in the RareLog, when its turn comes. */
  onRare(row: number): void;
  /** Events from this index on are left out (default none). */
  readonly end?: number;
  /** Applies the events instead. Without it the events themselves are not read. */
  readonly watchers?: Watchers;
}

export function runForward(plan: ForwardPlan): void {
  const { source, core, fates, stops, rare } = plan;
  const { watchers } = plan;
  const rooms = roomsFor(watchers);
  let stop = 0;
  let row = 0;
  const last = plan.end ?? Number.POSITIVE_INFINITY;
  for (let b = 0; b < source.batches && source.offsetOf(b) < last; b++) {
    const { batch, actions } = rooms[b % rooms.length]!;
    watchers?.release();
    fates.actions.read(b, actions);
    if (watchers !== undefined) source.read(b, batch);
    const offset = source.offsetOf(b);
    const end = Math.min(offset + actions.length, last);
    for (let at = offset; at < end; ) {
      if (stop < stops.length && stops[stop]! <= at) watchers?.read(actions, batch, at - offset);
      while (stop < stops.length && stops[stop]! <= at) {
        plan.onStop(stop++);
        watchers?.stir();
      }
      const nextStop = stop < stops.length ? stops[stop]! : Number.POSITIVE_INFINITY;
      const nextRare = row < rare.length ? rare.index[row]! : Number.POSITIVE_INFINITY;
      let to = Math.min(end, nextStop, nextRare);
      if (nextRare === at) {
        plan.onRare(row++);
        watchers?.stir();
        to = at + 1;
      }
      if (watchers !== undefined) watchers.walk(actions, batch, at - offset, to - offset, offset);
      else applyAll(core, actions, at - offset, to - offset, offset);
      at = to;
    }
    watchers?.finish(actions, batch);
  }
  while (stop < stops.length) plan.onStop(stop++);
}

/** Where batches are read into: by turns, if somebody reads one while the walk is in the next. */
function roomsFor(watchers: Watchers | undefined) {
  const make = watchers?.lag ? sharedMemory : ownMemory;
  const capacity = watchers === undefined ? 0 : BATCH_CAPACITY;
  return Array.from({ length: watchers?.lag ? 2 : 1 }, () => ({
    batch: new EventBatch(capacity, make),
    actions: new ActionBatch(make),
  }));
}

function applyAll(
  core: ReplayCore,
  actions: ActionBatch,
  from: number,
  to: number,
  offset: number,
): void {
  for (let i = from; i < to; i++) core.apply(actions, i, offset + i);
}
