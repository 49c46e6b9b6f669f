import { expect, test } from 'vitest';
import { EventBatch, EventKind, PFN_NONE } from '../records/events.js';
import { RecordingStrings } from '../records/strings.js';
import type { ReplayState } from '../replay/observer.js';
import { ActivityObserver } from './activity.js';
import { NearEvents } from './near-events.js';

const at = (timeNs: number): ReplayState => ({ timeNs }) as ReplayState;

function batchOf(events: readonly { kind: number; timeNs: number; pid?: number; pfn?: number }[]) {
  const batch = new EventBatch(64);
  for (const { kind, timeNs, pid = 1, pfn = timeNs } of events) {
    const i = batch.length++;
    batch.kind[i] = kind;
    batch.timeNs[i] = timeNs;
    batch.pid[i] = pid;
    batch.pfn[i] = pfn;
    batch.order[i] = 2;
  }
  return batch;
}

test('activities last from their begin to their end, task by task', () => {
  const observer = new ActivityObserver(0, 9000);
  const batch = batchOf([
    { kind: EventKind.compactionBegin, timeNs: 100, pid: 7 },
    { kind: EventKind.directReclaimBegin, timeNs: 150, pid: 8 },
    { kind: EventKind.compactionEnd, timeNs: 300, pid: 8 },
    { kind: EventKind.compactionEnd, timeNs: 400, pid: 7 },
    { kind: EventKind.markVictim, timeNs: 500 },
    { kind: EventKind.kswapdWake, timeNs: 600, pid: 9 },
    { kind: EventKind.kswapdWake, timeNs: 700, pid: 9 },
  ]);
  for (let i = 0; i < batch.length; i++) observer.seldom(at(700), batch, i);
  observer.end(at(900));
  expect(observer.result()).toEqual([
    { activity: 'compaction', fromNs: 100, toNs: 400, count: 1 },
    { activity: 'direct reclaim', fromNs: 150, toNs: 900, count: 1 },
    { activity: 'kswapd', fromNs: 600, toNs: 900, count: 1 },
    { activity: 'OOM kill', fromNs: 500, toNs: 500, count: 1 },
  ]);
});

test('runs that lie very close together are joined and counted, however many there are', () => {
  const observer = new ActivityObserver(0, 900_000);
  for (let n = 0; n < 5000; n++) {
    const timeNs = n * 100;
    const batch = batchOf([
      { kind: EventKind.directReclaimBegin, timeNs },
      { kind: EventKind.directReclaimEnd, timeNs: timeNs + 50 },
    ]);
    for (const i of [0, 1]) observer.seldom(at(timeNs), batch, i);
  }
  expect(observer.result()).toEqual([
    { activity: 'direct reclaim', fromNs: 0, toNs: 499_950, count: 5000 },
  ]);
});

test('the page events next to an instant are the last six up to it and the first three after', () => {
  const near = new NearEvents(new RecordingStrings());
  const kinds = [EventKind.alloc, EventKind.freeBatched, EventKind.marker, EventKind.free];
  const batch = batchOf(
    Array.from({ length: 40 }, (_, i) => ({ kind: kinds[i % 4]!, timeNs: i * 10 })),
  );
  batch.pfn[20] = PFN_NONE;
  near.batch(at(200), batch, 0, 21);
  const found = near.now(at(200));
  expect(found.map(({ timeNs }) => timeNs)).toEqual([110, 120, 150, 160, 190, 200, 230, 240, 270]);
  expect(found[5]).toMatchObject({ event: 'kmem:mm_page_alloc', order: 2, pfn: PFN_NONE });
});

test('a batch that was filled anew is not taken for the one before', () => {
  const near = new NearEvents(new RecordingStrings());
  const batch = batchOf([{ kind: EventKind.alloc, timeNs: 10 }]);
  near.batch(at(10), batch, 0, 1);
  batch.timeNs[0] = 99;
  expect(near.now(at(20))).toEqual([]);
});
