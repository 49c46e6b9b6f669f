/**
 * Text of the kernel's page-types tool: `-l` (ranges) and `-L` (one page a line).
 *
 * Rows are tab-separated: with -l `offset len flags`, with -L `offset flags`, numbers hexadecimal,
 * flags a column of letters with `_` for absent ones. Pages that are not listed count as absent.
 * Rows of a process's address space (`-p`, three columns `voffset offset len`) are not read.
 * Tool: tools/mm/page-types.c (tools/vm before v6.3), v2.6.31 to v7.2.
 */
import { NO_TIME, PageClass } from '../../src/records/snapshot.js';
import type { Detection, ParseContext, StreamFormat, StreamParser } from '../format.js';
import { type LineHandler, LineSplitter, latin1Line } from '../snapshot-text/lines.js';
import { BuddyHeads, classOf } from './classes.js';
import { ClassColumn } from './parse.js';

const ROW = /^([0-9a-f]{1,13})\t(?:([0-9a-f]{1,13})\t)?([A-Za-z_]{20,64})$/;
const HEADER = /^offset\t(?:len\t)?flags\s*$/;

/** Letter to bit. Bits from 32 on are given as their place in the upper half plus 32. */
const LETTERS: ReadonlyMap<string, number> = new Map([
  ...Object.entries({ L: 0, E: 1, R: 2, U: 3, D: 4, l: 5, A: 6, S: 7, W: 8, I: 9, B: 10, M: 11 }),
  ...Object.entries({ a: 12, s: 13, b: 14, H: 15, T: 16, G: 17, u: 18, X: 19, n: 20, x: 21 }),
  ...Object.entries({ t: 22, o: 23, z: 24, i: 25, g: 26, r: 32, m: 33, d: 34, P: 35, p: 36 }),
]);

/** A list reaches to 64 GiB in any case, and by 256 MiB a row beyond: a row may stand for any number of pages. */
const FREE_PAGES = 1 << 24;
const PAGES_PER_ROW = 1 << 16;

class PageTypesParser implements StreamParser, LineHandler {
  #rows = 0;
  readonly #context: ParseContext;
  readonly #splitter: LineSplitter;
  readonly #column: ClassColumn;
  readonly #heads = new BuddyHeads();
  #line = 0;
  #over = false;

  constructor(context: ParseContext) {
    this.#context = context;
    this.#splitter = new LineSplitter(context.limits.lineBytes, this);
    this.#column = new ClassColumn(context.limits.pages);
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
  }

  end(): void {
    this.#splitter.end();
    const { source, sink } = this.#context;
    if (this.#column.length === 0) return;
    source.snapshots.kpageflags = (source.snapshots.kpageflags ?? 0) + 1;
    sink.snapshot({
      kind: 'kpageflags',
      time: NO_TIME,
      source: source.name,
      line: 1,
      classes: this.#column.take(),
      buddyHeadsOnly: this.#heads.headsOnly,
    });
  }

  tooLong(): void {
    this.#line++;
    this.#skip('line-too-long', '');
  }

  line(bytes: Uint8Array, start: number, end: number, terminated: boolean): void {
    this.#line++;
    this.#context.source.lines++;
    const text = latin1Line(bytes, start, end);
    const row = ROW.exec(text);
    if (row && terminated) this.#row(row, text);
    else if (text.trim() !== '' && !HEADER.test(text)) this.#skip('line-unparsed', text);
  }

  #row(row: RegExpExecArray, text: string): void {
    const from = Number.parseInt(row[1]!, 16);
    const to = from + (row[2] === undefined ? 1 : Number.parseInt(row[2], 16));
    const { limits, diagnostics, source } = this.#context;
    this.#rows++;
    if (to > FREE_PAGES + PAGES_PER_ROW * this.#rows) {
      const data = { what: 'the page map', limit: FREE_PAGES + PAGES_PER_ROW * this.#rows };
      diagnostics.report('section-limit', { source: source.name, line: this.#line }, data);
      this.#skip('line-unparsed', text);
      return;
    }
    if (from < this.#column.length || to <= from || from >= limits.pages) {
      this.#skip('line-unparsed', text);
      return;
    }
    if (to > limits.pages && !this.#over) {
      this.#over = true;
      const place = { source: source.name, line: this.#line };
      diagnostics.report('kpageflags-limit', place, { limit: limits.pages });
    }
    let low = 0;
    let high = 0;
    for (const letter of row[3]!) {
      const bit = LETTERS.get(letter) ?? -1;
      if (bit >= 32) high |= 1 << (bit - 32);
      else if (bit >= 0) low |= 1 << bit;
    }
    this.#column.fill(from, PageClass.noPage);
    this.#column.fill(to, classOf(low, high));
    this.#heads.run(from, to, low, high);
  }

  #skip(code: 'line-unparsed' | 'line-too-long', text: string): void {
    const { source, diagnostics, limits } = this.#context;
    source.skippedLines++;
    const place = { source: source.name, line: this.#line, excerpt: text };
    diagnostics.report(code, place, { limit: limits.lineBytes });
  }
}

function detect(head: Uint8Array): Detection | null {
  const lines = latin1Line(head, 0, Math.min(head.length, 4096)).split('\n', 20).slice(0, -1);
  const rows = lines.filter((line) => ROW.test(line)).length;
  const headed = lines.some((line) => HEADER.test(line));
  if (rows < 2 || rows < lines.length - 4) return null;
  return { confidence: headed ? 0.95 : 0.7, why: `${rows} rows of page-types output` };
}

export const pageTypes: StreamFormat = {
  id: 'page-types',
  title: 'page flags as text (page-types -l, -L)',
  mode: 'stream',
  detect,
  open: (context) => new PageTypesParser(context),
};
