/**
 * Buckets of the timeline, merged to the columns a view can show.
 *
 * Merged columns keep the last value and the extremes, so narrow dips survive at any zoom.
 */
import type { TimeGrid } from '../analysis/report-data.js';
import type { ChartView } from './chart.js';

/** Buckets [from, to) shown as one column. */
export interface Column {
  readonly from: number;
  readonly to: number;
  readonly startNs: number;
  readonly endNs: number;
}

/** @param closed adds the end of the last column as one of no width, where lines and areas stop. */
export function columnsInView(grid: TimeGrid, view: ChartView, closed = false): Column[] {
  if (grid.buckets === 0) return [];
  const clamp = (bucket: number): number => Math.max(0, Math.min(grid.buckets - 1, bucket));
  const first = clamp(Math.floor((view.fromNs - grid.fromNs) / grid.bucketNs));
  const last = clamp(Math.floor((view.toNs - grid.fromNs) / grid.bucketNs));
  const step = Math.max(1, Math.ceil((last - first + 1) / Math.max(1, view.columns)));
  const columns: Column[] = [];
  for (let from = first; from <= last; from += step) {
    const to = Math.min(grid.buckets, from + step);
    columns.push({
      from,
      to,
      startNs: grid.fromNs + from * grid.bucketNs,
      endNs: grid.fromNs + to * grid.bucketNs,
    });
  }
  const end = columns[columns.length - 1];
  if (closed && end) columns.push({ ...end, startNs: end.endNs });
  return columns;
}

/** Value at the end of a column. */
export function lastIn(values: readonly number[], column: Column): number {
  return values[column.to - 1] ?? 0;
}

export function leastIn(values: readonly number[], column: Column): number {
  let least = Number.POSITIVE_INFINITY;
  for (let b = column.from; b < column.to; b++) least = Math.min(least, values[b] ?? least);
  return Number.isFinite(least) ? least : 0;
}

export function mostIn(values: readonly number[], column: Column): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let b = column.from; b < column.to; b++) most = Math.max(most, values[b] ?? most);
  return Number.isFinite(most) ? most : 0;
}

/** The worst certainty letter of several zones over a column. */
export function worstCertainty(letters: readonly string[], column: Column): 'e' | 'b' | 'u' {
  let worst: 'e' | 'b' | 'u' = 'e';
  for (const text of letters) {
    for (let b = column.from; b < column.to; b++) {
      if (text[b] === 'u') return 'u';
      if (text[b] === 'b') worst = 'b';
    }
  }
  return worst;
}
