/**
 * The input levels: what of a recording the tool is given, from everything to the bare minimum.
 *
 * Every level also gets one zoneinfo copy, the kernel's version, the vm sysctls and the boot messages.
 */

/** Which lines of the trace are left in; `none` = there is no trace. */
export type TraceLines = 'all' | 'page' | 'page+' | 'none';

export interface Level {
  readonly name: string;
  readonly title: string;
  readonly lines: TraceLines;
  /** Whether one kpageflags copy is given. */
  readonly positions: boolean;
  /** Seconds between the buddyinfo copies that are given; 0 = all of them, Infinity = none. */
  readonly everyS: number;
  /** `--hide` of `buddyscope verify` at this level; null = verify is not run. */
  readonly hide: string | null;
  /** Judge only attempts this close to a given copy, ns. */
  readonly nearNs: number;
}

const ALWAYS = Number.POSITIVE_INFINITY;

export const LEVELS: readonly Level[] = [
  {
    name: 'full',
    title: 'all events, kpageflags once',
    lines: 'all',
    positions: true,
    everyS: Number.POSITIVE_INFINITY,
    hide: 'all-but-first',
    nearNs: ALWAYS,
  },
  {
    name: 'snap',
    title: 'all events, kpageflags once, buddyinfo every second',
    lines: 'all',
    positions: true,
    everyS: 1,
    hide: 'every=1',
    nearNs: ALWAYS,
  },
  {
    name: 'buddy',
    title: 'all events, buddyinfo every second',
    lines: 'all',
    positions: false,
    everyS: 1,
    hide: 'every=1',
    nearNs: ALWAYS,
  },
  {
    name: 'page+',
    title:
      'mm_page_alloc, mm_page_free, compaction, extfrag and kswapd events, buddyinfo every second',
    lines: 'page+',
    positions: false,
    everyS: 1,
    hide: 'every=1',
    nearNs: ALWAYS,
  },
  {
    name: 'page',
    title: 'mm_page_alloc and mm_page_free, buddyinfo every second',
    lines: 'page',
    positions: false,
    everyS: 1,
    hide: 'every=1',
    nearNs: ALWAYS,
  },
  {
    name: 'copies',
    title: 'every buddyinfo copy, no trace; attempts within 10 ms of a copy',
    lines: 'none',
    positions: false,
    everyS: 0,
    hide: null,
    nearNs: 10e6,
  },
  {
    name: 'copies-1s',
    title: 'buddyinfo every second, no trace',
    lines: 'none',
    positions: false,
    everyS: 1,
    hide: null,
    nearNs: ALWAYS,
  },
];

/** Whether a line of an event of this name stays in. */
export function keepsEvent(lines: TraceLines, name: string): boolean {
  if (lines === 'all') return true;
  if (name === 'mm_page_alloc' || name === 'mm_page_free') return lines !== 'none';
  return (
    lines === 'page+' &&
    (name.startsWith('mm_compaction_') ||
      name === 'mm_page_alloc_extfrag' ||
      /^mm_vmscan_(?:wakeup_)?kswapd/.test(name))
  );
}
