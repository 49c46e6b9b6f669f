/**
 * Copies of the kernel's own state among the events: which pages they show free or in use, and how a replay
 * takes that over; which counts buddyinfo shows.
 */
import {
  Claim,
  eachClaim,
  isPageMap,
  type PageMapSnapshot,
  tellsFree,
} from '../records/page-claims.js';
import type { BuddyinfoSnapshot } from '../records/snapshot.js';
import type { ReplayCore } from './core.js';
import { type FreeMapCopy, indexOf, MAX_FATE_INDEX, Next, nextOf } from './fates.js';
import type { Geometry } from './geometry.js';
import type { PlacedSnapshot } from './place.js';
import { countsOf, type PlacedCopy } from './reconcile.js';

/** Copies that tell of every page; older kernels show the first page of a free block only. */
export function freeMapCopies(
  placed: readonly PlacedSnapshot[],
  geometry: Geometry,
): FreeMapCopy[] {
  const copies: FreeMapCopy[] = [];
  for (const { snapshot, beginIndex, endIndex } of placed) {
    if (!isPageMap(snapshot)) continue;
    const state = freeMapOf(snapshot, geometry);
    copies.push({ beginIndex, endIndex, state, tellsFree: tellsFree(snapshot) });
  }
  return copies;
}

function freeMapOf(snapshot: PageMapSnapshot, geometry: Geometry): Uint8Array {
  const { space, areas } = geometry;
  const state = new Uint8Array(space.size).fill(Claim.silent);
  eachClaim(snapshot, (pfn, claim) => {
    const page = space.pageOf(pfn);
    if (page < 0) return;
    // Beside an area lies padding up to a whole section.
    const { startPfn, spanned } = areas[geometry.areaOf(page)]!;
    if (pfn >= startPfn && pfn < startPfn + spanned) state[page] = claim;
  });
  return state;
}

export function buddyinfoCopies(
  placed: readonly PlacedSnapshot[],
  geometry: Geometry,
): PlacedCopy[] {
  return placed
    .filter(
      (p): p is PlacedSnapshot & { snapshot: BuddyinfoSnapshot } => p.snapshot.kind === 'buddyinfo',
    )
    .map(({ snapshot, beginIndex, endIndex, timeNs }) => ({
      snapshot,
      beginIndex,
      endIndex,
      timeNs,
      counts: countsOf(snapshot, geometry),
    }));
}

/** Sets the pages whose fate was what this copy shows; they get the fate that comes after it. */
export function applyCopy(core: ReplayCore, copy: FreeMapCopy, after: Uint32Array): void {
  const index = Math.min(copy.beginIndex, MAX_FATE_INDEX);
  for (let page = 0; page < after.length; page++) {
    const fate = core.fate[page]!;
    const next = nextOf(fate);
    if ((next !== Next.seenFree && next !== Next.seenTaken) || indexOf(fate) !== index) continue;
    if (next === Next.seenFree) core.put(page);
    else core.take(page, 1);
    core.fate[page] = after[page]!;
  }
}

/** Sets every page that the copy tells of, whatever follows. */
export function applyMap(core: ReplayCore, copy: FreeMapCopy): void {
  for (let page = 0; page < copy.state.length; page++) {
    if (copy.state[page] === 1) core.put(page);
    else if (copy.state[page] === 0) core.take(page, 1);
  }
}
