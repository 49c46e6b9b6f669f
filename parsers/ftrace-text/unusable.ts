/**
 * Lines that no parser can use, and why: they are explained to the user instead of guessed at.
 *
 * The options raw and hex print trace events without their fields, as `pid cpu time type: id`
 * (kernel/trace/trace_output.c trace_nop_print, v6.12). The function_graph tracer nests events as
 * comments in its own columns. Terminal colours (grep --color, less -R) are removed, not refused.
 */
import { decodeBytes } from '../../src/records/strings.js';
import { ESCAPE } from './bytes.js';

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

/** A copy without terminal control sequences (CSI and OSC). */
export function stripEscapes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const plain = new Uint8Array(end - start);
  let length = 0;
  for (let pos = start; pos < end; pos++) {
    if (bytes[pos] === ESCAPE) pos = skipEscape(bytes, pos, end);
    else plain[length++] = bytes[pos]!;
  }
  return plain.subarray(0, length);
}

/** The last byte of the sequence that begins at `pos`. */
function skipEscape(bytes: Uint8Array, pos: number, end: number): number {
  const second = bytes[pos + 1];
  let last = pos + 1;
  if (second === 0x5b) {
    last = pos + 2;
    while (last < end && (bytes[last]! < 0x40 || bytes[last]! > 0x7e)) last++;
  } else if (second === 0x5d) {
    last = pos + 2;
    while (last < end && bytes[last] !== BELL && bytes[last] !== ESCAPE) last++;
    if (bytes[last] === ESCAPE) last++;
  }
  return Math.min(last, end - 1);
}
