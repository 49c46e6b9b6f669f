/**
 * Chart: the machine's pageblocks in address order, over time.
 *
 * Equal neighbouring cells of a row are joined. What is not known is not drawn: the hatched ground
 * shows through.
 */
import type { PhysicalMap, ReportData } from '../analysis/report-data.js';
import { bytesText } from '../analysis/words.js';
import {
  type Chart,
  type ChartView,
  type MapPlane,
  type Row,
  toSeconds,
  zoneName,
} from './chart.js';
import { columnsThatDiffer, MapColumn } from './map-column.js';
import {
  AXIS_WIDTH,
  hatch,
  legendColumns,
  POLLUTION_RANGE,
  SHARE_RANGE,
  TYPE_COLORS,
} from './theme.js';
import { honestyRows, timeChart, timeX } from './time-chart.js';

/** Shades of a share: cells are joined when they fall into the same one. */
const LEVELS = 20;
const TALLEST = 440;
const MIN_HEIGHT = 120;

export const MAP_PLANES: readonly { readonly plane: MapPlane; readonly title: string }[] = [
  { plane: 'free', title: 'share free' },
  { plane: 'largest', title: 'largest free block' },
  { plane: 'type', title: 'migratetype, as told or as the allocations show' },
  { plane: 'pollution', title: 'immovable pages in movable blocks' },
];

export function mapRows(map: PhysicalMap, view: ChartView): number[] {
  return map.rows.flatMap((row, i) => (view.zone === null || row.zone === view.zone ? [i] : []));
}

/** Shares are rounded, so that cells alike can be joined. */
function cellValue(column: MapColumn, row: number): number | string | null {
  const value = column.value(row);
  const share = typeof value === 'number' && column.isShare;
  return share ? Math.round(value * LEVELS) / LEVELS : value;
}

export const physicalMapChart: Chart = {
  id: 'physical-map',
  title: 'Physical memory, block by block',
  description:
    'Every pageblock of memory in address order (bottom to top) over time, shaded by how much of it is free, or by another property.',
  how: 'Memory from the lowest address (bottom) to the highest (top), time to the right; each row is a pageblock, or a few of them on large machines. Light is free, dark is in use. Scattered half-light rows are what fragmentation looks like: free pages everywhere, whole blocks nowhere. Switch to migratetype or to immovable pages to see why a block cannot be emptied. Hatched means not known, pale that less than half of the pages are. Click a row for its pages.',
  overTime: true,
  table: {
    dataset: 'blocks',
    columns: [
      ['pfn', 'First pfn'],
      ['zone', 'Zone'],
      ['from', 'From (s)'],
      ['to', 'To (s)'],
      ['value', 'Value'],
    ],
  },
  emptyText: 'Page positions are not known from this input.',
  choice: {
    field: 'plane',
    label: 'What the map shows',
    options: () => [
      ['free', 'Share free'],
      ['largest', 'Largest free block'],
      ['type', 'Migratetype'],
      ['pollution', 'Immovable pages'],
    ],
  },
  hasData: (data) => data.physicalMap !== null && data.physicalMap.rows.length > 0,
  rows: (data, view) => ({ ...blockRows(data, view), ...honestyRows(data, view) }),
  spec: (data, view) => {
    const count = data.physicalMap ? mapRows(data.physicalMap, view).length : 0;
    return timeChart({
      data,
      view,
      title: physicalMapChart.title,
      description: physicalMapChart.description,
      height: mapHeight(count),
      layer: [
        groundLayer(),
        blockLayer(data, view),
        zoneRules(),
        zoneLabels(true),
        zoneLabels(false),
      ],
      ground: true,
    });
  },
};

/** Whole pixels a row, so that rows neither blur nor leave seams. */
function mapHeight(rows: number): number {
  const pixels = Math.max(1, Math.min(24, Math.floor(TALLEST / Math.max(1, rows))));
  return Math.max(MIN_HEIGHT, rows * pixels);
}

function blockRows(data: ReportData, view: ChartView): { blocks: Row[]; zones: Row[] } {
  const map = data.physicalMap;
  if (!map) return { blocks: [], zones: [] };
  const columns = map.timesNs.map((_, c) => new MapColumn(map, view.plane, c));
  const shown = mapRows(map, view);
  const edges = [...map.timesNs.map((t) => toSeconds(data, t))];
  edges.push(edges[edges.length - 1] ?? 0);
  const blocks: Row[] = [];
  shown.forEach((rowIndex, y) => {
    const { zone, pfn } = map.rows[rowIndex]!;
    const name = zoneName(data, zone);
    let start = 0;
    let value = columns.length > 0 ? cellValue(columns[0]!, rowIndex) : null;
    let opacity = columns[0]?.opacity(rowIndex) ?? 1;
    for (const c of [...columnsThatDiffer(map, view.plane, rowIndex).slice(1), columns.length]) {
      const next = c < columns.length ? cellValue(columns[c]!, rowIndex) : undefined;
      const nextOpacity = columns[c]?.opacity(rowIndex) ?? 1;
      if (next === value && nextOpacity === opacity) continue;
      if (value !== null) {
        // Spelled out: to spread what they share takes V8 ten times as long.
        blocks.push({
          y,
          y2: y + 1,
          pfn,
          zone: name,
          row: rowIndex,
          from: edges[start]!,
          to: edges[c]!,
          value,
          shown: text(view.plane, value),
          known: opacity < 1 ? 'less than half of its pages' : '',
          opacity,
        });
      }
      start = c;
      opacity = nextOpacity;
      value = next ?? null;
    }
  });
  return { blocks, zones: zoneRows(data, map, shown) };
}

function text(plane: MapPlane, value: number | string): string {
  if (plane === 'type') return String(value);
  if (plane === 'largest') return value === -1 ? 'no free page' : `order ${value}`;
  return `${Math.round(Number(value) * 100)} %`;
}

/** Pixels a label takes in height, a character in width, and what lies between two. */
const LABEL = { height: 15, character: 6.6, gap: 14, left: 6 };

/** Where each zone begins, with its label; a label too near to the one below moves to its right. */
function zoneRows(data: ReportData, map: PhysicalMap, shown: readonly number[]): Row[] {
  const rows: Row[] = [];
  const pixels = mapHeight(shown.length) / Math.max(1, shown.length);
  let lastY = Number.NEGATIVE_INFINITY;
  let x = LABEL.left;
  shown.forEach((rowIndex, y) => {
    const row = map.rows[rowIndex]!;
    const before = y > 0 ? map.rows[shown[y - 1]!]! : null;
    if (before?.zone === row.zone) return;
    const label = `${zoneName(data, row.zone)}: ${spanText(data, map, row.zone)}`;
    if ((y - lastY) * pixels >= LABEL.height) x = LABEL.left;
    rows.push({ y, x, label });
    lastY = y;
    x += label.length * LABEL.character + LABEL.gap;
  });
  // The top: what is wholly unknown has no cell to stretch the scale.
  rows.push({ y: shown.length, x: LABEL.left, label: '' });
  return rows;
}

/** `16 MiB to 320 MiB`, first to last address of what is known of a zone. */
function spanText(data: ReportData, map: PhysicalMap, zone: number): string {
  const rows = map.rows.filter((row) => row.zone === zone);
  const from = Math.min(...rows.map((row) => row.pfn));
  const to = Math.max(...rows.map((row) => row.pfn + row.pages));
  return `${bytesText(from * data.pageSize)} to ${bytesText(to * data.pageSize)}`;
}

function blockY(field: string, title: string | null = 'physical address →') {
  return {
    field,
    type: 'quantitative',
    scale: { nice: false, zero: true, domainMin: 0 },
    axis: {
      title,
      labels: false,
      ticks: false,
      grid: false,
      minExtent: AXIS_WIDTH,
      maxExtent: AXIS_WIDTH,
    },
  };
}

function groundLayer() {
  return {
    data: { values: [{}] },
    mark: { type: 'rect', fill: hatch(), x: 0, x2: 'width', y: 0, y2: 'height', tooltip: null },
  };
}

function valueColor(data: ReportData, view: ChartView) {
  const title = MAP_PLANES.find(({ plane }) => plane === view.plane)?.title ?? '';
  if (view.plane === 'type') {
    const names = Object.keys(TYPE_COLORS).filter((name) => name !== 'unknown');
    return {
      field: 'value',
      type: 'nominal',
      scale: { domain: names, range: names.map((name) => TYPE_COLORS[name]!) },
      legend: { title, symbolType: 'square', columns: legendColumns(110) },
    };
  }
  const domain = view.plane === 'largest' ? [-1, data.pageblockOrder] : [0, 1];
  const range = view.plane === 'pollution' ? POLLUTION_RANGE : SHARE_RANGE;
  const format = view.plane === 'largest' ? 'd' : '.0%';
  return {
    field: 'value',
    type: 'quantitative',
    scale: {
      domain,
      range,
      interpolate: 'rgb',
      ...(view.plane === 'pollution' ? { type: 'sqrt' } : {}),
    },
    legend: {
      title,
      format,
      ...(view.plane === 'largest' ? {} : { values: [0, 0.25, 0.5, 0.75, 1] }),
      gradientLength: { expr: 'min(220, room)' },
      gradientThickness: 10,
    },
  };
}

function blockLayer(data: ReportData, view: ChartView) {
  return {
    name: 'blocks',
    data: { name: 'blocks' },
    mark: { type: 'rect', clip: true, strokeWidth: 0 },
    encoding: {
      x: timeX('from'),
      x2: { field: 'to' },
      y: blockY('y'),
      y2: { field: 'y2' },
      fill: valueColor(data, view),
      opacity: { field: 'opacity', type: 'quantitative', scale: null },
      tooltip: [
        { field: 'zone', type: 'nominal', title: 'zone' },
        { field: 'pfn', type: 'quantitative', title: 'first pfn' },
        { field: 'shown', type: 'nominal', title: 'here' },
        { field: 'known', type: 'nominal', title: 'known' },
        { field: 'from', type: 'quantitative', title: 'since (s)', format: '.3f' },
      ],
    },
  };
}

function zoneRules() {
  return {
    data: { name: 'zones' },
    mark: { type: 'rule', strokeWidth: 1.2, opacity: 0.8, color: { expr: 'ink' } },
    encoding: { y: blockY('y') },
  };
}

function zoneLabels(halo: boolean) {
  return {
    data: { name: 'zones' },
    mark: {
      type: 'text',
      align: 'left',
      baseline: 'bottom',
      dy: -3,
      fontSize: 11,
      fontWeight: 600,
      color: '#1c2430',
      ...(halo ? { stroke: 'rgba(255,255,255,0.85)', strokeWidth: 4, strokeJoin: 'round' } : {}),
    },
    encoding: {
      x: { field: 'x', type: 'quantitative', scale: null },
      y: blockY('y'),
      text: { field: 'label', type: 'nominal' },
    },
  };
}
