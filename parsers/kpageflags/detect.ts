/**
 * Tells a copy of /proc/kpageflags from any other binary file, by its words.
 *
 * Every word must be one a kernel can produce (bits 27-31 and 43-63 zero, NOPAGE alone, BUDDY
 * without owner). That also fits files of small numbers or zeros, so words only kpageflags has
 * (exactly NOPAGE, BUDDY or RESERVED) must be among them, in plenty; the name decides the rest.
 */
import { DETECT_BYTES, type Detection } from '../format.js';
import { isPlausibleWord, KPF_BUDDY, KPF_NOPAGE, KPF_RESERVED_HIGH } from './classes.js';

const MIN_BYTES = 64;

interface Tally {
  words: number;
  telling: number;
}

function tally(head: Uint8Array): Tally | null {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const counts: Tally = { words: head.length >>> 3, telling: 0 };
  for (let at = 0; at + 8 <= head.length; at += 8) {
    const low = view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    if (!isPlausibleWord(low, high)) return null;
    const free = high === 0 && (low === KPF_BUDDY || low === KPF_NOPAGE);
    if (free || (low === 0 && high === KPF_RESERVED_HIGH)) counts.telling++;
  }
  return counts;
}

export function detectKpageflags(head: Uint8Array, name: string): Detection | null {
  const whole = head.length < DETECT_BYTES;
  if (head.length < MIN_BYTES || (whole && head.length % 8 !== 0)) return null;
  const counts = tally(head);
  if (!counts) return null;
  const named = /kpageflags/i.test(name);
  if (counts.telling * 50 < counts.words && !named) return null;
  const why = `${counts.words} words of page flags, ${counts.telling} of them free, reserved or absent pages`;
  if (counts.telling * 50 >= counts.words) return { confidence: named ? 0.97 : 0.9, why };
  return { confidence: 0.6, why: `${why}; the name says kpageflags` };
}
