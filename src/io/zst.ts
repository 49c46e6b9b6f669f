/**
 * zstd: node:zlib where it has it (Node 22.15 and later), else fzstd.
 *
 * fzstd moves its whole window for each 128 KiB block, which for the usual 8 MiB window costs more
 * than decoding. So frames are walked here (RFC 8878 §3.1.1), one block at a time is handed in, and
 * the window is laid into one long buffer instead: the library's `s.w` is pointed at it between
 * blocks. If a future fzstd has no such field the plain way is taken. Windows above 128 MiB are
 * refused, as `zstd -d` does, before anything is allocated for them. Frame checksums are not verified
 * by fzstd.
 */
import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { asReadStop, ReadStop } from './decode-error.js';
import { throughTransform } from './gz.js';
import { type Chunks, READ_BYTES } from './raw.js';

export const MAX_WINDOW = 128 << 20;
const BLOCK_MAX = 1 << 17;
const FRAME_MAGIC = 0xfd2fb528;
/** A larger buffer is not kept for the next frame. */
const SPARE_MAX = 32 << 20;
/** Decoded bytes gathered before they are given out. */
const YIELD_BYTES = 1 << 20;

/** The state fzstd keeps while in a frame: `w` the window, `e` its size. */
interface FzstdState {
  w: Uint8Array;
  readonly e: number;
}

/** A zlib-like transform as node:zlib makes them. */
type CreateDecoder = (options: { chunkSize: number }) => Transform;

export function unzstd(source: Chunks): AsyncGenerator<Uint8Array> {
  const create = (zlib as unknown as { createZstdDecompress?: CreateDecoder }).createZstdDecompress;
  return create === undefined ? unzstdWithFzstd(source) : unzstdWithZlib(source, create);
}

/** Steps are small: one 128 KiB block can come from as little as four bytes. */
const ZLIB_STEP = 1 << 12;

async function* unzstdWithZlib(source: Chunks, create: CreateDecoder): AsyncGenerator<Uint8Array> {
  yield* throughTransform(source, create({ chunkSize: READ_BYTES }), 'zstd', ZLIB_STEP);
}

export async function* unzstdWithFzstd(source: Chunks): AsyncGenerator<Uint8Array> {
  const input = new Lookahead(source);
  for (;;) {
    if (!(await input.need(4))) {
      if (input.available === 0) return;
      throw new ReadStop('truncated', 'zstd');
    }
    const magic = input.u32(0);
    if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) await skipFrame(input);
    else if (magic === FRAME_MAGIC) yield* oneFrame(input);
    else throw new ReadStop('corrupt', 'zstd frame magic');
  }
}

async function skipFrame(input: Lookahead): Promise<void> {
  if (!(await input.need(8))) throw new ReadStop('truncated', 'zstd');
  let left = input.u32(4);
  input.drop(8);
  while (left > 0) {
    if (!(await input.need(1))) throw new ReadStop('truncated', 'zstd');
    const count = Math.min(left, input.available);
    input.drop(count);
    left -= count;
  }
}

interface FrameHeader {
  readonly bytes: number;
  /** Window descriptor byte, rounded up for frames that give their content size instead. */
  readonly descriptor: number;
  readonly checksum: boolean;
}

/** RFC 8878 §3.1.1.1, from the magic on. */
async function frameHeader(input: Lookahead): Promise<FrameHeader> {
  if (!(await input.need(5))) throw new ReadStop('truncated', 'zstd');
  const flags = input.byte(4);
  if ((flags & 8) !== 0) throw new ReadStop('corrupt', 'zstd frame header');
  const single = (flags >> 5) & 1;
  const dictionary = [0, 1, 2, 4][flags & 3]!;
  const sizeField = flags >> 6 === 0 ? single : 1 << (flags >> 6);
  const bytes = 5 + (1 - single) + dictionary + sizeField;
  if (!(await input.need(bytes))) throw new ReadStop('truncated', 'zstd');
  if (dictionary > 0 && input.little(6 - single, dictionary) !== 0) {
    throw new ReadStop('corrupt', 'zstd with a dictionary');
  }
  const content = input.little(5 + dictionary, sizeField) + (sizeField === 2 ? 256 : 0);
  const descriptor = single === 1 ? descriptorFor(content) : input.byte(5);
  const window = windowOf(descriptor);
  if (window > MAX_WINDOW) throw new ReadStop('window', `${window}`);
  return { bytes, descriptor, checksum: (flags & 4) !== 0 };
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function descriptorFor(content: number): number {
  let exponent = 0;
  while (2 ** (10 + exponent) < content && exponent < 31) exponent++;
  return exponent << 3;
}

/**
 * A header of 18 bytes, the least the library looks at: no checksum, a dictionary id and a content
 * size of 0 (both ignored), and the window. Blocks follow one by one.
 */
function plainHeader(descriptor: number): Uint8Array {
  const header = new Uint8Array(18);
  header.set([0x28, 0xb5, 0x2f, 0xfd, 0b1100_0011, descriptor]);
  return header;
}

async function* oneFrame(input: Lookahead): AsyncGenerator<Uint8Array> {
  const header = await frameHeader(input);
  const frame = new Frame(header.descriptor);
  input.drop(header.bytes);
  for (let last = false; !last; ) {
    if (!(await input.need(3))) return yield* cutOff(frame);
    const block = input.little(0, 3);
    const type = (block >> 1) & 3;
    if (type === 3 || block >> 3 > BLOCK_MAX) {
      yield* frame.take();
      throw new ReadStop('corrupt', 'zstd block header');
    }
    const bytes = 3 + (type === 1 ? 1 : block >> 3);
    if (!(await input.need(bytes))) return yield* cutOff(frame);
    const stop = frame.decode(input.view(bytes));
    input.drop(bytes);
    if (stop !== null || frame.pending >= YIELD_BYTES) yield* frame.take();
    if (stop !== null) throw stop;
    last = (block & 1) === 1;
  }
  yield* frame.take();
  frame.release();
  if (header.checksum) {
    if (!(await input.need(4))) throw new ReadStop('truncated', 'zstd');
    input.drop(4);
  }
}

async function* cutOff(frame: Frame): AsyncGenerator<Uint8Array> {
  yield* frame.take();
  throw new ReadStop('truncated', 'zstd');
}

/** Bytes of a source that can be looked at before they are taken. */
class Lookahead {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #bytes = new Uint8Array(READ_BYTES + 2 * BLOCK_MAX);
  #from = 0;
  #to = 0;

  constructor(source: Chunks) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  get available(): number {
    return this.#to - this.#from;
  }

  /** Makes `count` bytes available; false if the source ends before. */
  async need(count: number): Promise<boolean> {
    while (this.#to - this.#from < count) {
      const next = await this.#iterator.next();
      if (next.done === true) return false;
      this.#add(next.value);
    }
    return true;
  }

  #add(chunk: Uint8Array): void {
    const kept = this.available;
    if (this.#to + chunk.length > this.#bytes.length) {
      const old = this.#bytes;
      if (kept + chunk.length > old.length) this.#bytes = new Uint8Array(2 * (kept + chunk.length));
      this.#bytes.set(old.subarray(this.#from, this.#to));
      this.#from = 0;
      this.#to = kept;
    }
    this.#bytes.set(chunk, this.#to);
    this.#to += chunk.length;
  }

  byte(at: number): number {
    return this.#bytes[this.#from + at]!;
  }
  u32(at: number): number {
    return this.little(at, 4);
  }
  /** An unsigned little-endian number of up to 8 bytes. */
  little(at: number, bytes: number): number {
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + this.byte(at + i);
    return value;
  }
  view(bytes: number): Uint8Array {
    return this.#bytes.subarray(this.#from, this.#from + bytes);
  }
  drop(bytes: number): void {
    this.#from += bytes;
  }
}

/** The buffer of the last frame, for the next: directories are full of small files, windows are large. */
let spare: Uint8Array | null = null;

/** Zeros as far as a frame may look back. */
function takeBuffer(bytes: number, window: number): Uint8Array {
  const buffer = spare;
  spare = null;
  if (buffer === null || buffer.length !== bytes) return new Uint8Array(bytes);
  return buffer.fill(0, 0, window);
}

/** The decoder of one frame, its output laid out in one buffer of which the window is a part. */
class Frame {
  readonly #decoder: Decompress;
  readonly #window: number;
  readonly #buffer: Uint8Array;
  #from: number;
  #to: number;

  constructor(descriptor: number) {
    this.#window = windowOf(descriptor);
    const slack = YIELD_BYTES + 2 * BLOCK_MAX + Math.min(this.#window, 16 << 20);
    this.#buffer = takeBuffer(this.#window + slack, this.#window);
    this.#from = this.#window;
    this.#to = this.#window;
    this.#decoder = new Decompress((block) => this.#emit(block));
    this.#decoder.push(plainHeader(descriptor), false);
  }

  /** Bytes decoded and not yet given out. */
  get pending(): number {
    return this.#to - this.#from;
  }

  /** What was decoded since last time; valid until the next block is decoded. */
  *take(): Generator<Uint8Array> {
    if (this.#to === this.#from) return;
    const part = this.#buffer.subarray(this.#from, this.#to);
    this.#from = this.#to;
    yield part;
  }

  /** Nothing of it is used any more. */
  release(): void {
    if (this.#buffer.length <= SPARE_MAX) spare = this.#buffer;
  }

  /** Decodes one whole block. */
  decode(block: Uint8Array): ReadStop | null {
    this.#makeRoom();
    try {
      const state = this.#state();
      if (state !== null) state.w = this.#buffer.subarray(this.#to - this.#window, this.#to);
      this.#decoder.push(block, false);
      return null;
    } catch (error) {
      return asReadStop(error);
    }
  }

  #state(): FzstdState | null {
    const state = (this.#decoder as unknown as { s?: unknown }).s;
    if (typeof state !== 'object' || state === null) return null;
    return (state as FzstdState).w instanceof Uint8Array ? (state as FzstdState) : null;
  }

  #makeRoom(): void {
    if (this.#to + BLOCK_MAX <= this.#buffer.length) return;
    const kept = this.#window + this.pending;
    this.#buffer.copyWithin(0, this.#to - kept, this.#to);
    this.#from = this.#window;
    this.#to = kept;
  }

  #emit(block: Uint8Array): void {
    const to = this.#to + block.length;
    const place = this.#buffer.subarray(this.#to, to);
    const state = this.#state();
    // With the window set to just this place, the library's own bookkeeping writes the block there.
    if (state !== null) state.w = place;
    else place.set(block);
    this.#to = to;
  }
}
