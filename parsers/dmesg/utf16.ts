/**
 * Logs saved as UTF-16 (Windows consoles and editors do), told by their byte order mark.
 *
 * Bytes in, UTF-8 bytes out, chunk by chunk; a file without the mark passes through untouched.
 */
import { TextDecoder } from 'node:util';

/** U+FEFF as a little-endian word of the file: FF FE, or FE FF in big-endian files. */
const LITTLE = 0xfeff;
const BIG = 0xfffe;

type Encoding = 'utf-16le' | 'utf-16be';

/** The encoding that the first two bytes announce, or null. */
export function utf16Of(head: Uint8Array): Encoding | null {
  if (head.length < 2) return null;
  const mark = head[0]! | (head[1]! << 8);
  return mark === LITTLE ? 'utf-16le' : mark === BIG ? 'utf-16be' : null;
}

export class Utf16Reader {
  /** Undecided while fewer than two bytes have come. */
  #state: 'undecided' | 'plain' | TextDecoder = 'undecided';
  #first: Uint8Array = new Uint8Array(0);

  /** The bytes to read instead of `chunk`; the chunk itself for everything but UTF-16. */
  next(chunk: Uint8Array): Uint8Array {
    if (this.#state === 'plain') return chunk;
    if (this.#state !== 'undecided') return this.#decoded(this.#state, chunk);
    const start = this.#first.length === 0 ? chunk : joined(this.#first, chunk);
    if (start.length < 2) {
      this.#first = Uint8Array.from(start);
      return new Uint8Array(0);
    }
    const encoding = utf16Of(start);
    this.#state = encoding === null ? 'plain' : new TextDecoder(encoding);
    return this.#state === 'plain' ? start : this.#decoded(this.#state, start);
  }

  /** What is left at the end of the input. */
  end(): Uint8Array {
    if (this.#state === 'undecided') return this.#first;
    return this.#state === 'plain' ? new Uint8Array(0) : Buffer.from(this.#state.decode(), 'utf8');
  }

  #decoded(decoder: TextDecoder, chunk: Uint8Array): Uint8Array {
    return Buffer.from(decoder.decode(chunk, { stream: true }), 'utf8');
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
