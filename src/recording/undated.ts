/**
 * Gives copies without a time a place among the events: where the user says, else where the stamps in a page_owner dump
 * point (date-owners.ts), else where their pages fit (locate-maps.ts). Free lists counted in the same file as such a copy (crash prints both) go with it.
 */
import type { Diagnostics } from '../records/diagnostics.js';
import { isPageMap, type PageMapSnapshot } from '../records/page-claims.js';
import { type PrintkClock, printkClock } from '../records/printk-clock.js';
import {
  type Snapshot,
  type SnapshotKind,
  type SnapshotTime,
  showsFree,
} from '../records/snapshot.js';
import { formatSeconds } from '../records/time.js';
import { dateOwners } from './date-owners.js';
import {
  type Located,
  locateMaps,
  type MapPlace,
  NOT_LOOKED_AT,
  timeAt,
  undatedMaps,
} from './locate-maps.js';
import { MAX_COPIES, PlacingBudget } from './placing-budget.js';
import type { EventSpool } from './spool.js';

/** Input option `undated`: when copies without a time were taken. */
export const UNDATED_PLACES = ['start', 'end'] as const;
export type UndatedPlace = (typeof UNDATED_PLACES)[number];

/** Copies whose worth hangs on when they were taken. */
export const TIMED_KINDS: ReadonlySet<SnapshotKind> = new Set([
  'buddyinfo',
  'kpageflags',
  'kpagecount',
  'page_owner',
  'pagetypeinfo',
]);

export interface UndatedOptions {
  /** As the user says; null = find out. */
  readonly where: UndatedPlace | null;
  readonly epochS: number;
  /** Of the events. */
  readonly clockName: string;
}

const isUndated = ({ kind, time }: Snapshot): boolean =>
  TIMED_KINDS.has(kind) && time.clock === 'none' && time.snap === null;

const isDated = ({ time }: Snapshot): boolean => time.clock !== 'none';

/** The same copies, those without a time in trace time as far as a place was given or found. */
export function placeUndated(
  snapshots: readonly Snapshot[],
  events: EventSpool,
  options: UndatedOptions,
  diagnostics: Diagnostics,
): Snapshot[] {
  if (!snapshots.some(isUndated)) return [...snapshots];
  const dated = events.length > 0 || snapshots.some(isDated);
  if (!dated && snapshots.some(showsFree)) return numbered(snapshots, diagnostics);
  const { where } = options;
  const given = where === null || events.length === 0 ? null : timeOf(where, events);
  const times = given === null ? located(snapshots, events, options, diagnostics) : null;
  return snapshots.map((snapshot) => {
    const time = isUndated(snapshot) ? (given ?? times?.get(snapshot)) : undefined;
    return time === undefined ? snapshot : { ...snapshot, time };
  });
}

/** Without events and any times, copies are told apart by their order: each kind's follow one another by seconds. */
function numbered(snapshots: readonly Snapshot[], diagnostics: Diagnostics): Snapshot[] {
  const counts = new Map<SnapshotKind, number>();
  const countOf = (kind: SnapshotKind): number => counts.get(kind) ?? 0;
  for (const { kind } of snapshots) counts.set(kind, countOf(kind) + 1);
  // Marks that were copied as often as the free lists were copied with them.
  const together = countOf('zoneinfo') === countOf('buddyinfo');
  const next = new Map<SnapshotKind, number>();
  const copies = snapshots.map((snapshot): Snapshot => {
    const { kind } = snapshot;
    if (!isUndated(snapshot) && !(kind === 'zoneinfo' && together)) return snapshot;
    const number = next.get(kind) ?? 0;
    next.set(kind, number + 1);
    const [beginNs, endNs] = [number * 1e9, number * 1e9];
    return { ...snapshot, time: { ...snapshot.time, clock: 'trace', beginNs, endNs } };
  });
  const count = countOf('buddyinfo');
  if (count > 1) diagnostics.report('copies-numbered', {}, { count });
  return copies;
}

/** Times of copies, those included that go with one of the same file. */
function located(
  snapshots: readonly Snapshot[],
  events: EventSpool,
  { epochS, clockName }: UndatedOptions,
  diagnostics: Diagnostics,
): Map<Snapshot, SnapshotTime> {
  const maps = undatedMaps(snapshots);
  const places = placesOf(maps, events, printkClock(clockName, epochS));
  const times = new Map<Snapshot, SnapshotTime>();
  const bySource = new Map<string, SnapshotTime>();
  maps.forEach((map, m) => {
    const { kind, source } = map;
    const place = places[m] ?? null;
    if (place === NOT_LOOKED_AT) {
      diagnostics.report('snapshot-not-looked-at', { source }, { kind });
      return;
    }
    if (place === null) {
      diagnostics.report('snapshot-undated', { source }, { kind });
      return;
    }
    const time = timeAt(place, events);
    times.set(map, time);
    bySource.set(source, time);
    diagnostics.report('snapshot-located', { source }, { kind, ...words(place, time, epochS) });
  });
  for (const snapshot of snapshots) {
    const time = isPageMap(snapshot) ? undefined : bySource.get(snapshot.source);
    if (time !== undefined) times.set(snapshot, time);
  }
  const others = snapshots.filter(({ kind }) => kind === 'buddyinfo');
  // One more copy without a time costs nothing; having no other does.
  if (others.every((copy) => isUndated(copy) && !times.has(copy))) {
    for (const { kind, source } of others) {
      diagnostics.report('snapshot-undated', { source }, { kind });
    }
  }
  return times;
}

/** By their own stamps where they have some, else by their pages. */
function placesOf(
  maps: readonly PageMapSnapshot[],
  events: EventSpool,
  clock: PrintkClock | null,
): Located[] {
  if (events.length === 0) return [];
  const budget = new PlacingBudget(events.length, maps.length);
  let looks = 0;
  const dated = maps.map((map) =>
    map.kind === 'page_owner' && looks++ < MAX_COPIES
      ? dateOwners(map, events, clock, budget)
      : null,
  );
  const others = maps.filter((_, m) => dated[m] === null);
  const located = locateMaps(others, events, budget);
  let next = 0;
  return dated.map((place) => place ?? located[next++] ?? null);
}

function words(
  { agreeing, contrary }: MapPlace,
  { beginNs, endNs }: SnapshotTime,
  epochS: number,
): Record<string, string | number> {
  return {
    from: formatSeconds(beginNs, epochS),
    to: formatSeconds(endNs, epochS),
    agreeing,
    spans: agreeing + contrary,
  };
}

function timeOf(where: UndatedPlace, events: EventSpool): SnapshotTime {
  const event = where === 'start' ? 0 : events.length;
  const ns = where === 'start' ? events.firstNs : events.lastNs;
  const place = { beginEvent: event, endEvent: event };
  return { clock: 'trace', beginNs: ns, endNs: ns, snap: null, resolutionNs: 1, ...place };
}
