import { expect, it } from 'vitest';
import { compareReports } from './compare.js';
import type { ReportData } from './report-data.js';
import { sampleReport } from './testing/sample-report.js';
import { CHECKERBOARD_SPAN } from './testing/synthetic.js';

const a = sampleReport();
const calm = sampleReport({ workload: () => {}, span: CHECKERBOARD_SPAN });

function withPhases(data: ReportData, names: readonly string[], shift: number): ReportData {
  const { fromNs, toNs } = data.span;
  const markers = names.map((name, i) => ({
    timeNs: fromNs + ((toNs - fromNs) * (i + 1 + shift)) / (names.length + 2),
    text: `phase ${name}`,
  }));
  return { ...data, timeline: { ...data.timeline, markers } };
}

it('finds no difference between a recording and itself', () => {
  const same = compareReports(a, a);
  expect(same.tone).toBe('warn');
  expect(same.differences.filter(({ weighs }) => weighs)).toEqual([]);
  for (const { share } of same.orders) expect(share[0]).toBe(share[1]);
  for (const { a: left, b: right } of same.headroom) expect(left).toEqual(right);
});

it('says which side fails less, whichever comes first', () => {
  expect(compareReports(a, calm).verdict).toMatch(/^B fails less: .* 0\s%/);
  expect(compareReports(calm, a).verdict).toMatch(/^B fails more: /);
});

it('does not make a verdict of a hair, and says how much of the failing time is certain', () => {
  const scaled = (by: number, exact: number): ReportData => ({
    ...a,
    totals: a.totals.map((t) => ({ ...t, share: t.share * by, exactNs: t.ns * exact })),
  });
  expect(compareReports(a, scaled(0.97, 1)).verdict).toContain('No order');
  expect(compareReports(a, scaled(0.8, 1)).verdict).toMatch(/^B fails less/);
  expect(compareReports(scaled(1, 1), scaled(1, 0.25)).differences).toContainEqual({
    what: 'failing time that is certain',
    a: '100\u00a0%',
    b: '25\u00a0%',
    weighs: true,
  });
});

it('states differences of kernel and settings that can explain a change', () => {
  const b: ReportData = {
    ...a,
    kernel: { ...a.kernel, release: '6.12.1' },
    settings: { min_free_kbytes: '4096' },
  };
  const found = compareReports({ ...a, settings: { min_free_kbytes: '2048' } }, b);
  expect(found.differences).toContainEqual({
    what: 'kernel release',
    a: '6.1.0-56-amd64',
    b: '6.12.1',
    weighs: true,
  });
  expect(found.differences).toContainEqual({
    what: 'min_free_kbytes',
    a: '2048',
    b: '4096',
    weighs: true,
  });
  expect(found.paragraphs[0]).toContain('kernel release, min_free_kbytes');
});

it('compares the request that was asked for', () => {
  const gfp = 'GFP_ATOMIC|__GFP_NOMEMALLOC';
  const left: ReportData = {
    ...a,
    totals: a.totals.map((total) => ({ ...total, gfp })),
    headroom: { ...a.headroom, others: [{ gfp, min: a.headroom.min, zoneMin: [] }] },
  };
  const found = compareReports(left, { ...left, totals: [] }, gfp);
  expect(found.gfp).toBe(gfp);
  expect(found.verdict).toMatch(
    /^B fails less: allocations with GFP_ATOMIC\|__GFP_NOMEMALLOC of order/,
  );
  const plain = compareReports(a, { ...a, totals: [] }).headroom.find(({ order }) => order === 3)!;
  expect(found.headroom.find(({ order }) => order === 3)!.a).toEqual(plain.a);
  // Neither was judged for the other.
  expect(compareReports(left, left).orders.every(({ share }) => share[0] === 0)).toBe(true);
});

it('aligns by phases that both mark in one order, else by share of the run', () => {
  const names = ['fill', 'release', 'churn'];
  const left = withPhases(a, names, 0);
  const right = withPhases(a, names, 0.8);
  expect(compareReports(left, right).alignment).toEqual({ method: 'phases', phases: names });
  const swapped = withPhases(a, ['release', 'fill', 'churn'], 0);
  expect(compareReports(left, swapped).alignment.method).toBe('share');
  expect(compareReports(withPhases(a, [], 0), a).alignment.method).toBe('share');
});

it('keeps the end of both runs at the end, however phases are stretched', () => {
  const names = ['fill', 'release'];
  const found = compareReports(withPhases(a, names, 0), withPhases(a, names, 0.9));
  for (const { order, a: left, b: right } of found.unusable) {
    expect(left.at(-1)).toBe(right.at(-1));
    expect(order).toBeLessThan(a.orders);
  }
});
