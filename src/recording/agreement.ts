/**
 * The distance between the copies' clock and the trace's, from what both say of free memory.
 *
 * Only copies of buddyinfo speak: they say how many pages are on the free lists. The trace is read
 * in each way its events allow (see free-curve.ts); the reading that agrees best is believed.
 */
import { freePagesOf } from '../kernel/fragmentation-index.js';
import type { BuddyinfoSnapshot, Snapshot } from '../records/snapshot.js';
import { estimateOffset, type OffsetEstimate, type StampedPages } from './estimate-offset.js';
import { type CurveReading, freeCurve, readingsOf } from './free-curve.js';
import type { EventSpool } from './spool.js';

/** What was found, and by which reading of the events. */
export interface ClockAgreement extends OffsetEstimate {
  readonly reading: CurveReading;
}

/** A less exact reading must agree better than the one before it by this share to be preferred. */
const CLEARLY_BETTER = 0.02;

/**
 * The offset at which the copies of one clock agree with the events, null if there is none.
 * Offsets are for event times as they stand in the spool (since the recording's epoch).
 */
export function findAgreement(
  snapshots: readonly Snapshot[],
  events: EventSpool,
): ClockAgreement | null {
  const copies = stampedPages(snapshots);
  let best: ClockAgreement | null = null;
  for (const reading of readingsOf(events)) {
    const found = estimateOffset(copies, freeCurve(events, reading));
    if (found === null) continue;
    if (best === null || found.agreement > best.agreement + CLEARLY_BETTER) {
      best = { ...found, reading };
    }
  }
  return best;
}

/** Buddyinfo copies by time. A stamp stands for all the time it cannot tell apart. */
function stampedPages(snapshots: readonly Snapshot[]): StampedPages[] {
  return snapshots
    .filter((snapshot) => snapshot.kind === 'buddyinfo')
    .map((copy) => ({ ...stampSpan(copy), pages: pagesOf(copy) }))
    .sort((a, b) => a.beginNs - b.beginNs);
}

/** From the first instant a copy can have been taken at to the last, by its stamps alone. */
export function stampSpan({ time }: Pick<Snapshot, 'time'>): { beginNs: number; endNs: number } {
  const { beginNs, endNs, resolutionNs } = time;
  return { beginNs, endNs: endNs + (Number.isFinite(resolutionNs) ? resolutionNs : 0) };
}

function pagesOf(copy: BuddyinfoSnapshot): number {
  return copy.zones.reduce((pages, { free }) => pages + freePagesOf(free), 0);
}
