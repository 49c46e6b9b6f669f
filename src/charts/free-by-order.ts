/**
 * Chart: free memory over time, stacked by the size of the block it lies in.
 */
import { type Column, columnsInView, lastIn, leastIn, mostIn } from './buckets.js';
import { type Chart, type Row, toSeconds, zonesInView } from './chart.js';
import { bandMark, legendColumns, ORDER_COLORS } from './theme.js';
import { honestyRows, timeChart, timeX, valueY } from './time-chart.js';

const MIB = 1 << 20;

export const freeByOrderChart: Chart = {
  id: 'free-by-order',
  title: 'Free memory by block size',
  description: 'Free memory over time, stacked by the order of the free block it lies in.',
  how: 'The height is all free memory. Small pieces lie at the foot (blue), large ones on top (yellow and orange). A thick blue stack with nothing yellow on top is fragmentation: plenty of memory, none of it in one piece. The thin lines mark the least and most free memory inside each column. Where counts are bounded rather than exact, a grey band shows the bounds of the whole.',
  overTime: true,
  table: {
    dataset: 'free',
    columns: [
      ['t', 'Time (s)'],
      ['order', 'Order'],
      ['blocks', 'Free blocks'],
      ['low', 'At least'],
      ['high', 'At most'],
      ['mib', 'MiB'],
    ],
  },
  emptyText: 'The free lists could not be reconstructed.',
  hasData: (data) => data.timeline.zones.length > 0,
  rows: (data, view) => {
    const zones = zonesInView(data, view).map((z) => data.timeline.zones[z]!);
    const free: Row[] = [];
    const extremes: Row[] = [];
    const total = (plane: 'low' | 'high', column: Column): number =>
      zones.reduce((sum, zone) => {
        const blocks = (zone[plane] ?? zone.last).map((row) => lastIn(row, column));
        return sum + blocks.reduce((pages, n, q) => pages + n * 2 ** q, 0);
      }, 0);
    for (const column of columnsInView(data.timeline, view, true)) {
      const t = toSeconds(data, column.startNs);
      const t2 = toSeconds(data, column.endNs);
      for (let order = 0; order < data.orders; order++) {
        if (view.order !== null && order < view.order) continue;
        const sum = (plane: 'last' | 'low' | 'high'): number =>
          zones.reduce((n, zone) => n + lastIn((zone[plane] ?? zone.last)[order] ?? [], column), 0);
        const blocks = sum('last');
        const mib = (blocks * 2 ** order * data.pageSize) / MIB;
        free.push({ t, order, blocks, low: sum('low'), high: sum('high'), mib });
      }
      if (view.order !== null) continue;
      const scale = data.pageSize / MIB;
      extremes.push({
        t,
        t2,
        least: zones.reduce((n, zone) => n + leastIn(zone.freePagesMin, column), 0) * scale,
        most: zones.reduce((n, zone) => n + mostIn(zone.freePagesMax, column), 0) * scale,
        low: total('low', column) * scale,
        high: total('high', column) * scale,
      });
    }
    return { free, extremes, ...honestyRows(data, view) };
  },
  spec: (data, view) =>
    timeChart({
      data,
      view,
      title: freeByOrderChart.title,
      description: freeByOrderChart.description,
      bounds: { band: true },
      layer: [
        {
          data: { name: 'free' },
          mark: { type: 'area', interpolate: 'step-after', clip: true, line: false },
          encoding: {
            x: timeX('t'),
            y: { field: 'mib', stack: 'zero', ...valueY('free (MiB)') },
            order: { field: 'order', sort: 'ascending' },
            color: {
              field: 'order',
              type: 'ordinal',
              scale: {
                domain: Array.from({ length: data.orders }, (_, q) => q),
                range: ORDER_COLORS.slice(0, data.orders),
              },
              legend: {
                title: 'Order of the free block',
                symbolType: 'square',
                columns: legendColumns(44),
              },
            },
          },
        },
        {
          data: { name: 'extremes' },
          mark: bandMark('ink'),
          encoding: {
            x: timeX('t'),
            y: { field: 'low', ...valueY('free (MiB)') },
            y2: { field: 'high' },
          },
        },
        ...(['least', 'most'] as const).map((field) => ({
          data: { name: 'extremes' },
          mark: {
            type: 'line',
            interpolate: 'step-after',
            clip: true,
            strokeWidth: 0.8,
            opacity: 0.7,
            color: { expr: 'ink' },
          },
          encoding: { x: timeX('t'), y: { field, ...valueY('free (MiB)') } },
        })),
      ],
    }),
};
