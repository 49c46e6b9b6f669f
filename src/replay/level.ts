/**
 * Which level the events allow, once it is known what happens to each page next.
 *
 * The survey counts events; that some are missing shows in pages whose events do not follow one another. A page is allocated,
 * freed, drained and removed from a free list in turns (mm/page_alloc.c); what breaks them now and then (bulk
 * allocation, alloc_contig_range, frees that skip a per-cpu list) is rare.
 */
import { EventKind } from '../records/events.js';
import type { Fates } from './fates.js';
import type { ReplayLevel, Survey } from './survey.js';
import type { Unfollowed } from './unfollowed.js';

/** Share of single pages taken twice in a row from which on a part of the events is missing: in whole traces there are none … */
const PARTIAL_SHARE = 0.02;
/** … if they are not just a few. */
const ENOUGH_TWICE = 50;
/** Frees without a drain after which drains were not recorded, if there is none at all. */
const ENOUGH_BYPASSING = 100;

/** The level to replay at, and why events are not followed if they are not. */
export function levelTold(
  survey: Survey,
  fates: Fates,
): { readonly level: ReplayLevel; readonly unfollowed: Unfollowed | null } {
  const unfollowed = survey.unfollowed ?? (isPartial(fates) ? 'partial' : null);
  if (unfollowed !== null) return { level: 'snapshots', unfollowed };
  return { level: isUndrained(fates, survey) ? 'page' : survey.level, unfollowed };
}

/** Whether so many pages are taken twice in a row that a part of the events must be missing. */
function isPartial({ taken, takenTwice }: Fates): boolean {
  return takenTwice >= ENOUGH_TWICE && takenTwice > PARTIAL_SHARE * taken;
}

/** Whether pages go to per-cpu lists and leave the free lists again, but never a drain is seen. */
function isUndrained({ bypassing }: Fates, { kinds }: Survey): boolean {
  return kinds[EventKind.pcpuDrain] === 0 && bypassing >= ENOUGH_BYPASSING;
}
