/**
 * The set of observers a report needs, and what they found, as one piece of ReportData.
 *
 * Usage: make them for a recording's span, hand `observers` to the replay, then call `collect()`.
 * The order matters: the physical map reads what the holders observer has just accounted.
 */

import { attemptClassOf, parseGfp } from '../kernel/gfp.js';
import { canonicalTypes, MIGRATETYPE_NAMES } from '../kernel/migratetype.js';
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import type { PrintkClock } from '../records/printk-clock.js';
import type { PageOwnerSnapshot, Snapshot } from '../records/snapshot.js';
import type { RecordingStrings } from '../records/strings.js';
import type { ReplayObserver, ReplayState, Residual, ZoneState } from '../replay/observer.js';
import { ActivityObserver } from './activity.js';
import { AtomicNeed } from './atomic-need.js';
import { AttemptsObserver } from './attempts.js';
import { ExtfragObserver } from './extfrag.js';
import { HeadroomObserver } from './headroom.js';
import { HoldersObserver, type HoldersOptions } from './holders.js';
import { NearEvents } from './near-events.js';
import { NearestBlocks } from './nearest-block.js';
import { PhysicalMapObserver } from './physical-map.js';
import type { NearEvent, NearestBlock, ReportData } from './report-data.js';
import { PLAIN } from './request-classes.js';
import { bucketsFor, timeGrid } from './time-grid.js';
import { TimelineObserver } from './timeline.js';
import type { AttemptClass } from './types.js';

export interface ReportObserverOptions {
  /** The recording's span, ns. */
  readonly fromNs: number;
  readonly toNs: number;
  readonly strings: RecordingStrings;
  /** Populated zones, for choosing how many buckets to keep. */
  readonly zoneCount: number;
  readonly switches: ProfileSwitches;
  /** Node the requests come from. */
  readonly node: number;
  /** False if no events were lost. */
  readonly losses?: boolean;
  /** page_owner dumps placed in the recording, and how the times in them compare. */
  readonly dumps?: readonly PageOwnerSnapshot[];
  readonly printk?: PrintkClock | null;
  /** Keeps the ledger of holders on another thread. */
  readonly keepElsewhere?: HoldersOptions['keepElsewhere'];
  /** Kinds of request that are judged, beside plain GFP_ATOMIC. */
  readonly gfps?: readonly string[];
}

/** The parts of ReportData that come from the replay. */
export type ReplayFindings = Pick<
  ReportData,
  | 'timeline'
  | 'headroom'
  | 'attempts'
  | 'extfrag'
  | 'activity'
  | 'holders'
  | 'physicalMap'
  | 'residuals'
  | 'zones'
  | 'zonelist'
  | 'node'
  | 'orders'
  | 'pageblockOrder'
>;

/** The observers of a report, and their findings once they have run. */
export interface ReportObservers {
  readonly observers: readonly ReplayObserver[];
  /** What stands between each zone and a free block, or null; for observers that run after these. */
  lookNearest(state: ReplayState, order: number): readonly NearestBlock[] | null;
  /** The page events around now. */
  eventsAround(state: ReplayState): readonly NearEvent[];
  /** After the replay has ended. */
  collect(): ReplayFindings;
}

const MAX_RESIDUALS = 2000;

/** Keeps residuals, thinned evenly when there are very many, and the machine's geometry. */
class TrustObserver implements ReplayObserver {
  residuals: Residual[] = [];
  zones: ReportData['zones'] = [];
  orders = 11;
  pageblockOrder = 9;
  #every = 1;
  #seen = 0;

  start(state: ReplayState): void {
    this.orders = state.orders;
    this.pageblockOrder = state.pageblockOrder;
    this.zones = state.zones.map(({ node, zone, startPfn, spanned, managed }) => ({
      node,
      zone,
      startPfn,
      spanned,
      managed,
    }));
  }

  snapshot(_state: ReplayState, _snapshot: Snapshot, residual: Residual | null): void {
    if (residual === null || this.#seen++ % this.#every !== 0) return;
    this.residuals.push(residual);
    if (this.residuals.length <= MAX_RESIDUALS) return;
    this.residuals = this.residuals.filter((_, i) => i % 2 === 0);
    this.#every *= 2;
  }
}

/** Migratetype names by the number this kernel prints. */
function printedTypeNames(switches: ProfileSwitches): string[] {
  return Array.from(
    canonicalTypes(switches.migratetypes),
    (type) => MIGRATETYPE_NAMES[type] ?? `type ${type}`,
  );
}

/** Makes the observers of a report; hand `observers` to the replay, then call `collect`. */
export function createReportObservers(options: ReportObserverOptions): ReportObservers {
  const { strings, switches } = options;
  const typeNames = printedTypeNames(switches);
  const need = new AtomicNeed(switches, options.node);
  const atomicNeed = (zone: ZoneState): number | null => need.need(zone);
  const classOf = (gfp: string, order: number): AttemptClass =>
    attemptClassOf(parseGfp(gfp, switches.gfpEra), order);
  const grid = timeGrid(options.fromNs, options.toNs, bucketsFor(options.zoneCount));
  const trust = new TrustObserver();
  const { losses = true } = options;
  const timeline = new TimelineObserver({ grid, strings, atomicNeed, losses });
  const { node } = options;
  const gfps = [...new Set([PLAIN, ...(options.gfps ?? [])])];
  const headroom = new HeadroomObserver({ grid, switches, gfps, node });
  const attempts = new AttemptsObserver({ grid, strings, classOf });
  const extfrag = new ExtfragObserver(options.fromNs, options.toNs, typeNames);
  const { dumps = [], printk = null, keepElsewhere } = options;
  const holders = new HoldersObserver({
    ...{ grid, strings, typeNames, dumps, printk, keepElsewhere },
  });
  const map = new PhysicalMapObserver({ grid, typeNames, holders });
  const activity = new ActivityObserver(options.fromNs, options.toNs);
  const near = new NearEvents(strings);
  const nearest = new NearestBlocks({
    fromNs: options.fromNs,
    toNs: options.toNs,
    strings,
    holders,
    movableType: Math.max(0, typeNames.indexOf('Movable')),
  });
  return {
    lookNearest: (state, order) => {
      const found = nearest.look(state, order);
      for (const block of found ?? []) map.pin(state, block.pfn, 2 ** order);
      return found;
    },
    eventsAround: (state) => near.now(state),
    observers: [
      ...[need, trust, timeline, headroom, attempts, extfrag],
      ...[activity, near, holders, map],
    ],
    collect: () => ({
      timeline: timeline.result(),
      headroom: headroom.result(),
      attempts: attempts.result(),
      extfrag: extfrag.result(),
      activity: activity.result(),
      holders: holders.result(),
      physicalMap: map.result(),
      residuals: trust.residuals.map(({ timeNs, source, zones }) => ({ timeNs, source, zones })),
      zones: trust.zones,
      zonelist: need.zonelist(),
      node: options.node,
      orders: trust.orders,
      pageblockOrder: trust.pageblockOrder,
    }),
  };
}
