/**
 * page_owner dumps as attribution: blocks allocated before the recording began, or without an event.
 *
 * A dump prints when each block was allocated on the printk clock (local_clock(), mm/page_owner.c). Where the
 * trace's clock can be compared with it, a block that is older than the recording was held from its beginning;
 * others are held from where the dump was taken.
 */
import type { PrintkClock } from '../records/printk-clock.js';
import type { PageOwnerSnapshot, Snapshot } from '../records/snapshot.js';

/** Dumps that have a place among the events, in order. */
export function placedDumps(snapshots: readonly Snapshot[]): PageOwnerSnapshot[] {
  return snapshots.filter(
    (snapshot): snapshot is PageOwnerSnapshot =>
      snapshot.kind === 'page_owner' && snapshot.time.clock === 'trace',
  );
}

/** Trace time at which record `i` was allocated, ns; NaN where it is not told. */
export function allocatedNs(dump: PageOwnerSnapshot, i: number, clock: PrintkClock | null): number {
  return clock === null ? Number.NaN : dump.allocNs[i]! - clock.offsetNs;
}
