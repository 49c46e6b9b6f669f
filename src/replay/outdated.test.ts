/**
 * Which maps of memory are older than the trace.
 */
import { describe, expect, test } from 'vitest';
import { EventKind } from '../records/events.js';
import type { Snapshot, SnapshotTime } from '../records/snapshot.js';
import { outdatedMaps } from './outdated.js';
import { type PlacedSnapshot, TimeIndex } from './place.js';
import { EventList, plain } from './testing/event-list.js';

const FIRST_NS = 1e9;
/** An event every millisecond. */
const events = new EventList(
  Array.from({ length: 1000 }, (_, i) =>
    plain({ kind: EventKind.free, timeNs: FIRST_NS + i * 1e6, pfn: i }),
  ),
);
const finder = new TimeIndex(events);

function mapUntil(endNs: number, more: Partial<SnapshotTime> = {}): PlacedSnapshot {
  const time: SnapshotTime = {
    clock: 'trace',
    beginNs: endNs - 1e6,
    endNs,
    snap: null,
    resolutionNs: 1,
    ...more,
  };
  const classes = new Uint8Array(4);
  const snapshot: Snapshot = {
    kind: 'kpageflags',
    source: 'map',
    line: 0,
    time,
    classes,
    buddyHeadsOnly: false,
  };
  return { snapshot, beginIndex: 0, endIndex: 0, timeNs: time.beginNs };
}

const outdated = (map: PlacedSnapshot, pages: number) =>
  outdatedMaps([map], FIRST_NS, finder, pages);

describe('maps from before the trace', () => {
  test('so many events were missed as come in the same time after the first', () => {
    const [map] = outdated(mapUntil(FIRST_NS - 100e6), 5000);
    expect(map).toMatchObject({ gapNs: 100e6, events: 100 });
  });

  test('few for the size of the machine do not matter', () => {
    expect(outdated(mapUntil(FIRST_NS - 100e6), 20_000)).toEqual([]);
  });

  test('a map read while tracing, or placed by what it shows, is not outdated', () => {
    expect(outdated(mapUntil(FIRST_NS + 5e6), 100)).toEqual([]);
    expect(outdated(mapUntil(FIRST_NS - 100e6, { located: true }), 100)).toEqual([]);
  });
});
