/**
 * Puts snapshots into the trace's own time.
 *
 * A recorder that writes `snap N begin …` and `snap N end …` into the trace around each copy gives
 * an exact place: events before the first marker are in the copy, events after the second are not.
 * The markers' distance from the copies' own stamps also tells the offset between the two clocks,
 * which places copies whose markers were overwritten. Without any markers, monotonic stamps are
 * taken to share the trace's clock if the spans overlap. Stamps of another clock are placed where the
 * copies' free pages agree with what the events moved (agreement.ts), with the uncertainty of that in
 * their bracket. What agrees nowhere stays unplaced, and is said. So does a copy from before the first event of a trace whose beginning was overwritten: what happened
 * between the two is not known.
 */
import type { Diagnostics } from '../records/diagnostics.js';
import { type EventBatch, EventKind } from '../records/events.js';
import type { Snapshot, SnapshotTime } from '../records/snapshot.js';
import type { StringTable } from '../records/strings.js';
import { clockReading, EPOCH_CLOCK_S, formatSeconds, roundUpNs } from '../records/time.js';
import { type ClockAgreement, findAgreement, stampSpan } from './agreement.js';
import type { Alignment } from './recording.js';
import type { EventSpool } from './spool.js';

const MARKER = /^\s*snap (\d{1,9}) (begin|end)\b/;

interface MarkerPlace {
  beginNs: number;
  beginEvent: number;
  endNs: number;
  endEvent: number;
}

/** Finds the snapshot markers while events are being put away. */
export class MarkerIndex {
  readonly #texts: StringTable;
  readonly #parsed = new Map<number, { snap: number; begin: boolean } | null>();
  readonly #places = new Map<number, MarkerPlace>();

  constructor(texts: StringTable) {
    this.#texts = texts;
  }

  /** Both markers of a snapshot number, or null. */
  place(snap: number): MarkerPlace | null {
    const place = this.#places.get(snap);
    return place !== undefined && place.beginEvent >= 0 && place.endEvent > place.beginEvent
      ? place
      : null;
  }

  get size(): number {
    return this.#places.size;
  }

  /** A SpoolWatch. */
  readonly watch = (batch: EventBatch, offset: number): void => {
    if (batch.rareLength === 0) return;
    const kind = batch.kind.subarray(0, batch.length);
    for (
      let i = kind.indexOf(EventKind.marker);
      i >= 0;
      i = kind.indexOf(EventKind.marker, i + 1)
    ) {
      this.#note(batch, i, offset + i);
    }
  };

  #note(batch: EventBatch, i: number, event: number): void {
    const id = batch.rareField(i, 0);
    let parsed = this.#parsed.get(id);
    if (parsed === undefined) {
      const match = MARKER.exec(this.#texts.text(id));
      parsed = match === null ? null : { snap: Number(match[1]), begin: match[2] === 'begin' };
      this.#parsed.set(id, parsed);
    }
    if (parsed === null) return;
    let place = this.#places.get(parsed.snap);
    if (place === undefined) {
      place = { beginNs: Number.NaN, beginEvent: -1, endNs: Number.NaN, endEvent: -1 };
      this.#places.set(parsed.snap, place);
    }
    if (parsed.begin) {
      place.beginNs = batch.timeNs[i]!;
      place.beginEvent = event;
    } else {
      place.endNs = batch.timeNs[i]!;
      place.endEvent = event;
    }
  }
}

/** The trace the snapshots are to be placed in. */
export interface TraceSpan {
  readonly events: EventSpool;
  readonly epochS: number;
  readonly clockName: string;
  /** Events before the first one were overwritten in the ring buffer. */
  readonly overwritten: boolean;
}

interface Placed {
  readonly snapshot: Snapshot;
  readonly how: 'markers' | 'clock' | 'agreement' | 'unplaced' | 'untimed' | 'trace' | 'before';
}

/** How stamps of one clock become trace time: by a known distance, by agreement, or not at all. */
interface ClockShift {
  /** Trace time (since the epoch) minus stamp, ns. */
  readonly shiftNs: number;
  readonly agreement: ClockAgreement | null;
}

type OtherClock = 'mono' | 'wall';

/** Snapshots in trace time, sorted, and how that was done. */
export function alignSnapshots(
  snapshots: readonly Snapshot[],
  markers: MarkerIndex,
  trace: TraceSpan,
  diagnostics: Diagnostics,
): { snapshots: Snapshot[]; alignment: Alignment } {
  const marked = offsetByMarkers(snapshots, markers, trace.epochS);
  const mono =
    marked.count > 0
      ? { shiftNs: marked.offsetNs - trace.epochS * 1e9, agreement: null }
      : shiftOf('mono', snapshots, markers, trace);
  const shifts = { mono, wall: shiftOf('wall', snapshots, markers, trace) };
  const placed = snapshots.map((snapshot) => place(snapshot, markers, shifts, trace));
  const alignment = describe(placed, shifts, marked, trace.epochS);
  if (trace.events.length > 0) tell(alignment, placed, trace, diagnostics);
  return { snapshots: sortPlaced(placed), alignment };
}

function describe(
  placed: readonly Placed[],
  { mono, wall }: Readonly<Record<OtherClock, ClockShift | null>>,
  marked: { offsetNs: number; spreadNs: number; count: number },
  epochS: number,
): Alignment {
  const of = (how: Placed['how']): number => placed.filter((one) => one.how === how).length;
  const counts = {
    byMarkers: of('markers'),
    byClock: of('clock'),
    byAgreement: of('agreement'),
    byPages: placed.filter(({ snapshot }) => snapshot.time.located).length,
    unplaced: of('unplaced'),
  };
  const found = wall?.agreement ?? mono?.agreement ?? null;
  const estimate = found === null ? null : { ...found, offsetNs: found.offsetNs + epochS * 1e9 };
  const rest = { ...counts, estimate, wall: wallDistance(wall, epochS) };
  if (marked.count > 0) {
    return { method: 'markers', offsetNs: marked.offsetNs, spreadNs: marked.spreadNs, ...rest };
  }
  if (estimate !== null) {
    const spreadNs = 2 * estimate.uncertaintyNs;
    return { method: 'agreement', offsetNs: estimate.offsetNs, spreadNs, ...rest };
  }
  if (counts.byClock > 0) return { method: 'same-clock', offsetNs: 0, spreadNs: 0, ...rest };
  return { method: 'none', offsetNs: Number.NaN, spreadNs: 0, ...rest };
}

function wallDistance(wall: ClockShift | null, epochS: number): Alignment['wall'] {
  const since1970 = epochS >= EPOCH_CLOCK_S;
  if (wall === null) return since1970 ? { offsetNs: 0, uncertaintyNs: STAMP_ROUNDING_NS } : null;
  const { shiftNs, agreement } = wall;
  const uncertaintyNs = agreement?.uncertaintyNs ?? STAMP_ROUNDING_NS;
  return { offsetNs: shiftNs + epochS * 1e9, uncertaintyNs };
}

/**
 * The clocks' distance, ns. A recorder stamps a copy after the begin marker and before the end
 * marker, so each pair bounds the distance from both sides; all pairs together bound it closely.
 */
function offsetByMarkers(
  snapshots: readonly Snapshot[],
  markers: MarkerIndex,
  epochS: number,
): { offsetNs: number; spreadNs: number; count: number } {
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  let count = 0;
  for (const { time } of snapshots) {
    if (time.clock !== 'mono' || time.snap === null) continue;
    const marker = markers.place(time.snap);
    if (marker === null) continue;
    count++;
    low = Math.max(low, marker.beginNs - (time.beginNs - epochS * 1e9));
    high = Math.min(high, marker.endNs - (time.endNs - epochS * 1e9));
  }
  if (count === 0) return { offsetNs: Number.NaN, spreadNs: 0, count };
  return { offsetNs: Math.round((low + high) / 2), spreadNs: Math.abs(high - low), count };
}

/** Widest bounds on the clocks' distance that still tell one clock from another, ns. */
const SAME_CLOCK_SPREAD_NS = 1e6;
/** What the stamps' own rounding may add, ns. */
const STAMP_ROUNDING_NS = 2000;

/**
 * Whether the trace's clock is the copies' own, CLOCK_MONOTONIC: markers bound the distance between
 * the two narrowly, and no distance at all lies within the bounds.
 */
export function isMonotonic({ method, offsetNs, spreadNs }: Alignment): boolean {
  return (
    method === 'markers' &&
    spreadNs <= SAME_CLOCK_SPREAD_NS &&
    Math.abs(offsetNs) <= spreadNs / 2 + STAMP_ROUNDING_NS
  );
}

/** Agreement needed to place copies elsewhere than where their stamps point, if the clock may be shared. */
const SURE = 0.85;
/** Nor are they moved by less than this: clocks so close are one clock, as far as copies can tell, ns. */
const CLEARLY_APART_NS = 1e8;

/** How stamps of a clock without markers become trace time. */
function shiftOf(
  clock: OtherClock,
  snapshots: readonly Snapshot[],
  markers: MarkerIndex,
  trace: TraceSpan,
): ClockShift | null {
  const own = snapshots.filter(
    ({ time }) => time.clock === clock && (time.snap === null || markers.place(time.snap) === null),
  );
  if (own.length === 0) return null;
  const shared = { shiftNs: -trace.epochS * 1e9, agreement: null };
  if (trace.events.length === 0) return clock === 'mono' ? shared : null;
  const mayShare = clock === 'mono' || trace.epochS >= EPOCH_CLOCK_S;
  const overlaps = mayShare && coversTrace(own, trace);
  if (overlaps && trace.clockName === 'mono') return shared;
  const agreement = findAgreement(own, trace.events);
  if (agreement === null) return overlaps ? shared : null;
  const { offsetNs, uncertaintyNs } = agreement;
  if (overlaps) {
    const apart = Math.abs(offsetNs - shared.shiftNs);
    if (apart < Math.max(CLEARLY_APART_NS, 2 * uncertaintyNs) || agreement.agreement < SURE)
      return shared;
  }
  return { shiftNs: offsetNs, agreement };
}

/** Whether stamps taken as trace time fall within the trace: then one clock is assumed. */
function coversTrace(snapshots: readonly Snapshot[], { events, epochS }: TraceSpan): boolean {
  const epochNs = epochS * 1e9;
  return snapshots.some(
    ({ time }) => time.endNs - epochNs >= events.firstNs && time.beginNs - epochNs <= events.lastNs,
  );
}

function place(
  snapshot: Snapshot,
  markers: MarkerIndex,
  shifts: Readonly<Record<OtherClock, ClockShift | null>>,
  trace: TraceSpan,
): Placed {
  const { time } = snapshot;
  if (time.clock === 'trace') return { snapshot, how: 'trace' };
  const marker = time.snap === null ? null : markers.place(time.snap);
  if (marker !== null) {
    const exact: SnapshotTime = { ...time, clock: 'trace', ...marker };
    return { snapshot: { ...snapshot, time: exact }, how: 'markers' };
  }
  if (time.clock === 'none') return { snapshot, how: 'untimed' };
  const shift = shifts[time.clock];
  if (shift === null) return { snapshot, how: 'unplaced' };
  const { shiftNs, agreement } = shift;
  const span = agreement === null ? time : stampSpan(snapshot);
  const doubt = agreement?.uncertaintyNs ?? 0;
  const beginNs = span.beginNs + shiftNs - doubt;
  const endNs = span.endNs + shiftNs + doubt;
  if (trace.overwritten && endNs < trace.events.firstNs) return { snapshot, how: 'before' };
  const moved: SnapshotTime = { ...time, clock: 'trace', beginNs, endNs };
  return {
    snapshot: { ...snapshot, time: moved },
    how: agreement === null ? 'clock' : 'agreement',
  };
}

function tell(
  alignment: Alignment,
  placed: readonly Placed[],
  trace: TraceSpan,
  diagnostics: Diagnostics,
): void {
  const { byMarkers, byClock, byAgreement, unplaced, method, offsetNs, estimate } = alignment;
  if (method === 'markers' && Math.abs(offsetNs) > 1e6) {
    const offset = formatSeconds(Math.round(offsetNs));
    diagnostics.report('clock-aligned', {}, { count: byMarkers + byClock, offset });
  }
  if (method === 'same-clock') {
    diagnostics.report('clock-assumed-same', {}, { count: byClock, clock: trace.clockName });
  }
  if (estimate !== null) {
    const data = {
      count: byAgreement,
      zero: clockReading(-estimate.offsetNs),
      uncertainty: formatSeconds(roundUpNs(estimate.uncertaintyNs)),
      agreement: Math.round(estimate.agreement * 100),
    };
    diagnostics.report('clock-estimated', {}, data);
  }
  const before = placed.filter((one) => one.how === 'before').length;
  if (before > 0) diagnostics.report('snapshots-before-trace', {}, { count: before });
  if (unplaced > 0) {
    const clocks = new Set(
      placed.filter((one) => one.how === 'unplaced').map((one) => one.snapshot.time.clock),
    );
    const clock = [...clocks].sort().join(' and ');
    diagnostics.report('clock-not-aligned', {}, { count: unplaced, clock });
  }
}

/** Placed ones by time; then those with a time of their own, by that; then those without. */
function sortPlaced(placed: readonly Placed[]): Snapshot[] {
  const rank = (snapshot: Snapshot): number =>
    ({ trace: 0, mono: 1, wall: 2, none: 3 })[snapshot.time.clock];
  return placed
    .map((one) => one.snapshot)
    .sort((a, b) => rank(a) - rank(b) || a.time.beginNs - b.time.beginNs || 0);
}
