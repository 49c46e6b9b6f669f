/**
 * Compaction on the small kernel: takes free pages in secret and prints what kernels print about it.
 *
 * mm/compaction.c: pages to be moved are isolated from below, free pages from above. The fast search
 * takes one block straight from the free lists (no event before 6.5); the slow scan empties a range.
 * Sources are freed as usual; targets become allocated without mm_page_alloc; what is left over is
 * freed again. Truth within a compaction is marked, since the moment of a taking is not printed.
 */
import { EventKind } from '../../records/events.js';
import type { SmallKernel } from './small-kernel.js';

export interface CompactOptions {
  readonly zone?: number;
  /** Held order-0 pages to move. */
  readonly sources: readonly number[];
  /** A free block to take by the fast search before the slow scan of its pageblock. */
  readonly fast?: { readonly pfn: number; readonly order: number };
  /** fast_isolate_freepages is printed (6.5 and later). */
  readonly fastEvent?: boolean;
  /** After the fast search the rest of its pageblock is scanned, as when it gave too little. */
  readonly scanAround?: boolean;
  readonly order?: number;
  readonly pid?: number;
}

export function compact(kernel: SmallKernel, options: CompactOptions): void {
  const { sources, fast, fastEvent = false, scanAround = true, order = 4, pid = 77 } = options;
  const zone = kernel.zones[options.zone ?? 0]!;
  const end = zone.startPfn + zone.pages - (zone.cmaPages ?? 0);
  const rare = (kind: EventKind, ...fields: (number | string)[]): void =>
    kernel.emit({ kind, pid, rare: fields });
  const isolated: number[] = [];
  kernel.compacting = true;
  rare(EventKind.tryToCompact, order, 'GFP_KERNEL', 1);
  rare(EventKind.compactionBegin, zone.startPfn, zone.startPfn, end, end, 'sync');
  const first = sources[0] ?? zone.startPfn;
  rare(EventKind.isolateMigratepages, first, first + 32, sources.length, sources.length);
  const block = 2 ** kernel.pageblockOrder;
  let scanFrom = end;
  if (fast) {
    kernel.takeSilently(fast.pfn, fast.order);
    for (let p = fast.pfn; p < fast.pfn + 2 ** fast.order; p++) isolated.push(p);
    const floor = zone.startPfn + Math.floor((end - zone.startPfn) / 2);
    if (fastEvent) rare(EventKind.fastIsolateFreepages, floor, end, 1, 2 ** fast.order);
    const start = fast.pfn - (fast.pfn % block);
    if (scanAround) scan(kernel, start, Math.min(start + block, end), isolated, rare);
    scanFrom = start;
  }
  while (isolated.length < sources.length && scanFrom > zone.startPfn) {
    const start = scanFrom - block;
    scan(kernel, start, scanFrom, isolated, rare);
    scanFrom = start;
  }
  const moved = sources.slice(0, isolated.length);
  for (const source of moved) {
    const target = isolated.shift()!;
    kernel.held.set(target, 0);
    kernel.free(source);
  }
  rare(EventKind.migratepages, moved.length, 0);
  for (const page of isolated) kernel.give(page, 0);
  rare(EventKind.compactionEnd, zone.startPfn, first, scanFrom, end, 'sync', 'success');
  kernel.compacting = false;
}

/**
 * Takes the free blocks that begin in the range and prints it. A block that begins below shows no head here; a pageblock
 * that is free as a whole is no target at all, and nothing is printed of it.
 */
function scan(
  kernel: SmallKernel,
  start: number,
  end: number,
  isolated: number[],
  rare: (kind: EventKind, ...fields: number[]) => void,
): void {
  const blocks = kernel.buddy.blocks().filter(({ page }) => page >= start && page < end);
  if (blocks[0]?.page === start && blocks[0].order >= kernel.pageblockOrder) return;
  let taken = 0;
  for (const { page, order } of blocks) {
    kernel.takeSilently(page, order);
    for (let p = page; p < page + 2 ** order; p++) isolated.push(p);
    taken += 2 ** order;
  }
  rare(EventKind.isolateFreepages, start, end, end - start, taken);
}
