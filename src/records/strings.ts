/**
 * Interned strings: comm names, gfp texts, marker texts, call stacks.
 *
 * The hot path hands in bytes; a string object is made only the first time a byte sequence is seen.
 * Id 0 is always the empty string. Bytes are decoded as UTF-8 where valid, else as Latin-1, so that
 * any 15-byte comm survives and equal bytes give equal ids.
 */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class StringTable {
  readonly #texts: string[] = [''];
  #bytes = new Uint8Array(1 << 15);
  #used = 0;
  #starts = new Uint32Array(128);
  #ends = new Uint32Array(128);
  #slots = new Int32Array(512);
  #overflow = 0;
  readonly #limit: number;

  /** @param limit distinct strings kept; later ones get the id of the text `(others)`. */
  constructor(limit = 1 << 20) {
    this.#limit = limit;
    // All that grows has grown once: V8 throws code away that took a field for constant.
    this.#bytes = grown(this.#bytes);
    this.#widen();
    this.#rehash();
  }

  get size(): number {
    return this.#texts.length;
  }

  /** How many distinct-looking strings were folded into `(others)` because of the limit. */
  get overflow(): number {
    return this.#overflow;
  }

  text(id: number): string {
    return this.#texts[id] ?? '';
  }

  /** A copy of the bytes that were interned. */
  bytes(id: number): Uint8Array {
    return this.#bytes.slice(this.#starts[id], this.#ends[id]);
  }

  internText(text: string): number {
    const bytes = new TextEncoder().encode(text);
    return this.intern(bytes, 0, bytes.length);
  }

  /** The id of bytes [start, end). Allocates only when the sequence is new. */
  intern(source: Uint8Array, start: number, end: number): number {
    const length = end - start;
    let slot = hashBytes(source, start, end) & (this.#slots.length - 1);
    for (;;) {
      const id = this.#slots[slot]!;
      if (id < 0) break;
      if (this.#equals(id, source, start, length)) return id;
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    return this.#add(slot, source, start, end);
  }

  #equals(id: number, source: Uint8Array, start: number, length: number): boolean {
    const from = this.#starts[id]!;
    if (this.#ends[id]! - from !== length) return false;
    for (let i = 0; i < length; i++) {
      if (this.#bytes[from + i] !== source[start + i]) return false;
    }
    return true;
  }

  #add(slot: number, source: Uint8Array, start: number, end: number): number {
    if (this.#texts.length >= this.#limit) {
      this.#overflow++;
      return this.#limit === this.#texts.length ? this.#addOthers() : this.#texts.length - 1;
    }
    const id = this.#append(source, start, end);
    this.#slots[slot] = id;
    if (this.#texts.length * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #addOthers(): number {
    const bytes = new TextEncoder().encode('(others)');
    return this.#append(bytes, 0, bytes.length);
  }

  #append(source: Uint8Array, start: number, end: number): number {
    const length = end - start;
    while (this.#used + length > this.#bytes.length) this.#bytes = grown(this.#bytes);
    this.#bytes.set(source.subarray(start, end), this.#used);
    const id = this.#texts.length;
    if (id >= this.#starts.length) this.#widen();
    this.#starts[id] = this.#used;
    this.#used += length;
    this.#ends[id] = this.#used;
    this.#texts.push(decodeBytes(source, start, end));
    return id;
  }

  #widen(): void {
    this.#starts = grown(this.#starts);
    this.#ends = grown(this.#ends);
  }

  #rehash(): void {
    const mask = this.#slots.length * 2 - 1;
    this.#slots = new Int32Array(mask + 1).fill(-1);
    for (let id = 0; id < this.#texts.length; id++) {
      let slot = hashBytes(this.#bytes, this.#starts[id]!, this.#ends[id]!) & mask;
      while (this.#slots[slot]! >= 0) slot = (slot + 1) & mask;
      this.#slots[slot] = id;
    }
  }
}

function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_OFFSET;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function grown<T extends Uint8Array | Uint32Array>(old: T): T {
  const bigger = new (old.constructor as new (length: number) => T)(old.length * 2);
  bigger.set(old);
  return bigger;
}

// ignoreBOM: a leading U+FEFF is a character of the name like any other.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 if valid, else one character per byte. */
export function decodeBytes(source: Uint8Array, start: number, end: number): string {
  const part = source.subarray(start, end);
  try {
    return utf8.decode(part);
  } catch {
    let text = '';
    for (const byte of part) text += String.fromCharCode(byte);
    return text;
  }
}

/** The tables one recording shares between all its inputs. */
export class RecordingStrings {
  readonly comms = new StringTable(1 << 20);
  /** gfp texts as the kernel printed them (`GFP_ATOMIC|__GFP_NOWARN`), or `0x…` for raw masks. */
  readonly gfps = new StringTable(1 << 16);
  /** Marker, trace_printk and mode/status texts. */
  readonly texts = new StringTable(1 << 20);
  /** Call stacks, innermost first, one frame a line. */
  readonly stacks = new StringTable(1 << 18);
}
