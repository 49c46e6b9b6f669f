/**
 * Splat: one report a kernel printed about its memory, as far as the log still holds it.
 *
 * parsers/dmesg fills it in, src/postmortem explains it. It repeats what is printed and concludes
 * nothing. `null` = not printed or cut off; a list is empty when none of its lines was found. Sizes
 * keep the kernel's unit, named in the field: pages in the counters and lowmem_reserve[], kB in the
 * zone lines (also where the kernel writes `KB`), blocks in the free lists.
 *
 * Report anatomy by kernel generation: mm/page_alloc.c warn_alloc (warn_alloc_failed before 4.9),
 * lib/show_mem.c or mm/show_mem.c, mm/oom_kill.c dump_header, mm/slub.c slab_out_of_memory.
 */

/** What made the kernel print. `meminfo` = a Mem-Info block whose beginning is not in the log. */
export type SplatKind =
  | 'page-allocation-failure'
  | 'allocation-stall'
  | 'oom-kill'
  | 'sysrq-memory'
  | 'slub-failure'
  | 'meminfo';

export interface SplatTime {
  /** Seconds-since-boot stamp of the first line, in ns. */
  readonly monoNs: number | null;
  /** Wall clock in ns since 1970, only where the stamp has a year. */
  readonly wallNs: number | null;
  /** The wall-clock stamp as printed (`Nov 14 20:52:44`), '' if none. */
  readonly wallText: string;
}

export interface SplatHeader {
  /** Name of the task that happened to run; it may hold blanks and colons. */
  readonly comm: string;
  readonly order: number | null;
  /** The gfp mask as a number. */
  readonly mode: number | null;
  /** The mask as printed (`0x40cc0`), '' if missing. */
  readonly modeText: string;
  /** Flag names the kernel printed behind the mask (since 4.6), '' if none. */
  readonly gfpNames: string;
  /** `(null)` or a node list. */
  readonly nodemask: string | null;
  readonly cpuset: string | null;
  /** Node list of the task, as printed (`0-1`). */
  readonly memsAllowed: string | null;
  /** `page allocation stalls for N ms`. */
  readonly stallMs: number | null;
  /** Bytes of the `vmalloc: allocation failure` line directly before this report. */
  readonly vmallocBytes: number | null;
}

export interface SplatFrame {
  readonly fn: string;
  /** Module in brackets, '' for built-in code. */
  readonly module: string;
  /** Printed with `?`: found on the stack, perhaps not part of the call chain. */
  readonly guess: boolean;
  /** Between `<IRQ>` and `</IRQ>` (or `<EOI>`). */
  readonly irq: boolean;
}

export interface SplatContext {
  readonly cpu: number | null;
  readonly pid: number | null;
  readonly comm: string;
  /** `5.15.86.mx64.443`, from the `CPU:`/`Pid:` line, else from the log's last `Linux version`. */
  readonly release: string;
  /** All that stands behind the release on that line: distributions print the upstream version. */
  readonly versionText: string;
  readonly hardware: string;
  readonly workqueue: string;
  /** `T1662` or `C1`, where the log has caller ids. */
  readonly callerId: string;
  /** Innermost first. */
  readonly frames: readonly SplatFrame[];
}

export interface SplatZone {
  readonly node: number;
  readonly zone: string;
  readonly freeKB: number;
  readonly boostKB: number | null;
  readonly minKB: number | null;
  readonly lowKB: number | null;
  readonly highKB: number | null;
  readonly reservedHighatomicKB: number | null;
  readonly freeHighatomicKB: number | null;
  readonly presentKB: number | null;
  readonly managedKB: number | null;
  readonly freePcpKB: number | null;
  readonly localPcpKB: number | null;
  readonly freeCmaKB: number | null;
  /** lowmem_reserve[] by zone index of the request, pages. */
  readonly lowmemReservePages: readonly number[] | null;
  /** Every other `key:value` of the line, kB where the kernel prints kB. */
  readonly other: Readonly<Record<string, number>>;
}

export interface SplatFreeList {
  readonly node: number;
  readonly zone: string;
  /** Free blocks by order. */
  readonly blocks: readonly number[];
  /** Type letters by order (`UME`), '' where none were printed. */
  readonly letters: readonly string[];
  /** True if the kernel prints letters (since 3.9) and this line shows at least one. */
  readonly lettered: boolean;
  /** Size of an order-0 block: the kernel's page size. */
  readonly pageKB: number;
  /** The total the kernel printed, null if the line is cut before it. */
  readonly totalKB: number | null;
  /** True if the line is whole: the total is there and equals the sum. */
  readonly complete: boolean;
}

export interface SplatNode {
  readonly node: number;
  /** `key:value` pairs in kB. */
  readonly valuesKB: Readonly<Record<string, number>>;
  readonly allUnreclaimable: boolean | null;
}

/** Lines of the slab allocator that belong to the same failure. */
export interface SplatSlub {
  readonly gfpText: string;
  readonly node: number | null;
  readonly cache: string;
  readonly objectBytes: number | null;
  readonly bufferBytes: number | null;
  readonly defaultOrder: number | null;
  readonly minOrder: number | null;
  readonly line: number;
}

export interface SplatMemory {
  /** Global counters in pages (`free`, `free_pcp`, `free_cma`, `slab_unreclaimable` …). */
  readonly counterPages: Readonly<Record<string, number>>;
  readonly nodes: readonly SplatNode[];
  readonly zones: readonly SplatZone[];
  readonly freeLists: readonly SplatFreeList[];
  /** Pages on per-cpu lists by the `per-cpu:` blocks (kernels up to 4.1), null if not printed. */
  readonly perCpuPages: number | null;
  readonly pagecachePages: number | null;
  readonly swapFreeKB: number | null;
  readonly swapTotalKB: number | null;
  readonly ramPages: number | null;
  readonly highmemPages: number | null;
  readonly reservedPages: number | null;
  readonly cmaReservedPages: number | null;
  readonly hwpoisonedPages: number | null;
}

/** Set by the parser when the text was not clean; each costs certainty. */
export interface SplatDamage {
  /** Lines of another report or task stood between, and no caller id told them apart. */
  readonly interleaved: boolean;
  /** Lines were folded by a mailer or terminal and put together again. */
  readonly rewrapped: boolean;
  /** The log ended, or something else began, before the report was whole. */
  readonly cut: boolean;
}

/** One kernel report, parsed. */
export interface Splat {
  readonly kind: SplatKind;
  readonly source: string;
  /** 1-based first and last line in the source. */
  readonly line: number;
  readonly lastLine: number;
  readonly time: SplatTime;
  /** Seconds-since-boot stamp of the last line, in ns. */
  readonly endMonoNs: number | null;
  readonly header: SplatHeader;
  readonly context: SplatContext;
  /** False if not even the words `Mem-Info:` were found. */
  readonly hasMemInfo: boolean;
  readonly memory: SplatMemory;
  readonly slub: readonly SplatSlub[];
  /** Reports the kernel says it left out before this one (`N callbacks suppressed`). */
  readonly suppressed: number;
  readonly damage: SplatDamage;
}

/** Things a log says beside its reports. */
export interface LogFact {
  readonly what: 'cma-reserved' | 'cma-alloc-failed' | 'suppressed';
  readonly source: string;
  readonly line: number;
  /** Kilobytes for cma-reserved, pages for cma-alloc-failed, reports for suppressed. */
  readonly amount: number;
  /** Physical address, for cma-reserved lines that print it. */
  readonly address?: number;
  readonly text: string;
}

/** What parsers/dmesg hands to `RecordSink.splat`. */
export type SplatRecord =
  | { readonly record: 'splat'; readonly splat: Splat }
  | { readonly record: 'fact'; readonly fact: LogFact };
