/**
 * Which corrections hold before a trace is whole, and from there on.
 */
import { describe, expect, test } from 'vitest';
import { type PlanContext, planSpans } from './correction-plan.js';
import type { Anchor, CorrectionSpan } from './reconcile.js';
import { RareLog } from './survey.js';

const context: PlanContext = {
  level: 'buddy',
  beginning: { index: 500, timeNs: 5000 },
  rare: new RareLog(),
  losses: [{ fromIndex: 0, fromNs: 0, endIndex: 500, endNs: 5000, events: 100 }],
  lossSteps: () => [],
  linear: false,
  takingsTold: true,
  orders: 1,
  capacity: Int32Array.of(1000),
  mapped: true,
  indexAt: (timeNs) => Math.ceil(timeNs / 10),
  errors: [],
};

const copyAt = (index: number, value: number): Anchor => ({
  beginIndex: index,
  endIndex: index,
  timeNs: index * 10,
  residual: Int32Array.of(value),
});

const spanAt = (spans: readonly CorrectionSpan[], index: number): CorrectionSpan =>
  spans.filter((span) => span.fromIndex <= index).at(-1)!;

const ascending = (spans: readonly CorrectionSpan[]): void => {
  const from = spans.map((span) => span.fromIndex);
  expect(from).toEqual([...from].sort((a, b) => a - b));
};

describe('a trace whose buffers begin apart', () => {
  const copies = [100, 200, 300, 400, 600, 700, 800].map((at, i) => copyAt(at, i));

  test('before it is whole copies alone speak; from there on events carry what the next copy tells', () => {
    const spans = planSpans(copies, context);
    ascending(spans);
    expect([150, 250, 350, 450].map((at) => spanAt(spans, at).far)).toEqual(Array(4).fill(true));
    expect(spanAt(spans, 450).doubt?.[0]).toBeGreaterThan(0);
    const whole = spanAt(spans, 550);
    expect([whole.fromIndex, whole.far, whole.best[0]]).toEqual([500, undefined, 4]);
    expect(spanAt(spans, 900).best[0]).toBe(6);
  });

  test('a copy just before it is whole is nearer than the first one after', () => {
    const near = [...copies.slice(0, 4), copyAt(490, 9), ...copies.slice(4)];
    const spans = planSpans(near, context);
    ascending(spans);
    const { far, best } = spanAt(spans, 495);
    expect([far, best[0]]).toEqual([undefined, 9]);
  });

  test('without a copy before, nothing is known until it is whole', () => {
    const [first, second] = planSpans(copies.slice(4), context);
    expect(first).toMatchObject({ unknown: true, far: true, toNs: 5000 });
    expect(second).toMatchObject({ fromIndex: 500, best: Int32Array.of(4) });
    expect(second!.unknown).toBeUndefined();
  });

  test('without a copy after, the last one speaks from afar', () => {
    const spans = planSpans(copies.slice(0, 4), context);
    expect(spanAt(spans, 900)).toMatchObject({ far: true, best: Int32Array.of(3) });
  });

  test('a whole trace has no such part', () => {
    const spans = planSpans(copies, { ...context, beginning: { index: 0, timeNs: 0 }, losses: [] });
    expect(spans.some((span) => span.far === true)).toBe(false);
  });
});
