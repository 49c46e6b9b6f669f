/**
 * The words of the answers: reasons, verdicts, failure windows, attempts.
 */
import type { WatermarkReason } from '../kernel/zone-verdict.js';
import type { Certainty } from '../replay/observer.js';

/** Why a zone cannot serve a request. `none` = it can. */
export type ZoneReason = WatermarkReason;

/** Whether a request would be served. */
export type VerdictWord = 'succeeds' | 'fails' | 'undetermined';

/** What one zone would have done with a request. */
export interface ZoneVerdict {
  readonly node: number;
  readonly zone: string;
  readonly verdict: VerdictWord;
  readonly reason: ZoneReason;
  /** Pages that must stay free for this request: reduced mark + reserve; null if marks unknown. */
  readonly needPages: number | null;
  /** Free pages this request may count. */
  readonly freePages: number;
  /** Pages short of the mark, 0 if it passes. */
  readonly pagesShort: number;
  /** Usable free blocks of the order or above. */
  readonly blocks: number;
}

/** The answer for one request at one instant. */
export interface Verdict {
  readonly timeNs: number;
  readonly order: number;
  readonly gfp: string;
  readonly node: number;
  readonly verdict: VerdictWord;
  /** Reason of the zone that binds: the one nearest to serving the request. */
  readonly reason: ZoneReason;
  readonly zones: readonly ZoneVerdict[];
}

/** The event that opened or closed a window. */
export interface WindowEdge {
  readonly event: string;
  readonly comm: string;
  readonly pid: number;
  readonly order: number;
  readonly pfn: number;
}

/** A span of time in which a request class fails. */
export interface FailureWindow {
  readonly order: number;
  readonly gfp: string;
  readonly node: number;
  readonly fromNs: number;
  readonly toNs: number;
  readonly reason: ZoneReason;
  /** exact: the kernel's rule says so whatever the bounds; bounded: the best estimate says so. */
  readonly certainty: Certainty;
  readonly openedBy: WindowEdge | null;
  readonly closedBy: WindowEdge | null;
}

/** What a refused request may do instead: nothing (atomic), try otherwise, or wait. */
export type AttemptClass = 'atomic' | 'nowait' | 'opportunistic' | 'blocking';

/** A recorded request that the kernel refused (or, for verify, served). */
export interface Attempt {
  readonly timeNs: number;
  readonly order: number;
  readonly gfp: string;
  readonly cpu: number;
  readonly pid: number;
  readonly comm: string;
  readonly ok: boolean;
  readonly class: AttemptClass;
}
