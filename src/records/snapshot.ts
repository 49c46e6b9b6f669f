/**
 * Snapshots: what the kernel itself said about its free memory at some moment.
 *
 * One record per copy of one /proc (or debugfs) file. Parsers report what is printed and nothing
 * more; units are those of the kernel file (pages unless a name says kB). `null` = not printed.
 */

/** When a snapshot was taken, as far as its source tells. */
export interface SnapshotTime {
  /**
   * Clock of begin/end: `mono` for our recorder's `# mono=` header, `wall` for date/epoch stamps,
   * `trace` once the recording aligned it, `none` when the source gives no time.
   */
  readonly clock: 'trace' | 'mono' | 'wall' | 'none';
  /** Nanoseconds: on `trace` since the recording's epoch, on `mono` since boot, on `wall` since 1970. */
  readonly beginNs: number;
  readonly endNs: number;
  /** Number that joins the copy to `snap N begin/end` markers in the trace, or null. */
  readonly snap: number | null;
  /** How precise the stamp is, in ns (1e9 for whole seconds). */
  readonly resolutionNs: number;
  /**
   * Indices in the recording's event stream of the `snap N begin` and `snap N end` markers: events
   * before the first are in the copy, events after the second are not. Absent or null when the
   * trace has no such markers.
   */
  readonly beginEvent?: number | null;
  readonly endEvent?: number | null;
  /** True where the source gives no time and the place was found by what the pages say (recording/locate-maps.ts). */
  readonly located?: boolean;
}

interface SnapshotBase {
  readonly time: SnapshotTime;
  readonly source: string;
  /** 1-based line where the copy begins (0 for binary copies). */
  readonly line: number;
}

export interface ZoneFree {
  readonly node: number;
  readonly zone: string;
  /** Free blocks by order; the length is the number of orders of that kernel. */
  readonly free: readonly number[];
}

/** /proc/buddyinfo: free blocks of all types, per-cpu pages excluded. */
export interface BuddyinfoSnapshot extends SnapshotBase {
  readonly kind: 'buddyinfo';
  readonly zones: readonly ZoneFree[];
}

export interface ZoneTypeFree {
  readonly node: number;
  readonly zone: string;
  /** As printed: Unmovable, Movable, Reclaimable, HighAtomic, CMA, Isolate, Reserve. */
  readonly type: string;
  readonly free: readonly number[];
  /** Orders whose count was printed as `>100000` (then free[] holds 100000). */
  readonly cappedOrders: readonly number[];
}

/** /proc/pagetypeinfo. Rows are not mutually consistent (the lock is dropped between cells). */
export interface PagetypeinfoSnapshot extends SnapshotBase {
  readonly kind: 'pagetypeinfo';
  /** NaN if the heading that states it is missing. */
  readonly pageblockOrder: number;
  readonly free: readonly ZoneTypeFree[];
  /** Pageblocks by type name. */
  readonly blocks: readonly {
    readonly node: number;
    readonly zone: string;
    readonly counts: Readonly<Record<string, number>>;
  }[];
  /** `Number of mixed blocks` (page_owner kernels), else null. */
  readonly mixed:
    | readonly {
        readonly node: number;
        readonly zone: string;
        readonly counts: Readonly<Record<string, number>>;
      }[]
    | null;
}

export interface ZoneinfoPcp {
  readonly cpu: number;
  readonly count: number;
  readonly high: number;
  readonly batch: number;
  readonly highMin: number | null;
  readonly highMax: number | null;
}

/** One zone of /proc/zoneinfo. min, low, high are as printed: they INCLUDE the boost. */
export interface Zoneinfo {
  readonly node: number;
  readonly zone: string;
  readonly freePages: number;
  readonly boost: number | null;
  readonly min: number;
  readonly low: number;
  readonly high: number;
  readonly promo: number | null;
  readonly spanned: number;
  readonly present: number;
  readonly managed: number | null;
  readonly cma: number | null;
  /** lowmem_reserve by highest zone index of the request, pages. */
  readonly protection: readonly number[];
  readonly startPfn: number | null;
  readonly nrFreeCma: number | null;
  /** Free pages in blocks of pageblock order and above (6.17+). */
  readonly nrFreePagesBlocks?: number | null;
  readonly reservedHighatomic: number | null;
  readonly freeHighatomic: number | null;
  readonly pcp: readonly ZoneinfoPcp[];
  readonly vmStatsThreshold: number | null;
}

/** A copy of /proc/zoneinfo. */
export interface ZoneinfoSnapshot extends SnapshotBase {
  readonly kind: 'zoneinfo';
  readonly zones: readonly Zoneinfo[];
}

/** /proc/vmstat. */
export interface VmstatSnapshot extends SnapshotBase {
  readonly kind: 'vmstat';
  readonly counters: ReadonlyMap<string, number>;
}

/** Values of /proc/sys/vm, by file name (`min_free_kbytes` → `3000`), as text. */
export interface SysctlSnapshot extends SnapshotBase {
  readonly kind: 'sysctl';
  readonly values: ReadonlyMap<string, string>;
}

/** /proc/version, `uname -a`, or the release string of a log. */
export interface VersionSnapshot extends SnapshotBase {
  readonly kind: 'version';
  /** `6.1.0-56-amd64`. */
  readonly release: string;
  /** The whole line; Debian prints the true upstream version (`6.1.192-2`) in it. */
  readonly text: string;
}

/** debugfs extfrag/unusable_index or extfrag/extfrag_index. */
export interface ExtfragIndexSnapshot extends SnapshotBase {
  readonly kind: 'unusable_index' | 'extfrag_index';
  readonly zones: readonly {
    readonly node: number;
    readonly zone: string;
    /** One value an order; -1 = a block is available (extfrag_index only). */
    readonly values: readonly number[];
  }[];
}

/** What is kept of a page's kpageflags word: one bit each. */
export const PageClass = {
  buddy: 1,
  noPage: 2,
  lru: 4,
  slab: 8,
  anon: 16,
  compoundHead: 32,
  compoundTail: 64,
  /** Page table, huge, offline, hwpoison, reserved-like: anything that will not move. */
  pinned: 128,
} as const;

/** A copy of /proc/kpageflags, 8 bytes a pfn from pfn 0, reduced to PageClass bits. */
export interface KpageflagsSnapshot extends SnapshotBase {
  readonly kind: 'kpageflags';
  /** One byte a pfn, from pfn 0. */
  readonly classes: Uint8Array;
  /** True if BUDDY is set only on the head of a free block (kernels before 4.9). */
  readonly buddyHeadsOnly: boolean;
}

/** A copy of /proc/kpagecount, 8 bytes a pfn from pfn 0, reduced to whether processes map the page. */
export interface KpagecountSnapshot extends SnapshotBase {
  readonly kind: 'kpagecount';
  /** One byte a pfn, from pfn 0: 1 = mapped by a process, so in use; 0 says nothing. */
  readonly mapped: Uint8Array;
}

/**
 * A page_owner dump: who holds each allocated block. Columns, one entry a record, in file order;
 * only the first `length` entries count. Blocks are those allocated at the time of reading.
 */
export interface PageOwnerSnapshot extends SnapshotBase {
  readonly kind: 'page_owner';
  readonly length: number;
  /** First pfn of the block. */
  readonly pfn: Float64Array;
  readonly order: Uint8Array;
  /** Ids into RecordingStrings.gfps, .comms, .stacks; 0 = not printed. */
  readonly gfp: Uint32Array;
  readonly comm: Uint32Array;
  readonly stack: Uint32Array;
  /** -1 = not printed (up to 5.10). */
  readonly pid: Int32Array;
  /** Allocation time, ns on the printk clock (local_clock); NaN = not printed. */
  readonly allocNs: Float64Array;
  /** Ids into RecordingStrings.texts: migratetype of the page as printed; 0 = not printed. */
  readonly type: Uint32Array;
}

/** A line of an index that dates other files (`# mono=… snap=13 file=kpageflags-13.bin bytes=…`). */
export interface SnapshotIndexEntry extends SnapshotBase {
  readonly kind: 'index';
  readonly file: string;
  readonly bytes: number | null;
}

/** A copy of something the kernel says of its memory. */
export type Snapshot =
  | BuddyinfoSnapshot
  | PagetypeinfoSnapshot
  | ZoneinfoSnapshot
  | VmstatSnapshot
  | SysctlSnapshot
  | VersionSnapshot
  | ExtfragIndexSnapshot
  | KpageflagsSnapshot
  | KpagecountSnapshot
  | PageOwnerSnapshot
  | SnapshotIndexEntry;

/** `buddyinfo`, `zoneinfo`, `kpageflags` … */
export type SnapshotKind = Snapshot['kind'];

export const NO_TIME: SnapshotTime = {
  clock: 'none',
  beginNs: Number.NaN,
  endNs: Number.NaN,
  snap: null,
  resolutionNs: Number.POSITIVE_INFINITY,
};

/** Whether a copy tells what is free, by number or page by page. */
export function showsFree({ kind }: Snapshot): boolean {
  return kind === 'buddyinfo' || kind === 'kpageflags';
}
