/**
 * Random access for binary formats: a plain file where it lies, anything else through a copy.
 *
 * Compressed inputs and pipes are first written to a temporary file. Reads are synchronous; small
 * ones are served from one cached page of 1 MiB, so that parsers may read field by field.
 */
import { type Chunks, readNow } from './raw.js';
import { TempFile } from './temp-file.js';

const PAGE = 1 << 20;

/** The same shape as parsers/format.ts RandomAccess, plus an end. */
export interface ClosableAccess {
  readonly size: number;
  read(position: number, length: number, into?: Uint8Array): Uint8Array;
  close(): void;
}

type ReadAt = (position: number, into: Uint8Array) => number;

class CachedAccess implements ClosableAccess {
  readonly size: number;
  readonly #readAt: ReadAt;
  readonly #end: () => void;
  readonly #page: Uint8Array;
  #pageAt = -1;
  #pageLength = 0;

  constructor(size: number, readAt: ReadAt, end: () => void) {
    this.size = size;
    this.#readAt = readAt;
    this.#end = end;
    this.#page = new Uint8Array(Math.min(PAGE, Math.max(1, size)));
  }

  read(position: number, length: number, into?: Uint8Array): Uint8Array {
    const start = Math.max(0, Math.min(position, this.size));
    const wanted = Math.max(0, Math.min(length, this.size - start));
    const target =
      into === undefined || into.length < wanted
        ? new Uint8Array(wanted)
        : into.subarray(0, wanted);
    if (wanted >= this.#page.length) return target.subarray(0, this.#readAt(start, target));
    let done = 0;
    while (done < wanted) {
      const at = start + done;
      if (at < this.#pageAt || at >= this.#pageAt + this.#pageLength || this.#pageAt < 0) {
        this.#pageAt = at - (at % 4096);
        this.#pageLength = this.#readAt(this.#pageAt, this.#page);
        if (at >= this.#pageAt + this.#pageLength) break;
      }
      const from = at - this.#pageAt;
      const count = Math.min(wanted - done, this.#pageLength - from);
      target.set(this.#page.subarray(from, from + count), done);
      done += count;
    }
    return target.subarray(0, done);
  }

  close(): void {
    this.#end();
  }
}

/** A regular, uncompressed file. The descriptor stays the caller's. Reading throws a ReadStop where the system cannot. */
export function accessDescriptor(fd: number, size: number): ClosableAccess {
  const readAt: ReadAt = (position, into) => {
    let done = 0;
    while (done < into.length) {
      const count = readNow(fd, into.subarray(done), position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  };
  return new CachedAccess(size, readAt, () => undefined);
}

/**
 * A copy of a stream in a temporary file.
 * @returns the access and, if the stream stopped early, why: what came before is in the copy.
 */
export async function accessCopy(
  plain: Chunks,
): Promise<{ access: ClosableAccess; stop: unknown }> {
  const file = new TempFile('input');
  let stop: unknown = null;
  try {
    for await (const chunk of plain) file.append(chunk);
  } catch (error) {
    stop = error;
  }
  const access = new CachedAccess(
    file.size,
    (position, into) => file.read(position, into),
    () => file.close(),
  );
  return { access, stop };
}

/** Bytes already in memory. */
export function accessBytes(bytes: Uint8Array): ClosableAccess {
  const readAt: ReadAt = (position, into) => {
    const part = bytes.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  };
  return new CachedAccess(bytes.length, readAt, () => undefined);
}
