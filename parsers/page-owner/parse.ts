/**
 * page_owner dumps (debugfs page_owner, boot option page_owner=on), every generation from v4.4.
 *
 * A record is a head line, a PFN line, the stack (one frame a line), optional lines on migration
 * and memory cgroup, and a blank line. Kept: pfn, order, gfp text, comm, pid, time, stack, type.
 * Known: `mask 0x…` (v4.4), `mask 0x…(NAMES)` (v4.9+), `, pid N[, tgid N (comm)], ts N ns`
 * and `, free_ts N ns` (after v5.10, by v5.19), no free_ts and `PFN 0x…` (v6.12+).
 * Kernel: mm/page_owner.c print_page_owner. Not kept: pageblock, page flags, free_ts, cgroup.
 */
import { NO_TIME } from '../../src/records/snapshot.js';
import type { ParseContext, StreamParser } from '../format.js';
import { type LineHandler, LineSplitter, latin1Line } from '../snapshot-text/lines.js';
import { OwnerColumns } from './columns.js';

export const HEAD =
  /^Page allocated via order (\d{1,2}), mask (?:0x)?([0-9a-f]{1,16})(?:\(([^)]{0,512})\))?(.*)$/;
const TAIL =
  /^(?:, pid (\d{1,10}))?(?:, tgid \d{1,10})?(?: \((.*)\))?(?:, ts (\d{1,19}) ns)?(?:, free_ts \d{1,19} ns)?\s*$/;
const PFN = /^PFN (0x[0-9a-f]{1,13}|\d{1,16})(?: type (\w{1,20}))?(?: Block .*)?$/;
const FRAME = /^\s*(?:\[<[0-9a-fx]{1,18}>\] )?(\S.*)$/;
const EXTRA = /^(?:Page has been migrated|Charged|Memcg|.*\bmemcg\b)/;
/** Frames kept of a stack. */
export const MAX_FRAMES = 64;
/** Records kept: 16 Mi, about 600 MB of columns; a dump that long has 8 GB of text. */
export const MAX_RECORDS = 1 << 24;
export const MAX_PFN = 2 ** 40;
export const MAX_ORDER = 32;

interface Draft {
  line: number;
  order: number;
  gfp: number;
  pid: number;
  comm: number;
  allocNs: number;
  pfn: number;
  type: number;
  frames: string[];
}

export class PageOwnerParser implements StreamParser, LineHandler {
  readonly #context: ParseContext;
  readonly #splitter: LineSplitter;
  readonly #limit: number;
  readonly #columns = new OwnerColumns();
  #draft: Draft | null = null;
  #line = 0;
  #firstLine = 0;
  #over = 0;

  constructor(context: ParseContext) {
    this.#context = context;
    this.#splitter = new LineSplitter(context.limits.lineBytes, this);
    this.#limit = Math.min(MAX_RECORDS, context.limits.pages);
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
  }

  end(): void {
    this.#splitter.end();
    this.#close();
    const { source, sink } = this.#context;
    if (this.#over > 0) this.#report('page-owner-limit', this.#line, '', { limit: this.#limit });
    if (this.#columns.length === 0) return;
    source.snapshots.page_owner = (source.snapshots.page_owner ?? 0) + 1;
    sink.snapshot({
      kind: 'page_owner',
      time: NO_TIME,
      source: source.name,
      line: this.#firstLine,
      ...this.#columns.take(),
    });
  }

  tooLong(): void {
    this.#line++;
    this.#context.source.lines++;
    this.#skip('line-too-long', '', { limit: this.#context.limits.lineBytes });
  }

  line(bytes: Uint8Array, start: number, end: number, terminated: boolean): void {
    this.#line++;
    this.#context.source.lines++;
    const text = latin1Line(bytes, start, end);
    const draft = this.#draft;
    if (text.trim() === '') this.#close();
    else if (text.startsWith('Page allocated via')) this.#head(text, terminated);
    else if (!draft) this.#skip('line-unparsed', text);
    else if (Number.isNaN(draft.pfn)) this.#pfn(draft, text, terminated);
    else if (!EXTRA.test(text)) this.#frame(draft, text, terminated);
  }

  #frame(draft: Draft, text: string, terminated: boolean): void {
    const frame = FRAME.exec(text);
    if (frame && draft.frames.length < MAX_FRAMES && terminated) draft.frames.push(frame[1]!);
    else this.#context.source.skippedLines++;
  }

  #head(text: string, terminated: boolean): void {
    this.#close();
    const head = HEAD.exec(text);
    const tail = head && TAIL.exec(head[4]!);
    const order = Number(head?.[1]);
    if (!head || !tail || order > MAX_ORDER || !terminated) {
      this.#skip('line-unparsed', text);
      return;
    }
    const { gfps, comms } = this.#context.strings;
    this.#draft = {
      line: this.#line,
      order,
      gfp: gfps.internText(head[3] ?? `0x${head[2]}`),
      pid: tail[1] === undefined ? -1 : Number(tail[1]) | 0,
      comm: tail[2] === undefined ? 0 : comms.intern(latin1Bytes(tail[2]), 0, tail[2].length),
      allocNs: tail[3] === undefined ? Number.NaN : Number(tail[3]),
      pfn: Number.NaN,
      type: 0,
      frames: [],
    };
  }

  #pfn(draft: Draft, text: string, terminated: boolean): void {
    const found = PFN.exec(text);
    const pfn = Number(found?.[1] ?? Number.NaN);
    if (!found || !(pfn < MAX_PFN) || !terminated) {
      this.#draft = null;
      this.#skip('page-owner-cut', text);
      return;
    }
    draft.pfn = pfn;
    // v4.4 prints the type as a number after Block; only a name is kept.
    draft.type = found[2] === undefined ? 0 : this.#context.strings.texts.internText(found[2]);
  }

  /** The record is complete. */
  #close(): void {
    const draft = this.#draft;
    this.#draft = null;
    if (!draft) return;
    if (Number.isNaN(draft.pfn)) {
      this.#context.source.skippedLines++;
      this.#report('page-owner-cut', draft.line, '');
      return;
    }
    if (this.#columns.length >= this.#limit) {
      this.#over++;
      return;
    }
    this.#firstLine ||= draft.line;
    const stack = this.#context.strings.stacks.internText(draft.frames.join('\n'));
    this.#columns.add({ ...draft, stack });
  }

  #skip(
    code: 'line-unparsed' | 'line-too-long' | 'page-owner-cut',
    excerpt: string,
    data: Readonly<Record<string, number>> = {},
  ): void {
    this.#context.source.skippedLines++;
    this.#report(code, this.#line, excerpt, data);
  }

  #report(
    code: 'line-unparsed' | 'line-too-long' | 'page-owner-cut' | 'page-owner-limit',
    line: number,
    excerpt: string,
    data: Readonly<Record<string, number>> = {},
  ): void {
    const place = { source: this.#context.source.name, line };
    this.#context.diagnostics.report(code, excerpt === '' ? place : { ...place, excerpt }, data);
  }
}

function latin1Bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
