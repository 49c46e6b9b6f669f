import { describe, expect, it } from 'vitest';
import type { ReportData } from '../analysis/report-data.js';
import { sampleReport } from '../analysis/testing/sample-report.js';
import { fragmentationIndex } from '../kernel/fragmentation-index.js';
import type { Row } from './chart.js';
import { CHARTS, wholeSpec, wholeView } from './index.js';
import { drawn, schemaErrors } from './testing/specs.js';

const data = sampleReport();

describe.each(CHARTS.map((chart) => [chart.id, chart] as const))('chart %s', (_, chart) => {
  it('is a valid Vega-Lite spec with its data inside', () => {
    expect(schemaErrors(wholeSpec(chart, data))).toEqual([]);
  });

  it('compiles without warnings and draws', async () => {
    const { svg, warnings, plotWidth } = await drawn(wholeSpec(chart, data));
    expect(plotWidth).toBeGreaterThan(400);
    expect(warnings).toEqual([]);
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
      const errors = schemaErrors(wholeSpec(chart, data, view));
      expect([chart.id, value, errors]).toEqual([chart.id, value, []]);
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
  expect(naming(certain('b'), 'places are a best estimate')).toEqual(['physical-map']);
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
  expect(at.share).toBeCloseTo(share, 4);
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

it('is no surer that nothing failed than of the free lists shown', () => {
  const chart = CHARTS.find(({ id }) => id === 'failures')!;
  const words = (letter: string) => {
    const certainty = letter.repeat(data.timeline.buckets);
    const zones = data.timeline.zones.map((zone) => ({ ...zone, certainty }));
    const calm = { ...data, windows: [], timeline: { ...data.timeline, zones } };
    return chart.rows(calm, wholeView(data)).nothing!.map(({ text }) => text);
  };
  expect(words('e')).toEqual(['No order would have failed at any moment shown']);
  expect(words('b')).toEqual([
    'No order would have failed at any moment shown, by the best estimate',
  ]);
  expect(words('u')).toEqual([
    'No order would have failed at any moment shown, as far as is known',
  ]);
});

it('tables the holders of the zone chosen, and all of them without one', () => {
  const chart = CHARTS.find(({ id }) => id === 'holders')!;
  const pages = (zone: number | null) =>
    chart
      .rows(data, { ...wholeView(data), zone })
      .table!.filter(({ type }) => type !== 'Movable')
      .reduce((sum, row) => sum + Number(row.pages), 0);
  const zones = data.zones.map((_, zone) => pages(zone));
  expect(zones.some((n) => n < pages(null))).toBe(true);
  expect(zones.reduce((a, b) => a + b, 0)).toBe(pages(null));
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
  const every = chart('unusable-index').rows(doubtful, { ...view, order: null }).bounds!;
  const orders = new Set(every.filter(({ low, high }) => low !== high).map(({ order }) => order));
  expect(orders.size).toBeGreaterThan(5);
  // Nothing to band where all counts are exact.
  const exact = zones.map((zone) => ({ ...zone, low: null, high: null }));
  const sure = { ...data, timeline: { ...data.timeline, zones: exact } };
  expect(chart('unusable-index').rows(sure, { ...view, order: null }).bounds).toEqual([]);
});

it('draws an index that has a value in one column only, and no band where it has none', () => {
  const chart = CHARTS.find(({ id }) => id === 'extfrag-index')!;
  const [first, ...rest] = data.timeline.zones;
  const none = new Array<number>(data.timeline.buckets).fill(0);
  // Single pages always; a block of order 5 but for one bucket.
  const last = first!.last.map((_, q) =>
    q === 0 ? none.map(() => 7) : q === 5 ? none.map((_n, b) => (b === 40 ? 0 : 1)) : none,
  );
  const zone = { ...first!, last, low: null, high: last.map((row) => row.map((n) => 2 * n)) };
  const once = { ...data, timeline: { ...data.timeline, zones: [zone, ...rest] } };
  const view = { ...wholeView(data), zone: 0, order: 3, columns: data.timeline.buckets };
  const { indices, bounds } = chart.rows(once, view);
  const drawn = indices!.filter(({ index }) => index !== null);
  const startS = (data.timeline.fromNs + 40 * data.timeline.bucketNs) / 1e9;
  expect(drawn.map(({ t }) => t)).toEqual([
    expect.closeTo(startS, 9),
    expect.closeTo(startS + data.timeline.bucketNs / 1e9, 9),
  ]);
  expect(bounds!.filter(({ high }) => high !== null).map(({ t }) => t)).toEqual(
    drawn.map(({ t }) => t),
  );
});

it('labels every power of ten of an axis that has room for them', async () => {
  const chart = CHARTS.find(({ id }) => id === 'headroom')!;
  const more = (rows: readonly (readonly number[])[]) => rows.map((row) => row.map((n) => n * 99));
  const { last, min } = data.headroom;
  const headroom = { ...data.headroom, last: more(last), min: more(min), low: null, high: null };
  const spec = wholeSpec(chart, { ...data, headroom }, { ...wholeView(data), order: 1 });
  const { svg } = await drawn(spec);
  const labels = [...svg.matchAll(/>([\d.]+k?)<\/text>/g)].map(([, text]) => text!);
  expect(Math.max(...headroom.last[1]!)).toBeGreaterThan(10_000);
  for (const n of [10, 100, 1000, 10_000])
    expect(labels).toContain(n >= 1000 ? `${n / 1000}k` : String(n));
});

it('ends each line of an index in its order, no label over another', () => {
  const view = wholeView(data);
  const near = (view.toNs - view.fromNs) / 1e9 / 25;
  for (const id of ['unusable-index', 'extfrag-index']) {
    const { labels } = CHARTS.find((chart) => chart.id === id)!.rows(data, view);
    expect(labels!.length).toBeGreaterThan(2);
    for (const a of labels!) {
      for (const b of labels!) {
        if (a === b || Math.abs(Number(a.t) - Number(b.t)) > near) continue;
        expect(Math.abs(Number(a.at) - Number(b.at))).toBeGreaterThan(0.07);
      }
    }
  }
});

describe('where events were lost', () => {
  const { holders } = data;
  const some = {
    ...data,
    holders: {
      ...holders!,
      holders: holders!.holders.map((holder) => ({
        ...holder,
        spread: (holder.spread ?? []).map((part) => ({ ...part, doubtful: part.pages })),
      })),
      samples: holders!.samples.map((sample) => ({ ...sample, doubtful: sample.total })),
    },
  };
  const view = wholeView(data);
  const rowsOf = (id: string, report: ReportData = some) =>
    CHARTS.find((chart) => chart.id === id)!.rows(report, view);
  const specOf = (id: string, report: ReportData = some) =>
    JSON.stringify(CHARTS.find((chart) => chart.id === id)!.spec(report, view));
  const whole = { ...data, lostEvents: 0, timeline: { ...data.timeline, lost: [] } };

  it('spans on each bar the pages that may have been freed unseen', () => {
    const { holders: bars, doubt } = rowsOf('holders');
    expect(doubt!.length).toBeGreaterThan(0);
    for (const { label, sure, pages } of doubt!) {
      expect(sure).toBe(0);
      const parts = bars!.filter((bar) => bar.label === label);
      expect(parts.reduce((sum, bar) => sum + Number(bar.pages), 0)).toBe(pages);
    }
    expect(specOf('holders')).toContain('held, unless freed while events were lost');
    expect(specOf('holders', whole)).not.toContain('held, unless');
  });

  it('bands them over time, up to the top of the stack', () => {
    const { held, doubt } = rowsOf('holders-over-time');
    for (const { t, sure, total } of doubt!) {
      const stack = held!.filter((row) => row.t === t);
      expect(stack.reduce((sum, row) => sum + Number(row.pages), 0)).toBe(total);
      expect(sure).toBe(0);
    }
    expect(rowsOf('holders-over-time', whole).doubt).toEqual([]);
  });

  it('says of fallbacks how many there were at least, and hatches those not seen', () => {
    for (const { shown, count } of rowsOf('extfrag').cells!) expect(shown).toBe(`≥ ${count}`);
    expect(specOf('extfrag')).toContain('none seen, yet events were lost');
    for (const { shown, count } of rowsOf('extfrag', whole).cells!) expect(shown).toBe(`${count}`);
    expect(specOf('extfrag', whole)).not.toContain('none seen');
  });

  it('marks a loss above the plot, however short, and only within the span shown', () => {
    const [span] = data.timeline.lost;
    const inside = { ...view, fromNs: span!.fromNs + 1, toNs: span!.toNs - 1 };
    for (const chart of CHARTS.filter(({ overTime }) => overTime)) {
      const [row] = chart.rows(data, inside).lost!;
      expect(row).toMatchObject({ from: inside.fromNs / 1e9, to: inside.toNs / 1e9 });
      const past = { ...view, fromNs: span!.toNs + 1, toNs: span!.toNs + 2 };
      expect(chart.rows(data, past).lost).toEqual([]);
    }
  });
});

it('counts fallbacks and ring sizes in the span that is shown', () => {
  const { fromNs, toNs } = data.span;
  const rows = (id: string, from: number, to: number): readonly Row[] => {
    const view = { ...wholeView(data), fromNs: from, toNs: to, order: 3 };
    return Object.values(CHARTS.find((chart) => chart.id === id)!.rows(data, view))[0]!;
  };
  const middle = fromNs + Math.round((toNs - fromNs) / 2);
  const times = (cells: readonly Row[]) => cells.reduce((sum, { count }) => sum + Number(count), 0);
  const [before, after] = [rows('extfrag', fromNs, middle), rows('extfrag', middle, toNs)];
  expect(times(before) + times(after)).toBe(times(rows('extfrag', fromNs, toNs)));
  const shares = (from: number, to: number) => rows('ring-size', from, to).map((r) => r.share);
  const all = shares(fromNs, toNs);
  const halves = [shares(fromNs, middle), shares(middle, toNs)];
  expect(halves).not.toContainEqual(all);
  all.forEach((share, i) => {
    const mean = (Number(halves[0]![i]) + Number(halves[1]![i])) / 2;
    expect(share).toBeCloseTo(mean, 2);
  });
});

it('leaves no pair of kinds out of mixing over time', () => {
  const kinds = ['Unmovable', 'Movable', 'Reclaimable', 'CMA', 'HighAtomic'];
  const pairs = kinds.flatMap((from) => kinds.map((to) => ({ from, to }))).slice(1, 14);
  const series = new Array<number>(data.extfrag.buckets).fill(2);
  const count = 2 * series.length;
  const cells = pairs.map((pair) => ({ ...pair, count, claimed: 0, series }));
  const many = { ...data, extfrag: { ...data.extfrag, cells } };
  const chart = CHARTS.find(({ id }) => id === 'extfrag-over-time')!;
  const { mixing } = chart.rows(many, wholeView(data));
  expect(mixing!.reduce((sum, row) => sum + Number(row.count), 0)).toBe(count * pairs.length);
  expect(JSON.stringify(chart.spec(many, wholeView(data)))).toContain('"other pairs"');
});

it('says in a picture which order and zone it is of, as the page does beside its title', () => {
  const title = (id: string, change: object) => {
    const chart = CHARTS.find((one) => one.id === id)!;
    return JSON.stringify(wholeSpec(chart, data, { ...wholeView(data), ...change }).title);
  };
  expect(title('headroom', { order: 4 })).toContain('· order 4');
  expect(title('watermarks', {})).toContain('zone DMA32');
  expect(title('free-by-order', { zone: 0 })).toContain('· zone DMA"');
  expect(title('free-by-order', {})).not.toContain('·');
});

it('leaves the plot its room under a long subtitle', async () => {
  const chart = CHARTS.find(({ id }) => id === 'holders')!;
  const holders = { ...data.holders!, unattributedPages: 9252 };
  const spec = wholeSpec(chart, { ...data, holders });
  expect(JSON.stringify(spec.title)).toContain('9\u202f252 pages');
  expect((await drawn(spec)).plotWidth).toBeGreaterThan(400);
});

it('says which kinds of activity are not in the recording', () => {
  const chart = CHARTS.find(({ id }) => id === 'activity')!;
  const activity = [{ activity: 'kswapd' as const, fromNs: 1, toNs: 2, count: 1 }];
  expect(chart.caveat!({ ...data, activity })).toBe(
    'Not in the recording: compaction, direct reclaim, CMA allocation, OOM kill. Either it did not happen or its events were not recorded.',
  );
});
