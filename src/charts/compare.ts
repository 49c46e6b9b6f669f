/**
 * Charts of two recordings side by side. A is drawn pale and dashed, B strong; colours from the theme.
 */
import type { ComparedSeries, Comparison } from '../analysis/compare.js';
import { bytesText } from '../analysis/words.js';
import { COMPARE_SIGNS, LOSS_SIGNS, legendLayer } from './certainty-legend.js';
import { pagesTitle, type Row, type Spec } from './chart.js';
import { AXIS_WIDTH, HATCH_INK, LOST_INK, SIDE_COLORS } from './theme.js';
import { OWN_SCALES, SCHEMA_URL, SHORT_NUMBER } from './time-chart.js';

export interface CompareChart {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly spec: Spec;
  /** What it draws, for a table. */
  readonly rows: readonly Row[];
}

/** Pages are made without a script, so charts cannot follow the width of the window. */
const WIDTH = 960;
const COLORS = { domain: ['A', 'B'], range: SIDE_COLORS };
const SIDE = { field: 'side', type: 'nominal', scale: COLORS };
const LEGEND = { title: null, orient: 'top' };
const LINE_LEGEND = {
  ...LEGEND,
  symbolType: 'stroke',
  symbolSize: 400,
  symbolStrokeWidth: 2.5,
  symbolOpacity: 1,
};
const { PALER, BAND, GAP, LOST_STEPS } = COMPARE_SIGNS;

export function compareCharts(comparison: Comparison): CompareChart[] {
  return [
    orderChart(comparison),
    ...comparison.headroom.map((one) =>
      seriesChart(comparison, one, {
        id: `headroom-${one.order}`,
        title: `Headroom: requests of order ${one.order} (${size(comparison, one.order)}) in a row`,
        description: `How many requests of order ${one.order} in a row would have succeeded at the worst moment of each step`,
        axis: 'requests in a row',
        scale: { type: 'symlog', constant: 1, domainMin: 0 },
        values: [0, 1, 10, 100, 1000, 10000, 100000],
      }),
    ),
    ...comparison.unusable.map((one) =>
      seriesChart(comparison, one, {
        id: `unusable-${one.order}`,
        title: `Share of free memory too fragmented for order ${one.order} (${size(comparison, one.order)})`,
        description: `The unusable free space index of order ${one.order}, all zones together`,
        axis: 'unusable share',
        scale: { domain: [0, 1] },
        values: [0, 0.2, 0.4, 0.6, 0.8, 1],
      }),
    ),
    ...(comparison.holders.length > 0 ? [holderChart(comparison)] : []),
  ];
}

function base(title: string, description: string, height: number): Spec {
  return {
    $schema: SCHEMA_URL,
    title,
    description,
    width: WIDTH,
    height,
    params: [{ name: 'room', value: WIDTH }],
    autosize: { type: 'fit-x', contains: 'padding' },
  };
}

function orderChart(comparison: Comparison): CompareChart {
  const { orders } = comparison;
  const title = 'Share of the run in which each order fails';
  const description =
    'For each order, the share of recording A and of recording B in which it fails';
  const rows: Row[] = orders.flatMap(({ order, share, certain, ns, refused }) =>
    (['A', 'B'] as const).map((side, i) => ({
      order,
      size: `${size(comparison, order)} · ${order}`,
      side,
      percent: share[i]! * 100,
      certain: certain[i]! * 100,
      seconds: ns[i]! / 1e9,
      refused: refused[i]!,
    })),
  );
  const estimated = rows.some(({ percent, certain }) => Number(certain) < Number(percent) - 0.05);
  const bar = (field: 'percent' | 'certain', opacity: number): Spec => ({
    mark: { type: 'bar', cornerRadiusEnd: 2, opacity },
    encoding: {
      x: {
        field: 'size',
        type: 'ordinal',
        sort: null,
        axis: { title: 'size asked for · order n (2ⁿ pages)', labelAngle: 0 },
      },
      xOffset: { field: 'side', type: 'nominal' },
      y: { field, type: 'quantitative', axis: { title: 'of the run, %', tickCount: 5 } },
      color: { ...SIDE, legend: LEGEND },
    },
  });
  const spec = {
    ...base(title, description, 200),
    data: { values: rows },
    layer: [
      ...(estimated ? [bar('percent', 0.4), ...legendLayer([PALER])] : []),
      bar('certain', 1),
    ],
    resolve: OWN_SCALES,
  };
  return { id: 'orders', title, description, spec, rows };
}

interface SeriesWords {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly axis: string;
  readonly scale: Spec;
  /** Where the axis has its ticks. */
  readonly values: readonly number[];
}

/** `16 KiB` */
function size({ pageSize }: Comparison, order: number): string {
  return bytesText(2 ** order * pageSize).replaceAll('\u00a0', ' ');
}

/** Values by step, each with what the bounds leave open. */
function seriesRows({ a, b, bounds }: ComparedSeries): Row[] {
  return [a, b].flatMap((values, i) =>
    values.map((value, step) => ({
      at: ((step + 1) / values.length) * 100,
      side: i === 0 ? 'A' : 'B',
      value,
      low: bounds[i]!.low[step] ?? null,
      high: bounds[i]!.high[step] ?? null,
    })),
  );
}

/** Above the plot, A over B: steps in which events were lost. */
function lostLayers({ lost }: Comparison, steps: number): Spec[] {
  const values = lost.flatMap((found, i) =>
    found.map((step) => ({
      at: (step / steps) * 100,
      end: ((step + 1) / steps) * 100,
      side: i === 0 ? 'A' : 'B',
    })),
  );
  return values.length === 0
    ? []
    : (['A', 'B'] as const).map((side, i) => ({
        data: { values: values.filter((row) => row.side === side) },
        mark: { type: 'rect', fill: LOST_INK },
        encoding: {
          x: { field: 'at', type: 'quantitative' },
          x2: { field: 'end' },
          y: { value: i === 0 ? -9 : -4 },
          y2: { value: i === 0 ? -6 : -1 },
        },
      }));
}

function seriesChart(
  comparison: Comparison,
  series: ComparedSeries,
  words: SeriesWords,
): CompareChart {
  const { alignment } = comparison;
  const rows = seriesRows(series);
  const open = rows.some(({ low, high }) => low !== high);
  const unknown = rows.some(({ value }) => value === null);
  const signs = [
    ...(open ? [BAND] : []),
    ...(unknown ? [GAP] : []),
    ...(comparison.lost.flat().length > 0 ? [LOST_STEPS] : []),
  ];
  const by = alignment.method === 'phases' ? 'progress through the phases, %' : 'of the run, %';
  const spec = {
    ...base(words.title, words.description, 160),
    data: { values: rows },
    layer: [
      ...(open ? [bandLayer(words, by)] : []),
      lineLayer(words, by),
      ...lostLayers(comparison, series.a.length),
      ...legendLayer(signs),
    ],
    resolve: OWN_SCALES,
  };
  return { id: words.id, title: words.title, description: words.description, spec, rows };
}

function stepX(title: string): Spec {
  return { field: 'at', type: 'quantitative', axis: { title, grid: false } };
}

function seriesY({ scale, axis, values }: SeriesWords, field: string): Spec {
  return {
    field,
    type: 'quantitative',
    scale,
    axis: { title: axis, values, minExtent: AXIS_WIDTH, labelExpr: SHORT_NUMBER },
  };
}

function bandLayer(words: SeriesWords, by: string): Spec {
  return {
    mark: {
      type: 'area',
      interpolate: 'step-before',
      opacity: 0.25,
      invalid: 'break-paths-show-path-domains',
    },
    encoding: {
      x: stepX(by),
      y: seriesY(words, 'low'),
      y2: { field: 'high' },
      color: { ...SIDE, legend: LINE_LEGEND },
    },
  };
}

function lineLayer(words: SeriesWords, by: string): Spec {
  const dashes = [
    [5, 3],
    [1, 0],
  ];
  return {
    mark: {
      type: 'line',
      interpolate: 'step-before',
      strokeWidth: 1.8,
      invalid: 'break-paths-show-path-domains',
    },
    encoding: {
      x: stepX(by),
      y: seriesY(words, 'value'),
      color: { ...SIDE, legend: LINE_LEGEND },
      strokeDash: {
        field: 'side',
        type: 'nominal',
        scale: { domain: ['A', 'B'], range: dashes },
        legend: LINE_LEGEND,
      },
    },
  };
}

/** What of a bar may have been freed while events were lost. */
function doubtLayers(rows: readonly Row[], place: Spec): Spec[] {
  const values = rows.filter(({ sure, pages }) => Number(sure) < Number(pages));
  if (values.length === 0) return [];
  const tick = (field: string): Spec => ({
    data: { values },
    mark: { type: 'tick', thickness: 1.5, size: 7, color: HATCH_INK },
    encoding: { ...place, x: { field, type: 'quantitative' } },
  });
  const x = { field: 'sure', type: 'quantitative' };
  return [
    {
      data: { values },
      mark: { type: 'rule', strokeWidth: 1.5, color: HATCH_INK },
      encoding: { ...place, x, x2: { field: 'pages' } },
    },
    tick('sure'),
    tick('pages'),
    ...legendLayer([LOSS_SIGNS.heldSpan]),
  ];
}

function holderChart(comparison: Comparison): CompareChart {
  const { holders } = comparison;
  const title = 'Who holds immovable pages at the end';
  const description = 'Immovable pages held at the end of each recording, by task';
  const rows: Row[] = holders.flatMap(({ comm, pages, mixed, doubtful }) =>
    (['A', 'B'] as const).map((side, i) => ({
      comm: comm || '(no name)',
      side,
      pages: pages[i]!,
      mixed: mixed[i]!,
      sure: pages[i]! - doubtful[i]!,
    })),
  );
  const axis = {
    title: pagesTitle(comparison),
    tickCount: 6,
    grid: true,
    labelExpr: SHORT_NUMBER,
  };
  const place = {
    y: {
      field: 'comm',
      type: 'nominal',
      scale: { domain: [...new Set(rows.map(({ comm }) => comm))] },
      axis: { title: null, labelLimit: 200 },
    },
    yOffset: { field: 'side', type: 'nominal', scale: { domain: COLORS.domain } },
  };
  const spec = {
    ...base(title, description, Math.max(80, holders.length * 30)),
    layer: [
      {
        data: { values: rows },
        mark: { type: 'bar', cornerRadiusEnd: 2 },
        encoding: {
          ...place,
          x: { field: 'pages', type: 'quantitative', axis },
          color: { ...SIDE, legend: LEGEND },
        },
      },
      ...doubtLayers(rows, place),
    ],
    resolve: OWN_SCALES,
  };
  return { id: 'holders', title, description, spec, rows };
}
