/**
 * Charts: how many requests in a row would succeed, over time and against a ring size.
 */
import type { Headroom, ReportData } from '../analysis/report-data.js';
import { headroomOf, leastIn as leastInBucket } from '../analysis/zone-headroom.js';
import { columnsInView, lastIn, leastIn } from './buckets.js';
import { bandLegend } from './certainty-legend.js';
import { type Chart, type ChartView, type Row, toSeconds } from './chart.js';
import { bandMark, DEFAULT_WIDTH, ORDER_COLORS } from './theme.js';
import {
  chartParams,
  honestyRows,
  OWN_SCALES,
  SCHEMA_URL,
  tickedAxis,
  timeChart,
  timeX,
  valueY,
} from './time-chart.js';

const DEFAULT_ORDER = 3;
/** Largest order that drivers ask for often. */
const LARGEST_COMMON = 5;
const RING_ORDERS = [1, 2, 3, 4, 5];
const LARGEST_RING = 4096;

const known = new WeakMap<ReportData, Map<string, Headroom>>();

/** For the request chosen: of all zones together, or of one alone. Reckoned once. */
function headroomIn(data: ReportData, { gfp, zone }: ChartView): Headroom {
  const found = known.get(data) ?? new Map<string, Headroom>();
  known.set(data, found);
  const key = `${zone} ${gfp}`;
  const headroom = found.get(key) ?? headroomOf(data, gfp, zone);
  found.set(key, headroom);
  return headroom;
}

/** The order chosen, else the one the verdict speaks of where drivers ask for it, else 3. */
export function headroomOrder(data: ReportData, chosen: number | null): number {
  const leading = data.narrative.order ?? DEFAULT_ORDER;
  const fallback = leading <= LARGEST_COMMON ? leading : DEFAULT_ORDER;
  return Math.min(chosen ?? fallback, data.orders - 1);
}

export const headroomChart: Chart = {
  id: 'headroom',
  title: 'Headroom: how many requests in a row would succeed',
  description:
    'The number of atomic requests of one order that would succeed one after another, over time.',
  how: 'Compare this with the number of buffers a driver refills at once (its ring size): while the band is below that number, a refill of the whole ring fails part way. The line is the number at the end of each column, the green band reaches down to the least inside it; a grey band is what the bounds of the reconstruction leave open. The order that the sentence on top speaks of, unless an order is chosen above; with a zone chosen, what that zone alone would have served. The scale is logarithmic; 0 is at the foot.',
  overTime: true,
  table: {
    dataset: 'headroom',
    columns: [
      ['t', 'Time (s)'],
      ['order', 'Order'],
      ['now', 'Requests in a row'],
      ['least', 'Least in the column'],
      ['low', 'At least'],
      ['high', 'At most'],
    ],
  },
  emptyText: 'The free lists could not be reconstructed.',
  hasData: (data) => data.headroom.last.length > 0,
  rows: (data, view) => {
    const order = headroomOrder(data, view.order);
    const { last, min, low, high } = headroomIn(data, view);
    const headroom = columnsInView(data.timeline, view, true).map((column) => ({
      t: toSeconds(data, column.startNs),
      order,
      now: lastIn(last[order] ?? [], column),
      least: leastIn(min[order] ?? [], column),
      low: lastIn((low ?? last)[order] ?? [], column),
      high: lastIn((high ?? last)[order] ?? [], column),
    }));
    return { headroom, ...honestyRows(data, view) };
  },
  spec: (data, view) => {
    const scale = { scale: { type: 'symlog', constant: 1, domainMin: 0 } };
    const title = 'requests in a row';
    const axis = { axis: tickedAxis(title, [0, 1, 10, 100, 1000, 10000, 100000]) };
    return timeChart({
      data,
      view,
      title: headroomChart.title,
      description: headroomChart.description,
      bounds: { band: true },
      layer: [
        {
          data: { name: 'headroom' },
          mark: bandMark('faint'),
          encoding: {
            x: timeX('t'),
            y: { field: 'low', ...valueY(title, { ...scale, ...axis }) },
            y2: { field: 'high' },
          },
        },
        {
          data: { name: 'headroom' },
          mark: {
            type: 'area',
            interpolate: 'step-after',
            clip: true,
            opacity: 0.35,
            color: '#009e73',
          },
          encoding: {
            x: timeX('t'),
            y: { field: 'least', ...valueY(title, { ...scale, ...axis }) },
            y2: { field: 'now' },
          },
        },
        {
          data: { name: 'headroom' },
          mark: {
            type: 'line',
            interpolate: 'step-after',
            clip: true,
            strokeWidth: 1.6,
            color: '#009e73',
          },
          encoding: { x: timeX('t'), y: { field: 'now', ...valueY(title, { ...scale, ...axis }) } },
        },
      ],
    });
  },
};

export const ringSizeChart: Chart = {
  id: 'ring-size',
  title: 'How often a ring of a given size could not be refilled',
  description:
    'For each order, the share of the time shown in which fewer requests in a row would have succeeded than a given ring size.',
  how: 'Find your ring size on the horizontal axis and read off, for the order of its buffers, the share of time in which refilling it all at once would have failed. Measured on the least headroom inside each column of the timeline, so it errs on the side of caution. A band is what the bounds of the reconstruction leave open. It is about the span that the charts over time show.',
  overTime: false,
  table: {
    dataset: 'ring',
    columns: [
      ['ring', 'Ring size'],
      ['order', 'Order'],
      ['share', 'Share of time below'],
      ['low', 'At least'],
      ['high', 'At most'],
    ],
  },
  emptyText: 'The free lists could not be reconstructed.',
  hasData: (data) => data.headroom.last.length > 0,
  rows: (data, view) => ({ ring: ringRows(data, view) }),
  spec: (data) => ({
    $schema: SCHEMA_URL,
    title: ringSizeChart.title,
    description: ringSizeChart.description,
    width: DEFAULT_WIDTH,
    height: 170,
    autosize: { type: 'fit-x', contains: 'padding' },
    padding: { left: 4, right: 12, top: 4, bottom: 4 },
    params: chartParams(),
    layer: [ringBand(data), ringLine(data), ...bandLegend(data)],
    resolve: OWN_SCALES,
  }),
};

function ringX() {
  return {
    field: 'ring',
    type: 'quantitative',
    scale: { type: 'log', base: 2, domain: [1, LARGEST_RING], nice: false },
    axis: {
      title: 'ring size (requests in a row)',
      format: 'd',
      values: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096],
    },
  };
}

function ringY(field: string) {
  const title = 'share of time below';
  return {
    field,
    ...valueY(title, {
      scale: { domain: [0, 1] },
      axis: {
        ...(valueY(title).axis as object),
        labelExpr: "round(datum.value * 100) + ' %'",
      },
    }),
  };
}

function ringColor(data: ReportData) {
  return {
    field: 'order',
    type: 'ordinal',
    scale: {
      domain: Array.from({ length: data.orders - 1 }, (_, i) => i + 1),
      range: ringColors(data.orders),
    },
    legend: {
      title: 'Order',
      values: RING_ORDERS,
      symbolType: 'stroke',
      symbolStrokeWidth: 3,
      symbolOpacity: 1,
    },
  };
}

function ringBand(data: ReportData) {
  return {
    data: { name: 'ring' },
    mark: { type: 'area', interpolate: 'step-before', opacity: 0.16 },
    encoding: {
      x: ringX(),
      y: ringY('low'),
      y2: { field: 'high' },
      color: ringColor(data),
    },
  };
}

function ringLine(data: ReportData) {
  return {
    data: { name: 'ring' },
    mark: { type: 'line', interpolate: 'step-before', strokeWidth: 1.8 },
    encoding: {
      x: ringX(),
      y: ringY('share'),
      color: ringColor(data),
      tooltip: [
        { field: 'ring', type: 'quantitative', title: 'ring size' },
        { field: 'order', type: 'ordinal', title: 'order' },
        { field: 'share', type: 'quantitative', title: 'share of time below', format: '.1%' },
        { field: 'low', type: 'quantitative', title: 'at least', format: '.1%' },
        { field: 'high', type: 'quantitative', title: 'at most', format: '.1%' },
      ],
    },
  };
}

/** Of the orders shown together: far apart with any colour vision; the others, shown alone, repeat one. */
const RING_COLORS = [1, 3, 5, 8, 11];

function ringColors(orders: number): string[] {
  return Array.from({ length: orders - 1 }, (_, i) => ORDER_COLORS[RING_COLORS[i] ?? 11]!);
}

function ringRows(data: ReportData, view: ChartView): Row[] {
  const headroom = headroomIn(data, view);
  const { order } = view;
  const rows: Row[] = [];
  for (const shown of order === null ? RING_ORDERS : [order]) {
    const { least, low, high } = leastOf(headroom, shown, bucketsInView(data, view));
    if (least.length === 0) continue;
    for (let ring = 1; ring <= LARGEST_RING; ring = Math.ceil(ring * 1.19)) {
      rows.push({
        order: shown,
        ring,
        share: rounded(shareBelow(least, ring)),
        low: rounded(shareBelow(high, ring)),
        high: rounded(shareBelow(low, ring)),
      });
    }
  }
  return rows;
}

/** Buckets [first, end) of the timeline that the charts over time show. */
function bucketsInView({ timeline }: ReportData, { fromNs, toNs }: ChartView) {
  const bucket = (ns: number): number => (ns - timeline.fromNs) / timeline.bucketNs;
  const first = Math.max(0, Math.min(timeline.buckets - 1, Math.floor(bucket(fromNs))));
  return { first, end: Math.max(first + 1, Math.ceil(bucket(toNs))) };
}

/** Least requests in a row in each bucket, and how many it was at least and at most; each ascending. */
function leastOf(
  headroom: Headroom,
  order: number,
  { first, end }: { readonly first: number; readonly end: number },
) {
  const buckets = (headroom.min[order] ?? []).slice(first, end);
  const found = buckets.map((_, i) => leastInBucket(headroom, order, first + i));
  const ascending = (of: 'least' | 'low' | 'high'): number[] =>
    found.map((one) => one[of]).sort((x, y) => x - y);
  return { least: ascending('least'), low: ascending('low'), high: ascending('high') };
}

/** A share to a hundredth of a percent: buckets tell no more. */
function rounded(share: number): number {
  return Math.round(share * 1e4) / 1e4;
}

/** @param values ascending. */
function shareBelow(values: readonly number[], ring: number): number {
  const found = values.findIndex((value) => value >= ring);
  return (found < 0 ? values.length : found) / values.length;
}
