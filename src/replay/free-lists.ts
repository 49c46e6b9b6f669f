/**
 * The free lists: which pages are free, as the buddy system's canonical blocks.
 *
 * Merging is eager in the kernel (mm/page_alloc.c __free_one_page, all versions), so the set of
 * free pages determines the blocks: two free buddies of one order never stay apart. This class keeps
 * that form under page-wise additions and removals. All operations are idempotent: adding a free
 * page or removing one that is not free changes nothing, because evidence from traces repeats itself.
 *
 * Pageblocks may be set apart (HIGHATOMIC on 5.19 and later): such a pageblock does not merge with one that is not,
 * and its blocks are counted once more on their own. Not modelled: list order (see docs/model/merging.md).
 */
import { fillStretch } from './fill.js';
import { PageBit } from './observer.js';

export class FreeLists {
  readonly maxOrder: number;
  /** Order of the free block that begins at a page, -1 elsewhere. */
  readonly headOrder: Int8Array;
  /** PageBit of each page; this class owns the `free` bit. */
  readonly pages: Uint8Array;
  /** Free blocks by zone and order: counts[zone * orders + order]. */
  readonly counts: Int32Array;
  readonly freePages: Int32Array;
  /** 1 for each pageblock that is set apart, by page >> pageblockOrder. */
  readonly apart: Uint8Array;
  /** Free blocks in pageblocks that are set apart, like `counts` (and counted there too). */
  readonly apartCounts: Int32Array;
  /** Pageblocks set apart, by zone. */
  readonly apartBlocks: Int32Array;
  /** Grows whenever one of the two changes. */
  apartChanges = 0;
  readonly orders: number;
  /** Set for a zone whose counts changed; cleared by whoever reads them. */
  readonly dirty: Uint8Array;
  /** Whether any zone is dirty. */
  anyDirty = true;
  readonly #pageblockOrder: number;
  readonly #barrier: boolean;
  #anyApart = false;

  /** `barrier`: pageblocks that are set apart do not merge with others. */
  constructor(
    pages: number,
    zones: number,
    maxOrder: number,
    pageblockOrder = maxOrder,
    barrier = true,
  ) {
    this.#barrier = barrier;
    this.maxOrder = maxOrder;
    this.#pageblockOrder = pageblockOrder;
    this.orders = maxOrder + 1;
    this.headOrder = new Int8Array(pages).fill(-1);
    this.pages = new Uint8Array(pages);
    this.counts = new Int32Array(zones * this.orders);
    this.freePages = new Int32Array(zones);
    this.dirty = new Uint8Array(zones);
    this.apart = new Uint8Array((pages >> pageblockOrder) + 1);
    this.apartCounts = new Int32Array(this.counts.length);
    this.apartBlocks = new Int32Array(zones);
  }

  /**
   * Sets a pageblock apart or gives it back. Its free blocks stay as they are: what the change allows to merge
   * merges when something next to it is freed (mm/page_alloc.c move_freepages_block does not merge).
   */
  setApart(zone: number, pageblock: number, apart: boolean): void {
    if ((this.apart[pageblock] === 1) === apart) return;
    this.apart[pageblock] = apart ? 1 : 0;
    this.apartBlocks[zone]! += apart ? 1 : -1;
    this.apartChanges++;
    this.#anyApart ||= apart;
    const first = pageblock << this.#pageblockOrder;
    const end = Math.min(first + (1 << this.#pageblockOrder), this.headOrder.length);
    for (let page = first; page < end; page++) {
      const order = this.headOrder[page]!;
      if (order >= 0) this.#countApart(zone * this.orders + order, apart ? 1 : -1);
    }
    this.dirty[zone] = 1;
    this.anyDirty = true;
  }

  #countApart(cell: number, by: number): void {
    this.apartCounts[cell] = this.apartCounts[cell]! + by;
    this.apartChanges++;
  }

  #isApart(page: number): boolean {
    return this.#anyApart && this.apart[page >> this.#pageblockOrder] === 1;
  }

  /** Whether two free buddies of this order stay two blocks. */
  #barred(head: number, buddy: number, order: number): boolean {
    return (
      this.#barrier &&
      this.#anyApart &&
      order >= this.#pageblockOrder &&
      this.apart[head >> this.#pageblockOrder] !== this.apart[buddy >> this.#pageblockOrder]
    );
  }

  isFree(page: number): boolean {
    return (this.pages[page]! & PageBit.free) !== 0;
  }

  /** First page of the free block that holds `page`, or -1. */
  blockOf(page: number): number {
    for (let order = 0; order <= this.maxOrder; order++) {
      const head = page & -(1 << order);
      if (this.headOrder[head] === order) return head;
    }
    return -1;
  }

  /** Makes the block free; pages of it that were free already stay so. State bits become `free`. */
  add(zone: number, page: number, order: number): void {
    if (order === 0) {
      if ((this.pages[page]! & PageBit.free) === 0) this.#addBlock(zone, page, 0);
      return;
    }
    const end = page + (1 << order);
    let anyFree = false;
    for (let p = page; p < end; p++) {
      if ((this.pages[p]! & PageBit.free) !== 0) {
        anyFree = true;
        break;
      }
    }
    if (!anyFree) this.#addBlock(zone, page, order);
    else {
      for (let p = page; p < end; p++) {
        if ((this.pages[p]! & PageBit.free) === 0) this.#addBlock(zone, p, 0);
      }
    }
  }

  #addBlock(zone: number, page: number, order: number): void {
    const base = zone * this.orders;
    if (order === 0) this.pages[page] = PageBit.free;
    else fillStretch(this.pages, PageBit.free, page, page + (1 << order));
    this.freePages[zone] = this.freePages[zone]! + (1 << order);
    this.dirty[zone] = 1;
    this.anyDirty = true;
    let head = page;
    let merged = order;
    while (merged < this.maxOrder) {
      const buddy = head ^ (1 << merged);
      if (this.headOrder[buddy] !== merged || this.#barred(head, buddy, merged)) break;
      this.headOrder[buddy] = -1;
      this.counts[base + merged]!--;
      if (this.#isApart(buddy)) this.#countApart(base + merged, -1);
      head &= ~(1 << merged);
      merged++;
    }
    this.headOrder[head] = merged;
    this.counts[base + merged]!++;
    if (this.#isApart(head)) this.#countApart(base + merged, 1);
  }

  /**
   * Takes the block out of the free lists, splitting what holds it; `bits` becomes the state of all
   * its pages. Returns the number of pages that were free.
   */
  remove(zone: number, page: number, order: number, bits: number): number {
    if (order === 0) return this.#removePage(zone, page, bits);
    let taken = 0;
    for (let holder = order; holder <= this.maxOrder; holder++) {
      const head = page & -(1 << holder);
      if (this.headOrder[head] === holder) {
        this.#split(zone, head, holder, page, order);
        taken = 1 << order;
        break;
      }
    }
    if (taken === 0) taken = this.#removeScattered(zone, page, order);
    fillStretch(this.pages, bits, page, page + (1 << order));
    return taken;
  }

  #removePage(zone: number, page: number, bits: number): number {
    const { pages, headOrder } = this;
    const wasFree = pages[page]! & PageBit.free;
    pages[page] = bits;
    if (wasFree === 0) return 0;
    let holder = 0;
    let head = page;
    while (headOrder[head] !== holder) {
      holder++;
      if (holder > this.maxOrder) return 0;
      head = page & -(1 << holder);
    }
    this.#split(zone, head, holder, page, 0);
    return 1;
  }

  /** Takes `page`..+2^order out of the free block (head, holder), freeing the rest as blocks. */
  #split(zone: number, head: number, holder: number, page: number, order: number): void {
    const base = zone * this.orders;
    this.headOrder[head] = -1;
    this.counts[base + holder]!--;
    if (this.#isApart(head)) this.#countApart(base + holder, -1);
    let at = head;
    for (let level = holder; level > order; ) {
      level--;
      const upper = at + (1 << level);
      const keepsLower = page < upper;
      const rest = keepsLower ? upper : at;
      this.headOrder[rest] = level;
      this.counts[base + level]!++;
      if (this.#isApart(rest)) this.#countApart(base + level, 1);
      if (!keepsLower) at = upper;
    }
    this.freePages[zone] = this.freePages[zone]! - (1 << order);
    this.dirty[zone] = 1;
    this.anyDirty = true;
  }

  /** Parts of the block are free as smaller blocks: take each of them. */
  #removeScattered(zone: number, page: number, order: number): number {
    const base = zone * this.orders;
    const end = page + (1 << order);
    let taken = 0;
    for (let p = page; p < end; ) {
      const inner = this.headOrder[p]!;
      if (inner < 0) {
        p++;
        continue;
      }
      this.headOrder[p] = -1;
      this.counts[base + inner]!--;
      if (this.#isApart(p)) this.#countApart(base + inner, -1);
      taken += 1 << inner;
      p += 1 << inner;
    }
    if (taken > 0) {
      this.freePages[zone] = this.freePages[zone]! - taken;
      this.dirty[zone] = 1;
      this.anyDirty = true;
    }
    return taken;
  }

  /** Throws if the canonical form is broken; for tests and `--paranoid`. */
  checkInvariants(zoneOf: (page: number) => number): void {
    const counts = new Int32Array(this.counts.length);
    const apart = new Int32Array(this.counts.length);
    const free = new Int32Array(this.freePages.length);
    for (let page = 0; page < this.pages.length; ) {
      const order = this.headOrder[page]!;
      if (order < 0) {
        if (this.isFree(page)) throw new Error(`page ${page} is free but in no block`);
        page++;
        continue;
      }
      const zone = zoneOf(page);
      if ((page & ((1 << order) - 1)) !== 0) throw new Error(`block ${page}/${order} is unaligned`);
      // Once set apart, a pageblock may keep a free buddy after it was given back.
      const mayStay = this.#anyApart && order >= this.#pageblockOrder;
      if (!mayStay && order < this.maxOrder && this.headOrder[page ^ (1 << order)] === order) {
        throw new Error(`buddies ${page}/${order} are both free and unmerged`);
      }
      for (let p = page; p < page + (1 << order); p++) {
        if (!this.isFree(p)) throw new Error(`page ${p} of block ${page}/${order} is not free`);
        if (p > page && this.headOrder[p] !== -1) throw new Error(`block inside block at ${p}`);
      }
      counts[zone * this.orders + order]!++;
      if (this.#isApart(page)) apart[zone * this.orders + order]!++;
      free[zone] = free[zone]! + (1 << order);
      page += 1 << order;
    }
    if (counts.some((n, i) => n !== this.counts[i])) throw new Error('counts disagree with blocks');
    if (apart.some((n, i) => n !== this.apartCounts[i]))
      throw new Error('set-apart counts disagree');
    if (free.some((n, i) => n !== this.freePages[i])) throw new Error('free pages disagree');
  }
}
