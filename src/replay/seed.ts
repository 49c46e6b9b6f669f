/**
 * Seeding: which pages were free when the recording began.
 *
 * Best evidence first: a kpageflags copy (it speaks through the fates, see fates.ts);
 * the first touch of a page (one that first leaves the free lists was on them; one first drained or
 * handed out was on a per-cpu list; one first freed was allocated); and, without kpageflags, the
 * first buddyinfo copy: free blocks that the first touches show only in part are completed, largest
 * orders first, as long as the copy has more of them.
 */

import type { Zoneinfo } from '../records/snapshot.js';
import type { ReplayCore } from './core.js';
import { indexOf, Next, nextOf } from './fate.js';
import type { Fates } from './fates.js';
import { PageBit } from './observer.js';
import type { PlacedCopy } from './reconcile.js';

export type SeedKind = 'kpageflags' | 'first-touch' | 'buddyinfo' | 'none';

/** Puts every page where its first fate says it was. */
export function seedFirstTouch(core: ReplayCore, fates: Fates): void {
  const { first } = fates;
  core.fate.set(first);
  for (let page = 0; page < first.length; page++) {
    switch (nextOf(first[page]!)) {
      case Next.removal:
      case Next.seenFree:
        core.put(page);
        break;
      case Next.alloc:
        // Buddy level: it leaves a per-cpu list. Page level: those count as free.
        if (core.buddyLevel) core.lists.pages[page] = PageBit.pcp;
        else core.put(page);
        break;
      case Next.drain:
        core.lists.pages[page] = PageBit.pcp;
        break;
      case Next.free:
      case Next.seenTaken:
        core.lists.pages[page] = PageBit.allocated;
        break;
    }
  }
}

/** Pages to be free from the start, beyond those that first touches show. */
export interface Completion {
  /** Pages of CMA areas. */
  readonly cma: readonly number[];
  /** Pages that complete blocks, by the order of the block. */
  readonly byOrder: readonly (readonly number[])[];
}

/**
 * What may have been free from the start, by a copy of buddyinfo.
 * @param core seeded by first touch.
 * @param replay brings `core` to where the copy was taken.
 */
export function completeFromCopy(
  core: ReplayCore,
  fates: Fates,
  copy: PlacedCopy,
  zoneinfo: readonly Zoneinfo[],
  replay: () => void,
): Completion {
  const cma = untouchedCma(core, fates, zoneinfo);
  for (const page of cma) core.put(page);
  replay();
  const known = knownPages(core, fates);
  for (const page of cma) known[page] = 1;
  return { cma, byOrder: completeBlocks(core, copy, known, firstRemovals(fates)) };
}

/** What the replay knows of each page at this moment: 1 free, 0 elsewhere, 2 no event ever touches it. */
function knownPages(core: ReplayCore, fates: Fates): Uint8Array {
  const known = new Uint8Array(fates.first.length).fill(2);
  for (let page = 0; page < known.length; page++) {
    if (fates.first[page] !== 0) known[page] = core.lists.isFree(page) ? 1 : 0;
  }
  return known;
}

/**
 * CMA areas without a map: if zoneinfo says that most of an area is free, its pages that no event ever
 * touches are taken for free (mm/cma.c releases the whole area to the buddy system at boot). Returns
 * the pages.
 */
function untouchedCma(core: ReplayCore, fates: Fates, zoneinfo: readonly Zoneinfo[]): number[] {
  const { geometry } = core;
  const pages: number[] = [];
  for (const area of geometry.areas) {
    if (!area.cma) continue;
    const zone = geometry.zones[area.zone]!;
    const printed = zoneinfo.find((z) => z.node === zone.node && z.zone === zone.zone);
    if ((printed?.nrFreeCma ?? 0) * 2 < area.spanned) continue;
    const first = geometry.space.pageOf(area.startPfn);
    for (let page = first; page < first + area.spanned; page++) {
      if (fates.first[page] === 0) pages.push(page);
    }
  }
  return pages;
}

/**
 * Completes partly seen free blocks from a buddyinfo copy, the largest orders first. A candidate is an aligned block
 * none of whose pages is known to be elsewhere at the copy; the page of it that leaves first must be
 * its lowest, because the allocator hands out the low end of a block (mm/page_alloc.c expand).
 * `free` tells the state at the copy (1 free, 0 not, 2 not known), `leaves` the index of each
 * page's next removal. Returns the pages to be free from the start, by the order of their block.
 */
function completeBlocks(
  core: ReplayCore,
  copy: PlacedCopy,
  free: Uint8Array,
  leaves: Uint32Array,
): number[][] {
  const { geometry } = core;
  const { orders } = geometry;
  const added: number[][] = Array.from({ length: orders }, () => []);
  const used = new Uint8Array(free.length);
  for (const zone of geometry.zones) {
    for (let order = orders - 1; order > 0; order--) {
      const wanted = Math.max(0, copy.counts[zone.index * orders + order]!);
      if (wanted === 0) continue;
      const found = candidates(core, zone.areas, order, free, leaves, used);
      for (const candidate of found.slice(0, wanted)) {
        for (let p = candidate; p < candidate + (1 << order); p++) {
          used[p] = 1;
          if (free[p] === 2) added[order]!.push(p);
        }
      }
    }
  }
  return added;
}

/** Aligned blocks that can have been free, those with most pages known free first. */
function candidates(
  core: ReplayCore,
  areas: readonly number[],
  order: number,
  free: Uint8Array,
  leaves: Uint32Array,
  used: Uint8Array,
): number[] {
  const size = 1 << order;
  const found: { page: number; known: number }[] = [];
  for (const area of areas) {
    const { space } = core.geometry;
    for (let page = space.zoneStart[area]!; page < space.zoneStart[area + 1]!; page += size) {
      const known = knownFree(page, size, free, leaves, used);
      if (known > 0) found.push({ page, known });
    }
  }
  found.sort((a, b) => b.known - a.known || a.page - b.page);
  return found.map((f) => f.page);
}

/** Pages of the block known free, 0 if it cannot have been one free block. */
function knownFree(
  page: number,
  size: number,
  free: Uint8Array,
  leaves: Uint32Array,
  used: Uint8Array,
): number {
  if (used[page]) return 0;
  let known = 0;
  let earliest = page;
  for (let p = page; p < page + size; p++) {
    if (free[p] === 0 || used[p]) return 0;
    if (free[p] !== 1) continue;
    known++;
    if (leaves[p]! < leaves[earliest]!) earliest = p;
  }
  return earliest === page ? known : 0;
}

/** Index of each page's first removal, all ones where there is none. */
function firstRemovals(fates: Fates): Uint32Array {
  const leaves = new Uint32Array(fates.first.length).fill(0xffffffff);
  for (let page = 0; page < leaves.length; page++) {
    const fate = fates.first[page]!;
    const next = nextOf(fate);
    if (next === Next.removal || next === Next.alloc) leaves[page] = indexOf(fate);
  }
  return leaves;
}
