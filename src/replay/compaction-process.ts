/**
 * One compacting process as its events show it: where its two scanners stand and what it has isolated.
 *
 * mm/compaction.c struct compact_control. The migrate scanner comes from below, the free scanner from above; they meet where
 * compaction ends.
 */

/** COMPACT_CLUSTER_MAX: the widest stride of the free scanner. */
export const MAX_STRIDE = 32;

export interface Process {
  /** Free scanner's upper limit and the zone's start, pfns, from mm_compaction_begin. */
  zoneStart: number;
  freePfn: number;
  migratePfn: number;
  /** Where the free scanner stands when this compaction ends: it never goes below. */
  endFreePfn: number;
  /** Order the compaction is for, -1 unknown or whole zone. */
  order: number;
  searchOrder: number;
  /** Pages isolated and not yet used as targets. */
  pool: number;
  /** Row of the last isolate_migratepages, -1 none since the last migration. */
  migrateRow: number;
  /** Pages the fast search announced (6.5+) and that are not yet located. */
  announced: number;
  /** The asynchronous free scanner starts with the widest stride. */
  async: boolean;
  /** Stride the slow free scanner has now: doubles after a pageblock without a hit, 1 after one. */
  stride: number;
  /** Began with an event: its fields are known. */
  active: boolean;
}

export function newProcess(): Process {
  return {
    zoneStart: 0,
    freePfn: Number.POSITIVE_INFINITY,
    migratePfn: 0,
    endFreePfn: 0,
    order: -1,
    searchOrder: 0,
    pool: 0,
    migrateRow: -1,
    announced: 0,
    async: true,
    stride: MAX_STRIDE,
    active: false,
  };
}

/**
 * Where the fast search looks, a pfn: the upper half (2) or quarter (4) of the span between the scanners. It takes what it
 * meets first in the quarter, else the highest block of the half (fast_isolate_freepages, 5.1 and later).
 */
export function searchFrom(process: Process, part: 2 | 4, pageblockOrder: number): number {
  if (!process.active) return 0;
  const size = 1 << pageblockOrder;
  const floor = process.freePfn - (process.freePfn - process.migratePfn) / part;
  return Math.floor(floor / size) * size;
}
