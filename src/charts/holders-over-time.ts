/**
 * Chart: who holds pages that cannot be moved, over time.
 */
import type { HolderSample, ReportData } from '../analysis/report-data.js';
import { LOSS_SIGNS } from './certainty-legend.js';
import { type Chart, pagesTitle, type Row, toSeconds } from './chart.js';
import { holderLabel } from './holders.js';
import { bandMark, CATEGORY_COLORS, legendColumns } from './theme.js';
import { lossRows, timeChart, timeX, valueY } from './time-chart.js';

const TOP_OVER_TIME = 8;
const OTHERS = 'all others';

/** Indices of the holders that get a colour of their own, most pages first. */
function leading(data: ReportData): number[] {
  const most = new Map<number, number>();
  for (const sample of data.holders?.samples ?? []) {
    for (const [index, pages] of sample.top) {
      if (index >= 0) most.set(index, Math.max(most.get(index) ?? 0, pages));
    }
  }
  return [...most]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, TOP_OVER_TIME)
    .map(([index]) => index);
}

export const holdersOverTimeChart: Chart = {
  id: 'holders-over-time',
  title: 'Immovable pages over time',
  description: 'Immovable pages allocated in the recording and held at each moment, by holder.',
  how: 'Pages that cannot be moved, stacked by who holds them. A burst that appears just before the windows above open is a suspect. Where events were lost, a grey band covers what may have been freed unseen. Of pages allocated before the recording it has those that a page_owner dump names.',
  overTime: true,
  showsHeld: true,
  table: {
    dataset: 'held',
    columns: [
      ['t', 'Time (s)'],
      ['holder', 'Holder'],
      ['pages', 'Pages'],
    ],
  },
  emptyText: 'No immovable allocation was recorded.',
  hasData: (data) => leading(data).length > 0,
  rows: (data, view) => ({
    held: heldRows(data, view.zone),
    doubt: heldDoubtRows(data, view.zone),
    ...lossRows(data, view),
  }),
  spec: (data, view) => {
    const names = [...leading(data).map((i) => holderLabel(data.holders!.holders[i]!)), OTHERS];
    return timeChart({
      data,
      view,
      title: holdersOverTimeChart.title,
      description: holdersOverTimeChart.description,
      height: 150,
      events: true,
      signs: data.timeline.lost.length > 0 ? [LOSS_SIGNS.heldBand] : [],
      layer: [
        {
          data: { name: 'held' },
          mark: { type: 'area', interpolate: 'step-before', clip: true },
          encoding: {
            x: timeX('t'),
            y: { field: 'pages', stack: 'zero', ...valueY(pagesTitle(data)) },
            color: {
              field: 'holder',
              type: 'nominal',
              scale: {
                domain: names,
                range: [...CATEGORY_COLORS.slice(0, names.length - 1), '#6b7280'],
              },
              legend: {
                title: 'Holder',
                symbolType: 'square',
                labelLimit: 240,
                columns: legendColumns(260),
              },
            },
            tooltip: [
              { field: 'holder', type: 'nominal' },
              { field: 'pages', type: 'quantitative', format: ',' },
            ],
          },
        },
        {
          data: { name: 'doubt' },
          mark: { ...bandMark('ink'), interpolate: 'step-before' },
          encoding: {
            x: timeX('t'),
            y: { field: 'sure', ...valueY(pagesTitle(data)) },
            y2: { field: 'total' },
          },
        },
      ],
    });
  },
};

/** Samples of one zone, or of all; a machine of one zone has no others. */
export function holderSamples(data: ReportData, zone: number | null): readonly HolderSample[] {
  const { samples = [], zoneSamples } = data.holders ?? {};
  return (zone === null ? null : zoneSamples?.[zone]) ?? samples;
}

function heldRows(data: ReportData, zone: number | null): Row[] {
  const lead = leading(data);
  const rows: Row[] = [];
  for (const sample of holderSamples(data, zone)) {
    const t = toSeconds(data, sample.timeNs);
    const held = new Map(sample.top);
    let rest = sample.total;
    for (const index of lead) {
      const pages = held.get(index) ?? 0;
      rest -= pages;
      rows.push({ t, holder: holderLabel(data.holders!.holders[index]!), pages });
    }
    rows.push({ t, holder: OTHERS, pages: rest });
  }
  return rows;
}

/** Of all that is held: what was allocated since events were lost last, and the whole. */
function heldDoubtRows(data: ReportData, zone: number | null): Row[] {
  if (data.timeline.lost.length === 0) return [];
  return holderSamples(data, zone).map(({ timeNs, total, doubtful }) => ({
    t: toSeconds(data, timeNs),
    sure: total - doubtful,
    total,
  }));
}
