/**
 * Byte-level helpers of the text scanners: character codes, digit tables, number reading.
 *
 * Assumes ASCII structure around arbitrary bytes (a comm may hold any byte but NUL). Nothing here
 * allocates; a number that does not fit a double exactly comes back inexact but never wraps, so a
 * limit check by the caller still refuses it.
 */
export const NEWLINE = 10;
export const RETURN = 13;
export const ESCAPE = 27;
export const SPACE = 32;
export const HASH = 35;
export const PAREN_OPEN = 40;
export const PAREN_CLOSE = 41;
export const DASH = 45;
export const DOT = 46;
export const SLASH = 47;
export const ZERO = 48;
export const COLON = 58;
export const LESS = 60;
export const EQUALS = 61;
export const GREATER = 62;
export const BRACKET_OPEN = 91;
export const BRACKET_CLOSE = 93;
const LOWER_X = 120;

/** Value of a hexadecimal digit, -1 for any other byte. */
export const HEX_VALUE = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 10; digit++) HEX_VALUE[ZERO + digit] = digit;
for (let digit = 10; digit < 16; digit++) {
  HEX_VALUE[87 + digit] = digit;
  HEX_VALUE[55 + digit] = digit;
}

/** The bytes of an ASCII text. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** Blank, tab or no-break remains of a terminal: what separates columns. */
export function isBlank(byte: number): boolean {
  return byte === SPACE || byte === 9;
}

/** First position at or after `pos` that is not blank. */
export function skipBlanks(bytes: Uint8Array, pos: number, end: number): number {
  while (pos < end && isBlank(bytes[pos]!)) pos++;
  return pos;
}

/** First blank at or after `pos`, or `end`. */
export function skipToken(bytes: Uint8Array, pos: number, end: number): number {
  while (pos < end && !isBlank(bytes[pos]!)) pos++;
  return pos;
}

/** First position at or after `pos` that is not a decimal digit. */
export function skipDigits(bytes: Uint8Array, pos: number, end: number): number {
  while (pos < end && isDigit(bytes[pos]!)) pos++;
  return pos;
}

/** The decimal number in [start, end), which must be digits only. */
export function decimalOf(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + bytes[i]! - ZERO;
  return value;
}

/** True if [start, end) of `bytes` is exactly `text`. */
export function sameBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  text: Uint8Array,
): boolean {
  return end - start === text.length && startsWith(bytes, start, end, text);
}

/** True if `bytes` from `start` (and before `end`) begins with `text`. */
export function startsWith(
  bytes: Uint8Array,
  start: number,
  end: number,
  text: Uint8Array,
): boolean {
  if (end - start < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

/** First place of `text` in [start, end), or -1. */
export function find(bytes: Uint8Array, start: number, end: number, text: Uint8Array): number {
  const first = text[0]!;
  for (let i = start; i + text.length <= end; i++) {
    if (bytes[i] === first && startsWith(bytes, i, end, text)) return i;
  }
  return -1;
}

/** Reads `123`, `-123` or `0x1f`; keeps where it stopped. One object, used again and again. */
export class NumberReader {
  value = 0;
  /** First byte after the number. */
  next = 0;
  hexadecimal = false;

  /** True if a number stands at `pos`; then `value` and `next` are set. */
  read(bytes: Uint8Array, pos: number, end: number): boolean {
    const negative = pos < end && bytes[pos] === DASH;
    if (negative) pos++;
    this.hexadecimal = pos + 2 < end && bytes[pos] === ZERO && bytes[pos + 1] === LOWER_X;
    const base = this.hexadecimal ? 16 : 10;
    if (this.hexadecimal) pos += 2;
    const start = pos;
    let value = 0;
    for (; pos < end; pos++) {
      const digit = HEX_VALUE[bytes[pos]!]!;
      if (digit < 0 || digit >= base) break;
      value = value * base + digit;
    }
    this.value = negative ? -value : value;
    this.next = pos;
    return pos > start;
  }
}
