/**
 * Copies events from one set of columns to another: the columns that mean the same wherever they are.
 *
 * Ids (comm, stack, detail) are those of a table and rare rows those of a batch: whoever copies takes care of
 * them. Allocates nothing for a few rows.
 */
import type { EventBatch } from './events.js';

export type RowColumns = Pick<
  EventBatch,
  'timeNs' | 'pfn' | 'pid' | 'cpu' | 'kind' | 'order' | 'migratetype'
>;

/** Below this, views on the columns cost more than copying one by one. */
export const FEW_ROWS = 24;

/** Copies rows [from, from + count) to `at`; `into` must have room. */
export function copyRows(
  source: RowColumns,
  from: number,
  count: number,
  into: RowColumns,
  at: number,
): void {
  if (count < FEW_ROWS) copyFew(source, from, count, into, at);
  else copyMany(source, from, from + count, into, at);
}

function copyMany(
  source: RowColumns,
  from: number,
  end: number,
  into: RowColumns,
  at: number,
): void {
  into.timeNs.set(source.timeNs.subarray(from, end), at);
  into.pfn.set(source.pfn.subarray(from, end), at);
  into.pid.set(source.pid.subarray(from, end), at);
  into.cpu.set(source.cpu.subarray(from, end), at);
  into.kind.set(source.kind.subarray(from, end), at);
  into.order.set(source.order.subarray(from, end), at);
  into.migratetype.set(source.migratetype.subarray(from, end), at);
}

function copyFew(
  source: RowColumns,
  from: number,
  count: number,
  into: RowColumns,
  at: number,
): void {
  for (let i = 0; i < count; i++) {
    const s = from + i;
    const t = at + i;
    into.timeNs[t] = source.timeNs[s]!;
    into.pfn[t] = source.pfn[s]!;
    into.pid[t] = source.pid[s]!;
    into.cpu[t] = source.cpu[s]!;
    into.kind[t] = source.kind[s]!;
    into.order[t] = source.order[s]!;
    into.migratetype[t] = source.migratetype[s]!;
  }
}
