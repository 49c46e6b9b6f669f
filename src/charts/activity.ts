/**
 * Chart: what the kernel and the workload were doing: compaction, reclaim, kills, and the markers that
 * were written into the trace.
 */
import { ACTIVITIES, type ReportData } from '../analysis/report-data.js';
import { type Chart, type ChartView, type Row, toSeconds } from './chart.js';
import { ACTIVITY_COLORS, laneAxis } from './theme.js';
import { lossRows, timeChart, timeX } from './time-chart.js';

const LANE = 20;
const MARKERS = 'markers';
/** Columns a character of a label takes. */
const CHARACTER_COLUMNS = 4.2;

function lanes(data: ReportData): string[] {
  const found = new Set<string>((data.activity ?? []).map(({ activity }) => activity));
  const kept: string[] = ACTIVITIES.filter((activity) => found.has(activity));
  return data.timeline.markers.length > 0 ? [...kept, MARKERS] : kept;
}

export const activityChart: Chart = {
  id: 'activity',
  title: 'What the kernel was doing meanwhile',
  description:
    'When compaction, reclaim, kswapd, CMA allocations and OOM kills ran, and the markers in the trace.',
  how: 'A bar is a time in which the kernel worked on memory: compaction moves pages together to make large blocks, direct reclaim is a task that frees memory because its own request found none, kswapd frees memory in the background, an OOM kill ends a process to get its memory. Bars that lie close together are drawn as one. Markers are notes that the workload wrote into the trace. Compare with the windows above: large blocks come back where compaction or reclaim succeed.',
  overTime: true,
  table: {
    dataset: 'spans',
    columns: [
      ['lane', 'What'],
      ['from', 'From (s)'],
      ['to', 'To (s)'],
      ['count', 'Runs'],
      ['text', 'Text'],
    ],
  },
  emptyText:
    'No compaction, reclaim or kill is in the recording, and no marker: either they did not happen or their events were not recorded.',
  hasData: (data) => lanes(data).length > 0,
  caveat: (data) => {
    const none = ACTIVITIES.filter((activity) => !lanes(data).includes(activity));
    if (none.length === 0) return null;
    return `Not in the recording: ${none.join(', ')}. Either it did not happen or its events were not recorded.`;
  },
  rows: (data, view) => {
    const spans: Row[] = (data.activity ?? []).map(({ activity, fromNs, toNs, count }) => ({
      lane: activity,
      from: toSeconds(data, fromNs),
      to: toSeconds(data, toNs),
      count,
      text: '',
      label: '',
      before: '',
    }));
    spans.push(...markerRows(data, view));
    return { spans, ...lossRows(data, view) };
  },
  spec: (data, view) => {
    const domain = lanes(data);
    const y = {
      field: 'lane',
      type: 'nominal',
      scale: { domain, paddingInner: 0.3, paddingOuter: 0.2 },
      axis: laneAxis('activity'),
    };
    const color = {
      field: 'lane',
      type: 'nominal',
      scale: { domain, range: domain.map((lane) => ACTIVITY_COLORS[lane] ?? '#6b7280') },
      legend: null,
    };
    return timeChart({
      data,
      view,
      title: activityChart.title,
      description: activityChart.description,
      height: domain.length * LANE,
      events: true,
      layer: [
        {
          data: { name: 'spans' },
          // The outline keeps a bar visible that is narrower than a pixel.
          mark: { type: 'rect', clip: true, strokeWidth: 1.5 },
          encoding: {
            x: timeX('from'),
            x2: { field: 'to' },
            y,
            fill: color,
            stroke: color,
            tooltip: [
              { field: 'lane', type: 'nominal', title: 'what' },
              { field: 'text', type: 'nominal', title: 'text' },
              { field: 'from', type: 'quantitative', title: 'from (s)', format: '.6f' },
              { field: 'to', type: 'quantitative', title: 'to (s)', format: '.6f' },
              { field: 'count', type: 'quantitative', title: 'runs' },
            ],
          },
        },
        // Marks that follow at once would run through a label: it has a halo.
        ...[true, false].flatMap((halo) => [
          { ...labelLayer('label', halo), encoding: labelAt(y, 'label') },
          { ...labelLayer('before', halo), encoding: labelAt(y, 'before') },
        ]),
      ],
    });
  },
};

/** Markers with a label where there is room for it: behind the mark, at the right edge before it. */
function markerRows(data: ReportData, view: ChartView): Row[] {
  const columnNs = (view.toNs - view.fromNs) / Math.max(1, view.columns);
  let free = Number.NEGATIVE_INFINITY;
  return data.timeline.markers.map(({ timeNs, text }) => {
    const words = text.replace(/^phase /, '');
    const widthNs = (words.length + 2) * CHARACTER_COLUMNS * columnNs;
    const inView = timeNs >= view.fromNs && timeNs <= view.toNs;
    const behind = inView && timeNs >= free && timeNs + widthNs <= view.toNs;
    const before = inView && !behind && timeNs - widthNs >= Math.max(free, view.fromNs);
    if (behind) free = timeNs + widthNs;
    else if (before) free = timeNs;
    const at = toSeconds(data, timeNs);
    const labels = { label: behind ? words : '', before: before ? words : '' };
    return { lane: MARKERS, from: at, to: at, count: 1, text, ...labels };
  });
}

function labelLayer(field: 'label' | 'before', halo: boolean) {
  return {
    data: { name: 'spans' },
    mark: {
      type: 'text',
      clip: true,
      align: field === 'label' ? 'left' : 'right',
      baseline: 'middle',
      dx: field === 'label' ? 4 : -4,
      fontSize: 11,
      color: { expr: 'ink' },
      ...(halo ? { stroke: { expr: 'paper' }, strokeWidth: 4, strokeJoin: 'round' } : {}),
    },
  };
}

function labelAt(y: object, field: string) {
  return { x: timeX('from'), y, text: { field, type: 'nominal' } };
}
