/**
 * How many GFP_ATOMIC requests in a row one zone alone would have served, out of ReportData.
 *
 * The same rule as headroom.ts, from the zone's free lists and its marks at the end of each bucket; the least inside a
 * bucket was kept by the replay. A zone that GFP_ATOMIC never tries serves none.
 */
import { freePagesOf } from '../kernel/fragmentation-index.js';
import { zoneHeadroom } from './headroom.js';
import type { Headroom, ReportData } from './report-data.js';

type Facts = Pick<ReportData, 'timeline' | 'headroom' | 'zonelist' | 'orders'>;
type Plane = readonly (readonly number[])[];

/** @param zone index in `zones`. */
export function headroomOfZone(data: Facts, zone: number): Headroom {
  const { timeline, headroom, orders, zonelist } = data;
  const { buckets } = timeline;
  const room = timeline.zones[zone]!;
  const tried = zonelist.includes(zone);
  const last = planes(orders, buckets);
  const low = planes(orders, buckets);
  const high = planes(orders, buckets);
  const now = new Float64Array(orders);
  let step = 0;
  for (let b = 0; b < buckets; b++) {
    const endNs = timeline.fromNs + (b + 1) * timeline.bucketNs;
    while (step + 1 < room.marks.length && room.marks[step + 1]!.timeNs <= endNs) step++;
    const need = tried ? (room.marks[step]?.atomicNeed ?? null) : Number.POSITIVE_INFINITY;
    const column = (plane: Plane): number[] => plane.map((row) => row[b] ?? 0);
    const cma = room.cma ? column(room.cma) : [];
    const serves = (free: readonly number[]): Float64Array => {
      const limits = { cma, cmaPages: freePagesOf(cma) };
      zoneHeadroom(limits, need, now.fill(0), free, freePagesOf(free));
      return now;
    };
    put(last, b, serves(column(room.last)));
    put(low, b, serves(column(room.low ?? room.last)));
    put(high, b, serves(column(room.high ?? room.last)));
  }
  low.forEach((row, n) => {
    row.forEach((_, b) => {
      row[b] = Math.min(row[b]!, last[n]![b]!);
      high[n]![b] = Math.max(high[n]![b]!, last[n]![b]!);
    });
  });
  return {
    last,
    low,
    high,
    min: headroom.zoneMin?.[zone] ?? last,
    marksKnown: room.marks.every(({ atomicNeed }) => atomicNeed !== null),
  };
}

function planes(orders: number, buckets: number): number[][] {
  return Array.from({ length: orders }, () => new Array<number>(buckets).fill(0));
}

function put(plane: number[][], bucket: number, values: Float64Array): void {
  values.forEach((value, n) => {
    plane[n]![bucket] = value;
  });
}
