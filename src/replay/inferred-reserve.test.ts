/**
 * A reserve that only refusals tell of: on a small kernel of the 5.10 kind.
 */
import { describe, expect, test } from 'vitest';
import { profileOfText } from '../kernel/profile.js';
import { EventKind } from '../records/events.js';
import { InferredReserve } from './inferred-reserve.js';
import type { LiveState } from './live-state.js';
import { reconstruct } from './reconstruct.js';
import { MOVABLE, SmallKernel } from './testing/small-kernel.js';
import { recorded, SnapshotTaker } from './testing/small-recording.js';

const PAGES = 1024;

/** Memory is handed out but for one pageblock; then a request for one page is refused all the same. */
function machine(gfp: string) {
  const kernel = new SmallKernel({
    zones: [{ zone: 'Normal', startPfn: 0, pages: PAGES }],
    pageblockOrder: 5,
    maxOrder: 8,
  });
  const taker = new SnapshotTaker(kernel);
  taker.zoneinfo();
  taker.version('Linux version 5.10.223');
  taker.kpageflags()();
  taker.buddyinfo();
  for (let n = 0; n < PAGES / 32 - 2; n++) kernel.alloc(5);
  kernel.emit({ kind: EventKind.alloc, pfn: -1, order: 0, cpu: 0, migratetype: MOVABLE, gfp });
  const refused = kernel.now;
  kernel.drain(0);
  kernel.alloc(5);
  return { made: recorded(kernel, taker.snapshots), refused };
}

function reserveAt(gfp: string): { before: number; after: number; free: number } {
  const { made, refused } = machine(gfp);
  const replay = reconstruct(made.input);
  const seen = { before: 0, after: 0, free: 0 };
  const stop = (index: number, look: (state: LiveState) => void) => ({
    index,
    timeNs: Number.POSITIVE_INFINITY,
    run: look,
  });
  replay.run(
    [],
    [
      stop(refused - 2, (state) => {
        seen.before = state.zones[0]!.highatomicPages;
      }),
      stop(refused, (state) => {
        seen.after = state.zones[0]!.highatomicPages;
        seen.free = state.zones[0]!.freePages;
      }),
    ],
  );
  replay.close();
  return seen;
}

describe('the reserve that refusals tell of', () => {
  test('an atomic request for one page is refused: all that is free is reserved', () => {
    const { before, after, free } = reserveAt('GFP_ATOMIC');
    expect(before).toBe(0);
    expect(free).toBeGreaterThan(0);
    expect(after).toBe(free);
  });

  test('a request that keeps more of the mark, or may sleep, proves nothing', () => {
    expect(reserveAt('GFP_ATOMIC|__GFP_NOMEMALLOC').after).toBe(0);
    expect(reserveAt('GFP_KERNEL|__GFP_NORETRY').after).toBe(0);
  });

  test('kernels that give the reserve to single pages, or have none, are left alone', () => {
    const applies = (release: string) => InferredReserve.applies(profileOfText(release)!.switches);
    expect([applies('4.3'), applies('5.10.223'), applies('6.12.107')]).toEqual([
      false,
      true,
      false,
    ]);
  });
});
