/**
 * The fixed division of a recording's span into buckets that all observers share.
 *
 * The span is known before the replay starts, so memory does not depend on the trace's length. An
 * event outside the span (clock running backwards) counts in the nearest bucket.
 */
import type { TimeGrid } from './report-data.js';

/** Buckets so that all zones together keep about 3600 columns, and none fewer than 240. */
export function bucketsFor(zones: number): number {
  return Math.max(240, Math.min(1200, Math.floor(3600 / Math.max(1, zones))));
}

/** Divides [fromNs, toNs] into equal buckets. */
export function timeGrid(fromNs: number, toNs: number, buckets: number): TimeGrid {
  const from = Number.isFinite(fromNs) ? fromNs : 0;
  const to = Number.isFinite(toNs) && toNs > from ? toNs : from + 1;
  return { fromNs: from, bucketNs: (to - from) / buckets, buckets };
}

/** The bucket of a time, held inside the grid. */
export function bucketOf(grid: TimeGrid, timeNs: number): number {
  const bucket = Math.floor((timeNs - grid.fromNs) / grid.bucketNs);
  if (!(bucket > 0)) return 0;
  return bucket < grid.buckets ? bucket : grid.buckets - 1;
}

/** The end of a bucket, ns. */
export function bucketEndNs(grid: TimeGrid, bucket: number): number {
  return grid.fromNs + (bucket + 1) * grid.bucketNs;
}

/** Time at which an event belongs to a later bucket; never, in the last one. */
export function nextBucketNs(grid: TimeGrid, bucket: number): number {
  return bucket >= grid.buckets - 1 ? Number.POSITIVE_INFINITY : bucketEndNs(grid, bucket);
}
