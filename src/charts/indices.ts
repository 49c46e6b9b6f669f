/**
 * Charts: the kernel's two fragmentation indices over time, for each order.
 *
 * Kernel: mm/vmstat.c unusable_free_index() and __fragmentation_index(), as debugfs prints them.
 * Both count blocks of every type.
 */
import type { ReportData } from '../analysis/report-data.js';
import { orderList } from '../analysis/words.js';
import {
  fragmentationIndex,
  mixedCounts,
  unusableIndex,
  unusableIndexBounds,
} from '../kernel/fragmentation-index.js';
import { columnsInView, lastIn } from './buckets.js';
import { type Chart, type ChartView, type Row, toSeconds } from './chart.js';
import { mainZone } from './main-zone.js';
import { legendColumns, ORDER_COLORS } from './theme.js';
import { honestyRows, timeChart, timeX, valueY } from './time-chart.js';

interface Counts {
  readonly t: number;
  readonly free: number[];
  /** Bounds; `free` itself where it is exact, as it mostly is. */
  readonly low: number[];
  readonly high: number[];
}

/** Free blocks by order in the zone in view: the indices have a meaning for one zone only. */
function countsAt(data: ReportData, view: ChartView): Counts[] {
  const zone = data.timeline.zones[view.zone ?? mainZone(data)];
  if (!zone) return [];
  return columnsInView(data.timeline, view, true).map((column) => {
    const blocks = (plane: readonly (readonly number[])[]): number[] =>
      Array.from({ length: data.orders }, (_, q) => lastIn(plane[q] ?? [], column));
    const free = blocks(zone.last);
    const bound = (plane: readonly (readonly number[])[] | null): number[] => {
      const found = plane === null ? free : blocks(plane);
      return found.every((n, q) => n === free[q]) ? free : found;
    };
    return {
      t: toSeconds(data, column.startNs),
      free,
      low: bound(zone.low),
      high: bound(zone.high),
    };
  });
}

const isExact = ({ free, low, high }: Counts): boolean => low === free && high === free;

/** An index, null where it has no value, and what the bounds of the counts leave open. */
interface Found {
  readonly index: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** The index of each order shown, over time. */
function indexRows(
  data: ReportData,
  view: ChartView,
  found: (counts: Counts, order: number) => Found,
): Row[] {
  const columns = countsAt(data, view);
  return ordersShown(data, view).flatMap((order) =>
    heldOut(
      columns.map((counts): Row => ({ t: counts.t, order, ...found(counts, order) })),
      'index',
    ),
  );
}

/** Lines, their labels, and bands for the orders that are not exact throughout. */
function indexDatasets(data: ReportData, view: ChartView, indices: readonly Row[]) {
  // Bands of several orders lie over one another.
  const strength = view.order === null ? 0.14 : 0.35;
  const open = new Set(indices.filter(({ low, high }) => low !== high).map(({ order }) => order));
  const bounds = indices
    .filter(({ order }) => open.has(order!))
    .map((row) => ({ ...row, strength }));
  const zone = view.zone ?? mainZone(data);
  return {
    indices,
    bounds,
    labels: labelRows(view, indices),
    ...honestyRows(data, { ...view, zone }),
  };
}

/** Ends each run of values where the next column begins: a step of one column would not be drawn. */
function heldOut<R extends Row>(rows: readonly R[], field: keyof R): R[] {
  return rows.flatMap((row, i) => {
    const before = rows[i - 1];
    const ends = before && before[field] !== null && row[field] === null;
    return ends ? [{ ...before, t: row.t! }, row] : [row];
  });
}

function unusableFound(counts: Counts, order: number): Found {
  const index = unusableIndex(counts.free, order) / 1000;
  if (isExact(counts)) return { index, low: index, high: index };
  const [least, most] = unusableIndexBounds(counts.low, counts.high, order);
  return { index, low: least / 1000, high: most / 1000 };
}

/**
 * The index falls with the mean size of the blocks, 1 - (1 / blocks) - (mean / 2^order): least with few small ones and many
 * large, most with the opposite. From which order on to count many is tried out. Null where it has no value.
 */
function extfragFound(counts: Counts, order: number): Found {
  const { free, low, high } = counts;
  if (free.some((n, q) => q >= order && n > 0)) return { index: null, low: null, high: null };
  const index = Math.max(0, fragmentationIndex(free, order) / 1000);
  if (isExact(counts)) return { index, low: index, high: index };
  const values = [index];
  for (let from = 0; from <= order; from++) {
    for (const [small, large] of [
      [low, high],
      [high, low],
    ] as const) {
      const mixed = mixedCounts(small, large, from).fill(0, order);
      const one = fragmentationIndex(mixed, order);
      if (one > -1000) values.push(Math.max(0, one / 1000));
    }
  }
  return { index, low: Math.min(...values), high: Math.max(...values) };
}

function ordersShown(data: ReportData, view: ChartView): number[] {
  if (view.order !== null) return [view.order];
  return Array.from({ length: data.orders - 1 }, (_, i) => i + 1);
}

function orderColor(data: ReportData) {
  return {
    field: 'order',
    type: 'ordinal',
    scale: {
      domain: Array.from({ length: data.orders - 1 }, (_, i) => i + 1),
      range: ORDER_COLORS.slice(1, data.orders),
    },
    legend: {
      title: 'Order asked for',
      symbolType: 'stroke',
      symbolStrokeWidth: 3,
      symbolOpacity: 1,
      columns: legendColumns(44),
    },
  };
}

const INDEX_COLUMNS = [
  ['t', 'Time (s)'],
  ['order', 'Order'],
  ['index', 'Index'],
  ['low', 'At least'],
  ['high', 'At most'],
] as const;

function lineLayer(data: ReportData, title: string, domain: readonly number[]) {
  return {
    data: { name: 'indices' },
    mark: {
      type: 'line',
      interpolate: 'step-after',
      clip: true,
      strokeWidth: 1.6,
      invalid: 'break-paths-show-path-domains',
    },
    encoding: {
      x: timeX('t'),
      y: {
        field: 'index',
        ...valueY(title, {
          scale: { domain },
          axis: { ...(valueY(title).axis as object), format: '.1f' },
        }),
      },
      color: orderColor(data),
    },
  };
}

function bandLayer(data: ReportData, title: string) {
  return {
    data: { name: 'bounds' },
    mark: {
      type: 'area',
      interpolate: 'step-after',
      clip: true,
      invalid: 'break-paths-show-path-domains',
    },
    encoding: {
      x: timeX('t'),
      y: { field: 'low', ...valueY(title, { scale: { domain: [0, 1] } }) },
      y2: { field: 'high' },
      color: orderColor(data),
      opacity: { field: 'strength', type: 'quantitative', scale: null },
    },
  };
}

/** Each line's order at its end, so that no line is known by its colour alone; within the plot, as wide as any other. */
function labelLayer(title: string, halo: boolean) {
  return {
    data: { name: 'labels' },
    mark: {
      type: 'text',
      align: 'right',
      dx: -2,
      fontSize: 10,
      fontWeight: 600,
      color: { expr: 'ink' },
      ...(halo ? { stroke: { expr: 'paper' }, strokeWidth: 3, strokeJoin: 'round' } : {}),
    },
    encoding: {
      x: timeX('t'),
      y: { field: 'at', ...valueY(title, { scale: { domain: [0, 1] } }) },
      text: { field: 'label', type: 'nominal' },
    },
  };
}

/** Shares of the plot's height that labels are apart at least. */
const LABEL_APART = 0.072;
/** Share of the plot's width that a label takes, about. */
const LABEL_WIDTH = 0.05;
/** Nearer than this two lines lie on one another. */
const SAME_PLACE = 0.012;

/** The last value of each line. Lines that end together share a label or have theirs moved apart. */
function labelRows(view: ChartView, indices: readonly Row[]): Row[] {
  const last = new Map<number, Row>();
  for (const row of indices) if (row.index !== null) last.set(Number(row.order), row);
  const near = ((view.toNs - view.fromNs) / 1e9) * LABEL_WIDTH;
  const columns: Row[][] = [];
  for (const row of [...last.values()].sort((a, b) => Number(b.t) - Number(a.t))) {
    const column = columns.at(-1);
    if (column && Number(column[0]!.t) - Number(row.t) < near) column.push(row);
    else columns.push([row]);
  }
  return columns.flatMap((column) => {
    const groups = alike(column.sort((a, b) => Number(a.index) - Number(b.index)));
    let below = Number.NEGATIVE_INFINITY;
    return groups.map((group, i) => {
      const room = 1 - (groups.length - 1 - i) * LABEL_APART;
      below = Math.max(Math.min(Number(group[0]!.index), room), below + LABEL_APART);
      const t = Math.max(...group.map((row) => Number(row.t)));
      return { t, label: orderRuns(group.map(({ order }) => Number(order))), at: below };
    });
  });
}

/** `7`, `3–5`, `2, 9–10`: short enough for a label. */
function orderRuns(orders: readonly number[]): string {
  return orderList(orders).replaceAll(' and ', ', ').replaceAll(' to ', '–');
}

/** Runs of lines whose ends lie on one another. */
function alike(ends: readonly Row[]): Row[][] {
  const groups: Row[][] = [];
  for (const row of ends) {
    const group = groups.at(-1);
    if (group && Number(row.index) - Number(group[0]!.index) < SAME_PLACE) group.push(row);
    else groups.push([row]);
  }
  return groups;
}

export const unusableChart: Chart = {
  id: 'unusable-index',
  title: 'Share of free memory too fragmented to use',
  description:
    'The unusable free space index over time: for each order, the share of free memory that lies in blocks smaller than it.',
  how: 'For each request size, the share of free memory that lies in pieces too small for it: 0 means all free memory could serve, 1 means none of it could. This is the number /sys/kernel/debug/extfrag/unusable_index prints. Lines of large orders lie above those of small ones, and each ends in its order. A band is what the bounds of the reconstruction leave open; choose an order to see it alone. One zone at a time: the largest, unless a zone is chosen above.',
  overTime: true,
  table: { dataset: 'indices', columns: INDEX_COLUMNS },
  emptyText: 'The free lists could not be reconstructed.',
  hasData: (data) => data.timeline.zones.length > 0,
  rows: (data, view) => indexDatasets(data, view, indexRows(data, view, unusableFound)),
  spec: (data, view) =>
    timeChart({
      data,
      view,
      title: unusableChart.title,
      description: unusableChart.description,
      height: 150,
      bounds: { band: true },
      layer: [
        bandLayer(data, 'unusable share'),
        lineLayer(data, 'unusable share', [0, 1]),
        labelLayer('unusable share', true),
        labelLayer('unusable share', false),
      ],
    }),
};

export const extfragIndexChart: Chart = {
  id: 'extfrag-index',
  title: 'Shortage or fragmentation?',
  description:
    'The external fragmentation index over time, wherever no block of an order is free: near 0 memory is short, near 1 it is in pieces.',
  how: 'Drawn only while no block of that order is free at all in the zone (the largest, unless one is chosen above). Near 1 there is memory but in pieces, so compaction would help; near 0 memory is simply short, so only freeing some would. Each line ends in its order. A band is what the bounds of the reconstruction leave open; choose an order to see it alone. This is the number /sys/kernel/debug/extfrag/extfrag_index prints; the kernel skips compaction below 0.5.',
  overTime: true,
  table: { dataset: 'indices', columns: INDEX_COLUMNS },
  emptyText: 'A block of every order was free at all times, so the index has no value.',
  hasData: (data) =>
    data.timeline.zones.length > 0 &&
    data.timeline.zones[0]!.last.some((_, q) => neverFreeSomewhere(data, q)),
  rows: (data, view) => indexDatasets(data, view, indexRows(data, view, extfragFound)),
  spec: (data, view) =>
    timeChart({
      data,
      view,
      title: extfragIndexChart.title,
      description: extfragIndexChart.description,
      height: 150,
      bounds: { band: true },
      layer: [
        {
          data: { values: [{ threshold: 0.5 }] },
          mark: { type: 'rule', strokeDash: [4, 3], opacity: 0.6, color: { expr: 'faint' } },
          encoding: { y: { field: 'threshold', type: 'quantitative' } },
        },
        bandLayer(data, 'short 0 … 1 in pieces'),
        lineLayer(data, 'short 0 … 1 in pieces', [0, 1]),
        labelLayer('short 0 … 1 in pieces', true),
        labelLayer('short 0 … 1 in pieces', false),
      ],
    }),
};

/** True if in some bucket no block of order q or above was free in the main zone. */
function neverFreeSomewhere(data: ReportData, q: number): boolean {
  const { buckets, zones } = data.timeline;
  const zone = zones[mainZone(data)];
  for (let b = 0; b < buckets; b++) {
    let blocks = 0;
    for (let o = q; o < data.orders; o++) blocks += zone?.last[o]?.[b] ?? 0;
    if (blocks === 0) return true;
  }
  return false;
}
