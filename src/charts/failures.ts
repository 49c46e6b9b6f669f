/**
 * Chart: when which order fails. Windows by order over time, coloured by reason, with the requests
 * that the kernel really refused marked on them.
 *
 * Windows closer together than a pixel or so are drawn as one; its opacity says which share of it
 * fails, and the tooltip how many windows it stands for.
 */

import { isOneCopy } from '../analysis/copies-alone.js';
import { edgeWords } from '../analysis/edge-words.js';
import { isJudged, onlyJudged } from '../analysis/judged.js';
import type { ReportData } from '../analysis/report-data.js';
import type { AttemptClass, FailureWindow } from '../analysis/types.js';
import { bytesText } from '../analysis/words.js';
import { type Chart, type ChartView, type Row, toSeconds } from './chart.js';
import { laneAxis, legendColumns, REASON_COLORS } from './theme.js';
import { honestyRows, timeChart, timeX } from './time-chart.js';

const ROW_HEIGHT = 24;
/** A mark for refusals needs the room of about this many columns. */
const MARK_COLUMNS = 7;

interface Merged {
  from: number;
  to: number;
  failing: number;
  count: number;
  first: FailureWindow;
  certainty: string;
}

export const failuresChart: Chart = {
  id: 'failures',
  title: 'When atomic allocations would have failed',
  description:
    'Windows of time in which a GFP_ATOMIC request of each order fails, coloured by reason, with the requests the kernel really refused.',
  how: 'Each row is a size of request: order n asks for 2ⁿ pages in one piece, so the rows go from 2 pages at the bottom to the largest blocks at the top. A coloured bar is a span of time in which such a request would have been refused; its colour says why. Fragmented: enough pages are free, but not in one piece. Below watermark: too few pages may be used, in whatever pieces. Lowmem reserve: a lower zone has them but keeps them. Only highatomic, only CMA: there are blocks, but not for this request. Paler bars rest on the best estimate, full ones hold whatever the bounds. Diamonds are requests the kernel itself refused in the recording: filled ones were atomic, hollow ones had something else to try. Large orders failing now and then is normal; bars in the lower rows are what drivers notice.',
  overTime: true,
  showsMoment: true,
  table: {
    dataset: 'windows',
    columns: [
      ['order', 'Order'],
      ['from', 'From (s)'],
      ['to', 'To (s)'],
      ['ms', 'Failing (ms)'],
      ['reason', 'Reason'],
      ['certainty', 'Certainty'],
      ['count', 'Windows'],
    ],
  },
  emptyText: 'No order would have failed at any time.',
  hasData: () => true,
  rows: (data, view) => ({
    windows: windowRows(data, view),
    refusals: refusalRows(data, view),
    nothing: nothingRows(data, view),
    ...honestyRows(data, view),
  }),
  spec: (data, view) =>
    timeChart({
      data,
      view,
      title: failuresChart.title,
      description: failuresChart.description,
      height: Math.max(4, data.orders - 1) * ROW_HEIGHT,
      layer: [windowLayer(data), refusalLayer(data), nothingLayer(data)],
      bounds: { paler: true },
    }),
};

/** One copy is a moment: there are no seconds along it. */
function timeAxis(data: ReportData) {
  return isOneCopy(data) ? { labels: false, ticks: false } : {};
}

function orderY(data: ReportData) {
  const orders = Array.from({ length: data.orders - 1 }, (_, i) => data.orders - 1 - i);
  return {
    field: 'order',
    type: 'ordinal',
    scale: { domain: orders, paddingInner: 0.22, paddingOuter: 0.1 },
    axis: laneAxis('size asked for · order n (2ⁿ pages)', { labelExpr: sizeLabels(data) }),
  };
}

/** `32 KiB · 3` as a Vega expression. */
function sizeLabels(data: ReportData): string {
  const labels = Array.from({ length: data.orders }, (_, n) => {
    const size = bytesText(2 ** n * data.pageSize).replaceAll('\u00a0', ' ');
    return `${size} · ${n}`;
  });
  return `${JSON.stringify(labels)}[datum.value]`;
}

/** Beside the legend of refusals, where both have room in one row. */
const REASON_COLUMNS = 'max(1, floor((room < 468 ? room : room - 340) / 118))';

function windowLayer(data: ReportData) {
  const reasons = Object.keys(REASON_COLORS);
  return {
    name: 'windows',
    data: { name: 'windows' },
    mark: { type: 'rect', clip: true, strokeWidth: 1, cursor: 'pointer' },
    encoding: {
      x: timeX('from', timeAxis(data)),
      x2: { field: 'to' },
      y: orderY(data),
      fill: {
        field: 'reason',
        type: 'nominal',
        scale: { domain: reasons, range: Object.values(REASON_COLORS) },
        legend:
          data.windows.length === 0
            ? null
            : {
                title: 'Why it fails',
                values: reasonsIn(data),
                columns: { expr: REASON_COLUMNS },
                symbolType: 'square',
                labelExpr: "replace(datum.label, regexp('-', 'g'), ' ')",
              },
      },
      stroke: { field: 'color', type: 'nominal', scale: null },
      opacity: {
        field: 'solid',
        type: 'quantitative',
        scale: { domain: [0, 1], range: [0.2, 1] },
        legend: null,
      },
      tooltip: [
        { field: 'order', type: 'ordinal', title: 'order' },
        { field: 'reason', type: 'nominal', title: 'why' },
        { field: 'from', type: 'quantitative', title: 'from (s)', format: '.6f' },
        { field: 'to', type: 'quantitative', title: 'to (s)', format: '.6f' },
        { field: 'ms', type: 'quantitative', title: 'failing (ms)', format: ',.3~f' },
        { field: 'count', type: 'quantitative', title: 'windows' },
        { field: 'certainty', type: 'nominal', title: 'certainty' },
        { field: 'opened', type: 'nominal', title: 'began when' },
      ],
    },
  };
}

/** Reasons that occur, in the order of the colours. */
function reasonsIn(data: ReportData): string[] {
  const found = new Set<string>(data.windows.map((window) => window.reason));
  const known = Object.keys(REASON_COLORS).filter((reason) => found.has(reason));
  return known.length > 0 ? known : ['fragmented'];
}

/** Who was refused, in words of the legend. */
const ATOMIC = 'atomic: nothing else to try';
const OTHER = 'could wait, retry or take less';

function refusalLayer(data: ReportData) {
  const atomic = `datum.kind === '${ATOMIC}'`;
  return {
    name: 'refusals',
    data: { name: 'refusals' },
    mark: { type: 'point', clip: true, shape: 'diamond', opacity: 0.95 },
    encoding: {
      x: timeX('t', timeAxis(data)),
      y: orderY(data),
      size: {
        field: 'count',
        type: 'quantitative',
        scale: { type: 'sqrt', domain: [1, 100], range: [40, 140], clamp: true },
        legend: null,
      },
      fill: {
        field: 'kind',
        type: 'nominal',
        scale: { domain: [ATOMIC, OTHER], range: [{ expr: 'ink' }, { expr: 'paper' }] },
        legend:
          data.attempts.refusals.length === 0
            ? null
            : {
                title: 'Refused by the kernel itself',
                titleLimit: 400,
                symbolType: 'diamond',
                symbolSize: 70,
                columns: legendColumns(190),
              },
      },
      stroke: {
        condition: { test: atomic, value: { expr: 'paper' } },
        value: { expr: 'ink' },
      },
      // A thick rim in the colour of paper would make a small filled one look hollow.
      strokeWidth: { condition: { test: atomic, value: 0.6 }, value: 1.4 },
      tooltip: [
        { field: 'order', type: 'ordinal', title: 'refused order' },
        { field: 'count', type: 'quantitative', title: 'requests' },
        { field: 'class', type: 'nominal', title: 'kind' },
        { field: 't', type: 'quantitative', title: 'at about (s)', format: '.6f' },
      ],
    },
  };
}

/** In words when no window is in view: an empty grid says nothing. */
function nothingLayer(data: ReportData) {
  return {
    data: { name: 'nothing' },
    mark: { type: 'text', fontSize: 15, color: { expr: 'faint' } },
    encoding: {
      x: { value: { expr: 'width / 2' } },
      y: { value: (Math.floor(Math.max(4, data.orders - 1) / 2) - 0.5) * ROW_HEIGHT },
      text: { field: 'text', type: 'nominal' },
    },
  };
}

function nothingRows(data: ReportData, view: ChartView): Row[] {
  const shown = data.windows.some(
    (w) =>
      w.gfp === view.gfp &&
      (view.order === null || w.order === view.order) &&
      w.toNs >= view.fromNs &&
      w.fromNs <= view.toNs,
  );
  if (shown) return [];
  if (view.order !== null && !isJudged(data, view.order)) {
    return [{ text: `Order ${view.order} was not judged: the report is of ${onlyJudged(data)}` }];
  }
  const which = view.order === null ? 'No order' : `Order ${view.order}`;
  const verb = view.order === null ? 'would have failed' : 'would not have failed';
  return [{ text: `${which} ${verb} at any moment shown${howSure(data, view)}` }];
}

/** That nothing failed is no more certain than the free lists of the moments shown. */
function howSure(data: ReportData, view: ChartView): string {
  const certainty = new Set(honestyRows(data, view).certainty!.map((row) => row.certainty));
  if (certainty.has('unknown')) return ', as far as is known';
  return certainty.has('bounded') ? ', by the best estimate' : '';
}

export function windowRows(data: ReportData, view: ChartView): Row[] {
  const gapNs = (view.toNs - view.fromNs) / Math.max(1, view.columns * 2);
  const open = new Map<string, Merged>();
  const done: Merged[] = [];
  for (const window of data.windows) {
    if (window.toNs < view.fromNs || window.fromNs > view.toNs) continue;
    if (view.order !== null && window.order !== view.order) continue;
    if (window.gfp !== view.gfp) continue;
    const key = `${window.order} ${window.reason} ${window.certainty}`;
    const merged = open.get(key);
    if (merged && window.fromNs - merged.to < gapNs) {
      merged.to = Math.max(merged.to, window.toNs);
      merged.failing += window.toNs - window.fromNs;
      merged.count++;
      continue;
    }
    const fresh = {
      from: window.fromNs,
      to: isOneCopy(data) ? view.toNs : window.toNs,
      failing: window.toNs - window.fromNs,
      count: 1,
      first: window,
      certainty: window.certainty,
    };
    open.set(key, fresh);
    done.push(fresh);
  }
  return done.map((merged) => windowRow(data, merged));
}

function windowRow(data: ReportData, merged: Merged): Row {
  const { first } = merged;
  const share =
    merged.to > merged.from ? Math.min(1, merged.failing / (merged.to - merged.from)) : 1;
  const sure = merged.certainty === 'exact' ? 1 : merged.certainty === 'bounded' ? 0.62 : 0.35;
  return {
    order: first.order,
    reason: first.reason,
    color: first.reason === 'none' ? 'transparent' : REASON_COLORS[first.reason],
    from: toSeconds(data, merged.from),
    to: toSeconds(data, merged.to),
    ms: merged.failing / 1e6,
    count: merged.count,
    certainty: merged.certainty,
    solid: sure * (0.45 + 0.55 * share),
    opened: first.openedBy ? edgeWords(first.openedBy) : '',
    fromNs: first.fromNs,
  };
}

function refusalRows(data: ReportData, view: ChartView): Row[] {
  const { timeline, attempts } = data;
  const rank = ['blocking', 'opportunistic', 'nowait', 'atomic'];
  const inView = (view.toNs - view.fromNs) / timeline.bucketNs;
  const step = Math.max(1, Math.ceil((inView * MARK_COLUMNS) / Math.max(1, view.columns)));
  const groups = new Map<
    string,
    { t: number; order: number; class: AttemptClass; kind: string; count: number }
  >();
  for (const { bucket, order, class: cls, count } of attempts.refusals) {
    if (order === 0 || (view.order !== null && order !== view.order)) continue;
    const group = Math.floor(bucket / step);
    const key = `${group} ${order} ${cls}`;
    const known = groups.get(key);
    if (known) known.count += count;
    else {
      const middle = Math.min(timeline.buckets, (group + 0.5) * step);
      const t = toSeconds(data, timeline.fromNs + middle * timeline.bucketNs);
      groups.set(key, { t, order, class: cls, kind: cls === 'atomic' ? ATOMIC : OTHER, count });
    }
  }
  return [...groups.values()].sort((a, b) => rank.indexOf(a.class) - rank.indexOf(b.class));
}
