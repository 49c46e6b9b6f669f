/**
 * Per-cpu lists as queues, looked at from the future: what a drain tells of the pages that were freed before.
 *
 * A freed page goes to the head of the list of its cpu, order and type, and drains take from the tail
 * (mm/page_alloc.c free_unref_page_commit, free_pcppages_bulk): what was freed first is drained first. So when a
 * page is drained, no page that the same cpu freed earlier to the same list is on it any more; one that
 * was neither drained nor handed out by then never was there: its cpu's list was locked and the page
 * went straight to the free lists (free_unref_page, 6.0 and later).
 *
 * Fed backwards in time. Unmovable lists are left out: bulk allocation (5.13 and later) takes pages from
 * those without an event.
 */

const UNMOVABLE = 0;
const RECLAIMABLE = 2;
/** Lists of one cpu: by order, movable and reclaimable. */
const LISTS_PER_CPU = 32 * 2;

export class PcpQueues {
  readonly #pageblockOrder: number;
  /** Type that the next event tells of each pageblock, -1 none. */
  readonly #type: Int8Array;
  /** Event by which everything freed up to now has left the list. */
  readonly #emptyBy: Float64Array;

  constructor(pages: number, pageblockOrder: number, maxCpu: number) {
    this.#pageblockOrder = pageblockOrder;
    this.#type = new Int8Array((pages >> pageblockOrder) + 1).fill(-1);
    this.#emptyBy = new Float64Array((maxCpu + 1) * LISTS_PER_CPU).fill(Number.POSITIVE_INFINITY);
  }

  /** An event names the type of a page's list. */
  typeTold(page: number, type: number): void {
    this.#type[page >> this.#pageblockOrder] = type;
  }

  /** A block freed here is drained at an event. */
  drained(page: number, order: number, cpu: number, index: number): void {
    const list = this.#listOf(page, order, cpu);
    if (list >= 0 && index < this.#emptyBy[list]!) this.#emptyBy[list] = index;
  }

  /** The event by which a block freed here must have left its list; Infinity = not known. */
  emptyBy(page: number, order: number, cpu: number): number {
    const list = this.#listOf(page, order, cpu);
    return list < 0 ? Number.POSITIVE_INFINITY : this.#emptyBy[list]!;
  }

  /** HIGHATOMIC and CMA pages are kept on the movable lists. */
  #listOf(page: number, order: number, cpu: number): number {
    const type = this.#type[page >> this.#pageblockOrder]!;
    if (type < 0 || type === UNMOVABLE) return -1;
    return cpu * LISTS_PER_CPU + order * 2 + (type === RECLAIMABLE ? 1 : 0);
  }
}
