/**
 * Which refusal a report is: whatever fits whatever, none is that of two reports.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printReport } from '../../../parsers/dmesg/testing/generate.js';
import { readLog } from '../../../parsers/dmesg/testing/read.js';
import { postmortemOf } from '../postmortem.js';
import { normalZone, specOf } from '../testing/spec.js';
import { chooseRefusals } from './choose-refusal.js';
import type { LogCase } from './link-types.js';
import { PrintedRefusals } from './printed-refusals.js';
import { keptOf, type MadeRefusal } from './testing/refusals.js';

const ZONE = normalZone({ min: 400, blocks: [50_000, 900, 0, 0, 0, 0, 0, 0, 0, 0, 0] });
const LINES = printReport(specOf('6.1.40', 'atomic', 4, [ZONE]), '6.1.40');
const REPORT = postmortemOf(readLog(`${LINES.join('\n')}\n`, 4096, 'log').records).reports[0]!;

/** Reports and refusals at these tenths of a second, on one clock. */
function caseOf(stamps: readonly number[], refused: readonly number[], whole: boolean): LogCase {
  const refusals = refused.map(
    (tenths): MadeRefusal => ({
      ...{ timeNs: tenths * 1e8, order: 4, gfp: 'GFP_ATOMIC' },
      ...{ pid: 77, comm: 'worker', cpu: 1 },
    }),
  );
  const trace = {
    refusals: keptOf([REPORT], refusals),
    windows: [],
    ...{ firstNs: 0, lastNs: 1e12, epochS: 0, clock: 'mono', wall: null },
    wholeLogs: new Set<string>(),
  };
  return {
    own: stamps.map(() => REPORT),
    stamps: stamps.map((tenths) => ({ ns: tenths * 1e8, roomNs: 1e9, zoned: true })),
    trace,
    jitterNs: 4e8,
    printed: PrintedRefusals.of([REPORT], trace),
    whole,
  };
}

test('the first of a storm is not chosen again after a report that nothing fits', () => {
  const log = caseOf([50, 52, 54], [51, 53, 55, 57], true);
  const fits = [[0, 1], [], [0, 1, 2]];
  expect(chooseRefusals(log, fits, 0, false)).toEqual([0, null, null]);
});

test('each refusal is chosen once, and only where it fits', () => {
  const tenths = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 12 });
  const made = fc.record({
    stamps: tenths,
    refused: tenths,
    fits: fc.array(fc.array(fc.nat(11), { maxLength: 5 }), { minLength: 12, maxLength: 12 }),
    whole: fc.boolean(),
    byLag: fc.boolean(),
  });
  fc.assert(
    fc.property(made, ({ stamps, refused, fits, whole, byLag }) => {
      const ascending = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b);
      const log = caseOf(ascending(stamps), ascending(refused), whole);
      const candidates = stamps.map((_, i) =>
        ascending([...new Set(fits[i]!.filter((refusal) => refusal < refused.length))]),
      );
      const chosen = chooseRefusals(log, candidates, 0, byLag);
      const taken = chosen.filter((refusal) => refusal !== null);
      expect(new Set(taken).size).toBe(taken.length);
      for (const [i, refusal] of chosen.entries())
        if (refusal !== null) expect(candidates[i]).toContain(refusal);
    }),
    { numRuns: 500 },
  );
});
