/**
 * The replay against a small kernel that knows the truth after every event.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventKind } from '../records/events.js';
import { reconstruct } from './reconstruct.js';
import { SmallKernel, type SmallKernelOptions, smallMachine } from './testing/small-kernel.js';
import { type Recorded, recorded, SnapshotTaker } from './testing/small-recording.js';
import { countsOf, walk } from './testing/walk.js';
import { churn, compactSome, doStep, fragment, steps } from './testing/workload.js';

/** A kernel with these per-cpu orders and this dialect of extfrag. */
const releaseOf = ({ pcpOrders, stealsSilently }: SmallKernelOptions): string => {
  if (stealsSilently) return 'Linux version 6.17.1';
  return pcpOrders && pcpOrders.length > 1 ? 'Linux version 6.1.90' : 'Linux version 5.10.223';
};

const machines = fc
  .record({
    // The order of a huge page is kept too where orders 1 to 3 are.
    pcpOrders: fc.constantFrom([0], [0, 1, 2, 3, 4]),
    stealsSilently: fc.boolean(),
    cmaPages: fc.constantFrom(0, 64),
    perBatch: fc.constantFrom(5, 64, 1000),
  })
  .map(({ cmaPages, perBatch, ...more }) => {
    const options = smallMachine(more);
    const [low, high] = options.zones;
    return { perBatch, options: { ...options, zones: [low!, { ...high!, cmaPages }] } };
  });

const cmaOf = (kernel: SmallKernel) =>
  kernel.zones
    .filter((zone) => zone.cmaPages)
    .map(({ startPfn, pages, cmaPages = 0 }) => ({
      startPfn: startPfn + pages - cmaPages,
      pages: cmaPages,
    }));

describe('all events and a copy of kpageflags at the start', () => {
  test('any sequence of allocations, frees, drains and snapshots leaves the same free blocks', () => {
    fc.assert(
      fc.property(machines, steps(6), fc.nat({ max: 40 }), (machine, list, copyAt) => {
        const kernel = new SmallKernel(machine.options);
        const taker = new SnapshotTaker(kernel);
        taker.zoneinfo();
        taker.pagetypeinfo();
        taker.version(releaseOf(machine.options));
        let endCopy = taker.kpageflags();
        kernel.alloc(0, { zone: 1 }); // one zone_locked at least: the buddy level
        list.forEach((step, n) => {
          // Copies are read while things go on, the first one too.
          if (n === 5) endCopy();
          if (n === 6 + copyAt) endCopy = taker.kpageflags();
          if (n === 9 + copyAt) endCopy();
          if (n % 20 === 3) taker.buddyinfo();
          doStep(kernel, step);
        });
        taker.buddyinfo();
        if (list.length <= 5) endCopy();
        const made = recorded(kernel, taker.snapshots, { perBatch: machine.perBatch });
        const walked = walk(made, made.truth, { cma: cmaOf(kernel) });
        expect(walked.replay.seed).toBe('kpageflags');
        expect(walked.wrong).toEqual([]);
        for (const residual of walked.replay.residuals) {
          expect(residual.zones.every((zone) => zone.pages === 0)).toBe(true);
        }
        walked.replay.close();
      }),
      { numRuns: 60 },
    );
  });

  test('certainty is exact and the three counts agree as long as nothing is hidden', () => {
    const { made } = busy();
    const walked = walk(made, made.truth);
    expect(walked.wrong).toEqual([]);
    expect([...walked.certainties]).toEqual(['exact']);
  });

  test('positions are the kernel’s own, block by block', () => {
    const { kernel, made } = busy();
    const replay = reconstruct(made.input);
    replay.run([
      {
        end: (state) => {
          for (let z = 0; z < kernel.zones.length; z++) {
            for (const { page, order } of kernel.blocksOf(z)) {
              expect(state.headOrder[state.pageOf(page)]).toBe(order);
            }
          }
        },
      },
    ]);
  });

  test('the same input gives the same state when it is walked again', () => {
    const { made } = busy();
    const replay = reconstruct(made.input);
    const seen = [0, 1].map(() => {
      const states: number[][] = [];
      replay.run(
        [],
        [
          { index: 50, timeNs: 0, run: (state) => states.push(countsOf(state)) },
          { index: made.truth.length, timeNs: 0, run: (state) => states.push(countsOf(state)) },
        ],
      );
      return states;
    });
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]![0]).toEqual(made.truth[49]);
  });

  test('a page held by nobody’s event is where the copy says', () => {
    const kernel = new SmallKernel(smallMachine());
    for (let n = 0; n < 60; n++) kernel.alloc(0);
    const from = kernel.now;
    const taker = SnapshotTaker.complete(kernel, '5.10.223');
    churn(kernel, 120, 3);
    const made = recorded(kernel, taker.snapshots, { lost: [[0, from]] });
    const walked = walk(made, made.truth);
    expect(walked.wrong.filter((i) => i > 0)).toEqual([]);
  });
});

test('a later map shows what compaction moved, also where no event of compaction was recorded', () => {
  const kinds = [EventKind.alloc, EventKind.free, EventKind.zoneLocked, EventKind.pcpuDrain];
  for (const seed of [1, 2, 3]) {
    const kernel = new SmallKernel(smallMachine({ pcpOrders: [0, 1, 2, 3, 4] }));
    const taker = SnapshotTaker.complete(kernel, '6.1.90');
    fragment(kernel, 0.6);
    churn(kernel, 300, seed);
    compactSome(kernel, 24);
    churn(kernel, 60, seed + 10);
    taker.kpageflags()();
    const from = kernel.now;
    churn(kernel, 200, seed + 20);
    const made = recorded(kernel, taker.snapshots, { kinds });
    const { wrong, replay } = walk(made, made.truth);
    const at = made.indexOf(from);
    expect(wrong.some((i) => i < at - 1)).toBe(true);
    expect(wrong).not.toContain(at);
    replay.close();
  }
});

/** A busy run from a full seed, nothing hidden. */
function busy(): { kernel: SmallKernel; taker: SnapshotTaker; made: Recorded } {
  const kernel = new SmallKernel(smallMachine({ pcpOrders: [0, 1, 2, 3, 4] }));
  const taker = SnapshotTaker.complete(kernel, '6.1.90');
  churn(kernel, 300, 11);
  return { kernel, taker, made: recorded(kernel, taker.snapshots) };
}

describe('dialects of extfrag', () => {
  test.each([true, false])('steals that print extfrag alone: %s', (stealsSilently) => {
    const kernel = new SmallKernel(smallMachine({ stealsSilently }));
    const taker = SnapshotTaker.complete(kernel, '5.10.223');
    // Unmovable pages everywhere: movable requests soon have to take small foreign blocks.
    const held: number[] = [];
    for (let n = 0; n < 190; n++) held.push(kernel.alloc(0, { type: n % 2, zone: 0 }));
    held.forEach((pfn, n) => {
      if (pfn >= 0 && n % 3 === 0) kernel.free(pfn);
    });
    kernel.drain();
    for (let n = 0; n < 60; n++) kernel.alloc(0, { type: 1, zone: 0 });
    const made = recorded(kernel, taker.snapshots);
    const walked = walk(made, made.truth);
    expect(walked.replay.survey.kinds[6]).toBeGreaterThan(10);
    expect(walked.replay.survey.extfragRemoves).toBe(stealsSilently);
    expect(walked.wrong).toEqual([]);
  });
});

describe('what the future tells', () => {
  test('frees that bypassed the per-cpu list are recognised by their next removal', () => {
    const kernel = new SmallKernel(smallMachine());
    const taker = SnapshotTaker.complete(kernel, '5.10.223');
    const held = Array.from({ length: 64 }, () => kernel.alloc(0, { zone: 1 }));
    for (const pfn of held.slice(0, 20)) kernel.free(pfn, { bypass: true });
    // Everything is handed out again, so each of them shows itself.
    while (kernel.alloc(0, { zone: 1 }) >= 0);
    const made = recorded(kernel, taker.snapshots);
    const walked = walk(made, made.truth);
    expect(walked.wrong).toEqual([]);
    expect(walked.replay.anomalies?.bypassed).toBe(20);
  });

  test('a block that is taken, is not handed out and is taken again came back in between', () => {
    const kernel = new SmallKernel(smallMachine());
    const taker = SnapshotTaker.complete(kernel, '5.10.223');
    const pfn = kernel.alloc(5, { zone: 1 });
    kernel.free(pfn);
    // Of a request whose own events are missing only the taking is left.
    kernel.emit({ kind: EventKind.zoneLocked, pfn, order: 5, detail: 0 });
    while (kernel.alloc(0, { zone: 1 }) >= 0);
    expect(walk(recorded(kernel, taker.snapshots)).wrong).toEqual([]);
  });

  test('bulk allocations take nothing from the free lists', () => {
    const kernel = new SmallKernel(smallMachine());
    const taker = SnapshotTaker.complete(kernel, '5.10.223');
    kernel.takeBulk(40);
    churn(kernel, 200, 5);
    const made = recorded(kernel, taker.snapshots);
    expect(walk(made, made.truth).wrong).toEqual([]);
  });
});

describe('compaction', () => {
  function compacted(options: Parameters<typeof compactSome>[2] = {}, seed = 7) {
    const kernel = new SmallKernel({
      zones: [{ zone: 'Normal', startPfn: 0, pages: 1024 }],
      pageblockOrder: 5,
      maxOrder: 8,
    });
    const taker = SnapshotTaker.complete(kernel, '5.10.223');
    fragment(kernel, 0.6);
    const before = kernel.now;
    compactSome(kernel, 24, options);
    const after = kernel.now;
    churn(kernel, 250, seed);
    return { kernel, taker, before, after, made: recorded(kernel, taker.snapshots) };
  }

  test('every block is right up to the first compaction', () => {
    const { made, before } = compacted();
    expect(walk(made, made.truth).wrong.filter((i) => i < before)).toEqual([]);
  });

  test('a range that was scanned in full is emptied: right again once compaction is over', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { made, after } = compacted({}, seed);
      const walked = walk(made, made.truth);
      expect(walked.wrongFrom(after)).toBe(-1);
      expect(walked.replay.quality?.unplacedPages).toBe(0);
      expect(walked.replay.quality?.excess[3]).toBe(0);
    }
  });

  test('the block the fast search took is what the range holds beyond nr_taken', () => {
    for (const fastEvent of [false, true]) {
      const kernel = new SmallKernel({
        zones: [{ zone: 'Normal', startPfn: 0, pages: 1024 }],
        pageblockOrder: 5,
        maxOrder: 8,
      });
      const taker = SnapshotTaker.complete(kernel, '5.10.223');
      fragment(kernel, 0.6);
      // One block of order 3 in the upper half, whose buddies are in use.
      const fast = { pfn: kernel.alloc(3), order: 3 };
      while (fast.pfn < 512) fast.pfn = kernel.alloc(3);
      for (let n = 0; n < 3; n++) kernel.alloc(3);
      kernel.free(fast.pfn);
      compactSome(kernel, 8, { fast, fastEvent });
      const after = kernel.now;
      churn(kernel, 200, 9);
      const made = recorded(kernel, taker.snapshots);
      const walked = walk(made, made.truth);
      expect(walked.wrongFrom(after)).toBe(-1);
      expect(walked.replay.quality?.excess[2]).toBe(0);
    }
  });
});
