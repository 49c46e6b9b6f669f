/**
 * What the survey finds out from the events: level, orders on per-cpu lists, dialect, rare events.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventKind, PFN_NONE, packExtfrag } from '../records/events.js';
import { placeSnapshots, TimeIndex } from './place.js';
import { RareLog, surveyEvents } from './survey.js';
import { batchOf, EventList, plain } from './testing/event-list.js';

const steal = packExtfrag(3, 9, 0, 1, 0);

describe('rare events', () => {
  test('rowAt finds the first row at or after an index, as a search from the front does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 500 }), { maxLength: 200 }),
        fc.nat({ max: 520 }),
        (gaps, probe) => {
          const log = new RareLog();
          const batch = batchOf([plain({ kind: EventKind.marker, rare: ['x'] })]);
          const indices = gaps.map((_, i) => gaps.slice(0, i + 1).reduce((a, b) => a + (b % 7), 0));
          for (const index of indices) log.push(batch, 0, index);
          const found = indices.findIndex((index) => index >= probe);
          expect(log.rowAt(probe)).toBe(found < 0 ? indices.length : found);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('rows keep their numbers, however many there are', () => {
    const events = Array.from({ length: 1000 }, (_, n) =>
      plain({ kind: EventKind.migratepages, timeNs: n, pid: n, cpu: n % 3, rare: [n, 2 * n] }),
    );
    const { rare } = surveyEvents(new EventList(events, undefined, 37));
    expect(rare.length).toBe(1000);
    for (const n of [0, 63, 64, 65, 999]) {
      expect([rare.index[n], rare.pid[n], rare.cpu[n]]).toEqual([n, n, n % 3]);
      expect([rare.field(n, 0), rare.field(n, 1)]).toEqual([n, 2 * n]);
    }
  });
});

describe('orders on per-cpu lists', () => {
  const drain = (order: number) => plain({ kind: EventKind.pcpuDrain, pfn: 64, order });
  const ordersOf = (orders: readonly number[], thpPcp: boolean): number[] => {
    const survey = surveyEvents(new EventList(orders.map(drain)));
    return [...survey.pcpOrders({ pcpOrders: '0', thpPcp }, 9)].flatMap((on, order) =>
      on ? [order] : [],
    );
  };

  test('order 0 alone where nothing else is drained or refilled', () => {
    expect(ordersOf([], true)).toEqual([0]);
    expect(ordersOf([0, 0], true)).toEqual([0]);
  });

  test('where one of orders 1 to 3 is seen there, all are, and the huge page by profile', () => {
    expect(ordersOf([0, 2], false)).toEqual([0, 1, 2, 3]);
    expect(ordersOf([0, 2], true)).toEqual([0, 1, 2, 3, 9]);
  });
});

describe('extfrag as a removal', () => {
  const survey = (withZoneLocked: number, alone: number) => {
    const events = [];
    for (let n = 0; n < withZoneLocked + alone; n++) {
      const page = { pfn: 16 * n, order: 0, cpu: n % 2 };
      events.push(plain({ kind: EventKind.extfrag, ...page, detail: steal }));
      // The other cpu is busy in between.
      events.push(plain({ kind: EventKind.free, pfn: 9999, cpu: 1 - page.cpu }));
      const next = n < withZoneLocked ? EventKind.zoneLocked : EventKind.alloc;
      events.push(plain({ kind: next, ...page }));
    }
    return surveyEvents(new EventList(events));
  };

  test('decided by what follows a steal on its cpu', () => {
    expect(survey(20, 0).extfragRemoves).toBe(false);
    expect(survey(1, 30).extfragRemoves).toBe(true);
    expect(survey(10, 10).extfragRemoves).toBe(false);
    expect(survey(1, 30).extfragAlone).toBe(30);
  });

  test('pageblock order is what the event prints', () => {
    expect(survey(1, 0).pageblockOrder).toBe(9);
    expect(survey(0, 0).pageblockOrder).toBe(-1);
  });
});

describe('counts', () => {
  test('refusals are no pages', () => {
    const survey = surveyEvents(
      new EventList([
        plain({ kind: EventKind.alloc, pfn: PFN_NONE, order: 3, timeNs: 10 }),
        plain({ kind: EventKind.alloc, pfn: 100, order: 2, timeNs: 15 }),
        plain({ kind: EventKind.free, pfn: 100, order: 2, timeNs: 20 }),
      ]),
    );
    expect([survey.failures[3], survey.allocs[2], survey.frees[2]]).toEqual([1, 1, 1]);
    expect([survey.minPfn, survey.endPfn]).toEqual([100, 104]);
    expect([survey.firstNs, survey.lastNs]).toEqual([10, 20]);
  });
});

describe('places in the stream', () => {
  const stamps = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 60 });

  test('an instant stands before the first event stamped at or after it', () => {
    fc.assert(
      fc.property(stamps, fc.nat({ max: 45 }), fc.integer({ min: 1, max: 9 }), (all, at, size) => {
        const times = [...all].sort((a, b) => a - b);
        const events = times.map((timeNs) => plain({ kind: EventKind.free, timeNs }));
        const found = times.findIndex((t) => t >= at);
        const index = new TimeIndex(new EventList(events, undefined, size));
        expect(index.indexAt(at)).toBe(found < 0 ? times.length : found);
      }),
      { numRuns: 200 },
    );
  });

  test('copies are placed by their markers, else by their time; those without one are not', () => {
    const events = new EventList(
      [10, 20, 30, 40].map((timeNs) => plain({ kind: EventKind.free, timeNs })),
    );
    const copy = (time: object) => ({
      kind: 'buddyinfo' as const,
      source: '',
      line: 1,
      zones: [],
      time: {
        snap: null,
        resolutionNs: 1,
        beginNs: 25,
        endNs: 35,
        clock: 'trace' as const,
        ...time,
      },
    });
    const placed = placeSnapshots(events, [
      copy({}),
      copy({ beginEvent: 1, endEvent: 3, beginNs: 999 }),
      copy({ clock: 'wall' }),
    ]);
    expect(placed.map((p) => [p.beginIndex, p.endIndex])).toEqual([
      [1, 3],
      [2, 3],
    ]);
  });
});

describe('the largest order that is replayed', () => {
  const surveyOf = (orders: readonly number[]) =>
    surveyEvents(
      new EventList(orders.map((order) => plain({ kind: EventKind.free, pfn: 0, order }))),
    );

  test('is any, where blocks are as large as those of real machines', () => {
    const huge = surveyOf(Array.from({ length: 5000 }, (_, i) => (i % 10 === 0 ? 9 : 0)));
    expect(huge.largestOrder).toBe(31);
    // Gigantic pages are freed in one piece.
    expect(surveyOf(Array<number>(500).fill(18)).largestOrder).toBe(31);
  });

  test('is below that of blocks which hold more pages than so few events can move', () => {
    const survey = surveyOf([0, 3, 10, ...Array<number>(1100).fill(18)]);
    expect(survey.largestOrder).toBe(17);
    expect(survey.beyond(17)).toEqual({ count: 1100, pages: 1100 * 2 ** 18 });
  });

  test('leaves the others be when a single order is damaged', () => {
    expect(surveyOf([31, 0, 9]).largestOrder).toBe(30);
  });
});
