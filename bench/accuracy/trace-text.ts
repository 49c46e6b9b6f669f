/**
 * The lines of an ftrace text, and the text without some of them.
 *
 * Reads what the kernel prints (`trace`, `trace_pipe`, with or without irq-info and record-tgid) and the
 * latency format, whose times are microseconds. It shares no code with the parsers of the product: what
 * judges them must not make their mistakes.
 */
import { keepsEvent, type TraceLines } from './levels.js';

const NEWLINE = 10;
const PLAIN = /\[(\d{3,})\] +(?:\S+ +)?(\d+)\.(\d+): ([^ :]+): ?(.*)$/;
const LATENCY = /-\d+ +(\d+)\S+ +(\d+)us.?: ([^ :]+): ?(.*)$/;

export interface TraceLine {
  readonly from: number;
  /** After its newline. */
  readonly to: number;
  readonly cpu: number;
  readonly timeNs: number;
  readonly event: string;
  readonly fields: string;
}

/** Half-open ranges of bytes. */
export type Range = readonly [from: number, to: number];

export function lineEnd(text: Buffer, from: number): number {
  const newline = text.indexOf(NEWLINE, from);
  return newline < 0 ? text.length : newline + 1;
}

export function lineStart(text: Buffer, inside: number): number {
  return inside === 0 ? 0 : text.lastIndexOf(NEWLINE, inside - 1) + 1;
}

export function readLine(text: Buffer, from: number): TraceLine | null {
  const to = lineEnd(text, from);
  const line = text.toString('latin1', from, to).trimEnd();
  const plain = PLAIN.exec(line);
  if (plain) {
    const timeNs = Number(plain[2]) * 1e9 + Number(plain[3]!.padEnd(9, '0').slice(0, 9));
    return { from, to, cpu: Number(plain[1]), timeNs, event: plain[4]!, fields: plain[5]! };
  }
  const latency = LATENCY.exec(line);
  if (!latency) return null;
  const timeNs = Number(latency[2]) * 1000;
  return { from, to, cpu: Number(latency[1]), timeNs, event: latency[3]!, fields: latency[4]! };
}

/** Lines of the same cpu before or after a line, nearest first, at most `limit` lines away. */
export function* neighbours(
  text: Buffer,
  line: TraceLine,
  step: -1 | 1,
  limit: number,
): Generator<TraceLine> {
  let at = step < 0 ? line.from : line.to;
  for (let n = 0; n < limit; n++) {
    if (step < 0 ? at <= 0 : at >= text.length) return;
    const from = step < 0 ? lineStart(text, at - 1) : at;
    const found = readLine(text, from);
    if (found?.cpu === line.cpu) yield found;
    at = step < 0 ? from : lineEnd(text, from);
  }
}

/** A line with the stack trace that a trigger printed below it, if there is one. */
export function withStack(text: Buffer, line: TraceLine): Range[] {
  const ranges: Range[] = [[line.from, line.to]];
  const next = neighbourStack(text, line);
  if (next !== null) ranges.push(next);
  return ranges;
}

function neighbourStack(text: Buffer, line: TraceLine): Range | null {
  let at = line.to;
  for (let n = 0; n < 64 && at < text.length; n++) {
    const to = lineEnd(text, at);
    const raw = text.toString('latin1', at, to);
    const found = readLine(text, at);
    if (raw.includes(': <stack trace>') && sameCpu(raw, line.cpu)) {
      let end = to;
      while (end < text.length && text[end] === 32 && text[end + 1] === 61) {
        end = lineEnd(text, end);
      }
      return [at, end];
    }
    if (found?.cpu === line.cpu) return null;
    at = to;
  }
  return null;
}

function sameCpu(raw: string, cpu: number): boolean {
  const match = /\[(\d{3,})\] /.exec(raw) ?? /-\d+ +(\d+)\S+ +\d+us/.exec(raw);
  return match !== null && Number(match[1]) === cpu;
}

/** The text without some ranges and without the events that a level has not. */
export function reduceText(text: Buffer, removed: readonly Range[], lines: TraceLines): Buffer[] {
  const sorted = [...removed].sort((a, b) => a[0] - b[0]);
  const rest: Buffer[] = [];
  let at = 0;
  for (const [from, to] of sorted) {
    if (from > at) rest.push(text.subarray(at, from));
    at = Math.max(at, to);
  }
  rest.push(text.subarray(at));
  return lines === 'all' ? rest : rest.flatMap((part) => keepLines(part, lines));
}

/** Only lines of events that stay, marks of the recorder, losses and the header. */
function keepLines(text: Buffer, lines: TraceLines): Buffer[] {
  const kept: Buffer[] = [];
  let event = text.indexOf(': mm_');
  let runFrom = -1;
  for (let from = 0; from < text.length; ) {
    const to = lineEnd(text, from);
    if (event >= 0 && event < from) event = text.indexOf(': mm_', from);
    const inLine = event >= 0 && event < to;
    const stays = inLine
      ? keepsEvent(lines, nameAt(text, event + 2))
      : isTalk(text.toString('latin1', from, to));
    if (stays && runFrom < 0) runFrom = from;
    if (!stays && runFrom >= 0) {
      kept.push(text.subarray(runFrom, from));
      runFrom = -1;
    }
    from = to;
  }
  if (runFrom >= 0) kept.push(text.subarray(runFrom));
  return kept;
}

function nameAt(text: Buffer, from: number): string {
  return text.toString('latin1', from, text.indexOf(58, from));
}

function isTalk(line: string): boolean {
  return line.startsWith('#') || line.includes('[LOST ') || line.includes('tracing_mark_write: ');
}
