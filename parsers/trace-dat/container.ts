/**
 * What a trace.dat file holds and where: header, event formats, options, buffers.
 *
 * Versions 6 (one sequence of parts, then tags) and 7 (sections found through options), as written
 * by trace-cmd 2.x and 3.x (Documentation trace-cmd.dat.v6.5 and .v7.5). Only small parts are read
 * here; the events stay in the file until pages.ts reads them.
 */
import type { HostSync } from '../ring-buffer/host-sync.js';
import type { CycleScale } from '../ring-buffer/ticks.js';

export const MAGIC = Uint8Array.of(0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63, 0x69, 0x6e, 0x67);

export interface CpuData {
  readonly cpu: number;
  /** Byte range in the file. */
  readonly offset: number;
  readonly size: number;
}

export interface TraceBuffer {
  /** '' for the top buffer. */
  readonly name: string;
  readonly clock: string;
  readonly pageSize: number;
  readonly compressed: boolean;
  readonly cpus: readonly CpuData[];
}

/** The facts of a file, filled in while it is walked. */
export interface TraceDat {
  version: 6 | 7;
  littleEndian: boolean;
  longSize: 4 | 8;
  pageSize: number;
  /** Compression of v7 sections. */
  compression: string;
  clock: string;
  /** `Linux host 6.1.0-56-amd64 x86_64`. */
  uname: string;
  tool: string;
  offsetNs: bigint;
  scale: CycleScale | null;
  /** A guest's distance from its host's clock (TIME_SHIFT). */
  hostSync: HostSync | null;
  overruns: number;
  cpuCount: number;
  latency: boolean;
  readonly buffers: TraceBuffer[];
  cmdlines: Uint8Array;
}

export function newTraceDat(): TraceDat {
  return {
    version: 6,
    littleEndian: true,
    longSize: 8,
    pageSize: 4096,
    compression: 'none',
    clock: '',
    uname: '',
    tool: '',
    offsetNs: 0n,
    scale: null,
    hostSync: null,
    overruns: 0,
    cpuCount: 0,
    latency: false,
    buffers: [],
    cmdlines: new Uint8Array(0),
  };
}

/** More cpus than any machine Linux runs on (NR_CPUS is 8192 at most). */
export const MAX_CPUS = 65_535;
export const MAX_BUFFERS = 4096;
/** Ring-buffer pages: one system page up to 64 KiB, sub-buffers since 6.8 up to 2^7 pages. */
export const MAX_PAGE_SIZE = 16 << 20;

export function usablePageSize(bytes: number): boolean {
  return bytes >= 64 && bytes <= MAX_PAGE_SIZE;
}
