/**
 * Where events were lost, and how many pages that leaves in doubt.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlainEvent } from '../recording/testing/batches.js';
import { EventKind } from '../records/events.js';
import { Action, ActionBatch, ActionSpool } from './actions.js';
import { Next } from './fate.js';
import { findLosses, type Loss, lossIn, lossSteps } from './losses.js';
import { surveyEvents } from './survey.js';
import { EventList, plain } from './testing/event-list.js';

/** One event a microsecond, CPUs in turn, but for the marks. */
function tracedOn(cpus: number, length: number, marks: Record<number, Partial<PlainEvent>>) {
  const events = Array.from({ length }, (_, i) => {
    const event = { kind: EventKind.free, timeNs: i * 1000, cpu: i % cpus, pfn: i };
    return plain({ ...event, ...marks[i] });
  });
  return new EventList(events);
}

const lost = (cpu: number, events: number): Partial<PlainEvent> => ({
  kind: EventKind.lost,
  cpu,
  rare: [events, 0, 0, 0],
});

const lossesOf = (events: EventList, from = 0): Loss[] =>
  findLosses(surveyEvents(events), events, { index: from, timeNs: from * 1000 });

describe('losses', () => {
  test('one reaches from the last event of its CPU to the mark', () => {
    const [only, ...others] = lossesOf(tracedOn(2, 5000, { 40: lost(1, 7), 39: { cpu: 0 } }));
    const span = { fromIndex: 37, fromNs: 37_000, endIndex: 41, endNs: 40_000 };
    expect(only).toEqual({ ...span, events: 7 });
    expect(others).toEqual([]);
  });

  test('those that overlap or are near each other are one', () => {
    const near = { 1000: lost(0, 1), 1001: lost(1, 2), 1004: lost(0, 3), 3000: lost(0, 4) };
    const found = lossesOf(tracedOn(2, 5000, near));
    expect(found.map(({ endIndex, events }) => [endIndex, events])).toEqual([
      [1005, 6],
      [3001, 4],
    ]);
  });

  test('one within a longer one does not end it', () => {
    const found = lossesOf(tracedOn(2, 5000, { 40: lost(1, 7) }), 900);
    expect(found.map(({ fromIndex, endIndex }) => [fromIndex, endIndex])).toEqual([[0, 900]]);
  });

  test('where no number is told, as many are lost as there are elsewhere in that time', () => {
    const marks = { 1000: lost(1, Number.NaN), 999: { cpu: 0 }, 997: { cpu: 0 } };
    const [only] = lossesOf(tracedOn(2, 5000, marks));
    expect(only!.events).toBeCloseTo(5, 0);
  });

  test('before the trace is whole all may be missing, as much as comes after', () => {
    const [only] = lossesOf(tracedOn(1, 5001, {}), 1000);
    expect(only).toMatchObject({ fromIndex: 0, fromNs: 0, endIndex: 1000 });
    expect(only!.events).toBeCloseTo(1000, -1);
  });

  test('a stretch is looked up like in a list', () => {
    const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })));
    fc.assert(
      fc.property(gaps, fc.nat({ max: 99 }), fc.nat({ max: 30 }), (list, from, length) => {
        let at = 0;
        const losses = list.map(([gap, size]): Loss => {
          const fromIndex = at + gap;
          at = fromIndex + size;
          return { fromIndex, fromNs: fromIndex, endIndex: at, endNs: at, events: 1 };
        });
        const to = from + length;
        const naive = losses.find((loss) => loss.endIndex > from && loss.fromIndex < to) ?? null;
        expect(lossIn(losses, from, to)).toBe(naive);
      }),
    );
  });
});

describe('pages in doubt', () => {
  const LENGTH = 2000;
  const events = new EventList(tracedOn(1, LENGTH, {}).events, undefined, LENGTH);
  /** Every event frees a page; the even ones are used again at `next`. */
  const actionsWith = (next: number): ActionSpool => {
    const batch = new ActionBatch();
    batch.length = LENGTH;
    batch.action.fill(Action.give, 0, LENGTH);
    for (let i = 0; i < LENGTH; i += 2) batch.fate[i] = next * 8 + Next.alloc;
    const spool = new ActionSpool(1, 1 << 20);
    spool.write(0, batch);
    return spool;
  };
  const loss = (fromIndex: number, endIndex: number, count: number): Loss => ({
    fromIndex,
    fromNs: fromIndex * 1000,
    endIndex,
    endNs: endIndex * 1000,
    events: count,
  });
  const losses = [loss(1000, 1100, 100), loss(1600, 1601, 6)];
  const pagesAt = (next: number, from = 0): [number, number][] =>
    lossSteps(losses, from, events, actionsWith(next)).map(({ index, pages }) => [index, pages]);

  test('while events are lost all that they may move is; then what is used again before more are lost is not', () => {
    expect(pagesAt(1500).slice(0, 2)).toEqual([
      [1000, 100],
      [1100, 50],
    ]);
    expect(pagesAt(1800).slice(0, 2)).toEqual([
      [1000, 100],
      [1100, 100],
    ]);
  });

  test('what is used again among the events around the loss would be among those lost too', () => {
    expect(pagesAt(1150)[0]).toEqual([1000, 50]);
  });

  test('what no later event touches stays in doubt', () => {
    expect(pagesAt(1500).at(-1)).toEqual([1601, 53]);
  });

  test('a copy ends the doubt of what was lost before it', () => {
    expect(pagesAt(1800, 1300)).toEqual([
      [1600, 6],
      [1601, 3],
    ]);
  });
});
