/**
 * What page events and copies of buddyinfo cannot tell: two kernels whose recordings are the same, byte for byte, and whose free lists
 * and answers differ. Nothing that reads such a recording can be right about both (docs/accuracy.md).
 */
import { describe, expect, test } from 'vitest';
import { EventKind } from '../records/events.js';
import { reconstruct } from '../replay/reconstruct.js';
import type { EventList } from '../replay/testing/event-list.js';
import { SmallKernel } from '../replay/testing/small-kernel.js';
import { type Recorded, recorded, SnapshotTaker } from '../replay/testing/small-recording.js';
import { walk } from '../replay/testing/walk.js';
import { InstantFinder, stopsAt } from './predict.js';
import { RequestJudge } from './verdict.js';

/** What level page+ records: all but what tells per-cpu lists from free lists. */
const PAGE_KINDS = Object.values(EventKind).filter(
  (kind) => kind !== EventKind.zoneLocked && kind !== EventKind.pcpuDrain,
);
const ORDER = 3;

interface History {
  readonly made: Recorded;
  /** Index of the first event after the first copy. */
  readonly from: number;
  /** Free blocks of ORDER and more when the request comes, and when that is. */
  readonly blocks: number;
  readonly timeNs: number;
}

/** Eight pages that make a block are freed; their per-cpu list is drained before the request or after it. */
function history(drained: 'before' | 'after'): History {
  const kernel = new SmallKernel({
    zones: [{ zone: 'Normal', startPfn: 0, pages: 1024 }],
    pageblockOrder: 5,
    maxOrder: 8,
    high: 512,
  });
  const taker = new SnapshotTaker(kernel);
  taker.zoneinfo();
  taker.version('Linux version 6.12.48');
  const held: number[] = [];
  for (let pfn = kernel.alloc(0); pfn >= 0; pfn = kernel.alloc(0)) held.push(pfn);
  for (const pfn of held) if (pfn >= 512 && pfn % 2 === 1) kernel.free(pfn, { cpu: 1 });
  kernel.drain(1);
  taker.buddyinfo();
  const from = kernel.now;
  for (let pfn = 256; pfn < 256 + 2 ** ORDER; pfn++) kernel.free(pfn);
  if (drained === 'before') kernel.drain();
  const timeNs = 10e6;
  const blocks = kernel.blocksOf(0).filter(({ order }) => order >= ORDER).length;
  kernel.timeNs = timeNs + 1000;
  kernel.free(512, { cpu: 1 });
  if (drained === 'after') kernel.drain();
  kernel.timeNs = timeNs + 1e6;
  taker.buddyinfo();
  const made = recorded(kernel, taker.snapshots, { kinds: PAGE_KINDS });
  return { made, from: made.indexOf(from), blocks, timeNs };
}

describe('a per-cpu list that is drained a moment earlier or later', () => {
  const early = history('before');
  const late = history('after');

  test('is not in the recording, but decides whether a request is served', () => {
    const told = ({ input }: Recorded): unknown => [
      (input.events as EventList).events,
      // The replay takes no notice of the log's index that the test keeps with each copy.
      input.snapshots,
    ];
    expect(told(early.made)).toEqual(told(late.made));
    expect([early.blocks, late.blocks]).toEqual([1, 0]);
  });

  test('is within the bounds either way', () => {
    for (const { made, from } of [early, late]) {
      expect(walk(made).uncovered.filter((i) => i >= from)).toEqual([]);
    }
  });

  test('gets one answer, right about one of the two at most', () => {
    const answers = [early, late].map(({ made, timeNs }) => {
      const replay = reconstruct(made.input);
      const answers: string[] = [];
      const stops = stopsAt(new InstantFinder(made.input.events), [timeNs], null, (state) => {
        const { switches } = replay.profile.profile;
        const judge = new RequestJudge(state, switches, 'GFP_ATOMIC', ORDER, 0);
        answers.push(judge.word(state));
      });
      replay.run([], stops);
      return answers[0];
    });
    expect(answers[0]).toBeDefined();
    expect(answers[0]).toBe(answers[1]);
  });
});
