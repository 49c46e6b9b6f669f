/**
 * What follows the stamp: `event: payload`, a marker, a trace_printk text, or something foreign.
 *
 * Finds the name, decides the kind and fills a batch row. Names end at the first `: ` (trace-cmd pads
 * them, perf puts the subsystem and modifiers in). trace_printk prints `function: text` from v2.6.33
 * (kernel/trace/trace_output.c), trace-cmd `bprint: function: text` and `print: function: text`.
 */
import { EventKind, LAST_PAGE_KIND, RARE_WIDTH } from '../../src/records/events.js';
import type { RecordingStrings } from '../../src/records/strings.js';
import type { BatchWriter } from './batch-writer.js';
import {
  ascii,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COLON,
  find,
  NumberReader,
  skipBlanks,
  skipToken,
  startsWith,
  ZERO,
} from './bytes.js';
import type { GfpTexts } from './gfp-texts.js';
import { EventNames, FOREIGN, isMessageName, UNDECIDED } from './names.js';
import { Outcome, PagePayload } from './page-payload.js';
import { RarePayload } from './rare-payload.js';
import type { TextKeeper } from './text-keeper.js';

/** The front of a line: who, where, when, and where the body starts. */
export interface LineFront {
  readonly commStart: number;
  readonly commEnd: number;
  readonly pid: number;
  readonly cpu: number;
  readonly timeNs: number;
  /** Preempt depth if the event ran in a softirq, else 0, also where the form does not tell. */
  readonly softirqDepth: number;
  /** Where the part that repeats from line to line ends. */
  readonly prefixEnd: number;
  readonly body: number;
  parse(bytes: Uint8Array, start: number, end: number): boolean;
}

/** What became of a line. */
export const Taken = {
  event: 0,
  foreign: 1,
  kernelStack: 2,
  userStack: 3,
  malformed: 4,
  outOfRange: 5,
} as const;
export type Taken = (typeof Taken)[keyof typeof Taken];

const KMEM = ascii('kmem:');
const MM_PAGE = ascii('mm_page_');
const STACK = ascii('<stack trace');
const USER_STACK = ascii('<user stack trace');
const MARK_WRITE = ascii('tracing_mark_write: ');
const ARROW = ascii(' <-');
const FUNCTION = ascii('(function)');
const MESSAGE = ascii('(message)');
const NO_PAGE = ascii('(page event without a page)');
const PERF_LOST = ascii('PERF_RECORD_LOST');
const LOST_WORD = ascii('lost ');
const LOWER_X = 120;

export class EventBody {
  readonly names = new EventNames();
  readonly page: PagePayload;
  /** PERF_RECORD_LOST: how many; else NaN. */
  lost = Number.NaN;
  readonly #rare: RarePayload;
  readonly #writer: BatchWriter;
  readonly #strings: RecordingStrings;
  readonly #texts: TextKeeper;
  readonly #number = new NumberReader();
  /** Id in strings.comms of the latest event. */
  comm = 0;
  #nameId = 0;

  constructor(writer: BatchWriter, strings: RecordingStrings, gfps: GfpTexts, texts: TextKeeper) {
    this.#writer = writer;
    this.#strings = strings;
    this.#texts = texts;
    this.page = new PagePayload(gfps);
    this.#rare = new RarePayload(gfps, texts);
  }

  /** Name of the event that was refused. */
  get eventName(): string {
    return this.names.textOf(this.#nameId);
  }

  /** Whether what begins here looks like an event of a page: `mm_page_…`, with its subsystem or bare. */
  isPageEvent(bytes: Uint8Array, start: number, end: number): boolean {
    const name = startsWith(bytes, start, end, KMEM) ? start + KMEM.length : start;
    return startsWith(bytes, name, end, MM_PAGE);
  }

  take(bytes: Uint8Array, end: number, front: LineFront): Taken {
    const start = front.body;
    const tokenEnd = skipToken(bytes, start, end);
    if (tokenEnd === start) return Taken.malformed;
    if (bytes[tokenEnd - 1] !== COLON || tokenEnd - start < 2) {
      return this.#nameless(bytes, start, tokenEnd, end, front);
    }
    let nameEnd = tokenEnd - 1;
    while (nameEnd > start && bytes[nameEnd - 1] === COLON) nameEnd--;
    const text = skipBlanks(bytes, tokenEnd, end);
    if (startsWith(bytes, text, end, STACK)) return Taken.kernelStack;
    if (startsWith(bytes, text, end, USER_STACK)) return Taken.userStack;
    const id = this.names.idOf(bytes, start, nameEnd);
    this.#nameId = id;
    let kind = this.names.kindOf(id);
    if (kind === UNDECIDED) kind = this.#decide(bytes, start, nameEnd, text, end, id);
    if (kind === FOREIGN) return this.#foreign(bytes, front);
    if (kind <= LAST_PAGE_KIND) return this.#pageEvent(bytes, text, end, kind as EventKind, front);
    if (kind === EventKind.marker)
      return this.#textEvent(bytes, text, end, EventKind.marker, front);
    if (kind === EventKind.printk) return this.#printk(bytes, start, text, end, front);
    return this.#rareEvent(bytes, text, end, kind as EventKind, front);
  }

  /** Decides once what an unknown name stands for. */
  #decide(
    bytes: Uint8Array,
    start: number,
    nameEnd: number,
    text: number,
    end: number,
    id: number,
  ): number {
    const base = withoutModifier(bytes, start, nameEnd);
    let kind =
      base === nameEnd ? UNDECIDED : this.names.kindOf(this.names.idOf(bytes, start, base));
    if (kind === UNDECIDED) {
      const address = bytes[start] === ZERO && bytes[start + 1] === LOWER_X;
      const message = address || isMessageName(bytes, start, nameEnd, text, end);
      kind = message ? EventKind.printk : FOREIGN;
    }
    this.names.decide(id, kind);
    return kind;
  }

  #foreign(bytes: Uint8Array, front: LineFront): Taken {
    this.names.skip(this.#nameId);
    this.comm = this.#strings.comms.intern(bytes, front.commStart, front.commEnd);
    return Taken.foreign;
  }

  /** A body that does not begin with `name:`. */
  #nameless(
    bytes: Uint8Array,
    start: number,
    tokenEnd: number,
    end: number,
    front: LineFront,
  ): Taken {
    if (startsWith(bytes, start, end, STACK)) return Taken.kernelStack;
    if (startsWith(bytes, start, end, USER_STACK)) return Taken.userStack;
    if (startsWith(bytes, start, tokenEnd, PERF_LOST)) return this.#perfLost(bytes, tokenEnd, end);
    const bracket = skipBlanks(bytes, tokenEnd, end);
    if (bytes[bracket] === BRACKET_OPEN) {
      const after = skipToken(bytes, bracket, end);
      if (bytes[after - 1] === COLON && bytes[after - 2] === BRACKET_CLOSE) {
        return this.#textEvent(bytes, start, end, EventKind.printk, front);
      }
    }
    const what = find(bytes, start, end, ARROW) >= 0 ? FUNCTION : MESSAGE;
    this.names.skip(this.names.idOf(what, 0, what.length));
    return Taken.foreign;
  }

  #perfLost(bytes: Uint8Array, pos: number, end: number): Taken {
    const at = find(bytes, pos, end, LOST_WORD);
    const found = at >= 0 && this.#number.read(bytes, at + LOST_WORD.length, end);
    this.lost = found ? this.#number.value : Number.NaN;
    return found ? Taken.foreign : Taken.malformed;
  }

  /** Starts a row for the front's comm, pid, cpu and time. */
  #row(bytes: Uint8Array, kind: EventKind, front: LineFront): number {
    this.comm = this.#strings.comms.intern(bytes, front.commStart, front.commEnd);
    return this.#writer.add(kind, front.timeNs, front.cpu, front.pid, this.comm);
  }

  #pageEvent(
    bytes: Uint8Array,
    text: number,
    end: number,
    kind: EventKind,
    front: LineFront,
  ): Taken {
    const { batch } = this.#writer;
    const row = this.#row(bytes, kind, front);
    const outcome = this.page.scan(bytes, text, end, kind, batch, row);
    if (outcome === Outcome.filled) {
      if (kind === EventKind.free) batch.detail[row] = front.softirqDepth;
      return Taken.event;
    }
    batch.length--;
    if (outcome === Outcome.outOfRange) return Taken.outOfRange;
    if (outcome === Outcome.malformed) return Taken.malformed;
    this.names.skip(this.names.idOf(NO_PAGE, 0, NO_PAGE.length));
    return Taken.foreign;
  }

  #rareEvent(
    bytes: Uint8Array,
    text: number,
    end: number,
    kind: EventKind,
    front: LineFront,
  ): Taken {
    const { batch } = this.#writer;
    const row = this.#row(bytes, kind, front);
    if (this.#rare.scan(bytes, text, end, kind, batch, row)) return Taken.event;
    batch.length--;
    return Taken.malformed;
  }

  /** `bprint: function: text`, `print: tracing_mark_write: text`, `function: text`. */
  #printk(bytes: Uint8Array, start: number, text: number, end: number, front: LineFront): Taken {
    if (startsWith(bytes, text, end, MARK_WRITE)) {
      return this.#textEvent(bytes, text + MARK_WRITE.length, end, EventKind.marker, front);
    }
    const wrapped = this.names.isWrapper(this.#nameId);
    return this.#textEvent(bytes, wrapped ? text : start, end, EventKind.printk, front);
  }

  #textEvent(
    bytes: Uint8Array,
    text: number,
    end: number,
    kind: EventKind,
    front: LineFront,
  ): Taken {
    const row = this.#row(bytes, kind, front);
    const { batch } = this.#writer;
    const rareRow = batch.addRareRow();
    batch.pfn[row] = rareRow;
    const texts = this.#texts;
    const marks = kind === EventKind.marker;
    batch.rare[rareRow * RARE_WIDTH] = marks
      ? texts.keepText(bytes, text, end)
      : texts.keepMessage(bytes, text, end);
    return Taken.event;
  }

  /** A mark (lost events, buffer start) with its one number. */
  mark(kind: EventKind, cpu: number, count: number, timeNs: number): void {
    const row = this.#writer.add(kind, timeNs, cpu, 0, 0);
    const { batch } = this.#writer;
    const rareRow = batch.addRareRow();
    batch.pfn[row] = rareRow;
    batch.rare[rareRow * RARE_WIDTH] = count;
  }
}

/** perf's `kmem:mm_page_alloc:ppp`: where the name proper ends. */
function withoutModifier(bytes: Uint8Array, start: number, end: number): number {
  let colons = 0;
  for (let i = start; i < end; i++) {
    if (bytes[i] === COLON && ++colons === 2) return i;
  }
  return end;
}
