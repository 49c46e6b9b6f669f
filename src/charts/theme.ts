/**
 * One look for all charts: sizes, fonts and colours. Nothing else sets a colour.
 *
 * Categorical colours are Okabe and Ito's, told apart with any colour vision; orders run along a
 * ramp whose steps hold without red, green or blue cones. Marks keep their colours in light and dark; ink (text,
 * axes) is a parameter so that a page can switch without compiling again.
 */
import type { ZoneReason } from '../analysis/types.js';

export type Mode = 'light' | 'dark';

export interface Ink {
  /** Text and strong lines. */
  readonly ink: string;
  /** Axes, secondary text. */
  readonly faint: string;
  /** Grid lines. */
  readonly grid: string;
  /** What charts are drawn on. */
  readonly paper: string;
}

export const INK: Readonly<Record<Mode, Ink>> = {
  light: { ink: '#1c2430', faint: '#566070', grid: '#e3e7ec', paper: '#ffffff' },
  dark: { ink: '#e8ecf1', faint: '#a3adba', grid: '#2d3540', paper: '#161b22' },
};

/** Pictures made without a browser know no generic families: some that machines have are named. */
export const FONT =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", "Liberation Sans", Arial, sans-serif';

/** Plot height of a chart over time, pixels. */
export const TIME_CHART_HEIGHT = 190;
export const DEFAULT_WIDTH = 920;
/** Room for y labels, the same in every chart so that their times line up. */
export const AXIS_WIDTH = 46;
/** The same where labels hold a size and an order. */
export const WIDE_AXIS_WIDTH = 84;

export const REASON_COLORS: Readonly<Record<Exclude<ZoneReason, 'none'>, string>> = {
  fragmented: '#d55e00',
  'below-watermark': '#0a84c6',
  'lowmem-reserve': '#56b4e9',
  'only-highatomic': '#cc79a7',
  'only-cma': '#009e73',
  isolated: '#e69f00',
  unknown: '#6b7280',
};

export const REASON_WORDS: Readonly<Record<Exclude<ZoneReason, 'none'>, string>> = {
  fragmented: 'fragmented: enough memory, no block that large',
  'below-watermark': 'below the watermark: not enough free memory',
  'lowmem-reserve': 'lower zones keep their reserve',
  'only-highatomic': 'only highatomic blocks are left',
  'only-cma': 'only CMA blocks are left',
  isolated: 'blocks are isolated',
  unknown: 'not known',
};

/**
 * Orders 0 to 15, small to large: from blue over grey-green and yellow to dark red. Any two are at least 8 apart in CIEDE2000,
 * whether seen with all cones or without one kind of them (theme.test.ts).
 */
export const ORDER_COLORS: readonly string[] = [
  '#3728a3',
  '#2d4ec4',
  '#2f6ed6',
  '#338be2',
  '#6bafe5',
  '#93bdc3',
  '#aac4a2',
  '#beca87',
  '#d9d260',
  '#e7a00c',
  '#d17e10',
  '#be5f13',
  '#aa4311',
  '#911d0e',
  '#6a0d1a',
  '#4a0025',
];

export const TYPE_COLORS: Readonly<Record<string, string>> = {
  Unmovable: '#d55e00',
  Movable: '#0a84c6',
  Reclaimable: '#e69f00',
  HighAtomic: '#cc79a7',
  Reserve: '#cc79a7',
  CMA: '#009e73',
  Isolate: '#4d2a85',
  unknown: '#6b7280',
};

/** A and B of a comparison. */
export const SIDE_COLORS = ['#e69f00', '#0a84c6'] as const;

/** By lane of the activity chart. */
export const ACTIVITY_COLORS: Readonly<Record<string, string>> = {
  compaction: '#009e73',
  'direct reclaim': '#d55e00',
  kswapd: '#0a84c6',
  'CMA allocation': '#cc79a7',
  'OOM kill': '#c8413f',
  markers: '#6b7280',
};

/** What a single page is; null is drawn hatched. */
export const PAGE_COLORS = {
  free: '#dcebc4',
  'on a per-cpu list': '#f0d94a',
  'movable, allocated in the recording': '#0a84c6',
  'immovable, allocated in the recording': '#d55e00',
  'in use since before the recording': '#8b939e',
  isolated: '#4d2a85',
  'not known': null,
} as const;

export const CATEGORY_COLORS: readonly string[] = [
  '#0a84c6',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#5b35a0',
  '#56b4e9',
  '#a5682a',
  '#5b8c2a',
  '#c8413f',
  '#4b6584',
  '#b8a100',
];

/** Free share of a pageblock: dark = used, light = free, readable in grey. */
export const SHARE_RANGE: readonly string[] = [
  '#3b2f63',
  '#31688e',
  '#26a58a',
  '#8ed65a',
  '#fde725',
];
/** How often kinds were mixed; black text reads on both ends. */
export const EXTFRAG_RANGE: readonly string[] = ['#f3d9c4', '#d9651f'];
export const POLLUTION_RANGE: readonly string[] = ['#f3d9c4', '#e89255', '#c2410c', '#6b1d06'];

/** The colour of a share 0 to 1 on a ramp, interpolated in RGB as Vega does. */
export function rampColor(range: readonly string[], share: number): string {
  const at = Math.max(0, Math.min(1, share)) * (range.length - 1);
  const i = Math.min(range.length - 2, Math.floor(at));
  const part = (color: string, k: number): number =>
    Number.parseInt(color.slice(1 + 2 * k, 3 + 2 * k), 16);
  const mixed = [0, 1, 2].map((k) => {
    const [a, b] = [part(range[i]!, k), part(range[i + 1]!, k)];
    return Math.round(a + (b - a) * (at - i));
  });
  return `rgb(${mixed.join(',')})`;
}

/**
 * Columns of a legend whose entries take so many pixels. By the parameter `room`: Vega changes `width` while it
 * lays out, and a legend that then breaks its lines anew is cut off.
 */
export function legendColumns(pixels: number) {
  return { expr: `max(1, floor(room / ${pixels}))` };
}

/** The mark of a band between two bounds; `color` names a colour of the page's mode. */
export function bandMark(color: 'faint' | 'ink') {
  return {
    type: 'area',
    interpolate: 'step-after',
    clip: true,
    opacity: 0.3,
    color: { expr: color },
  };
}

/** The axis of lanes under one another: wide enough for their names, a line between two. */
export function laneAxis(title: string, extra: { readonly labelExpr?: string } = {}) {
  return {
    title,
    ...extra,
    minExtent: WIDE_AXIS_WIDTH,
    maxExtent: WIDE_AXIS_WIDTH,
    grid: true,
    tickBand: 'extent',
    ticks: false,
    domain: false,
  };
}

/** "Here something was lost": the shade over a plot and the mark at its head, on light and dark. */
export const LOST_FILL = 'rgba(194, 24, 91, 0.18)';
export const LOST_INK = '#c2185b';
export const UNCERTAIN_FILL = 'rgba(128, 136, 148, 0.75)';
/** One stripe of the hatching, in a legend. */
export const HATCH_INK = 'rgb(128, 136, 148)';

/** Config for Vega-Lite. `mode` decides text and axes only. */
export function chartConfig(mode: Mode): Record<string, unknown> {
  const { ink, faint, grid } = INK[mode];
  return {
    background: 'transparent',
    font: FONT,
    view: { stroke: null },
    axis: {
      labelColor: faint,
      titleColor: faint,
      tickColor: grid,
      domainColor: faint,
      gridColor: grid,
      labelFontSize: 11,
      titleFontSize: 11,
      titleFontWeight: 'normal',
      labelLimit: 160,
    },
    axisX: { grid: false },
    legend: {
      labelColor: ink,
      titleColor: faint,
      orient: 'top',
      labelFontSize: 11,
      titleFontSize: 11,
      titleFontWeight: 'normal',
      symbolStrokeColor: faint,
      labelLimit: 320,
      titleLimit: 400,
    },
    title: { color: ink, subtitleColor: faint, fontSize: 14, anchor: 'start', fontWeight: 600 },
  };
}

/** The same with all text in the colour of what it stands in: for charts inlined as SVG. */
export function inheritedInkConfig(): Record<string, unknown> {
  const ink = 'currentColor';
  const config = chartConfig('light') as Record<'axis' | 'legend', Record<string, unknown>>;
  return {
    ...config,
    axis: {
      ...config.axis,
      labelColor: ink,
      titleColor: ink,
      tickColor: ink,
      domainColor: ink,
      gridColor: ink,
      gridOpacity: 0.15,
    },
    header: { labelColor: ink, labelFontWeight: 'bold' },
    legend: { ...config.legend, labelColor: ink, titleColor: ink, labelLimit: 0 },
    text: { fill: ink },
  };
}

/** Stripes across a whole plot: what is left uncovered shows as hatched, that is, unknown. */
export function hatch(): Record<string, unknown> {
  const stops = [];
  const stripes = 106;
  for (let i = 0; i < stripes; i++) {
    const color = i % 2 === 0 ? 'rgba(128,136,148,0.10)' : 'rgba(128,136,148,0.34)';
    stops.push({ offset: i / stripes, color }, { offset: (i + 1) / stripes, color });
  }
  // So long that the corner opposite is its end: beyond it the last stripe would go on.
  return { gradient: 'linear', x1: 0, y1: 0, x2: 1.18, y2: 0.708, stops };
}
