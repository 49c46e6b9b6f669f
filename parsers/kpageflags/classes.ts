/**
 * Words of /proc/kpageflags to PageClass bits, and what the words tell about the kernel.
 *
 * Bit numbers: include/uapi/linux/kernel-page-flags.h and include/linux/kernel-page-flags.h (the
 * ones from 32 on), v2.6.31 to v7.2. BUDDY is set on every page of a free block from v4.9 at the
 * latest (fs/proc/page.c stable_page_flags), only on its first page up to v4.4.
 */
import { PageClass } from '../../src/records/snapshot.js';

export const KPF_LRU = 1 << 5;
export const KPF_SLAB = 1 << 7;
export const KPF_BUDDY = 1 << 10;
export const KPF_MMAP = 1 << 11;
export const KPF_ANON = 1 << 12;
export const KPF_NOPAGE = 1 << 20;
const KPF_PGTABLE = 1 << 26;
/** HUGE, HWPOISON, OFFLINE (BALLOON before v5.1), ZERO_PAGE, PGTABLE. */
const KPF_PINNED = (1 << 17) | (1 << 19) | (1 << 23) | (1 << 24) | KPF_PGTABLE;
/** RESERVED, bit 32: the lowest of the upper half. */
export const KPF_RESERVED_HIGH = 1;
/** Bits 27 to 31 and 43 to 63 are no kernel's. */
const UNUSED_LOW = 0xf8000000;
const UNUSED_HIGH = ~0x7ff;

/** PageClass bits of a word given as its two halves. */
export function classOf(low: number, high: number): number {
  const pinned = (low & KPF_PINNED) !== 0 || (high & KPF_RESERVED_HIGH) !== 0;
  return (
    ((low >>> 10) & PageClass.buddy) |
    ((low >>> 19) & PageClass.noPage) |
    ((low >>> 3) & PageClass.lru) |
    ((low >>> 4) & PageClass.slab) |
    ((low >>> 8) & PageClass.anon) |
    ((low >>> 10) & (PageClass.compoundHead | PageClass.compoundTail)) |
    (pinned ? PageClass.pinned : 0)
  );
}

/** True if a word may come from kpageflags: no bit that no kernel sets, no contradiction. */
export function isPlausibleWord(low: number, high: number): boolean {
  if ((low & UNUSED_LOW) !== 0 || (high & UNUSED_HIGH) !== 0) return false;
  if ((low & KPF_NOPAGE) !== 0) return low === KPF_NOPAGE && high === 0;
  return (low & KPF_BUDDY) === 0 || (low & (KPF_LRU | KPF_SLAB | KPF_MMAP | KPF_ANON)) === 0;
}

/**
 * Whether BUDDY marks whole free blocks or only their heads, judged from runs of equal words.
 *
 * Two buddies of order 0 that are both free have merged, so BUDDY pages at 2k and 2k+1 exist only
 * where every page of a block is marked; a BUDDY page on an 8-page boundary with seven flagless
 * pages behind it is frequent only where just the heads are.
 */
export class BuddyHeads {
  #buddies = 0;
  #pairs = 0;
  #heads = 0;
  #pgtable = false;
  #afterHead = false;

  /** Takes the run of pages [from, to) whose words are all the same. */
  run(from: number, to: number, low: number, high: number): void {
    if (to <= from) return;
    const afterHead = this.#afterHead;
    this.#afterHead = false;
    if ((low & KPF_BUDDY) !== 0) {
      this.#buddies += to - from;
      this.#pairs += Math.max(0, (to >>> 1) - ((from + 1) >>> 1));
      this.#afterHead = to - from === 1 && (from & 7) === 0;
    } else if (afterHead && low === 0 && high === 0 && to - from >= 7) {
      this.#heads++;
    } else if ((low & KPF_PGTABLE) !== 0) {
      this.#pgtable = true;
    }
  }

  get headsOnly(): boolean {
    if (this.#pgtable || this.#buddies === 0) return false;
    return this.#pairs * 64 <= this.#buddies && this.#heads * 64 >= this.#buddies;
  }
}
