/**
 * What copies say of their surroundings where no events do.
 */
import { describe, expect, test } from 'vitest';
import { planWithoutEvents } from './copies-only.js';
import type { Anchor, CorrectionSpan } from './reconcile.js';

const ROOM = Int32Array.of(1000);

/** A copy of one order, read within 10 ns. */
const copy = (timeNs: number, free: number): Anchor => ({
  beginIndex: 0,
  endIndex: 0,
  timeNs,
  endNs: timeNs + 10,
  residual: Int32Array.of(-free),
});

const spanAt = (spans: readonly CorrectionSpan[], timeNs: number): CorrectionSpan =>
  spans.findLast(({ fromNs }) => fromNs <= timeNs)!;

describe('copies without events', () => {
  const copies = [copy(0, 4), copy(1010, 9), copy(2020, 2), copy(3030, 5)];
  const spans = planWithoutEvents(copies, 1, ROOM);
  const at = (timeNs: number): CorrectionSpan => spanAt(spans, timeNs);

  test('each is exact while it is read, and only then', () => {
    for (const { timeNs, residual } of copies) {
      const { best, earlier, later, doubt, slack } = at(timeNs + 5);
      expect([best, earlier, later, doubt, slack]).toEqual([
        residual,
        residual,
        residual,
        undefined,
        undefined,
      ]);
      expect(at(timeNs + 15).doubt?.[0]).toBeGreaterThan(0);
    }
    expect(at(-5).doubt?.[0]).toBeGreaterThan(0);
  });

  test('in between the nearer one is the estimate, and both are bounds', () => {
    expect([at(1100), at(1500), at(1530), at(2000)].map(({ best }) => best[0])).toEqual([
      -9, -9, -2, -2,
    ]);
    for (const timeNs of [1100, 1500, 1530, 2000]) {
      expect([at(timeNs).earlier[0], at(timeNs).later[0]]).toEqual([-9, -2]);
    }
  });

  test('a tenth of the way from one its word alone does not count any more', () => {
    const far = [1100, 1130, 1500, 1910, 1930].map((timeNs) => at(timeNs).far === true);
    expect(far).toEqual([false, true, true, true, false]);
    expect(at(1130).slack?.[0]).toBeGreaterThan(0);
    expect(at(1100).slack).toBeUndefined();
    expect([at(-5).far, at(5000).far]).toEqual([true, true]);
  });

  test('one or two copies do not tell what happens around them', () => {
    const two = planWithoutEvents([copy(0, 4), copy(1010, 9)], 1, ROOM);
    expect([-5, 500, 5000].map((timeNs) => spanAt(two, timeNs).doubt)).toEqual([ROOM, ROOM, ROOM]);
    expect(spanAt(two, 5).doubt).toBeUndefined();
  });

  test('copies that overlap leave no gap', () => {
    const froms = planWithoutEvents([copy(0, 4), copy(5, 9)], 1, ROOM).map(({ fromNs }) => fromNs);
    expect(froms).toEqual([Number.NEGATIVE_INFINITY, 0, 5, 15]);
  });

  test('no copies, no corrections', () => {
    expect(planWithoutEvents([], 1, ROOM)).toEqual([]);
  });
});
