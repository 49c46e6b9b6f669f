/**
 * Runs of frees with a locked per-cpu list: what the decided ones say of the others, and a replay of a softirq that
 * interrupted a drain.
 */
import { describe, expect, test } from 'vitest';
import { Action } from './actions.js';
import { LockedRuns } from './locked-runs.js';
import { SmallKernel, smallMachine, UNMOVABLE } from './testing/small-kernel.js';
import { recorded, SnapshotTaker } from './testing/small-recording.js';
import { walk } from './testing/walk.js';

/** Frees of one cpu and zone, last first: `+` went to the list, `-` skipped it, `.` not told, a digit: not told, at that depth. */
function decided(frees: string, locked: boolean): string {
  const runs = new LockedRuns(1);
  const action = new Uint8Array(frees.length).fill(Action.freeToPcp);
  for (let i = frees.length - 1; i >= 0; i--) {
    const free = frees[i]!;
    if (free === '+') runs.queued(0, 0);
    else if (free === '-') runs.skipped(0, 0, action);
    else runs.undecided(0, 0, i, free === '.' ? 0 : Number(free));
  }
  runs.interrupt(0, locked, action);
  return Array.from(frees, (free, i) =>
    free === '+' || free === '-' ? free : action[i] === Action.giveBypassing ? '-' : '+',
  ).join('');
}

describe('what frees of one run tell of each other', () => {
  test.each([
    ['..-..', '-----', 'one skipped, nothing says another did not'],
    ['-...-', '-----', 'between two that skipped'],
    ['+.-.-.', '++----', 'from the first that skipped on'],
    ['-.-.+.', '---+++', 'between those alone, once one went to the list'],
    ['.+...', '+++++', 'none skipped'],
    ['.....', '+++++', 'nothing told'],
  ])('%s is %s: %s', (frees, expected) => {
    expect(decided(frees, false)).toBe(expected);
  });

  test.each([
    ['333', true, '---', 'as deep as in a softirq that interrupted the holder, after its drain'],
    ['343', true, '---', 'deeper'],
    ['333', false, '+++', 'not after anything that needs the lock'],
    ['232', true, '+++', 'not deep enough'],
    ['.33', true, '+++', 'the task itself freed in between'],
    ['3+3', true, '+++', 'one went to the list'],
  ])('%s, lock needed just before: %s, is %s: %s', (frees, locked, expected) => {
    expect(decided(frees, locked)).toBe(expected);
  });

  test('other zones have runs of their own, other cpus too', () => {
    const runs = new LockedRuns(2);
    const action = new Uint8Array(4).fill(Action.freeToPcp);
    runs.undecided(0, 0, 3, 0);
    runs.undecided(0, 1, 2, 0);
    runs.undecided(1, 2, 1, 0);
    runs.skipped(0, 0, action);
    runs.endBatch(action);
    expect(Array.from(action)).toEqual([
      Action.freeToPcp,
      Action.freeToPcp,
      Action.freeToPcp,
      Action.giveBypassing,
    ]);
  });
});

describe('in a replay', () => {
  /** The kernel, and what it holds of unmovable pages. */
  function machine(): { kernel: SmallKernel; taker: SnapshotTaker; held: number[] } {
    const kernel = new SmallKernel(smallMachine());
    const taker = SnapshotTaker.complete(kernel, '6.1.90');
    const held = Array.from({ length: 64 }, () => kernel.alloc(0, { zone: 1, type: UNMOVABLE }));
    return { kernel, taker, held };
  }

  test('frees that skipped the list and are never heard of again are with those that are', () => {
    const { kernel, taker, held } = machine();
    const freed = held.slice(0, 21);
    for (const pfn of freed) kernel.free(pfn, { bypass: true });
    expect(freed).toContain(kernel.alloc(0, { zone: 1, type: UNMOVABLE, cpu: 1 }));
    const made = recorded(kernel, taker.snapshots);
    const walked = walk(made, made.truth);
    expect(walked.wrong).toEqual([]);
    expect(walked.replay.anomalies?.bypassed).toBe(21);
  });

  test.each([3, 0])('frees within a drain, in a softirq of depth %i', (softirqDepth) => {
    const { kernel, taker, held } = machine();
    for (const pfn of held.slice(0, 8)) kernel.free(pfn);
    kernel.drain();
    const bypass = softirqDepth > 0;
    for (const pfn of held.slice(20, 30)) kernel.free(pfn, { bypass, softirqDepth });
    const made = recorded(kernel, taker.snapshots);
    const walked = walk(made, made.truth);
    expect(walked.wrong).toEqual([]);
    expect(walked.replay.anomalies?.bypassed).toBe(bypass ? 10 : 0);
  });
});
