/**
 * The table of kernel differences: one row a switch, each with the versions at which its value
 * changed and the stable series that took the change later.
 *
 * A switch is independent of the others because stable and distribution kernels backport single
 * changes: 6.1.192 has the reserve flags of 6.3 with the gfp bits of 5.1. `since` names the first
 * version with a value; where sources were read only at some versions, that is the first one read
 * or the documented release in between (docs/model/ says which). A backport row says from which
 * point release of a series a later value holds: `proven` was read in that version's source,
 * `assumed` is our guess of the first point release with it.
 */
import type { GfpEra } from './gfp-flags.js';
import { GFP_ERAS } from './gfp-flags.js';
import type { MigratetypeNumbering } from './migratetype.js';

export interface ProfileSwitches {
  readonly pfnHex: boolean;
  readonly freeEventNames: 'direct' | 'page-free';
  readonly nullPagePfn: 'garbage' | 'zero';
  readonly batchedFreeCold: boolean;
  readonly batchedFreeDuplicates: boolean;
  readonly gfpEra: GfpEra;
  readonly migratetypes: MigratetypeNumbering;
  readonly zoneLockedTypeIsReal: boolean;
  readonly zoneLockedOnFailure: boolean;
  readonly percpuRefillReal: boolean;
  readonly extfragIsRemoval: boolean;
  readonly extfragPfn: 'returned' | 'block-head';
  readonly watermarkRule: 'halving' | 'modern-4.4' | 'modern-4.14' | 'modern-6.3';
  readonly halvingOffByTwo: boolean;
  readonly watermarkCma: boolean;
  readonly orderZeroShortcut: 'none' | 'cma-only' | 'full';
  readonly orderZeroBoostExempt: 'none' | 'atomic-bit' | 'min-reserve';
  readonly highatomicSubtracts: 'none' | 'reserved' | 'free';
  readonly highatomicNeedsHigh: boolean;
  readonly orderZeroUsesHighatomic: boolean;
  readonly highatomicCap: 'none' | 'plus-pageblock' | 'percent';
  readonly reserveFlags: '2.6' | '3.10' | '4.4' | '6.3';
  readonly oomPartialReserves: boolean;
  readonly boost: boolean;
  readonly watermarkScale: boolean;
  readonly minFreeKbytesMax: '65536' | '262144';
  readonly movableMinClamped: boolean;
  readonly lowmemRatioZeroMeansNone: boolean;
  readonly pcpOrders: '0' | '0-3';
  readonly thpPcp: boolean;
  readonly pcpMissFallsThrough: boolean;
  readonly highatomicSkipsPcpRefill: boolean;
  readonly pcpBatch: 'cap128' | 'cap256' | 'shift12';
  readonly pcpHigh: '6batch' | 'low-per-cpu' | 'auto';
  readonly mergeBarrier: 'none' | 'isolate' | 'not-UME';
  readonly freelistHygiene: boolean;
  readonly fallback: 'A' | 'B' | 'C' | 'D' | 'E';
  readonly noFragment: boolean;
  readonly cmaFirst: boolean;
  readonly bulkAllocation: boolean;
  readonly compactionEvents: 'none' | 'counts' | 'range' | 'range-fast';
  readonly fastIsolate: boolean;
  readonly nrScannedCountsTaken: boolean;
  readonly compactionKeepsOrder: boolean;
  readonly inclusiveMaxOrder: boolean;
  readonly contiguousFrees: boolean;
  readonly kpageflagsHeadsOnly: boolean;
}

export type SwitchKey = keyof ProfileSwitches;

export interface Backport<T> {
  /** `6.1`: the stable series. */
  readonly series: string;
  readonly value: T;
  /** Point release whose source was read with this value. */
  readonly proven: number;
  /** First point release assumed to have it. */
  readonly assumed: number;
}

export interface SwitchSpec<T> {
  /** What the value says about the kernel, for `inspect` and the report. */
  readonly title: string;
  /** The page that documents the rule. */
  readonly doc: string;
  readonly values: readonly T[];
  /** First version of each value, ascending; the first row holds for everything older. */
  readonly history: readonly (readonly [since: string, value: T])[];
  readonly backports?: readonly Backport<T>[];
}

const BOOL: readonly boolean[] = [false, true];

/** A boolean that became true at `version`. */
function since(title: string, doc: string, version: string, backports?: Backport<boolean>[]) {
  const history: (readonly [string, boolean])[] = [
    ['0.0', false],
    [version, true],
  ];
  const spec: SwitchSpec<boolean> = { title, doc, values: BOOL, history };
  return backports ? { ...spec, backports } : spec;
}

/** A boolean that was true until (not including) `version`. */
function until(title: string, doc: string, version: string): SwitchSpec<boolean> {
  return {
    title,
    doc,
    values: BOOL,
    history: [
      ['0.0', true],
      [version, false],
    ],
  };
}

function choice<T extends string>(
  title: string,
  doc: string,
  history: readonly (readonly [string, T])[],
  extra: { values?: readonly T[]; backports?: readonly Backport<T>[] } = {},
): SwitchSpec<T> {
  const values = extra.values ?? [...new Set(history.map(([, value]) => value))];
  return {
    title,
    doc,
    values,
    history,
    ...(extra.backports ? { backports: extra.backports } : {}),
  };
}

const in61 = <T>(value: T, assumed: number): Backport<T> => ({
  series: '6.1',
  value,
  proven: 192,
  assumed,
});
const in612 = <T>(value: T, assumed: number): Backport<T> => ({
  series: '6.12',
  value,
  proven: 107,
  assumed,
});

/** Every switch. The keys are stable: `--profile key=value` uses them. */
export const SWITCHES: { readonly [K in SwitchKey]: SwitchSpec<ProfileSwitches[K]> } = {
  pfnHex: since('events print pfn=0x… (before: decimal)', 'event-text', '5.14'),
  freeEventNames: choice('names of the free events', 'event-text', [
    ['0.0', 'direct'],
    ['3.3', 'page-free'],
  ]),
  nullPagePfn: choice('what a failed allocation prints as pfn', 'event-text', [
    ['0.0', 'garbage'],
    ['3.3', 'zero'],
  ]),
  batchedFreeCold: until('the batched free event prints cold=', 'event-text', '4.16'),
  batchedFreeDuplicates: since(
    'a batched free event repeats a mm_page_free of the same page',
    'event-text',
    '3.0',
  ),
  gfpEra: choice(
    'numbers of the gfp flags',
    'gfp-flags',
    [
      ['0.0', 'before-2.6.32'],
      ['2.6.31', '2.6.32'],
      ['4.4', '4.4'],
      ['4.10', '4.10'],
      ['4.16', '4.16'],
      ['5.1', '5.1'],
      ['6.3', '6.3'],
      ['6.8', '6.8'],
    ],
    { values: GFP_ERAS },
  ),
  migratetypes: choice(
    'numbers of the migratetypes',
    'migratetypes',
    [
      ['0.0', 'reserve'],
      ['3.5', 'reserve-cma'],
      ['4.4', 'highatomic-cma'],
    ],
    { values: ['reserve', 'reserve-cma', 'highatomic', 'highatomic-cma'] },
  ),
  zoneLockedTypeIsReal: since(
    'zone_locked prints the type of the list really used (before: the type asked for)',
    'event-semantics',
    '5.19',
  ),
  zoneLockedOnFailure: until(
    'zone_locked is also emitted, with pfn 0, when nothing was found',
    'event-semantics',
    '5.10',
  ),
  percpuRefillReal: since(
    'percpu_refill is a recorded field (before: order == 0)',
    'event-semantics',
    '5.19',
  ),
  extfragIsRemoval: since(
    'an extfrag event without a zone_locked after it is itself the removal',
    'event-semantics',
    '6.10',
  ),
  extfragPfn: choice('what the pfn of an extfrag event is', 'event-semantics', [
    ['0.0', 'returned'],
    ['4.12', 'block-head'],
    ['6.10', 'returned'],
  ]),
  watermarkRule: choice(
    'how a zone is tested for a block',
    'watermark-test',
    [
      ['0.0', 'halving'],
      ['4.4', 'modern-4.4'],
      ['4.13', 'modern-4.14'],
      ['6.3', 'modern-6.3'],
    ],
    { backports: [in61('modern-6.3', 116)] },
  ),
  halvingOffByTwo: {
    title: 'the halving test subtracts 2^order + 1 instead of 2^order - 1',
    doc: 'watermark-test',
    values: BOOL,
    history: [
      ['0.0', false],
      ['2.6.37', true],
      ['3.3', false],
    ],
  },
  watermarkCma: since(
    'free CMA pages are subtracted for requests that cannot use them',
    'watermark-test',
    '3.19',
  ),
  orderZeroShortcut: choice('quick test of order-0 requests', 'watermark-test', [
    ['0.0', 'none'],
    ['4.9', 'cma-only'],
    ['5.10', 'full'],
  ]),
  orderZeroBoostExempt: choice(
    'order-0 atomic requests are retried without the boost',
    'watermark-boost',
    [
      ['0.0', 'none'],
      ['5.4', 'atomic-bit'],
      ['6.3', 'min-reserve'],
    ],
    { backports: [in61('min-reserve', 116)] },
  ),
  highatomicSubtracts: choice(
    'which highatomic pages ordinary requests may not count',
    'highatomic',
    [
      ['0.0', 'none'],
      ['4.4', 'reserved'],
      ['6.12', 'free'],
    ],
  ),
  highatomicNeedsHigh: since(
    'only requests with __GFP_HIGH may use highatomic blocks (before: any that may not sleep)',
    'highatomic',
    '6.18',
    [in61(true, 154), in612(true, 49)],
  ),
  orderZeroUsesHighatomic: since(
    'order-0 requests that may not sleep take highatomic pages as a last resort',
    'highatomic',
    '6.12',
    [in61(true, 116)],
  ),
  highatomicCap: choice('limit of the highatomic reserve', 'highatomic', [
    ['0.0', 'none'],
    ['4.4', 'plus-pageblock'],
    ['6.7', 'percent'],
  ]),
  reserveFlags: choice(
    'which gfp flags lower the min watermark',
    'alloc-flags',
    [
      ['0.0', '2.6'],
      ['2.6.39', '3.10'],
      ['4.4', '4.4'],
      ['6.3', '6.3'],
    ],
    { backports: [in61('6.3', 116)] },
  ),
  oomPartialReserves: since(
    'OOM victims use half of min (before: no watermark)',
    'alloc-flags',
    '4.14',
  ),
  boost: since('mixing of types raises the watermarks for a while', 'watermark-boost', '5.0'),
  watermarkScale: since(
    'watermark_scale_factor widens the distance of the marks',
    'min-free-kbytes',
    '4.6',
  ),
  minFreeKbytesMax: choice('largest min_free_kbytes chosen at boot', 'min-free-kbytes', [
    ['0.0', '65536'],
    ['5.10', '262144'],
  ]),
  movableMinClamped: since(
    'zone Movable has a small fixed min watermark, as HighMem has',
    'min-free-kbytes',
    '6.6',
  ),
  lowmemRatioZeroMeansNone: since(
    'lowmem_reserve_ratio below 1 means no reserve (before: a ratio of 1)',
    'lowmem-reserve',
    '5.10',
  ),
  pcpOrders: choice('orders kept on per-cpu lists', 'pcp-lists', [
    ['0.0', '0'],
    ['5.14', '0-3'],
  ]),
  thpPcp: since('huge pages (pageblock order) are kept on per-cpu lists', 'pcp-lists', '5.14'),
  pcpMissFallsThrough: since(
    'an empty per-cpu list is followed by a try at the buddy lists',
    'pcp-lists',
    '6.0',
  ),
  highatomicSkipsPcpRefill: since(
    'high-order atomic requests never refill a per-cpu list',
    'pcp-lists',
    '7.1',
  ),
  pcpBatch: choice('formula of the per-cpu batch', 'pcp-lists', [
    ['0.0', 'cap128'],
    ['4.19', 'cap256'],
    ['6.19', 'shift12'],
  ]),
  pcpHigh: choice('formula of the per-cpu high mark', 'pcp-lists', [
    ['0.0', '6batch'],
    ['5.14', 'low-per-cpu'],
    ['6.7', 'auto'],
  ]),
  mergeBarrier: choice('which types keep two pageblocks from merging', 'merging', [
    ['0.0', 'none'],
    ['3.19', 'isolate'],
    ['5.19', 'not-UME'],
  ]),
  freelistHygiene: since('a free block is always on the list of its pageblock', 'fallback', '6.10'),
  fallback: choice(
    'how a request takes blocks of another type',
    'fallback',
    [
      ['0.0', 'A'],
      ['3.13', 'B'],
      ['4.12', 'C'],
      ['6.10', 'D'],
      ['6.15', 'E'],
    ],
    { backports: [in612('E', 30)] },
  ),
  noFragment: since('a first pass avoids mixing types', 'fallback', '5.0'),
  cmaFirst: since(
    'movable requests go to CMA first when it is more than half of what is free',
    'fallback',
    '5.8',
  ),
  bulkAllocation: since(
    'pages can be allocated in bulk without mm_page_alloc',
    'event-semantics',
    '5.13',
  ),
  compactionEvents: choice('form of the compaction events', 'compaction', [
    ['0.0', 'none'],
    ['3.0', 'counts'],
    ['4.0', 'range'],
    ['6.5', 'range-fast'],
  ]),
  fastIsolate: since(
    'compaction takes target blocks straight from the free lists',
    'compaction',
    '5.1',
  ),
  nrScannedCountsTaken: since(
    'nr_scanned of isolate_freepages counts the isolated pages',
    'compaction',
    '6.4',
    [in61(true, 100)],
  ),
  compactionKeepsOrder: since(
    'compaction keeps isolated blocks at their order',
    'compaction',
    '6.10',
  ),
  inclusiveMaxOrder: since(
    'MAX_ORDER is the largest order (before: one above it)',
    'orders',
    '6.4',
  ),
  contiguousFrees: since('runs of single pages are merged before they are freed', 'merging', '7.2'),
  kpageflagsHeadsOnly: until(
    'kpageflags marks only the first page of a free block',
    'kpageflags',
    '4.6',
  ),
};
