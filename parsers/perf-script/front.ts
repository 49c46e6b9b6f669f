/**
 * The front of a perf script line: `comm tid [cpu] secs.usecs: [period] event:`.
 *
 * tools/perf/builtin-script.c (v6.1): comm padded to 16 columns (bare with call graphs), tid or
 * pid/tid, cpu only if it was sampled, 6 or 9 digits. A comm may hold blanks, digits and brackets: of
 * all places where the rest fits, the last one counts whose comm is no longer than a comm can be.
 */
import {
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COLON,
  DASH,
  decimalOf,
  isBlank,
  isDigit,
  SLASH,
  skipBlanks,
  skipDigits,
  skipToken,
} from '../ftrace-text/bytes.js';
import { CommonPart, CPU_LIMIT } from '../ftrace-text/common-part.js';
import type { LineFront } from '../ftrace-text/event-body.js';
import type { Stamps } from '../ftrace-text/stamp.js';

/** TASK_COMM_LEN, and perf's own `:1234` for unknown ones. */
const MAX_COMM = 16;
/** From the first character of a comm to the stamp: comm, pid/tid, cpu, blanks. */
const MAX_FRONT = 80;
const PID_LIMIT = 2 ** 31;

export class PerfFront implements LineFront {
  commStart = 0;
  commEnd = 0;
  pid = 0;
  cpu = 0;
  timeNs = 0;
  /** perf script does not print it. */
  readonly softirqDepth = 0;
  prefixEnd = 0;
  body = 0;
  readonly #common: CommonPart;

  constructor(stamps: Stamps) {
    this.#common = new CommonPart(stamps);
  }

  parse(bytes: Uint8Array, start: number, end: number): boolean {
    const first = skipBlanks(bytes, start, end);
    const limit = Math.min(end, first + MAX_FRONT);
    let found = false;
    for (let pos = first + 1; pos < limit; pos++) {
      if (!isBlank(bytes[pos - 1]!)) continue;
      if (!isDigit(bytes[pos]!) && bytes[pos] !== DASH) continue;
      if (this.#try(bytes, first, pos, end)) found = true;
    }
    return found;
  }

  /** Tries the digits at `pos` as the tid. */
  #try(bytes: Uint8Array, first: number, pos: number, end: number): boolean {
    let commEnd = pos;
    while (commEnd > first && isBlank(bytes[commEnd - 1]!)) commEnd--;
    if (commEnd === first || commEnd - first > MAX_COMM) return false;
    // perf prints -1 for tasks it knows nothing of.
    const negative = bytes[pos] === DASH;
    let tid = negative ? pos + 1 : pos;
    let tidEnd = skipDigits(bytes, tid, end);
    if (bytes[tidEnd] === SLASH) {
      tid = skipBlanks(bytes, tidEnd + 1, end);
      tidEnd = skipDigits(bytes, tid, end);
    }
    const next = skipBlanks(bytes, tidEnd, end);
    if (tidEnd === tid || next === tidEnd) return false;
    const pid = decimalOf(bytes, tid, tidEnd);
    if (pid >= PID_LIMIT) return false;
    const cpuEnd = bytes[next] === BRACKET_OPEN ? skipDigits(bytes, next + 1, end) : -1;
    if (cpuEnd >= 0 && (cpuEnd - next < 4 || bytes[cpuEnd] !== BRACKET_CLOSE)) return false;
    const cpu = cpuEnd < 0 ? 0 : decimalOf(bytes, next + 1, cpuEnd);
    const after = cpuEnd < 0 ? tidEnd : cpuEnd + 1;
    if (cpu >= CPU_LIMIT || !this.#stampAndEvent(bytes, after, end)) return false;
    this.commStart = first;
    this.commEnd = commEnd;
    this.pid = negative ? -pid : pid;
    this.cpu = cpu;
    this.prefixEnd = after;
    return true;
  }

  /** The stamp, an optional period, and an event name. */
  #stampAndEvent(bytes: Uint8Array, pos: number, end: number): boolean {
    const common = this.#common;
    if (!common.stamp(bytes, skipBlanks(bytes, pos, end), end)) return false;
    let body = common.body;
    const periodEnd = skipDigits(bytes, body, end);
    if (periodEnd > body && periodEnd < end && isBlank(bytes[periodEnd]!)) {
      body = skipBlanks(bytes, periodEnd, end);
    }
    const tokenEnd = skipToken(bytes, body, end);
    const named = tokenEnd > body + 1 && bytes[tokenEnd - 1] === COLON;
    const record = tokenEnd - body > 12 && bytes[body] === 80 && bytes[body + 4] === 95;
    if (!named && !record) return false;
    this.timeNs = common.timeNs;
    this.body = body;
    return true;
  }
}
