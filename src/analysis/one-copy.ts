/**
 * Recordings of one moment: all they tell of is one copy of the free lists, and time has no part in it.
 */
import type { ReportData } from './report-data.js';

export function isOneCopy({ replay, span }: Pick<ReportData, 'replay' | 'span'>): boolean {
  return replay?.level === 'snapshots' && span.toNs - span.fromNs <= 1;
}
