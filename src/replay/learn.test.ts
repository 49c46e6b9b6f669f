/**
 * Which pages a replay without a map takes for free from the start.
 */
import { expect, test } from 'vitest';
import { reconstruct } from './reconstruct.js';
import { SmallKernel } from './testing/small-kernel.js';
import { type Recorded, recorded, SnapshotTaker } from './testing/small-recording.js';
import { churn, fragment } from './testing/workload.js';

const MACHINE = {
  zones: [{ zone: 'Normal', startPfn: 0, pages: 2048 }],
  pageblockOrder: 5,
  maxOrder: 8,
};

/** Copies before tracing began and while it ran, on a machine whose memory is in pieces or in one. */
function traced(share: number): Recorded {
  const kernel = new SmallKernel(MACHINE);
  const taker = new SnapshotTaker(kernel);
  taker.zoneinfo();
  taker.version('Linux version 5.10.223');
  taker.buddyinfo();
  if (share > 0) fragment(kernel, share);
  churn(kernel, 200, 9);
  const from = kernel.now;
  for (let n = 0; n < 12; n++) {
    churn(kernel, 60, n);
    taker.buddyinfo();
  }
  return recorded(kernel, taker.snapshots, { lost: [[0, from]] });
}

test.each([0, 0.3, 0.5, 0.8])(
  'what was free from the start is right, with %d of memory in pieces',
  (share) => {
    const { residuals, seed } = reconstruct(traced(share).input);
    expect(seed).toBe('buddyinfo');
    // The first copy is from before the trace, and the second tells what was not known yet.
    const off = residuals.slice(2).map(({ zones }) => zones[0]!.pages);
    expect(off).toHaveLength(11);
    expect(off.reduce((sum, pages) => sum + pages, 0)).toBeLessThanOrEqual(16);
  },
);
