/**
 * Hiding recorded attempts, finding the moment before an attempt, and keeping moments.
 */
import { describe, expect, test } from 'vitest';
import { profileOf } from '../kernel/profile.js';
import { parseVersionText } from '../kernel/release.js';
import { allEvents, type PlainEvent } from '../recording/testing/batches.js';
import { EventKind, PFN_NONE, packExtfrag } from '../records/events.js';
import type { ReplayState } from '../replay/observer.js';
import { EventList, plain } from '../replay/testing/event-list.js';
import { hideAttempts } from './hide.js';
import { MomentKeeper } from './moments.js';
import { InstantFinder } from './predict.js';
import type { Verdict } from './types.js';

const ATOMIC = 'GFP_ATOMIC|__GFP_NOWARN';
const { switches } = profileOf(parseVersionText('6.1.90')!.version);
const PCP = Uint8Array.from({ length: 32 }, (_, order) => (order <= 3 || order === 9 ? 1 : 0));

let clock = 0;
const at = (event: Parameters<typeof plain>[0]): PlainEvent =>
  plain({ timeNs: ++clock * 1000, ...event });
const locked = (pfn: number, order: number, refill = 0, cpu = 0): PlainEvent =>
  at({ kind: EventKind.zoneLocked, pfn, order, cpu, detail: refill });
const alloc = (pfn: number, order: number, gfp = ATOMIC, cpu = 0): PlainEvent =>
  at({ kind: EventKind.alloc, pfn, order, gfp, cpu });
const free = (pfn: number, order: number, cpu = 0): PlainEvent =>
  at({ kind: EventKind.free, pfn, order, cpu });

function hide(events: readonly PlainEvent[], removalsRecorded = true) {
  const list = new EventList(events, undefined, 5);
  const hidden = hideAttempts(list, list.strings, switches, PCP, removalsRecorded);
  const left = allEvents(hidden.events, list.strings);
  return { hidden, left, kinds: left.map((e) => e.kind) };
}

describe('hidden attempts', () => {
  test('a probe of an order that is not kept per cpu leaves nothing behind', () => {
    const events = [free(1, 0), locked(64, 5), alloc(64, 5), free(64, 5), free(2, 0)];
    const { hidden, left } = hide(events);
    expect(left.map((e) => e.pfn)).toEqual([1, 2]);
    expect(hidden.attempts).toMatchObject([{ order: 5, ok: true, index: 1 }]);
    expect(hidden.kept).toBe(0);
  });

  test('where removals were not recorded, a probe is known by its allocation and its free', () => {
    const events = [free(1, 0), alloc(64, 5), free(64, 5), alloc(128, 5), free(2, 0)];
    expect(hide(events, false).hidden).toMatchObject({
      attempts: [{ order: 5, ok: true }],
      kept: 1,
    });
    expect(hide(events, false).left.map((e) => e.pfn)).toEqual([1, 128, 2]);
    expect(hide(events).hidden).toMatchObject({ attempts: [], kept: 2 });
  });

  test('a stolen block’s extfrag goes with its removal', () => {
    const extfrag = at({
      kind: EventKind.extfrag,
      pfn: 64,
      order: 5,
      detail: packExtfrag(7, 9, 0, 1, 1),
    });
    const { left } = hide([extfrag, locked(64, 5), alloc(64, 5), free(64, 5)]);
    expect(left).toEqual([]);
  });

  test('a refill made for a probe stays, and the verdict is about the state before it', () => {
    const events = [locked(8, 0, 1), locked(9, 0, 1), alloc(9, 0), free(9, 0), free(50, 0)];
    const { hidden, kinds } = hide(events);
    expect(kinds).toEqual([EventKind.zoneLocked, EventKind.zoneLocked, EventKind.free]);
    expect(hidden.attempts[0]!.index).toBe(0);
  });

  test('a refusal is its mm_page_alloc alone', () => {
    const { hidden, left } = hide([free(1, 0), alloc(PFN_NONE, 3), free(2, 0)]);
    expect(left.map((e) => e.pfn)).toEqual([1, 2]);
    expect(hidden.attempts).toMatchObject([{ ok: false, order: 3, index: 1 }]);
  });

  test('requests that keep their memory, or may sleep, are left alone', () => {
    const events = [
      locked(64, 5),
      alloc(64, 5),
      free(99, 0),
      locked(128, 5),
      alloc(128, 5, 'GFP_KERNEL'),
      free(128, 5),
    ];
    const { hidden, left } = hide(events);
    expect(left).toHaveLength(events.length);
    expect([hidden.attempts.length, hidden.kept]).toEqual([0, 1]);
  });

  test('another cpu in between does not disturb', () => {
    const events = [
      locked(64, 5, 0, 0),
      locked(256, 5, 0, 1),
      alloc(64, 5, ATOMIC, 0),
      alloc(256, 5, ATOMIC, 1),
      free(256, 5, 1),
      free(64, 5, 0),
    ];
    const { hidden, left } = hide(events);
    expect(left).toEqual([]);
    expect(hidden.attempts).toHaveLength(2);
  });

  test('indices are those of the same event in what is left', () => {
    const events = [
      free(1, 0),
      locked(64, 5),
      alloc(64, 5),
      free(64, 5),
      free(2, 0),
      alloc(PFN_NONE, 3),
      free(3, 0),
    ];
    const { hidden, left } = hide(events);
    const kept = [0, 4, 6];
    expect(kept.map((full) => left[hidden.indexOf(full)]!.pfn)).toEqual([1, 2, 3]);
    expect(hidden.indexOf(7)).toBe(3);
    expect(hidden.indexOf(2)).toBe(1);
  });
});

describe('the moment before an attempt', () => {
  const indexBefore = (events: readonly PlainEvent[], timeNs: number, order: number): number =>
    new InstantFinder(new EventList(events, undefined, 3)).beforeAttempt(timeNs, order);

  test('an attempt stamped T: before its own removal, not after it', () => {
    const events = [free(1, 0), locked(64, 5), alloc(64, 5), free(64, 5)];
    expect(indexBefore(events, events[2]!.timeNs, 5)).toBe(1);
  });

  test('before the whole refill that was made for it', () => {
    const events = [free(1, 0), locked(8, 1, 1), locked(10, 1, 1), locked(12, 1, 1), alloc(12, 1)];
    expect(indexBefore(events, events[4]!.timeNs, 1)).toBe(1);
  });

  test('events of other cpus in between stay in the past', () => {
    const events = [locked(64, 5), free(7, 0, 1), alloc(64, 5), free(64, 5)];
    expect(indexBefore(events, events[2]!.timeNs, 5)).toBe(0);
  });

  test('a request served from a per-cpu list has no removal of its own', () => {
    const events = [locked(8, 1, 1), alloc(8, 1), alloc(10, 1), free(8, 1)];
    expect(indexBefore(events, events[2]!.timeNs, 1)).toBe(2);
  });

  test('an instant without an attempt stands before the first event at or after it', () => {
    const events = [free(1, 0), free(2, 0), free(3, 0)];
    expect(indexBefore(events, events[1]!.timeNs, 4)).toBe(1);
    expect(indexBefore(events, events[1]!.timeNs + 1, 4)).toBe(2);
    expect(indexBefore(events, Number.MAX_SAFE_INTEGER, 4)).toBe(3);
    expect(indexBefore([], 5, 4)).toBe(0);
  });
});

describe('moments', () => {
  const state = (timeNs: number): ReplayState =>
    ({
      timeNs,
      zones: [
        { free: [1], low: [1], high: [1], freePages: 1, certainty: 'exact', marks: { boost: 0 } },
      ],
    }) as unknown as ReplayState;

  test('never more than the limit, and those kept are spread evenly', () => {
    const keeper = new MomentKeeper(16);
    for (let n = 0; n < 1000; n++) keeper.note(state(n), {} as Verdict);
    const times = keeper.moments.map((m) => m.timeNs);
    expect(times.length).toBeLessThanOrEqual(16);
    expect(times.length).toBeGreaterThanOrEqual(8);
    const gaps = new Set(times.slice(1).map((t, i) => t - times[i]!));
    expect(gaps.size).toBe(1);
    expect(times[0]).toBe(0);
  });

  test('the opening of the longest window is kept although its neighbours are thinned', () => {
    const keeper = new MomentKeeper(16);
    const verdict = { gfp: 'GFP_ATOMIC', order: 3 } as Verdict;
    for (let n = 0; n < 1000; n++) {
      keeper.note(state(n * 10), verdict);
      keeper.closed({ ...verdict, fromNs: n * 10, toNs: n * 10 + (n === 777 ? 9 : 1) } as never);
    }
    expect(keeper.moments.map((m) => m.timeNs)).toContain(7770);
    expect(keeper.limits).toEqual([]);
  });

  test('openings beyond those remembered are counted and said', () => {
    const keeper = new MomentKeeper(16);
    const verdict = { gfp: 'GFP_ATOMIC', order: 3 } as Verdict;
    for (let n = 0; n < 20_010; n++) {
      keeper.note(state(n * 10), verdict);
      keeper.closed({ ...verdict, fromNs: n * 10, toNs: n * 10 + 1 } as never);
    }
    expect(keeper.limits).toHaveLength(1);
    expect(keeper.limits[0]).toMatch(/^only the openings of the first 20.000 .*; 10 later ones /);
  });

  test('all are kept as long as there is room, with their own copy of the counts', () => {
    const keeper = new MomentKeeper(16);
    const live = state(1);
    keeper.note(live, {} as Verdict);
    (live.zones[0]!.free as unknown as number[])[0] = 9;
    keeper.note(live, {} as Verdict);
    expect(keeper.moments.map((m) => m.zones[0]!.free)).toEqual([[1], [9]]);
  });
});
