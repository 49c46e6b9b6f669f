/**
 * How many requests of a kind in a row single zones, or all of them, would have served, out of ReportData.
 *
 * By the same tests as the replay's (row-tests.ts), from the free lists and marks at the end of each bucket; the least
 * inside a bucket was kept by the replay.
 */
import { SideCounts } from '../replay/request-test.js';
import type { Headroom, ReportData } from './report-data.js';
import { PLAIN } from './request-classes.js';
import { RowTests } from './row-tests.js';
import { type JudgedFacts, stateOf, switchesOf, zonesAtBucket } from './state-at.js';

type Facts = JudgedFacts & Pick<ReportData, 'headroom'>;
type Planes = Record<'last' | 'low' | 'high', number[][]>;

/** What the replay kept for a request; `headroom` itself speaks of plain GFP_ATOMIC. */
export function keptHeadroom(
  headroom: Headroom,
  gfp: string,
): Pick<Headroom, 'min' | 'zoneMin'> | undefined {
  return gfp === PLAIN ? headroom : headroom.others?.find((one) => one.gfp === gfp);
}

/** Least requests in a row in a bucket; the bounds at its end are taken to be as far off from the least. */
export function leastIn(
  { last, min, low, high }: Headroom,
  order: number,
  bucket: number,
): { readonly least: number; readonly low: number; readonly high: number } {
  const least = min[order]?.[bucket] ?? 0;
  const end = last[order]?.[bucket] ?? 0;
  const off = (plane: Headroom['low']): number => (plane?.[order]?.[bucket] ?? end) - end;
  return { least, low: Math.max(0, least + off(low)), high: least + off(high) };
}

/** @param zone index in `zones`, null = all together. */
export function headroomOf(data: Facts, gfp: string, zone: number | null): Headroom {
  const { headroom, orders, timeline } = data;
  if (gfp === PLAIN && zone === null) return headroom;
  const zones = zone === null ? data.zones.map((_, z) => z) : [zone];
  const { last, low, high } = reckon(data, gfp, zones);
  const kept = keptHeadroom(headroom, gfp);
  const marks = zones.flatMap((z) => timeline.zones[z]!.marks);
  return {
    last,
    min: (zone === null ? kept?.min : kept?.zoneMin?.[zone]) ?? last,
    low: low.slice(0, orders),
    high: high.slice(0, orders),
    marksKnown: marks.every(({ min }) => min !== null),
  };
}

/** Sums over the zones at the end of every bucket. */
function reckon(data: Facts, gfp: string, zones: readonly number[]): Planes {
  const { orders, timeline } = data;
  const planes = (): number[][] =>
    Array.from({ length: orders }, () => new Array<number>(timeline.buckets).fill(0));
  const found: Planes = { last: planes(), low: planes(), high: planes() };
  const sides = {
    last: new SideCounts('free'),
    low: new SideCounts('low'),
    high: new SideCounts('high'),
  };
  let tests: RowTests | null = null;
  for (let b = 0; b < timeline.buckets; b++) {
    const endNs = timeline.fromNs + (b + 1) * timeline.bucketNs;
    const at = { timeNs: endNs, certainty: 'bounded' } as const;
    const state = stateOf(data, zonesAtBucket(data, b), at);
    tests ??= new RowTests(state, switchesOf(data), gfp, data.node ?? 0);
    tests.refresh(state);
    for (const z of zones) {
      const served = (side: keyof Planes): Float64Array => {
        const into = new Float64Array(orders);
        tests!.count(z, sides[side].load(state.zones[z]!), into);
        return into;
      };
      const now = served('last');
      const [least, most] = [served('low'), served('high')];
      for (let n = 0; n < orders; n++) {
        found.last[n]![b]! += now[n]!;
        found.low[n]![b]! += Math.min(least[n]!, now[n]!);
        found.high[n]![b]! += Math.max(most[n]!, now[n]!);
      }
    }
  }
  return found;
}
