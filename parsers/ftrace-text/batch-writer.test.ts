import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventKind } from '../../src/records/events.js';
import { BatchWriter } from './batch-writer.js';

const row = fc.record({
  kind: fc.constantFrom(EventKind.alloc, EventKind.free, EventKind.extfrag, EventKind.lost),
  timeNs: fc.nat(20),
});
/** Rows, and what happens between them: counting, a hand-over, the first line of a stack. */
const steps = fc.array(
  fc.oneof({ weight: 8, arbitrary: row }, fc.constantFrom('count', 'hand over', 'stack')),
  { maxLength: 60 },
);

it('tells of each batch what looking through it tells', () => {
  fc.assert(
    fc.property(steps, (list) => {
      let stacked = false;
      const seen = new Float64Array(256);
      const writer = new BatchWriter({
        events: ({ kind, timeNs, length, tally }) => {
          const kinds = new Float64Array(256);
          for (const k of kind.subarray(0, length)) kinds[k]!++;
          for (let k = 0; k < 256; k++) seen[k]! += kinds[k]!;
          expect(tally === null).toBe(stacked);
          if (tally === null) return;
          expect(tally.kinds).toEqual(kinds);
          const times = [...timeNs.subarray(0, length)];
          expect(tally.ascending).toBe(times.every((t, i) => i === 0 || t >= times[i - 1]!));
        },
        snapshot: () => {},
      });
      for (const step of list) {
        if (step === 'count') writer.countRows();
        else if (step === 'hand over') writer.handOver();
        else if (step === 'stack') {
          writer.holdsBack = true;
          stacked = true;
        } else writer.add(step.kind, step.timeNs, 0, 0, 0);
      }
      writer.end();
      expect(writer.batch.tally).toBeNull();
      expect(writer.counts).toEqual(seen);
      expect(writer.flushed).toBe(seen.reduce((sum, n) => sum + n, 0));
    }),
  );
});
