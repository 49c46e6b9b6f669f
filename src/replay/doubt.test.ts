/**
 * Where the estimate is doubted, and by how much.
 */
import { describe, expect, test } from 'vitest';
import { EventKind } from '../records/events.js';
import { addDoubt, type DoubtContext } from './doubt.js';
import type { CorrectionSpan } from './reconcile.js';
import { RareLog } from './survey.js';
import { batchOf, plain } from './testing/event-list.js';

const ORDERS = 11;

function rareOf(...rows: readonly (readonly [kind: EventKind, index: number, field: number])[]) {
  const log = new RareLog();
  for (const [kind, index, field] of rows) {
    log.push(batchOf([plain({ kind, timeNs: index * 10, rare: [field, 2, 3, 4] })]), 0, index);
  }
  return log;
}

function span(fromIndex: number, toIndex: number): CorrectionSpan {
  const none = new Int32Array(ORDERS);
  const toNs = toIndex * 10;
  const held = { best: none, earlier: none, later: none, linear: false };
  return { fromIndex, fromNs: fromIndex * 10, toNs, ...held };
}

const CAPACITY = Int32Array.from({ length: ORDERS }, (_, q) => 4096 >> q);

const contextOf = (rare: RareLog): DoubtContext => ({
  rare,
  lossSteps: () => [],
  orders: ORDERS,
  capacity: CAPACITY,
  mapped: true,
});

const doubted = (spans: readonly CorrectionSpan[], rare: RareLog) =>
  addDoubt(spans, contextOf(rare));

const slackAt = (spans: readonly CorrectionSpan[], index: number): readonly number[] => [
  ...(spans.filter((s) => s.fromIndex <= index).at(-1)!.slack ?? new Int32Array(ORDERS)),
];

describe('doubt', () => {
  test('there is none before the first compaction, and some of the lower orders after it', () => {
    const rare = rareOf([EventKind.kswapdWake, 20, 0], [EventKind.isolateFreepages, 50, 0]);
    const spans = doubted([span(0, Number.POSITIVE_INFINITY)], rare);
    expect(Math.max(...slackAt(spans, 49))).toBe(0);
    const after = slackAt(spans, 50);
    expect(Math.min(...after.slice(0, 4))).toBeGreaterThan(0);
    expect(Math.max(...after.slice(8))).toBe(0);
  });

  test('without a map of memory the lower orders may always be a block off', () => {
    const context = { ...contextOf(new RareLog()), mapped: false };
    const [only] = addDoubt([span(0, Number.POSITIVE_INFINITY)], context);
    expect([...only!.doubt!]).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(only!.slack).toBeUndefined();
  });

  test('a copy ends it', () => {
    const rare = rareOf([EventKind.isolateFreepages, 50, 0]);
    const spans = doubted([span(0, 100), span(100, Number.POSITIVE_INFINITY)], rare);
    expect(Math.max(...slackAt(spans, 99))).toBeGreaterThan(0);
    expect(Math.max(...slackAt(spans, 100))).toBe(0);
    expect(spans.map((s) => s.toNs)).toEqual([500, 1000, Number.POSITIVE_INFINITY]);
  });

  test('behind the last copy as many pages are in doubt as losses leave: 2^q of them may be a block of order q', () => {
    const steps = [
      { index: 10, timeNs: 100, pages: 512 },
      { index: 20, timeNs: 200, pages: 100 },
    ];
    const rare = rareOf([EventKind.isolateFreepages, 15, 0]);
    const spans = addDoubt([span(0, 5), span(5, Number.POSITIVE_INFINITY)], {
      ...contextOf(rare),
      lossSteps: (from) => steps.filter((step) => step.index >= from),
    });
    expect(spans.map((s) => s.fromIndex)).toEqual([0, 5, 10, 15, 20]);
    expect(slackAt(spans, 9)[9]).toBe(0);
    // Half of 512 and of 100 pages.
    expect([10, 15, 20].map((i) => slackAt(spans, i)[8])).toEqual([1, 1, 1]);
    expect([10, 15, 20].map((i) => slackAt(spans, i)[6])).toEqual([4, 4, 1]);
    expect(spans.some((s) => s.far === true)).toBe(false);
  });

  test('where a tenth of the machine is in doubt, that a request fails must follow from the bounds', () => {
    const steps = [{ index: 10, timeNs: 100, pages: 900 }];
    const context = { ...contextOf(new RareLog()), lossSteps: () => steps };
    const [before, after] = addDoubt([span(0, Number.POSITIVE_INFINITY)], context);
    expect([before!.far, after!.far]).toEqual([undefined, true]);
  });

  test('no more than a zone holds is in doubt', () => {
    const steps = [{ index: 10, timeNs: 100, pages: 1e9 }];
    const [, after] = addDoubt([span(0, Number.POSITIVE_INFINITY)], {
      ...contextOf(new RareLog()),
      lossSteps: () => steps,
    });
    expect([...after!.slack!]).toEqual([...CAPACITY]);
  });
});
