/**
 * Finds the same recording given in two forms (trace.txt beside trace.dat) and keeps one.
 *
 * Two inputs hold the same events when they have the same number of page events of every kind and
 * these cover the same length of time within the rounding of text stamps (1 us at each end). The one
 * with the finer stamps is kept; of equals, the first.
 */
import type { Diagnostics } from '../records/diagnostics.js';
import { EventBatch, LAST_PAGE_KIND } from '../records/events.js';
import type { EventSpool } from './spool.js';

/** The events of one input. */
export interface EventInput {
  readonly name: string;
  readonly spool: EventSpool;
}

/** Fewer page events than this prove nothing. */
const MIN_PAGE_EVENTS = 16;
const ROUNDING_NS = 1000;

/** The inputs without those that repeat another; spools of the repeated ones are closed. */
export function dropDuplicates(
  inputs: readonly EventInput[],
  diagnostics: Diagnostics,
): EventInput[] {
  const kept: EventInput[] = [];
  for (const input of inputs) {
    const twin = kept.findIndex((other) => sameEvents(other.spool, input.spool));
    if (twin < 0) {
      kept.push(input);
      continue;
    }
    const other = kept[twin]!;
    const better = !isFine(other.spool) && isFine(input.spool) ? input : other;
    const worse = better === other ? input : other;
    kept[twin] = better;
    diagnostics.report('input-duplicate', { source: worse.name }, { other: better.name });
    worse.spool.close();
  }
  return kept;
}

function sameEvents(a: EventSpool, b: EventSpool): boolean {
  let pages = 0;
  for (let kind = 1; kind <= LAST_PAGE_KIND; kind++) {
    if (a.countOf(kind) !== b.countOf(kind)) return false;
    pages += a.countOf(kind);
  }
  if (pages < MIN_PAGE_EVENTS) return false;
  const [aFirst, aLast] = a.pageSpanNs;
  const [bFirst, bLast] = b.pageSpanNs;
  return Math.abs(aLast - aFirst - (bLast - bFirst)) <= 2 * ROUNDING_NS;
}

/** Whether stamps are finer than a microsecond. */
function isFine(spool: EventSpool): boolean {
  if (spool.batches === 0) return false;
  const batch = spool.read(0, new EventBatch());
  for (let i = 0; i < batch.length; i++) if (batch.timeNs[i]! % 1000 !== 0) return true;
  return false;
}
