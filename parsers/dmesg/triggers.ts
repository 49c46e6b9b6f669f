/**
 * Finds the few bytes of a log that matter: one pass, many words, most bytes never looked at.
 *
 * A multi-pattern skip search: from each position it reads four bytes as one number and knows from a
 * table how far it may jump. Only where the table says 0 are the words compared. The caller gets the
 * offset of the word and does line work from there. Newlines of the skipped part are counted four
 * bytes at a time, so that line numbers stay true without decoding a line.
 */

/** Words that begin or belong to something worth reading. Each has at least WINDOW bytes. */
const WORDS: readonly string[] = [
  'page allocation',
  'order allocation failed',
  'vmalloc: allocation failure',
  'vmalloc error: size',
  'invoked oom-killer',
  ' inactive_anon:',
  'Linux version ',
  'nable to allocate memory on',
  'callbacks suppressed',
  'messages suppressed',
  'cma: Reserved ',
  'alloc failed, req-size',
  'rq: Show Memory',
  'Rq : Show Memory',
  'lowmem_reserve[]',
  // `page alloc` inside a journald byte array, both ways of systemd
  '112,97,103,101,32,97,108,108,111,99',
  '112, 97, 103, 101, 32, 97, 108, 108, 111, 99',
];

/** Longer windows jump farther: the shortest word decides. */
const WINDOW = 14;
const GRAM = 4;
/** A table that stays in the first cache. */
const TABLE_BITS = 13;
const SHIFT_OF_HASH = 32 - TABLE_BITS;
const MULTIPLIER = 0x9e3779b1 | 0;

function hash(gram: number): number {
  return Math.imul(gram, MULTIPLIER) >>> SHIFT_OF_HASH;
}

/** For the four bytes that end a window, hashed: how far the window may move on. */
const shifts = new Uint8Array(1 << TABLE_BITS).fill(WINDOW - GRAM + 1);
/** Words by the four bytes that end their window, hashed. */
const candidates = new Map<number, Uint8Array[]>();

for (const text of WORDS) {
  const word = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const view = new DataView(word.buffer);
  for (let at = 0; at + GRAM <= WINDOW; at++) {
    const key = hash(view.getInt32(at, true));
    const shift = WINDOW - GRAM - at;
    shifts[key] = Math.min(shifts[key]!, shift);
    if (shift === 0) candidates.set(key, [...(candidates.get(key) ?? []), word]);
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

/** A view of the same bytes, for findTrigger: made once for many searches. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Offset of the first word in [start, end), or -1. Allocates nothing. */
export function findTrigger(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  let gram = start + WINDOW - GRAM;
  const last = end - GRAM;
  while (gram <= last) {
    const key = hash(view.getInt32(gram, true));
    const shift = shifts[key]!;
    if (shift !== 0) {
      gram += shift;
    } else {
      const at = gram + GRAM - WINDOW;
      if (startsWord(bytes, at, end, key)) return at;
      gram++;
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
