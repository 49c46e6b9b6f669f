/**
 * Small scanners shared by the line grammars: `Node 0, zone Normal` and rows of counts.
 *
 * Kernel source of the forms: mm/vmstat.c (walk_zones_in_node users), v2.6.24 to v7.2. Blanks are
 * taken as any run of blanks or tabs, because mail clients and ticket systems fold them.
 */
/** Order lists longer than this are no kernel's (x86: 11, arm64 64K pages: 14). */
export const MAX_ORDERS = 33;
/** Fewer columns than this are no buddyinfo row (ppc 256K pages has 7). */
export const MIN_ORDERS = 7;
/** More free blocks of one order than any machine holds. */
export const MAX_COUNT = 2 ** 40;
/** What pagetypeinfo prints instead of a larger count, from v5.4. */
export const CAPPED_COUNT = 100_000;

export interface NodeRow {
  readonly node: number;
  readonly zone: string;
  /** Index just after the zone name. */
  readonly rest: number;
}

const MAX_NODE = 1 << 16;
const MAX_ZONE_NAME = 16;

export function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function skipBlanks(text: string, at: number): number {
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

function isWord(code: number): boolean {
  return isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
}

/** `Node <d>, zone <name>` at the start of the line, or null. */
export function scanNodeRow(text: string): NodeRow | null {
  if (!text.startsWith('Node ')) return null;
  let at = skipBlanks(text, 4);
  let node = 0;
  const digits = at;
  while (isDigit(text.charCodeAt(at)) && at - digits < 6) {
    node = node * 10 + text.charCodeAt(at++) - 48;
  }
  if (at === digits || node >= MAX_NODE) return null;
  at = skipBlanks(text, at);
  if (text.charCodeAt(at) !== 44) return null;
  at = skipBlanks(text, at + 1);
  if (!text.startsWith('zone', at)) return null;
  const start = skipBlanks(text, at + 4);
  at = start;
  while (isWord(text.charCodeAt(at))) at++;
  if (at === start || start === digits || at - start > MAX_ZONE_NAME) return null;
  return { node, zone: text.slice(start, at), rest: at };
}

export interface Counts {
  readonly counts: number[];
  /** Columns printed as `>100000`. */
  readonly capped: number[];
  /** True if a blank follows the last count, as the kernel prints it. */
  readonly blankEnded: boolean;
}

/** Counts up to the end of the line, or null if anything else stands there. */
export function scanCounts(text: string, from: number): Counts | null {
  const counts: number[] = [];
  const capped: number[] = [];
  let at = from;
  for (;;) {
    const start = skipBlanks(text, at);
    if (start >= text.length) return { counts, capped, blankEnded: start > at };
    if (start === at || counts.length >= MAX_ORDERS) return null;
    at = start;
    if (text.charCodeAt(at) === 62) {
      capped.push(counts.length);
      at++;
    }
    const digits = at;
    let value = 0;
    while (isDigit(text.charCodeAt(at))) value = value * 10 + text.charCodeAt(at++) - 48;
    if (at === digits || at - digits > 15 || value > MAX_COUNT) return null;
    counts.push(value);
  }
}

/** A whole number of up to 20 digits; a wrapped 64-bit negative comes out negative. */
export function parseCounter(digits: string): number {
  const value = Number(digits);
  return value >= 2 ** 63 ? Number(BigInt.asIntN(64, BigInt(digits))) : value;
}
