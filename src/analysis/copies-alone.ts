/**
 * Recordings of which only copies tell the free lists: without events, or with such that nothing can be followed by.
 */
import { UNFOLLOWED } from '../replay/unfollowed.js';
import type { ReportData } from './report-data.js';

/** All there is is one copy: time has no part in it. */
export function isOneCopy({ replay, span }: Pick<ReportData, 'replay' | 'span'>): boolean {
  return replay?.level === 'snapshots' && span.toNs - span.fromNs <= 1;
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
  return data.replay?.level === 'snapshots' && neverKnown(data);
}
