/**
 * Kernel symbols: the name of the function an address lies in, from /proc/kallsyms text.
 *
 * Lines are `ADDRESS TYPE NAME [\t[MODULE]]` (kernel/kallsyms.c s_show). Only text symbols are kept.
 * The index is made at the first question: most traces never ask. Addresses that were hidden
 * (kptr_restrict prints zeros) give no names.
 */
/** Questions answered by looking at every symbol. */
const FEW = 16;
const NEWLINE = 10;
/** More than any one function that is looked for has. */
const PAGE = 4096;

export class KernelSymbols {
  readonly #load: () => Uint8Array;
  #text: Uint8Array = new Uint8Array(0);
  /** Keys of the text symbols, ascending once #sorted; null before the first question. */
  #keys: Float64Array | null = null;
  #sorted = false;
  #questions = 0;
  #lines: Uint32Array = new Uint32Array(0);

  /** @param load gives the kallsyms text; called at the first question. */
  constructor(load: () => Uint8Array) {
    this.#load = load;
  }

  /** `alloc_pages_mpol` for an address inside it, or null. No offset is given. */
  nameOf(address: bigint): string | null {
    const key = keyOf(Number((address >> 32n) & 0xffffffffn), Number(address & 0xffffffffn));
    if (this.#keys === null) this.#index();
    // Most traces ask for a handful of writers; sorting pays off for stacks only.
    if (!this.#sorted && ++this.#questions > FEW) this.#sort();
    const at = this.#sorted ? this.#search(key) : this.#scan(key);
    return at < 0 ? null : this.#nameAt(this.#lines[at]!);
  }

  /**
   * Whether an address lies in the function of that name; null if it is not among the symbols.
   * Looks for the one line: no index is made.
   */
  holds(name: string, address: bigint): boolean | null {
    if (this.#text.length === 0) this.#text = this.#load();
    const text = Buffer.from(this.#text.buffer, this.#text.byteOffset, this.#text.length);
    const at = text.indexOf(` t ${name}\n`);
    const found = at < 0 ? text.indexOf(` T ${name}\n`) : at;
    if (found < 0) return null;
    const line = text.lastIndexOf(10, found) + 1;
    const next = text.indexOf(10, found) + 1;
    const key = keyOf(Number((address >> 32n) & 0xffffffffn), Number(address & 0xffffffffn));
    const from = readKey(text, line, next - 1);
    const after = text.indexOf(10, next);
    const to = readKey(text, next, after < 0 ? text.length : after);
    return from > 0 && key >= from && key < (to > from ? to : from + PAGE);
  }

  #search(key: number): number {
    const keys = this.#keys!;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #scan(key: number): number {
    const keys = this.#keys!;
    let best = -1;
    for (let i = 0; i < keys.length; i++) {
      if (keys[i]! <= key && (best < 0 || keys[i]! >= keys[best]!)) best = i;
    }
    return best;
  }

  #nameAt(start: number): string {
    let end = start;
    const text = this.#text;
    while (end < text.length && text[end]! > 0x20 && end - start < 512) end++;
    return Buffer.from(text.subarray(start, end)).toString('latin1');
  }

  #index(): void {
    if (this.#text.length === 0) this.#text = this.#load();
    const table = textSymbols(this.#text);
    this.#keys = table.keys;
    this.#lines = table.lines;
    this.#sorted = runStarts(table.keys).length === 2;
  }

  #sort(): void {
    const { keys, lines } = mergeRuns(this.#keys!, this.#lines);
    this.#keys = keys;
    this.#lines = lines;
    this.#sorted = true;
  }
}

interface Table {
  readonly keys: Float64Array;
  readonly lines: Uint32Array;
}

/** Sorts by key. The core kernel's part is ascending, each module's too: few runs to merge, pair by pair. */
function mergeRuns(keys: Float64Array, lines: Uint32Array): Table {
  let from: Table = { keys, lines };
  let into: Table = { keys: new Float64Array(keys.length), lines: new Uint32Array(keys.length) };
  let starts = runStarts(keys);
  while (starts.length > 2) {
    const next: number[] = [];
    for (let r = 0; r + 1 < starts.length; r += 2) {
      next.push(starts[r]!);
      const middle = starts[r + 1]!;
      merge(from, starts[r]!, middle, starts[r + 2] ?? middle, into);
    }
    next.push(keys.length);
    starts = next;
    [from, into] = [into, from];
  }
  return from;
}

/** Where ascending runs begin, and the end. */
function runStarts(keys: Float64Array): number[] {
  const starts = [0];
  for (let i = 1; i < keys.length; i++) if (keys[i]! < keys[i - 1]!) starts.push(i);
  starts.push(keys.length);
  return starts;
}

/** Merges [start, middle) and [middle, end); equal keys keep their order. */
function merge(from: Table, start: number, middle: number, end: number, into: Table): void {
  let a = start;
  let b = middle;
  for (let at = start; at < end; at++) {
    const left = b >= end || (a < middle && from.keys[a]! <= from.keys[b]!);
    const take = left ? a++ : b++;
    into.keys[at] = from.keys[take]!;
    into.lines[at] = from.lines[take]!;
  }
}

/** Kernel addresses differ in their low 53 bits only, which a double holds. */
function keyOf(high: number, low: number): number {
  return (high & 0x1fffff) * 4294967296 + low;
}

/** tTwW */
function isTextType(type: number): boolean {
  return (type | 32) === 0x74 || (type | 32) === 0x77;
}

/** The key of a line `ADDRESS TYPE NAME` of a text symbol (types tTwW), else 0. */
function readKey(text: Uint8Array, start: number, end: number): number {
  let high = 0;
  let low = 0;
  let at = start;
  for (; at < end && at - start < 16; at++) {
    const c = text[at]!;
    const digit = c >= 48 && c <= 57 ? c - 48 : c >= 97 && c <= 102 ? c - 87 : -1;
    if (digit < 0) break;
    high = (high << 4) | (low >>> 28);
    low = (low << 4) | digit;
  }
  if (at === start || at + 3 > end || text[at] !== 32) return 0;
  return isTextType(text[at + 1]!) ? keyOf(high >>> 0, low >>> 0) : 0;
}

/**
 * Keys of all text symbols and where their names begin, in the order of the lines. Most lines are looked at in their
 * type only: the address has the same width in all of them.
 */
function textSymbols(text: Uint8Array): Table {
  const width = Math.max(0, text.indexOf(32));
  let keys = new Float64Array(1 << 15);
  let lines = new Uint32Array(keys.length);
  let count = 0;
  for (let at = 0; at < text.length; ) {
    const type = at + width + 1;
    const isText = text[type - 1] !== 32 || isTextType(text[type]!);
    let end = text[type - 1] === 32 ? type : at;
    while (end < text.length && text[end] !== NEWLINE) end++;
    const key = isText ? readKey(text, at, end) : 0;
    if (key > 0) {
      if (count === keys.length) {
        keys = doubled(keys, new Float64Array(count * 2));
        lines = doubled(lines, new Uint32Array(count * 2));
      }
      keys[count] = key;
      lines[count++] = nameStart(text, at, end);
    }
    at = end + 1;
  }
  return { keys: keys.slice(0, count), lines: lines.slice(0, count) };
}

function doubled<T extends { set(from: T): void }>(old: T, bigger: T): T {
  bigger.set(old);
  return bigger;
}

function nameStart(text: Uint8Array, start: number, end: number): number {
  let at = start;
  while (text[at] !== 32) at++;
  return Math.min(end, at + 3);
}
