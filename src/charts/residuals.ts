/**
 * Chart: how far the replay was from the kernel's own counts at each snapshot.
 */
import { type Chart, type Row, toSeconds, zoneName } from './chart.js';
import { CATEGORY_COLORS, legendColumns } from './theme.js';
import { honestyRows, tickedAxis, timeChart, timeX, valueY } from './time-chart.js';

export const residualsChart: Chart = {
  id: 'residuals',
  title: 'How far the replay was off',
  description:
    'At each snapshot of the kernel’s free lists, the pages by which the replay differed before it was corrected.',
  how: 'Whenever the recording holds the kernel’s own counts, the replay is compared with them before it takes them over. Each mark is the sum of all differences in one zone, in pages: 0 is perfect. Large values mean that something moved pages without leaving an event (compaction, lost events); the bounds in the other charts widen accordingly.',
  overTime: true,
  table: {
    dataset: 'residuals',
    columns: [
      ['t', 'Time (s)'],
      ['zone', 'Zone'],
      ['pages', 'Pages off'],
      ['free', 'Pages free'],
      ['source', 'Snapshot'],
    ],
  },
  emptyText: 'The recording holds no snapshot to check the replay against.',
  hasData: (data) => data.replay?.level !== 'snapshots' && data.residuals.length > 0,
  rows: (data, view) => {
    const residuals: Row[] = [];
    for (const residual of data.residuals) {
      // Marks are not cut off at the edges, so those outside are left out here.
      if (residual.timeNs < view.fromNs || residual.timeNs > view.toNs) continue;
      for (const zone of residual.zones) {
        const index = data.zones.findIndex((z) => z.node === zone.node && z.zone === zone.zone);
        if (view.zone !== null && view.zone !== index) continue;
        residuals.push({
          t: toSeconds(data, residual.timeNs),
          zone: index < 0 ? zone.zone : zoneName(data, index),
          pages: zone.pages,
          free: zone.freePages,
          source: residual.source,
        });
      }
    }
    return { residuals, ...honestyRows(data, view) };
  },
  spec: (data, view) =>
    timeChart({
      data,
      view,
      title: residualsChart.title,
      description: residualsChart.description,
      height: 120,
      layer: [
        {
          data: { name: 'residuals' },
          mark: { type: 'point', filled: true, size: 34, opacity: 0.85 },
          encoding: {
            x: timeX('t'),
            y: {
              field: 'pages',
              ...valueY('pages off', {
                scale: { type: 'symlog', constant: 8, domainMin: 0, padding: 5 },
              }),
              axis: tickedAxis('pages off', [0, 3, 10, 30, 100, 300, 1e3, 3e3, 1e4, 1e5, 1e6, 1e7]),
            },
            color: {
              field: 'zone',
              type: 'nominal',
              scale: {
                domain: data.zones.map((_, i) => zoneName(data, i)),
                range: data.zones.map((_, i) => CATEGORY_COLORS[i % CATEGORY_COLORS.length]!),
              },
              legend: { title: 'Zone', columns: legendColumns(120) },
            },
            tooltip: [
              { field: 'zone', type: 'nominal' },
              { field: 'pages', type: 'quantitative', title: 'pages off', format: ',' },
              { field: 'free', type: 'quantitative', title: 'pages free', format: ',' },
              { field: 't', type: 'quantitative', title: 'at (s)', format: '.6f' },
            ],
          },
        },
      ],
    }),
};
