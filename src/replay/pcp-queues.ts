/**
 * Per-cpu lists as queues, looked at from the future: what a drain tells of the pages that were freed before.
 *
 * A freed page goes to the head of the list of its zone, cpu, order and type, and drains take from the tail
 * (mm/page_alloc.c free_unref_page_commit, free_pcppages_bulk): what was freed first is drained first. So when a
 * page is drained, no page that the same cpu freed earlier to the same list is on it any more; one that
 * was neither drained nor handed out by then never was there: its cpu's list was locked and the page
 * went straight to the free lists (free_unref_page, 6.0 and later).
 *
 * Fed backwards in time. Unmovable lists are left out: bulk allocation (5.13 and later) takes pages from
 * those without an event.
 */

import { CpuAreas, grown } from './cpu-areas.js';
import type { PfnSpace } from './pfn-space.js';

const UNMOVABLE = 0;
const RECLAIMABLE = 2;
/** Lists of one cpu in one zone: by order, movable and reclaimable. */
const LISTS = 32 * 2;

export class PcpQueues {
  readonly #pageblockOrder: number;
  /** Area of each pageblock: zones have lists of their own (and areas of a zone lose nothing by it). */
  readonly #area: Uint16Array;
  /** Type that the next event tells of each pageblock, -1 none. */
  readonly #type: Int8Array;
  /** Event by which everything freed up to now has left the list. */
  #emptyBy = new Float64Array(0);
  readonly #places: CpuAreas;

  constructor(space: PfnSpace, pageblockOrder: number) {
    this.#pageblockOrder = pageblockOrder;
    const pageblocks = (space.size >> pageblockOrder) + 1;
    this.#area = Uint16Array.from({ length: pageblocks }, (_, block) =>
      Math.max(0, space.zoneOf(Math.min(block << pageblockOrder, space.size - 1))),
    );
    this.#type = new Int8Array(pageblocks).fill(-1);
    this.#places = new CpuAreas(this.#area.reduce((most, area) => Math.max(most, area), 0) + 1);
  }

  /** Number of the lists that a page freed here goes to, of a cpu and an area. */
  placeOf(page: number, cpu: number): number {
    return this.#places.id(cpu, this.#area[page >> this.#pageblockOrder]!);
  }

  /** An event names the type of a page's list. */
  typeTold(page: number, type: number): void {
    this.#type[page >> this.#pageblockOrder] = type;
  }

  /** A block freed here is drained at an event. @param place of the page and its cpu, as placeOf says. */
  drained(page: number, order: number, place: number, index: number): void {
    const list = this.#listOf(page, order, place);
    if (list < 0) return;
    if (list >= this.#emptyBy.length) {
      this.#emptyBy = grown(this.#emptyBy, list + 1, Number.POSITIVE_INFINITY);
    }
    if (index < this.#emptyBy[list]!) this.#emptyBy[list] = index;
  }

  /** The event by which a block freed here must have left its list; Infinity = not known. */
  emptyBy(page: number, order: number, place: number): number {
    const list = this.#listOf(page, order, place);
    const known = list >= 0 && list < this.#emptyBy.length;
    return known ? this.#emptyBy[list]! : Number.POSITIVE_INFINITY;
  }

  /** HIGHATOMIC and CMA pages are kept on the movable lists. */
  #listOf(page: number, order: number, place: number): number {
    const block = page >> this.#pageblockOrder;
    const type = this.#type[block]!;
    if (type < 0 || type === UNMOVABLE) return -1;
    return place * LISTS + order * 2 + (type === RECLAIMABLE ? 1 : 0);
  }
}
