/**
 * The core of the replay against plain sets: every action on any page, over several areas, and what
 * damaged traces may ask of it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventKind } from '../records/events.js';
import { RecordingStrings } from '../records/strings.js';
import { Action, ActionBatch, ActionSpool } from './actions.js';
import { ReplayCore } from './core.js';
import type { Geometry } from './geometry.js';
import { PageBit } from './observer.js';
import { PfnSpace } from './pfn-space.js';
import { reconstruct } from './reconstruct.js';
import { EventList, plain } from './testing/event-list.js';
import { NaivePages } from './testing/naive-pages.js';

const MAX_ORDER = 4;
const SECTION = 2 ** MAX_ORDER;

/** Three areas of two zones. */
function geometry(): Geometry {
  const areas = [
    { zone: 0, startPfn: 0, spanned: 3 * SECTION, cma: false },
    { zone: 0, startPfn: 3 * SECTION, spanned: SECTION, cma: true },
    { zone: 1, startPfn: 64 * SECTION, spanned: 2 * SECTION, cma: false },
  ];
  const zones = [
    { index: 0, node: 0, zone: 'DMA32', startPfn: 0, spanned: 4 * SECTION, managed: 4 * SECTION },
    { index: 1, node: 0, zone: 'Normal', startPfn: 64 * SECTION, spanned: 32, managed: 32 },
  ].map((zone, z) => ({ ...zone, areas: z === 0 ? [0, 1] : [2] }));
  const space = new PfnSpace(
    areas.map(({ startPfn, spanned }) => ({ node: 0, zone: '', startPfn, spanned })),
    MAX_ORDER,
  );
  return {
    zones,
    areas,
    space,
    orders: MAX_ORDER + 1,
    pageblockOrder: 3,
    assumptions: [],
    areaOf: (page) => space.zoneOf(page),
  };
}

const AREAS = [
  { first: 0, pages: 3 * SECTION },
  { first: 3 * SECTION, pages: SECTION },
  { first: 4 * SECTION, pages: 2 * SECTION },
];

const actions = fc.array(
  fc
    .record({
      action: fc.constantFrom(...Object.values(Action).filter((a) => a !== Action.none)),
      order: fc.integer({ min: 0, max: MAX_ORDER }),
      at: fc.nat({ max: 6 * SECTION - 1 }),
      type: fc.integer({ min: -1, max: 5 }),
    })
    .map(({ at, order, ...rest }) => ({ ...rest, order, page: at - (at % 2 ** order) })),
  { maxLength: 100 },
);

/** What each action does to the set of free pages, and where the pages are afterwards. */
const ADDS = new Set<number>([Action.give, Action.giveBypassing, Action.stay]);
const STATE = new Map<number, number>([
  [Action.takeToPcp, PageBit.pcp],
  [Action.take, PageBit.allocated],
  [Action.freeToPcp, PageBit.pcp],
  [Action.alloc, PageBit.allocated],
  [Action.freeTaken, PageBit.isolated],
]);

describe('types that events tell', () => {
  const HIGHATOMIC = 3;
  const tell = (core: ReplayCore, action: number, page: number, type: number): void => {
    const batch = new ActionBatch();
    batch.action[0] = action;
    batch.page[0] = page;
    batch.type[0] = type;
    core.apply(batch, 0, 0);
  };

  test('a HIGHATOMIC pageblock stands apart while events say so', () => {
    const core = new ReplayCore(geometry(), true, { tellHighatomic: true, drainsFresh: true });
    tell(core, Action.take, 8, 1);
    tell(core, Action.give, 9, HIGHATOMIC);
    expect([...core.lists.apart.slice(0, 2)]).toEqual([0, 1]);
    expect(core.reservedBefore).toEqual([]);
    tell(core, Action.take, 10, 0);
    expect(core.lists.apart[1]).toBe(0);
  });

  test('one whose first event says HIGHATOMIC was so from the start', () => {
    const core = new ReplayCore(geometry(), true, { tellHighatomic: true, drainsFresh: true });
    tell(core, Action.take, 8, HIGHATOMIC);
    expect(core.reservedBefore).toEqual([1]);
    const next = new ReplayCore(geometry(), true, { tellHighatomic: true, drainsFresh: true });
    next.reserveBefore(core.reservedBefore);
    expect(next.lists.apart[1]).toBe(1);
    tell(next, Action.take, 8, HIGHATOMIC);
    expect(next.reservedBefore).toEqual([]);
  });

  test('a drain may carry the type of when the page was freed: it does not end a reserve', () => {
    const core = new ReplayCore(geometry(), true, { tellHighatomic: true, drainsFresh: false });
    tell(core, Action.take, 8, HIGHATOMIC);
    tell(core, Action.give, 8, 1);
    expect(core.lists.apart[1]).toBe(1);
    tell(core, Action.take, 8, 1);
    expect(core.lists.apart[1]).toBe(0);
  });

  test('where zone_locked prints the type asked for, nothing stands apart', () => {
    const core = new ReplayCore(geometry(), true);
    tell(core, Action.take, 8, HIGHATOMIC);
    expect(core.lists.apart[1]).toBe(0);
    expect(core.tellsHighatomic).toBe(false);
  });
});

describe('actions against sets of pages', () => {
  test('any sequence leaves the same blocks in every area', () => {
    fc.assert(
      fc.property(actions, (list) => {
        const core = new ReplayCore(geometry(), true);
        const naive = new NaivePages(AREAS, MAX_ORDER);
        const types = new Map<number, number>();
        const batch = new ActionBatch();
        list.forEach(({ action, order, page, type }, i) => {
          batch.action[i] = action;
          batch.order[i] = order;
          batch.page[i] = page;
          batch.type[i] = type;
          if (order > 0) {
            batch.fate[i] = batch.runsLength;
            batch.pushRun(2 ** order, 0);
          }
          core.apply(batch, i, i);
          if (ADDS.has(action)) naive.add(page, order);
          else naive.remove(page, order);
          if (type >= 0) types.set(page >> 3, type);
          for (let p = page; p < page + 2 ** order; p++) {
            expect(core.lists.pages[p]).toBe(STATE.get(action) ?? PageBit.free);
            expect(core.since[p]).toBe(i);
          }
        });
        core.lists.checkInvariants((page) => geometry().areaOf(page));
        const heads = [...core.lists.headOrder].flatMap((order, page) =>
          order >= 0 ? [{ page, order }] : [],
        );
        expect(heads).toEqual(naive.blocks());
        for (const [block, type] of types) expect(core.blockType[block]).toBe(type);
      }),
      { numRuns: 200 },
    );
  });

  test('take and put are each other’s inverse, and change nothing twice', () => {
    const core = new ReplayCore(geometry(), true);
    for (let page = 8; page < 24; page++) core.put(page);
    const before = core.lists.headOrder.slice();
    expect(core.take(10, 3)).toBe(3);
    expect(core.take(10, 3)).toBe(0);
    for (let page = 10; page < 13; page++) core.put(page);
    core.put(11);
    expect(core.lists.headOrder).toEqual(before);
  });

  test('a gigantic block enters and leaves as blocks of the largest order', () => {
    const core = new ReplayCore(geometry(), true);
    const batch = new ActionBatch();
    const order = MAX_ORDER + 1;
    [Action.give, Action.take].forEach((action, i) => {
      batch.action[i] = action;
      batch.order[i] = order;
      batch.page[i] = 0;
      batch.type[i] = -1;
      batch.fate[i] = batch.runsLength;
      batch.pushRun(2 ** order, 0);
    });
    core.apply(batch, 0, 0);
    expect(core.lists.counts[MAX_ORDER]).toBe(2);
    core.apply(batch, 1, 1);
    expect(core.lists.freePages[0]).toBe(0);
    expect(core.anomalies.removedNotFree).toBe(0);
  });
});

describe('damaged traces', () => {
  test('any pfn and order leave the lists consistent', () => {
    const event = fc.record({
      kind: fc.constantFrom(
        EventKind.alloc,
        EventKind.free,
        EventKind.zoneLocked,
        EventKind.pcpuDrain,
      ),
      pfn: fc.oneof(fc.nat({ max: 4200 }), fc.constantFrom(4095, 2 ** 31, 2 ** 43, 2 ** 44 - 1)),
      order: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 31 })),
      cpu: fc.nat({ max: 1 }),
    });
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 40 }), (list) => {
        const strings = new RecordingStrings();
        const events = new EventList(
          list.map((e, i) => plain({ ...e, timeNs: i * 1000 })),
          strings,
          7,
        );
        const replay = reconstruct(
          { events, snapshots: [], strings },
          { pages: 1 << 13, kernel: '6.1.90' },
        );
        replay.run([
          {
            end: (state) => {
              for (const zone of state.zones) {
                const pages = [...zone.free].reduce((sum, n, q) => sum + n * 2 ** q, 0);
                expect(pages).toBe(zone.freePages);
              }
              state.headOrder.forEach((order, page) => {
                if (order < 0) return;
                expect(page % 2 ** order).toBe(0);
                expect(page + 2 ** order).toBeLessThanOrEqual(state.headOrder.length);
              });
            },
          },
        ]);
      }),
      { numRuns: 120 },
    );
  });
});

describe('packing of decided actions', () => {
  test('what is written is read, in memory and from a file, in any order', () => {
    const columns = fc.array(
      fc.record({
        page: fc.nat({ max: 2 ** 31 - 1 }),
        fate: fc.nat({ max: 2 ** 32 - 1 }),
        action: fc.nat({ max: 8 }),
        order: fc.nat({ max: 31 }),
        type: fc.integer({ min: -1, max: 7 }),
        runs: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 2 ** 32 - 1 })), { maxLength: 3 }),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(
        fc.array(columns, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(0, 300, 1e6),
        (batches, budget) => {
          const spool = new ActionSpool(batches.length, budget);
          const write = (b: number): void => {
            const batch = new ActionBatch();
            batches[b]!.forEach((row, i) => {
              batch.page[i] = row.page;
              batch.fate[i] = row.fate;
              batch.action[i] = row.action;
              batch.order[i] = row.order;
              batch.type[i] = row.type;
              for (const [pages, fate] of row.runs) batch.pushRun(pages, fate);
            });
            batch.length = batches[b]!.length;
            spool.write(b, batch);
          };
          for (let b = batches.length - 1; b >= 0; b--) write(b);
          const batch = new ActionBatch();
          batches.forEach((rows, b) => {
            spool.read(b, batch);
            expect(batch.length).toBe(rows.length);
            rows.forEach((row, i) => {
              const { page, fate, action, order, type } = row;
              expect([batch.page[i], batch.fate[i], batch.action[i]]).toEqual([page, fate, action]);
              expect([batch.order[i], batch.type[i]]).toEqual([order, type]);
            });
            const runs = rows.flatMap((row) => row.runs.flat());
            expect([...batch.runs.subarray(0, batch.runsLength)]).toEqual(runs);
          });
          spool.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});
