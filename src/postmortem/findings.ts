/**
 * The words of a postmortem: causes, what was found in each zone, and the whole answer.
 *
 * Plain data: text, JSON and HTML are renderings of it. Pages are of the machine's page size unless
 * a name says kB. The cause strings are part of the JSON schema (docs/schemas/postmortem.md).
 */
import type { AttemptClass, GfpRequest } from '../kernel/gfp.js';
import type { KernelProfile } from '../kernel/profile.js';
import type { Splat } from '../records/splat.js';

export const CAUSES = [
  'below-watermark',
  'lowmem-reserve',
  'fragmented',
  'only-highatomic',
  'only-cma',
  'only-isolated',
  'old-halving-rule',
  'should-have-passed',
  'impossible-request',
  'cannot-be-told',
] as const;

export type Cause = (typeof CAUSES)[number];

/** exact: the printed figures decide; bounded: some figure is an estimate or the text was damaged. */
export type PostmortemCertainty = 'exact' | 'bounded' | 'unknown';

/** Free pages this request may not count, and why. */
export interface Unusable {
  readonly what: 'the request itself' | 'CMA' | 'HIGHATOMIC reserve';
  readonly pages: number;
  /** True if the kernel did not print it and the least it can be was taken. */
  readonly estimated: boolean;
}

export interface ZoneFinding {
  readonly node: number;
  readonly zone: string;
  /** May the request use this zone at all? */
  readonly eligible: boolean;
  /** `not-eligible` for zones the request could not use. */
  readonly reason: Cause | 'not-eligible';
  /** What alone would have let a page shortage pass. */
  readonly because: 'cma' | 'highatomic' | 'boost' | null;
  /** False if another reading of an unprinted figure gives another reason. */
  readonly certain: boolean;
  readonly freePages: number | null;
  readonly managedPages: number | null;
  /** min as printed, boost included. */
  readonly minPages: number | null;
  readonly boostPages: number;
  /** Boost inside min on kernels that do not print it, at the least. */
  readonly hiddenBoostPages: number;
  /** min after the reductions this request is granted. */
  readonly reducedPages: number | null;
  readonly reservePages: number;
  readonly unusable: readonly Unusable[];
  /** Pages beyond those that had to remain; negative = short. null = marks not printed. */
  readonly marginPages: number | null;
  readonly pagesShort: number;
  /** Usable blocks of the order or above; null if the list is missing. */
  readonly blocks: number | null;
  readonly blocksShort: number;
  /** Free pages in blocks of that order or above that this request may take. */
  readonly reachablePages: number | null;
  readonly unusableIndex: number | null;
  readonly fragmentationIndex: number | null;
  /** Largest order that this zone would have served, -1 = none, null = not known. */
  readonly servedOrder: number | null;
  readonly freeBlocks: readonly number[];
  readonly letters: readonly string[];
  /** The arithmetic in words, one step a line. */
  readonly steps: readonly string[];
}

/** Free pages that count for the request: what is short is short of these. null = marks not printed. */
export function countedPages(zone: ZoneFinding): number | null {
  if (zone.marginPages === null || zone.reducedPages === null) return null;
  return zone.reducedPages + zone.reservePages + 1 + zone.marginPages;
}

export type CallerContext =
  | 'softirq'
  | 'interrupt'
  | 'idle task'
  | 'workqueue'
  | 'reclaim'
  | 'process'
  | 'unknown';

export interface CallerFinding {
  /** First function outside mm/, slab and buffer helpers; '' if the trace tells none. */
  readonly fn: string;
  /** Module or subsystem (`mlx4_en`, `btrfs`), '' if unknown. */
  readonly owner: string;
  readonly context: CallerContext;
  /** The task was reclaiming memory itself: watermarks do not hold for it. */
  readonly reclaiming: boolean;
  /** slab cache that asked, from the SLUB lines, '' if none. */
  readonly cache: string;
}

export interface Harm {
  readonly level: 'noise' | 'likely-handled' | 'retried' | 'request-failed' | 'unknown';
  readonly why: string;
}

export interface Advice {
  readonly id: string;
  readonly what: string;
  readonly why: string;
  /** Exact command or code change, '' if it is neither. */
  readonly command: string;
  /** What it costs on this machine, '' if nothing worth saying. */
  readonly cost: string;
}

export interface Useless {
  readonly what: string;
  readonly why: string;
}

export interface PostmortemReport {
  readonly splat: Splat;
  readonly order: number | null;
  readonly pageKB: number;
  readonly bytes: number | null;
  readonly request: GfpRequest | null;
  readonly attempt: AttemptClass | null;
  /** Canonical migratetypes whose free lists could serve it, in the order tried; [] = not known. */
  readonly lists: readonly number[];
  readonly profile: KernelProfile;
  /** How the kernel was known. */
  readonly kernelEvidence: string;
  readonly kernelKnown: boolean;
  readonly caller: CallerFinding;
  readonly cause: Cause;
  readonly certainty: PostmortemCertainty;
  /** One sentence: why. */
  readonly summary: string;
  /** The zone that decides, null if none does. */
  readonly decisive: ZoneFinding | null;
  readonly zones: readonly ZoneFinding[];
  /** What is missing or damaged, in words. */
  readonly missing: readonly string[];
  readonly notes: readonly string[];
  readonly harm: Harm;
  readonly advice: readonly Advice[];
  readonly useless: readonly Useless[];
}
