/**
 * What joining reports to a trace needs on every clock: the words of its answers, when a report and a
 * refusal can be one, and which failure window a moment is in.
 */
import type { Refusal } from '../analysis/refusals.js';
import { requestClassKey } from '../analysis/request-classes.js';
import type { FailureWindow } from '../analysis/types.js';
import { type GfpEra, type GfpRequest, parseGfp } from '../kernel/gfp.js';
import type { PostmortemReport } from './findings.js';

export interface ReportLink {
  /** Index of the report. */
  readonly report: number;
  /** Index of the refusal, null if none fits or several do. */
  readonly refusal: number | null;
  /** Refusals that fit. */
  readonly fitting: number;
  /** Index of the window it falls into, null if none, or it may be several. */
  readonly window: number | null;
  readonly fittingWindows: number;
  /**
   * When it failed, on the trace's clock, ns: where the refusal ends, less the time that printing
   * took; without refusal the report's own stamp; NaN if it has none that means anything here.
   */
  readonly momentNs: number;
}

/** The same before it is known which report of all it is. */
export type Linked = Omit<ReportLink, 'report'>;

/** How the stamps of one log were brought to the trace's clock. */
export interface LogClock {
  readonly source: string;
  /** `boot`: seconds since boot; `wall`: date and time; `none`: no stamps. */
  readonly clock: 'boot' | 'wall' | 'none';
  /**
   * `same-clock`: the trace's own; `copies`: the distance of the recording's own copies, `fitted`:
   * found from the reports; `ambiguous`: several distances fit as well; `none`: none fits.
   */
  readonly method: 'same-clock' | 'copies' | 'fitted' | 'ambiguous' | 'none';
  /** Trace time minus log time, within `uncertaintyNs`; NaN where it is not known. */
  readonly offsetNs: number;
  readonly uncertaintyNs: number;
  readonly linked: number;
}

export interface LogLink {
  /** One a report, in their order. */
  readonly links: readonly ReportLink[];
  /** One a log. */
  readonly clocks: readonly LogClock[];
}

/** The trace that the logs are held against. */
export interface LinkTrace {
  /** In time order, those that matter to the reports (`mattersTo`). */
  readonly refusals: readonly Refusal[];
  readonly windows: readonly FailureWindow[];
  readonly firstNs: number;
  readonly lastNs: number;
  /** Whole seconds subtracted from the trace's times. */
  readonly epochS: number;
  /** The trace's clock, `unknown` where nothing tells. */
  readonly clock: string;
  /** Trace time minus wall time (both since their own zero), where the recording tells it. */
  readonly wall: { readonly offsetNs: number; readonly uncertaintyNs: number } | null;
  /** Logs that begin with the kernel's banner. */
  readonly wholeLogs: ReadonlySet<string>;
}

/** Longest a slow console holds a request whose report it prints. */
export const LATEST_NS = 3e9;
/** Whether report and refusal are of one task, order and set of flags. */
export class Fits {
  readonly #requests = new Map<GfpEra, Map<string, GfpRequest>>();

  test({ order, request, splat }: PostmortemReport, refusal: Refusal): boolean {
    if (refusal.order !== order) return false;
    const { pid } = splat.context;
    if (pid === null ? refusal.comm !== splat.header.comm : refusal.pid !== pid) return false;
    return request === null || this.#requestOf(refusal.gfp, request.era).flags === request.flags;
  }

  /** Requests with __GFP_NOWARN print nothing. */
  nowarn(gfp: string, era: GfpEra): boolean {
    return this.#requestOf(gfp, era).nowarn;
  }

  #requestOf(text: string, era: GfpEra): GfpRequest {
    let known = this.#requests.get(era);
    if (known === undefined) {
      known = new Map();
      this.#requests.set(era, known);
    }
    let request = known.get(text);
    if (request === undefined) {
      request = parseGfp(text, era);
      known.set(text, request);
    }
    return request;
  }
}

/** The end of a report on its own clock. */
export function endOf({ splat }: PostmortemReport): number {
  return splat.endMonoNs ?? splat.time.monoNs ?? Number.NaN;
}

/** Stamps of the two clocks may be read in either order by this much. */
export const EARLY_NS = 2e6;

/**
 * The window that holds the moment, else one that opens before the request has ended; of requests
 * that the allocator treats alike.
 */
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

/** All windows of such requests that have a part in a span of time. */
export function windowsWithin(
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
