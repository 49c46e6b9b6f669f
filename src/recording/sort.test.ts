import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BATCH_CAPACITY, EventBatch } from '../records/events.js';
import { RecordingStrings } from '../records/strings.js';
import { mergeByTime } from './sort.js';
import { EventSpool, SpoolBudget } from './spool.js';
import { allEvents, anyEvent, countedBatch, type PlainEvent, spoolOf } from './testing/batches.js';

/** What the merge must give: by time, then input, then place; no time = that of the one before. */
function naive(inputs: readonly (readonly PlainEvent[])[]): PlainEvent[] {
  const keyed = inputs.flatMap((events) => {
    let time = Number.NEGATIVE_INFINITY;
    return events.map((event) => {
      if (!Number.isNaN(event.timeNs)) time = event.timeNs;
      return { event, time };
    });
  });
  return keyed.sort((a, b) => (a.time === b.time ? 0 : a.time - b.time)).map(({ event }) => event);
}

describe('mergeByTime', () => {
  it('is a stable sort of all inputs', () => {
    const few = fc.integer({ min: 0, max: 30 });
    const event = fc.tuple(anyEvent, few).map(([one, timeNs]) => ({ ...one, timeNs }));
    fc.assert(
      fc.property(fc.array(fc.array(event, { maxLength: 40 }), { maxLength: 5 }), (inputs) => {
        const strings = new RecordingStrings();
        const spools = inputs.map((events) => spoolOf(events, strings));
        const merged = mergeByTime(spools, new SpoolBudget());
        expect(allEvents(merged, strings)).toEqual(naive(inputs));
        merged.close();
      }),
      { numRuns: 30 },
    );
  });

  it('keeps an event without a time behind the one before it', () => {
    const strings = new RecordingStrings();
    const [sample] = fc.sample(anyEvent, { numRuns: 1, seed: 1 });
    const at = (timeNs: number, pid: number): PlainEvent => ({ ...sample!, timeNs, pid });
    const input = [at(5, 1), at(Number.NaN, 2), at(3, 3), at(9, 4)];
    const merged = mergeByTime([spoolOf(input, strings)], new SpoolBudget());
    expect(allEvents(merged, strings).map((event) => event.pid)).toEqual([3, 1, 2, 4]);
    merged.close();
  });

  it('sorts bursts longer than memory through files, in several passes', () => {
    // 18 windows of one batch: more runs than are merged at once.
    const total = 18 * BATCH_CAPACITY;
    const budget = new SpoolBudget(1 << 20);
    const spool = new EventSpool(budget);
    // Bursts of 10000 events, every second one swapped with its neighbour.
    const timeOf = (n: number): number => {
      const burst = Math.floor(n / 10_000);
      return (burst % 2 === 0 ? burst + 1 : burst - 1) * 10_000 + (n % 10_000);
    };
    for (let b = 0; b < 18; b++) {
      spool.append(countedBatch(b * BATCH_CAPACITY, BATCH_CAPACITY, timeOf));
    }
    spool.seal();
    expect(spool.backwards).toBeGreaterThan(0);
    const merged = mergeByTime([spool], budget, null, 1);
    expect(merged.length).toBe(total);
    expect(merged.onDisk).toBe(true);
    const batch = new EventBatch();
    let last = -1;
    let sum = 0;
    for (let b = 0; b < merged.batches; b++) {
      merged.read(b, batch);
      for (let i = 0; i < batch.length; i++) {
        const n = batch.pid[i]!;
        if (batch.timeNs[i]! < last || batch.timeNs[i] !== timeOf(n)) expect.fail(`event ${n}`);
        last = batch.timeNs[i]!;
        sum += n;
      }
    }
    expect(sum).toBe((total * (total - 1)) / 2);
    merged.close();
    expect(budget.used).toBe(0);
  });
});
