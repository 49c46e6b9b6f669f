/**
 * Free pages as a plain set, and the blocks a buddy system must make of them: the obviously right twin
 * of FreeLists.
 *
 * A page is free or not. A block is the largest aligned run of free pages around it that stays within
 * one area; it is found by looking at every page. Nothing is kept up to date, so nothing can go stale.
 * Rule: mm/page_alloc.c __free_one_page, all versions (merging is eager).
 */

/** A run of pages that merge with each other and with nothing else. */
export interface NaiveArea {
  readonly first: number;
  readonly pages: number;
}

export interface NaiveBlock {
  readonly page: number;
  readonly order: number;
}

export class NaivePages {
  readonly free = new Set<number>();
  readonly areas: readonly NaiveArea[];
  readonly maxOrder: number;

  constructor(areas: readonly NaiveArea[], maxOrder: number) {
    this.areas = areas;
    this.maxOrder = maxOrder;
  }

  add(page: number, order: number): void {
    for (let p = page; p < page + 2 ** order; p++) this.free.add(p);
  }

  /** Returns how many of the pages were free. */
  remove(page: number, order: number): number {
    let were = 0;
    for (let p = page; p < page + 2 ** order; p++) if (this.free.delete(p)) were++;
    return were;
  }

  /** Whether the aligned block lies in the area and all its pages are free. */
  whole(area: NaiveArea, page: number, order: number): boolean {
    if (page < area.first || page + 2 ** order > area.first + area.pages) return false;
    for (let p = page; p < page + 2 ** order; p++) if (!this.free.has(p)) return false;
    return true;
  }

  /** The blocks of an area, in order of pages. */
  blocksOf(area: NaiveArea): NaiveBlock[] {
    const blocks: NaiveBlock[] = [];
    const end = area.first + area.pages;
    for (let page = area.first; page < end; ) {
      if (!this.free.has(page)) {
        page++;
        continue;
      }
      let order = 0;
      while (
        order < this.maxOrder &&
        page % 2 ** (order + 1) === 0 &&
        this.whole(area, page, order + 1)
      ) {
        order++;
      }
      blocks.push({ page, order });
      page += 2 ** order;
    }
    return blocks;
  }

  blocks(): NaiveBlock[] {
    return this.areas.flatMap((area) => this.blocksOf(area));
  }

  /** Free blocks by order of these areas together. */
  counts(areas: readonly NaiveArea[] = this.areas): number[] {
    const counts = new Array<number>(this.maxOrder + 1).fill(0);
    for (const area of areas) for (const { order } of this.blocksOf(area)) counts[order]!++;
    return counts;
  }
}
