import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { sampleReport } from '../analysis/testing/sample-report.js';
import { fragmentationIndex } from '../kernel/fragmentation-index.js';
import { CHARTS, wholeSpec, wholeView } from './index.js';

const require = createRequire(import.meta.url);
const schemaPath = require.resolve('vega-lite/vega-lite-schema.json');
const ajv = new Ajv({
  strict: false,
  allErrors: false,
  formats: { 'color-hex': true, uri: true, 'uri-reference': true },
});
ajv.addFormat('color-hex', true);
const validate = ajv.compile(JSON.parse(readFileSync(schemaPath, 'utf8')));
const data = sampleReport();

describe.each(CHARTS.map((chart) => [chart.id, chart] as const))('chart %s', (_, chart) => {
  it('is a valid Vega-Lite spec with its data inside', () => {
    const spec = JSON.parse(JSON.stringify(wholeSpec(chart, data)));
    const ok = validate(spec);
    expect(validate.errors?.slice(0, 3) ?? []).toEqual([]);
    expect(ok).toBe(true);
  });

  it('compiles without warnings and draws', async () => {
    const warnings: string[] = [];
    const logger = {
      level: () => logger,
      warn: (...args: unknown[]) => {
        warnings.push(args.join(' '));
        return logger;
      },
      info: () => logger,
      debug: () => logger,
      error: (...args: unknown[]) => {
        warnings.push(args.join(' '));
        return logger;
      },
    };
    const spec = wholeSpec(chart, data) as unknown as TopLevelSpec;
    const { spec: vega } = compile(spec, { logger: logger as never });
    expect(warnings).toEqual([]);
    const svg = await new View(parse(vega), { renderer: 'none' }).toSVG();
    expect(svg).toContain('<svg');
    if (chart.hasData(data)) expect(svg).not.toContain('NaN');
  });

  it('keeps its golden spec', async () => {
    const spec = `${JSON.stringify(chart.spec(data, wholeView(data)), null, 2)}\n`;
    await expect(spec).toMatchFileSnapshot(`./goldens/${chart.id}.vl.json`);
  });

  it('names every dataset its marks use', () => {
    const used = JSON.stringify(chart.spec(data, wholeView(data))).matchAll(
      /"data":\{"name":"([^"]+)"\}/g,
    );
    const given = Object.keys(chart.rows(data, wholeView(data)));
    for (const [, name] of used) expect(given).toContain(name);
    expect(given).toContain(chart.table.dataset);
  });
});

it('has a valid spec for every choice within a chart', () => {
  for (const chart of CHARTS) {
    for (const [value] of chart.choice?.options(data) ?? []) {
      const view = { ...wholeView(data), [chart.choice!.field]: value };
      const spec = JSON.parse(JSON.stringify(wholeSpec(chart, data, view)));
      expect([chart.id, value, validate(spec)]).toEqual([chart.id, value, true]);
    }
  }
});

it('explains in a legend what is not certain, in every chart that shows it, and only then', () => {
  const view = wholeView(data);
  const certain = (letter: string) => ({
    ...data,
    timeline: {
      ...data.timeline,
      lost: [],
      zones: data.timeline.zones.map((zone) => ({
        ...zone,
        certainty: letter.repeat(data.timeline.buckets),
      })),
    },
  });
  const naming = (report: typeof data, words: string) =>
    CHARTS.filter((chart) => JSON.stringify(chart.spec(report, view)).includes(words)).map(
      ({ id }) => id,
    );
  const lists = ['failures', 'free-by-order', 'watermarks', 'unusable-index', 'extfrag-index'];
  expect(naming(data, '"events were lost"')).toEqual(
    CHARTS.filter((chart) => chart.overTime).map(({ id }) => id),
  );
  expect(naming(certain('b'), 'bounds, not exact')).toEqual([
    ...[...lists, 'headroom', 'ring-size', 'residuals'],
  ]);
  expect(naming(certain('u'), 'not known"')).toEqual([...lists, 'headroom', 'residuals']);
  for (const words of ['"events were lost"', 'bounds, not exact']) {
    expect(naming(certain('e'), words)).toEqual([]);
  }
});

it('says of counts of events how many were lost', () => {
  const counts = CHARTS.filter(({ id }) => id === 'holders' || id === 'extfrag');
  for (const chart of counts) {
    expect(JSON.stringify(wholeSpec(chart, data))).toMatch(/1.200 events were lost/);
    const whole = { ...data, lostEvents: 0, timeline: { ...data.timeline, lost: [] } };
    expect(JSON.stringify(wholeSpec(chart, whole))).not.toContain('were lost');
  }
});

it('lays legends out by a width that does not change while it is laid out', () => {
  for (const chart of CHARTS) {
    const spec = JSON.stringify(chart.spec(data, wholeView(data)));
    expect(spec).not.toMatch(/floor\(width/);
    expect(spec).toContain('"name":"room"');
  }
});

it('gives the share of time below a ring size within what the bounds leave open', () => {
  const chart = CHARTS.find(({ id }) => id === 'ring-size')!;
  const { last, min } = data.headroom;
  const headroom = {
    ...data.headroom,
    low: last.map((row) => row.map((n) => Math.max(0, n - 10))),
    high: last.map((row) => row.map((n) => n + 10)),
  };
  const rows = chart.rows({ ...data, headroom }, { ...wholeView(data), order: 3 }).ring!;
  for (const { low, share, high } of rows) {
    expect(low).toBeLessThanOrEqual(Number(share));
    expect(share).toBeLessThanOrEqual(Number(high));
  }
  expect(rows.some(({ low, high }) => Number(low) < Number(high))).toBe(true);
  const least = min[3]!;
  const at = rows.find(({ ring }) => Number(ring) > 20)!;
  const share = least.filter((n) => n < Number(at.ring)).length / least.length;
  expect(at.share).toBeCloseTo(share, 12);
  const exact = chart.rows(
    { ...data, headroom: { ...headroom, low: null, high: null } },
    { ...wholeView(data), order: 3 },
  ).ring!;
  for (const row of exact) expect([row.low, row.high]).toEqual([row.share, row.share]);
});

it('says of an order that was not judged just that', () => {
  const chart = CHARTS.find(({ id }) => id === 'failures')!;
  const windows = data.windows.filter(({ order }) => order === 9);
  const some = { ...data, windows, judged: { orders: [9], gfps: ['GFP_ATOMIC'] } };
  const words = (order: number) =>
    chart.rows(some, { ...wholeView(data), order }).nothing!.map(({ text }) => text);
  expect(words(3)).toEqual(['Order 3 was not judged: the report is of order 9']);
  expect(words(9)).toEqual([]);
});

it('hatches what is unknown and bands what is bounded', () => {
  const zones = data.timeline.zones.map((zone) => ({
    ...zone,
    certainty: `uuuuu${'b'.repeat(data.timeline.buckets - 5)}`,
    low: zone.last.map((row) => row.map((n) => Math.floor(n / 2))),
    high: zone.last.map((row) => row.map((n) => n * 2)),
  }));
  const doubtful = { ...data, timeline: { ...data.timeline, zones } };
  const chart = (id: string) => CHARTS.find((one) => one.id === id)!;
  const view = { ...wholeView(data), order: 3, columns: data.timeline.buckets };
  const hatched = CHARTS.filter((one) => one.rows(doubtful, view).unknown?.length === 1);
  // Not those of events, which do not rest on the free lists.
  expect(hatched.map(({ id }) => id)).toEqual([
    ...['failures', 'free-by-order', 'watermarks', 'unusable-index', 'extfrag-index'],
    ...['headroom', 'physical-map', 'residuals'],
  ]);
  for (const row of chart('unusable-index').rows(doubtful, view).bounds!) {
    expect(row.low).toBeLessThanOrEqual(Number(row.high));
    expect(row.high).toBeLessThanOrEqual(1);
  }
  const pieces = {
    ...zones[0]!,
    last: zones[0]!.last.map((row, q) => row.map((n) => (q < 3 ? n + 5 : 0))),
  };
  const low = pieces.last.map((row) => row.map((n) => Math.floor(n / 2)));
  const high = pieces.last.map((row) => row.map((n) => n * 2));
  const broken = { ...doubtful, timeline: { ...data.timeline, zones: [{ ...pieces, low, high }] } };
  const found = chart('extfrag-index').rows(broken, { ...view, zone: 0 });
  expect(found.bounds!.length).toBeGreaterThan(10);
  const { last } = pieces;
  for (const { t, ...bound } of found.bounds!) {
    const column = found.indices!.findIndex((row) => row.t === t);
    const at = Math.min(column, data.timeline.buckets - 1);
    // Every count at its least, as estimated and at its most.
    for (let mix = 0; mix < 27; mix++) {
      const some = [0, 1, 2].map((q) => {
        const n = last[q]![at]!;
        return [Math.floor(n / 2), n, n * 2][Math.floor(mix / 3 ** q) % 3]!;
      });
      const index = Math.max(0, fragmentationIndex(some, 3) / 1000);
      expect(index).toBeGreaterThanOrEqual(Number(bound.low));
      expect(index).toBeLessThanOrEqual(Number(bound.high));
    }
  }
  const { extremes } = chart('free-by-order').rows(doubtful, { ...view, order: null });
  expect(extremes!.some((row) => Number(row.low) < Number(row.high))).toBe(true);
  expect(chart('unusable-index').rows(doubtful, { ...view, order: null }).bounds).toEqual([]);
});
