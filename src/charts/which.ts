/**
 * What of all that could be shown a chart shows: request, order, zone and span, beside its title on the page and in pictures.
 */
import type { ReportData } from '../analysis/report-data.js';
import { formatSeconds } from '../records/time.js';
import { type ChartView, requestClasses, requestName, zoneName } from './chart.js';
import { headroomOrder } from './headroom.js';
import { mainZone } from './main-zone.js';

const ONE_ZONE = new Set(['watermarks', 'unusable-index', 'extfrag-index']);
/** A request may be served by any zone, and what the kernel does about memory is not told by zone. */
const ALL_ZONES = new Set(['failures', 'activity']);
/** Shows one kind of request. */
const ONE_REQUEST = new Set(['failures', 'watermarks', 'headroom', 'ring-size']);
/** Shows one order, once it is chosen; headroom always does. */
const ONE_ORDER = new Set(['failures', 'unusable-index', 'extfrag-index', 'ring-size']);
/** Counts what happened in the span shown. */
const ONE_SPAN = new Set(['ring-size', 'extfrag']);

type Span = Pick<ChartView, 'fromNs' | 'toNs'>;

/** Seconds to as many digits as a span's thousandth part has. */
export function timeText({ fromNs, toNs }: Span, epochS: number): (ns: number) => string {
  const digits = 10 ** Math.max(0, Math.floor(Math.log10((toNs - fromNs) / 1000)));
  return (ns) => formatSeconds(Math.round(ns / digits) * digits, epochS);
}

/** `8.1 – 19.3 s`, to what the width of the span makes worth saying. */
export function rangeText(span: Span, epochS: number): string {
  const text = timeText(span, epochS);
  return `${text(span.fromNs)} – ${text(span.toNs)} s`;
}

/** `order 3, zone DMA32`; empty where the chart shows all there is. */
export function whichText(id: string, data: ReportData, view: ChartView): string {
  const parts: string[] = [];
  if (requestClasses(data).length > 1 && ONE_REQUEST.has(id)) {
    parts.push(requestName(data, view.gfp));
  }
  if (id === 'headroom') parts.push(`order ${headroomOrder(data, view.order)}`);
  if (view.order !== null && ONE_ORDER.has(id)) parts.push(`order ${view.order}`);
  if (view.order !== null && id === 'free-by-order') parts.push(`order ${view.order} and above`);
  const zone = view.zone ?? (ONE_ZONE.has(id) && data.zones.length > 0 ? mainZone(data) : null);
  if (zone !== null) {
    const name = zoneName(data, zone);
    const words = name.startsWith('node') ? name : `zone ${name}`;
    parts.push(ALL_ZONES.has(id) ? 'all zones together' : words);
  }
  const { span, clock } = data;
  if (ONE_SPAN.has(id) && (view.fromNs > span.fromNs || view.toNs < span.toNs)) {
    parts.push(rangeText(view, clock.epochS));
  }
  return parts.join(', ');
}
