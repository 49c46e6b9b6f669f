/**
 * Charts of two recordings side by side. A is drawn pale and dashed, B strong; colours from the theme.
 */
import type { ComparedSeries, Comparison } from '../analysis/compare.js';
import { bytesText } from '../analysis/words.js';
import { pagesTitle, type Row, type Spec } from './chart.js';
import { AXIS_WIDTH, SIDE_COLORS } from './theme.js';
import { SCHEMA_URL, SHORT_NUMBER } from './time-chart.js';

export interface CompareChart {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly spec: Spec;
}

/** Pages are made without a script, so charts cannot follow the width of the window. */
const WIDTH = 960;
const COLORS = { domain: ['A', 'B'], range: SIDE_COLORS };
const SIDE = { field: 'side', type: 'nominal', scale: COLORS };
const LEGEND = { title: null, orient: 'top' };

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
    autosize: { type: 'fit-x', contains: 'padding' },
  };
}

function orderChart(comparison: Comparison): CompareChart {
  const { orders } = comparison;
  const title = 'Share of the run in which each order fails';
  const description =
    'For each order, the share of recording A and of recording B in which it fails';
  const rows: Row[] = orders.flatMap(({ order, share, ns, refused }) =>
    (['A', 'B'] as const).map((side, i) => ({
      order,
      size: `${size(comparison, order)} · ${order}`,
      side,
      percent: share[i]! * 100,
      seconds: ns[i]! / 1e9,
      refused: refused[i]!,
    })),
  );
  const spec = {
    ...base(title, description, 200),
    data: { values: rows },
    mark: { type: 'bar', cornerRadiusEnd: 2 },
    encoding: {
      x: {
        field: 'size',
        type: 'ordinal',
        sort: null,
        axis: { title: 'size asked for · order n (2ⁿ pages)', labelAngle: 0 },
      },
      xOffset: { field: 'side', type: 'nominal' },
      y: {
        field: 'percent',
        type: 'quantitative',
        axis: { title: 'of the run, %', tickCount: 5 },
      },
      color: { ...SIDE, legend: LEGEND },
      tooltip: ['order', 'side', 'percent', 'seconds', 'refused'].map((field) => ({ field })),
    },
  };
  return { id: 'orders', title, description, spec };
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

function seriesChart(
  { alignment }: Comparison,
  { a, b }: ComparedSeries,
  words: SeriesWords,
): CompareChart {
  const rows: Row[] = [a, b].flatMap((values, i) =>
    values.map((value, step) => ({
      at: ((step + 1) / values.length) * 100,
      side: i === 0 ? 'A' : 'B',
      value,
    })),
  );
  const by = alignment.method === 'phases' ? 'progress through the phases, %' : 'of the run, %';
  const spec = {
    ...base(words.title, words.description, 160),
    data: { values: rows },
    mark: {
      type: 'line',
      interpolate: 'step-before',
      strokeWidth: 1.8,
      invalid: 'break-paths-show-path-domains',
    },
    encoding: {
      x: { field: 'at', type: 'quantitative', axis: { title: by, grid: false } },
      y: {
        field: 'value',
        type: 'quantitative',
        scale: words.scale,
        axis: {
          title: words.axis,
          values: words.values,
          minExtent: AXIS_WIDTH,
          labelExpr: SHORT_NUMBER,
        },
      },
      color: { ...SIDE, legend: LEGEND },
      strokeDash: {
        field: 'side',
        type: 'nominal',
        scale: {
          domain: ['A', 'B'],
          range: [
            [5, 3],
            [1, 0],
          ],
        },
        legend: LEGEND,
      },
    },
  };
  return { id: words.id, title: words.title, description: words.description, spec };
}

function holderChart(comparison: Comparison): CompareChart {
  const { holders } = comparison;
  const title = 'Who holds immovable pages at the end';
  const description = 'Immovable pages held at the end of each recording, by task';
  const rows: Row[] = holders.flatMap(({ comm, pages, mixed }) =>
    (['A', 'B'] as const).map((side, i) => ({
      comm: comm || '(no name)',
      side,
      pages: pages[i]!,
      mixed: mixed[i]!,
    })),
  );
  const spec = {
    ...base(title, description, Math.max(80, holders.length * 30)),
    data: { values: rows },
    mark: { type: 'bar', cornerRadiusEnd: 2 },
    encoding: {
      y: { field: 'comm', type: 'nominal', sort: null, axis: { title: null, labelLimit: 200 } },
      yOffset: { field: 'side', type: 'nominal' },
      x: {
        field: 'pages',
        type: 'quantitative',
        axis: { title: pagesTitle(comparison), tickCount: 6, grid: true, labelExpr: SHORT_NUMBER },
      },
      color: { ...SIDE, legend: LEGEND },
      tooltip: ['comm', 'side', 'pages', 'mixed'].map((field) => ({ field })),
    },
  };
  return { id: 'holders', title, description, spec };
}
