/**
 * What can be known from less: no positions, only mm_page_alloc and mm_page_free, only copies of
 * buddyinfo, lost events, several nodes, CMA areas.
 */
import { describe, expect, test } from 'vitest';
import type { PlainEvent } from '../recording/testing/batches.js';
import { EventKind } from '../records/events.js';
import type { Snapshot } from '../records/snapshot.js';
import { RecordingStrings } from '../records/strings.js';
import type { ReplayState } from './observer.js';
import { reconstruct } from './reconstruct.js';
import { EventList } from './testing/event-list.js';
import { SmallKernel, type SmallKernelOptions } from './testing/small-kernel.js';
import { recorded, SnapshotTaker } from './testing/small-recording.js';
import { countsOf, walk } from './testing/walk.js';
import { churn, compactSome, fragment } from './testing/workload.js';

const oneZone: SmallKernelOptions = {
  zones: [{ zone: 'Normal', startPfn: 0, pages: 1024 }],
  pageblockOrder: 5,
  maxOrder: 8,
};

function machine(options: SmallKernelOptions = oneZone) {
  const kernel = new SmallKernel(options);
  const taker = new SnapshotTaker(kernel);
  taker.zoneinfo();
  taker.pagetypeinfo();
  taker.version('Linux version 5.10.223');
  return { kernel, taker };
}

/** The kernel's own counts at each copy against the state at the copy's place. */
function copiesMatch(made: ReturnType<typeof recorded>): boolean[] {
  const replay = reconstruct(made.input);
  const matches: boolean[] = [];
  replay.run([
    {
      snapshot: (state, snapshot) => {
        if (snapshot.kind !== 'buddyinfo') return;
        matches.push(
          snapshot.zones.every(({ free }, z) =>
            free.every((n, q) => n === state.zones[z]!.free[q]),
          ),
        );
      },
    },
  ]);
  return matches;
}

describe('all events and copies of buddyinfo, no positions', () => {
  test('the blocks are right at every copy', () => {
    const { kernel, taker } = machine();
    fragment(kernel, 0.5);
    const from = kernel.now;
    taker.buddyinfo();
    for (let n = 0; n < 5; n++) {
      churn(kernel, 80, n);
      taker.buddyinfo();
    }
    const made = recorded(kernel, taker.snapshots, { lost: [[0, from]] });
    expect(reconstruct(made.input).seed).toBe('buddyinfo');
    expect(copiesMatch(made)).toEqual(new Array(6).fill(true));
  });

  test('free pages never change without an event: their number is right throughout', () => {
    const { kernel, taker } = machine();
    fragment(kernel, 0.5);
    const from = kernel.now;
    taker.buddyinfo();
    churn(kernel, 300, 4);
    taker.buddyinfo();
    const made = recorded(kernel, taker.snapshots, { lost: [[0, from]] });
    const pages = (counts: readonly number[]): number =>
      counts.reduce((sum, n, order) => sum + n * 2 ** order, 0);
    const replay = reconstruct(made.input);
    const off: number[] = [];
    const stops = made.truth.slice(1).map((truth, i) => ({
      index: i + 2,
      timeNs: Number.POSITIVE_INFINITY,
      run: (state: Parameters<typeof countsOf>[0]) => {
        if (pages(countsOf(state)) !== pages(truth)) off.push(i + 1);
      },
    }));
    replay.run([], stops);
    expect(off).toEqual([]);
  });
});

describe('only mm_page_alloc and mm_page_free', () => {
  const kinds = [EventKind.alloc, EventKind.free, EventKind.freeBatched];

  test('pages on per-cpu lists count as free: exact in that view', () => {
    const { kernel, taker } = machine();
    taker.kpageflags()();
    churn(kernel, 400, 2);
    const made = recorded(kernel, taker.snapshots, { kinds });
    const walked = walk(made, made.pageTruth);
    expect(walked.replay.level).toBe('page');
    expect(walked.wrong).toEqual([]);
  });

  test('copies of buddyinfo take the per-cpu pages off again, exactly at the copies', () => {
    const { kernel, taker } = machine();
    taker.kpageflags()();
    taker.buddyinfo();
    for (let n = 0; n < 6; n++) {
      churn(kernel, 60, 20 + n);
      taker.buddyinfo();
    }
    const made = recorded(kernel, taker.snapshots, { kinds });
    expect(copiesMatch(made)).toEqual(new Array(7).fill(true));
  });
});

describe('copies of buddyinfo alone', () => {
  function copiesOnly() {
    const { kernel, taker } = machine();
    taker.buddyinfo();
    for (let n = 0; n < 4; n++) {
      churn(kernel, 50, n);
      taker.buddyinfo();
    }
    const all = recorded(kernel, taker.snapshots);
    const snapshots = all.input.snapshots.map((s) => ({
      ...s,
      time: { ...s.time, beginEvent: null, endEvent: null },
    }));
    return { all, made: recorded(kernel, snapshots, { kinds: [] }) };
  }

  test('the state is the copy’s own at each copy', () => {
    const { made } = copiesOnly();
    expect(reconstruct(made.input).level).toBe('snapshots');
    expect(copiesMatch(made)).toEqual(new Array(5).fill(true));
  });

  test('at a copy the bounds are its counts, between two copies they span both', () => {
    const { made } = copiesOnly();
    const replay = reconstruct(made.input);
    const copies = made.input.snapshots.filter((s) => s.kind === 'buddyinfo');
    const [here, next] = [copies[1]!, copies[2]!];
    const middleNs = (here.time.beginNs + next.time.beginNs) / 2;
    const seen: number[][][] = [];
    const run = ({ zones }: ReplayState) => seen.push([[...zones[0]!.low], [...zones[0]!.high]]);
    const stops = [here.time.beginNs, middleNs].map((timeNs) => ({ index: 0, timeNs, run }));
    replay.run([], stops);
    const [exact, wide] = seen;
    const counts = [here, next].map((c) => (c.kind === 'buddyinfo' ? c.zones[0]!.free : []));
    expect(exact).toEqual([counts[0], counts[0]]);
    wide![0]!.forEach((low, q) => {
      const both = counts.map((free) => free[q]!);
      expect(low).toBeLessThanOrEqual(Math.min(...both));
      expect(wide![1]![q]).toBeGreaterThanOrEqual(Math.max(...both));
    });
  });

  test('without zoneinfo, zones whose pages cannot be placed show their copy all the same', () => {
    const copy = (seconds: number, free: number): Snapshot => ({
      kind: 'buddyinfo',
      source: 'buddyinfo.log',
      line: 1,
      time: {
        clock: 'mono',
        beginNs: seconds * 1e9,
        endNs: seconds * 1e9,
        snap: null,
        resolutionNs: 1,
      },
      zones: ['DMA', 'DMA32', 'Normal'].map((zone) => ({ node: 0, zone, free: [free, 2, 1] })),
    });
    const events = new EventList([]);
    const strings = new RecordingStrings();
    const replay = reconstruct({ events, strings, snapshots: [copy(1, 5), copy(2, 7)] });
    const seen: number[][] = [];
    const run = (state: ReplayState) => seen.push(state.zones.map((zone) => zone.free[0]!));
    replay.run(
      [],
      [1.1, 1.9].map((t) => ({ index: 0, timeNs: t * 1e9, run })),
    );
    expect(seen).toEqual([
      [5, 5, 5],
      [7, 7, 7],
    ]);
  });

  test('a copy of kpageflags without any trace is the state', () => {
    const { kernel, taker } = machine();
    churn(kernel, 100, 8);
    taker.buddyinfo();
    taker.kpageflags()();
    const made = recorded(kernel, taker.snapshots, { kinds: [] });
    const replay = reconstruct(made.input);
    let counts: number[] = [];
    replay.run([{ end: (state) => (counts = state.zones.flatMap((zone) => [...zone.free])) }]);
    expect(counts).toEqual(kernel.log.at(-1)!.truth);
  });
});

describe('events that are not all there', () => {
  /** Pages that one task takes and another, on the other cpu, gives back; a copy now and then. */
  function handedOver(keep: (event: PlainEvent) => boolean) {
    const { kernel, taker } = machine();
    fragment(kernel, 0.5);
    const from = kernel.now;
    taker.buddyinfo();
    for (let round = 0; round < 400; round++) {
      const order = round % 5 === 0 ? 2 : 0;
      const pfns = [0, 1].map(() => kernel.alloc(order, { cpu: 0 }));
      for (const pfn of pfns) if (pfn >= 0) kernel.free(pfn, { cpu: 1 });
      if (round % 50 === 0) taker.buddyinfo();
    }
    const all = recorded(kernel, taker.snapshots);
    const events = (all.input.events as EventList).events.slice(all.indexOf(from)).filter(keep);
    const snapshots = all.input.snapshots.map((s) => ({
      ...s,
      time: { ...s.time, beginEvent: null, endEvent: null },
    }));
    return reconstruct({ ...all.input, events: new EventList(events), snapshots });
  }

  test.each<[string, (event: PlainEvent) => boolean, string, string | null]>([
    ['all', () => true, 'buddy', null],
    ['no drains', ({ kind }) => kind !== EventKind.pcpuDrain, 'page', null],
    ['allocations alone', ({ kind }) => kind === EventKind.alloc, 'snapshots', 'no-frees'],
    ['frees alone', ({ kind }) => kind === EventKind.free, 'snapshots', 'no-allocs'],
    ['larger blocks alone', ({ order }) => order > 0, 'snapshots', 'no-single-pages'],
    [
      'one CPU and little of the other',
      ({ cpu, pfn }) => cpu === 0 || pfn % 8 === 0,
      'snapshots',
      'partial',
    ],
  ])('%s', (_, keep, level, unfollowed) => {
    const replay = handedOver(keep);
    expect([replay.level, replay.unfollowed]).toEqual([level, unfollowed]);
  });

  test('what is lost is no reason to follow nothing', () => {
    const { kernel, taker } = machine();
    fragment(kernel, 0.5);
    taker.buddyinfo();
    for (let n = 0; n < 6; n++) churn(kernel, 80, n);
    const half = kernel.now;
    const made = recorded(kernel, taker.snapshots, { lost: [[half - 300, half - 100]] });
    expect(reconstruct(made.input).unfollowed).toBeNull();
  });
});

describe('a later copy of kpageflags', () => {
  test('puts every page right that lost events left wrong', () => {
    const { kernel, taker } = machine();
    taker.buddyinfo();
    taker.kpageflags()();
    churn(kernel, 150, 1);
    const from = kernel.now;
    churn(kernel, 200, 2);
    const to = kernel.now;
    churn(kernel, 50, 3);
    const copied = kernel.now;
    taker.kpageflags()();
    churn(kernel, 150, 4);
    const made = recorded(kernel, taker.snapshots, { lost: [[from, to]] });
    const walked = walk(made);
    expect(walked.wrong.filter((i) => i < from)).toEqual([]);
    expect(walked.wrongFrom(made.indexOf(copied))).toBe(-1);
  });
});

describe('lost events', () => {
  test('the replay goes on, wrong at most by what was lost, and says what does not fit', () => {
    const { kernel, taker } = machine();
    taker.buddyinfo();
    taker.kpageflags()();
    churn(kernel, 200, 1);
    const from = kernel.now;
    churn(kernel, 30, 2);
    const to = kernel.now;
    churn(kernel, 400, 3);
    const made = recorded(kernel, taker.snapshots, { lost: [[from, to]] });
    const walked = walk(made);
    expect(walked.wrong.filter((i) => i < from)).toEqual([]);
    expect(walked.replay.survey.kinds[EventKind.lost]).toBe(1);
    expect(walked.distance / made.truth.length).toBeLessThan(to - from);
  });

  test('a copy of buddyinfo after the loss makes the counts right at the copy', () => {
    const { kernel, taker } = machine();
    taker.buddyinfo();
    taker.kpageflags()();
    churn(kernel, 200, 1);
    const from = kernel.now;
    churn(kernel, 60, 2);
    const to = kernel.now;
    taker.buddyinfo();
    churn(kernel, 200, 3);
    taker.buddyinfo();
    const made = recorded(kernel, taker.snapshots, { lost: [[from, to]] });
    expect(copiesMatch(made)).toEqual([true, true, true]);
  });
});

describe('machines', () => {
  test('two nodes whose border lies inside a largest block', () => {
    const { kernel, taker } = machine({
      ...oneZone,
      zones: [
        { node: 0, zone: 'Normal', startPfn: 0, pages: 352 },
        { node: 1, zone: 'Normal', startPfn: 352, pages: 416 },
      ],
    });
    taker.buddyinfo();
    taker.kpageflags()();
    for (let n = 0; n < 200; n++) {
      kernel.alloc(n % 3, { zone: n % 2 });
      if (n % 3 === 2) kernel.free([...kernel.held.keys()][0]!);
    }
    kernel.drain();
    const made = recorded(kernel, taker.snapshots);
    const walked = walk(made);
    expect(walked.wrong).toEqual([]);
    expect(walked.replay.geometry.zones.map((z) => z.node)).toEqual([0, 1]);
  });

  test('zones far apart cost memory for their own pages only', () => {
    const far = 2 ** 30;
    const { kernel, taker } = machine({
      ...oneZone,
      zones: [
        { zone: 'DMA32', startPfn: 0, pages: 256 },
        { zone: 'Normal', startPfn: far, pages: 256 },
      ],
    });
    taker.buddyinfo();
    for (let n = 0; n < 30; n++) kernel.alloc(0, { zone: 1 });
    const replay = reconstruct(recorded(kernel, taker.snapshots).input);
    expect(replay.geometry.space.size).toBe(512);
  });

  test('free blocks of a CMA area are counted apart and do not merge with their neighbours', () => {
    const { kernel, taker } = machine({
      ...oneZone,
      zones: [{ zone: 'Normal', startPfn: 0, pages: 1024, cmaPages: 128 }],
    });
    taker.buddyinfo();
    taker.kpageflags()();
    churn(kernel, 100, 6);
    const made = recorded(kernel, taker.snapshots);
    const cma = [{ startPfn: 896, pages: 128 }];
    const walked = walk(made, made.truth, { cma });
    expect(walked.wrong).toEqual([]);
    const replay = reconstruct(made.input, { cma });
    let pages = -1;
    replay.run([
      {
        start: (state) => {
          pages = state.zones[0]!.cmaPages!;
        },
      },
    ]);
    expect(pages).toBe(128);
  });

  test('a pfn outside every zone is passed over', () => {
    const { kernel, taker } = machine();
    taker.buddyinfo();
    taker.kpageflags()();
    churn(kernel, 40, 1);
    kernel.emit({ kind: EventKind.zoneLocked, pfn: 2 ** 43, order: 3, detail: 0 });
    kernel.emit({ kind: EventKind.free, pfn: 5000, order: 0 });
    churn(kernel, 40, 2);
    expect(walk(recorded(kernel, taker.snapshots)).wrong).toEqual([]);
  });
});

describe('bounds', () => {
  test('between copies of buddyinfo with a compaction in between they hold the truth at both ends', () => {
    const { kernel, taker } = machine();
    taker.kpageflags()();
    fragment(kernel, 0.6);
    taker.buddyinfo();
    compactSome(kernel, 16);
    churn(kernel, 60, 2);
    taker.buddyinfo();
    const made = recorded(kernel, taker.snapshots);
    const walked = walk(made);
    const quiet = walked.uncovered.filter((i) => !made.compacting[i]);
    expect(quiet).toEqual([]);
  });
});
