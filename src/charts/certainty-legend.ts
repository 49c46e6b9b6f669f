/**
 * The legend of what is not certain: spans with lost events, hatching, bounds. It is part of the chart, so that a
 * picture of it says the same; a recording that is exact throughout has none.
 */
import type { ReportData } from '../analysis/report-data.js';
import type { Spec } from './chart.js';
import { planeBytes, UNKNOWN_CELL } from './map-column.js';
import { HATCH_INK, LOST_FILL, LOST_INK, legendColumns, UNCERTAIN_FILL } from './theme.js';

/** How a chart draws what is known within bounds. */
export interface BoundsDrawn {
  /** A band beside the strip at the foot. */
  readonly band?: boolean;
  /** Paler marks for what rests on the best estimate. */
  readonly paler?: boolean;
}

/** What a mark of a chart's own says is not certain, in the legend. */
export interface Sign {
  readonly words: string;
  /** SVG path between -1 and 1. */
  readonly shape: string;
  readonly fill: string;
  readonly stroke: string;
}

const CLEAR = 'transparent';
const SQUARE = 'M-1,-1L1,-1L1,1L-1,1Z';
const FOOT = 'M-1,0.3L1,0.3L1,1L-1,1Z';
const STRIPES = 'M-1,-0.2L-0.2,-1M-1,0.6L0.6,-1M-0.6,1L1,-0.6M0.2,1L1,0.2';

/** A shade with a thick head. */
const LOST: Sign = {
  words: 'events were lost',
  shape: 'M-1,1L-1,-1L1,-1L1,1L-1,1Z',
  fill: LOST_FILL,
  stroke: LOST_INK,
};
const UNKNOWN: Sign = { words: 'not known', shape: STRIPES, fill: CLEAR, stroke: HATCH_INK };

function boundSign({ band, paler }: BoundsDrawn): Sign {
  const also = band ? ', band' : paler ? ', paler bars' : '';
  const words = `foot strip${also}: bounds, not exact`;
  return { words, shape: FOOT, fill: UNCERTAIN_FILL, stroke: CLEAR };
}

function someZone(data: ReportData, letter: 'b' | 'u'): boolean {
  return data.timeline.zones.some(({ certainty }) => certainty.includes(letter));
}

/**
 * @param bounds null: shows events, which the bounds of the free lists do not touch.
 * @param own what only this chart has.
 */
export function certaintyLegend(
  data: ReportData,
  bounds: BoundsDrawn | null,
  own: readonly Sign[] = [],
): Spec[] {
  const signs = data.timeline.lost.length > 0 ? [LOST] : [];
  if (bounds !== null && someZone(data, 'b')) signs.push(boundSign(bounds));
  if (bounds !== null && someZone(data, 'u')) signs.push(UNKNOWN);
  return legendLayer([...signs, ...own]);
}

/** The same for the physical map, which is hatched wherever no row is drawn over it. */
export function mapLegend(data: ReportData): Spec[] {
  const map = data.physicalMap;
  const signs = data.timeline.lost.length > 0 ? [LOST] : [];
  if (someZone(data, 'b')) {
    signs.push({ ...boundSign({}), words: 'foot strip: places are a best estimate' });
  }
  if (map && planeBytes(map, 'free').includes(UNKNOWN_CELL)) signs.push(UNKNOWN);
  return legendLayer(signs);
}

/** The same where there is no time axis, hence no strip. */
export function bandLegend(data: ReportData): Spec[] {
  const sign = { ...boundSign({}), words: 'band: bounds, not exact', shape: SQUARE };
  return legendLayer(someZone(data, 'b') || someZone(data, 'u') ? [sign] : []);
}

/** Signs of a chart's own, for what was lost. */
export const LOSS_SIGNS = {
  heldBand: {
    words: 'band: held, unless freed while events were lost',
    shape: SQUARE,
    fill: 'rgba(128, 136, 148, 0.6)',
    stroke: CLEAR,
  },
  heldSpan: {
    words: 'between the ticks: held, unless freed while events were lost',
    shape: 'M-1.2,0L1.2,0M-1.2,-0.6L-1.2,0.6M1.2,-0.6L1.2,0.6',
    fill: CLEAR,
    stroke: HATCH_INK,
  },
  noneSeen: {
    words: 'none seen, yet events were lost',
    shape: STRIPES,
    fill: CLEAR,
    stroke: HATCH_INK,
  },
} as const satisfies Readonly<Record<string, Sign>>;

const PALE_FILL = 'rgba(128, 136, 148, 0.45)';

/** Signs of a comparison, whose axis is not time. */
export const COMPARE_SIGNS = {
  PALER: {
    words: 'paler: best estimate, not certain',
    shape: SQUARE,
    fill: PALE_FILL,
    stroke: CLEAR,
  },
  BAND: {
    words: 'band: bounds, not exact',
    shape: SQUARE,
    fill: PALE_FILL,
    stroke: CLEAR,
  },
  GAP: {
    words: 'gap in a line: not known',
    shape: 'M-1.4,0L-0.4,0M0.4,0L1.4,0',
    fill: CLEAR,
    stroke: HATCH_INK,
  },
  LOST_STEPS: {
    words: 'events were lost (A above B)',
    shape: 'M-1,-0.6L1,-0.6L1,0L-1,0Z',
    fill: LOST_INK,
    stroke: CLEAR,
  },
} as const satisfies Readonly<Record<string, Sign>>;

/** A layer without marks: its scales have a legend. */
export function legendLayer(signs: readonly Sign[]): Spec[] {
  if (signs.length === 0) return [];
  const domain = signs.map(({ words }) => words);
  const legend = {
    title: null,
    orient: 'bottom',
    offset: 8,
    symbolSize: 110,
    symbolStrokeWidth: 1.4,
    symbolOpacity: 1,
    labelLimit: 0,
    columns: legendColumns(300),
  };
  const by = (range: readonly string[]): Spec => ({
    field: 'sign',
    type: 'nominal',
    scale: { domain, range },
    legend,
  });
  return [
    {
      data: { values: [] },
      mark: { type: 'point', aria: false },
      encoding: {
        shape: by(signs.map(({ shape }) => shape)),
        fill: by(signs.map(({ fill }) => fill)),
        stroke: by(signs.map(({ stroke }) => stroke)),
      },
    },
  ];
}
