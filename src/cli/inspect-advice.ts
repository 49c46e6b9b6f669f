/**
 * What further input would make the answer more certain: from what is there, what is not.
 *
 * Each piece of advice says what is missing, what that costs, and how to get it on the target. What it
 * costs was measured on recordings with ground truth; see docs/model/. Order = how much it helps.
 */
import { TIMED_KINDS } from '../recording/undated.js';
import type { Snapshot, SnapshotKind } from '../records/snapshot.js';
import type { SourceSummary } from '../records/source.js';

export interface Advice {
  /** Stable, for scripts: `no-kpageflags`. */
  readonly id: string;
  readonly missing: string;
  readonly costs: string;
  readonly how: string;
}

/** All sources together: events and snapshots by kernel name, and what was lost. */
export interface Holdings {
  readonly events: ReadonlyMap<string, number>;
  readonly snapshots: ReadonlyMap<string, number>;
  readonly lostEvents: number;
  readonly overwritten: number;
  /** Copies of kinds of which none has a time. */
  readonly undated: number;
  readonly spanNs: number;
}

function addAll(into: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    into.set(name, (into.get(name) ?? 0) + count);
  }
}

/** Copies without a place in time, of kinds of which none has one. */
export function undatedCopies(snapshots: readonly Snapshot[]): number {
  const undated = new Map<SnapshotKind, number>();
  const dated = new Set<SnapshotKind>();
  for (const { kind, time } of snapshots) {
    if (!TIMED_KINDS.has(kind)) continue;
    if (time.clock === 'none') undated.set(kind, (undated.get(kind) ?? 0) + 1);
    else dated.add(kind);
  }
  for (const kind of dated) undated.delete(kind);
  return [...undated.values()].reduce((sum, copies) => sum + copies, 0);
}

/** @param undated as undatedCopies says of the recording. */
export function sumHoldings(sources: readonly SourceSummary[], undated: number): Holdings {
  const events = new Map<string, number>();
  const snapshots = new Map<string, number>();
  let lostEvents = 0;
  let overwritten = 0;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const source of sources) {
    addAll(events, source.events);
    addAll(snapshots, source.snapshots);
    lostEvents += source.lostEvents;
    overwritten += source.overwritten;
    if (Object.keys(source.events).length > 0) {
      first = Math.min(first, source.firstNs);
      last = Math.max(last, source.lastNs);
    }
  }
  return { events, snapshots, lostEvents, overwritten, undated, spanNs: last - first };
}

interface Rule extends Advice {
  applies(has: Holdings): boolean;
}

const count = (map: ReadonlyMap<string, number>, name: string): number => map.get(name) ?? 0;
const anyEvent = (has: Holdings, part: string): boolean =>
  [...has.events.keys()].some((name) => name.includes(part));
const hasTrace = (has: Holdings): boolean => anyEvent(has, 'mm_page_');

const RULES: readonly Rule[] = [
  {
    id: 'no-events',
    missing: 'page allocator events',
    costs: 'only the instants of the snapshots can be judged, nothing between them',
    how: 'enable events/kmem/mm_page_* in tracefs and save the file trace',
    applies: (has) => !hasTrace(has),
  },
  {
    id: 'no-frees',
    missing: 'one of mm_page_alloc and mm_page_free',
    costs:
      'free lists cannot be followed by one side alone: they are known at the copies of /proc/buddyinfo only',
    how: 'enable both events/kmem/mm_page_alloc and events/kmem/mm_page_free',
    applies: (has) =>
      hasTrace(has) && !(anyEvent(has, 'mm_page_alloc') && anyEvent(has, 'mm_page_free')),
  },
  {
    id: 'no-level',
    missing: 'any copy of buddyinfo or kpageflags',
    costs: 'how much was free at the start is only inferred from the events; bounds stay wide',
    how: 'copy /proc/buddyinfo once a second while recording (samples/record.sh does)',
    applies: (has) => count(has.snapshots, 'buddyinfo') + count(has.snapshots, 'kpageflags') === 0,
  },
  {
    id: 'no-kpageflags',
    missing: 'a copy of kpageflags',
    costs:
      'where the free blocks lay at the start is inferred, so high orders are bounded, not exact',
    how: 'copy /proc/kpageflags right after the start and before the end of the recording',
    applies: (has) => hasTrace(has) && count(has.snapshots, 'kpageflags') === 0,
  },
  {
    id: 'few-buddyinfo',
    missing: 'more copies of buddyinfo',
    costs: 'what compaction and bulk allocation take unseen is found only at the next copy',
    how: 'copy /proc/buddyinfo at least once a second while recording',
    applies: (has) => {
      const copies = count(has.snapshots, 'buddyinfo');
      return hasTrace(has) && copies > 0 && has.spanNs / copies > 2e9;
    },
  },
  {
    id: 'undated-snapshots',
    missing: 'times of snapshots',
    costs: 'they cannot be placed among the events and are not used',
    how: 'write a line `# mono=BEGIN-END snap=N` before each copy and `snap N begin` and `snap N end` to trace_marker around it; or say `--input-option undated=start` (or `end`) if they were taken then',
    applies: (has) => hasTrace(has) && has.undated > 0,
  },
  {
    id: 'no-watermarks',
    missing: 'zoneinfo',
    costs:
      'watermarks and lowmem_reserve are unknown: a shortage is told only by the recorded refusals',
    how: 'copy /proc/zoneinfo (and /proc/sys/vm/min_free_kbytes, lowmem_reserve_ratio)',
    applies: (has) => count(has.snapshots, 'zoneinfo') === 0,
  },
  {
    id: 'no-buddy-events',
    missing: 'mm_page_alloc_zone_locked and mm_page_pcpu_drain',
    costs: 'pages on per-cpu lists look free: on our recordings up to a third of what seemed free',
    how: 'enable events/kmem/mm_page_alloc_zone_locked and events/kmem/mm_page_pcpu_drain',
    applies: (has) =>
      hasTrace(has) && !(anyEvent(has, 'zone_locked') && anyEvent(has, 'pcpu_drain')),
  },
  {
    id: 'no-extfrag',
    missing: 'mm_page_alloc_extfrag (unless it was enabled and never happened)',
    costs:
      'kernels after 6.1 take stolen pages without any other event; pageblock types are less certain',
    how: 'enable events/kmem/mm_page_alloc_extfrag',
    applies: (has) => hasTrace(has) && !anyEvent(has, 'extfrag'),
  },
  {
    id: 'no-compaction',
    missing: 'compaction events (unless they were enabled and it never ran)',
    costs: 'pages taken by compaction look free until the next snapshot (if compaction ran at all)',
    how: 'enable events/compaction/mm_compaction_begin, _end, _isolate_freepages and _migratepages',
    applies: (has) => hasTrace(has) && !anyEvent(has, 'mm_compaction'),
  },
  {
    id: 'no-types',
    missing: 'pagetypeinfo',
    costs: 'blocks that only CMA or the highatomic reserve may give cannot be told from others',
    how: 'copy /proc/pagetypeinfo (root) before and after the recording',
    applies: (has) => count(has.snapshots, 'pagetypeinfo') === 0,
  },
  {
    id: 'no-version',
    missing: 'the kernel release',
    costs: 'the rules of the allocator are guessed from the form of the trace',
    how: 'add the output of `cat /proc/version`, or give --kernel',
    applies: (has) => count(has.snapshots, 'version') === 0,
  },
  {
    id: 'events-lost',
    missing: 'events that the ring buffer lost',
    costs: 'bounds widen at each loss until a snapshot closes them',
    how: 'raise buffer_size_kb, or enable fewer events',
    applies: (has) => has.lostEvents > 0,
  },
  {
    id: 'overwritten',
    missing: 'events that newer ones overwrote in the ring buffer',
    costs:
      'the recording begins later than the tracing did; snapshots from before it are of little use',
    how: 'raise buffer_size_kb, or read trace_pipe while recording',
    applies: (has) => has.overwritten > 0,
  },
];

/** The advice that applies, the most useful first. */
export function advise(has: Holdings): Advice[] {
  return RULES.filter((rule) => rule.applies(has)).map(({ id, missing, costs, how }) => ({
    id,
    missing,
    costs,
    how,
  }));
}
