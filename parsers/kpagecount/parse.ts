/**
 * A copy of /proc/kpagecount: one little-endian 64-bit word a pfn, from pfn 0: how often page tables of
 * processes refer to the page.
 *
 * Kept is whether they do: a page that is mapped is in use, whatever else is known of it. A count of 0 says
 * nothing, since page cache, slab, kernel stacks and free pages all have it; nor does a negative one (see
 * detect.ts). Kernel: fs/proc/page.c kpagecount_read, v2.6.25 to v7.2. The copy has no time of its own.
 */
import { NO_TIME } from '../../src/records/snapshot.js';
import type { ParseContext, StreamParser } from '../format.js';
import { ClassColumn, reportWords } from '../kpageflags/parse.js';
import { PageWords } from '../kpageflags/words.js';
import { MAX_COUNT } from './detect.js';

export class KpagecountParser implements StreamParser {
  readonly #context: ParseContext;
  readonly #column: ClassColumn;
  readonly #words = new PageWords((halves, count) => this.#read(halves, count));
  #mapped = 0;
  #impossible = 0;

  constructor(context: ParseContext) {
    this.#context = context;
    this.#column = new ClassColumn(context.limits.pages);
  }

  push(chunk: Uint8Array): void {
    this.#words.push(chunk);
  }

  end(): void {
    const { source, sink, diagnostics } = this.#context;
    reportWords(this.#context, this.#words);
    if (this.#impossible > 0) {
      const data = { count: this.#impossible };
      diagnostics.report('record-out-of-range', { source: source.name }, data);
    }
    if (this.#words.pages === 0) return;
    source.snapshots.kpagecount = (source.snapshots.kpagecount ?? 0) + 1;
    source.facts.pages = String(this.#words.pages);
    source.facts.mapped = String(this.#mapped);
    sink.snapshot({
      kind: 'kpagecount',
      time: NO_TIME,
      source: source.name,
      line: 0,
      mapped: this.#column.take(),
    });
  }

  #read(halves: Uint32Array, count: number): void {
    const base = this.#words.pages;
    const mapped = this.#column.reserve(base + count);
    for (let i = 0; i < count; i++) {
      const low = halves[2 * i]!;
      const high = halves[2 * i + 1]!;
      const isMapped = high === 0 && low > 0 && low <= MAX_COUNT;
      if (isMapped) this.#mapped++;
      else if (high !== 0xffffffff && (high !== 0 || low !== 0)) this.#impossible++;
      // Beyond the limit this writes past the end, which a typed array ignores.
      mapped[base + i] = isMapped ? 1 : 0;
    }
  }
}
