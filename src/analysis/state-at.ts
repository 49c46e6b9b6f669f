/**
 * The state at an instant out of ReportData, in the form that the replay's own judge asks for: so a verdict about it
 * is made by the same rules and the same code.
 *
 * Only what a verdict needs is there; pages have no places.
 */
import { freePagesOf } from '../kernel/fragmentation-index.js';
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import type { Certainty, ReplayState, ZoneState } from '../replay/observer.js';
import { RequestTest } from '../replay/request-test.js';
import type { MarkStep, MomentZone, ReportData, ZoneTimeline } from './report-data.js';
import type { Verdict } from './types.js';
import { RequestJudge } from './verdict.js';

/** The facts of a report that a verdict needs. */
export type JudgedFacts = Pick<
  ReportData,
  'zones' | 'timeline' | 'orders' | 'pageblockOrder' | 'kernel' | 'node'
>;

/** The zones at the end of a bucket of the timeline. */
export function zonesAtBucket({ timeline }: JudgedFacts, bucket: number): MomentZone[] {
  return timeline.zones.map((zone) => {
    const column = (plane: readonly (readonly number[])[]): number[] =>
      plane.map((row) => row[bucket] ?? 0);
    return {
      free: column(zone.last),
      low: column(zone.low ?? zone.last),
      high: column(zone.high ?? zone.last),
      freePages: zone.freePages[bucket] ?? 0,
      ...(zone.cma ? { cma: column(zone.cma) } : {}),
      ...(zone.highatomic ? { highatomic: column(zone.highatomic) } : {}),
      ...(zone.reserved ? { reserved: zone.reserved[bucket] ?? 0 } : {}),
      ...(zone.reservedAtMost ? { reservedAtMost: zone.reservedAtMost[bucket] ?? null } : {}),
      ...(zone.likely ? { likely: column(zone.likely) } : {}),
    };
  });
}

/** What a request would have been answered with these free lists and the marks of this time. */
export function judgeZones(
  data: JudgedFacts,
  zones: readonly MomentZone[],
  at: { readonly timeNs: number; readonly certainty: Certainty },
  request: { readonly order: number; readonly gfp: string },
): Verdict {
  const state = stateOf(data, zones, at);
  const switches = switchesOf(data);
  const judge = new RequestJudge(state, switches, request.gfp, request.order, data.node ?? 0);
  return judge.judge(state, at.timeNs);
}

/** A state with these free lists and the marks of this time. */
export function stateOf(
  { zones: places, timeline, orders, pageblockOrder }: JudgedFacts,
  zones: readonly MomentZone[],
  { timeNs, certainty }: { readonly timeNs: number; readonly certainty: Certainty },
): ReplayState {
  const live = zones.map((zone, index): ZoneState => {
    const history = timeline.zones[index]!;
    return {
      ...places[index]!,
      index,
      runs: [],
      free: Int32Array.from(zone.free),
      low: Int32Array.from(zone.low),
      high: Int32Array.from(zone.high),
      freePages: zone.freePages,
      certainty,
      marks: marksAt(history, timeNs, zone.boost),
      ...(zone.cma ? { cma: Int32Array.from(zone.cma), cmaPages: freePagesOf(zone.cma) } : {}),
      ...(zone.highatomic
        ? {
            highatomic: Int32Array.from(zone.highatomic),
            highatomicPages: freePagesOf(zone.highatomic),
          }
        : {}),
      ...(zone.reserved === undefined ? {} : { reservedHighatomic: zone.reserved }),
      ...(zone.reservedAtMost === undefined
        ? {}
        : { reservedAtMost: zone.reservedAtMost ?? Number.POSITIVE_INFINITY }),
      ...(zone.likely ? { likely: Int32Array.from(zone.likely) } : {}),
    };
  });
  return {
    timeNs,
    eventIndex: -1,
    zones: live,
    orders,
    pageblockOrder,
    pages: new Uint8Array(0),
    headOrder: new Int8Array(0),
    pageblockType: new Int8Array(0),
    pageOf: () => -1,
    pfnOf: () => -1,
    zoneOf: () => -1,
  };
}

/** The zones (indices) that a kind of request may be served from. */
export function zonesAsked(data: JudgedFacts, gfp: string): number[] {
  const at = { timeNs: data.timeline.fromNs, certainty: 'bounded' } as const;
  const state = stateOf(data, zonesAtBucket(data, 0), at);
  const test = new RequestTest(state, switchesOf(data), gfp, 1, data.node ?? 0);
  return test.plan(state).zones.map(({ zone }) => zone);
}

/** Pages of a zone that a kind of request must leave, for each step of its marks; null = not known, or never tried. */
export function pagesKept(data: JudgedFacts, zone: number, gfp: string): (number | null)[] {
  const { marks } = data.timeline.zones[zone]!;
  const zones = zonesAtBucket(data, 0);
  const switches = switchesOf(data);
  let test: RequestTest | null = null;
  return marks.map(({ timeNs, min }) => {
    if (min === null) return null;
    const state = stateOf(data, zones, { timeNs, certainty: 'bounded' });
    test ??= new RequestTest(state, switches, gfp, 1, data.node ?? 0);
    return test.plan(state).zones.find((planned) => planned.zone === zone)?.slow.needPages ?? null;
  });
}

/** A report's features are the switches of its profile. */
export function switchesOf({ kernel }: Pick<ReportData, 'kernel'>): ProfileSwitches {
  return kernel.features as unknown as ProfileSwitches;
}

function marksAt(history: ZoneTimeline, timeNs: number, boost?: number): ZoneState['marks'] {
  const step: MarkStep | undefined =
    history.marks.findLast((one) => one.timeNs <= timeNs) ?? history.marks[0];
  return {
    min: step?.min ?? Number.NaN,
    low: step?.low ?? Number.NaN,
    high: step?.high ?? Number.NaN,
    boost: boost ?? step?.boost ?? 0,
    protection: history.protection ?? [],
    ...(history.unseenBoost === undefined ? {} : { unseenBoost: history.unseenBoost }),
  };
}
