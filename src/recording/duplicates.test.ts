import { expect, test } from 'vitest';
import { Diagnostics } from '../records/diagnostics.js';
import { EventBatch, EventKind } from '../records/events.js';
import { dropDuplicates } from './duplicates.js';
import { EventSpool, SpoolBudget } from './spool.js';

const budget = new SpoolBudget();

/** Allocations of one page each, a microsecond apart. */
function spoolOf(firstPfn: number, events: number): EventSpool {
  const batch = new EventBatch(events);
  for (let i = 0; i < events; i++) {
    batch.kind[i] = EventKind.alloc;
    batch.timeNs[i] = 1e9 + i * 1000;
    batch.pfn[i] = firstPfn + i;
  }
  batch.length = events;
  const spool = new EventSpool(budget);
  spool.append(batch);
  spool.seal();
  return spool;
}

test('one of many inputs that repeats another is left out', () => {
  const diagnostics = new Diagnostics();
  const inputs = [0, 1000, 0, 2000].map((pfn, i) => ({ name: `${i}`, spool: spoolOf(pfn, 50) }));
  const kept = dropDuplicates(inputs, diagnostics);
  expect(kept.map(({ name }) => name)).toEqual(['0', '1', '3']);
  expect(diagnostics.counts()).toEqual([['input-duplicate', 1]]);
});

test('thousands of inputs are not all compared with each other, and that is said', () => {
  const diagnostics = new Diagnostics();
  const inputs = Array.from({ length: 400 }, (_, i) => ({
    name: `${i}`,
    spool: spoolOf(i * 1000, 20),
  }));
  expect(dropDuplicates(inputs, diagnostics)).toHaveLength(400);
  const [code, count] = diagnostics.counts()[0]!;
  expect([code, count]).toEqual(['inputs-not-compared', 1]);
});
