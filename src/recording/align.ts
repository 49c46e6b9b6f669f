/**
 * Puts snapshots into the trace's own time.
 *
 * A recorder that writes `snap N begin …` and `snap N end …` into the trace around each copy gives
 * an exact place: events before the first marker are in the copy, events after the second are not.
 * The markers' distance from the copies' own stamps also tells the offset between the two clocks,
 * which places copies whose markers were overwritten. Without any markers, monotonic stamps are
 * taken to share the trace's clock if the spans overlap; anything else stays unplaced, and is said.
 * So does a copy from before the first event of a trace whose beginning was overwritten: what happened
 * between the two is not known.
 */
import type { Diagnostics } from '../records/diagnostics.js';
import { type EventBatch, EventKind } from '../records/events.js';
import type { Snapshot, SnapshotTime } from '../records/snapshot.js';
import type { StringTable } from '../records/strings.js';
import { formatSeconds } from '../records/time.js';
import type { Alignment } from './recording.js';

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
    const { kind, length } = batch;
    for (let i = 0; i < length; i++) {
      if (kind[i] === EventKind.marker) this.#note(batch, i, offset + i);
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
  readonly events: number;
  readonly firstNs: number;
  readonly lastNs: number;
  readonly epochS: number;
  readonly clockName: string;
  /** Events before the first one were overwritten in the ring buffer. */
  readonly overwritten: boolean;
}

interface Placed {
  readonly snapshot: Snapshot;
  readonly how: 'markers' | 'clock' | 'unplaced' | 'untimed' | 'trace' | 'before';
}

/** Snapshots in trace time, sorted, and how that was done. */
export function alignSnapshots(
  snapshots: readonly Snapshot[],
  markers: MarkerIndex,
  trace: TraceSpan,
  diagnostics: Diagnostics,
): { snapshots: Snapshot[]; alignment: Alignment } {
  const { offsetNs, spreadNs, count } = offsetByMarkers(snapshots, markers, trace.epochS);
  const shared = count === 0 && sharesClock(snapshots, trace);
  const shift = count > 0 ? offsetNs : shared ? 0 : estimateOffset(snapshots, trace);
  const placed = snapshots.map((snapshot) => place(snapshot, markers, shift, trace));
  const of = (how: Placed['how']): number => placed.filter((one) => one.how === how).length;
  const alignment: Alignment = {
    method: count > 0 ? 'markers' : shift !== null && of('clock') > 0 ? 'same-clock' : 'none',
    offsetNs: shift ?? Number.NaN,
    spreadNs,
    byMarkers: of('markers'),
    byClock: of('clock'),
    unplaced: of('unplaced'),
  };
  if (trace.events > 0) tell(alignment, placed, trace, diagnostics);
  return { snapshots: sortPlaced(placed), alignment };
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

/** Whether monotonic stamps and the trace cover a common span: then one clock is assumed. */
function sharesClock(snapshots: readonly Snapshot[], trace: TraceSpan): boolean {
  if (trace.events === 0) return true;
  const epochNs = trace.epochS * 1e9;
  return snapshots.some(
    ({ time }) =>
      time.clock === 'mono' &&
      time.endNs - epochNs >= trace.firstNs &&
      time.beginNs - epochNs <= trace.lastNs,
  );
}

/**
 * Nanoseconds to add to wall-clock stamps, found by agreement between copies and events.
 * Not known yet: such copies stay unplaced.
 */
export function estimateOffset(_snapshots: readonly Snapshot[], _trace: TraceSpan): number | null {
  return null;
}

function place(
  snapshot: Snapshot,
  markers: MarkerIndex,
  shiftNs: number | null,
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
  if (time.clock !== 'mono' || shiftNs === null) return { snapshot, how: 'unplaced' };
  const shift = shiftNs - trace.epochS * 1e9;
  if (trace.overwritten && time.endNs + shift < trace.firstNs) return { snapshot, how: 'before' };
  const moved: SnapshotTime = {
    ...time,
    clock: 'trace',
    beginNs: time.beginNs + shift,
    endNs: time.endNs + shift,
  };
  return { snapshot: { ...snapshot, time: moved }, how: 'clock' };
}

function tell(
  alignment: Alignment,
  placed: readonly Placed[],
  trace: TraceSpan,
  diagnostics: Diagnostics,
): void {
  const { byMarkers, byClock, unplaced, method, offsetNs } = alignment;
  if (method === 'markers' && Math.abs(offsetNs) > 1e6) {
    const offset = formatSeconds(Math.round(offsetNs));
    diagnostics.report('clock-aligned', {}, { count: byMarkers + byClock, offset });
  }
  if (method === 'same-clock') {
    diagnostics.report('clock-assumed-same', {}, { count: byClock, clock: trace.clockName });
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
