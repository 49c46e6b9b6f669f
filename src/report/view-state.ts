/**
 * What the reader looks at, and its form in the URL fragment, so that a link points at a moment.
 *
 *   #t=12.345&from=12&to=13&zone=0/DMA32&order=3&gfp=GFP_ATOMIC&map=type&by=comm&block=0x6c00&theme=dark
 *
 * Times are seconds on the trace's clock. Without t the moment is the one that the verdict is about,
 * or the tightest one;
 * `t=none` is none at all. Anything malformed or outside the recording is ignored.
 */
import type { ReportData } from '../analysis/report-data.js';
import { type HolderBy, leadingClass, type MapPlane, requestClasses } from '../charts/chart.js';
import { formatSeconds, parseSeconds } from '../records/time.js';
import { leadingMoment } from './moment.js';

export interface ViewState {
  readonly fromNs: number;
  readonly toNs: number;
  /** Where the cursor is fixed, null = nowhere. */
  readonly cursorNs: number | null;
  readonly zone: number | null;
  readonly order: number | null;
  /** Request class, a gfp text. */
  readonly gfp: string;
  readonly plane: MapPlane;
  readonly by: HolderBy;
  /** First pfn of the pageblock shown page by page, null = the page's own choice. */
  readonly block: number | null;
  /** null = what the system prefers. */
  readonly theme: 'light' | 'dark' | null;
}

const PLANES: readonly MapPlane[] = ['free', 'largest', 'type', 'pollution'];

const HOLDERS_BY: readonly HolderBy[] = ['holder', 'comm', 'gfp', 'site', 'age'];

type Facts = Pick<
  ReportData,
  'span' | 'zones' | 'orders' | 'clock' | 'totals' | 'narrative' | 'windows' | 'timeline' | 'judged'
>;

/** In place of a time: no moment is chosen. */
const NO_MOMENT = 'none';

export function initialState(data: Facts): ViewState {
  return {
    fromNs: data.span.fromNs,
    toNs: data.span.toNs,
    cursorNs: leadingMoment(data),
    zone: null,
    order: null,
    gfp: leadingClass(data),
    plane: 'free',
    by: 'holder',
    block: null,
    theme: null,
  };
}

/** The fragment without `#`; '' for the initial state. */
export function encodeState(state: ViewState, data: Facts): string {
  const parts: string[] = [];
  const seconds = (ns: number): string => formatSeconds(Math.round(ns), data.clock.epochS);
  if (state.cursorNs !== leadingMoment(data)) {
    parts.push(`t=${state.cursorNs === null ? NO_MOMENT : seconds(state.cursorNs)}`);
  }
  if (state.fromNs !== data.span.fromNs || state.toNs !== data.span.toNs) {
    parts.push(`from=${seconds(state.fromNs)}`, `to=${seconds(state.toNs)}`);
  }
  const zone = state.zone === null ? undefined : data.zones[state.zone];
  if (zone) parts.push(`zone=${zone.node}/${encodeURIComponent(zone.zone)}`);
  if (state.order !== null) parts.push(`order=${state.order}`);
  if (state.gfp !== leadingClass(data)) parts.push(`gfp=${encodeURIComponent(state.gfp)}`);
  if (state.plane !== 'free') parts.push(`map=${state.plane}`);
  if (state.by !== 'holder') parts.push(`by=${state.by}`);
  if (state.block !== null) parts.push(`block=0x${state.block.toString(16)}`);
  if (state.theme !== null) parts.push(`theme=${state.theme}`);
  return parts.join('&');
}

export function decodeState(fragment: string, data: Facts): ViewState {
  const fields = new Map<string, string>();
  for (const part of fragment.replace(/^#/, '').slice(0, 500).split('&')) {
    const [key, value] = part.split('=', 2);
    if (key && value !== undefined) fields.set(key, value);
  }
  const start = initialState(data);
  const time = (key: string): number | null => {
    const ns = parseSeconds(fields.get(key) ?? '', data.clock.epochS);
    return ns !== null && ns >= data.span.fromNs && ns <= data.span.toNs ? ns : null;
  };
  const fromNs = time('from');
  const toNs = time('to');
  const zoomed = fromNs !== null && toNs !== null && toNs > fromNs;
  const order = /^\d{1,2}$/.test(fields.get('order') ?? '') ? Number(fields.get('order')) : null;
  const theme = fields.get('theme');
  const block = fields.get('block') ?? '';
  return {
    fromNs: zoomed ? fromNs : start.fromNs,
    toNs: zoomed ? toNs : start.toNs,
    cursorNs: fields.get('t') === NO_MOMENT ? null : (time('t') ?? start.cursorNs),
    zone: zoneOf(fields.get('zone'), data),
    order: order !== null && order > 0 && order < data.orders ? order : null,
    gfp:
      requestClasses(data).find((gfp) => encodeURIComponent(gfp) === fields.get('gfp')) ??
      start.gfp,
    plane: PLANES.find((plane) => plane === fields.get('map')) ?? 'free',
    by: HOLDERS_BY.find((by) => by === fields.get('by')) ?? 'holder',
    block: /^0x[0-9a-f]{1,11}$/.test(block) ? Number.parseInt(block, 16) : null,
    theme: theme === 'light' || theme === 'dark' ? theme : null,
  };
}

function zoneOf(text: string | undefined, data: Facts): number | null {
  if (text === undefined) return null;
  const found = data.zones.findIndex(
    ({ node, zone }) => text === `${node}/${encodeURIComponent(zone)}`,
  );
  return found < 0 ? null : found;
}
