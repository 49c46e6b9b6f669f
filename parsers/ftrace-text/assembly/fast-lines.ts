/**
 * The hot path, in AssemblyScript: whole lines of the frequent page events, in the form nearly all lines have.
 *
 * A line is taken only if every byte is as expected: a front seen before, a stamp, an event name, a payload in the
 * kernel's own field order, a gfp text seen before, a line end. At any other line `scan` stops, and the caller
 * parses it the thorough way: this file decides speed and never meaning. Field order: include/trace/events/kmem.h,
 * v2.6.32 to v7.2.
 *
 * Fronts and gfp texts repeat thousands of times, so they are compared whole, 16 bytes at a time, with those learnt
 * from lines parsed the thorough way. Every loop is bounded: no byte is read that lies MAX_FAST_LINE or more behind
 * the start of its line. Compiled by `npm run wasm`; ../fast-lines.ts is the side that uses it.
 */

// Where tables lie in the memory; ../fast-lines.ts lays out what stands behind them.
const FRONTS: usize = 1024;
const FRONT_BYTES: usize = 64;
const FRONT_TEXTS: usize = 0x10000;
const FRONT_LENGTHS: usize = FRONT_TEXTS + FRONTS * FRONT_BYTES;
const FRONT_PIDS: usize = FRONT_LENGTHS + 4 * FRONTS;
const FRONT_COMMS: usize = FRONT_PIDS + 4 * FRONTS;
const FRONT_CPUS: usize = FRONT_COMMS + 4 * FRONTS;
const FRONT_DEPTHS: usize = FRONT_CPUS + 2 * FRONTS;

const GFP_SETS: usize = 128;
const GFP_WAYS: usize = 4;
const GFP_SLOTS: usize = GFP_SETS * GFP_WAYS;
const GFP_BYTES: usize = 256;
const GFP_TEXTS: usize = FRONT_DEPTHS + FRONTS;
const GFP_LENGTHS: usize = GFP_TEXTS + GFP_SLOTS * GFP_BYTES;
const GFP_IDS: usize = GFP_LENGTHS + 4 * GFP_SLOTS;
/** Longer texts are not learnt: what is read of a line is bounded. */
const MAX_GFP: usize = 248;

/** What the latest `scan` says beside its result: how many rows it wrote, form and digits of the last stamp. */
export const STATUS: usize = GFP_IDS + 4 * GFP_SLOTS;
/** A text that is to be learnt is put here. */
export const SCRATCH: usize = STATUS + 12;
/** Value of a hexadecimal digit, 16 for any other byte. */
const HEX_VALUES: usize = SCRATCH + 1024;
/** From here on memory is free for rooms. */
export const ROOMS: usize = (HEX_VALUES + 256 + 0xffff) & ~0xffff;

/** Fronts are this long: 16 bytes are compared at a time. */
const MIN_FRONT: usize = 16;

/** Columns of the rows that come out, of ROWS entries each, in this order from the address given. */
const ROWS: usize = 1 << 14;
const TIMES: usize = 0;
const PFNS: usize = TIMES + 8 * ROWS;
const PIDS: usize = PFNS + 8 * ROWS;
const COMMS: usize = PIDS + 4 * ROWS;
const CPUS: usize = COMMS + 4 * ROWS;
const DETAILS: usize = CPUS + 2 * ROWS;
const KINDS: usize = DETAILS + 2 * ROWS;
const ORDERS: usize = KINDS + ROWS;
const TYPES: usize = ORDERS + ROWS;

/** src/records/events.ts EventKind. */
const ALLOC = 1;
const FREE = 2;
const FREE_BATCHED = 3;
const ZONE_LOCKED = 4;
const PCPU_DRAIN = 5;

const ORDER_LIMIT: u32 = 32;
const PFN_LIMIT: u64 = 1 << 44;
const NO_TYPE = -1;

/** stamp.ts StampForm. */
const SECONDS = 1;
const LATENCY = 2;
const INTEGER = 3;
const MAX_SECONDS: f64 = 1e12;
const MAX_DIGITS: usize = 15;

// Texts as the numbers that stand in memory, lowest byte first.
const KMEM: u32 = 0x6d656d6b; // kmem
const MM_PAGE: u64 = 0x5f656761705f6d6d; // mm_page_
const ALLO: u32 = 0x6f6c6c61; // allo
const FREE_NAME: u32 = 0x65657266; // free
const BATCHED: u64 = 0x646568637461625f; // _batched
const PCPU: u32 = 0x75706370; // pcpu
const DRAI: u32 = 0x6172645f; // _dra
const IN: u16 = 0x6e69; // in
const C_COLON: u16 = 0x3a63; // c:
const ZONE_LO: u64 = 0x6f6c5f656e6f7a5f; // _zone_lo
const CKED: u32 = 0x64656b63; // cked
const PAGE: u32 = 0x65676170; // page
const PFN_NAME: u32 = 0x6e667020; // ' pfn'
const PFN_IS: u32 = 0x3d6e6670; // pfn=
const HEX_MARK: u16 = 0x7830; // 0x
const ORD: u32 = 0x64726f20; // ' ord'
const DER_IS: u32 = 0x3d726564; // der=
const MIGRATE: u64 = 0x6574617267696d20; // ' migrate'
const TYPE: u32 = 0x65707974; // type
const GFP_FLA: u64 = 0x616c665f70666720; // ' gfp_fla'
const AGS_IS: u32 = 0x3d736761; // ags=
const PERCPU_: u64 = 0x5f75706372657020; // ' percpu_'
const REFI: u32 = 0x69666572; // refi
const ILL_IS: u32 = 0x3d6c6c69; // ill=

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const DOT = 46;
const ZERO = 48;
const COLON = 58;
const EQUALS = 61;
const UNDERSCORE = 95;
const LOWER_C = 99;
const LOWER_N = 110;
const LOWER_S = 115;
const LOWER_U = 117;

/** Where pages are printed as `page=` and 16 characters, as most are, the pfn follows at once. */
const PAGE_TEXT: usize = 16;
const MAX_PAGE_TEXT: usize = 24;

/** Seconds that the clock's epoch takes off, and integer stamps in a second. */
let epochS: f64 = 0;
let unitsPerSecond: f64 = 1e9;
/** The next row. */
let rows: i32 = 0;
/** The look of the latest line taken. */
let form: i32 = 0;
let digits: i32 = 0;

/** Length of the front learnt last: lines of one file share it. */
let frontLength: usize = MIN_FRONT;
let latestFront: i32 = 0;
/** The whole seconds of the latest stamp: blanks and digits from the front's end to the dot, as two words. */
let wholeLength: usize = 0;
let wholeFirst: u64 = 0;
let wholeLast: u64 = 0;
let whole: f64 = 0;
// What was read of the line at hand.
let timeNs: f64 = 0;
let kind: i32 = 0;
let pfn: u64 = 0;

/** To be called first, and where ids of fronts and gfp texts are another table's from now on: forgets them all. */
export function clear(): void {
  memory.fill(HEX_VALUES, 16, 256);
  for (let digit: u32 = 0; digit < 16; digit++) {
    const lower = digit < 10 ? ZERO + digit : 87 + digit;
    store<u8>(HEX_VALUES + lower, <u8>digit);
    store<u8>(HEX_VALUES + (digit < 10 ? lower : lower - 32), <u8>digit);
  }
  memory.fill(FRONT_LENGTHS, 0, 4 * FRONTS);
  memory.fill(GFP_LENGTHS, 0, 4 * GFP_SLOTS);
  wholeLength = 0;
}

export function configure(epoch: f64, units: f64): void {
  epochS = epoch;
  unitsPerSecond = units;
}

/** Whether `length` bytes, at least 16, are the same. */
function same(a: usize, b: usize, length: usize): bool {
  const last = length - 16;
  // The end first: it differs oftener.
  if (v128.any_true(v128.xor(v128.load(a + last), v128.load(b + last)))) return false;
  for (let i: usize = 0; i < last; i += 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  }
  return true;
}

function sameFew(a: usize, b: usize, length: usize): bool {
  for (let i: usize = 0; i < length; i++) if (load<u8>(a + i) !== load<u8>(b + i)) return false;
  return true;
}

/** Mixes the end (cpu, flags) with the middle (comm, pid), where fronts differ. */
function frontSlot(at: usize, length: usize): i32 {
  const back = load<u32>(at + length - 4) ^ (load<u32>(at + length - 8) * 5);
  const mixed =
    (back * 0x9e3779b1) ^
    (load<u32>(at + 12) * 0x85ebca6b) ^
    (load<u32>(at + (length >> 1)) * 0xc2b2ae35);
  return (mixed ^ (mixed >> 15)) >> 22;
}

function isFront(at: usize, slot: i32): bool {
  const i = <usize>slot;
  return (
    load<i32>(FRONT_LENGTHS + 4 * i) === <i32>frontLength &&
    same(at, FRONT_TEXTS + FRONT_BYTES * i, frontLength)
  );
}

/** Learns a front of `length` bytes at SCRATCH. */
export function learnFront(length: usize, pid: i32, cpu: i32, comm: i32, softirqDepth: i32): void {
  if (length < MIN_FRONT || length > FRONT_BYTES) return;
  frontLength = length;
  const i = <usize>frontSlot(SCRATCH, length);
  memory.copy(FRONT_TEXTS + FRONT_BYTES * i, SCRATCH, length);
  store<i32>(FRONT_LENGTHS + 4 * i, <i32>length);
  store<i32>(FRONT_PIDS + 4 * i, pid);
  store<i32>(FRONT_COMMS + 4 * i, comm);
  store<u16>(FRONT_CPUS + 2 * i, <u16>cpu);
  store<u8>(FRONT_DEPTHS + i, <u8>softirqDepth);
}

/** Texts share beginnings, so their bytes 4 to 7 choose the set. */
function gfpSet(at: usize): usize {
  return <usize>((load<u32>(at + 4) * 0x9e3779b1) >> 25) * GFP_WAYS;
}

/** Learns a gfp text of `length` bytes at SCRATCH, which a line end follows; the oldest of its set gives way. */
export function learnGfp(length: usize, id: i32): void {
  if (length === 0 || length > MAX_GFP) return;
  const first = gfpSet(SCRATCH);
  for (let slot = first; slot < first + GFP_WAYS; slot++) {
    const known = load<i32>(GFP_LENGTHS + 4 * slot) === <i32>length;
    if (known && sameFew(SCRATCH, GFP_TEXTS + GFP_BYTES * slot, length)) return;
  }
  for (let slot = first + GFP_WAYS - 1; slot > first; slot--) {
    memory.copy(GFP_TEXTS + GFP_BYTES * slot, GFP_TEXTS + GFP_BYTES * (slot - 1), GFP_BYTES);
    store<i32>(GFP_LENGTHS + 4 * slot, load<i32>(GFP_LENGTHS + 4 * (slot - 1)));
    store<i32>(GFP_IDS + 4 * slot, load<i32>(GFP_IDS + 4 * (slot - 1)));
  }
  memory.copy(GFP_TEXTS + GFP_BYTES * first, SCRATCH, length);
  store<i32>(GFP_LENGTHS + 4 * first, <i32>length);
  store<i32>(GFP_IDS + 4 * first, id);
}

/**
 * Takes lines from `start` on, those that begin at or before `last`, as rows `first` to `end` - 1 of the columns
 * at `rowsAt`. Returns where the first line that was not taken begins.
 */
export function scan(start: usize, last: usize, rowsAt: usize, first: i32, end: i32): usize {
  let line = start;
  rows = first;
  while (line <= last && rows < end) {
    const next = takeLine(line, rowsAt);
    if (next === 0) break;
    line = next;
    rows++;
  }
  store<i32>(STATUS, rows - first);
  store<i32>(STATUS + 4, form);
  store<i32>(STATUS + 8, digits);
  return line;
}

/** Where the next line begins, 0 if this one is not of the form. */
function takeLine(line: usize, rowsAt: usize): usize {
  let slot = latestFront;
  if (!isFront(line, slot)) {
    slot = frontSlot(line, frontLength);
    if (!isFront(line, slot)) return 0;
    latestFront = slot;
  }
  let pos = stamp(line + frontLength);
  if (pos === 0) return 0;
  pos = name(pos);
  if (pos === 0) return 0;
  pos = pageAndPfn(pos);
  if (pos === 0) return 0;
  return rest(pos, slot, rowsAt);
}

function skipSpaces(start: usize): usize {
  let pos = start;
  const limit = start + 64;
  while (load<u8>(pos) === SPACE && pos < limit) pos++;
  return pos;
}

/** The digit at `pos`, anything above 9 if there is none. */
function digitAt(pos: usize): u32 {
  return <u32>load<u8>(pos) - ZERO;
}

/** Reads blanks, stamp, colon, blanks. Returns where the event's name begins. */
function stamp(start: usize): usize {
  if (wholeLength !== 0 && isWhole(start)) return fraction(start + wholeLength + 1);
  let pos = start;
  const limit = start + 32;
  while (load<u8>(pos) === SPACE && pos < limit) pos++;
  const first = pos;
  let value: f64 = 0;
  for (let digit = digitAt(pos); digit <= 9 && pos < limit; digit = digitAt(++pos)) {
    value = value * 10 + <f64>digit;
  }
  if (pos === first || pos - first > MAX_DIGITS) return 0;
  const after = load<u8>(pos);
  if (after === DOT) {
    if (value > MAX_SECONDS) return 0;
    remember(start, pos, value);
    return fraction(pos + 1);
  }
  digits = 0;
  if (after === COLON) {
    form = INTEGER;
    const seconds = Math.floor(value / unitsPerSecond);
    setTime(seconds, (value - seconds * unitsPerSecond) * (1e9 / unitsPerSecond));
    return skipSpaces(pos + 1);
  }
  if (after !== LOWER_U || load<u8>(pos + 1) !== LOWER_S || load<u8>(pos + 3) !== COLON) return 0;
  form = LATENCY;
  const seconds = Math.floor(value / 1e6);
  setTime(seconds, (value - seconds * 1e6) * 1e3);
  return skipSpaces(pos + 4);
}

function setTime(seconds: f64, nanoseconds: f64): void {
  timeNs = (seconds - epochS) * 1e9 + nanoseconds;
}

/** Lines of one second share blanks, digits and dot: 4 to 16 bytes, compared as two words. */
function remember(start: usize, dot: usize, value: f64): void {
  const length = dot + 1 - start;
  whole = value;
  wholeLength = 0;
  if (length < 4 || length > 16) return;
  wholeLength = length - 1;
  wholeFirst = length < 8 ? load<u32>(start) : load<u64>(start);
  wholeLast = length < 8 ? load<u32>(dot - 3) : load<u64>(dot - 7);
}

function isWhole(start: usize): bool {
  const dot = start + wholeLength;
  return wholeLength < 7
    ? load<u32>(start) === <u32>wholeFirst && load<u32>(dot - 3) === <u32>wholeLast
    : load<u64>(start) === wholeFirst && load<u64>(dot - 7) === wholeLast;
}

/** Six digits and a colon, or nine. */
function fraction(start: usize): usize {
  const four = fourDigits(load<u32>(start));
  let bad = four > 9999 || digitAt(start + 4) > 9 || digitAt(start + 5) > 9;
  let nanoseconds = ((four * 10 + digitAt(start + 4)) * 10 + digitAt(start + 5)) * 1000;
  let pos = start + 6;
  digits = 6;
  if (load<u8>(pos) !== COLON) {
    const hundreds = digitAt(pos);
    const tens = digitAt(pos + 1);
    const ones = digitAt(pos + 2);
    bad = bad || hundreds > 9 || tens > 9 || ones > 9;
    nanoseconds += (hundreds * 10 + tens) * 10 + ones;
    pos += 3;
    digits = 9;
    if (load<u8>(pos) !== COLON) return 0;
  }
  if (bad) return 0;
  form = SECONDS;
  setTime(whole, <f64>nanoseconds);
  return skipSpaces(pos + 1);
}

/** The number that four ASCII digits make (first digit in the lowest byte), above 9999 if they are not. */
function fourDigits(word: u32): u32 {
  const plain = word ^ 0x30303030;
  if ((plain & 0xf0f0f0f0) !== 0 || ((plain + 0x06060606) & 0xf0f0f0f0) !== 0) return u32.MAX_VALUE;
  const pairs = (plain & 0x000f000f) * 10 + ((plain >> 8) & 0x000f000f);
  return (pairs & 0xff) * 100 + (pairs >> 16);
}

/** Recognises the event; returns the position after its colon and blanks. */
function name(start: usize): usize {
  let pos = start;
  if (load<u32>(pos) === KMEM && load<u8>(pos + 4) === COLON) pos += 5;
  if (load<u64>(pos) !== MM_PAGE) return 0;
  const word = load<u32>(pos + 8);
  pos += 12;
  if (word === ALLO) {
    if (load<u16>(pos) === C_COLON) {
      kind = ALLOC;
      pos += 1;
    } else {
      if (load<u8>(pos) !== LOWER_C || load<u64>(pos + 1) !== ZONE_LO) return 0;
      if (load<u32>(pos + 9) !== CKED) return 0;
      kind = ZONE_LOCKED;
      pos += 13;
    }
  } else if (word === FREE_NAME) {
    kind = FREE;
    if (load<u8>(pos) === UNDERSCORE) {
      if (load<u64>(pos) !== BATCHED) return 0;
      kind = FREE_BATCHED;
      pos += 8;
    }
  } else {
    if (word !== PCPU || load<u32>(pos) !== DRAI || load<u16>(pos + 4) !== IN) return 0;
    kind = PCPU_DRAIN;
    pos += 6;
  }
  return load<u8>(pos) === COLON ? skipSpaces(pos + 1) : 0;
}

/** `page=… pfn=…`; returns the position after the pfn. A zero pfn is left to the thorough way. */
function pageAndPfn(start: usize): usize {
  if (load<u32>(start) !== PAGE || load<u8>(start + 4) !== EQUALS) return 0;
  // `(null)`, padded or not, is for the thorough way.
  if (load<u8>(start + 5) === SPACE || load<u8>(start + 6) === LOWER_N) return 0;
  let pos = start + 5 + PAGE_TEXT;
  if (load<u32>(pos) !== PFN_NAME) {
    pos = start + 5;
    const limit = pos + MAX_PAGE_TEXT;
    while (load<u8>(pos) !== SPACE && pos < limit) pos++;
  }
  if (load<u32>(pos + 1) !== PFN_IS) return 0;
  pos += 5;
  pos = load<u16>(pos) === HEX_MARK ? hexPfn(pos + 2) : decimalPfn(pos);
  return pfn === 0 || pfn >= PFN_LIMIT ? 0 : pos;
}

function hexPfn(start: usize): usize {
  let value: u64 = 0;
  let pos = start;
  const limit = start + 12;
  for (let digit = hexAt(pos); digit <= 15 && pos < limit; digit = hexAt(++pos)) {
    value = (value << 4) | digit;
  }
  pfn = value;
  return pos;
}

/** The hexadecimal digit at `pos`, above 15 if there is none: by a table, because the branches could not be foreseen. */
function hexAt(pos: usize): u32 {
  return load<u8>(HEX_VALUES + <usize>load<u8>(pos));
}

function decimalPfn(start: usize): usize {
  let value: u64 = 0;
  let pos = start;
  const limit = start + MAX_DIGITS;
  for (let digit = digitAt(pos); digit <= 9 && pos < limit; digit = digitAt(++pos)) {
    value = value * 10 + digit;
  }
  pfn = value;
  return pos;
}

/** Reads the fields after the pfn and writes the row; returns the start of the next line. */
function rest(start: usize, slot: i32, rowsAt: usize): usize {
  let pos = start;
  if (load<u32>(pos) !== ORD || load<u32>(pos + 3) !== DER_IS) return 0;
  let order = digitAt(pos + 7);
  if (order > 9) return 0;
  pos += 8;
  const second = digitAt(pos);
  if (second <= 9) {
    order = order * 10 + second;
    pos++;
    if (order >= ORDER_LIMIT) return 0;
  }
  let type = NO_TYPE;
  let detail = kind === FREE ? <i32>load<u8>(FRONT_DEPTHS + <usize>slot) : 0;
  if (kind !== FREE && kind !== FREE_BATCHED) {
    if (load<u64>(pos) !== MIGRATE || load<u32>(pos + 8) !== TYPE) return 0;
    type = digitAt(pos + 13);
    if (load<u8>(pos + 12) !== EQUALS || <u32>type > 9) return 0;
    pos += 14;
    if (kind === ALLOC) {
      if (load<u64>(pos) !== GFP_FLA || load<u32>(pos + 7) !== AGS_IS) return 0;
      const gfp = gfpAt(pos + 11);
      if (gfp < 0) return 0;
      detail = load<i32>(GFP_IDS + 4 * <usize>gfp);
      pos += 11 + <usize>load<i32>(GFP_LENGTHS + 4 * <usize>gfp);
    } else if (kind === ZONE_LOCKED) {
      if (load<u64>(pos) !== PERCPU_ || load<u32>(pos + 8) !== REFI) return 0;
      if (load<u32>(pos + 11) !== ILL_IS) return 0;
      detail = digitAt(pos + 15);
      if (<u32>detail > 1) return 0;
      pos += 16;
    }
  }
  if (load<u8>(pos) === RETURN) pos++;
  if (load<u8>(pos) !== NEWLINE) return 0;
  write(rowsAt, slot, order, type, detail);
  return pos + 1;
}

/** The slot of the gfp text that stands at `at` up to the line's end, -1 if none is known. */
function gfpAt(at: usize): i32 {
  const first = gfpSet(at);
  for (let slot = first; slot < first + GFP_WAYS; slot++) {
    const length = <usize>load<i32>(GFP_LENGTHS + 4 * slot);
    if (length === 0) return -1;
    const after = load<u8>(at + length);
    if (after !== NEWLINE && after !== RETURN) continue;
    const known = GFP_TEXTS + GFP_BYTES * slot;
    if (length < 16 ? sameFew(at, known, length) : same(at, known, length)) return <i32>slot;
  }
  return -1;
}

function write(rowsAt: usize, slot: i32, order: u32, type: i32, detail: i32): void {
  const i = <usize>rows;
  const front = <usize>slot;
  store<f64>(rowsAt + TIMES + 8 * i, timeNs);
  store<f64>(rowsAt + PFNS + 8 * i, <f64>pfn);
  store<i32>(rowsAt + PIDS + 4 * i, load<i32>(FRONT_PIDS + 4 * front));
  store<i32>(rowsAt + COMMS + 4 * i, load<i32>(FRONT_COMMS + 4 * front));
  store<u16>(rowsAt + CPUS + 2 * i, load<u16>(FRONT_CPUS + 2 * front));
  store<u16>(rowsAt + DETAILS + 2 * i, <u16>detail);
  store<u8>(rowsAt + KINDS + i, <u8>kind);
  store<u8>(rowsAt + ORDERS + i, <u8>order);
  store<i8>(rowsAt + TYPES + i, <i8>type);
}
