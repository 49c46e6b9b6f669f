/**
 * How well the replay agrees with the kernels that wrote the bundled samples, and how verify measures.
 *
 * The samples hold the kernel's own free lists several times a second and its own answers to atomic
 * requests. Limits are a little below what was reached when they were set; they must not fall.
 */
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openRecording } from '../recording/open.js';
import { SmallKernel } from '../replay/testing/small-kernel.js';
import { recorded, SnapshotTaker } from '../replay/testing/small-recording.js';
import { churn } from '../replay/testing/workload.js';
import { type HideRule, parseHideRule, type VerifyResult, verify } from './verify.js';

async function verifySample(name: string, hide: HideRule): Promise<VerifyResult> {
  const path = fileURLToPath(new URL(`../../samples/${name}`, import.meta.url));
  const recording = await openRecording([path], { readerThread: null });
  try {
    return verify(
      {
        events: recording.events,
        snapshots: recording.snapshots,
        strings: recording.strings,
        diagnostics: recording.diagnostics,
      },
      { hide },
    );
  } finally {
    recording.close();
  }
}

/** Attempts of plain GFP_ATOMIC at the orders where one request class was tried. */
const foundAt = (result: VerifyResult, orders: readonly number[]): [number, number] => {
  const rows = result.matrix.filter((row) => orders.includes(row.order));
  const sum = (of: (row: (typeof rows)[number]) => number): number =>
    rows.reduce((n, row) => n + of(row), 0);
  const refused = sum((row) => row.failedFound + row.failedMissed + row.failedUndetermined);
  return [sum((row) => row.failedFound), refused];
};

describe('samples/k61-tiny: light work on 6.1', () => {
  test('every hidden copy is exact and nothing is called a failure', async () => {
    const result = await verifySample('k61-tiny', { keep: 'first' });
    const { copies, exact, falseAlarms, attempts, coveredShare, width } = result.summary;
    expect([result.level, result.seed]).toEqual(['buddy', 'kpageflags']);
    expect(copies).toBe(17);
    expect(exact).toBe(17);
    expect([falseAlarms, coveredShare, width]).toEqual([0, 1, 0]);
    expect(attempts).toBe(165);
  });

  test('copies that may be seen are met exactly', async () => {
    const seen = await verifySample('k61-tiny', { keep: 'all' });
    expect(seen.summary.exact).toBe(seen.summary.copies);
    expect(seen.summary.coveredShare).toBe(1);
  });
});

describe('samples/k61-checker: 70 MB free, order 2 refused, on 6.1', () => {
  let result: VerifyResult;
  beforeAll(async () => {
    result = await verifySample('k61-checker', { keep: 'first' });
  });

  test('nearly all refusals are found, and no false alarm is raised', () => {
    expect(result.summary.failed).toBe(628);
    expect(result.summary.found).toBeGreaterThanOrEqual(600);
    expect(result.summary.falseAlarms).toBe(0);
  });

  test('refusals are found at the low orders too, not only where they are common', () => {
    for (const order of [2, 3, 4]) {
      const [found, refused] = foundAt(result, [order]);
      expect(refused).toBeGreaterThan(20);
      expect(found / refused).toBeGreaterThan(0.85);
    }
  });

  test('most hidden copies are exact although compaction took pages in secret', () => {
    const { copies, exact, l1Median, l1P90 } = result.summary;
    expect(copies).toBe(73);
    expect(exact).toBeGreaterThanOrEqual(50);
    expect(l1Median).toBe(0);
    expect(l1P90).toBeLessThan(1.5);
  });
});

describe('samples/k510-net: a network driver under pressure on 5.10', () => {
  test('copies are exact and refusals of the probes found, with one kpageflags copy', async () => {
    const result = await verifySample('k510-net', { keep: 'first' });
    expect(result.summary.copies).toBe(82);
    expect(result.summary.exact).toBeGreaterThanOrEqual(75);
    expect(result.summary.l1P90).toBeLessThan(0.5);
    expect(result.summary.falseAlarms).toBe(0);
    expect(foundAt(result, [9, 10])).toEqual([100, 100]);
  });
});

describe('how verify measures', () => {
  function small() {
    const kernel = new SmallKernel({
      zones: [{ zone: 'Normal', startPfn: 0, pages: 512 }],
      maxOrder: 8,
    });
    const taker = new SnapshotTaker(kernel);
    taker.zoneinfo({ min: 4, low: 6, high: 8 });
    taker.version('Linux version 5.10.223');
    taker.buddyinfo();
    taker.kpageflags()();
    for (let n = 0; n < 6; n++) {
      churn(kernel, 40, n);
      const pfn = kernel.alloc(8, { gfp: 'GFP_ATOMIC' });
      if (pfn >= 0) kernel.free(pfn);
      taker.buddyinfo();
    }
    return { kernel, taker };
  }

  test('hidden copies and attempts are predicted from the rest', () => {
    const { kernel, taker } = small();
    const { input } = recorded(kernel, taker.snapshots);
    const result = verify(input, { hide: { keep: 'first' } });
    expect(result.summary.copies).toBe(6);
    expect(result.summary.exact).toBe(6);
    expect(result.visibleCopies).toBe(1);
    expect(result.summary.attempts).toBe(6);
    expect(result.summary.found).toBe(result.summary.failed);
    expect(result.summary.falseAlarms).toBe(0);
  });

  test('a wrong copy is reported with its distance, weighted by size', () => {
    const { kernel, taker } = small();
    const last = taker.snapshots.findLast((s) => s.kind === 'buddyinfo')!;
    if (last.kind !== 'buddyinfo') return;
    const [zone] = last.zones;
    const free = zone!.free.map((n, q) => (q === 3 ? n + 2 : n));
    const wrong = { ...last, zones: [{ ...zone!, free }] };
    const snapshots = taker.snapshots.map((s) => (s === last ? wrong : s));
    const { input } = recorded(kernel, snapshots);
    const result = verify(input, { hide: { keep: 'first' } });
    expect(result.summary.exact).toBe(5);
    expect(result.copies.map((c) => c.l1Pages)).toEqual([0, 0, 0, 0, 0, 16]);
    const cells = result.copies.reduce((n, c) => n + c.cells, 0);
    expect(result.summary.coveredShare).toBeCloseTo((cells - 1) / cells, 10);
  });

  test('which copies may be seen: one in each span of seconds, all, or the first', () => {
    const { kernel, taker } = small();
    const { input } = recorded(kernel, taker.snapshots);
    const seen = (hide: HideRule): [number, number] => {
      const { visibleCopies, summary } = verify(input, { hide });
      return [visibleCopies, summary.copies];
    };
    expect(seen({ keep: 'first' })).toEqual([1, 6]);
    expect(seen({ keep: 'all' })).toEqual([7, 7]);
    const [visible, held] = seen({ everyNs: 60_000 });
    expect(visible).toBeGreaterThan(1);
    expect(visible + held).toBe(7);
  });

  test('--hide', () => {
    expect(parseHideRule('all-but-first')).toEqual({ keep: 'first' });
    expect(parseHideRule('none')).toEqual({ keep: 'all' });
    expect(parseHideRule('every=1')).toEqual({ everyNs: 1e9 });
    expect(parseHideRule('every=0.25')).toEqual({ everyNs: 0.25e9 });
    for (const bad of ['', 'every=', 'every=0', 'every=-1', 'every=1s', 'all', 'every=1e9']) {
      expect(parseHideRule(bad)).toBeNull();
    }
  });
});
