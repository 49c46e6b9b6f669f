/**
 * What recordings cannot tell: pairs of kernels whose recordings are the same, byte for byte, and whose free lists and answers
 * differ. Nothing that reads such a recording can be right about both (docs/accuracy.md).
 */
import { describe, expect, test } from 'vitest';
import { EventKind } from '../records/events.js';
import { reconstruct } from '../replay/reconstruct.js';
import type { EventList } from '../replay/testing/event-list.js';
import { SmallKernel, type SmallKernelOptions, UNMOVABLE } from '../replay/testing/small-kernel.js';
import { type Recorded, recorded, SnapshotTaker } from '../replay/testing/small-recording.js';
import { walk } from '../replay/testing/walk.js';
import { InstantFinder, stopsAt } from './predict.js';
import { RequestJudge } from './verdict.js';

/** What level page+ records: all but what tells per-cpu lists from free lists. */
const PAGE_KINDS = Object.values(EventKind).filter(
  (kind) => kind !== EventKind.zoneLocked && kind !== EventKind.pcpuDrain,
);
const ORDER = 3;
const BLOCK = 2 ** ORDER;
/** When the request comes, ns. */
const REQUEST_NS = 10e6;

interface History {
  readonly made: Recorded;
  /** Free blocks of ORDER and more when the request comes. */
  readonly blocks: number;
}

/** A kernel whose memory is in use but for single pages, before anything is recorded. */
function fullKernel(more: Partial<SmallKernelOptions>): SmallKernel {
  const kernel = new SmallKernel({
    zones: [{ zone: 'Normal', startPfn: 0, pages: 1024 }],
    pageblockOrder: 5,
    maxOrder: 8,
    high: 512,
    ...more,
  });
  const held: number[] = [];
  for (let pfn = kernel.alloc(0); pfn >= 0; pfn = kernel.alloc(0)) held.push(pfn);
  for (const pfn of held) if (pfn >= 512 && pfn % 2 === 1) kernel.free(pfn, { cpu: 1 });
  kernel.drain(1);
  kernel.log.length = 0;
  return kernel;
}

function takerOf(kernel: SmallKernel, release: string): SnapshotTaker {
  const taker = new SnapshotTaker(kernel);
  taker.zoneinfo();
  taker.version(`Linux version ${release}`);
  taker.buddyinfo();
  return taker;
}

const freeRun = (kernel: SmallKernel, first: number, step: number): void => {
  for (let n = 0; n < BLOCK; n++) kernel.free(first + n * step);
};

/** Lets the time of the request come; what is free then is what it finds. */
function requestBlocks(kernel: SmallKernel): number {
  const blocks = kernel.blocksOf(0).filter(({ order }) => order >= ORDER).length;
  kernel.timeNs = REQUEST_NS + 1000;
  kernel.free(512, { cpu: 1 });
  return blocks;
}

/** Eight pages that make a block are freed; their per-cpu list is drained before the request or after it. */
function drained(when: 'before' | 'after'): History {
  const kernel = fullKernel({});
  const taker = takerOf(kernel, '6.12.48');
  freeRun(kernel, 256, 1);
  if (when === 'before') kernel.drain();
  const blocks = requestBlocks(kernel);
  if (when === 'after') kernel.drain();
  kernel.timeNs = REQUEST_NS + 1e6;
  taker.buddyinfo();
  return { made: recorded(kernel, taker.snapshots, { kinds: PAGE_KINDS }), blocks };
}

/**
 * Eight pages that make a block and eight single ones are freed, then one more: the cpu's lists are full, and the list of
 * that last page is drained. Which eight lie on it depends on the types that two pageblocks have had since before the recording.
 */
function typed(unmovable: number): History {
  const kernel = fullKernel({ highOfCpu: 2 * BLOCK + 1 });
  kernel.pageblockTypes.set(unmovable >> kernel.pageblockOrder, UNMOVABLE);
  const taker = takerOf(kernel, '6.1.140');
  freeRun(kernel, 256, 1);
  freeRun(kernel, 288, 2);
  kernel.free(320);
  const blocks = requestBlocks(kernel);
  kernel.drain();
  kernel.timeNs = REQUEST_NS + 1e6;
  taker.buddyinfo();
  return { made: recorded(kernel, taker.snapshots, { kinds: PAGE_KINDS }), blocks };
}

/** Eight pages are freed and drained while events are lost; nothing is heard of them again. */
function lost(step: number): History {
  const kernel = fullKernel({});
  const taker = SnapshotTaker.complete(kernel, '6.1.140');
  kernel.free(320);
  const from = kernel.now;
  freeRun(kernel, 256, step);
  kernel.drain();
  const to = kernel.now;
  const blocks = requestBlocks(kernel);
  kernel.timeNs = REQUEST_NS + 1e6;
  kernel.free(514, { cpu: 1 });
  return { made: recorded(kernel, taker.snapshots, { lost: [[from, to]] }), blocks };
}

describe.each([
  ['a per-cpu list that is drained a moment earlier or later', drained('before'), drained('after')],
  ['pageblocks of other types', typed(288), typed(256)],
  ['lost events', lost(1), lost(2)],
])('%s', (_, served, refused) => {
  test('the recording is the same, the request is served or refused', () => {
    const told = ({ input }: Recorded): unknown => [
      (input.events as EventList).events,
      // The replay takes no notice of the log's index that the test keeps with each copy.
      input.snapshots,
    ];
    expect(told(served.made)).toEqual(told(refused.made));
    expect([served.blocks, refused.blocks]).toEqual([1, 0]);
  });

  test('the truth is within the bounds either way', () => {
    for (const { made } of [served, refused]) expect(walk(made).uncovered).toEqual([]);
  });

  test('there is one answer, right about one of the two at most', () => {
    const answers = [served, refused].map(({ made }) => {
      const replay = reconstruct(made.input);
      const answers: string[] = [];
      const stops = stopsAt(new InstantFinder(made.input.events), [REQUEST_NS], null, (state) => {
        const { switches } = replay.profile.profile;
        answers.push(new RequestJudge(state, switches, 'GFP_ATOMIC', ORDER, 0).word(state));
      });
      replay.run([], stops);
      return answers[0];
    });
    expect(answers[0]).toBeDefined();
    expect(answers[0]).toBe(answers[1]);
  });
});
