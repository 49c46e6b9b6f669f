/**
 * Charts: allocations that took blocks of another migratetype, as a matrix and over time.
 */
import type { ExtfragCell, ReportData } from '../analysis/report-data.js';
import { type Chart, lossCaveat, type Row, toSeconds } from './chart.js';
import { AXIS_WIDTH, CATEGORY_COLORS, DEFAULT_WIDTH, legendColumns } from './theme.js';
import { chartParams, lossRows, SCHEMA_URL, timeChart, timeX, valueY } from './time-chart.js';

const TOP_PAIRS = 8;

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

function pair(from: string, to: string): string {
  return `${to} took ${from}`;
}

export const extfragMatrixChart: Chart = {
  id: 'extfrag',
  title: 'Which kinds of memory got mixed',
  description:
    'Fallback allocations (mm_page_alloc_extfrag): how often a request of one migratetype was served from blocks of another.',
  how: 'The kernel keeps movable, unmovable and reclaimable memory in different pageblocks so that blocks can be emptied later. When one kind runs out it takes from another, and blocks get mixed. Rows are the kind that asked, columns the kind that gave. Unmovable taking from Movable is the pair that fragments memory for good.',
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
  rows: (data, view) => ({
    cells: cellsIn(data, view.zone).map(({ from, to, count, claimed }) => ({
      from,
      to,
      count,
      claimed,
    })),
  }),
  spec: (data) => ({
    $schema: SCHEMA_URL,
    title: extfragMatrixChart.title,
    description: extfragMatrixChart.description,
    width: DEFAULT_WIDTH,
    height: 30 * Math.max(1, new Set(data.extfrag.cells.map(({ to }) => to)).size),
    autosize: { type: 'fit-x', contains: 'padding' },
    padding: { left: 4, right: 12, top: 4, bottom: 4 },
    params: chartParams(),
    data: { name: 'cells' },
    encoding: {
      x: { field: 'from', type: 'nominal', sort: null, axis: { title: 'gave', labelAngle: 0 } },
      y: {
        field: 'to',
        type: 'nominal',
        sort: null,
        axis: { title: 'asked', minExtent: AXIS_WIDTH + 30, domain: false },
      },
    },
    layer: [
      {
        mark: { type: 'rect', cornerRadius: 3 },
        encoding: {
          color: {
            field: 'count',
            type: 'quantitative',
            scale: { type: 'symlog', range: ['#f3d9c4', '#c2410c'], domainMin: 0 },
            legend: null,
          },
          tooltip: [
            { field: 'to', type: 'nominal', title: 'asked' },
            { field: 'from', type: 'nominal', title: 'gave' },
            { field: 'count', type: 'quantitative', title: 'times', format: ',' },
            { field: 'claimed', type: 'quantitative', title: 'whole block claimed', format: ',' },
          ],
        },
      },
      {
        mark: { type: 'text', fontWeight: 600, color: '#1c0f08' },
        encoding: { text: { field: 'count', type: 'quantitative', format: ',' } },
      },
    ],
  }),
};

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
  rows: (data, view) => ({ mixing: mixingRows(data, view.zone), ...lossRows(data) }),
  spec: (data, view) => {
    const names = data.extfrag.cells.slice(0, TOP_PAIRS).map(({ from, to }) => pair(from, to));
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
              scale: { domain: names, range: CATEGORY_COLORS.slice(0, names.length) },
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

function mixingRows(data: ReportData, zone: number | null): Row[] {
  const { buckets } = data.extfrag;
  // The pairs that have a colour, whatever the zone.
  const named = new Set(
    data.extfrag.cells.slice(0, TOP_PAIRS).map(({ from, to }) => pair(from, to)),
  );
  const cells = cellsIn(data, zone).filter(({ from, to }) => named.has(pair(from, to)));
  const step = (data.span.toNs - data.span.fromNs) / Math.max(1, buckets);
  const rows: Row[] = [];
  for (let b = 0; b < buckets; b++) {
    let foot = 0;
    for (const cell of cells) {
      const count = cell.series[b] ?? 0;
      if (count === 0) continue;
      rows.push({
        t: toSeconds(data, data.span.fromNs + b * step),
        t2: toSeconds(data, data.span.fromNs + (b + 1) * step),
        pair: pair(cell.from, cell.to),
        count,
        y0: foot,
        y1: foot + count,
      });
      foot += count;
    }
  }
  return rows;
}
