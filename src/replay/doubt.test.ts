/**
 * Where the estimate is doubted, and by how much.
 */
import { describe, expect, test } from 'vitest';
import { EventKind } from '../records/events.js';
import { addDoubt } from './doubt.js';
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

const doubted = (spans: readonly CorrectionSpan[], rare: RareLog) =>
  addDoubt(spans, { rare, zones: 1, orders: ORDERS, mapped: true });

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
    const context = { rare: new RareLog(), zones: 1, orders: ORDERS, mapped: false };
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

  test('each lost event may have been a page: it may have cut one block, and 2^q make one of order q', () => {
    const rare = rareOf([EventKind.lost, 10, 512], [EventKind.lost, 20, 512]);
    const spans = doubted([span(0, Number.POSITIVE_INFINITY)], rare);
    expect(slackAt(spans, 5)[9]).toBe(0);
    expect(slackAt(spans, 10)[9]).toBe(1);
    expect(slackAt(spans, 20)[9]).toBe(2);
    expect(slackAt(spans, 20)[0]).toBeGreaterThanOrEqual(1024);
  });

  test('a buffer that began anew may have lost anything', () => {
    const spans = doubted(
      [span(0, Number.POSITIVE_INFINITY)],
      rareOf([EventKind.bufferStarted, 10, 0]),
    );
    expect(slackAt(spans, 10)[10]).toBeGreaterThan(1e5);
  });
});
