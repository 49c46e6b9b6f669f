/**
 * gzip through node:zlib, member after member, in bounded steps; and the zlib stream of `atrace -z`.
 *
 * Input goes in 32 KiB at a time and the next piece waits until all output of the one before was
 * taken; deflate cannot expand more than 1032 times, so a step is at most 33 MB. A stream that ends
 * early or turns bad still gives everything that came out before.
 */
import type { Transform } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { atraceStart, MAGIC_BYTES } from './compression.js';
import { asReadStop, ReadStop } from './decode-error.js';
import { type Chunks, peek, READ_BYTES } from './raw.js';

const STEP = 1 << 15;

export function gunzip(source: Chunks): AsyncGenerator<Uint8Array> {
  return throughTransform(source, createGunzip({ chunkSize: READ_BYTES }), 'gzip', STEP);
}

/** Undoes `atrace -z`: what stands before the compressed text stays in front of it. */
export async function* inflateAtrace(source: Chunks): AsyncGenerator<Uint8Array> {
  const { head, all } = await peek(source, MAGIC_BYTES);
  const start = atraceStart(head);
  yield head.slice(0, start);
  const inflate = createInflate({ chunkSize: READ_BYTES });
  yield* throughTransform(skipped(all, start), inflate, 'zlib', STEP);
}

async function* skipped(source: Chunks, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of source) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** Drives a node:zlib decoder with `step` bytes at a time, all output taken between steps. */
export async function* throughTransform(
  source: Chunks,
  stream: Transform,
  name: string,
  stepBytes: number,
): AsyncGenerator<Uint8Array> {
  let out: Uint8Array[] = [];
  let failure: unknown = null;
  stream.on('data', (chunk: Buffer) => out.push(chunk));
  const failed = new Promise<void>((resolve) => {
    stream.on('error', (error) => {
      failure = error;
      resolve();
    });
  });
  const take = (): Uint8Array[] => {
    const taken = out;
    out = [];
    return taken;
  };
  try {
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length && failure === null; at += stepBytes) {
        const step = chunk.slice(at, at + stepBytes);
        const written = new Promise<void>((resolve) => stream.write(step, () => resolve()));
        await Promise.race([written, failed]);
        yield* take();
      }
      if (failure !== null) break;
    }
    if (failure === null) {
      const ended = new Promise<void>((resolve) => stream.once('end', () => resolve()));
      stream.end();
      await Promise.race([ended, failed]);
    }
    yield* take();
  } finally {
    stream.destroy();
  }
  if (failure !== null) throw stopOf(failure, name);
}

function stopOf(failure: unknown, name: string): ReadStop {
  const code = (failure as NodeJS.ErrnoException).code;
  return code === 'Z_BUF_ERROR' ? new ReadStop('truncated', name, failure) : asReadStop(failure);
}
