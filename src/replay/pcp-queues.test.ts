/**
 * What drains tell of frees: PcpQueues alone, and a replay whose frees bypass the per-cpu lists.
 */
import { describe, expect, test } from 'vitest';
import { MigrateType } from '../kernel/migratetype.js';
import { PcpQueues } from './pcp-queues.js';
import { PfnSpace } from './pfn-space.js';

const PAGEBLOCK_ORDER = 5;

/** Two zones of 128 pages. */
const SPACE = new PfnSpace(
  [0, 128].map((startPfn) => ({ node: 0, zone: '', startPfn, spanned: 128 })),
  PAGEBLOCK_ORDER,
);

function queues(): PcpQueues {
  const made = new PcpQueues(SPACE, PAGEBLOCK_ORDER);
  made.typeTold(0, MigrateType.movable);
  made.typeTold(32, MigrateType.unmovable);
  made.typeTold(64, MigrateType.reclaimable);
  return made;
}

describe('per-cpu lists seen from the future', () => {
  test('what was freed before a drained page has left the list by then', () => {
    const made = queues();
    expect(made.emptyBy(3, 0, made.placeOf(3, 0))).toBe(Number.POSITIVE_INFINITY);
    made.drained(4, 0, made.placeOf(4, 0), 90);
    made.drained(5, 0, made.placeOf(5, 0), 80);
    expect(made.emptyBy(3, 0, made.placeOf(3, 0))).toBe(80);
  });

  test('other cpus, orders and types have lists of their own', () => {
    const made = queues();
    made.drained(4, 0, made.placeOf(4, 0), 80);
    expect(made.emptyBy(3, 0, made.placeOf(3, 1))).toBe(Number.POSITIVE_INFINITY);
    expect(made.emptyBy(2, 1, made.placeOf(2, 0))).toBe(Number.POSITIVE_INFINITY);
    expect(made.emptyBy(65, 0, made.placeOf(65, 0))).toBe(Number.POSITIVE_INFINITY);
  });

  test('cost memory only where something is freed, whatever the number of the cpu', () => {
    const before = process.memoryUsage().arrayBuffers;
    const made = queues();
    made.drained(4, 0, made.placeOf(4, 65_535), 80);
    expect(made.emptyBy(3, 0, made.placeOf(3, 65_535))).toBe(80);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });

  test('so have other zones', () => {
    const made = queues();
    made.typeTold(128, MigrateType.movable);
    made.drained(129, 0, made.placeOf(129, 0), 80);
    expect(made.emptyBy(3, 0, made.placeOf(3, 0))).toBe(Number.POSITIVE_INFINITY);
    expect(made.emptyBy(130, 0, made.placeOf(130, 0))).toBe(80);
  });

  test('unmovable lists and pageblocks of unknown type tell nothing', () => {
    const made = queues();
    made.drained(33, 0, made.placeOf(33, 0), 80);
    made.drained(100, 0, made.placeOf(100, 0), 80);
    expect(made.emptyBy(34, 0, made.placeOf(34, 0))).toBe(Number.POSITIVE_INFINITY);
    expect(made.emptyBy(101, 0, made.placeOf(101, 0))).toBe(Number.POSITIVE_INFINITY);
  });
});
