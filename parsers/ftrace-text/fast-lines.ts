/**
 * The hot path: runs of lines of the frequent page events, taken by compiled code (assembly/fast-lines.ts).
 *
 * It decides speed and never meaning: what it takes, the thorough way would have taken alike, and where it
 * stops, the caller parses a line the thorough way and lets it learn from that line. Rows come out in columns,
 * with the ids under which fronts and gfp texts were learnt.
 *
 * Text must stand in the code's own memory. A thread that reads a file reads it into one of the memory's rooms;
 * other text is copied, a room at a time. All parsers of a thread share one memory, and who uses it after another
 * begins with nothing learnt.
 */
import { READ_BYTES, SLACK_BYTES } from '../../src/io/raw.js';
import { NEWLINE } from './bytes.js';
import type { LineFront } from './event-body.js';
import { FAST_LINES_WASM } from './fast-lines-wasm.js';
import { BYTES_PER_ROW, ROWS, ScannedRows } from './scanned-rows.js';
import type { Stamps } from './stamp.js';

/** Bytes from a line's start that may be read: front, stamp, name, payload, gfp text. */
export const MAX_FAST_LINE = 1024;

const ROOM_BYTES = READ_BYTES + Math.max(SLACK_BYTES, MAX_FAST_LINE);
const WASM_PAGE = 1 << 16;
/** As assembly/fast-lines.ts was compiled (scripts/wasm.mjs). */
const WASM_PAGES = 8;
const MAX_WASM_PAGES = 1024;
/** Longest text that is learnt. */
const SCRATCH_BYTES = 512;

/** What is used of WebAssembly, which TypeScript knows of browsers only. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (limits: {
    initial: number;
    maximum: number;
    shared: true;
  }) => { readonly buffer: SharedArrayBuffer; grow(pages: number): number };
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

const { WebAssembly } = globalThis as unknown as { WebAssembly: Wasm };

/** What assembly/fast-lines.ts exports; addresses are numbers. */
interface Compiled {
  readonly STATUS: { readonly value: number };
  readonly SCRATCH: { readonly value: number };
  readonly ROOMS: { readonly value: number };
  clear(): void;
  configure(epochS: number, unitsPerSecond: number): void;
  learnFront(length: number, pid: number, cpu: number, comm: number, softirqDepth: number): void;
  learnGfp(length: number, id: number): void;
  scan(start: number, last: number, rowsAt: number, first: number, end: number): number;
}

let compiled: object | null = null;

/** The compiled code with its memory: tables, and rooms for text and for the rows found in it. */
export class LineMemory {
  readonly code: Compiled;
  readonly buffer: SharedArrayBuffer;
  /** READ_BYTES of text each, and some more that may be read. */
  readonly rooms: readonly Uint8Array<SharedArrayBuffer>[];
  /** Rows, form, digits. */
  readonly status: Int32Array;
  readonly scratch: Uint8Array;
  /** Whose fronts and texts were learnt. */
  user: FastLines | null = null;
  /** What is found in each room. */
  readonly #rows: readonly ScannedRows[];

  constructor(rooms: number) {
    compiled ??= new WebAssembly.Module(Buffer.from(FAST_LINES_WASM, 'base64'));
    const memory = new WebAssembly.Memory({
      initial: WASM_PAGES,
      maximum: MAX_WASM_PAGES,
      shared: true,
    });
    const instance = new WebAssembly.Instance(compiled, { env: { memory } });
    this.code = instance.exports as unknown as Compiled;
    const first = this.code.ROOMS.value;
    const rowsAt = first + rooms * ROOM_BYTES;
    const bytes = rowsAt + rooms * ROWS * BYTES_PER_ROW;
    memory.grow(Math.ceil(bytes / WASM_PAGE) - WASM_PAGES);
    this.buffer = memory.buffer;
    this.rooms = Array.from(
      { length: rooms },
      (_, room) => new Uint8Array(this.buffer, first + room * ROOM_BYTES, ROOM_BYTES),
    );
    this.#rows = this.rooms.map(
      (_, room) => new ScannedRows(this.buffer, rowsAt + room * ROWS * BYTES_PER_ROW),
    );
    this.status = new Int32Array(this.buffer, this.code.STATUS.value, 3);
    this.scratch = new Uint8Array(this.buffer, this.code.SCRATCH.value, SCRATCH_BYTES);
  }

  /** What is found in the room that holds this address. */
  rowsOf(address: number): ScannedRows {
    return this.#rows[Math.floor((address - this.rooms[0]!.byteOffset) / ROOM_BYTES)]!;
  }
}

let shared: LineMemory | null = null;

/** The memory of all parsers of this thread that do not bring their own. */
function sharedMemory(): LineMemory {
  shared ??= new LineMemory(1);
  return shared;
}

export class FastLines {
  /** What the latest `take` wrote stands here. */
  rows: ScannedRows;
  readonly #memory: LineMemory;
  readonly #stamps: Stamps;
  #epochS = Number.NaN;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Bytes [#from, #to) of them stand in the memory, the first at address #at. */
  #from = 0;
  #to = 0;
  #at = 0;

  constructor(stamps: Stamps, memory = sharedMemory()) {
    this.#memory = memory;
    this.#stamps = stamps;
    this.#at = memory.rooms[0]!.byteOffset;
    this.rows = memory.rowsOf(this.#at);
  }

  /** How many rows the latest `take` wrote. */
  get count(): number {
    return this.#memory.status[0]!;
  }

  /** Lines are taken from these bytes from now on. */
  use(bytes: Uint8Array): void {
    const inPlace = bytes.buffer === this.#memory.buffer;
    this.#bytes = bytes;
    this.#from = 0;
    this.#to = inPlace ? bytes.length : 0;
    this.#at = inPlace ? bytes.byteOffset : this.#memory.rooms[0]!.byteOffset;
    this.rows = this.#memory.rowsOf(this.#at);
  }

  /**
   * Takes lines that begin in [start, last] until one is not of the form, as rows from `first` on; returns where the
   * first line begins that was not taken. It may stop short of `last`: then the next call goes on.
   */
  take(start: number, last: number, first = 0): number {
    const memory = this.#memory;
    this.#claim();
    if (start < this.#from || (start + MAX_FAST_LINE > this.#to && this.#to < this.#bytes.length)) {
      this.#copyFrom(start);
    }
    const end = this.#to < this.#bytes.length ? Math.min(last, this.#to - MAX_FAST_LINE) : last;
    const shift = this.#at - this.#from;
    const next = memory.code.scan(start + shift, end + shift, this.rows.at, first, ROWS) - shift;
    if (this.count > 0) this.#tellStamps(first + this.count - 1);
    return next;
  }

  #claim(): void {
    const memory = this.#memory;
    const { epochS, unitsPerSecond } = this.#stamps;
    if (memory.user === this && epochS === this.#epochS) return;
    if (memory.user !== this) {
      memory.code.clear();
      memory.user = this;
      if (this.#bytes.buffer !== memory.buffer) this.#to = this.#from;
    }
    memory.code.configure(epochS, unitsPerSecond);
    this.#epochS = epochS;
  }

  /** Brings as many bytes as there is room for into the memory, with line ends behind the last. */
  #copyFrom(start: number): void {
    const room = this.#memory.rooms[0]!;
    this.#from = start;
    this.#to = Math.min(this.#bytes.length, start + READ_BYTES);
    room.set(this.#bytes.subarray(start, this.#to));
    room.fill(NEWLINE, this.#to - start, this.#to - start + MAX_FAST_LINE);
  }

  /** What stamps tell of the clock is asked of those of all lines. */
  #tellStamps(last: number): void {
    const { status } = this.#memory;
    const stamps = this.#stamps;
    stamps.passed(this.rows.timeNs[last]!, stamps.epochS, status[1]!, status[2]!);
  }

  /** Learns the front of the line at `start`; `comm` is its id. */
  learnFront(bytes: Uint8Array, start: number, front: LineFront, comm: number): void {
    const length = front.prefixEnd - start;
    if (length > SCRATCH_BYTES) return;
    this.#claim();
    this.#memory.scratch.set(bytes.subarray(start, front.prefixEnd));
    const { pid, cpu, softirqDepth } = front;
    this.#memory.code.learnFront(length, pid, cpu, comm, softirqDepth);
  }

  /** Learns the gfp text [start, end). */
  learnGfp(bytes: Uint8Array, start: number, end: number, id: number): void {
    if (end - start + 8 > SCRATCH_BYTES) return;
    this.#claim();
    const { scratch, code } = this.#memory;
    scratch.set(bytes.subarray(start, end));
    // Which set a text belongs to is asked of its line end too, if it is short.
    scratch.fill(NEWLINE, end - start, end - start + 8);
    code.learnGfp(end - start, id);
  }
}
