/**
 * Which free block a search of compaction took, where nothing but its order is known.
 *
 * The fast search walks the MOVABLE lists from their tails (mm/compaction.c fast_isolate_freepages, 5.1 and later); the order of
 * the lists is not known, but what happens to the pages later is. A wrong choice of the right order keeps the counts
 * right until something merges or splits there.
 */
import { type Process, searchFrom } from './compaction-process.js';
import type { ReplayCore } from './core.js';
import { indexOf, isCertainFate, isGhostFate } from './fate.js';
import type { LaterFinds } from './later-finds.js';

/** Migratetype number of MOVABLE (4.4 and later). */
const MOVABLE = 1;

export class TargetBlocks {
  readonly #core: ReplayCore;
  readonly #laterFinds: LaterFinds;

  constructor(core: ReplayCore, laterFinds: LaterFinds) {
    this.#core = core;
    this.#laterFinds = laterFinds;
  }

  /**
   * Takes the likeliest movable free block of exactly this order at or above a pfn; 0 if there is none.
   * `now`: the event it is taken at; `nextTaking`: the next one at which pages can be taken.
   */
  take(order: number, fromPfn: number, process: Process, now: number, nextTaking: number): number {
    const { geometry, lists } = this.#core;
    const zonePage = geometry.space.pageFrom(process.active ? process.zoneStart : fromPfn);
    if (zonePage < 0) return 0;
    const areaFirst = geometry.areaOf(zonePage);
    const zone = geometry.areas[areaFirst]!.zone;
    let best = -1;
    let bestScore = -1;
    for (const area of geometry.zones[zone]!.areas) {
      // The fast search looks through the MOVABLE lists alone, never those of CMA.
      if (geometry.areas[area]!.cma || lists.counts[area * lists.orders + order] === 0) continue;
      const from = geometry.space.zoneStart[area]!;
      const to = geometry.space.zoneStart[area + 1]!;
      const floorPage = geometry.space.pageFrom(fromPfn);
      const step = 1 << order;
      const upper = geometry.space.pageFrom(searchFrom(process, 4, geometry.pageblockOrder));
      const begin = Math.max(from, floorPage >= 0 && floorPage < to ? floorPage & -step : from);
      for (let page = begin; page < to; page += step) {
        if (lists.headOrder[page] !== order) continue;
        const score = this.#score(page, order, upper, now, nextTaking);
        if (score > bestScore) {
          best = page;
          bestScore = score;
        }
      }
    }
    if (best < 0) return 0;
    return this.#core.take(best, 1 << order);
  }

  /** -1 = impossible; else larger is likelier. */
  #score(head: number, order: number, upper: number, now: number, nextTaking: number): number {
    const { fate, since, blockType, geometry } = this.#core;
    const type = blockType[head >> geometry.pageblockOrder]!;
    if (type !== MOVABLE && type !== -1) return -1;
    const size = 1 << order;
    let ghosts = 0;
    let newest = 0;
    let due = Number.POSITIVE_INFINITY;
    for (let page = head; page < head + size; page++) {
      const f = fate[page]!;
      if (isCertainFate(f)) return -1;
      if (isGhostFate(f)) {
        ghosts++;
        due = Math.min(due, indexOf(f));
      }
      if (since[page]! > newest) newest = since[page]!;
    }
    // Left for the search that found such a block in this pageblock while it was still there.
    if (this.#laterFinds.any(geometry.space.pfnOf(head), order, now, due)) return head / 1e9;
    // Now or never: a page of it is freed before anything else can have taken it.
    const urgent = due < nextTaking ? 1e11 : 0;
    const ghostly = urgent + (ghosts / size) * 1e10;
    // In the upper quarter the block at the tail of the list, mostly the oldest; below it the highest.
    return head >= upper ? ghostly + 1e9 + 1e9 / (1 + newest / 1e4) : ghostly + head;
  }

  /** Whether compaction can have taken all of the block. */
  uncertain(head: number, order: number): boolean {
    for (let page = head; page < head + (1 << order); page++) {
      if (isCertainFate(this.#core.fate[page]!)) return false;
    }
    return true;
  }

  /** Ghosts by when they must be gone, each with the largest block around it that can have been taken. */
  takeEarliestGhosts(need: number): number {
    const { fate, lists } = this.#core;
    const ghosts: number[] = [];
    for (let page = 0; page < fate.length; page++) {
      if (lists.isFree(page) && isGhostFate(fate[page]!)) ghosts.push(page);
    }
    ghosts.sort((a, b) => indexOf(fate[a]!) - indexOf(fate[b]!) || a - b);
    let taken = 0;
    for (const page of ghosts) {
      if (taken >= need) break;
      if (!lists.isFree(page)) continue;
      let order = 0;
      while (order < lists.maxOrder && this.#wholeUncertain(page, order + 1)) order++;
      taken += this.#core.take(page & -(1 << order), 1 << order);
    }
    return taken;
  }

  #wholeUncertain(page: number, order: number): boolean {
    const head = page & -(1 << order);
    for (let p = head; p < head + (1 << order); p++) {
      if (!this.#core.lists.isFree(p) || isCertainFate(this.#core.fate[p]!)) return false;
    }
    return true;
  }
}
