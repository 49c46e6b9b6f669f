/**
 * Runs of refusals say what the refusals themselves do, and take no more room in a storm.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LinkTrace } from './link-types.js';
import { PrintedRefusals } from './printed-refusals.js';
import { PrintingRuns } from './printing-runs.js';

function printedOf(timesNs: readonly number[]): { runs: PrintingRuns; rule: PrintedRefusals } {
  const runs = new PrintingRuns();
  for (const [i, timeNs] of timesNs.entries()) runs.add(timeNs, i);
  const trace = { refusals: { printing: runs }, firstNs: 0 } as unknown as LinkTrace;
  return { runs, rule: PrintedRefusals.of([], trace)! };
}

/** The rule, one refusal after another. */
function accountedNaively(
  timesNs: readonly number[],
  reportsNs: readonly number[],
  toleranceNs: number,
): boolean {
  return timesNs.every((at) =>
    reportsNs.some((ns) => ns <= at + toleranceNs && ns >= at - 10e9 - toleranceNs),
  );
}

const hundredths = (max: number) =>
  fc
    .array(fc.integer({ min: 0, max }), { maxLength: 40 })
    .map((list) => list.sort((a, b) => a - b).map((value) => value * 1e7));

test('refusals that stand apart are told one by one', () => {
  fc.assert(
    fc.property(hundredths(6000), hundredths(6000), (refused, reports) => {
      const times = [...new Set(refused)];
      const { rule } = printedOf(times);
      expect(rule.accounted(reports, 5e7)).toBe(accountedNaively(times, reports, 5e7));
    }),
  );
});

test('a storm is one run, and a report is missing in it or not', () => {
  const times = Array.from({ length: 300_000 }, (_, i) => i * 1e5);
  const { runs, rule } = printedOf(times);
  expect(runs.count).toBe(1);
  expect(rule.accounted([0, 10.01e9, 20.02e9], 5e7)).toBe(true);
  expect(rule.accounted([0, 10.01e9], 5e7)).toBe(false);
  expect(rule.accounted([10.01e9, 20.02e9], 5e7)).toBe(false);
  expect(rule.first([], 5e7)).toBe(0);
  expect(rule.after(0, 5e7)).toBeNull();
});

test('joining runs keeps their ends, bounds their number and says how much lies inside', () => {
  const times = Array.from({ length: 100_000 }, (_, i) => i * 2.5e6 + (i % 7) * 1e5);
  const { runs } = printedOf(times);
  expect(runs.count).toBeLessThan(1 << 14);
  expect([runs.fromNs(0), runs.toNs(runs.count - 1)]).toEqual([0, times.at(-1)]);
  const spaces = times.slice(1).map((timeNs, i) => timeNs - times[i]!);
  expect(Math.max(...spaces.slice(0, 1000))).toBeLessThanOrEqual(runs.gapNs);
  const apart = printedOf(times.map((_, i) => i * 1e9)).runs;
  expect(apart.count).toBeLessThan(1 << 14);
});
