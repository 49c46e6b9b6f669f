/**
 * A fate: what happens next to a page and at which event, packed as `index * 8 + Next`; 0 = nothing any more.
 */

/** What happens next to a page. */
export const Next = {
  /** Nothing any more in this recording. */
  none: 0,
  /** Leaves a free list: zone_locked, or extfrag where it is the only witness. */
  removal: 1,
  /** mm_page_alloc. */
  alloc: 2,
  /** mm_page_free. */
  free: 3,
  /** mm_page_pcpu_drain. */
  drain: 4,
  /** A copy shows it on a free list. */
  seenFree: 5,
  /** A copy shows it elsewhere. */
  seenTaken: 6,
} as const;

/** Fates hold 29 bits of event index; beyond 2^29 events the index saturates. */
export const MAX_FATE_INDEX = 2 ** 29 - 1;

export const nextOf = (fate: number): number => fate & 7;
/** Event index of the fate, MAX_FATE_INDEX + 1 when there is none. */
export const indexOf = (fate: number): number => (fate === 0 ? MAX_FATE_INDEX + 1 : fate >>> 3);

/** The page will be freed or seen elsewhere without an event that takes it. */
export function isGhostFate(fate: number): boolean {
  const next = fate & 7;
  return next === Next.free || next === Next.seenTaken;
}

/** A copy is the next to tell of the page. */
export function isSeenFate(fate: number): boolean {
  return (fate & 7) >= Next.seenFree;
}

/**
 * Compaction certainly does not take the page before its next event. (What it takes comes back by a free: a page
 * that is next drained went to a per-cpu list, by a request that is not in the recording.)
 */
export function isCertainFate(fate: number): boolean {
  const next = fate & 7;
  return (
    next === Next.removal || next === Next.alloc || next === Next.drain || next === Next.seenFree
  );
}
