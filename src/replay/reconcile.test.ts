/**
 * Which residual holds when: spans of corrections between copies.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventKind } from '../records/events.js';
import type { Loss } from './losses.js';
import { type Anchor, type CorrectionSpan, planCorrections, ResidualProbe } from './reconcile.js';
import { RareLog } from './survey.js';
import { batchOf, plain } from './testing/event-list.js';

const anchor = (beginIndex: number, endIndex: number, value: number): Anchor => ({
  beginIndex,
  endIndex,
  timeNs: beginIndex * 10,
  residual: Int32Array.of(value),
});

function rareAt(kind: EventKind, indices: readonly number[]): RareLog {
  const log = new RareLog();
  for (const index of indices) {
    log.push(batchOf([plain({ kind, timeNs: index * 10, rare: [1, 2, 3, 4] })]), 0, index);
  }
  return log;
}

const contextOf = (rare: RareLog, linear = false, errors: readonly number[] = []) => ({
  rare,
  losses: [] as readonly Loss[],
  mapped: true,
  linear,
  takingsTold: true,
  orders: 1,
  indexAt: (timeNs: number): number => Math.ceil(timeNs / 10),
  errors,
});

const lossAt = (fromIndex: number, endIndex: number): Loss => ({
  fromIndex,
  fromNs: fromIndex * 10,
  endIndex,
  endNs: endIndex * 10,
  events: 5,
});

/** The span that holds before event `index`. */
const spanAt = (spans: readonly CorrectionSpan[], index: number): CorrectionSpan =>
  spans.filter((s) => s.fromIndex <= index).at(-1)!;

const bestAt = (spans: readonly CorrectionSpan[], index: number): number =>
  spanAt(spans, index).best[0]!;

const widthAt = (spans: readonly CorrectionSpan[], index: number): number => {
  const { earlier, later } = spanAt(spans, index);
  return Math.abs(earlier[0]! - later[0]!);
};

describe('corrections between copies', () => {
  const copies = [anchor(100, 102, 5), anchor(200, 202, 9)];

  test('without anything hidden the nearer copy counts, and both bound', () => {
    const spans = planCorrections(copies, contextOf(new RareLog()));
    expect([0, 99, 149, 151, 199, 203, 1000].map((i) => bestAt(spans, i))).toEqual([
      5, 5, 5, 9, 9, 9, 9,
    ]);
    expect([50, 149, 151, 300].map((i) => widthAt(spans, i))).toEqual([0, 4, 4, 0]);
  });

  test.each([
    ['compaction', EventKind.isolateFreepages],
    ['CMA', EventKind.cmaAllocFinish],
  ])('%s: exact before the first and after the last event that may hide a taking', (_, kind) => {
    const spans = planCorrections(copies, contextOf(rareAt(kind, [120, 130])));
    expect([103, 119].map((i) => [bestAt(spans, i), widthAt(spans, i)])).toEqual([
      [5, 0],
      [5, 0],
    ]);
    expect([131, 199].map((i) => [bestAt(spans, i), widthAt(spans, i)])).toEqual([
      [9, 0],
      [9, 0],
    ]);
    expect(widthAt(spans, 125)).toBe(4);
  });

  test('lost events: exact before the loss; open during it; after it as the copies of calm times were', () => {
    const rough = [anchor(0, 2, 0), anchor(50, 52, 8), ...copies, anchor(300, 302, 9)];
    const losses = [lossAt(120, 125), lossAt(128, 131)];
    const spans = planCorrections(rough, { ...contextOf(new RareLog()), losses });
    expect([103, 119, 131, 199].map((i) => widthAt(spans, i))).toEqual([0, 0, 0, 0]);
    expect([120, 127, 130].map((i) => widthAt(spans, i))).toEqual([4, 4, 4]);
    expect([103, 119, 131, 199].map((i) => bestAt(spans, i))).toEqual([5, 5, 9, 9]);
    const doubtAt = (index: number): number => spanAt(spans, index).doubt?.[0] ?? 0;
    expect([60, 119].map(doubtAt)).toEqual([0, 0]);
    expect(doubtAt(131)).toBeGreaterThan(0);
    expect(doubtAt(125)).toBeGreaterThanOrEqual(doubtAt(131));
  });

  test('an error that is gone at the later copy went where events put the replay right', () => {
    const rare = rareAt(EventKind.isolateFreepages, [110, 190]);
    const healed = [anchor(100, 102, 5), anchor(200, 202, 0)];
    const spans = planCorrections(healed, contextOf(rare, false, [50, 150, 151, 152, 250]));
    expect([103, 149, 153, 199].map((i) => bestAt(spans, i))).toEqual([5, 5, 0, 0]);
    expect([149, 153].map((i) => widthAt(spans, i))).toEqual([0, 0]);
  });

  test('an error that is new at the later copy came with the compaction, whatever was put right', () => {
    const rare = rareAt(EventKind.isolateFreepages, [110, 112]);
    const grown = [anchor(100, 102, 0), anchor(200, 202, 5)];
    const spans = planCorrections(grown, contextOf(rare, false, [150]));
    expect([105, 120].map((i) => bestAt(spans, i))).toEqual([0, 5]);
  });

  test('page level: a refusal turns the line, and is as uncertain as the copies around it', () => {
    const refusal = { ...anchor(150, 150, 20), partial: true };
    const between = [anchor(0, 0, 5), copies[0]!, refusal, copies[1]!, anchor(300, 300, 9)];
    const spans = planCorrections(between, contextOf(new RareLog(), true));
    const at = spanAt(spans, 160);
    expect([at.earlier[0], at.later[0]]).toEqual([20, 9]);
    const plainSpans = planCorrections(
      between.filter((a) => !a.partial),
      contextOf(new RareLog(), true),
    );
    expect(at.slack?.[0]).toBe(spanAt(plainSpans, 160).slack?.[0]);
  });

  test('without a map of memory both copies bound all that lies between them', () => {
    const rare = rareAt(EventKind.isolateFreepages, [120, 130]);
    const spans = planCorrections(copies, { ...contextOf(rare), mapped: false });
    expect([103, 119, 125, 131, 199].map((i) => widthAt(spans, i))).toEqual([4, 4, 4, 4, 4]);
    expect([103, 199].map((i) => bestAt(spans, i))).toEqual([5, 9]);
  });

  test('events of other kinds hide nothing', () => {
    const spans = planCorrections(copies, contextOf(rareAt(EventKind.kswapdWake, [120])));
    expect(bestAt(spans, 140)).toBe(5);
  });

  test('page level: a straight line over the whole gap', () => {
    const [, span] = planCorrections(copies, contextOf(new RareLog(), true));
    expect([span!.linear, span!.fromNs, span!.toNs]).toEqual([true, 1000, 2000]);
  });

  test('page level: what the copies on both sides show, of an order or above; a refusal shows nothing', () => {
    const shows = (begin: number, ...counts: number[]): Anchor => ({
      ...anchor(begin, begin, 0),
      residual: new Int32Array(3),
      counts: Int32Array.from(counts),
    });
    const refusal = { ...anchor(150, 150, 0), residual: new Int32Array(3), partial: true };
    const anchors = [shows(100, 5, 0, 1), refusal, shows(200, 0, 2, 0)];
    const context = { ...contextOf(new RareLog(), true), orders: 3 };
    const shown = (index: number, more = {}): unknown =>
      spanAt(planCorrections(anchors, { ...context, ...more }), index).shown;
    expect([shown(120), shown(180)]).toEqual([Int32Array.of(2, 1, 0), Int32Array.of(2, 1, 0)]);
    expect([shown(50), shown(300)]).toEqual([undefined, undefined]);
    expect(shown(120, { takingsTold: false })).toBeNull();
  });

  test('spans begin in ascending order, however long a copy took to read', () => {
    const gaps = fc.array(fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 90 })), { maxLength: 8 });
    const rows = fc.array(fc.nat({ max: 600 }), { maxLength: 6 });
    fc.assert(
      fc.property(gaps, rows, (list, indices) => {
        let at = 0;
        const anchors = list.map(([gap, length], k) => {
          const begin = at + gap;
          at = begin + length;
          return anchor(begin, at, k);
        });
        const rare = rareAt(
          EventKind.isolateFreepages,
          [...indices].sort((a, b) => a - b),
        );
        const losses = indices.length > 2 ? [lossAt(indices[0]!, indices[0]! + indices[1]!)] : [];
        const spans = planCorrections(anchors, { ...contextOf(rare), losses });
        const from = spans.map((s) => s.fromIndex);
        expect(from).toEqual([...from].sort((a, b) => a - b));
        // After its copy and before anything else, a residual holds.
        for (const { endIndex, residual } of anchors.slice(-1)) {
          expect(bestAt(spans, endIndex)).toBe(residual[0]);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('residuals', () => {
  test('the nearest look within the bracket counts, zone by zone', () => {
    const snapshot = { kind: 'buddyinfo' as const, source: '', line: 1, zones: [] };
    const time = { clock: 'none' as const, beginNs: 0, endNs: 0, snap: null, resolutionNs: 1 };
    const copy = { snapshot: { ...snapshot, time }, beginIndex: 0, endIndex: 2, timeNs: 0 };
    const probe = new ResidualProbe({ ...copy, counts: Int32Array.of(3, 1, 4, 0) }, 2, 2);
    probe.look(Int32Array.of(3, 2, 9, 9));
    probe.look(Int32Array.of(4, 1, 4, 0));
    probe.look(Int32Array.of(9, 9, 4, 1));
    expect([...probe.residual]).toEqual([1, 0, 0, 0]);
    expect(probe.pages).toBe(1);
  });

  test('a zone that the copy lacks has no residual', () => {
    const snapshot = { kind: 'buddyinfo' as const, source: '', line: 1, zones: [] };
    const time = { clock: 'none' as const, beginNs: 0, endNs: 0, snap: null, resolutionNs: 1 };
    const copy = { snapshot: { ...snapshot, time }, beginIndex: 0, endIndex: 0, timeNs: 0 };
    const probe = new ResidualProbe({ ...copy, counts: Int32Array.of(-1, -1) }, 1, 2);
    probe.look(Int32Array.of(7, 7));
    expect([...probe.residual]).toEqual([0, 0]);
    expect(probe.pages).toBe(0);
  });
});
