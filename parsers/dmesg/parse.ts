/**
 * Kernel logs → Splat records, log facts and version snapshots, as a stream of any length.
 *
 * Idle, it only searches for words (triggers.ts): no line is decoded, no object made. On a hit it
 * goes back one line (a header may be folded) and reads line by line until every report it opened
 * has ended. Chunks may break anywhere; only the unfinished last line is kept between them.
 */

import { NO_TIME } from '../../src/records/snapshot.js';
import type { SplatRecord } from '../../src/records/splat.js';
import { decodeBytes } from '../../src/records/strings.js';
import type { ParseContext, StreamParser } from '../format.js';
import { Assembler } from './assemble.js';
import { newPendingJson, openLine } from './containers.js';
import { KmsgFragments, type WholeLine } from './kmsg-fragments.js';
import { PstoreParts } from './pstore-parts.js';
import { countNewlines, findTrigger, viewOf } from './triggers.js';

const NEWLINE = 10;
/** journald objects and `#012`-joined reports are longer than any printk line. */
const LONG_LINE_FACTOR = 16;
/** Where consoles and terminals break lines, in the middle of a word. */
const TERMINAL_WIDTHS: ReadonlySet<number> = new Set([80, 100, 120, 132, 160, 200, 240, 256]);
/** What ends an input without a newline may be the half of a number. */
const CUT_NUMBER = /(?:\b0x[\da-f]{0,16}|\d{1,20})$/;
const EMPTY = new Uint8Array(0);

export class DmesgParser implements StreamParser {
  readonly #context: ParseContext;
  readonly #assembler: Assembler;
  readonly #json = newPendingJson();
  readonly #parts = new PstoreParts();
  readonly #fragments = new KmsgFragments();
  readonly #maxLine: number;
  #carry: Uint8Array = EMPTY;
  /** True while the rest of an overlong line is being skipped. */
  #skipping = false;
  /** Characters of the line before. */
  #width = 0;
  /** Lines before the current position. */
  #line = 0;
  #records = 0;

  constructor(context: ParseContext) {
    this.#context = context;
    this.#maxLine = context.limits.lineBytes * LONG_LINE_FACTOR;
    this.#assembler = new Assembler(context.source.name, {
      splat: (splat) => {
        this.#count(splat.kind);
        this.#emit({ record: 'splat', splat });
      },
      fact: (fact) => this.#emit({ record: 'fact', fact }),
      release: (release, text, line) => this.#version(release, text, line),
    });
  }

  push(chunk: Uint8Array): void {
    for (const bytes of this.#parts.push(chunk) ?? []) this.#read(bytes);
  }

  #read(chunk: Uint8Array): void {
    let start = 0;
    if (this.#carry.length > 0 || this.#skipping) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) {
        this.#keep(chunk, 0);
        return;
      }
      start = newline + 1;
      this.#finishCarry(chunk.subarray(0, start));
    }
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > start) this.#block(chunk, start, end);
    if (Math.max(end, start) < chunk.length) this.#keep(chunk, Math.max(end, start));
  }

  end(): void {
    const parts = this.#parts.end();
    let lines = 0;
    for (const { bytes, linesBefore } of parts) {
      if (linesBefore > 0) this.#line = linesBefore;
      this.#read(bytes);
      this.#finish();
      lines = Math.max(lines, this.#line);
    }
    for (const whole of this.#fragments.end()) this.#whole(whole, false);
    this.#assembler.end();
    this.#context.source.lines = lines;
    const limit = this.#context.limits.reports;
    if (this.#records > limit) {
      const place = { source: this.#context.source.name };
      const count = this.#records - limit;
      this.#context.diagnostics.report('log-reports-limit', place, { count, limit });
    }
  }

  /** The last line may lack its newline. */
  #finish(): void {
    if (this.#carry.length === 0) return;
    const rest = this.#carry;
    this.#carry = EMPTY;
    this.#block(rest, 0, rest.length);
  }

  #keep(chunk: Uint8Array, from: number): void {
    if (this.#skipping) return;
    const length = this.#carry.length + chunk.length - from;
    if (length > this.#maxLine) {
      this.#context.diagnostics.report(
        'line-too-long',
        { source: this.#context.source.name, line: this.#line + 1 },
        { limit: this.#maxLine },
      );
      this.#context.source.skippedLines++;
      this.#carry = EMPTY;
      this.#skipping = true;
      return;
    }
    const joined = new Uint8Array(length);
    joined.set(this.#carry);
    joined.set(chunk.subarray(from), this.#carry.length);
    this.#carry = joined;
  }

  /** `rest` ends with the newline that ends the carried line. */
  #finishCarry(rest: Uint8Array): void {
    if (!this.#skipping) this.#keep(rest, 0);
    if (this.#skipping) {
      this.#skipping = false;
      this.#line++;
      return;
    }
    const whole = this.#carry;
    this.#carry = EMPTY;
    this.#block(whole, 0, whole.length);
  }

  /** Whole lines in [start, end); the last one may lack its newline at the end of the input. */
  #block(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    let readUntil = start;
    const view = viewOf(bytes);
    while (at < end) {
      if (at < readUntil || this.#assembler.busy || this.#fragments.holding) {
        at = this.#oneLine(bytes, at, end);
        if (at >= readUntil) this.#assembler.settle();
        continue;
      }
      const hit = findTrigger(bytes, view, at, end);
      if (hit < 0) {
        this.#line += countNewlines(bytes, at, end);
        if (bytes[end - 1] !== NEWLINE) this.#line++;
        return;
      }
      const from = this.#lineBefore(bytes, at, hit);
      this.#line += countNewlines(bytes, at, from);
      at = from;
      readUntil = hit + 1;
    }
  }

  /** Start of the line before the one that holds `hit`, not before `floor`. */
  #lineBefore(bytes: Uint8Array, floor: number, hit: number): number {
    const start = bytes.lastIndexOf(NEWLINE, hit);
    if (start < floor) return floor;
    const before = start === 0 ? -1 : bytes.lastIndexOf(NEWLINE, start - 1);
    return Math.max(before + 1, floor);
  }

  #oneLine(bytes: Uint8Array, start: number, end: number): number {
    const newline = bytes.indexOf(NEWLINE, start);
    const stop = newline < 0 || newline >= end ? end : newline;
    this.#line++;
    if (stop - start > this.#maxLine) {
      this.#context.diagnostics.report(
        'line-too-long',
        { source: this.#context.source.name, line: this.#line },
        { limit: this.#maxLine },
      );
      this.#context.source.skippedLines++;
    } else {
      const decoded = cleaned(decodeBytes(bytes, start, stop));
      const text = newline < 0 ? decoded.replace(CUT_NUMBER, '') : decoded;
      const cut = TERMINAL_WIDTHS.has(this.#width);
      for (const whole of this.#fragments.next(text, this.#line)) this.#whole(whole, cut);
      this.#width = text.length;
    }
    return stop + 1;
  }

  #whole({ text, line }: WholeLine, cut: boolean): void {
    for (const opened of openLine(text, this.#json)) this.#assembler.line(opened, line, cut);
  }

  /** A log may hold millions of reports; what is kept of each is some kilobytes. */
  #emit(record: SplatRecord): void {
    if (++this.#records <= this.#context.limits.reports) this.#context.sink.splat?.(record);
  }

  #count(kind: string): void {
    const counts = this.#context.source.snapshots;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }

  #version(release: string, text: string, line: number): void {
    this.#count('version');
    this.#context.source.facts.release = release;
    const source = this.#context.source.name;
    this.#context.sink.snapshot({ kind: 'version', time: NO_TIME, source, line, release, text });
  }
}

/** Without carriage returns, NULs and terminal colours. */
function cleaned(text: string): string {
  if (!/[\r\0\u001b]/.test(text)) return text;
  return text.replace(/\u001b\[[\d;]{0,20}[A-Za-z]/g, '').replace(/[\r\0]/g, '');
}
