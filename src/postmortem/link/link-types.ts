/**
 * The words of joining logs to a trace: what is joined, and the answers.
 */
import type { FailureWindow } from '../../analysis/types.js';
import type { PostmortemReport } from '../findings.js';
import type { WallStamp } from '../wall-stamps.js';
import type { KeptRefusals } from './kept-refusals.js';
import type { PrintedRefusals } from './printed-refusals.js';

/**
 * Where a report's refusal was looked for. `whole`: among all that it could be; `part`: more are like
 * it than are kept, or than are held against the log; `nowhere`: the log has no known place in the trace.
 */
export type Searched = 'whole' | 'part' | 'nowhere';

export interface ReportLink {
  /** Index of the report. */
  readonly report: number;
  /** Index of the refusal among those kept, null if none fits or several do. */
  readonly refusal: number | null;
  /** Refusals that fit. */
  readonly fitting: number;
  readonly searched: Searched;
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
   * found from the reports; `ambiguous`: several distances fit as well; `none`: none fits;
   * `too-many`: not told, since not all refusals like the reports were held against them.
   */
  readonly method: 'same-clock' | 'copies' | 'fitted' | 'ambiguous' | 'none' | 'too-many';
  /** Trace time minus log time, within `uncertaintyNs`; NaN where it is not known. */
  readonly offsetNs: number;
  readonly uncertaintyNs: number;
  readonly linked: number;
  /** Refusals of the trace that are like one of its reports: same task, order and flags. */
  readonly alike: number;
}

export interface LogLink {
  /** One a report, in their order. */
  readonly links: readonly ReportLink[];
  /** One a log. */
  readonly clocks: readonly LogClock[];
}

/** The trace that the logs are held against. */
export interface LinkTrace {
  readonly refusals: KeptRefusals;
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

/** One log and the trace. */
export interface LogCase {
  readonly own: readonly PostmortemReport[];
  /** When each report ended, on the log's clock. */
  readonly stamps: readonly (WallStamp | null)[];
  readonly trace: LinkTrace;
  /** How much later than the stamp a refusal may end, besides what the stamp cannot tell. */
  readonly jitterNs: number;
  /** Null where the kernel's rate limit is another. */
  readonly printed: PrintedRefusals | null;
  /** The log begins with the kernel's banner: no report before its first is missing. */
  readonly whole: boolean;
}

/** What was found of one log. */
export interface Joined {
  readonly found: readonly Linked[];
  readonly clock: Omit<LogClock, 'source' | 'linked' | 'alike'>;
}

/** Longest a slow console holds a request whose report it prints. */
export const LATEST_NS = 3e9;
/** Stamps of two clocks may be read in either order by this much. */
export const EARLY_NS = 2e6;

/** The end of a report on its own clock. */
export function endOf({ splat }: PostmortemReport): number {
  return splat.endMonoNs ?? splat.time.monoNs ?? Number.NaN;
}

/** The answer for a report without a place in the trace. */
export function unplaced(searched: Searched): Linked {
  const nothing = { refusal: null, fitting: 0, window: null, fittingWindows: 0 };
  return { ...nothing, searched, momentNs: Number.NaN };
}

/** What the coarsest stamp cannot tell apart. */
export function roomOf({ stamps }: LogCase): number {
  return Math.max(0, ...stamps.map((stamp) => stamp?.roomNs ?? 0));
}

/** By how much the distances of true pairs of one log may differ. */
export function widthOf(log: LogCase): number {
  return log.jitterNs + roomOf(log);
}
