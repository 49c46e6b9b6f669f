/**
 * Chart: the machine's pageblocks in address order, over time.
 *
 * Equal neighbouring cells of a row are joined. What is not known is not drawn: the hatched ground
 * shows through.
 */
import type { PhysicalMap, ReportData } from '../analysis/report-data.js';
import { decodeBase64 } from './base64.js';
import {
  type Chart,
  type ChartView,
  type MapPlane,
  type Row,
  toSeconds,
  zoneName,
} from './chart.js';
import { AXIS_WIDTH, hatch, POLLUTION_RANGE, SHARE_RANGE, TYPE_COLORS } from './theme.js';
import { honestyRows, timeChart, timeX } from './time-chart.js';

const UNKNOWN = 255;
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

function planeBytes(map: PhysicalMap, plane: MapPlane): Uint8Array {
  return decodeBase64(map[plane]);
}

function cellValue(map: PhysicalMap, plane: MapPlane, byte: number): number | string | null {
  if (byte === UNKNOWN) return plane === 'largest' ? -1 : null;
  if (plane === 'type') return map.typeNames[byte] ?? `type ${byte}`;
  if (plane === 'largest') return byte;
  return Math.round((byte / 200) * LEVELS) / LEVELS;
}

export const physicalMapChart: Chart = {
  id: 'physical-map',
  title: 'Physical memory, block by block',
  description:
    'Every pageblock of memory in address order (bottom to top) over time, shaded by how much of it is free, or by another property.',
  how: 'Memory from the lowest address (bottom) to the highest (top), time to the right; each row is a pageblock, or a few of them on large machines. Light is free, dark is in use. Scattered half-light rows are what fragmentation looks like: free pages everywhere, whole blocks nowhere. Switch to migratetype or to immovable pages to see why a block cannot be emptied. Hatched means not known. Click a row for its pages.',
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
      strip: false,
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
  const bytes = planeBytes(map, view.plane);
  const shown = mapRows(map, view);
  const height = map.rows.length;
  const edges = [...map.timesNs.map((t) => toSeconds(data, t))];
  edges.push(edges[edges.length - 1] ?? 0);
  const blocks: Row[] = [];
  shown.forEach((rowIndex, y) => {
    const { zone, pfn } = map.rows[rowIndex]!;
    const base = { y, y2: y + 1, pfn, zone: zoneName(data, zone), row: rowIndex };
    let start = 0;
    let value = cellValue(map, view.plane, bytes[rowIndex] ?? UNKNOWN);
    for (let c = 1; c <= map.timesNs.length; c++) {
      const next =
        c < map.timesNs.length
          ? cellValue(map, view.plane, bytes[c * height + rowIndex] ?? UNKNOWN)
          : undefined;
      if (next === value) continue;
      if (value !== null) {
        blocks.push({
          ...base,
          from: edges[start]!,
          to: edges[c]!,
          value,
          shown: text(view.plane, value),
        });
      }
      start = c;
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

function zoneRows(data: ReportData, map: PhysicalMap, shown: readonly number[]): Row[] {
  const rows: Row[] = [];
  shown.forEach((rowIndex, y) => {
    const row = map.rows[rowIndex]!;
    const before = y > 0 ? map.rows[shown[y - 1]!]! : null;
    if (before?.zone === row.zone) return;
    const mib = (row.pfn * data.pageSize) / (1 << 20);
    rows.push({ y, label: `${zoneName(data, row.zone)}, from ${Math.round(mib)} MiB` });
  });
  return rows;
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
      legend: { title, symbolType: 'square', columns: { expr: 'max(1, floor(width / 110))' } },
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
      gradientLength: { expr: 'min(220, width - 20)' },
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
      tooltip: [
        { field: 'zone', type: 'nominal', title: 'zone' },
        { field: 'pfn', type: 'quantitative', title: 'first pfn' },
        { field: 'shown', type: 'nominal', title: 'here' },
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
      x: 6,
      fontSize: 11,
      fontWeight: 600,
      color: '#1c2430',
      ...(halo ? { stroke: 'rgba(255,255,255,0.85)', strokeWidth: 4, strokeJoin: 'round' } : {}),
    },
    encoding: { y: blockY('y'), text: { field: 'label', type: 'nominal' } },
  };
}
