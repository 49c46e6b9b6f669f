/**
 * The event record: a struct of typed arrays, one column a field, ~64 Ki events a batch.
 *
 * Parsers fill a batch and hand it to their sink, which copies it before the parser uses it again.
 * Nothing here allocates per event. Frequent page events stand wholly in columns; everything else
 * ("rare" kinds, a few hundred in a million) keeps its numbers in a side table, see RARE_FIELDS.
 *
 * Column meaning by kind:
 * | column      | page events                                    | rare kinds        |
 * |-------------|------------------------------------------------|-------------------|
 * | pfn         | page frame number, PFN_NONE = failed alloc     | row in `rare`     |
 * | order       | order (extfrag: alloc_order)                   | 0                 |
 * | migratetype | as printed, MIGRATETYPE_NONE where not printed | none              |
 * | detail      | alloc: gfp id; zone_locked: percpu_refill;     | 0                 |
 * |             | extfrag: packExtfrag(); free: preempt depth of |                   |
 * |             | the softirq it ran in, 0 = none or not told    |                   |
 *
 * Time is nanoseconds on the trace's clock since `RecordingClock.epochS` whole seconds: exact in a
 * double for 104 days around the epoch.
 */
import { type MemoryMaker, ownMemory } from './memory.js';

export const BATCH_CAPACITY = 1 << 16;

/** The pfn of an allocation that failed. */
export const PFN_NONE = -1;
/** `migratetype` of an event that printed none. */
export const MIGRATETYPE_NONE = -1;
/** pfns at or above this are refused by every parser: no machine has 2^44 page frames. */
export const PFN_LIMIT = 2 ** 44;
/** Orders at or above this are refused by every parser (gigantic frees reach 18). */
export const ORDER_LIMIT = 32;

/** Pages of a block, by order: a loop over millions of events had better not raise to a power. */
export const BLOCK_PAGES = Float64Array.from({ length: ORDER_LIMIT }, (_, order) => 2 ** order);

/** Event kinds. Page events come first: `kind <= LAST_PAGE_KIND` is the hot test. */
export const EventKind = {
  /** kmem:mm_page_alloc; pfn PFN_NONE when the kernel refused. */
  alloc: 1,
  /** kmem:mm_page_free (2.6.32-3.2: mm_page_free_direct). */
  free: 2,
  /** kmem:mm_page_free_batched (mm_pagevec_free): a duplicate of a free since 3.3. */
  freeBatched: 3,
  /** kmem:mm_page_alloc_zone_locked. */
  zoneLocked: 4,
  /** kmem:mm_page_pcpu_drain. */
  pcpuDrain: 5,
  /** kmem:mm_page_alloc_extfrag. */
  extfrag: 6,

  compactionBegin: 16,
  compactionEnd: 17,
  isolateMigratepages: 18,
  isolateFreepages: 19,
  fastIsolateFreepages: 20,
  migratepages: 21,
  tryToCompact: 22,
  compactionSuitable: 23,
  compactionFinished: 24,
  compactionDeferred: 25,
  deferCompaction: 26,
  deferReset: 27,
  kcompactdSleep: 28,
  kcompactdWake: 29,
  wakeupKcompactd: 30,

  kswapdWake: 40,
  kswapdSleep: 41,
  wakeupKswapd: 42,
  directReclaimBegin: 43,
  directReclaimEnd: 44,

  reclaimRetryZone: 50,
  compactRetry: 51,
  markVictim: 52,

  testPagesIsolated: 60,
  cmaAllocStart: 61,
  cmaAllocFinish: 62,
  cmaRelease: 63,
  allocContigMigrateRange: 64,
  cmaAllocBusyRetry: 65,

  setupPerZoneWmarks: 70,
  setupLowmemReserve: 71,
  totalreservePages: 72,

  /** tracing_mark_write. */
  marker: 80,
  /** trace_printk / bprint / print. */
  printk: 81,

  /** Events lost before this point on this cpu. */
  lost: 90,
  /** First data of a cpu after an overrun ("buffer started"). */
  bufferStarted: 91,
} as const;

export type EventKind = (typeof EventKind)[keyof typeof EventKind];

export const LAST_PAGE_KIND = EventKind.extfrag;

/** All bits for allocations, none for other kinds: a branch on the kind, which nothing foretells, takes longer. */
export const ALLOC_MASK = new Int32Array(256);
ALLOC_MASK[EventKind.alloc] = -1;

/** Whether events of a CPU are missing before this one. */
export function marksLoss(kind: number): boolean {
  return kind === EventKind.lost || kind === EventKind.bufferStarted;
}

/** The kernel's own name for each kind (subsystem:event), as `convert` writes it. */
export const EVENT_NAMES: Readonly<Record<EventKind, string>> = {
  [EventKind.alloc]: 'kmem:mm_page_alloc',
  [EventKind.free]: 'kmem:mm_page_free',
  [EventKind.freeBatched]: 'kmem:mm_page_free_batched',
  [EventKind.zoneLocked]: 'kmem:mm_page_alloc_zone_locked',
  [EventKind.pcpuDrain]: 'kmem:mm_page_pcpu_drain',
  [EventKind.extfrag]: 'kmem:mm_page_alloc_extfrag',
  [EventKind.compactionBegin]: 'compaction:mm_compaction_begin',
  [EventKind.compactionEnd]: 'compaction:mm_compaction_end',
  [EventKind.isolateMigratepages]: 'compaction:mm_compaction_isolate_migratepages',
  [EventKind.isolateFreepages]: 'compaction:mm_compaction_isolate_freepages',
  [EventKind.fastIsolateFreepages]: 'compaction:mm_compaction_fast_isolate_freepages',
  [EventKind.migratepages]: 'compaction:mm_compaction_migratepages',
  [EventKind.tryToCompact]: 'compaction:mm_compaction_try_to_compact_pages',
  [EventKind.compactionSuitable]: 'compaction:mm_compaction_suitable',
  [EventKind.compactionFinished]: 'compaction:mm_compaction_finished',
  [EventKind.compactionDeferred]: 'compaction:mm_compaction_deferred',
  [EventKind.deferCompaction]: 'compaction:mm_compaction_defer_compaction',
  [EventKind.deferReset]: 'compaction:mm_compaction_defer_reset',
  [EventKind.kcompactdSleep]: 'compaction:mm_compaction_kcompactd_sleep',
  [EventKind.kcompactdWake]: 'compaction:mm_compaction_kcompactd_wake',
  [EventKind.wakeupKcompactd]: 'compaction:mm_compaction_wakeup_kcompactd',
  [EventKind.kswapdWake]: 'vmscan:mm_vmscan_kswapd_wake',
  [EventKind.kswapdSleep]: 'vmscan:mm_vmscan_kswapd_sleep',
  [EventKind.wakeupKswapd]: 'vmscan:mm_vmscan_wakeup_kswapd',
  [EventKind.directReclaimBegin]: 'vmscan:mm_vmscan_direct_reclaim_begin',
  [EventKind.directReclaimEnd]: 'vmscan:mm_vmscan_direct_reclaim_end',
  [EventKind.reclaimRetryZone]: 'oom:reclaim_retry_zone',
  [EventKind.compactRetry]: 'oom:compact_retry',
  [EventKind.markVictim]: 'oom:mark_victim',
  [EventKind.testPagesIsolated]: 'page_isolation:test_pages_isolated',
  [EventKind.cmaAllocStart]: 'cma:cma_alloc_start',
  [EventKind.cmaAllocFinish]: 'cma:cma_alloc_finish',
  [EventKind.cmaRelease]: 'cma:cma_release',
  [EventKind.allocContigMigrateRange]: 'kmem:mm_alloc_contig_migrate_range_info',
  [EventKind.cmaAllocBusyRetry]: 'cma:cma_alloc_busy_retry',
  [EventKind.setupPerZoneWmarks]: 'kmem:mm_setup_per_zone_wmarks',
  [EventKind.setupLowmemReserve]: 'kmem:mm_setup_per_zone_lowmem_reserve',
  [EventKind.totalreservePages]: 'kmem:mm_calculate_totalreserve_pages',
  [EventKind.marker]: 'tracing_mark_write',
  [EventKind.printk]: 'print',
  [EventKind.lost]: 'lost',
  [EventKind.bufferStarted]: 'buffer_started',
};

/**
 * The fields of each rare kind, in the order they stand in a row. Names are the kernel's. A name
 * with a leading `$` holds the id of a text in RecordingStrings.texts, one with a leading `%` the
 * id of a gfp text in RecordingStrings.gfps. A field that was not printed is NaN.
 */
export const RARE_FIELDS: Readonly<Partial<Record<EventKind, readonly string[]>>> = {
  [EventKind.compactionBegin]: ['zone_start', 'migrate_pfn', 'free_pfn', 'zone_end', '$mode'],
  [EventKind.compactionEnd]: [
    'zone_start',
    'migrate_pfn',
    'free_pfn',
    'zone_end',
    '$mode',
    '$status',
  ],
  [EventKind.isolateMigratepages]: ['start', 'end', 'nr_scanned', 'nr_taken'],
  [EventKind.isolateFreepages]: ['start', 'end', 'nr_scanned', 'nr_taken'],
  [EventKind.fastIsolateFreepages]: ['start', 'end', 'nr_scanned', 'nr_taken'],
  [EventKind.migratepages]: ['nr_migrated', 'nr_failed'],
  [EventKind.tryToCompact]: ['order', '%gfp_mask', 'priority'],
  [EventKind.compactionSuitable]: ['node', '$zone', 'order', '$ret'],
  [EventKind.compactionFinished]: ['node', '$zone', 'order', '$ret'],
  [EventKind.compactionDeferred]: ['node', '$zone', 'order', 'order_failed', 'consider', 'limit'],
  [EventKind.deferCompaction]: ['node', '$zone', 'order', 'order_failed', 'consider', 'limit'],
  [EventKind.deferReset]: ['node', '$zone', 'order', 'order_failed', 'consider', 'limit'],
  [EventKind.kcompactdSleep]: ['nid'],
  [EventKind.kcompactdWake]: ['nid', 'order', '$classzone_idx'],
  [EventKind.wakeupKcompactd]: ['nid', 'order', '$classzone_idx'],
  [EventKind.kswapdWake]: ['nid', 'order'],
  [EventKind.kswapdSleep]: ['nid'],
  [EventKind.wakeupKswapd]: ['nid', 'order', '%gfp_flags', 'zid'],
  [EventKind.directReclaimBegin]: ['order', '%gfp_flags'],
  [EventKind.directReclaimEnd]: ['nr_reclaimed'],
  [EventKind.reclaimRetryZone]: [
    'node',
    '$zone',
    'order',
    'reclaimable',
    'available',
    'min_wmark',
    'no_progress_loops',
    'wmark_check',
  ],
  [EventKind.compactRetry]: ['order', '$priority', '$compaction_result', 'retries', 'max_retries'],
  [EventKind.markVictim]: ['pid'],
  [EventKind.testPagesIsolated]: ['start_pfn', 'end_pfn', 'fin_pfn'],
  [EventKind.cmaAllocStart]: ['$name', 'count', 'align'],
  [EventKind.cmaAllocFinish]: ['$name', 'pfn', 'count', 'align', 'errorno'],
  [EventKind.cmaRelease]: ['$name', 'pfn', 'count'],
  [EventKind.cmaAllocBusyRetry]: ['$name', 'pfn', 'count', 'align'],
  [EventKind.allocContigMigrateRange]: [
    'start',
    'end',
    'migratetype',
    'nr_migrated',
    'nr_reclaimed',
    'nr_mapped',
  ],
  [EventKind.setupPerZoneWmarks]: ['node_id', '$zone_name', 'min', 'low', 'high', 'promo'],
  [EventKind.setupLowmemReserve]: [
    'node_id',
    '$zone_name',
    '$upper_zone_name',
    'lowmem_reserve_pages',
  ],
  [EventKind.totalreservePages]: ['totalreserve_pages'],
  [EventKind.marker]: ['$text'],
  [EventKind.printk]: ['$text'],
  [EventKind.lost]: ['count'],
  [EventKind.bufferStarted]: [],
};

/** Numbers a rare row can hold. */
export const RARE_WIDTH = 8;

/** What is known of all events of a batch, so that others need not look. */
export interface BatchTally {
  /** Events by kind. */
  readonly kinds: Float64Array;
  /** None is stamped earlier than the one before it. */
  readonly ascending: boolean;
}

/** One input's (or one recording's) events, column by column. */
export class EventBatch {
  length = 0;
  /** Set by who fills the batch, for who is handed it; then no event has a stack. Null = nobody counted. */
  tally: BatchTally | null = null;
  readonly timeNs: Float64Array;
  readonly pfn: Float64Array;
  readonly pid: Int32Array;
  /** Id in RecordingStrings.comms. */
  readonly comm: Uint32Array;
  /** Id in RecordingStrings.stacks, 0 for none. */
  readonly stack: Uint32Array;
  readonly cpu: Uint16Array;
  readonly detail: Uint16Array;
  readonly kind: Uint8Array;
  readonly order: Uint8Array;
  readonly migratetype: Int8Array;

  /** Side table of rare kinds: `rareLength` rows of RARE_WIDTH numbers. */
  rareLength = 0;
  rare: Float64Array;

  readonly capacity: number;

  constructor(capacity: number = BATCH_CAPACITY, make: MemoryMaker = ownMemory) {
    this.capacity = capacity;
    this.timeNs = new Float64Array(make(capacity * 8));
    this.pfn = new Float64Array(make(capacity * 8));
    this.pid = new Int32Array(make(capacity * 4));
    this.comm = new Uint32Array(make(capacity * 4));
    this.stack = new Uint32Array(make(capacity * 4));
    this.cpu = new Uint16Array(make(capacity * 2));
    this.detail = new Uint16Array(make(capacity * 2));
    this.kind = new Uint8Array(make(capacity));
    this.order = new Uint8Array(make(capacity));
    this.migratetype = new Int8Array(make(capacity));
    this.rare = new Float64Array(64 * RARE_WIDTH);
  }

  get full(): boolean {
    return this.length === this.capacity;
  }

  clear(): void {
    this.length = 0;
    this.rareLength = 0;
    this.tally = null;
  }

  /** Starts a new rare row, all NaN; returns its index (to be stored in `pfn`). */
  addRareRow(): number {
    const row = this.rareLength++;
    if ((row + 1) * RARE_WIDTH > this.rare.length) {
      const bigger = new Float64Array(this.rare.length * 2);
      bigger.set(this.rare);
      this.rare = bigger;
    }
    this.rare.fill(Number.NaN, row * RARE_WIDTH, (row + 1) * RARE_WIDTH);
    return row;
  }

  /** Field `field` (index in RARE_FIELDS[kind]) of the rare event at index i. */
  rareField(i: number, field: number): number {
    return this.rare[this.pfn[i]! * RARE_WIDTH + field]!;
  }
}

/** What an extfrag event says beyond pfn, alloc_order and alloc_migratetype. */
export interface ExtfragDetail {
  fallbackOrder: number;
  pageblockOrder: number;
  fallbackMigratetype: number;
  fragmenting: boolean;
  changeOwnership: boolean;
}

/** Bits: fallback order 5, pageblock order 5, fallback type 3, fragmenting 1, ownership 1. */
export function packExtfrag(
  fallbackOrder: number,
  pageblockOrder: number,
  fallbackMigratetype: number,
  fragmenting: number,
  changeOwnership: number,
): number {
  return (
    (fallbackOrder & 31) |
    ((pageblockOrder & 31) << 5) |
    ((fallbackMigratetype & 7) << 10) |
    ((fragmenting & 1) << 13) |
    ((changeOwnership & 1) << 14)
  );
}

/** The fields of an mm_page_alloc_extfrag from its packed `detail`. */
export function unpackExtfrag(detail: number): ExtfragDetail {
  return {
    fallbackOrder: detail & 31,
    pageblockOrder: (detail >> 5) & 31,
    fallbackMigratetype: (detail >> 10) & 7,
    fragmenting: ((detail >> 13) & 1) === 1,
    changeOwnership: ((detail >> 14) & 1) === 1,
  };
}
