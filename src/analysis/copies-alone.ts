/**
 * Recordings of which only copies tell the free lists: without events, or with events of one side (only what was taken, or only
 * what was given back), which nothing can be followed by.
 */
import type { ReportData } from './report-data.js';

/** All there is is one copy: time has no part in it. */
export function isOneCopy({ replay, span }: Pick<ReportData, 'replay' | 'span'>): boolean {
  return replay?.level === 'snapshots' && span.toNs - span.fromNs <= 1;
}

/** What was recorded where only one side was; null = no events at all, or more than copies can be followed. */
export function onlySide({ replay, counts }: Pick<ReportData, 'replay' | 'counts'>): string | null {
  if (replay?.level !== 'snapshots') return null;
  const recorded = (name: string): boolean => (counts[name] ?? counts[`kmem:${name}`] ?? 0) > 0;
  if (recorded('mm_page_alloc')) return 'mm_page_alloc without mm_page_free';
  return recorded('mm_page_free') ? 'mm_page_free without mm_page_alloc' : null;
}

/** True where no bucket of any zone is known, not even within bounds. */
export function neverKnown({ timeline }: Pick<ReportData, 'timeline'>): boolean {
  return timeline.zones.every((zone) => /^u*$/.test(zone.certainty));
}

/** There is not even a copy. */
export function hasNoCopy(data: Pick<ReportData, 'replay' | 'timeline'>): boolean {
  return data.replay?.level === 'snapshots' && neverKnown(data);
}
