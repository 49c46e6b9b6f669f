/**
 * A copy of /proc/kpageflags: one little-endian 64-bit word a pfn, from pfn 0.
 *
 * Memory is mostly runs of equal words, so a word is only looked at when it differs from the one
 * before it. Pages beyond `limits.pages` are left out and said so. The copy has no time of its own; an index (`# mono=… file=…`) gives it one.
 * Kernel: fs/proc/page.c kpageflags_read, v2.6.25 to v7.2.
 */
import { NO_TIME } from '../../src/records/snapshot.js';
import type { ParseContext, StreamParser } from '../format.js';
import { BuddyHeads, classOf } from './classes.js';
import { PageWords } from './words.js';

const WORD = 8;

/** Classes by pfn, grown as they come. */
export class ClassColumn {
  readonly #limit: number;
  #classes: Uint8Array;
  length = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#classes = new Uint8Array(Math.min(limit, 1 << 16));
  }

  /** Sets [length, to) to a class; beyond the limit nothing is kept. */
  fill(to: number, value: number): void {
    const end = Math.min(to, this.#limit);
    this.#grow(end);
    this.#classes.fill(value, this.length, end);
    this.length = Math.max(this.length, end);
  }

  #grow(end: number): void {
    if (end <= this.#classes.length) return;
    const size = Math.min(this.#limit, Math.max(end, this.#classes.length * 2));
    const bigger = new Uint8Array(size);
    bigger.set(this.#classes.subarray(0, this.length));
    this.#classes = bigger;
  }

  /** Room for classes up to `end`, to be written directly; the length grows to it. */
  reserve(end: number): Uint8Array {
    this.#grow(Math.min(end, this.#limit));
    this.length = Math.max(this.length, Math.min(end, this.#limit));
    return this.#classes;
  }

  /** The classes, without spare room. */
  take(): Uint8Array {
    const exact = this.#classes.length === this.length;
    return exact ? this.#classes : this.#classes.slice(0, this.length);
  }
}

/** Says what of a binary copy was not kept: a cut last word, pages beyond the limit. */
export function reportWords({ source, diagnostics, limits }: ParseContext, words: PageWords): void {
  if (words.rest > 0) {
    const place = { source: source.name, offset: words.pages * WORD };
    diagnostics.report('kpageflags-cut', place, { count: words.rest });
  }
  if (words.pages > limits.pages) {
    const place = { source: source.name, offset: limits.pages * WORD };
    diagnostics.report('kpageflags-limit', place, { limit: limits.pages });
  }
}

export class KpageflagsParser implements StreamParser {
  readonly #context: ParseContext;
  readonly #column: ClassColumn;
  readonly #heads = new BuddyHeads();
  readonly #words = new PageWords((halves, count) => this.#read(halves, count));
  #runStart = 0;
  #runLow = 0;
  #runHigh = 0;

  constructor(context: ParseContext) {
    this.#context = context;
    this.#column = new ClassColumn(context.limits.pages);
  }

  push(chunk: Uint8Array): void {
    this.#words.push(chunk);
  }

  end(): void {
    const { source, sink } = this.#context;
    const { pages } = this.#words;
    this.#heads.run(this.#runStart, pages, this.#runLow, this.#runHigh);
    reportWords(this.#context, this.#words);
    if (pages === 0) return;
    source.snapshots.kpageflags = (source.snapshots.kpageflags ?? 0) + 1;
    source.facts.pages = String(pages);
    sink.snapshot({
      kind: 'kpageflags',
      time: NO_TIME,
      source: source.name,
      line: 0,
      classes: this.#column.take(),
      buddyHeadsOnly: this.#heads.headsOnly,
    });
  }

  #read(halves: Uint32Array, count: number): void {
    const base = this.#words.pages;
    const classes = this.#column.reserve(base + count);
    let low = this.#runLow;
    let high = this.#runHigh;
    let value = classOf(low, high);
    let start = this.#runStart;
    for (let i = 0; i < count; i++) {
      const l = halves[2 * i]!;
      const h = halves[2 * i + 1]!;
      if (l !== low || h !== high) {
        this.#heads.run(start, base + i, low, high);
        low = l;
        high = h;
        value = classOf(l, h);
        start = base + i;
      }
      // Beyond the limit this writes past the end, which a typed array ignores.
      classes[base + i] = value;
    }
    this.#runLow = low;
    this.#runHigh = high;
    this.#runStart = start;
  }
}
