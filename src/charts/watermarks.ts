/**
 * Chart: free memory of one zone against its watermarks and what the chosen request must leave.
 */
import type { ReportData } from '../analysis/report-data.js';
import { pagesKept } from '../analysis/state-at.js';
import { columnsInView, lastIn, leastIn, mostIn } from './buckets.js';
import { type Chart, pagesTitle, type Row, toSeconds } from './chart.js';
import { mainZone } from './main-zone.js';
import { legendColumns } from './theme.js';
import { honestyRows, timeChart, timeX, valueY } from './time-chart.js';

const MARKS = ['high', 'low', 'min', 'must stay free for the request'];
const MARK_COLORS = ['#009e73', '#e69f00', '#c8413f', '#7a4fbf'];

export const watermarksChart: Chart = {
  id: 'watermarks',
  title: 'Free memory against the watermarks',
  description:
    'Free pages of a zone over time, with its min, low and high watermarks and the pages an atomic request must leave.',
  how: 'One zone at a time (the largest, unless a zone is chosen above). When free memory falls below low, kswapd starts to reclaim; below min, ordinary requests wait. Atomic requests may go deeper, down to the violet line, which is that of the kind of request chosen above; under it they are refused whatever the block size. Free pages that the request may not use (CMA, HIGHATOMIC) do not count for it, so it may be refused a little above the line. The band is the least and most inside each column and the bounds of the reconstruction. The scale is a square root, so that small numbers stay readable.',
  overTime: true,
  table: {
    dataset: 'free',
    columns: [
      ['t', 'Time (s)'],
      ['free', 'Free pages'],
      ['low', 'At least'],
      ['high', 'At most'],
    ],
  },
  emptyText: 'The free lists could not be reconstructed.',
  hasData: (data) => data.timeline.zones.length > 0,
  rows: (data, view) => {
    const z = view.zone ?? mainZone(data);
    const zone = data.timeline.zones[z];
    if (!zone) return { free: [], marks: [], ...honestyRows(data, view) };
    const free: Row[] = [];
    for (const column of columnsInView(data.timeline, view, true)) {
      const bound = (plane: 'low' | 'high'): number =>
        (zone[plane] ?? zone.last).reduce((sum, row, q) => sum + lastIn(row, column) * 2 ** q, 0);
      free.push({
        t: toSeconds(data, column.startNs),
        free: lastIn(zone.freePages, column),
        low: Math.min(leastIn(zone.freePagesMin, column), zone.low ? bound('low') : Infinity),
        high: Math.max(mostIn(zone.freePagesMax, column), zone.high ? bound('high') : 0),
      });
    }
    return { free, marks: markRows(data, z, view.gfp), ...honestyRows(data, { ...view, zone: z }) };
  },
  spec: (data, view) =>
    timeChart({
      data,
      view,
      title: watermarksChart.title,
      description: watermarksChart.description,
      bounds: { band: true },
      layer: [bandLayer, freeLayer, markLayer].map((layer) =>
        layer(pagesTitle(data, 'free pages')),
      ),
    }),
};

function markRows(data: ReportData, z: number, gfp: string): Row[] {
  const steps = data.timeline.zones[z]?.marks ?? [];
  const needs = pagesKept(data, z, gfp);
  const rows: Row[] = [];
  const add = (timeNs: number, step: (typeof steps)[number], need: number | null): void => {
    const t = toSeconds(data, timeNs);
    const values = [step.high, step.low, step.min].map((value) =>
      value === null ? null : value + step.boost,
    );
    [...values, need].forEach((pages, i) => {
      if (pages !== null && pages !== undefined) rows.push({ t, mark: MARKS[i]!, pages });
    });
  };
  steps.forEach((step, i) => {
    add(step.timeNs, step, needs[i] ?? null);
  });
  const last = steps[steps.length - 1];
  if (last) add(data.span.toNs, last, needs.at(-1) ?? null);
  return rows;
}

const SQRT = { scale: { type: 'sqrt', zero: true } };

function bandLayer(title: string) {
  return {
    data: { name: 'free' },
    mark: { type: 'area', interpolate: 'step-after', clip: true, opacity: 0.3, color: '#0a84c6' },
    encoding: {
      x: timeX('t'),
      y: { field: 'low', ...valueY(title, SQRT) },
      y2: { field: 'high' },
    },
  };
}

function freeLayer(title: string) {
  return {
    data: { name: 'free' },
    mark: {
      type: 'line',
      interpolate: 'step-after',
      clip: true,
      strokeWidth: 1.6,
      color: '#0a84c6',
    },
    encoding: { x: timeX('t'), y: { field: 'free', ...valueY(title, SQRT) } },
  };
}

const LEGEND = { title: 'Watermark', columns: legendColumns(190) };

function markLayer(title: string) {
  return {
    data: { name: 'marks' },
    mark: { type: 'line', interpolate: 'step-after', clip: true, strokeWidth: 1.5 },
    encoding: {
      x: timeX('t'),
      y: { field: 'pages', ...valueY(title, SQRT) },
      color: {
        field: 'mark',
        type: 'nominal',
        scale: { domain: MARKS, range: MARK_COLORS },
        legend: LEGEND,
      },
      strokeDash: {
        field: 'mark',
        type: 'nominal',
        scale: {
          domain: MARKS,
          range: [
            [6, 3],
            [3, 3],
            [8, 2],
            [1, 0],
          ],
        },
        legend: LEGEND,
      },
      tooltip: [
        { field: 'mark', type: 'nominal', title: 'watermark' },
        { field: 'pages', type: 'quantitative', title: 'pages', format: ',' },
      ],
    },
  };
}
