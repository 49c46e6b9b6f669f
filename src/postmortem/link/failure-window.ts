/**
 * Which failure window of the replay a report fell into: one of requests that the allocator treats
 * like the report's.
 */
import { requestClassKey } from '../../analysis/request-classes.js';
import type { FailureWindow } from '../../analysis/types.js';
import { parseGfp } from '../../kernel/gfp.js';
import type { PostmortemReport } from '../findings.js';
import { EARLY_NS, type Linked } from './link-types.js';

/** The window that holds the moment, else one that opens before the request has ended. */
export function windowAt(
  report: PostmortemReport,
  windows: readonly FailureWindow[],
  momentNs: number,
  untilNs: number,
): number | null {
  const own = ofRequest(report);
  const held = windows.findIndex(
    (w) => w.fromNs <= momentNs + EARLY_NS && momentNs <= w.toNs && own(w),
  );
  if (held >= 0) return held;
  const opened = windows.findIndex((w) => w.fromNs > momentNs && w.fromNs <= untilNs && own(w));
  return opened < 0 ? null : opened;
}

/**
 * The window of all of them, null if they may be in several.
 * @param endsNs ends of the refusals in question, in time order.
 * @param withinNs where the log does not tell how long printing took: at most about so long.
 */
export function commonWindow(
  report: PostmortemReport,
  windows: readonly FailureWindow[],
  endsNs: readonly number[],
  lagNs: number,
  withinNs: number | null,
): Pick<Linked, 'window' | 'fittingWindows'> {
  const [first, last] = [endsNs[0], endsNs.at(-1)];
  if (first === undefined || last === undefined) return { window: null, fittingWindows: 0 };
  const found =
    endsNs.length === 1 && withinNs === null
      ? [windowAt(report, windows, first - lagNs, first)].filter((index) => index !== null)
      : windowsWithin(report, windows, first - (withinNs ?? lagNs), last);
  return { window: found.length === 1 ? found[0]! : null, fittingWindows: found.length };
}

/** All windows of such requests that have a part in a span of time. */
function windowsWithin(
  report: PostmortemReport,
  windows: readonly FailureWindow[],
  fromNs: number,
  toNs: number,
): number[] {
  const own = ofRequest(report);
  return windows.flatMap((w, i) => (w.fromNs <= toNs && w.toNs >= fromNs && own(w) ? [i] : []));
}

/** Of the report's order, and of requests that the allocator treats alike. */
function ofRequest({ request, order }: PostmortemReport): (window: FailureWindow) => boolean {
  const key = request === null ? null : requestClassKey(request);
  // windows are many, their flags few
  const known = new Map<string, boolean>();
  const alike = (gfp: string): boolean => {
    if (request === null) return true;
    let answer = known.get(gfp);
    if (answer === undefined) {
      answer = requestClassKey(parseGfp(gfp, request.era)) === key;
      known.set(gfp, answer);
    }
    return answer;
  };
  return (w) => w.order === order && alike(w.gfp);
}
