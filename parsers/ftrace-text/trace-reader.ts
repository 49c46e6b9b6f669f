/**
 * Lines of a trace, in any of the text forms, into records: the parser behind ftrace text,
 * trace-cmd report and perf script. They differ in the front of a line (`LineFront`) and in how
 * stacks are printed; everything else is shared.
 *
 * Every line is either an event, counted as a skipped event, a known header or mark, or counted in
 * source.skippedLines. Marks (lost events, buffer start) carry no time: they take that of the next
 * line, which is the next of their cpu because the kernel prints them right before it.
 */
import type { DiagnosticCode } from '../../src/records/diagnostics.js';
import {
  EVENT_NAMES,
  type EventBatch,
  EventKind,
  LAST_PAGE_KIND,
} from '../../src/records/events.js';
import { decodeBytes } from '../../src/records/strings.js';
import type { ParseContext, StreamParser } from '../format.js';
import { BatchWriter } from './batch-writer.js';
import { COLON, ESCAPE, find, HASH, skipBlanks, skipToken } from './bytes.js';
import { EventBody, type LineFront, Taken } from './event-body.js';
import { FastLines, MAX_FAST_LINE } from './fast-lines.js';
import { GfpTexts } from './gfp-texts.js';
import { HeaderReader, Mark } from './header.js';
import { type LineSink, LineSplitter } from './lines.js';
import { ScannedLines } from './scanned-lines.js';
import type { ScannedChunk, ScannedRows } from './scanned-rows.js';
import { Stacks } from './stacks.js';
import { StampForm, Stamps } from './stamp.js';
import { TextKeeper } from './text-keeper.js';
import { stripEscapes, unusableForm } from './unusable.js';

/** Excerpts are made for as many lines as Diagnostics keeps. */
const KEPT_EXCERPTS = 20;
const MAX_PENDING_MARKS = 256;
const TAB = 9;
const CONTROL_SEQUENCE = Uint8Array.of(ESCAPE);

export interface TraceForm {
  /** Builds the reader of a line's front. */
  front(stamps: Stamps): LineFront;
  /** Stack frames stand on lines that begin with a tab, right below their event. */
  readonly tabbedStacks: boolean;
}

export class TraceReader implements StreamParser, LineSink {
  readonly fastBytes = MAX_FAST_LINE;
  readonly #context: ParseContext;
  readonly #splitter: LineSplitter;
  readonly #writer: BatchWriter;
  readonly #stamps: Stamps;
  readonly #front: LineFront;
  readonly #fast: FastLines;
  readonly #scanned: ScannedLines;
  readonly #body: EventBody;
  readonly #stacks: Stacks;
  readonly #header: HeaderReader;
  readonly #tabbedStacks: boolean;
  readonly #cpus = new Set<number>();
  readonly #pending: { kind: EventKind; cpu: number; count: number }[] = [];
  #lastNs = 0;
  #lastTaken = false;
  #unknownLosses = 0;
  #withoutContext = 0;
  #reportedForm = false;

  constructor(context: ParseContext, form: TraceForm) {
    const { source, strings, diagnostics } = context;
    this.#context = context;
    this.#tabbedStacks = form.tabbedStacks;
    this.#splitter = new LineSplitter(this, context.limits.lineBytes);
    this.#writer = new BatchWriter(context.sink, context.inputBytes);
    this.#stamps = new Stamps(context.clock, context.options['time-unit']);
    this.#front = form.front(this.#stamps);
    this.#fast = new FastLines(this.#stamps);
    const gfps = new GfpTexts(strings.gfps, this.#fast);
    const texts = new TextKeeper(strings, diagnostics, source.name);
    this.#scanned = new ScannedLines(this.#writer, strings, this.#stamps, context.clock);
    this.#body = new EventBody(this.#writer, strings, gfps, texts);
    this.#stacks = new Stacks(this.#writer, texts);
    this.#header = new HeaderReader(source);
  }

  push(chunk: Uint8Array, scanned: ScannedChunk | null = null): void {
    this.#scanned.give(chunk, scanned);
    this.#splitter.push(chunk);
  }

  end(): void {
    this.#splitter.end();
    this.#stacks.finish();
    this.#placeMarks(this.#lastNs);
    this.#writer.end();
    this.#summarise();
  }

  use(bytes: Uint8Array): void {
    this.#fast.use(bytes);
    this.#scanned.use(bytes);
  }

  fastLines(start: number, limit: number): number {
    if (this.#pending.length > 0 || this.#stacks.open) return start;
    const fast = this.#fast;
    const scanned = this.#scanned;
    let pos = start;
    let lines = 0;
    scanned.pass(pos);
    while (pos <= limit) {
      if (pos === scanned.next) {
        pos = scanned.end;
        lines += scanned.take();
        continue;
      }
      if (scanned.refuses(pos)) break;
      const next = fast.take(pos, Math.min(limit, scanned.next - 1));
      if (fast.count === 0) break;
      pos = next;
      lines += fast.count;
      this.#writer.append(fast.rows, 0, fast.count, copyIds);
      scanned.pass(pos);
    }
    if (lines > 0) {
      this.#writer.countRows();
      this.#context.source.lines += lines;
      this.#lastTaken = true;
    }
    return pos;
  }

  tooLong(): void {
    const { source, limits } = this.#context;
    source.lines++;
    source.skippedLines++;
    this.#stacks.finish();
    this.#report('line-too-long', { limit: limits.lineBytes });
  }

  cutLine(bytes: Uint8Array, start: number, end: number): void {
    const rows = this.#writer.flushed + this.#writer.batch.length;
    this.line(bytes, start, end);
    this.#report('trace-cut', {});
    const { batch } = this.#writer;
    const last = batch.length - 1;
    if (this.#writer.flushed + batch.length === rows || batch.kind[last] !== EventKind.free) return;
    // `order=1` may have been `order=10`: the one cut that would leave a wrong event.
    if (batch.order[last] !== 1) return;
    batch.length--;
    this.#context.source.skippedLines++;
  }

  line(bytes: Uint8Array, start: number, end: number): void {
    this.#context.source.lines++;
    if (find(bytes, start, end, CONTROL_SEQUENCE) >= 0) {
      const plain = stripEscapes(bytes, start, end);
      this.#line(plain, 0, plain.length);
    } else this.#line(bytes, start, end);
  }

  #line(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    if (this.#context.source.lines === 1 && bytes[from] === 0xef && bytes[from + 1] === 0xbb) {
      from = Math.min(end, from + 3);
    }
    if (this.#isFrame(bytes, from, end)) return;
    if (skipBlanks(bytes, from, end) === end) return;
    if (this.#isHeader(bytes, from, end)) return;
    if (this.#event(bytes, from, end)) return;
    this.#unparsed(bytes, from, end);
  }

  /** Lines of a stack below an event. */
  #isFrame(bytes: Uint8Array, start: number, end: number): boolean {
    const stacks = this.#stacks;
    if (this.#tabbedStacks && end > start && bytes[start] === TAB) {
      if (!stacks.open) stacks.beginBelow(this.#lastTaken);
      stacks.addressLine(bytes, start, end);
      return true;
    }
    if (!stacks.open) return false;
    if (!this.#tabbedStacks && stacks.arrowLine(bytes, start, end)) return true;
    stacks.finish();
    return false;
  }

  #isHeader(bytes: Uint8Array, start: number, end: number): boolean {
    const header = this.#header;
    const mark = header.mark(bytes, start, end);
    if (mark === Mark.lost) {
      this.#noteLoss(header.cpu, header.count);
      return true;
    }
    if (mark === Mark.bufferStarted) {
      this.#addMark(EventKind.bufferStarted, header.cpu, Number.NaN);
      return true;
    }
    if (bytes[start] !== HASH) return false;
    header.comment(bytes, start, end);
    return true;
  }

  #noteLoss(cpu: number, count: number): void {
    if (Number.isNaN(count)) this.#unknownLosses++;
    else this.#context.source.lostEvents += count;
    this.#report('events-lost', {
      cpu,
      count: Number.isNaN(count) ? 'an unknown number of' : count,
    });
    this.#addMark(EventKind.lost, cpu, count);
  }

  #addMark(kind: EventKind, cpu: number, count: number): void {
    if (this.#pending.length >= MAX_PENDING_MARKS) this.#placeMarks(this.#lastNs);
    this.#pending.push({ kind, cpu, count });
  }

  #placeMarks(timeNs: number): void {
    if (this.#pending.length === 0) return;
    for (const { kind, cpu, count } of this.#pending) this.#body.mark(kind, cpu, count, timeNs);
    this.#pending.length = 0;
  }

  /** A line with comm, pid, cpu and time. False if it is none. */
  #event(bytes: Uint8Array, start: number, end: number): boolean {
    const front = this.#front;
    if (!front.parse(bytes, start, end)) return false;
    this.#lastNs = front.timeNs;
    this.#placeMarks(front.timeNs);
    const taken = this.#body.take(bytes, end, front);
    this.#lastTaken = taken === Taken.event;
    switch (taken) {
      case Taken.event:
        this.#cpus.add(front.cpu);
        this.#fast.learnFront(bytes, start, front, this.#body.comm);
        return true;
      case Taken.kernelStack:
      case Taken.userStack:
        this.#stacks.begin(front.cpu, front.pid, taken === Taken.userStack);
        return true;
      case Taken.foreign:
        this.#stacks.skipped(front.cpu);
        if (!Number.isNaN(this.#body.lost)) {
          this.#noteLoss(front.cpu, this.#body.lost);
          this.#body.lost = Number.NaN;
        }
        return true;
      case Taken.outOfRange:
        this.#stacks.skipped(front.cpu);
        this.#outOfRange(bytes, start, end);
        return true;
      default:
        return false;
    }
  }

  #outOfRange(bytes: Uint8Array, start: number, end: number): void {
    const { page } = this.#body;
    this.#context.source.skippedLines++;
    this.#report(
      'event-value-impossible',
      { event: this.#body.eventName, field: page.badField, value: page.badValue },
      bytes,
      start,
      end,
    );
  }

  /** A line that is neither header nor event as it stands. */
  #unparsed(bytes: Uint8Array, start: number, end: number): void {
    if (this.#header.reportLine(bytes, start, end)) return;
    if (this.#bare(bytes, start, end)) return;
    const { source } = this.#context;
    source.skippedLines++;
    const form = unusableForm(bytes, start, end, source.facts.tracer);
    if (form !== null) {
      if (!this.#reportedForm) this.#report('trace-form-unusable', form, bytes, start, end);
      this.#reportedForm = true;
      return;
    }
    this.#report('line-unparsed', {}, bytes, start, end);
  }

  /** Option context-info off: `mm_page_alloc: page=…` and nothing else. Order stands for time. */
  #bare(bytes: Uint8Array, start: number, end: number): boolean {
    const nameEnd = skipToken(bytes, start, end) - 1;
    if (nameEnd <= start || bytes[nameEnd] !== COLON) return false;
    const { names } = this.#body;
    const kind = names.kindIfKnown(bytes, start, nameEnd);
    if (kind === 0 || kind > LAST_PAGE_KIND) return false;
    if (this.#withoutContext++ === 0) this.#report('trace-without-context', {});
    const timeNs = this.#stamps.integer(this.#withoutContext);
    const front = {
      commStart: start,
      commEnd: start,
      pid: 0,
      cpu: 0,
      timeNs,
      softirqDepth: 0,
      prefixEnd: start,
      body: start,
      parse: () => false,
    };
    return this.#body.take(bytes, end, front) === Taken.event;
  }

  #report(
    code: DiagnosticCode,
    data: Readonly<Record<string, string | number>>,
    bytes?: Uint8Array,
    start = 0,
    end = 0,
  ): void {
    const { diagnostics, source } = this.#context;
    const place = { source: source.name, line: source.lines };
    if (bytes === undefined || diagnostics.count(code) >= KEPT_EXCERPTS) {
      diagnostics.report(code, place, data);
      return;
    }
    const excerpt = decodeBytes(bytes, start, Math.min(end, start + 400));
    diagnostics.report(code, { ...place, excerpt }, data);
  }

  #summarise(): void {
    const { source, clock, options } = this.#context;
    const writer = this.#writer;
    for (let kind = 0; kind < 256; kind++) {
      if (writer.counts[kind]! > 0) {
        addTo(source.events, EVENT_NAMES[kind as EventKind], writer.counts[kind]!);
      }
    }
    this.#body.names.eachSkipped((name, count) => addTo(source.skippedEvents, name, count));
    source.firstNs = writer.firstNs;
    source.lastNs = writer.lastNs;
    const { facts } = source;
    if (this.#stacks.orphans > 0) facts['stacks of skipped events'] = String(this.#stacks.orphans);
    if (this.#unknownLosses > 0) facts['losses of unknown size'] = String(this.#unknownLosses);
    if (this.#cpus.size > 0) facts.cpus ??= String(this.#cpus.size);
    if (source.overwritten > 0) this.#report('trace-overwritten', { count: source.overwritten });
    if (writer.flushed === 0) return;
    facts['timestamp digits'] = String(this.#stamps.digits);
    // One page event at least was parsed the thorough way, and a file has one base.
    const { hexadecimal } = this.#body.page;
    const pages = writer.counts.subarray(0, LAST_PAGE_KIND + 1).some((count) => count > 0);
    if (pages) facts['pfn base'] = hexadecimal ? 'hexadecimal' : 'decimal';
    this.#nameClock(options.clock);
    if (this.#stamps.form === StampForm.integer && options['time-unit'] === undefined) {
      this.#report('clock-counts', {});
    }
    if (clock.name === 'unknown') clock.name = source.clock;
  }

  #nameClock(asked: string | undefined): void {
    const { source } = this.#context;
    if (asked !== undefined) source.clock = asked;
    else if (this.#withoutContext > 0 && this.#stamps.form === StampForm.none) {
      source.clock = 'order';
    } else if (source.clock === 'none') {
      source.clock = this.#stamps.clockName(
        this.#writer.lastNs,
        this.#writer.ties / this.#writer.flushed,
      );
    }
  }
}

/** Adds to a count; a name from the input must not reach the prototype. */
function addTo(record: Record<string, number>, name: string, count: number): void {
  const key = name === '__proto__' ? '(__proto__)' : name;
  record[key] = (Object.hasOwn(record, key) ? record[key]! : 0) + count;
}

/** The ids of rows that were taken with the recording's own. */
function copyIds(
  rows: ScannedRows,
  from: number,
  count: number,
  { comm, detail }: EventBatch,
  at: number,
): void {
  comm.set(rows.comm.subarray(from, from + count), at);
  detail.set(rows.detail.subarray(from, from + count), at);
}
