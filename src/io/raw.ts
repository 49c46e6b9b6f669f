/**
 * Raw bytes of an open file descriptor, in large chunks, one read ahead.
 *
 * Two buffers take turns: while the caller works on one, the system fills the other. A chunk is
 * valid until the next one is asked for. Works alike for files, pipes, FIFOs and terminals, and for
 * /proc files, whose size is 0 but whose content is not.
 */
import { read, readSync } from 'node:fs';
import { ReadStop } from './decode-error.js';

/** Bytes asked of the system at a time. */
export const READ_BYTES = 1 << 20;

/** Bytes behind a chunk that a parser may look at, where the memory has them. */
export const SLACK_BYTES = 1024;

/** A source of bytes: each chunk is valid until the next is asked for. */
export type Chunks = AsyncIterable<Uint8Array>;

/** What a reader found out about its input, filled in as it goes. */
export interface ReadStats {
  /** Bytes read from the file as it is on disk. */
  rawBytes: number;
  /** sha256 of those, in hex, once the end was reached and if it was asked for. */
  sha256: string | null;
  compression: string | null;
}

/**
 * @param initial bytes already taken from the descriptor (a pipe's head).
 * @param sizeHint bytes to expect, when known: small files get small buffers.
 */
export async function* readDescriptor(
  fd: number,
  initial: Uint8Array = new Uint8Array(0),
  sizeHint = READ_BYTES,
): AsyncGenerator<Uint8Array> {
  // One byte more than the file is said to have, so that its end shows at the first read.
  const chunkBytes = Math.min(READ_BYTES, Math.max(4096, sizeHint + 1));
  if (initial.length > 0) yield initial;
  let free = new Uint8Array(chunkBytes);
  let busy = new Uint8Array(chunkBytes);
  let pending = readOnce(fd, busy);
  try {
    for (;;) {
      const count = await pending;
      if (count === 0) return;
      const chunk = busy.subarray(0, count);
      [free, busy] = [busy, free];
      pending = readOnce(fd, busy);
      yield chunk;
    }
  } finally {
    await pending.catch(() => 0);
  }
}

/**
 * The same of a regular file of a few bytes, without a buffer ahead and without waiting for another thread: of
 * thousands of such files most of the time would go there.
 */
export async function* readSmall(fd: number, sizeHint: number): AsyncGenerator<Uint8Array> {
  // Files of /proc are said to have no bytes.
  const chunk = new Uint8Array(Math.max(4096, sizeHint + 1));
  for (;;) {
    const count = readNow(fd, chunk);
    if (count === 0) return;
    yield chunk.subarray(0, count);
  }
}

/** One read at the descriptor's own position; 0 at the end. */
export function readOnce(fd: number, into: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    const attempt = (): void => {
      read(fd, into, 0, into.length, null, (error, count) => {
        if (error === null) resolve(count);
        else if (error.code === 'EAGAIN') setTimeout(attempt, 5);
        else if (error.code === 'EOF') resolve(0);
        else reject(new ReadStop('io', error.code ?? error.message, error));
      });
    };
    attempt();
  });
}

/**
 * The same at once, for threads that have nothing else to do.
 * @param position where to read; null = at the descriptor's own position.
 */
export function readNow(fd: number, into: Uint8Array, position: number | null = null): number {
  try {
    return readSync(fd, into, 0, into.length, position);
  } catch (error) {
    throw new ReadStop('io', (error as NodeJS.ErrnoException).code ?? String(error), error);
  }
}

/** The first `bytes` bytes of a source (fewer if it ends), copied, and the source with them back. */
export async function peek(
  source: Chunks,
  bytes: number,
): Promise<{ head: Uint8Array; all: AsyncGenerator<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  let length = 0;
  let stop: unknown = null;
  while (length < bytes) {
    try {
      const next = await iterator.next();
      if (next.done === true) break;
      parts.push(next.value.slice());
      length += next.value.length;
    } catch (error) {
      stop = error;
      break;
    }
  }
  const head = concatBytes(parts, length);
  return { head, all: rejoin(head, iterator, stop) };
}

/** The source with its head back. Closing it closes the source, even if nothing was asked of it. */
function rejoin(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
  stop: unknown,
): AsyncGenerator<Uint8Array> {
  const all = headThenRest(head, iterator, stop);
  // a generator that was never started runs no `finally` when it is told to return
  const finish = all.return.bind(all);
  all.return = async (value) => {
    await iterator.return?.();
    return finish(value);
  };
  return all;
}

async function* headThenRest(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
  stop: unknown,
): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    if (stop !== null) throw stop;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

export function concatBytes(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
