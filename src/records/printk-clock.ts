/**
 * The printk clock (local_clock()) and the trace's: page_owner stamps allocations with the one, events have the other.
 */
import { EPOCH_CLOCK_S } from './time.js';

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
