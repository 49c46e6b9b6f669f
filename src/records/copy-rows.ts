/**
 * Copies events from one set of columns to another: the columns that mean the same wherever they are, and those
 * that are ids of a table.
 *
 * Rare rows are those of a batch: whoever copies takes care of them. Allocates nothing for a few rows.
 */
import type { EventBatch } from './events.js';

export type RowColumns = Pick<
  EventBatch,
  'timeNs' | 'pfn' | 'pid' | 'cpu' | 'kind' | 'order' | 'migratetype'
>;

export type IdColumns = Pick<EventBatch, 'comm' | 'stack' | 'detail'>;

/** Below this, views on the columns cost more than copying one by one. */
const FEW_ROWS = 24;

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

/** As copyRows, the ids: both sides have them from the same tables. */
export function copyIds(
  source: IdColumns,
  from: number,
  count: number,
  into: IdColumns,
  at: number,
): void {
  if (count >= FEW_ROWS) {
    into.comm.set(source.comm.subarray(from, from + count), at);
    into.stack.set(source.stack.subarray(from, from + count), at);
    into.detail.set(source.detail.subarray(from, from + count), at);
    return;
  }
  for (let i = 0; i < count; i++) {
    into.comm[at + i] = source.comm[from + i]!;
    into.stack[at + i] = source.stack[from + i]!;
    into.detail[at + i] = source.detail[from + i]!;
  }
}
