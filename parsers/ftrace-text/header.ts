/**
 * Lines that are no events: `#` headers, lost-event and buffer-start marks, trace-cmd's first lines.
 *
 * kernel/trace/trace.c print_event_info, print_trace_header (v6.12). Facts go to the source summary:
 * tracer, release, cpus, and how many entries were overwritten before the trace was read.
 */
import type { SourceSummary } from '../../src/records/source.js';
import { ascii, find, isDigit, NumberReader, skipBlanks, startsWith } from './bytes.js';

const CPU = ascii('CPU:');
const CPU_EMPTY = ascii('CPU ');
const IS_EMPTY = ascii(' is empty');
const LOST = ascii(' [LOST ');
const EVENTS = ascii(' EVENTS');
const DROPPED = ascii(' EVENTS DROPPED]');
const OPEN = ascii(' [');
const STARTED_FRONT = ascii('##### CPU ');
const STARTED_BACK = ascii(' buffer started ####');
const CPUS = ascii('cpus=');
const VERSION = ascii('version = ');
const TRACE_CLOCK = ascii('trace clock:');
const MAX_HEADER_TEXT = 300;

export const Mark = { none: 0, lost: 1, bufferStarted: 2 } as const;
export type Mark = (typeof Mark)[keyof typeof Mark];

export class HeaderReader {
  /** Of the latest mark: its cpu, and the events lost (NaN where not printed). */
  cpu = 0;
  count = Number.NaN;
  readonly #source: SourceSummary;
  readonly #number = new NumberReader();

  constructor(source: SourceSummary) {
    this.#source = source;
  }

  /** `CPU:0 [LOST 641 EVENTS]`, `CPU:0 [LOST EVENTS]`, `CPU:0 [144 EVENTS DROPPED]`, buffer start. */
  mark(bytes: Uint8Array, start: number, end: number): Mark {
    if (startsWith(bytes, start, end, STARTED_FRONT)) {
      if (!this.#readCpu(bytes, start + STARTED_FRONT.length, end)) return Mark.none;
      return startsWith(bytes, this.#number.next, end, STARTED_BACK)
        ? Mark.bufferStarted
        : Mark.none;
    }
    if (!startsWith(bytes, start, end, CPU)) return Mark.none;
    if (!this.#readCpu(bytes, start + CPU.length, end)) return Mark.none;
    this.count = Number.NaN;
    const pos = this.#number.next;
    if (startsWith(bytes, pos, end, LOST)) {
      const counted = this.#number.read(bytes, pos + LOST.length, end);
      if (counted && startsWith(bytes, this.#number.next, end, EVENTS)) {
        this.count = this.#number.value;
      }
      return Mark.lost;
    }
    if (!startsWith(bytes, pos, end, OPEN)) return Mark.none;
    if (!this.#number.read(bytes, pos + OPEN.length, end)) return Mark.none;
    this.count = this.#number.value;
    return startsWith(bytes, this.#number.next, end, DROPPED) ? Mark.lost : Mark.none;
  }

  #readCpu(bytes: Uint8Array, pos: number, end: number): boolean {
    const found = this.#number.read(bytes, pos, end);
    this.cpu = this.#number.value;
    return found && this.cpu >= 0 && this.cpu < 1 << 16;
  }

  /** A line that begins with `#`. */
  comment(bytes: Uint8Array, start: number, end: number): void {
    const text = textOf(bytes, start, end);
    const { facts } = this.#source;
    const tracer = /^# tracer: (\S+)/.exec(text);
    if (tracer) facts.tracer = tracer[1]!;
    const latency = /^# \S+ latency trace v[\d.]+ on (\S+)/.exec(text);
    if (latency) facts.release = latency[1]!;
    const entries =
      /^# entries-in-buffer\/entries-written: (\d{1,15})\/(\d{1,15})/.exec(text) ??
      /^# latency: \d+ us, #(\d{1,15})\/(\d{1,15}),/.exec(text);
    if (entries) this.#source.overwritten += Math.max(0, Number(entries[2]) - Number(entries[1]));
    const cpus = /#P:(\d{1,6})/.exec(text);
    if (cpus) facts.cpus = cpus[1]!;
  }

  /** `version = 7`, `cpus=2`, `CPU 1 is empty`, `trace clock: mono` of trace-cmd report. */
  reportLine(bytes: Uint8Array, start: number, end: number): boolean {
    const { facts } = this.#source;
    if (startsWith(bytes, start, end, CPUS) && isDigit(bytes[start + CPUS.length] ?? 0)) {
      facts.cpus = textOf(bytes, start + CPUS.length, end);
      return true;
    }
    if (startsWith(bytes, start, end, VERSION)) {
      facts['trace.dat version'] = textOf(bytes, start + VERSION.length, end);
      return true;
    }
    if (startsWith(bytes, start, end, TRACE_CLOCK)) {
      const from = skipBlanks(bytes, start + TRACE_CLOCK.length, end);
      this.#source.clock = textOf(bytes, from, end);
      return true;
    }
    return (
      startsWith(bytes, start, end, CPU_EMPTY) && find(bytes, start, end, IS_EMPTY) === end - 9
    );
  }
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  const text = bytes.subarray(start, Math.min(end, start + MAX_HEADER_TEXT));
  return String.fromCharCode(...text).trim();
}
