/**
 * The text the kernel would print for a gfp mask, from the print format of its own event.
 *
 * The expression is the whole argument, `(REC->gfp_flags) ? __print_flags(…) : "none"`, so what an
 * empty mask is called is the kernel's choice too. Without a usable expression the mask is written
 * as `0x…`, which later layers decode by the kernel's release.
 */
import type { RecordingStrings } from '../../src/records/strings.js';
import { evaluate } from './c-evaluate.js';
import type { Expression } from './c-expression.js';

/** Interns the text of a mask given as two u32 halves; the id fits 16 bits. */
export function gfpText(
  strings: RecordingStrings,
  print: Expression | undefined,
  low: number,
  high: number,
): number {
  const mask = (BigInt(high) << 32n) | BigInt(low);
  const fields = { number: () => mask, text: () => null };
  const value = print === undefined ? null : evaluate(print, fields);
  const text = typeof value === 'string' ? value : `0x${mask.toString(16)}`;
  const id = strings.gfps.internText(text);
  return id <= 0xffff ? id : 0;
}
