/**
 * A request against a whole machine: one plan for each zone it may use, in the order of its zonelist.
 *
 * Made once for each (request, order, node) and again only when marks or boosts change; the answer
 * for given counts is then `planServes` for each zone, or `firstServing` over all.
 */
import { allocFlags, type CallerContext } from './alloc-flags.js';
import type { GfpRequest } from './gfp.js';
import type { ProfileSwitches } from './profile-switches.js';
import {
  planTest,
  type TestGeometry,
  type TestMarks,
  type ZoneCounts,
  type ZonePlan,
  zoneServes,
} from './watermark.js';
import { type ZonePlace, zoneIndexOfClass, zonelist } from './zonelist.js';

export interface PlannedZone extends ZonePlan {
  /** Index in the caller's list of zones. */
  readonly zone: number;
}

export interface RequestPlan {
  readonly request: GfpRequest;
  readonly order: number;
  readonly node: number;
  /** In zonelist order. */
  readonly zones: readonly PlannedZone[];
}

export interface PlanInput {
  readonly request: GfpRequest;
  readonly order: number;
  readonly node: number;
  readonly switches: ProfileSwitches;
  /** All populated zones of the machine. */
  readonly zones: readonly ZonePlace[];
  /** Marks of each of `zones`. */
  readonly marks: readonly TestMarks[];
  /** Names of the zones compiled into the kernel, see compiledZones. */
  readonly compiled: readonly string[];
  readonly context?: CallerContext;
  readonly geometry?: TestGeometry;
}

/** Both tests of one zone for a request. */
export function planZone(
  request: GfpRequest,
  switches: ProfileSwitches,
  order: number,
  marks: TestMarks,
  classIndex: number,
  context?: CallerContext,
  geometry?: TestGeometry,
): ZonePlan {
  const fastFlags = allocFlags(request, switches, order, 'fast', context);
  const slowFlags = allocFlags(request, switches, order, 'slow', context);
  return {
    fast: planTest(request, switches, order, 'fast', fastFlags, marks, classIndex, geometry),
    slow: planTest(request, switches, order, 'slow', slowFlags, marks, classIndex, geometry),
  };
}

/** The plan of a request: eligible zones only, nearest first. */
export function planRequest(input: PlanInput): RequestPlan {
  const { request, order, node, switches } = input;
  const classIndex = zoneIndexOfClass(request.zoneClass, input.compiled);
  const zones = zonelist(node, input.zones, request, input.compiled).map((zone) => ({
    zone,
    ...planZone(
      request,
      switches,
      order,
      input.marks[zone]!,
      classIndex,
      input.context,
      input.geometry,
    ),
  }));
  return { request, order, node, zones };
}

/**
 * Index (in the caller's zones) of the zone that would serve the request now, -1 if none: first any
 * zone that passes the low watermark, then any that passes the min watermark with the request's
 * rights. Allocates nothing.
 */
export function firstServing(plan: RequestPlan, counts: readonly ZoneCounts[]): number {
  const { zones } = plan;
  for (let i = 0; i < zones.length; i++) {
    const { fast, zone } = zones[i]!;
    if (zoneServes(fast, counts[zone]!)) return zone;
  }
  for (let i = 0; i < zones.length; i++) {
    const { slow, zone } = zones[i]!;
    if (zoneServes(slow, counts[zone]!)) return zone;
  }
  return -1;
}

/** Whether any zone serves the request without reclaim. Allocates nothing. */
export function requestServed(plan: RequestPlan, counts: readonly ZoneCounts[]): boolean {
  const { zones } = plan;
  for (let i = 0; i < zones.length; i++) {
    const { slow, zone } = zones[i]!;
    if (zoneServes(slow, counts[zone]!)) return true;
  }
  return false;
}
