/**
 * A small kernel: a buddy allocator with per-cpu lists and migratetypes over plain sets of pages, which
 * prints the events a real kernel prints and knows the truth after each of them.
 *
 * Free pages are sets (naive-pages.ts), per-cpu lists are arrays, nothing is clever. What it models of
 * mm/page_alloc.c: smallest fit and low end first (rmqueue), fallback with steal and claim in the two
 * dialects of extfrag (docs/model/event-semantics.md), refills and drains of per-cpu lists, frees that
 * bypass them, bulk allocation, split pages. Not modelled: watermarks, HIGHATOMIC, list order.
 */
import type { PlainEvent } from '../../recording/testing/batches.js';
import { EventKind, PFN_NONE, packExtfrag } from '../../records/events.js';
import { plain } from './event-list.js';
import { type NaiveArea, type NaiveBlock, NaivePages } from './naive-pages.js';

export const UNMOVABLE = 0;
export const MOVABLE = 1;
export const CMA = 4;

export interface SmallZone {
  readonly node?: number;
  readonly zone: string;
  readonly startPfn: number;
  readonly pages: number;
  /** Pages at the end of the zone that belong to a CMA area. */
  readonly cmaPages?: number;
}

export interface SmallKernelOptions {
  readonly zones: readonly SmallZone[];
  readonly maxOrder?: number;
  readonly pageblockOrder?: number;
  /** Orders kept on per-cpu lists: [0] up to 5.12, [0,1,2,3] and the huge page's later. */
  readonly pcpOrders?: readonly number[];
  /** Blocks a refill takes, and a full list gives back. */
  readonly batch?: number;
  /** Blocks of a cpu's list of one order and type beyond which it is drained. */
  readonly high?: number;
  /** Pages on all of a cpu's lists at which the list of the page just freed is drained (5.19 to 6.6), instead of `high`. */
  readonly highOfCpu?: number;
  /** Steals and claims of whole pageblocks print extfrag alone (6.10 and later). */
  readonly stealsSilently?: boolean;
}

/** Two zones of a few pageblocks, with short per-cpu lists. */
export const smallMachine = (more: Partial<SmallKernelOptions> = {}): SmallKernelOptions => ({
  zones: [
    { zone: 'DMA', startPfn: 64, pages: 192 },
    { zone: 'DMA32', startPfn: 512, pages: 256 },
  ],
  maxOrder: 6,
  pageblockOrder: 4,
  high: 6,
  batch: 4,
  ...more,
});

export interface Logged {
  readonly event: PlainEvent;
  /** Free blocks after the event: zone * orders + order. */
  readonly truth: readonly number[];
  /** The same with pages on per-cpu lists counted as free: what the page level can know. */
  readonly pageTruth: readonly number[];
  /** Within a compaction, where the moment of a taking is not in the events. */
  readonly compacting: boolean;
}

export interface FreeOptions {
  readonly cpu?: number;
  /** The per-cpu list is locked. */
  readonly bypass?: boolean;
  readonly batched?: boolean;
  /** Preempt depth in a softirq, 0 = the task itself. */
  readonly softirqDepth?: number;
}

interface PcpList {
  readonly zone: number;
  readonly order: number;
  readonly type: number;
  readonly pfns: number[];
}

export class SmallKernel {
  readonly log: Logged[] = [];
  readonly zones: readonly SmallZone[];
  readonly maxOrder: number;
  readonly orders: number;
  readonly pageblockOrder: number;
  readonly pcpOrders: ReadonlySet<number>;
  /** Pages on free lists, by pfn. */
  readonly buddy: NaivePages;
  /** Pages on free lists and on per-cpu lists. */
  readonly unused: NaivePages;
  /** Allocated blocks: order by pfn. */
  readonly held = new Map<number, number>();
  readonly pageblockTypes = new Map<number, number>();
  compacting = false;
  timeNs = 1e9;
  readonly #options: SmallKernelOptions;
  readonly #areas: NaiveArea[][] = [];
  readonly #pcp = new Map<number, PcpList[]>();
  readonly #blocks = new Map<NaiveArea, NaiveBlock[]>();
  readonly #counts = new Map<NaivePages, Map<NaiveArea, number[]>>();

  constructor(options: SmallKernelOptions) {
    this.#options = options;
    this.zones = options.zones;
    this.maxOrder = options.maxOrder ?? 10;
    this.orders = this.maxOrder + 1;
    this.pageblockOrder = options.pageblockOrder ?? 9;
    this.pcpOrders = new Set(options.pcpOrders ?? [0]);
    for (const { startPfn, pages, cmaPages = 0 } of options.zones) {
      const areas = [{ first: startPfn, pages: pages - cmaPages }];
      if (cmaPages > 0) areas.push({ first: startPfn + pages - cmaPages, pages: cmaPages });
      this.#areas.push(areas);
    }
    this.buddy = new NaivePages(this.#areas.flat(), this.maxOrder);
    this.unused = new NaivePages(this.#areas.flat(), this.maxOrder);
    for (const area of this.#areas.flat()) {
      for (let pfn = area.first; pfn < area.first + area.pages; pfn++) {
        this.buddy.add(pfn, 0);
        this.unused.add(pfn, 0);
      }
    }
    this.#areas.forEach((areas) => {
      const cma = areas[1];
      if (!cma) return;
      for (let p = cma.first; p < cma.first + cma.pages; p += 2 ** this.pageblockOrder) {
        this.pageblockTypes.set(p >> this.pageblockOrder, CMA);
      }
    });
  }

  /** Index of the next event. */
  get now(): number {
    return this.log.length;
  }

  zoneOf(pfn: number): number {
    return this.zones.findIndex((z) => pfn >= z.startPfn && pfn < z.startPfn + z.pages);
  }

  typeOf(pfn: number): number {
    return this.pageblockTypes.get(pfn >> this.pageblockOrder) ?? MOVABLE;
  }

  /** Free blocks of a zone; `cma` false leaves the CMA area out. */
  blocksOf(zone: number, cma = true): NaiveBlock[] {
    const areas = this.#areas[zone]!;
    return (cma ? areas : areas.slice(0, 1)).flatMap((area) => {
      let blocks = this.#blocks.get(area);
      if (!blocks) {
        blocks = this.buddy.blocksOf(area);
        this.#blocks.set(area, blocks);
      }
      return blocks;
    });
  }

  /** Adds an event; the state must already be what it is after it. */
  emit(event: Partial<PlainEvent> & Pick<PlainEvent, 'kind'>): void {
    this.timeNs += 1000;
    this.log.push({
      event: plain({ ...event, timeNs: this.timeNs }),
      truth: this.#truth(this.buddy),
      pageTruth: this.#truth(this.unused),
      compacting: this.compacting,
    });
  }

  /** One request. Returns the pfn, or -1 and a refusal in the trace. */
  alloc(order: number, options: { cpu?: number; type?: number; zone?: number; gfp?: string } = {}) {
    const { cpu = 0, type = MOVABLE, zone = 0, gfp = 'GFP_KERNEL' } = options;
    const pfn = this.pcpOrders.has(order)
      ? this.#fromPcp(order, type, zone, cpu)
      : this.#fromBuddy(order, type, zone, cpu, 0);
    if (pfn >= 0) {
      this.held.set(pfn, order);
      this.#change(this.unused, pfn, order, false);
    }
    const printed = pfn < 0 ? PFN_NONE : pfn;
    this.emit({ kind: EventKind.alloc, pfn: printed, order, cpu, migratetype: type, gfp });
    return pfn;
  }

  /** Frees a held block, at its own order or page by page (split_page). */
  free(pfn: number, options: FreeOptions = {}): void {
    const order = this.held.get(pfn)!;
    this.held.delete(pfn);
    this.give(pfn, order, options);
  }

  /** mm_page_free of pages that are in use, held or isolated. */
  give(pfn: number, order: number, options: FreeOptions = {}): void {
    const { cpu = 0, bypass = false, batched = false, softirqDepth = 0 } = options;
    this.#change(this.unused, pfn, order, true);
    const direct = bypass || !this.pcpOrders.has(order);
    if (direct) this.#change(this.buddy, pfn, order, true);
    this.emit({ kind: EventKind.free, pfn, order, cpu, detail: softirqDepth });
    if (batched) this.emit({ kind: EventKind.freeBatched, pfn, order: 0, cpu });
    if (direct) return;
    const list = this.#list(cpu, this.zoneOf(pfn), order, this.typeOf(pfn));
    list.pfns.push(pfn);
    if (this.#isFull(list, cpu)) this.#drainList(list, cpu);
  }

  #isFull(list: PcpList, cpu: number): boolean {
    const { high = 12, highOfCpu } = this.#options;
    if (highOfCpu === undefined) return list.pfns.length > high;
    const lists = (this.#pcp.get(cpu) ?? []).filter(({ zone }) => zone === list.zone);
    return lists.reduce((sum, { pfns, order }) => sum + pfns.length * 2 ** order, 0) >= highOfCpu;
  }

  freeSplit(pfn: number, cpu = 0): void {
    const order = this.held.get(pfn)!;
    this.held.delete(pfn);
    for (let p = pfn; p < pfn + 2 ** order; p++) this.give(p, 0, { cpu });
  }

  /** Bulk allocation: pages leave a per-cpu list without mm_page_alloc (5.13 and later). */
  takeBulk(count: number, cpu = 0, zone = 0): void {
    for (let n = 0; n < count; n++) {
      const pfn = this.#fromPcp(0, MOVABLE, zone, cpu);
      if (pfn < 0) return;
      this.held.set(pfn, 0);
      this.#change(this.unused, pfn, 0, false);
    }
  }

  /** Gives all pages of a cpu's lists back. */
  drain(cpu = 0): void {
    for (const list of this.#pcp.get(cpu) ?? []) this.#drainList(list, cpu, list.pfns.length);
  }

  /** Takes pages off the free lists; no event. */
  takeSilently(pfn: number, order: number): void {
    this.#change(this.buddy, pfn, order, false);
    this.#change(this.unused, pfn, order, false);
  }

  #fromPcp(order: number, type: number, zone: number, cpu: number): number {
    const list = this.#list(cpu, zone, order, type);
    if (list.pfns.length === 0) {
      const refill = order === 0 ? (this.#options.batch ?? 8) : 2;
      for (let n = 0; n < refill; n++) {
        const pfn = this.#fromBuddy(order, type, zone, cpu, 1);
        if (pfn < 0) break;
        list.pfns.unshift(pfn);
      }
    }
    return list.pfns.pop() ?? -1;
  }

  #fromBuddy(order: number, type: number, zone: number, cpu: number, refill: number): number {
    const fits = this.blocksOf(zone, type === MOVABLE).filter((block) => block.order >= order);
    const smallest = (blocks: NaiveBlock[]): NaiveBlock | undefined =>
      blocks.sort((a, b) => a.order - b.order || a.page - b.page)[0];
    const removal = { order, cpu, migratetype: type, detail: refill };
    const fit = smallest(
      fits.filter(
        ({ page }) => this.typeOf(page) === type || (type === MOVABLE && this.typeOf(page) === CMA),
      ),
    );
    if (fit) {
      this.#change(this.buddy, fit.page, order, false);
      this.emit({ kind: EventKind.zoneLocked, pfn: fit.page, ...removal });
      return fit.page;
    }
    const foreign = fits.sort((a, b) => b.order - a.order || a.page - b.page)[0];
    return foreign ? this.#fallBack(foreign, removal) : -1;
  }

  #fallBack(
    block: NaiveBlock,
    removal: { order: number; cpu: number; migratetype: number; detail: number },
  ): number {
    const { order, cpu, migratetype } = removal;
    const pfn = block.page;
    const whole = block.order >= this.pageblockOrder;
    const claims = whole || block.order >= this.pageblockOrder / 2 || migratetype !== MOVABLE;
    const silent = (this.#options.stealsSilently ?? false) && (whole || !claims);
    const detail = packExtfrag(
      block.order,
      this.pageblockOrder,
      this.typeOf(pfn),
      whole ? 0 : 1,
      claims ? 1 : 0,
    );
    if (claims) {
      for (let p = pfn; p < pfn + 2 ** block.order; p += 2 ** this.pageblockOrder) {
        this.pageblockTypes.set(p >> this.pageblockOrder, migratetype);
      }
    }
    if (silent) this.#change(this.buddy, pfn, order, false);
    this.emit({ kind: EventKind.extfrag, pfn, order, cpu, migratetype, detail });
    if (silent) return pfn;
    this.#change(this.buddy, pfn, order, false);
    this.emit({ kind: EventKind.zoneLocked, pfn, ...removal });
    return pfn;
  }

  #list(cpu: number, zone: number, order: number, type: number): PcpList {
    let lists = this.#pcp.get(cpu);
    if (!lists) {
      lists = [];
      this.#pcp.set(cpu, lists);
    }
    let list = lists.find((l) => l.zone === zone && l.order === order && l.type === type);
    if (!list) {
      list = { zone, order, type, pfns: [] };
      lists.push(list);
    }
    return list;
  }

  #drainList(list: PcpList, cpu: number, count = this.#options.batch ?? 8): void {
    for (let n = 0; n < count && list.pfns.length > 0; n++) {
      const pfn = list.pfns.shift()!;
      this.#change(this.buddy, pfn, list.order, true);
      const migratetype = this.typeOf(pfn);
      this.emit({ kind: EventKind.pcpuDrain, pfn, order: list.order, cpu, migratetype });
    }
  }

  #change(pages: NaivePages, pfn: number, order: number, free: boolean): void {
    const were = free ? 0 : pages.remove(pfn, order);
    if (free) pages.add(pfn, order);
    else if (were !== 2 ** order) throw new Error(`pfn ${pfn}/${order} was not all free`);
    const area = pages.areas.find((a) => pfn >= a.first && pfn < a.first + a.pages)!;
    this.#counts.get(pages)?.delete(area);
    if (pages === this.buddy) this.#blocks.delete(area);
  }

  #truth(pages: NaivePages): number[] {
    let known = this.#counts.get(pages);
    if (!known) {
      known = new Map();
      this.#counts.set(pages, known);
    }
    return this.#areas.flatMap((areas) => {
      const sum = new Array<number>(this.orders).fill(0);
      for (const area of areas) {
        let counts = known.get(area);
        if (!counts) {
          counts = pages.counts([area]);
          known.set(area, counts);
        }
        counts.forEach((n, order) => {
          sum[order]! += n;
        });
      }
      return sum;
    });
  }
}
