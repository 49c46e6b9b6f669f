/**
 * Charts: allocations that took blocks of another migratetype, as a matrix and over time.
 */
import type { ExtfragCell, ReportData } from '../analysis/report-data.js';
import { grouped } from '../analysis/words.js';
import { LOSS_SIGNS, legendLayer } from './certainty-legend.js';
import { type Chart, type ChartView, lossCaveat, type Row, type Spec, toSeconds } from './chart.js';
import {
  AXIS_WIDTH,
  CATEGORY_COLORS,
  DEFAULT_WIDTH,
  EXTFRAG_RANGE,
  hatch,
  legendColumns,
  TYPE_COLORS,
} from './theme.js';
import {
  chartParams,
  lossRows,
  OWN_SCALES,
  SCHEMA_URL,
  timeChart,
  timeX,
  valueY,
} from './time-chart.js';

const TOP_PAIRS = 8;
const OTHERS = 'other pairs';

/** The fallbacks of the zone chosen, most frequent first. */
function cellsIn(data: ReportData, zone: number | null): ExtfragCell[] {
  const { cells } = data.extfrag;
  if (zone === null) return [...cells];
  return cells
    .flatMap((cell) => {
      const part = cell.zones?.find((one) => one.zone === zone);
      return part ? [{ ...cell, ...part }] : [];
    })
    .sort((a, b) => b.count - a.count);
}

/** The same within the span in view, to the nearest bucket; the whole recording exactly. */
function cellsInView(data: ReportData, { zone, fromNs, toNs }: ChartView): Row[] {
  const { span, extfrag } = data;
  const whole = fromNs <= span.fromNs && toNs >= span.toNs;
  const bucketOf = (ns: number): number =>
    Math.round(((ns - span.fromNs) / (span.toNs - span.fromNs)) * extfrag.buckets);
  const [first, end] = [bucketOf(fromNs), Math.max(bucketOf(fromNs) + 1, bucketOf(toNs))];
  return cellsIn(data, zone).flatMap(({ from, to, count, claimed, series }) => {
    const part = series.slice(first, end).reduce((sum, n) => sum + n, 0);
    const seen = whole ? count : part;
    const shown = `${lossy(data) ? '≥ ' : ''}${grouped(seen)}`;
    return seen > 0 ? [{ from, to, count: seen, shown, claimed: whole ? claimed : null }] : [];
  });
}

function pair(from: string, to: string): string {
  return `${to} took ${from}`;
}

export const extfragMatrixChart: Chart = {
  id: 'extfrag',
  title: 'Which kinds of memory got mixed',
  description:
    'Fallback allocations (mm_page_alloc_extfrag): how often a request of one migratetype was served from blocks of another.',
  how: 'The kernel keeps movable, unmovable and reclaimable memory in different pageblocks so that blocks can be emptied later. When one kind runs out it takes from another, and blocks get mixed. Rows are the kind that asked, columns the kind that gave. Unmovable taking from Movable is the pair that fragments memory for good. Where events were lost, counts are the least it was (≥), and what was not seen is hatched. It counts what lies in the span that the charts over time show.',
  overTime: false,
  table: {
    dataset: 'cells',
    columns: [
      ['to', 'Asked'],
      ['from', 'Gave'],
      ['count', 'Times'],
      ['claimed', 'Whole pageblock claimed'],
    ],
  },
  emptyText: 'No fallback allocation was recorded.',
  caveat: (data) => lossCaveat(data, 'there may have been more of these.'),
  hasData: (data) => data.extfrag.cells.length > 0,
  rows: (data, view) => ({ cells: cellsInView(data, view) }),
  spec: (data) => ({
    $schema: SCHEMA_URL,
    title: extfragMatrixChart.title,
    description: extfragMatrixChart.description,
    width: DEFAULT_WIDTH,
    height: 30 * Math.max(1, kinds(data, 'to').length),
    autosize: { type: 'fit-x', contains: 'padding' },
    padding: { left: 4, right: 12, top: 4, bottom: 4 },
    params: chartParams(),
    encoding: {
      x: {
        field: 'from',
        type: 'nominal',
        scale: { domain: kinds(data, 'from') },
        axis: { title: 'gave', labelAngle: 0 },
      },
      y: {
        field: 'to',
        type: 'nominal',
        scale: { domain: kinds(data, 'to') },
        axis: { title: 'asked', minExtent: AXIS_WIDTH + 30, domain: false },
      },
    },
    layer: [
      ...(lossy(data) ? [unseenLayer(), ...legendLayer([LOSS_SIGNS.noneSeen])] : []),
      ...cellLayers(),
    ],
    resolve: OWN_SCALES,
  }),
};

/** Migratetypes that gave or asked, whatever the view, so that rows and columns keep their place. */
function kinds(data: ReportData, side: 'from' | 'to'): string[] {
  return [...new Set(data.extfrag.cells.map((cell) => cell[side]))];
}

function lossy(data: ReportData): boolean {
  return data.lostEvents > 0 || data.timeline.lost.length > 0;
}

/** Hatched wherever no cell lies. */
function unseenLayer(): Spec {
  return {
    data: { values: [{}] },
    mark: { type: 'rect', fill: hatch(), x: 0, x2: 'width', y: 0, y2: 'height', tooltip: null },
    encoding: { x: { value: 0 }, y: { value: 0 } },
  };
}

function cellLayers(): Spec[] {
  return [
    {
      data: { name: 'cells' },
      mark: { type: 'rect', cornerRadius: 3 },
      encoding: {
        color: {
          field: 'count',
          type: 'quantitative',
          scale: { type: 'symlog', range: EXTFRAG_RANGE, domainMin: 0 },
          legend: null,
        },
        tooltip: [
          { field: 'to', type: 'nominal', title: 'asked' },
          { field: 'from', type: 'nominal', title: 'gave' },
          { field: 'shown', type: 'nominal', title: 'times' },
          { field: 'claimed', type: 'quantitative', title: 'whole block claimed', format: ',' },
        ],
      },
    },
    {
      data: { name: 'cells' },
      mark: { type: 'text', fontWeight: 600, color: '#1c0f08' },
      encoding: { text: { field: 'shown', type: 'nominal' } },
    },
  ];
}

export const extfragOverTimeChart: Chart = {
  id: 'extfrag-over-time',
  title: 'Mixing over time',
  description: 'Fallback allocations over time, by the kinds of memory involved.',
  how: 'The same fallbacks as in the matrix, counted over time. Bursts show when memory of one kind ran out.',
  overTime: true,
  table: {
    dataset: 'mixing',
    columns: [
      ['t', 'From (s)'],
      ['pair', 'What happened'],
      ['count', 'Times'],
    ],
  },
  emptyText: 'No fallback allocation was recorded.',
  hasData: (data) => data.extfrag.cells.length > 0,
  rows: (data, view) => ({ mixing: mixingRows(data, view.zone), ...lossRows(data, view) }),
  spec: (data, view) => {
    const names = pairsShown(data);
    return timeChart({
      data,
      view,
      title: extfragOverTimeChart.title,
      description: extfragOverTimeChart.description,
      height: 120,
      events: true,
      layer: [
        {
          data: { name: 'mixing' },
          mark: { type: 'rect', clip: true },
          encoding: {
            x: timeX('t'),
            x2: { field: 't2' },
            y: { field: 'y0', ...valueY('fallbacks') },
            y2: { field: 'y1' },
            color: {
              field: 'pair',
              type: 'nominal',
              scale: { domain: names, range: pairColors(names) },
              legend: {
                title: 'What happened',
                symbolType: 'square',
                columns: legendColumns(210),
              },
            },
            tooltip: [
              { field: 'pair', type: 'nominal', title: 'what' },
              { field: 'count', type: 'quantitative', title: 'times', format: ',' },
              { field: 't', type: 'quantitative', title: 'from (s)', format: '.3f' },
            ],
          },
        },
      ],
    });
  },
};

/** The pairs that have a colour of their own, whatever the zone; then all others, if there are any. */
function pairsShown({ extfrag: { cells } }: ReportData): string[] {
  const names = cells.map(({ from, to }) => pair(from, to));
  return names.length > TOP_PAIRS ? [...names.slice(0, TOP_PAIRS), OTHERS] : names;
}

function pairColors(names: readonly string[]): string[] {
  return names.map((name, i) => (name === OTHERS ? TYPE_COLORS.unknown! : CATEGORY_COLORS[i]!));
}

function mixingRows(data: ReportData, zone: number | null): Row[] {
  const { buckets } = data.extfrag;
  const named = new Set(pairsShown(data));
  const step = (data.span.toNs - data.span.fromNs) / Math.max(1, buckets);
  const rows: Row[] = [];
  for (let b = 0; b < buckets; b++) {
    const counts = new Map<string, number>();
    for (const { from, to, series } of cellsIn(data, zone)) {
      const name = named.has(pair(from, to)) ? pair(from, to) : OTHERS;
      const count = series[b] ?? 0;
      if (count > 0) counts.set(name, (counts.get(name) ?? 0) + count);
    }
    let foot = 0;
    for (const [name, count] of counts) {
      rows.push({
        t: toSeconds(data, data.span.fromNs + b * step),
        t2: toSeconds(data, data.span.fromNs + (b + 1) * step),
        pair: name,
        count,
        y0: foot,
        y1: foot + count,
      });
      foot += count;
    }
  }
  return rows;
}
