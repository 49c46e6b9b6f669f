import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BATCH_CAPACITY, EventBatch, EventKind } from '../records/events.js';
import { RecordingStrings } from '../records/strings.js';
import { EventSpool, SpoolBudget } from './spool.js';
import { allEvents, anyEvent, countedBatch, spoolOf } from './testing/batches.js';

describe('EventSpool', () => {
  it('gives back exactly what was appended, from memory and from a file', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        for (const limit of [1 << 20, 0]) {
          const strings = new RecordingStrings();
          const spool = spoolOf(events, strings, new SpoolBudget(limit), 7);
          expect(spool.onDisk).toBe(limit === 0 && events.length > 0);
          expect(allEvents(spool, strings)).toEqual(events);
          spool.close();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('cuts batches anew and reads them backwards, rare rows with them', () => {
    for (const limit of [1 << 30, 3 << 20, 0]) {
      const spool = new EventSpool(new SpoolBudget(limit));
      const total = 2 * BATCH_CAPACITY + 4321;
      for (let at = 0; at < total; at += 50_000) {
        spool.append(countedBatch(at, Math.min(50_000, total - at), (n) => 10 * n));
      }
      spool.seal();
      expect(spool.length).toBe(total);
      expect(spool.batches).toBe(3);
      const batch = new EventBatch();
      for (let b = 2; b >= 0; b--) {
        spool.read(b, batch);
        const offset = spool.offsetOf(b);
        expect(batch.length).toBe(b === 2 ? 4321 : BATCH_CAPACITY);
        for (let i = 0; i < batch.length; i++) {
          const n = offset + i;
          const value = batch.kind[i] === EventKind.marker ? batch.rareField(i, 0) : batch.pfn[i];
          if (value !== n || batch.pid[i] !== n || batch.timeNs[i] !== 10 * n) {
            expect.fail(`event ${n} came back as ${value}`);
          }
        }
      }
      spool.close();
    }
  });

  it('keeps to the memory budget that several spools share', () => {
    const budget = new SpoolBudget(4 << 20);
    const spools = [new EventSpool(budget), new EventSpool(budget), new EventSpool(budget)];
    for (let round = 0; round < 4; round++) {
      for (const spool of spools) {
        spool.append(countedBatch(round * BATCH_CAPACITY, BATCH_CAPACITY, (n) => n));
        expect(budget.used).toBeLessThanOrEqual(budget.limit);
      }
    }
    for (const spool of spools) spool.seal();
    expect(spools.some((spool) => spool.onDisk)).toBe(true);
    for (const spool of spools) spool.close();
    expect(budget.used).toBe(0);
  });

  it('counts events that go backwards in time', () => {
    const spool = new EventSpool();
    spool.append(countedBatch(0, 10, (n) => [0, 5, 4, 6, 6, 1, 7, Number.NaN, 8, 9][n]!));
    expect(spool.backwards).toBe(2);
    expect(spool.firstNs).toBe(0);
    expect(spool.lastNs).toBe(9);
    spool.close();
  });

  it('shows every batch once, in order, to its watcher', () => {
    const seen: number[] = [];
    const spool = new EventSpool(new SpoolBudget(), (batch, offset) => {
      seen.push(offset, batch.length);
    });
    spool.append(countedBatch(0, BATCH_CAPACITY, (n) => n));
    spool.append(countedBatch(0, 5, (n) => n));
    spool.seal();
    expect(seen).toEqual([0, BATCH_CAPACITY, BATCH_CAPACITY, 5]);
    spool.close();
  });
});
