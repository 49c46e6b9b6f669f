/**
 * Lines that no parser can use, and why: they are explained to the user instead of guessed at.
 *
 * The options raw and hex print trace events without their fields, as `pid cpu time type: id`
 * (kernel/trace/trace_output.c trace_nop_print, v6.12). The function_graph tracer nests events as
 * comments in its own columns. Terminal colours (grep --color, less -R) are removed, not refused.
 */
import { decodeBytes } from '../../src/records/strings.js';
import { BRACKET_CLOSE, BRACKET_OPEN, ESCAPE } from './bytes.js';

const BELL = 7;
const MAX_LOOKED_AT = 400;

/** Which option made a line unusable, or null. */
export function unusableForm(
  bytes: Uint8Array,
  start: number,
  end: number,
  tracer: string | undefined,
): { form: string } | null {
  const text = decodeBytes(bytes, start, Math.min(end, start + MAX_LOOKED_AT));
  if (/^\d+ \d+ \d+ type: \d+$/.test(text)) return { form: 'option raw' };
  if (/^(?:[0-9a-f]{2,16} ){3,}.*type: \d+$/.test(text)) return { form: 'option hex' };
  if (tracer === 'function_graph') return { form: 'tracer function_graph' };
  return null;
}

/** A copy without terminal control sequences (CSI and OSC); a lone escape byte stays. */
export function stripEscapes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const plain = new Uint8Array(end - start);
  let length = 0;
  for (let pos = start; pos < end; ) {
    const next = bytes[pos] === ESCAPE ? escapeEnd(bytes, pos, end) : pos;
    if (next === pos) plain[length++] = bytes[pos++]!;
    else pos = next;
  }
  return plain.subarray(0, length);
}

/** Where the sequence that begins at `pos` ends; `pos` if it is none. */
function escapeEnd(bytes: Uint8Array, pos: number, end: number): number {
  let last = pos + 2;
  if (bytes[pos + 1] === BRACKET_OPEN) {
    while (last < end && isParameter(bytes[last]!)) last++;
    const letter = last < end ? bytes[last]! | 32 : 0;
    return letter >= 97 && letter <= 122 ? last + 1 : pos;
  }
  if (bytes[pos + 1] !== BRACKET_CLOSE) return pos;
  while (last < end && bytes[last] !== BELL && bytes[last] !== ESCAPE) last++;
  if (last >= end) return pos;
  return bytes[last] === BELL ? last + 1 : Math.min(last + 2, end);
}

/** Digits, `;` and `?`: what stands between `ESC [` and its letter. */
function isParameter(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || byte === 59 || byte === 63;
}
