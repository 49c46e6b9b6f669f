/**
 * What events on single pages do, as a table: nearly always nothing but the event's kind, its detail and the page's next event
 * is asked. Branches on these, which nothing foretells, would take longer.
 */
import { EventKind, LAST_PAGE_KIND } from '../records/events.js';
import { Action } from './actions.js';
import { Next } from './fate.js';
import type { ReplayLevel } from './survey.js';

/** Where the table has an event: by its kind, whether its detail is 1, and its page's fate. */
export function cellOf(kind: number, detail: number, fate: number): number {
  return (kind << 4) | ((fate & 7) << 1) | (detail === 1 ? 1 : 0);
}
export const CELLS = cellOf(LAST_PAGE_KIND + 1, 0, 0);
/** More must be asked (FateTracer). */
export const UNDECIDED = 255;

/**
 * Action by cell, or UNDECIDED.
 * @param whole no events were lost: what happens next to a page is what happened next.
 */
export function singleActions(level: ReplayLevel, whole: boolean): Uint8Array {
  const actions = new Uint8Array(CELLS).fill(UNDECIDED);
  for (const next of Object.values(Next)) {
    for (const detail of [0, 1]) {
      actions[cellOf(EventKind.pcpuDrain, detail, next)] = Action.give;
      if (next === Next.removal) {
        if (!whole) continue;
        actions[cellOf(EventKind.zoneLocked, detail, next)] = Action.stay;
        if (level === 'buddy') actions[cellOf(EventKind.free, detail, next)] = Action.giveBypassing;
        continue;
      }
      const taken = detail === 1 ? Action.takeToPcp : Action.take;
      actions[cellOf(EventKind.zoneLocked, detail, next)] = taken;
      if (level === 'buddy') actions[cellOf(EventKind.free, detail, next)] = Action.freeToPcp;
      if (next !== Next.alloc) actions[cellOf(EventKind.alloc, detail, next)] = Action.alloc;
    }
  }
  return actions;
}
