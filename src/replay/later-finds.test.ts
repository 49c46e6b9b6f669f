/**
 * Searches of compaction that tell their pageblock, and the choice of blocks taken before.
 */
import { describe, expect, test } from 'vitest';
import { EventKind } from '../records/events.js';
import { LaterFinds } from './later-finds.js';
import { surveyEvents } from './survey.js';
import { EventList, plain } from './testing/event-list.js';
import { compact } from './testing/small-compaction.js';
import { SmallKernel } from './testing/small-kernel.js';
import { recorded, SnapshotTaker } from './testing/small-recording.js';
import { walk } from './testing/walk.js';

describe('what later searches tell', () => {
  test('a search with a range after it tells order and pageblock', () => {
    const list = new EventList([
      plain({ kind: EventKind.fastIsolateFreepages, rare: [0, 64, 1, 8] }),
      plain({ kind: EventKind.isolateFreepages, pid: 7, rare: [96, 128, 32, 4] }),
      plain({ kind: EventKind.isolateFreepages, rare: [64, 96, 32, 4] }),
      plain({ kind: EventKind.fastIsolateFreepages, rare: [0, 64, 1, 8] }),
      plain({ kind: EventKind.migratepages, rare: [8, 0] }),
      plain({ kind: EventKind.isolateFreepages, rare: [32, 64, 32, 4] }),
    ]);
    const finds = new LaterFinds(surveyEvents(list).rare, 5);
    expect(finds.any(72, 3, -1, 6)).toBe(true);
    expect(finds.any(72, 2, -1, 6)).toBe(false);
    // Another process scanned there, and the second search was not followed by its range.
    expect(finds.any(100, 3, -1, 6)).toBe(false);
    expect(finds.any(40, 3, -1, 6)).toBe(false);
    // Only strictly between the two events.
    expect(finds.any(72, 3, 0, 6)).toBe(false);
    expect(finds.any(72, 3, -1, 0)).toBe(false);
  });

  test('a block that a later search found is not taken by an earlier one', () => {
    const kernel = new SmallKernel({
      zones: [{ zone: 'Normal', startPfn: 0, pages: 1024 }],
      pageblockOrder: 5,
      maxOrder: 8,
    });
    const taker = SnapshotTaker.complete(kernel, '6.12.48');
    const sources = Array.from({ length: 24 }, () => kernel.alloc(0));
    const blocks: number[] = [];
    for (let pfn = kernel.alloc(3); pfn >= 0; pfn = kernel.alloc(3)) blocks.push(pfn);
    // Two free blocks of one order in pageblocks of their own, the one found later above the other and partly freed again.
    const [first, second] = [640, 896].map((from) => blocks.find((pfn) => pfn >= from)!);
    kernel.free(first!);
    kernel.free(second!);
    const search = { order: 9, fastEvent: true } as const;
    const moved = { sources: sources.slice(0, 8), fast: { pfn: first!, order: 3 } };
    compact(kernel, { ...search, ...moved, scanAround: false });
    const later = { sources: sources.slice(8, 16), fast: { pfn: second!, order: 3 } };
    compact(kernel, { ...search, ...later });
    const after = kernel.now;
    for (let pfn = second!; pfn < second! + 3; pfn++) kernel.free(pfn);
    const made = recorded(kernel, taker.snapshots);
    expect(walk(made, made.truth).wrongFrom(after)).toBe(-1);
  });

  test('a scan of every second page leaves what it steps over, however many compound pages it counts', () => {
    const kernel = new SmallKernel({
      zones: [{ zone: 'Normal', startPfn: 0, pages: 1024 }],
      pageblockOrder: 5,
      maxOrder: 8,
    });
    const taker = SnapshotTaker.complete(kernel, '6.12.48');
    const pages: number[] = [];
    for (let pfn = kernel.alloc(0); pfn >= 0; pfn = kernel.alloc(0)) pages.push(pfn);
    // In one pageblock the page of an even and that of an odd position.
    for (const pfn of [896, 901]) kernel.free(pfn);
    kernel.drain();
    const rare = (kind: EventKind, ...fields: (number | string)[]): void =>
      kernel.emit({ kind, pid: 77, rare: fields });
    rare(EventKind.compactionBegin, 0, 0, 1024, 1024, 'sync');
    rare(EventKind.isolateMigratepages, 0, 32, 32, 1);
    rare(EventKind.fastIsolateFreepages, 512, 1024, 9, 0);
    rare(EventKind.isolateFreepages, 928, 960, 32, 0);
    kernel.takeSilently(896, 0);
    // Half of the positions, and a compound page of eight counted whole.
    rare(EventKind.isolateFreepages, 896, 928, 27, 1);
    rare(EventKind.migratepages, 1, 0);
    rare(EventKind.compactionEnd, 0, 32, 896, 1024, 'sync', 'success');
    kernel.free(896);
    const made = recorded(kernel, taker.snapshots);
    expect(walk(made, made.truth).wrong).toEqual([]);
  });
});
