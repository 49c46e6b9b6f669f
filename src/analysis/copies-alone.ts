/**
 * Recordings of which only copies tell the free lists: without events, or with such that nothing can be followed by.
 */
import { UNFOLLOWED } from '../replay/unfollowed.js';
import type { ReportData } from './report-data.js';

/** No event moves the free lists. */
export function fromCopies({ replay }: Pick<ReportData, 'replay'>): boolean {
  return replay?.level === 'snapshots';
}

/** All there is is one copy: time has no part in it. */
export function isOneCopy(data: Pick<ReportData, 'replay' | 'span'>): boolean {
  return fromCopies(data) && data.span.toNs - data.span.fromNs <= 1;
}

/** What the trace has instead of all page events; null = all, or no trace. */
export function unfollowedWords({ replay }: Pick<ReportData, 'replay'>): string | null {
  const why = replay?.unfollowed ?? null;
  return why === null ? null : UNFOLLOWED[why];
}

/** True where no bucket of any zone is known, not even within bounds. */
export function neverKnown({ timeline }: Pick<ReportData, 'timeline'>): boolean {
  return timeline.zones.every((zone) => /^u*$/.test(zone.certainty));
}

/** There is not even a copy. */
export function hasNoCopy(data: Pick<ReportData, 'replay' | 'timeline'>): boolean {
  return fromCopies(data) && neverKnown(data);
}
