/**
 * Finds the few bytes of a log that matter: one pass, many words, most bytes never looked at.
 *
 * A multi-pattern skip search: from each position it looks at three bytes and knows from a table how
 * far it may jump. Only where the table says 0 are the words compared. The caller gets the offset of
 * the word and does line work from there. Newlines of the skipped part are counted four bytes at a
 * time, so that line numbers stay true without decoding a line.
 */

/** Words that begin or belong to something worth reading. Each has at least WINDOW bytes. */
const WORDS: readonly string[] = [
  'page allocation',
  'order allocation failed',
  'vmalloc: allocation failure',
  'vmalloc error: size',
  'invoked oom-killer',
  'active_anon:',
  'Linux version ',
  'nable to allocate memory on',
  'callbacks suppressed',
  'messages suppressed',
  'cma: Reserved ',
  'alloc failed, req-size',
  ' Show Memory',
  'lowmem_reserve[]',
  // `page alloc` inside a journald byte array, both ways of systemd
  '112,97,103,101,32,97,108,108,111,99',
  '112, 97, 103, 101, 32, 97, 108, 108, 111, 99',
];

const WINDOW = 12;
const MAX_SHIFT = WINDOW - 2;

function hash(a: number, b: number, c: number): number {
  return ((a << 10) ^ (b << 5) ^ c) & 0x7fff;
}

const words = WORDS.map((word) => Uint8Array.from(word, (c) => c.charCodeAt(0)));
/** For the three bytes that end a window, hashed: how far the window may move on. */
const shifts = new Uint8Array(1 << 15).fill(MAX_SHIFT);
/** Words by the three bytes that end their window, hashed. */
const candidates = new Map<number, Uint8Array[]>();

for (const word of words) {
  for (let i = 2; i < WINDOW; i++) {
    const key = hash(word[i - 2]!, word[i - 1]!, word[i]!);
    shifts[key] = Math.min(shifts[key]!, WINDOW - 1 - i);
    if (i === WINDOW - 1) candidates.set(key, [...(candidates.get(key) ?? []), word]);
  }
}

function startsWord(bytes: Uint8Array, at: number, end: number, key: number): boolean {
  const list = candidates.get(key);
  if (list === undefined) return false;
  for (let w = 0; w < list.length; w++) {
    const word = list[w]!;
    let i = 0;
    if (at + word.length > end) continue;
    while (i < word.length && bytes[at + i] === word[i]) i++;
    if (i === word.length) return true;
  }
  return false;
}

/** Offset of the first word in [start, end), or -1. Allocates nothing. */
export function findTrigger(bytes: Uint8Array, start: number, end: number): number {
  let last = start + WINDOW - 1;
  while (last < end) {
    const key = hash(bytes[last - 2]!, bytes[last - 1]!, bytes[last]!);
    const shift = shifts[key]!;
    if (shift !== 0) {
      last += shift;
    } else {
      if (startsWord(bytes, last - WINDOW + 1, end, key)) return last - WINDOW + 1;
      last++;
    }
  }
  return -1;
}

const NEWLINE = 10;

/** Newlines in [start, end). */
export function countNewlines(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let count = 0;
  while (at < end && ((bytes.byteOffset + at) & 3) !== 0) if (bytes[at++] === NEWLINE) count++;
  const wordCount = (end - at) >> 2;
  if (wordCount > 0) {
    count += countInWords(new Int32Array(bytes.buffer, bytes.byteOffset + at, wordCount));
    at += wordCount * 4;
  }
  while (at < end) if (bytes[at++] === NEWLINE) count++;
  return count;
}

/**
 * Counts bytes equal to newline. A lane of `lanes` counts the other bytes of up to 255 words; the sum
 * of two bytes below 128 cannot carry into the next lane, so a block with larger ones is done again
 * byte by byte.
 */
function countInWords(view: Int32Array): number {
  let count = 0;
  let i = 0;
  while (i < view.length) {
    const start = i;
    const stop = Math.min(i + 255, view.length);
    let lanes = 0;
    let seen = 0;
    for (; i < stop; i++) {
      const word = view[i]!;
      seen |= word;
      lanes = (lanes + ((((word ^ 0x0a0a0a0a) + 0x7f7f7f7f) >>> 7) & 0x01010101)) | 0;
    }
    if ((seen & 0x80808080) !== 0) count += countSlowly(view, start, stop);
    else count += (stop - start) * 4 - laneSum(lanes);
  }
  return count;
}

function laneSum(lanes: number): number {
  return (lanes & 255) + ((lanes >>> 8) & 255) + ((lanes >>> 16) & 255) + (lanes >>> 24);
}

function countSlowly(view: Int32Array, start: number, stop: number): number {
  let count = 0;
  for (let i = start; i < stop; i++) {
    const word = view[i]!;
    if ((word & 255) === NEWLINE) count++;
    if (((word >>> 8) & 255) === NEWLINE) count++;
    if (((word >>> 16) & 255) === NEWLINE) count++;
    if (word >>> 24 === NEWLINE) count++;
  }
  return count;
}
