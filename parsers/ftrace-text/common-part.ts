/**
 * The part of a line before the event: who, where and when.
 *
 * Grammar (kernel/trace/trace.c and trace_output.c, v2.6.32 to v7.2; trace-cmd 3.x report):
 *   %16s-%-7d [(%7d)] [%03d] flags secs.usecs:          normal; flags 4, 5 or 7 columns or absent
 *   %8.8s-%-7d %3d%flags usecs"us"%c:                   latency-format; trace-cmd -l has seconds here
 *   %16s %7d %3d %d %08x %08x [%08llx] ms.us"ms" (…):   latency-format with verbose
 * A comm may hold anything but NUL: blanks, dashes, brackets, colons, even text that looks like this.
 * The kernel pads it to 16 (8) columns, so the dash is looked for there first; where leading blanks
 * were lost or more text stands in front, from the right within a comm's length of the first
 * character, then further on. What follows the dash must fit the grammar up to `: `.
 */
import {
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COLON,
  DASH,
  DOT,
  decimalOf,
  HEX_VALUE,
  isBlank,
  isDigit,
  PAREN_CLOSE,
  PAREN_OPEN,
  skipBlanks,
  skipDigits,
  skipToken,
} from './bytes.js';
import { FRACTION_NS, MAX_SECONDS, StampForm, type Stamps } from './stamp.js';

const COMM_WIDTH = 16;
const LATENCY_COMM_WIDTH = 8;
/** How far into a line text of other programs (log prefixes) may reach. */
const MAX_LEADING_BYTES = 256;
const MAX_FLAGS = 10;
const PID_LIMIT = 2 ** 31;
export const CPU_LIMIT = 1 << 16;
const PLUS = 43;
const LOWER_M = 109;
const LOWER_S = 115;
const LOWER_U = 117;

export class CommonPart {
  commStart = 0;
  commEnd = 0;
  pid = 0;
  cpu = 0;
  timeNs = 0;
  /** Preempt depth if the line's event ran in a softirq, else 0. */
  softirqDepth = 0;
  /** Where the part that repeats from line to line ends: before the blanks of the stamp. */
  prefixEnd = 0;
  /** First byte after `: `, blanks skipped. */
  body = 0;
  readonly #stamps: Stamps;

  constructor(stamps: Stamps) {
    this.#stamps = stamps;
  }

  /** True if the line has a common part; then all fields are set. */
  parse(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#tryColumn(bytes, start, start + COMM_WIDTH, end)) return true;
    if (this.#tryColumn(bytes, start, start + LATENCY_COMM_WIDTH, end)) return true;
    const first = skipBlanks(bytes, start, end);
    const last = Math.min(end - 1, first + COMM_WIDTH);
    for (let dash = last; dash >= first; dash--) {
      if (this.#tryColumn(bytes, start, dash, end)) return true;
    }
    const limit = Math.min(end, first + MAX_LEADING_BYTES);
    for (let dash = last + 1; dash < limit; dash++) {
      if (this.#tryColumn(bytes, Math.max(start, dash - COMM_WIDTH), dash, end)) return true;
    }
    return this.#verbose(bytes, start, end);
  }

  #tryColumn(bytes: Uint8Array, start: number, dash: number, end: number): boolean {
    if (dash + 1 >= end || bytes[dash] !== DASH || !isDigit(bytes[dash + 1]!)) return false;
    const pidEnd = skipDigits(bytes, dash + 1, end);
    let pos = skipBlanks(bytes, pidEnd, end);
    if (pos === pidEnd) return false;
    if (bytes[pos] === PAREN_OPEN) {
      pos = skipTgid(bytes, pos, end);
      if (pos < 0) return false;
    }
    const after = bytes[pos] === BRACKET_OPEN ? this.#cpu(bytes, pos, end) : -1;
    pos = after >= 0 ? this.#flags(bytes, after, end) : this.#cpuAndFlags(bytes, pos, end);
    if (pos < 0 || !this.stamp(bytes, pos, end)) return false;
    this.pid = decimalOf(bytes, dash + 1, pidEnd);
    this.#setComm(bytes, start, dash);
    return this.pid < PID_LIMIT;
  }

  #setComm(bytes: Uint8Array, start: number, end: number): void {
    this.commStart = Math.min(skipBlanks(bytes, start, end), end);
    this.commEnd = end;
  }

  /** `[000]`; returns the position after it. */
  #cpu(bytes: Uint8Array, pos: number, end: number): number {
    const digits = skipDigits(bytes, pos + 1, end);
    if (digits - pos < 4 || digits >= end || bytes[digits] !== BRACKET_CLOSE) return -1;
    this.cpu = decimalOf(bytes, pos + 1, digits);
    return this.cpu < CPU_LIMIT ? digits + 1 : -1;
  }

  /** The flags column if there is one; sets prefixEnd and returns the stamp's first digit. */
  #flags(bytes: Uint8Array, after: number, end: number): number {
    this.prefixEnd = after;
    this.softirqDepth = 0;
    let pos = skipBlanks(bytes, after, end);
    if (pos < end && isDigit(bytes[pos]!)) return pos;
    const token = pos;
    pos = skipToken(bytes, pos, end);
    if (pos - token > MAX_FLAGS || pos === token) return -1;
    this.softirqDepth = softirqDepth(bytes, token, pos);
    this.prefixEnd = pos;
    return skipBlanks(bytes, pos, end);
  }

  /** `0d..3.`: cpu and flags in one. */
  #cpuAndFlags(bytes: Uint8Array, pos: number, end: number): number {
    const digits = skipDigits(bytes, pos, end);
    const tokenEnd = skipToken(bytes, digits, end);
    if (digits === pos || tokenEnd === digits || tokenEnd - digits > MAX_FLAGS) return -1;
    this.cpu = decimalOf(bytes, pos, digits);
    this.softirqDepth = softirqDepth(bytes, digits, tokenEnd);
    this.prefixEnd = tokenEnd;
    return this.cpu < CPU_LIMIT ? skipBlanks(bytes, tokenEnd, end) : -1;
  }

  /** `secs.usecs:`, `usecs"us"%c:` or an integer; sets timeNs and body. */
  stamp(bytes: Uint8Array, pos: number, end: number): boolean {
    const wholeEnd = skipDigits(bytes, pos, end);
    if (wholeEnd === pos || wholeEnd - pos > 20 || wholeEnd >= end) return false;
    const whole = decimalOf(bytes, pos, wholeEnd);
    let after = wholeEnd;
    let form: StampForm = StampForm.integer;
    let fraction = 0;
    if (bytes[wholeEnd] === DOT) {
      after = skipDigits(bytes, wholeEnd + 1, end);
      const digits = after - wholeEnd - 1;
      if (digits === 0 || digits > 9) return false;
      fraction = decimalOf(bytes, wholeEnd + 1, after) * FRACTION_NS[digits]!;
      form = StampForm.seconds;
    } else if (bytes[wholeEnd] === LOWER_U && bytes[wholeEnd + 1] === LOWER_S) {
      after = wholeEnd + 2;
      if (after < end && bytes[after] !== COLON) after++;
      form = StampForm.latency;
    }
    after = skipDelta(bytes, after, end);
    if (after >= end || bytes[after] !== COLON) return false;
    this.body = skipBlanks(bytes, skipDelta(bytes, after + 1, end), end);
    return this.#setTime(form, whole, fraction, after - wholeEnd - 1);
  }

  #setTime(form: StampForm, whole: number, fraction: number, digits: number): boolean {
    const stamps = this.#stamps;
    if (form === StampForm.seconds ? whole > MAX_SECONDS : whole > Number.MAX_SAFE_INTEGER) {
      return false;
    }
    stamps.form = form;
    stamps.digits = form === StampForm.seconds ? digits : 0;
    if (form === StampForm.seconds) this.timeNs = stamps.seconds(whole, fraction);
    else if (form === StampForm.latency) this.timeNs = stamps.latency(whole);
    else this.timeNs = stamps.integer(whole);
    return true;
  }

  /** `comm pid cpu flags preempt index [abs] 10.466ms (+0.031ms): `. */
  #verbose(bytes: Uint8Array, start: number, end: number): boolean {
    let pos = Math.min(start + COMM_WIDTH, end);
    if (pos >= end || !isBlank(bytes[pos]!)) return false;
    const pid = skipBlanks(bytes, pos, end);
    const pidEnd = skipDigits(bytes, pid, end);
    const cpu = skipBlanks(bytes, pidEnd, end);
    const cpuEnd = skipDigits(bytes, cpu, end);
    if (pidEnd === pid || cpuEnd === cpu || pidEnd - pid > 10) return false;
    pos = cpuEnd;
    for (let column = 0; column < 4; column++) {
      pos = skipToken(bytes, skipBlanks(bytes, pos, end), end);
    }
    if (bytes[pos - 1] !== BRACKET_CLOSE) return false;
    const whole = skipBlanks(bytes, pos, end);
    const wholeEnd = skipDigits(bytes, whole, end);
    const fractionEnd = skipDigits(bytes, wholeEnd + 1, end);
    if (wholeEnd === whole || fractionEnd - wholeEnd !== 4 || bytes[wholeEnd] !== DOT) return false;
    if (bytes[fractionEnd] !== LOWER_M || bytes[fractionEnd + 1] !== LOWER_S) return false;
    pos = skipDelta(bytes, fractionEnd + 2, end);
    if (pos >= end || bytes[pos] !== COLON) return false;
    this.body = skipBlanks(bytes, pos + 1, end);
    this.pid = decimalOf(bytes, pid, pidEnd);
    this.cpu = decimalOf(bytes, cpu, cpuEnd);
    this.#setComm(bytes, start, start + COMM_WIDTH);
    this.prefixEnd = start;
    this.softirqDepth = 0;
    const us =
      decimalOf(bytes, whole, wholeEnd) * 1000 + decimalOf(bytes, wholeEnd + 1, fractionEnd);
    return (
      this.pid < PID_LIMIT && this.cpu < CPU_LIMIT && this.#setTime(StampForm.latency, us, 0, 0)
    );
  }
}

/** Of flags like `..s3.` (irqs off, resched, context, preempt depth, …): the depth if the context is a softirq, else 0. */
function softirqDepth(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 4 || bytes[start + 2] !== LOWER_S) return 0;
  return Math.max(0, HEX_VALUE[bytes[start + 3]!]!);
}

/** `(  123) ` or `(-----) `; returns the position after it, -1 if it is neither. */
function skipTgid(bytes: Uint8Array, open: number, end: number): number {
  let pos = skipBlanks(bytes, open + 1, end);
  if (bytes[pos] === DASH) while (pos < end && bytes[pos] === DASH) pos++;
  else pos = skipDigits(bytes, pos, end);
  if (pos >= end || bytes[pos] !== PAREN_CLOSE || pos - open < 2) return -1;
  return skipBlanks(bytes, pos + 1, end);
}

/** trace-cmd's `(+12)` and the verbose form's `(+0.031ms)` around the colon. */
function skipDelta(bytes: Uint8Array, pos: number, end: number): number {
  const open = skipBlanks(bytes, pos, end);
  if (open + 1 >= end || bytes[open] !== PAREN_OPEN) return pos;
  if (bytes[open + 1] !== PLUS && bytes[open + 1] !== DASH) return pos;
  let close = open + 1;
  while (close < end && close < open + 32 && bytes[close] !== PAREN_CLOSE) close++;
  return close < end && bytes[close] === PAREN_CLOSE ? close + 1 : pos;
}
