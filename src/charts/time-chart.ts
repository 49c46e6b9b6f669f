/**
 * What all charts over time share: the x axis on the trace's clock, lost spans, and the strip under
 * the plot that says where the numbers are bounded or unknown instead of exact.
 */
import type { ReportData } from '../analysis/report-data.js';
import { columnsInView, worstCertainty } from './buckets.js';
import { type BoundsDrawn, certaintyLegend, mapLegend, type Sign } from './certainty-legend.js';
import { type ChartView, type Row, type Spec, toSeconds, zonesInView } from './chart.js';
import {
  AXIS_WIDTH,
  DEFAULT_WIDTH,
  hatch,
  INK,
  LOST_FILL,
  LOST_INK,
  TIME_CHART_HEIGHT,
  UNCERTAIN_FILL,
} from './theme.js';

/** The name of a layer that takes no clicks. */
export const UNTOUCHABLE = 'untouchable';

export const SCHEMA_URL = 'https://vega.github.io/schema/vega-lite/v6.json';

/** `12`, `1.5k`: one scale of prefixes a label, not one an axis. */
export const SHORT_NUMBER =
  "datum.value >= 1000 ? format(datum.value, '.3~s') : format(datum.value, '.3~g')";

/** Height of the certainty strip under the plot and of the marks of losses above it, pixels. */
const STRIP = 5;

/** Pixels left of a chart's width for its plot, about. */
export function plotRoom(width: number): number {
  return width - 2 * AXIS_WIDTH;
}

/** What a page sets: colours that follow its mode, and the room for legends. */
export function chartParams(): { name: string; value: string | number }[] {
  const { ink, faint, paper } = INK.light;
  return [
    { name: 'room', value: plotRoom(DEFAULT_WIDTH) },
    { name: 'ink', value: ink },
    { name: 'faint', value: faint },
    { name: 'paper', value: paper },
  ];
}

/** x for the start of something; `x2: { field }` takes its end. */
export function timeX(field: string, axis: Spec | null = {}): Spec {
  return {
    field,
    type: 'quantitative',
    scale: { domain: [{ expr: 't0' }, { expr: 't1' }], nice: false, zero: false, clamp: false },
    axis: axis && {
      title: null,
      labelFlush: true,
      tickCount: { expr: 'max(2, width / 110)' },
      format: '~f',
      labelExpr: "datum.label + ' s'",
      ...axis,
    },
  };
}

export function valueY(title: string, extra: Spec = {}): Spec {
  return {
    type: 'quantitative',
    axis: {
      title,
      minExtent: AXIS_WIDTH,
      maxExtent: AXIS_WIDTH,
      tickCount: 5,
      labelExpr: SHORT_NUMBER,
    },
    ...extra,
  };
}

/** An axis with ticks at these values; a count of ticks would leave out every second of them. */
export function tickedAxis(title: string, values: readonly number[]): Spec {
  const { tickCount: _tickCount, ...axis } = valueY(title).axis as Record<string, unknown>;
  return { ...axis, values, labelOverlap: 'greedy' };
}

export interface TimeChartOptions {
  readonly data: ReportData;
  readonly view: ChartView;
  readonly title: string;
  readonly description: string;
  readonly height?: number;
  readonly layer: readonly Spec[];
  /** The layers cover the whole plot and draw what is unknown themselves. */
  readonly ground?: boolean;
  /** Shows events, which the bounds of the free lists do not touch. */
  readonly events?: boolean;
  readonly bounds?: BoundsDrawn;
  /** What else the chart draws as not certain. */
  readonly signs?: readonly Sign[];
}

/** The legend of what is uncertain has scales of its own. */
export const OWN_SCALES = {
  scale: { fill: 'independent', stroke: 'independent', shape: 'independent' },
};

export function timeChart(options: TimeChartOptions): Spec {
  const { data, view, title, description } = options;
  return {
    $schema: SCHEMA_URL,
    title,
    description,
    width: DEFAULT_WIDTH,
    height: options.height ?? TIME_CHART_HEIGHT,
    autosize: { type: 'fit-x', contains: 'padding' },
    padding: { left: 4, right: 12, top: 4, bottom: 4 },
    params: [
      { name: 't0', value: toSeconds(data, view.fromNs) },
      { name: 't1', value: toSeconds(data, view.toNs) },
      ...chartParams(),
    ],
    layer: layersOf(options),
    resolve: OWN_SCALES,
  };
}

function layersOf(options: TimeChartOptions): Spec[] {
  const { data, layer, ground, events, bounds = {}, signs } = options;
  const drawn = ground || events ? [...layer] : [unknownLayer(), ...layer];
  const legend = ground ? mapLegend(data) : certaintyLegend(data, events ? null : bounds, signs);
  const strip = events ? [] : [stripLayer()];
  return [...drawn, lostShade(), lostHead(), ...strip, ...legend];
}

/** Over the marks, which would hide it; the page lets the pointer through (compile-charts.ts). */
function lostShade(): Spec {
  return {
    name: UNTOUCHABLE,
    data: { name: 'lost' },
    mark: { type: 'rect', clip: true, fill: LOST_FILL },
    encoding: { x: timeX('from'), x2: { field: 'to' } },
  };
}

/** Above the plot, so that a loss shows however short it was and whatever lies under it. */
function lostHead(): Spec {
  return {
    data: { name: 'lost' },
    mark: { type: 'rect', fill: LOST_INK, stroke: LOST_INK, strokeWidth: 1 },
    encoding: {
      x: timeX('from'),
      x2: { field: 'to' },
      y: { value: -STRIP - 2 },
      y2: { value: -2 },
      tooltip: [{ field: 'what', type: 'nominal', title: 'lost' }],
    },
  };
}

/** Where nothing is known the plot is hatched. */
function unknownLayer(): Spec {
  return {
    data: { name: 'unknown' },
    mark: { type: 'rect', clip: true, fill: hatch(), tooltip: { expr: "'not known here'" } },
    encoding: { x: timeX('from'), x2: { field: 'to' } },
  };
}

function stripLayer(): Spec {
  return {
    data: { name: 'certainty' },
    mark: { type: 'rect', fill: UNCERTAIN_FILL },
    encoding: {
      x: timeX('from'),
      x2: { field: 'to' },
      y: { value: { expr: 'height + 1' } },
      y2: { value: { expr: `height + ${STRIP + 1}` } },
      opacity: {
        field: 'certainty',
        type: 'ordinal',
        scale: { domain: ['bounded', 'unknown'], range: [0.6, 1] },
        legend: null,
      },
      tooltip: [{ field: 'certainty', type: 'nominal', title: 'numbers here are' }],
    },
  };
}

/** Datasets `lost`, `certainty` and `unknown`. */
export function honestyRows(data: ReportData, view: ChartView): Record<string, readonly Row[]> {
  const certainty = certaintyRows(data, view);
  const unknown = certainty.filter((row) => row.certainty === 'unknown');
  return { ...lossRows(data, view), certainty, unknown };
}

/** What may be missing in a chart of events; within the view, since its marks stand outside the plot. */
export function lossRows(data: ReportData, view: ChartView): Record<string, readonly Row[]> {
  const lost = data.timeline.lost
    .filter((span) => span.toNs >= view.fromNs && span.fromNs <= view.toNs)
    .map((span) => ({
      from: toSeconds(data, Math.max(span.fromNs, view.fromNs)),
      to: toSeconds(data, Math.min(span.toNs, view.toNs)),
      what: `${span.count ?? 'an unknown number of'} events on CPU ${span.cpu}`,
    }));
  return { lost };
}

function certaintyRows(data: ReportData, view: ChartView): Row[] {
  const letters = zonesInView(data, view).map((z) => data.timeline.zones[z]?.certainty ?? '');
  const rows: { from: number; to: number; certainty: string }[] = [];
  for (const column of columnsInView(data.timeline, view)) {
    const worst = worstCertainty(letters, column);
    if (worst === 'e') continue;
    const certainty = worst === 'b' ? 'bounded' : 'unknown';
    const from = toSeconds(data, Math.max(column.startNs, view.fromNs));
    const to = toSeconds(data, Math.min(column.endNs, view.toNs));
    const previous = rows[rows.length - 1];
    if (previous && previous.certainty === certainty && previous.to >= from - 1e-9)
      previous.to = to;
    else rows.push({ from, to, certainty });
  }
  return rows;
}
