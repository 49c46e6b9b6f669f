/**
 * The fast free lists against plain sets of pages, and kernel vectors of splitting and merging.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FreeLists } from './free-lists.js';
import { PageBit } from './observer.js';
import { type NaiveArea, NaivePages } from './testing/naive-pages.js';

interface Step {
  readonly add: boolean;
  readonly page: number;
  readonly order: number;
}

/** Areas of whole largest blocks, as the dense index space has them. */
const machines = fc.record({
  maxOrder: fc.integer({ min: 0, max: 6 }),
  sections: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
});

const machinesWithSteps = machines.chain(({ maxOrder, sections }) => {
  const size = 2 ** maxOrder;
  let next = 0;
  const areas = sections.map((count) => {
    const area = { first: next, pages: count * size };
    next += area.pages;
    return area;
  });
  const step = fc
    .record({
      add: fc.boolean(),
      order: fc.integer({ min: 0, max: maxOrder }),
      at: fc.nat({ max: next - 1 }),
    })
    .map(({ add, order, at }): Step => ({ add, order, page: at - (at % 2 ** order) }));
  return fc.record({
    maxOrder: fc.constant(maxOrder),
    areas: fc.constant(areas),
    steps: fc.array(step, { maxLength: 120 }),
  });
});

type Machine = typeof machinesWithSteps extends fc.Arbitrary<infer T> ? T : never;

function make({ areas, maxOrder }: Machine): { fast: FreeLists; naive: NaivePages } {
  const pages = areas.reduce((sum, area) => sum + area.pages, 0);
  return {
    fast: new FreeLists(pages, areas.length, maxOrder),
    naive: new NaivePages(areas, maxOrder),
  };
}

const zoneIn = (areas: Machine['areas'], page: number): number =>
  areas.findIndex((area) => page < area.first + area.pages);

function blocksOf(lists: FreeLists): { page: number; order: number }[] {
  return [...lists.headOrder]
    .map((order, page) => ({ page, order }))
    .filter(({ order }) => order >= 0);
}

function expectSame(fast: FreeLists, naive: NaivePages, areas: Machine['areas']): void {
  fast.checkInvariants((page) => zoneIn(areas, page));
  expect(blocksOf(fast)).toEqual(naive.blocks());
  areas.forEach((area, zone) => {
    const counts = naive.counts([area]);
    expect([...fast.counts.subarray(zone * fast.orders, (zone + 1) * fast.orders)]).toEqual(counts);
    const pages = counts.reduce((sum, n, order) => sum + n * 2 ** order, 0);
    expect(fast.freePages[zone]).toBe(pages);
  });
}

/** The same sets, but blocks end where pageblocks that are set apart meet others. */
class ApartPages extends NaivePages {
  readonly apart: ReadonlySet<number>;
  readonly pageblockOrder: number;

  constructor(machine: Machine, apart: ReadonlySet<number>, pageblockOrder: number) {
    super(machine.areas, machine.maxOrder);
    this.apart = apart;
    this.pageblockOrder = pageblockOrder;
  }

  isApart(page: number): boolean {
    return this.apart.has(page >> this.pageblockOrder);
  }

  override whole(area: NaiveArea, page: number, order: number): boolean {
    const first = this.isApart(page);
    for (let p = page; p < page + 2 ** order; p++) if (this.isApart(p) !== first) return false;
    return super.whole(area, page, order);
  }
}

describe('pageblocks that are set apart', () => {
  test('their blocks do not merge with others, and are counted', () => {
    const cases = fc.tuple(machinesWithSteps, fc.nat({ max: 6 }), fc.array(fc.nat({ max: 600 })));
    fc.assert(
      fc.property(cases, ([machine, below, blocks]) => {
        const pageblockOrder = Math.max(0, machine.maxOrder - below);
        const pages = machine.areas.reduce((sum, area) => sum + area.pages, 0);
        const apart = new Set(blocks.map((block) => block % (pages >> pageblockOrder)));
        const naive = new ApartPages(machine, apart, pageblockOrder);
        const fast = new FreeLists(pages, machine.areas.length, machine.maxOrder, pageblockOrder);
        for (const block of apart)
          fast.setApart(zoneIn(machine.areas, block << pageblockOrder), block, true);
        for (const { add, page, order } of machine.steps) {
          const zone = zoneIn(machine.areas, page);
          for (let p = page; p < page + 2 ** order; p += 2 ** Math.min(order, pageblockOrder)) {
            if (add) fast.add(zone, p, Math.min(order, pageblockOrder));
            else fast.remove(zone, p, Math.min(order, pageblockOrder), PageBit.allocated);
          }
          if (add) naive.add(page, order);
          else naive.remove(page, order);
          fast.checkInvariants((p) => zoneIn(machine.areas, p));
          expect(blocksOf(fast)).toEqual(naive.blocks());
        }
        const counted = fast.apartCounts.reduce(
          (sum, n, cell) => sum + n * 2 ** (cell % fast.orders),
          0,
        );
        expect(counted).toBe([...naive.free].filter((page) => naive.isApart(page)).length);
      }),
      { numRuns: 150 },
    );
  });

  test('the change itself merges nothing; the next free beside does', () => {
    const lists = new FreeLists(16, 1, 4, 3);
    lists.setApart(0, 0, true);
    lists.add(0, 0, 3);
    lists.add(0, 8, 3);
    expect(blocksOf(lists)).toEqual([
      { page: 0, order: 3 },
      { page: 8, order: 3 },
    ]);
    expect([...lists.apartCounts]).toEqual([0, 0, 0, 1, 0]);
    lists.setApart(0, 0, false);
    expect([...lists.counts]).toEqual([0, 0, 0, 2, 0]);
    expect([...lists.apartCounts]).toEqual([0, 0, 0, 0, 0]);
    lists.remove(0, 8, 0, PageBit.allocated);
    lists.add(0, 8, 0);
    expect(blocksOf(lists)).toEqual([{ page: 0, order: 4 }]);
  });
});

describe('free lists against sets of pages', () => {
  test('any additions and removals leave the same blocks', () => {
    fc.assert(
      fc.property(machinesWithSteps, (machine) => {
        const { fast, naive } = make(machine);
        for (const { add, page, order } of machine.steps) {
          const zone = zoneIn(machine.areas, page);
          if (add) {
            fast.add(zone, page, order);
            naive.add(page, order);
          } else {
            expect(fast.remove(zone, page, order, PageBit.allocated)).toBe(
              naive.remove(page, order),
            );
          }
          expectSame(fast, naive, machine.areas);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('evidence that repeats itself changes nothing', () => {
    fc.assert(
      fc.property(machinesWithSteps, (machine) => {
        const { fast } = make(machine);
        for (const { add, page, order } of machine.steps) {
          const zone = zoneIn(machine.areas, page);
          const apply = (): void => {
            if (add) fast.add(zone, page, order);
            else fast.remove(zone, page, order, PageBit.pcp);
          };
          apply();
          const once = { heads: fast.headOrder.slice(), pages: fast.pages.slice() };
          apply();
          expect(fast.headOrder).toEqual(once.heads);
          expect(fast.pages).toEqual(once.pages);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('taking a block and giving it back restores every list', () => {
    fc.assert(
      fc.property(machinesWithSteps, fc.nat(), (machine, pick) => {
        const { fast } = make(machine);
        for (const { add, page, order } of machine.steps) {
          const zone = zoneIn(machine.areas, page);
          if (add) fast.add(zone, page, order);
          else fast.remove(zone, page, order, PageBit.allocated);
        }
        const blocks = blocksOf(fast);
        if (blocks.length === 0) return;
        const block = blocks[pick % blocks.length]!;
        const order = pick % (block.order + 1);
        const page = block.page + 2 ** order * (pick % 2 ** (block.order - order));
        const before = { heads: fast.headOrder.slice(), counts: fast.counts.slice() };
        const zone = zoneIn(machine.areas, page);
        expect(fast.remove(zone, page, order, PageBit.allocated)).toBe(2 ** order);
        expect(fast.headOrder).not.toEqual(before.heads);
        fast.add(zone, page, order);
        expect(fast.headOrder).toEqual(before.heads);
        expect(fast.counts).toEqual(before.counts);
      }),
      { numRuns: 150 },
    );
  });

  test('a page belongs to exactly the block that holds it', () => {
    fc.assert(
      fc.property(machinesWithSteps, (machine) => {
        const { fast, naive } = make(machine);
        for (const { add, page, order } of machine.steps) {
          if (!add) continue;
          fast.add(zoneIn(machine.areas, page), page, order);
          naive.add(page, order);
        }
        const blocks = naive.blocks();
        for (let page = 0; page < fast.pages.length; page++) {
          const holder = blocks.find((b) => page >= b.page && page < b.page + 2 ** b.order);
          expect(fast.blockOf(page)).toBe(holder?.page ?? -1);
          expect(fast.isFree(page)).toBe(holder !== undefined);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('splitting and merging as the kernel does', () => {
  test('order-0 allocations from one order-3 block leave the upper halves', () => {
    const lists = new FreeLists(16, 1, 3);
    lists.add(0, 8, 3);
    lists.remove(0, 8, 0, PageBit.allocated);
    expect(blocksOf(lists)).toEqual([
      { page: 9, order: 0 },
      { page: 10, order: 1 },
      { page: 12, order: 2 },
    ]);
    for (const page of [9, 10, 11]) lists.remove(0, page, 0, PageBit.allocated);
    expect(blocksOf(lists)).toEqual([{ page: 12, order: 2 }]);
    for (const page of [9, 8]) lists.add(0, page, 0);
    expect(blocksOf(lists)).toEqual([
      { page: 8, order: 1 },
      { page: 12, order: 2 },
    ]);
    lists.add(0, 10, 0);
    lists.add(0, 11, 0);
    expect(blocksOf(lists)).toEqual([{ page: 8, order: 3 }]);
  });

  test('the buddy of pfn 0x1200 at order 9 is 0x1000', () => {
    const lists = new FreeLists(0x1400, 1, 10);
    lists.add(0, 0x1200, 9);
    lists.add(0, 0x1000, 9);
    expect(blocksOf(lists)).toEqual([{ page: 0x1000, order: 10 }]);
  });

  test('two largest blocks side by side do not merge', () => {
    const lists = new FreeLists(16, 1, 3);
    lists.add(0, 0, 3);
    lists.add(0, 8, 3);
    expect(lists.counts[3]).toBe(2);
  });

  test('buddies at a zone border do not merge', () => {
    const lists = new FreeLists(16, 2, 3);
    lists.add(0, 0, 3);
    lists.add(1, 8, 3);
    expect([...lists.counts]).toEqual([0, 0, 0, 1, 0, 0, 0, 1]);
  });

  test('a broken form is noticed', () => {
    const lists = new FreeLists(16, 1, 3);
    lists.add(0, 0, 2);
    lists.headOrder[0] = 1;
    expect(() => lists.checkInvariants(() => 0)).toThrow('free but in no block');
  });
});
