/**
 * Charts of a comparison: whole specs, and what is not certain shows in each of them.
 */
import { expect, it } from 'vitest';
import { compareReports } from '../analysis/compare.js';
import type { ReportData } from '../analysis/report-data.js';
import { sampleReport } from '../analysis/testing/sample-report.js';
import { compareCharts } from './compare.js';
import { drawn, schemaErrors } from './testing/specs.js';

const data = sampleReport();

/** Exact throughout, nothing lost. */
const exact: ReportData = {
  ...data,
  lostEvents: 0,
  totals: data.totals.map((total) => ({ ...total, exactNs: total.ns })),
  headroom: { ...data.headroom, low: null, high: null },
  timeline: {
    ...data.timeline,
    lost: [],
    zones: data.timeline.zones.map((zone) => ({ ...zone, low: null, high: null })),
  },
  holders: {
    ...data.holders!,
    holders: data.holders!.holders.map(({ spread: _spread, ...holder }) => holder),
  },
};

/** The same known within bounds, after events were lost. */
const doubtful: ReportData = {
  ...data,
  totals: data.totals.map((total) => ({ ...total, exactNs: total.ns / 2 })),
  headroom: {
    ...data.headroom,
    low: data.headroom.last.map((row) => row.map((n) => Math.max(0, n - 7))),
    high: data.headroom.last.map((row) => row.map((n) => n + 7)),
  },
  timeline: {
    ...data.timeline,
    zones: data.timeline.zones.map((zone) => ({
      ...zone,
      low: zone.last.map((row) => row.map((n) => Math.floor(n / 2))),
      high: zone.last.map((row) => row.map((n) => n * 2)),
    })),
  },
  holders: {
    ...data.holders!,
    holders: data.holders!.holders.map((holder) => ({
      ...holder,
      spread: (holder.spread ?? []).map((part) => ({ ...part, doubtful: part.pages })),
    })),
  },
};

it('has valid specs that compile without warnings and draw, certain or not', async () => {
  for (const b of [exact, doubtful]) {
    for (const { id, spec } of compareCharts(compareReports(exact, b))) {
      expect([id, schemaErrors(spec)]).toEqual([id, []]);
      const { svg, warnings } = await drawn(spec);
      expect([id, warnings]).toEqual([id, []]);
      expect(svg).toContain('<svg');
      expect(svg).not.toContain('NaN');
    }
  }
});

it('draws what is not certain as such in every chart, and only then', () => {
  const words = /best estimate|bounds, not exact|events were lost/;
  const marked = (b: ReportData): string[] =>
    compareCharts(compareReports(exact, b))
      .filter(({ spec }) => words.test(JSON.stringify(spec)))
      .map(({ id }) => id);
  expect(marked(exact)).toEqual([]);
  const all = compareCharts(compareReports(exact, doubtful));
  expect(marked(doubtful)).toEqual(all.map(({ id }) => id));
});

it('keeps every value within its bounds', () => {
  const { headroom, unusable, orders } = compareReports(exact, doubtful);
  for (const { b, bounds } of [...headroom, ...unusable]) {
    b.forEach((value, i) => {
      expect(Number(bounds[1].low[i])).toBeLessThanOrEqual(Number(value));
      expect(Number(bounds[1].high[i])).toBeGreaterThanOrEqual(Number(value));
    });
    expect(bounds[1].low).not.toEqual(bounds[1].high);
    expect(bounds[0].low).toEqual(bounds[0].high);
  }
  for (const { share, certain } of orders) {
    expect(certain[0]).toBeCloseTo(share[0], 12);
    expect(certain[1]).toBeCloseTo(share[1] / 2, 12);
  }
});
