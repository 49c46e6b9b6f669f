/**
 * page_owner dumps as attribution: blocks allocated before the recording began, or without an event.
 *
 * A dump prints when each block was allocated on the printk clock (local_clock(), mm/page_owner.c). Where the
 * trace's clock can be compared with it, a block that is older than the recording was held from its beginning;
 * others are held from where the dump was taken.
 */
import type { PageOwnerSnapshot, Snapshot } from '../records/snapshot.js';
import { EPOCH_CLOCK_S } from '../records/time.js';

/** The printk clock in trace time. */
export interface PrintkClock {
  /** Printk stamp of trace time 0, ns. */
  readonly offsetNs: number;
  /** By how much the two may differ, ns. */
  readonly doubtNs: number;
}

/** Trace clocks that are the printk clock itself; `unknown` is what text traces on it leave unsaid. */
const SAME: ReadonlySet<string> = new Set(['local', 'global', 'perf', 'unknown']);
/** Those that begin with it, give or take what booting and adjusting the time cost. */
const ALIKE: ReadonlySet<string> = new Set(['mono', 'mono_raw', 'boot', 'uptime']);
const ALIKE_DOUBT_NS = 2e9;

/** Null if the two clocks cannot be compared. */
export function printkClock(name: string, epochS: number): PrintkClock | null {
  if (epochS >= EPOCH_CLOCK_S || !(SAME.has(name) || ALIKE.has(name))) return null;
  return { offsetNs: epochS * 1e9, doubtNs: SAME.has(name) ? 0 : ALIKE_DOUBT_NS };
}

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
