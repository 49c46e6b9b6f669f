/**
 * What a refusal takes off the estimate, and when it says nothing.
 */
import { describe, expect, test } from 'vitest';
import { profileOfText } from '../kernel/profile.js';
import { RecordingStrings } from '../records/strings.js';
import type { LiveState } from './live-state.js';
import { RefusalEvidence } from './refusal-evidence.js';

const strings = new RecordingStrings();
const ATOMIC = strings.gfps.internText('GFP_ATOMIC');
const BLOCKING = strings.gfps.internText('GFP_KERNEL|__GFP_NORETRY');

/** One zone with a min mark of 1000 pages: an atomic request must leave 375. */
function stateOf(free: readonly number[], correction = 0): LiveState {
  const zone = {
    index: 0,
    node: 0,
    zone: 'DMA32',
    startPfn: 0,
    spanned: 100_000,
    managed: 100_000,
    free: Int32Array.from(free),
    freePages: free.reduce((sum, n, q) => sum + n * 2 ** q, 0),
    marks: { min: 1000, low: 1250, high: 1500, boost: 0, protection: [0, 0, 0, 0] },
  };
  const raw = Int32Array.from(free, (n) => n + correction);
  return { raw, zones: [zone], orders: free.length, pageblockOrder: 9 } as unknown as LiveState;
}

function heard(state: LiveState, order: number, gfp = ATOMIC): number[] | null {
  const evidence = new RefusalEvidence(profileOfText('6.12.107')!.switches, strings, 2);
  evidence.hear({ index: 7, timeNs: 70, order, gfp }, state);
  const [anchor] = evidence.anchors;
  if (!anchor) return null;
  expect([anchor.beginIndex, anchor.timeNs, anchor.partial]).toEqual([7, 70, true]);
  return [...anchor.residual];
}

const pagesOf = (blocks: readonly number[]): number =>
  blocks.reduce((sum, n, q) => sum + n * 2 ** q, 0);

describe('a refusal', () => {
  test('of one page: no more are free than may not be touched', () => {
    const free = [100, 50, 0, 0, 0, 0, 0, 0, 0, 2, 0];
    const residual = heard(stateOf(free), 0)!;
    expect(pagesOf(free) - pagesOf(residual)).toBe(375);
    const left = free.map((n, q) => n - residual[q]!);
    expect(Math.min(...left)).toBe(0);
  });

  test('with pages in plenty: no block of the order and above', () => {
    const free = [9000, 50, 20, 0, 1, 0, 0, 1, 0, 0, 0];
    expect(heard(stateOf(free), 3)).toEqual([0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0]);
  });

  test('comes on top of what the copies correct already', () => {
    const free = [9000, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    expect(heard(stateOf(free, 2), 3)).toEqual([2, 2, 2, 3, 2, 2, 2, 2, 2, 2, 2]);
  });

  test('that the estimate has too says nothing new', () => {
    expect(heard(stateOf([9000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 3)).toBeNull();
  });

  test('within what the counter of free pages may be off says nothing', () => {
    expect(heard(stateOf([380, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 0)).toBeNull();
  });

  test('of a request that cannot use the reserve may be due to that reserve', () => {
    const free = [9000, 50, 20, 0, 1, 0, 0, 1, 0, 0, 0];
    expect(heard(stateOf(free), 3, BLOCKING)).toBeNull();
  });
});
