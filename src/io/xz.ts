/**
 * xz through xz-decompress (xz-embedded as WebAssembly), stream after stream.
 *
 * The library reads one xz stream and says nothing of what follows. Files made by `cat a.xz b.xz` or
 * by parallel compressors hold several, so the end of each is found by its footer (xz file format
 * 1.2 §2.1.2: CRC32, backward size, flags, `YZ`, at a multiple of 4 bytes from the stream's start),
 * which lies in the last piece handed in. Zero padding between streams is skipped (§2.2).
 */
import { ReadableStream } from 'node:stream/web';
import { detectCompression } from './compression.js';
import { ReadStop } from './decode-error.js';
import type { Chunks } from './raw.js';

/** What the library takes at a time. */
const PIECE = 1 << 16;
const FOOTER = 12;

export async function* unxz(source: Chunks): AsyncGenerator<Uint8Array> {
  const pieces = new Pieces(source);
  for (;;) {
    yield* oneStream(pieces);
    if (!(await pieces.nextStream())) return;
  }
}

async function* oneStream(pieces: Pieces): AsyncGenerator<Uint8Array> {
  // Loaded where it is needed: its WebAssembly stands in its text.
  const { XzReadableStream } = (await import('xz-decompress')).default;
  let ended = false;
  const compressed = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await pieces.take();
        ended = piece === null;
        // The library notices the end of its stream only when it asks for more.
        if (piece === null) controller.close();
        else controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
  const reader = new XzReadableStream(
    compressed as unknown as ConstructorParameters<typeof XzReadableStream>[0],
  ).getReader();
  let finished = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value !== undefined && value.length > 0) yield value;
    }
    finished = true;
  } catch (error) {
    finished = true;
    if (ended) throw new ReadStop('truncated', 'xz', error);
    throw error instanceof ReadStop ? error : new ReadStop('corrupt', 'xz', error);
  } finally {
    // The library decodes one stream at a time: one left half-read would block the next for ever.
    if (!finished) await reader.cancel().catch(() => undefined);
  }
}

/** The compressed bytes in pieces the library takes whole, with what is needed to find a footer. */
class Pieces {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #rest = new Uint8Array(0);
  /** The piece handed out last, with up to 12 bytes of the one before in front. */
  #last = new Uint8Array(0);
  /** Offset of the end of `#last` from the start of the xz stream. */
  #taken = 0;

  constructor(source: Chunks) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  async take(): Promise<Uint8Array | null> {
    if (this.#rest.length === 0 && !(await this.#refill())) return null;
    const piece = this.#rest.slice(0, PIECE);
    this.#rest = this.#rest.subarray(piece.length);
    const before = this.#last.slice(-FOOTER);
    const last = new Uint8Array(before.length + piece.length);
    last.set(before);
    last.set(piece, before.length);
    this.#last = last;
    this.#taken += piece.length;
    return piece;
  }

  async #refill(): Promise<boolean> {
    const next = await this.#iterator.next();
    if (next.done === true) return false;
    this.#rest = new Uint8Array(next.value);
    return true;
  }

  /** Goes on behind the footer of the stream just read; false when no further stream follows. */
  async nextStream(): Promise<boolean> {
    const end = this.#footerEnd();
    if (end < 0) return false;
    const left = this.#last.subarray(end);
    const joined = new Uint8Array(left.length + this.#rest.length);
    joined.set(left);
    joined.set(this.#rest, left.length);
    this.#rest = joined;
    this.#last = new Uint8Array(0);
    this.#taken = 0;
    for (;;) {
      let at = 0;
      while (at < this.#rest.length && this.#rest[at] === 0) at++;
      this.#rest = this.#rest.subarray(at);
      if (this.#rest.length > 0) break;
      if (!(await this.#refill())) return false;
    }
    if (this.#rest.length < 6) return false;
    return detectCompression(this.#rest) === 'xz';
  }

  #footerEnd(): number {
    const bytes = this.#last;
    const start = this.#taken - bytes.length;
    for (let end = FOOTER; end <= bytes.length; end++) {
      if (bytes[end - 2] !== 0x59 || bytes[end - 1] !== 0x5a || (start + end) % 4 !== 0) continue;
      const view = new DataView(bytes.buffer, bytes.byteOffset + end - FOOTER, FOOTER);
      if (view.getUint32(0, true) === crc32(bytes.subarray(end - 8, end - 2))) return end;
    }
    return -1;
  }
}

/** CRC-32 (IEEE 802.3), bit by bit: it is only ever asked for six bytes. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
