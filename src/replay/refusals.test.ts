/**
 * Refusals lifted out of the events, and what they prove where only allocations and frees are recorded.
 */
import { describe, expect, test } from 'vitest';
import { EventKind, PFN_NONE } from '../records/events.js';
import { RefusalLog } from './refusals.js';
import { batchOf, plain } from './testing/event-list.js';

interface Row {
  readonly kind?: EventKind;
  readonly timeNs: number;
  readonly order?: number;
  readonly pid?: number;
  readonly cpu?: number;
  readonly pfn?: number;
}

function refusalsOf(rows: readonly Row[]): number[] {
  const batch = batchOf(
    rows.map(({ kind = EventKind.alloc, pfn = PFN_NONE, order = 3, ...rest }) =>
      plain({ kind, pfn, order, ...rest }),
    ),
  );
  const log = new RefusalLog();
  for (let i = 0; i < rows.length; i++) {
    if (batch.kind[i] === EventKind.alloc && batch.pfn[i] === PFN_NONE) log.note(batch, i, 100 + i);
  }
  return log.refusals.map(({ index }) => index);
}

describe('refusals', () => {
  test('of one class one in a millisecond is kept, of others each', () => {
    const rows = [
      { timeNs: 0 },
      { timeNs: 10 },
      { timeNs: 20, order: 4 },
      { timeNs: 999_999 },
      { timeNs: 1_000_001 },
    ];
    expect(refusalsOf(rows)).toEqual([100, 102, 104]);
  });

  test('a charge that was refused had got its page: the free of it stands just before', () => {
    const free = { kind: EventKind.free, pfn: 64, timeNs: 0, pid: 7, cpu: 1 };
    const refused = { timeNs: 10, pid: 7, cpu: 1 };
    expect(refusalsOf([free, refused])).toEqual([]);
    expect(refusalsOf([{ ...free, order: 2 }, refused])).toEqual([101]);
    expect(refusalsOf([{ ...free, pid: 8 }, refused])).toEqual([101]);
    expect(refusalsOf([free, { ...free, order: 0, pfn: 3 }, refused])).toEqual([102]);
  });
});
