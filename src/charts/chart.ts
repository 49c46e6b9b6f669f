/**
 * What a chart is: a pure function of ReportData and of what the reader looks at.
 *
 * A chart names its datasets; `rows` fills them for a view (span, zones, order), `spec` describes
 * marks over them. The page keeps the compiled spec and only exchanges rows; the file written to
 * charts/*.vl.json holds spec and rows together.
 */

import { isOneCopy, unfollowedWords } from '../analysis/copies-alone.js';
import { extraFlags } from '../analysis/narrative-reasons.js';
import type { ReportData } from '../analysis/report-data.js';
import { PLAIN } from '../analysis/request-classes.js';
import { bytesText, plural } from '../analysis/words.js';

export type Cell = string | number | boolean | null;
export type Row = Readonly<Record<string, Cell>>;
export type Datasets = Readonly<Record<string, readonly Row[]>>;
export type Spec = Readonly<Record<string, unknown>>;

/** One line of a tooltip. */
export interface TipField {
  readonly field: string;
  readonly title?: string;
  /** d3-format. */
  readonly format?: string;
}

/** What the reader looks at. */
export interface ChartView {
  readonly fromNs: number;
  readonly toNs: number;
  /** Index in `zones`, null = all. */
  readonly zone: number | null;
  /** Which request class's windows: a gfp text of `totals` or `windows`. */
  readonly gfp: string;
  /** null = all orders, or the chart's own choice. */
  readonly order: number | null;
  /** Columns worth drawing over time. */
  readonly columns: number;
  /** Which of the physical map's planes. */
  readonly plane: MapPlane;
  /** What holders of memory are told apart by. */
  readonly by: HolderBy;
}

export type MapPlane = 'free' | 'largest' | 'type' | 'pollution';

export type HolderBy = 'holder' | 'comm' | 'gfp' | 'site' | 'age';

/** A choice the reader has within one chart. */
export interface Choice {
  /** The field of ChartView it sets. */
  readonly field: 'plane' | 'by';
  readonly label: string;
  /** [value, words], the first is shown at first; those that make sense for the data. */
  options(data: ReportData): readonly (readonly [string, string])[];
}

/** One chart: what it needs, its data and its Vega-Lite spec. */
export interface Chart {
  /** File name and anchor: `failures`. */
  readonly id: string;
  readonly title: string;
  /** One sentence for screen readers and as caption. */
  readonly description: string;
  /** How to read it, for someone who has never seen one. */
  readonly how: string;
  /** Has a time axis that follows the shared zoom and cursor. */
  readonly overTime: boolean;
  /** Over time, but worth drawing of a single moment. */
  readonly showsMoment?: true;
  /** Shows what is held, which takes events of both sides. */
  readonly showsHeld?: true;
  /** Dataset shown as the linked table, and its columns: [field, heading]. */
  readonly table: {
    readonly dataset: string;
    readonly columns: readonly (readonly [string, string])[];
  };
  readonly choice?: Choice;
  rows(data: ReportData, view: ChartView): Datasets;
  /** Without datasets and config. */
  spec(data: ReportData, view: ChartView): Spec;
  /** False when there is nothing to draw; then `emptyText` stands in its place. */
  hasData(data: ReportData): boolean;
  readonly emptyText: string;
  /** What of the data makes the chart less than it looks, where no time axis can show it; null = nothing. */
  caveat?(data: ReportData): string | null;
}

/** What stands in the place of a chart that has nothing to draw; null = it has. */
export function emptyWords(chart: Chart, data: ReportData): string | null {
  if (!chart.hasData(data)) {
    const side = chart.showsHeld ? unfollowedWords(data) : null;
    return side === null
      ? chart.emptyText
      : `The trace has ${side}: who still held what is not in it.`;
  }
  return chart.overTime && !chart.showsMoment && isOneCopy(data)
    ? 'One copy shows one moment: there is nothing to draw over time.'
    : null;
}

export function wholeView(data: ReportData): ChartView {
  return {
    fromNs: data.span.fromNs,
    toNs: data.span.toNs,
    zone: null,
    order: null,
    gfp: leadingClass(data),
    columns: 400,
    plane: 'free',
    by: 'holder',
  };
}

/** The request classes that failed, and plain GFP_ATOMIC first if it was judged. */
export function requestClasses(data: Pick<ReportData, 'totals' | 'judged'>): string[] {
  const plain = data.judged === undefined || data.judged.gfps.includes(PLAIN);
  const failing = data.totals.map((total) => total.gfp);
  const classes = new Set(plain ? [PLAIN, ...failing] : failing);
  return classes.size > 0 ? [...classes] : data.judged!.gfps.slice(0, 1);
}

/** The class shown at first: the one the verdict speaks of. */
export function leadingClass(data: Pick<ReportData, 'narrative' | 'judged'>): string {
  return data.narrative.gfp ?? data.judged?.gfps[0] ?? PLAIN;
}

/** The class in a few words: what sets it apart; its full text where that is not enough. */
export function requestName(data: Pick<ReportData, 'totals' | 'judged'>, gfp: string): string {
  if (gfp === PLAIN) return 'plain GFP_ATOMIC';
  const name = extraFlags(gfp);
  const others = requestClasses(data).filter((other) => other !== gfp);
  return others.some((other) => extraFlags(other) === name) ? gfp : `with ${name}`;
}

/** How many events were lost, and what that does to a chart; null = none were. */
export function lossCaveat({ lostEvents, timeline }: ReportData, so: string): string | null {
  if (lostEvents === 0 && timeline.lost.length === 0) return null;
  return `${lostEvents > 0 ? plural(lostEvents, 'event') : 'Events'} were lost: ${so}`;
}

/** Seconds on the trace's own clock. */
export function toSeconds(data: ReportData, timeNs: number): number {
  return timeNs / 1e9 + data.clock.epochS;
}

/** `pages of 4 KiB`: an axis in pages that also says how much that is. */
export function pagesTitle(data: Pick<ReportData, 'pageSize'>, what = 'pages'): string {
  return `${what} of ${bytesText(data.pageSize).replaceAll('\u00a0', ' ')}`;
}

export function zoneName(data: ReportData, index: number): string {
  const zone = data.zones[index];
  if (!zone) return `zone ${index}`;
  const several = data.zones.some((other) => other.node !== data.zones[0]!.node);
  return several ? `node ${zone.node} ${zone.zone}` : zone.zone;
}

export function zonesInView(data: ReportData, view: ChartView): number[] {
  if (view.zone !== null && view.zone < data.zones.length) return [view.zone];
  return data.zones.map((_, i) => i);
}
