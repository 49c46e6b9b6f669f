/**
 * Copies of the kernel's own state among the events: which pages they show free or in use, and how a replay
 * takes that over; which counts buddyinfo shows.
 */
import type { Diagnostics } from '../records/diagnostics.js';
import { Claim, isPageMap } from '../records/page-claims.js';
import type { BuddyinfoSnapshot } from '../records/snapshot.js';
import type { ReplayCore } from './core.js';
import { seenFates } from './fates.js';
import type { Geometry } from './geometry.js';
import { PageCopy, type PageValues } from './page-copy.js';
import type { PlacedSnapshot } from './place.js';
import { countsOf, type PlacedCopy } from './reconcile.js';

/** Pages that page_owner dumps may name in all: as many as a machine of 128 GiB has … */
const OWNED_PAGES = 2 ** 25;
/** … and for each record of theirs; on real machines a block has fewer pages on average. */
const OWNED_PER_RECORD = 256;

/**
 * Copies that tell of every page; older kernels show the first page of a free block only.
 * @param diagnostics told of dumps that name more memory than all their records can be about.
 */
export function pageCopies(
  placed: readonly PlacedSnapshot[],
  geometry: Geometry,
  diagnostics?: Diagnostics,
): PageCopy[] {
  const copies: PageCopy[] = [];
  let ownedLeft = OWNED_PAGES;
  for (const place of placed) {
    const { snapshot } = place;
    if (!isPageMap(snapshot)) continue;
    const copy = new PageCopy(snapshot, place, geometry);
    if (snapshot.kind === 'page_owner') {
      ownedLeft += OWNED_PER_RECORD * snapshot.length - copy.pages;
      if (ownedLeft < 0) {
        ownedLeft += copy.pages;
        const data = { pages: copy.pages, records: snapshot.length };
        diagnostics?.report('page-owner-span', { source: snapshot.source }, data);
        continue;
      }
    }
    copies.push(copy);
  }
  return copies;
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
export function applyCopy(core: ReplayCore, copy: PageCopy, after: PageValues): void {
  const [seenFree, seenTaken] = seenFates(copy);
  const { fate } = core;
  let position = 0;
  copy.eachRun((from, pages) => {
    for (let page = from; page < from + pages; page++, position++) {
      if (fate[page] === seenFree) core.put(page);
      else if (fate[page] === seenTaken) core.take(page, 1);
      else continue;
      fate[page] = after.at(position);
    }
  });
}

/** Sets every page that the copy tells of, whatever follows. */
export function applyMap(core: ReplayCore, copy: PageCopy): void {
  copy.eachRun((from, pages, claim) => {
    for (let page = from; page < from + pages; page++) {
      if (claim === Claim.free) core.put(page);
      else core.take(page, 1);
    }
  });
}
