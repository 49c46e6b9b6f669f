/**
 * Tells a copy of /proc/kpagecount from one of kpageflags and from other files of small numbers.
 *
 * Counts are small: processes map a page a few times, shared ones some thousand times. Flags are not: free,
 * absent and reserved pages of kpageflags are 2^10, 2^20 and 2^32, and each copy has some of them early. Up to
 * v4.17 a page with a type of its own (the first of a free block among them) has a small negative count.
 * The low pages of a machine are mapped by nobody, so the head of a copy may be zeros alone: then only the
 * name can tell.
 */
import type { Detection } from '../format.js';

const MIN_BYTES = 64;
/** Beyond this a count is none: no page is mapped by a million processes' tables. */
export const MAX_COUNT = 1 << 20;
/** Negative counts reach down to here (page types of v3.0 to v4.17 are single bits below this). */
const MIN_COUNT = -4096;
/** BUDDY alone: as a count, a page mapped exactly 1024 times. */
const BUDDY_WORD = 0x400;

interface Tally {
  words: number;
  mapped: number;
  /** Words that would be a free page in kpageflags. */
  buddy: number;
}

/** Null if a word can be no count. */
function tally(head: Uint8Array): Tally | null {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const counts: Tally = { words: head.length >>> 3, mapped: 0, buddy: 0 };
  for (let at = 0; at + 8 <= head.length; at += 8) {
    const low = view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    const positive = high === 0 && low >= 0 && low <= MAX_COUNT;
    if (!positive && !(high === -1 && low < 0 && low >= MIN_COUNT)) return null;
    if (positive && low > 0) counts.mapped++;
    if (low === BUDDY_WORD) counts.buddy++;
  }
  return counts;
}

export function detectKpagecount(head: Uint8Array, name: string): Detection | null {
  if (head.length < MIN_BYTES) return null;
  const counts = tally(head);
  if (counts === null || counts.buddy * 50 > counts.words) return null;
  const why = `${counts.words} words that are small counts, ${counts.mapped} of them of mapped pages`;
  if (/kpagecount/i.test(name))
    return { confidence: 0.95, why: `${why}; the name says kpagecount` };
  if (counts.mapped * 50 < counts.words || counts.mapped === counts.words) return null;
  return { confidence: 0.4, why };
}
