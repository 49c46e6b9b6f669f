/**
 * `ReportData`: everything the report says, as plain JSON (`summary.json`, schema 1).
 *
 * The replay's observers fill it, charts and the page only read it. Times are nanoseconds since
 * `clock.epochS` on the trace's clock, memory is pages of `pageSize` bytes, and null means "not
 * known", never zero. Fields may be added; none is renamed while `schema` is 1.
 */

import type { Certainty } from '../replay/observer.js';
import type { ReplayLevel } from '../replay/survey.js';
import type { Unfollowed } from '../replay/unfollowed.js';
import type { Holders, PhysicalMap } from './report-memory.js';
import type { Attempt, AttemptClass, FailureWindow, Verdict, ZoneReason } from './types.js';

export * from './report-memory.js';

export const REPORT_SCHEMA = 1;

export interface ReportTool {
  readonly name: string;
  readonly version: string;
  /** The command line, without the program, as the user gave it. */
  readonly command: readonly string[];
}

/** One input: where it came from, what it held, what of it could not be used. */
export interface ReportInput {
  readonly name: string;
  readonly format: string;
  readonly why: string;
  readonly compression: string | null;
  readonly bytes: number;
  /** Hex, or null when the input could be read only once and was not hashed. */
  readonly sha256: string | null;
  readonly lines: number;
  readonly events: number;
  readonly snapshots: number;
  readonly skippedLines: number;
  readonly lostEvents: number;
  readonly overwritten: number;
}

export interface ReportKernel {
  readonly release: string | null;
  /** Name of the rule set the verdicts used. */
  readonly profile: string;
  /** Why that rule set: release, evidence in the data, or the user's choice. */
  readonly why: string;
  /** The switches of the rule set, by name. */
  readonly features: Readonly<Record<string, boolean | number | string>>;
  /** What each switch rests on; absent in summaries of older versions. */
  readonly evidence?: Readonly<Record<string, RuleEvidence>>;
}

export interface RuleEvidence {
  readonly source: 'override' | 'data' | 'version' | 'default';
  readonly text: string;
}

/** How the state was reconstructed, and what the replay had to put right on the way. */
export interface ReportReplay {
  readonly level: ReplayLevel;
  /** Why no event was followed; null = events were, or there are none. */
  readonly unfollowed: Unfollowed | null;
  /** For so long after the first event some CPUs' events are missing, ns; absent = the trace is whole. */
  readonly partialNs?: number;
  readonly seed: 'kpageflags' | 'buddyinfo' | 'first-touch' | 'none';
  /** Pages that compaction took without an event, as placed by the replay; null = no replay. */
  readonly compaction: {
    /** Fully visited ranges whose excess is 0, a power of two, something else, negative. */
    readonly excess: readonly number[];
    readonly rangePages: number;
    readonly chosenPages: number;
    readonly deadlinePages: number;
    readonly unplacedPages: number;
  } | null;
  /** Contradictions between events and the replayed state. */
  readonly anomalies: Readonly<Record<string, number>>;
  /** How the snapshots came to stand in trace time. */
  readonly alignment: {
    readonly method: string;
    readonly placed: number;
    readonly unplaced: number;
    /** If it was found by agreement of copies and events: how far it may be off, and what it explains. */
    readonly estimate: { readonly uncertaintyNs: number; readonly agreement: number } | null;
  };
}

/** A report the kernel printed, joined to the trace. Times as elsewhere; null = not found. */
export interface KernelReport {
  readonly kind: string;
  readonly source: string;
  readonly line: number;
  /** When the request failed, on the trace's clock. */
  readonly timeNs: number | null;
  readonly order: number | null;
  readonly gfp: string;
  readonly comm: string;
  readonly caller: string;
  readonly cause: string;
  readonly summary: string;
  /** The failed request of the trace that it reports; null if none fits, or several do. */
  readonly attempt: { readonly timeNs: number; readonly class: AttemptClass } | null;
  /** Failed requests that fit. */
  readonly fitting: number;
  /**
   * Where its request was looked for. `whole`: among all that it could be; `part`: not among all,
   * since there are too many; `nowhere`: the log has no known place in the trace.
   */
  readonly searched: 'whole' | 'part' | 'nowhere';
  /** Failure windows that it may have fallen into. */
  readonly fittingWindows: number;
  /** The failure window it falls into; null if there is none, or it may be several. */
  readonly window: {
    readonly fromNs: number;
    readonly toNs: number;
    readonly reason: ZoneReason;
  } | null;
}

/** The clock of a kernel log beside the trace. */
export interface KernelLogClock {
  readonly source: string;
  /** `boot`: seconds since boot; `wall`: date and time; `none`: no stamps. */
  readonly clock: 'boot' | 'wall' | 'none';
  /**
   * `same-clock`: the trace's own; `copies`: the distance of the recording's own copies; `fitted`:
   * found from the failed requests; `ambiguous`: several distances fit alike; `none`: none fits;
   * `too-many`: not looked for among all failed requests, since there are too many.
   */
  readonly method: 'same-clock' | 'copies' | 'fitted' | 'ambiguous' | 'none' | 'too-many';
  /** Trace time minus log time, ns; null = not known. */
  readonly offsetNs: number | null;
  readonly uncertaintyNs: number;
  /** Reports that were joined to a failed request. */
  readonly linked: number;
  /** Failed requests of the trace that are like one of its reports: same task, order and flags. */
  readonly alike: number;
}

/** Reports of the kernel log beside the trace. */
export interface KernelReports {
  /** How the stamps of each log were brought to the trace's clock. */
  readonly clocks: readonly KernelLogClock[];
  readonly total: number;
  /** The first ones. */
  readonly reports: readonly KernelReport[];
}

/**
 * The block of an order in a zone that could be made free with least work.
 * `fewest`: fewest pages in use; `movable`: fewest among blocks with nothing known to be immovable.
 */
export interface NearestBlock {
  /** Index in `zones`. */
  readonly zone: number;
  readonly order: number;
  readonly kind: 'fewest' | 'movable';
  readonly pfn: number;
  /** Pages in use, and of these by what is known of them; the sum of the three is `taken`. */
  readonly taken: number;
  readonly movable: number;
  readonly immovable: number;
  readonly unknown: number;
  /** Whose they are, most first. */
  readonly holders: readonly {
    readonly comm: string;
    readonly gfp: string;
    readonly pages: number;
  }[];
}

export interface ReportZone {
  readonly node: number;
  readonly zone: string;
  readonly startPfn: number;
  readonly spanned: number;
  readonly managed: number;
}

/** A fixed division of the span: bucket i is [fromNs + i * bucketNs, fromNs + (i + 1) * bucketNs). */
export interface TimeGrid {
  readonly fromNs: number;
  readonly bucketNs: number;
  readonly buckets: number;
}

/** Watermarks from `timeNs` on, pages; null where nothing in the input tells them. */
export interface MarkStep {
  readonly timeNs: number;
  readonly min: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly boost: number;
  /** Pages that must stay free for GFP_ATOMIC: reduced min mark + lowmem_reserve. */
  readonly atomicNeed: number | null;
}

/** Free blocks of one zone; arrays are [order][bucket]. */
export interface ZoneTimeline {
  /** At the end of the bucket, and the extremes inside it. */
  readonly last: readonly (readonly number[])[];
  readonly min: readonly (readonly number[])[];
  readonly max: readonly (readonly number[])[];
  /** Bounds at the end of the bucket; null when they equal `last` throughout. */
  readonly low: readonly (readonly number[])[] | null;
  readonly high: readonly (readonly number[])[] | null;
  readonly freePages: readonly number[];
  readonly freePagesMin: readonly number[];
  readonly freePagesMax: readonly number[];
  /** One letter a bucket, the worst in it: e(xact), b(ounded), u(nknown). */
  readonly certainty: string;
  readonly marks: readonly MarkStep[];
  /** lowmem_reserve by highest zone index of the request, pages. */
  readonly protection?: readonly number[];
  /** Part of `last`, like it: blocks in CMA areas and in HIGHATOMIC pageblocks; absent = none. */
  readonly cma?: readonly (readonly number[])[];
  readonly highatomic?: readonly (readonly number[])[];
  /** Pages of HIGHATOMIC pageblocks, free or not, at the end of the bucket; absent = none. */
  readonly reserved?: readonly number[];
  /** Pages that may be reserved; null = nothing tells it, absent = no more than `reserved`. */
  readonly reservedAtMost?: readonly (number | null)[];
  /** Blocks that are very likely there, like `low`; absent = `low`. */
  readonly likely?: readonly (readonly number[])[];
  /** The boost may be anything up to this, because no event tells it; absent = it is told. */
  readonly unseenBoost?: number;
}

export interface LostSpan {
  readonly fromNs: number;
  readonly toNs: number;
  readonly cpu: number;
  /** Events lost, NaN-free: null when the input does not say how many. */
  readonly count: number | null;
}

export interface TimeMarker {
  readonly timeNs: number;
  readonly text: string;
}

export interface Timeline extends TimeGrid {
  /** In the order of `zones`. */
  readonly zones: readonly ZoneTimeline[];
  readonly lost: readonly LostSpan[];
  readonly markers: readonly TimeMarker[];
}

/** How long a request class fails, per order. */
export interface FailureTotal {
  readonly order: number;
  readonly gfp: string;
  readonly node: number;
  readonly windows: number;
  readonly ns: number;
  /** The part of `ns` where the rule says so whatever the bounds. */
  readonly exactNs: number;
  readonly longestNs: number;
  /** Share of the span, 0 to 1. */
  readonly share: number;
  readonly byReason: Readonly<Partial<Record<ZoneReason, number>>>;
}

export interface AttemptCount {
  readonly order: number;
  readonly class: AttemptClass;
  readonly ok: number;
  readonly failed: number;
}

/** Refusals of one order and class in one bucket of the timeline's grid. */
export interface RefusalBucket {
  readonly bucket: number;
  readonly order: number;
  readonly class: AttemptClass;
  readonly count: number;
}

export interface Attempts {
  readonly counts: readonly AttemptCount[];
  readonly refusals: readonly RefusalBucket[];
  /** The first refusals, at most `refusalsKept` of `refusalsTotal`. */
  readonly examples: readonly Attempt[];
  readonly refusalsTotal: number;
  readonly refusalsKept: number;
}

/** How many order-n GFP_ATOMIC requests in a row would succeed; arrays are [order][bucket]. */
export interface Headroom {
  readonly last: readonly (readonly number[])[];
  readonly min: readonly (readonly number[])[];
  /** Bounds at the end of the bucket; null or absent when they equal `last` throughout. */
  readonly low?: readonly (readonly number[])[] | null;
  readonly high?: readonly (readonly number[])[] | null;
  /** False when the watermarks are not known: then only the free lists limit it. */
  readonly marksKnown: boolean;
  /**
   * The least of each zone alone, [zone][order][bucket]; what it would serve at the end of a bucket follows from its
   * free lists (zone-headroom.ts). Absent in summaries of older versions.
   */
  readonly zoneMin?: readonly (readonly (readonly number[])[])[];
  /** The least for the other kinds of request that windows were judged for. */
  readonly others?: readonly {
    readonly gfp: string;
    readonly min: readonly (readonly number[])[];
    readonly zoneMin: readonly (readonly (readonly number[])[])[];
  }[];
}

/** mm_page_alloc_extfrag: what type of request took blocks of what type. */
export interface Extfrag {
  readonly total: number;
  readonly cells: readonly ExtfragCell[];
  readonly buckets: number;
}

export interface ExtfragCell {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** Of these, with the whole pageblock claimed. */
  readonly claimed: number;
  /** By bucket of `Extfrag.buckets` over the span. */
  readonly series: readonly number[];
  /** The same by zone, those without any left out; absent in summaries of older versions. */
  readonly zones?: readonly {
    /** Index in `zones` of the report. */
    readonly zone: number;
    readonly count: number;
    readonly claimed: number;
    readonly series: readonly number[];
  }[];
}

export interface ReportResidual {
  readonly timeNs: number;
  readonly source: string;
  readonly zones: readonly {
    readonly node: number;
    readonly zone: string;
    readonly blocks: readonly number[];
    readonly pages: number;
    readonly freePages: number;
  }[];
}

/** One zone at a moment: free blocks by order with their bounds. */
export interface MomentZone {
  readonly free: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly freePages: number;
  /** Pages added to the watermarks; absent = as the timeline's marks say. */
  readonly boost?: number;
  /** Part of `free`: blocks in CMA areas and in HIGHATOMIC pageblocks; absent = none. */
  readonly cma?: readonly number[];
  readonly highatomic?: readonly number[];
  /** Pages of HIGHATOMIC pageblocks, free or not; absent = none. */
  readonly reserved?: number;
  /** Pages that may be reserved; null = nothing tells it, absent = no more than `reserved`. */
  readonly reservedAtMost?: number | null;
  /** Blocks that are very likely there; absent = `low`. */
  readonly likely?: readonly number[];
}

/** The full state and the kernel's answer at one instant that matters. */
export interface Moment {
  readonly timeNs: number;
  readonly certainty: Certainty;
  readonly zones: readonly MomentZone[];
  readonly verdict: Verdict | null;
  /** What stands between each zone and a block of the verdict's order; absent = not looked. */
  readonly nearest?: readonly NearestBlock[];
  /** The last page events up to it, and the first ones after. */
  readonly around?: readonly NearEvent[];
}

/** A page event near a moment. */
export interface NearEvent {
  readonly timeNs: number;
  /** The kernel's name: `kmem:mm_page_alloc`. */
  readonly event: string;
  readonly cpu: number;
  readonly comm: string;
  readonly order: number;
  /** -1 = a request that failed. */
  readonly pfn: number;
}

/** What the kernel does about memory by itself. */
export const ACTIVITIES = [
  'compaction',
  'direct reclaim',
  'kswapd',
  'CMA allocation',
  'OOM kill',
] as const;

export type Activity = (typeof ACTIVITIES)[number];

/** A time of one activity; spans very near to each other are joined. */
export interface ActivitySpan {
  readonly activity: Activity;
  readonly fromNs: number;
  readonly toNs: number;
  /** Runs that were joined. */
  readonly count: number;
}

export interface ReportDiagnostic {
  readonly code: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly message: string;
  readonly source: string;
  readonly line?: number;
  readonly excerpt?: string;
  readonly hint?: string;
  /** How often this code occurred in all. */
  readonly count: number;
}

/** The report's words. */
export interface Narrative {
  /** The request class the verdict speaks of; absent = plain GFP_ATOMIC. */
  readonly gfp?: string;
  /** The order it speaks of; absent = none in particular. */
  readonly order?: number;
  readonly verdict: string;
  readonly tone: 'bad' | 'warn' | 'good' | 'unknown';
  readonly facts: readonly { readonly figure: string; readonly text: string }[];
  readonly paragraphs: readonly string[];
  readonly trust: readonly string[];
}

export interface ReportData {
  readonly schema: typeof REPORT_SCHEMA;
  readonly title: string;
  readonly tool: ReportTool;
  readonly inputs: readonly ReportInput[];
  readonly kernel: ReportKernel;
  readonly clock: { readonly name: string; readonly epochS: number };
  readonly span: { readonly fromNs: number; readonly toNs: number };
  readonly pageSize: number;
  readonly pageblockOrder: number;
  /** Number of orders, 11 on most kernels. */
  readonly orders: number;
  readonly zones: readonly ReportZone[];
  /** Indices of zones in the order GFP_ATOMIC tries them; a zone left out is never tried. */
  readonly zonelist: readonly number[];
  /** Node that requests are thought to come from; absent = 0. */
  readonly node?: number;
  /** Events accepted, by kernel name. */
  readonly counts: Readonly<Record<string, number>>;
  readonly lostEvents: number;
  readonly timeline: Timeline;
  readonly windows: readonly FailureWindow[];
  /** Windows counted in `totals` but left out of `windows` because of the limit. */
  readonly windowsDropped: number;
  readonly totals: readonly FailureTotal[];
  /** The requests that windows were looked for; of others nothing is said. Absent = every order above 0. */
  readonly judged?: { readonly orders: readonly number[]; readonly gfps: readonly string[] };
  readonly moments: readonly Moment[];
  readonly attempts: Attempts;
  readonly physicalMap: PhysicalMap | null;
  readonly holders: Holders | null;
  readonly headroom: Headroom;
  readonly extfrag: Extfrag;
  /** Absent in summaries of older versions. */
  readonly activity?: readonly ActivitySpan[];
  readonly residuals: readonly ReportResidual[];
  readonly diagnostics: readonly ReportDiagnostic[];
  readonly assumptions: readonly string[];
  readonly limits: readonly string[];
  /** Null or absent: no replay facts, no kernel log. */
  readonly replay?: ReportReplay | null;
  /** /proc/sys/vm and the like, by name, as last copied; absent = none in the input. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly kernelReports?: KernelReports | null;
  readonly narrative: Narrative;
}
