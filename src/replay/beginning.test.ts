/**
 * From where on no CPU's events are missing.
 */
import { describe, expect, test } from 'vitest';
import type { PlainEvent } from '../recording/testing/batches.js';
import { EventKind } from '../records/events.js';
import { findBeginning } from './beginning.js';
import { surveyEvents } from './survey.js';
import { EventList, plain } from './testing/event-list.js';

/** CPU 0 from the start, and from event 500 on others in turn with it. */
function traced(cpus: readonly number[], marks: Record<number, Partial<PlainEvent>>): EventList {
  const events = Array.from({ length: 2000 }, (_, i) => {
    const cpu = i < 500 ? 0 : cpus[i % cpus.length]!;
    return plain({ kind: EventKind.free, timeNs: i * 1000, cpu, pfn: i, ...marks[i] });
  });
  return new EventList(events);
}

const beginningOf = (events: EventList) => findBeginning(surveyEvents(events), events);
const started = (cpu: number): Partial<PlainEvent> => ({ kind: EventKind.bufferStarted, cpu });
const lost = (cpu: number): Partial<PlainEvent> => ({
  kind: EventKind.lost,
  cpu,
  rare: [9, 0, 0, 0],
});

describe('where a trace is whole', () => {
  test('from the first event, if no buffer overflowed', () => {
    expect(beginningOf(traced([0, 1], {}))).toEqual({ index: 0, timeNs: 0 });
  });

  test('where the last full buffer begins', () => {
    const events = traced([0, 1, 2], { 500: started(1), 501: started(2) });
    expect(beginningOf(events)).toEqual({ index: 501, timeNs: 501_000 });
  });

  test('a buffer that is far from full was not overwritten: its CPU was idle', () => {
    const rare = Array.from({ length: 50 }, (_, i) => (i === 7 ? 2 : i % 2));
    const events = traced(rare, { 500: started(1), 507: started(2) });
    expect(beginningOf(events).index).toBe(500);
  });

  test('a loss before the first event of a CPU tells the same, one later does not', () => {
    expect(beginningOf(traced([0, 1], { 501: lost(1) })).index).toBe(501);
    expect(beginningOf(traced([0, 1], { 901: lost(1) })).index).toBe(0);
  });
});
