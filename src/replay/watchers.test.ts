/**
 * However seldom an observer asks to be called, it must know what one called at every event knows.
 */
import { expect, test } from 'vitest';
import { type EventBatch, EventKind } from '../records/events.js';
import type { ReplayObserver, ReplayState } from './observer.js';
import { reconstruct } from './reconstruct.js';
import { SmallKernel } from './testing/small-kernel.js';
import { recorded, SnapshotTaker } from './testing/small-recording.js';
import { churn, compactSome } from './testing/workload.js';

const countsOf = (state: ReplayState): number[] =>
  state.zones.flatMap((zone) => [...zone.free, ...zone.low, ...zone.high, zone.freePages]);

/** A busy kernel with copies, compaction and loss, in batches of a few events. */
function busy() {
  const kernel = new SmallKernel({
    zones: [
      { zone: 'DMA', startPfn: 0, pages: 256 },
      { zone: 'Normal', startPfn: 1024, pages: 512 },
    ],
    maxOrder: 6,
    pageblockOrder: 5,
  });
  const taker = new SnapshotTaker(kernel);
  taker.version('Linux version 6.1.0');
  taker.kpageflags()();
  for (let round = 0; round < 4; round++) {
    churn(kernel, 120, round);
    compactSome(kernel, 2);
    taker.buddyinfo();
  }
  return recorded(kernel, taker.snapshots, { perBatch: 37, lost: [[150, 170]] });
}

function bulkOf({ kind, cpu, detail }: EventBatch, i: number): string {
  if (kind[i] === EventKind.pcpuDrain) return `drain on ${cpu[i]}`;
  return kind[i] === EventKind.zoneLocked && detail[i] === 1 ? `refill on ${cpu[i]}` : '';
}

/** Sees everything, and what the others know by then. */
class Eager implements ReplayObserver {
  readonly seen: number[][] = [];
  /** Of each event, what tells a bulk; empty where it can be in none. */
  readonly bulks: string[] = [];
  readonly timesNs: number[] = [];
  event(state: ReplayState, batch: EventBatch, i: number): void {
    this.seen.push(countsOf(state));
    this.bulks.push(bulkOf(batch, i));
    this.timesNs.push(batch.timeNs[i]!);
    expect(state.timeNs).toBe(batch.timeNs[i]);
  }
}

class Mover implements ReplayObserver {
  readonly seen = new Map<number, number[]>();
  readonly missed: string[] = [];
  #counts: number[] = [];
  start(state: ReplayState): void {
    this.#counts = state.zones.flatMap((zone) => [...zone.free]);
  }
  changed(state: ReplayState): void {
    this.seen.set(state.eventIndex, countsOf(state));
    let k = 0;
    for (const zone of state.zones) {
      for (let q = 0; q < state.orders; q++, k++) {
        const touched = ((zone.touched ?? -1) >> q) & 1;
        if (this.#counts[k] !== zone.free[q] && touched === 0)
          this.missed.push(`${zone.zone} ${q}`);
        this.#counts[k] = zone.free[q]!;
      }
    }
  }
}

class Reader implements ReplayObserver {
  readonly timesNs: number[] = [];
  /** [events known, index of the event at hand] whenever somebody looks. */
  readonly looks: [number, number][] = [];
  dueNs = Number.NEGATIVE_INFINITY;
  batch(_state: ReplayState, batch: EventBatch, from: number, to: number): void {
    for (let i = from; i < to; i++) this.timesNs.push(batch.timeNs[i]!);
  }
  due(state: ReplayState, batch: EventBatch, i: number): void {
    expect(batch.timeNs[i]).toBeGreaterThanOrEqual(this.dueNs);
    this.#look(state);
    this.dueNs = batch.timeNs[i]! + 50_000;
  }
  snapshot(state: ReplayState): void {
    this.#look(state);
  }
  changed(state: ReplayState): void {
    if (state.eventIndex % 11 !== 0) return;
    state.catchUp?.();
    this.#look(state);
  }
  #look(state: ReplayState): void {
    this.looks.push([this.timesNs.length, state.eventIndex + 1]);
  }
}

test('counts move only at `changed` or within a bulk, and `touched` names every order that moved', () => {
  const replay = reconstruct(busy().input);
  const eager = new Eager();
  const mover = new Mover();
  replay.run([eager, mover]);
  const alone = new Mover();
  replay.run([alone]);
  replay.close();
  let known = eager.seen[0]!;
  let within = 0;
  eager.seen.forEach((counts, index) => {
    known = alone.seen.get(index) ?? known;
    const goesOn = eager.bulks[index] !== '' && eager.bulks[index] === eager.bulks[index + 1];
    if (!goesOn) expect(known).toEqual(counts);
    else if (!alone.seen.has(index)) within++;
  });
  expect(within).toBeGreaterThan(10);
  expect(mover.missed).toEqual([]);
  expect(alone.missed).toEqual([]);
  expect(alone.seen.size).toBeLessThan(eager.seen.length);
});

test('`batch` shows every event once and in order, and before anybody looks', () => {
  const replay = reconstruct(busy().input);
  const eager = new Eager();
  replay.run([eager]);
  const reader = new Reader();
  replay.run([reader]);
  replay.close();
  expect(reader.timesNs).toEqual(eager.timesNs);
  expect(reader.looks.length).toBeGreaterThan(10);
  for (const [known, reached] of reader.looks) expect(known).toBe(reached);
});
