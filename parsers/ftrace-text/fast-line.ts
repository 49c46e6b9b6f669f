/**
 * The hot path: whole lines of the frequent page events, in the form nearly all lines have.
 *
 * A line is taken only if every byte is as expected: a front seen before, a stamp, an event name, a
 * payload in the kernel's own field order, a line end. Anything else returns -1 and the caller
 * parses the line the thorough way, so this file decides speed and never meaning. Names and keys are
 * compared eight or four bytes at a time (as float64 or uint32 of the little-endian view). All reads
 * stay within MAX_FAST_LINE bytes of the line's start, which the caller guarantees to be readable:
 * every loop is bounded by a count. Field order: include/trace/events/kmem.h, v2.6.32 to v7.2.
 */
import {
  type EventBatch,
  EventKind,
  MIGRATETYPE_NONE,
  ORDER_LIMIT,
  PFN_LIMIT,
} from '../../src/records/events.js';
import { COLON, DOT, HEX_VALUE, NEWLINE, RETURN, SPACE, ZERO } from './bytes.js';
import type { GfpCache } from './gfp-cache.js';
import type { PrefixCache } from './prefix-cache.js';
import { MAX_SECONDS, StampForm, type Stamps } from './stamp.js';

/** Bytes from a line's start that may be read: front, stamp, name, payload, gfp text. */
export const MAX_FAST_LINE = 1024;

/** Four ASCII bytes as the little-endian number a DataView reads. */
function u32(text: string): number {
  return new DataView(new TextEncoder().encode(text).buffer).getUint32(0, true);
}
function f64(text: string): number {
  return new DataView(new TextEncoder().encode(text).buffer).getFloat64(0, true);
}

const KMEM = u32('kmem');
const MM_PAGE = f64('mm_page_');
const ALLO = u32('allo');
const FREE = u32('free');
const PCPU = u32('pcpu');
const DRAI = u32('_dra');
const BATC = u32('_bat');
const CHED = u32('ched');
const ZONE_LOC = f64('_zone_lo');
const CKED = u32('cked');
const PAGE = u32('page');
const PFN_ = u32(' pfn');
const PFN0 = u32('pfn=');
const ORD = u32(' ord');
const ORDER = u32('der=');
const MIGRATE = f64(' migrate');
const TYPE = u32('type');
const GFP_FLA = f64(' gfp_fla');
const FLAGS = u32('ags=');
const PERCPU_R = f64(' percpu_');
const REFILL = u32('refi');
const REFILL2 = u32('ill=');
const LOWER_C = 99;
const LOWER_I = 105;
const LOWER_N = 110;
const LOWER_S = 115;
const LOWER_U = 117;
const LOWER_X = 120;
const EQUALS = 61;
const UNDERSCORE = 95;

const PAGE_TEXT_BYTES = 16;
const MAX_PAGE_BYTES = 24;
const MAX_DIGITS = 15;

/** Where rows go: the columns that a line fills, and what to do when they are full. */
export interface RowWriter {
  readonly batch: Pick<
    EventBatch,
    | ('timeNs' | 'pfn' | 'pid' | 'comm' | 'cpu' | 'detail' | 'kind' | 'order' | 'migratetype')
    | ('length' | 'capacity')
  >;
  handOver(): void;
}

export class FastLine {
  readonly #writer: RowWriter;
  readonly #prefixes: PrefixCache;
  readonly #gfps: GfpCache;
  readonly #stamps: Stamps;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #timeNs = 0;
  /** The whole seconds of the latest stamp: value, bytes from the front's end to the dot. */
  #whole = 0;
  #wholeLength = 3;
  #wholeFront = 0;
  #wholeBack = 0;
  #kind = 0;
  #pfn = 0;
  /** Whether pfns come in hexadecimal, as far as lines were taken here. */
  hexadecimal = false;

  constructor(writer: RowWriter, prefixes: PrefixCache, gfps: GfpCache, stamps: Stamps) {
    this.#writer = writer;
    this.#prefixes = prefixes;
    this.#gfps = gfps;
    this.#stamps = stamps;
  }

  /** Lines are taken from these bytes from now on. */
  use(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Takes the line at `start`; returns the start of the next, or -1 if it is not of this form. */
  take(start: number): number {
    const prefixes = this.#prefixes;
    const slot = prefixes.match(this.#view, start);
    if (slot < 0) return -1;
    let pos = this.#stamp(start + prefixes.length);
    if (pos < 0) return -1;
    pos = this.#name(pos);
    if (pos < 0) return -1;
    return this.#payload(pos, slot);
  }

  /** Reads blanks, stamp, colon, blanks. Returns where the event's name begins. */
  #stamp(start: number): number {
    const dot = start + this.#wholeLength;
    const view = this.#view;
    if (
      view.getUint32(start, true) === this.#wholeFront &&
      view.getUint32(dot - 3, true) === this.#wholeBack
    ) {
      return this.#fraction(this.#whole, dot + 1);
    }
    return this.#newStamp(start);
  }

  /** A stamp whose whole seconds differ from those of the line before. */
  #newStamp(start: number): number {
    const bytes = this.#bytes;
    let pos = start;
    const limit = start + 32;
    while (bytes[pos] === SPACE && pos < limit) pos++;
    const first = pos;
    let whole = 0;
    let digit = bytes[pos]! - ZERO;
    for (; digit >= 0 && digit <= 9 && pos < limit; digit = bytes[++pos]! - ZERO) {
      whole = whole * 10 + digit;
    }
    if (pos === first || pos - first > MAX_DIGITS) return -1;
    if (bytes[pos] === DOT) {
      this.#remember(start, pos, whole);
      return this.#fraction(whole, pos + 1);
    }
    if (bytes[pos] === LOWER_U && bytes[pos + 1] === LOWER_S && bytes[pos + 3] === COLON) {
      this.#stamps.form = StampForm.latency;
      this.#stamps.digits = 0;
      this.#timeNs = this.#stamps.latency(whole);
      return skipSpaces(bytes, pos + 4);
    }
    if (bytes[pos] !== COLON) return -1;
    this.#stamps.form = StampForm.integer;
    this.#stamps.digits = 0;
    this.#timeNs = this.#stamps.integer(whole);
    return skipSpaces(bytes, pos + 1);
  }

  /** Lines of one second share blanks, digits and dot: up to 8 bytes, compared as two words. */
  #remember(start: number, dot: number, whole: number): void {
    const length = dot - start;
    if (length < 3 || length > 7) return;
    this.#wholeLength = length;
    this.#wholeFront = this.#view.getUint32(start, true);
    this.#wholeBack = this.#view.getUint32(dot - 3, true);
    this.#whole = whole;
  }

  /** Six digits and a colon, or nine. */
  #fraction(whole: number, start: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const stamps = this.#stamps;
    const four = fourDigits(view.getUint32(start, true));
    const tens = bytes[start + 4]! - ZERO;
    const ones = bytes[start + 5]! - ZERO;
    let bad = four | tens | (9 - tens) | ones | (9 - ones);
    let nanoseconds = (four * 100 + tens * 10 + ones) * 1000;
    let pos = start + 6;
    stamps.digits = 6;
    if (bytes[pos] !== COLON) {
      for (let scale = 100; scale >= 1; scale = (scale / 10) | 0) {
        const digit = bytes[pos++]! - ZERO;
        nanoseconds += digit * scale;
        bad |= digit | (9 - digit);
      }
      if (bytes[pos] !== COLON) return -1;
      stamps.digits = 9;
    }
    if (bad < 0 || whole > MAX_SECONDS) return -1;
    stamps.form = StampForm.seconds;
    this.#timeNs = stamps.seconds(whole, nanoseconds);
    return skipSpaces(bytes, pos + 1);
  }

  /** Recognises the event; returns the position after its colon and blanks. */
  #name(start: number): number {
    const view = this.#view;
    const bytes = this.#bytes;
    let pos = start;
    if (view.getUint32(pos, true) === KMEM && bytes[pos + 4] === COLON) pos += 5;
    if (view.getFloat64(pos, true) !== MM_PAGE) return -1;
    const word = view.getUint32(pos + 8, true);
    pos += 12;
    if (word === ALLO) {
      pos = this.#allocName(pos);
      if (pos < 0) return -1;
    } else if (word === FREE) {
      this.#kind = EventKind.free;
      if (bytes[pos] === UNDERSCORE) {
        if (view.getUint32(pos, true) !== BATC || view.getUint32(pos + 4, true) !== CHED) return -1;
        this.#kind = EventKind.freeBatched;
        pos += 8;
      }
    } else if (word === PCPU && view.getUint32(pos, true) === DRAI) {
      if (bytes[pos + 4] !== LOWER_I || bytes[pos + 5] !== LOWER_N) return -1;
      this.#kind = EventKind.pcpuDrain;
      pos += 6;
    } else return -1;
    return bytes[pos] === COLON ? skipSpaces(bytes, pos + 1) : -1;
  }

  /** After `mm_page_allo`: `c` or `c_zone_locked`; -1 for anything else. */
  #allocName(pos: number): number {
    if (this.#bytes[pos] !== LOWER_C) return -1;
    if (this.#bytes[pos + 1] === COLON) {
      this.#kind = EventKind.alloc;
      return pos + 1;
    }
    if (this.#view.getFloat64(pos + 1, true) !== ZONE_LOC) return -1;
    if (this.#view.getUint32(pos + 9, true) !== CKED) return -1;
    this.#kind = EventKind.zoneLocked;
    return pos + 13;
  }

  /** Reads the fields and writes the row; returns the start of the next line. */
  #payload(start: number, slot: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const kind = this.#kind;
    let pos = this.#pageAndPfn(start);
    if (pos < 0 || view.getUint32(pos, true) !== ORD) return -1;
    if (view.getUint32(pos + 3, true) !== ORDER) return -1;
    let order = bytes[pos + 7]! - ZERO;
    if (order < 0 || order > 9) return -1;
    pos += 8;
    const second = bytes[pos]! - ZERO;
    if (second >= 0 && second <= 9) {
      order = order * 10 + second;
      pos++;
      if (order >= ORDER_LIMIT) return -1;
    }
    let type = MIGRATETYPE_NONE;
    let detail = kind === EventKind.free ? this.#prefixes.softirqDepths[slot]! : 0;
    if (kind !== EventKind.free && kind !== EventKind.freeBatched) {
      if (view.getFloat64(pos, true) !== MIGRATE) return -1;
      if (view.getUint32(pos + 8, true) !== TYPE || bytes[pos + 12] !== EQUALS) return -1;
      type = bytes[pos + 13]! - ZERO;
      if (type < 0 || type > 9) return -1;
      pos += 14;
      if (kind === EventKind.alloc) {
        if (view.getFloat64(pos, true) !== GFP_FLA) return -1;
        if (view.getUint32(pos + 7, true) !== FLAGS) return -1;
        detail = this.#gfps.match(bytes, view, pos + 11);
        if (detail < 0) return -1;
        this.#write(kind, slot, order, type, detail);
        return this.#gfps.next;
      }
      if (kind === EventKind.zoneLocked) {
        if (view.getFloat64(pos, true) !== PERCPU_R) return -1;
        if (view.getUint32(pos + 8, true) !== REFILL) return -1;
        if (view.getUint32(pos + 11, true) !== REFILL2) return -1;
        detail = bytes[pos + 15]! - ZERO;
        if (detail !== 0 && detail !== 1) return -1;
        pos += 16;
      }
    }
    if (bytes[pos] === RETURN) pos++;
    if (bytes[pos] !== NEWLINE) return -1;
    this.#write(kind, slot, order, type, detail);
    return pos + 1;
  }

  /** `page=… pfn=…`; returns the position after the pfn. A zero pfn is left to the thorough way. */
  #pageAndPfn(start: number): number {
    const view = this.#view;
    const bytes = this.#bytes;
    if (view.getUint32(start, true) !== PAGE || bytes[start + 4] !== EQUALS) return -1;
    // `(null)`, padded or not, is for the thorough way.
    if (bytes[start + 5] === SPACE || bytes[start + 6] === LOWER_N) return -1;
    let pos = start + 5 + PAGE_TEXT_BYTES;
    if (view.getUint32(pos, true) !== PFN_) {
      pos = start + 5;
      const limit = pos + MAX_PAGE_BYTES;
      while (bytes[pos] !== SPACE && pos < limit) pos++;
    }
    pos++;
    if (view.getUint32(pos, true) !== PFN0) return -1;
    pos += 4;
    this.hexadecimal = bytes[pos + 1] === LOWER_X && bytes[pos] === ZERO;
    return this.hexadecimal ? this.#hexPfn(pos + 2) : this.#decimalPfn(pos);
  }

  /** Four digits at once, as nearly every pfn has them, then the rest one by one. */
  #hexPfn(start: number): number {
    const bytes = this.#bytes;
    const a = HEX_VALUE[bytes[start]!]!;
    const b = HEX_VALUE[bytes[start + 1]!]!;
    const c = HEX_VALUE[bytes[start + 2]!]!;
    const d = HEX_VALUE[bytes[start + 3]!]!;
    let pos = start;
    let low = 0;
    if ((a | b | c | d) >= 0) {
      low = (a << 12) | (b << 8) | (c << 4) | d;
      pos += 4;
    }
    let digit = HEX_VALUE[bytes[pos]!]!;
    for (; digit >= 0 && pos < start + 7; digit = HEX_VALUE[bytes[++pos]!]!) {
      low = (low << 4) | digit;
    }
    let pfn = low;
    for (; digit >= 0 && pos < start + 12; digit = HEX_VALUE[bytes[++pos]!]!) {
      pfn = pfn * 16 + digit;
    }
    this.#pfn = pfn;
    return pfn === 0 || pfn >= PFN_LIMIT ? -1 : pos;
  }

  #decimalPfn(start: number): number {
    const bytes = this.#bytes;
    let pos = start;
    let pfn = 0;
    for (; pos < start + MAX_DIGITS; pos++) {
      const digit = bytes[pos]! - ZERO;
      if (digit < 0 || digit > 9) break;
      pfn = pfn * 10 + digit;
    }
    this.#pfn = pfn;
    return pfn === 0 || pfn >= PFN_LIMIT ? -1 : pos;
  }

  #write(kind: number, slot: number, order: number, type: number, detail: number): void {
    const writer = this.#writer;
    const { batch } = writer;
    let i = batch.length;
    if (i === batch.capacity) {
      writer.handOver();
      i = batch.length;
    }
    batch.length = i + 1;
    const prefixes = this.#prefixes;
    batch.kind[i] = kind;
    batch.timeNs[i] = this.#timeNs;
    batch.pfn[i] = this.#pfn;
    batch.pid[i] = prefixes.pids[slot]!;
    batch.comm[i] = prefixes.comms[slot]!;
    batch.cpu[i] = prefixes.cpus[slot]!;
    batch.order[i] = order;
    batch.migratetype[i] = type;
    batch.detail[i] = detail;
  }
}

/** The number that four ASCII digits make (first digit in the lowest byte), negative if they are not. */
function fourDigits(word: number): number {
  const plain = (word ^ 0x30303030) | 0;
  if ((plain & 0xf0f0f0f0) !== 0 || ((plain + 0x06060606) & 0xf0f0f0f0) !== 0) return -1;
  const pairs = ((plain & 0x000f000f) * 10 + ((plain >>> 8) & 0x000f000f)) | 0;
  return (pairs & 0xff) * 100 + (pairs >>> 16);
}

function skipSpaces(bytes: Uint8Array, start: number): number {
  let pos = start;
  const limit = start + 64;
  while (bytes[pos] === SPACE && pos < limit) pos++;
  return pos;
}
