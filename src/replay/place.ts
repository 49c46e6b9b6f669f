/**
 * Where each snapshot stands in the stream of events.
 *
 * Markers in the trace place a copy exactly (recording/align.ts gives their event indices); else its
 * time does: events stamped before its begin are in it, events stamped after its end are not.
 */
import { EventBatch } from '../records/events.js';
import type { Snapshot } from '../records/snapshot.js';
import { countBelow } from './sorted.js';
import type { EventSource } from './survey.js';

/** Brackets wider than this come from coarse stamps, if no markers tell better, ns. */
const VAGUE_NS = 20e6;

export interface PlacedSnapshot {
  readonly snapshot: Snapshot;
  readonly beginIndex: number;
  readonly endIndex: number;
  readonly timeNs: number;
}

/** Whether a snapshot's bracket comes from coarse stamps and not from its recorder. */
export function isVague({ snapshot: { time } }: Pick<PlacedSnapshot, 'snapshot'>): boolean {
  return typeof time.beginEvent !== 'number' && time.endNs - time.beginNs > VAGUE_NS;
}

/** The first instant after a snapshot was read; of one with a coarse stamp the first after the stamp. */
export function readUntilNs(placed: Pick<PlacedSnapshot, 'snapshot' | 'timeNs'>): number {
  const { snapshot, timeNs } = placed;
  return Math.max(timeNs + 1, isVague(placed) ? timeNs : snapshot.time.endNs);
}

/** Orders what stands among the events, at one place by time. */
export function byPlace(
  a: Pick<PlacedSnapshot, 'beginIndex' | 'timeNs'>,
  b: Pick<PlacedSnapshot, 'beginIndex' | 'timeNs'>,
): number {
  return a.beginIndex - b.beginIndex || a.timeNs - b.timeNs;
}

/** Snapshots that have a place, in order of their place. */
export function placeSnapshots(
  events: EventSource,
  snapshots: readonly Snapshot[],
  finder = new TimeIndex(events),
): PlacedSnapshot[] {
  const placed: PlacedSnapshot[] = [];
  for (const snapshot of snapshots) {
    const { time } = snapshot;
    const place = { snapshot, timeNs: time.beginNs };
    if (typeof time.beginEvent === 'number' && typeof time.endEvent === 'number') {
      placed.push({ ...place, beginIndex: time.beginEvent, endIndex: time.endEvent });
    } else if (time.clock === 'trace' || (events.length === 0 && time.clock !== 'none')) {
      const beginIndex = finder.indexAt(time.beginNs);
      placed.push({ ...place, beginIndex, endIndex: finder.indexAt(time.endNs, beginIndex) });
    }
  }
  return placed.sort(byPlace);
}

/** Finds the event at an instant, one batch in memory. */
export class TimeIndex {
  readonly #events: EventSource;
  readonly #batch = new EventBatch();
  readonly #firstNs: Float64Array;
  #loaded = -1;

  constructor(events: EventSource) {
    this.#events = events;
    this.#firstNs = new Float64Array(events.batches);
    for (let b = 0; b < events.batches; b++) {
      if (events.firstNsOf === undefined) this.#load(b);
      this.#firstNs[b] = events.firstNsOf?.(b) ?? this.#batch.timeNs[0]!;
    }
  }

  /** Index of the first event stamped at or after `timeNs` (not before `from`). */
  indexAt(timeNs: number, from = 0): number {
    const low = countBelow(this.#firstNs, timeNs);
    if (low === 0) return from;
    this.#load(low - 1);
    const { timeNs: times, length } = this.#batch;
    return Math.max(from, this.#events.offsetOf(low - 1) + countBelow(times, timeNs, 0, length));
  }

  #load(batch: number): void {
    if (this.#loaded === batch) return;
    this.#events.read(batch, this.#batch, 'times');
    this.#loaded = batch;
  }
}
