/**
 * Maps of memory that were read some time before the trace begins: what happened in between is not in the trace.
 *
 * A page that such a map shows free, and that was taken since, stays so until an event touches it. Where copies of buddyinfo
 * tell how much is free, that does more harm than good (docs/accuracy.md has figures).
 */
import type { Snapshot } from '../records/snapshot.js';
import type { PlacedSnapshot, TimeIndex } from './place.js';

/** Events for each page of the machine after which a map is outdated. */
const EVENTS_PER_PAGE = 0.01;

/** A map of free memory that is older than the trace. */
export interface OutdatedMap {
  readonly snapshot: Snapshot;
  /** Between the map and the first event. */
  readonly gapNs: number;
  /** Events in between, if the trace was as dense before as it is after. */
  readonly events: number;
}

/** The outdated ones among the snapshots. */
export function outdatedMaps(
  placed: readonly PlacedSnapshot[],
  firstNs: number,
  finder: TimeIndex,
  pages: number,
): OutdatedMap[] {
  return placed.flatMap(({ snapshot }) => {
    const { kind, time } = snapshot;
    if (kind !== 'kpageflags' || time.located || !(time.endNs < firstNs)) return [];
    const gapNs = firstNs - time.endNs;
    const events = finder.indexAt(firstNs + gapNs);
    return events > EVENTS_PER_PAGE * pages ? [{ snapshot, gapNs, events }] : [];
  });
}
