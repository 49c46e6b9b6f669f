/**
 * The layout of an LLFree replay trace (github.com/luhsra/llfree-rs, eval/src/bin/replay.rs).
 *
 * Pages of 4096 bytes, little endian. The first: u32 pages, u32 cores, u32 max_pfn. Each other one:
 * u32 cpu, padding to 16, then 255 entries of 128 bits, lowest bits first: 38 time in microseconds,
 * 24 pfn, 1 alloc (else free), 4 order, 29 gfp mask, 32 pid. An entry with pfn 0 ends its page.
 */
export const PAGE_BYTES = 4096;
export const ENTRY_BYTES = 16;
export const FIRST_ENTRY = 16;
export const ENTRIES = 255;
export const PFN_BITS = 24;
export const GFP_MASK = 0x1fffffff;

/** One entry, as read. */
export interface LlfreeEntry {
  timeUs: number;
  pfn: number;
  alloc: boolean;
  order: number;
  gfp: number;
  pid: number;
}

export function readEntry(view: DataView, at: number, into: LlfreeEntry): void {
  const w0 = view.getUint32(at, true);
  const w1 = view.getUint32(at + 4, true);
  const w2 = view.getUint32(at + 8, true);
  into.timeUs = (w1 & 0x3f) * 4294967296 + w0;
  into.pfn = (w1 >>> 6) & 0xffffff;
  into.alloc = ((w1 >>> 30) & 1) === 1;
  into.order = (w1 >>> 31) | ((w2 & 7) << 1);
  into.gfp = w2 >>> 3;
  into.pid = view.getInt32(at + 12, true);
}

export function writeEntry(view: DataView, at: number, entry: LlfreeEntry): void {
  const { timeUs, pfn, alloc, order, gfp, pid } = entry;
  const timeHigh = Math.floor(timeUs / 4294967296) & 0x3f;
  view.setUint32(at, timeUs % 4294967296, true);
  const w1 = timeHigh | ((pfn & 0xffffff) << 6) | ((alloc ? 1 : 0) << 30) | ((order & 1) << 31);
  view.setUint32(at + 4, w1 >>> 0, true);
  view.setUint32(at + 8, (((order >>> 1) & 7) | ((gfp & GFP_MASK) << 3)) >>> 0, true);
  view.setInt32(at + 12, pid, true);
}
