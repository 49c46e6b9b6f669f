/**
 * Bytes, compressed bytes and readers for the tests of this folder.
 */
import { spawnSync } from 'node:child_process';
import type { ReadStop } from '../decode-error.js';
import type { ReadOptions } from '../read.js';
import { readDecoded } from '../read.js';
import { newReadStats } from '../reader.js';

export const OPEN_LIMITS: ReadOptions = { expansion: 2000, inputBytes: 2 ** 40, hash: true };

/** Whether a program is there; tests that need it are skipped otherwise. */
export function hasTool(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0;
}

/** Runs a compressor on bytes. */
export function pipeThrough(tool: string, args: readonly string[], input: Uint8Array): Uint8Array {
  const { stdout, status } = spawnSync(tool, args, { input, maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`${tool} ended with ${status}`);
  return new Uint8Array(stdout);
}

/** Text that compresses about as well as a trace does. */
export function traceLike(bytes: number, seed = 1): Uint8Array {
  const out = new Uint8Array(bytes);
  let state = seed;
  let at = 0;
  while (at < bytes) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const line = `   dd-${state % 9000} [00${state % 4}] ..... 1599.${state % 1e6}: mm_page_free: pfn=0x${state.toString(16)} order=0\n`;
    const part = new TextEncoder().encode(line);
    out.set(part.subarray(0, bytes - at), at);
    at += part.length;
  }
  return out;
}

/** Chunks of a size out of one reused buffer, as real readers give them. */
export async function* pieces(bytes: Uint8Array, size = 1 << 20): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(size, Math.max(1, bytes.length)));
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    buffer.fill(0xee);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
  }
}

export interface ReadResult {
  readonly bytes: Uint8Array;
  readonly stop: ReadStop | null;
  readonly sha256: string | null;
  readonly compression: string | null;
}

/** Everything a source gives, and why it stopped. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<ReadResult> {
  const parts: Uint8Array[] = [];
  let stop: ReadStop | null = null;
  try {
    for await (const chunk of source) parts.push(chunk.slice());
  } catch (error) {
    stop = error as ReadStop;
  }
  return { bytes: new Uint8Array(Buffer.concat(parts)), stop, sha256: null, compression: null };
}

/** Reads bytes as an input would be read. */
export async function readBytes(
  raw: Uint8Array,
  options: Partial<ReadOptions> = {},
  chunk = 1 << 20,
): Promise<ReadResult> {
  const stats = newReadStats();
  const result = await collect(
    readDecoded(pieces(raw, chunk), { ...OPEN_LIMITS, ...options }, stats),
  );
  return { ...result, sha256: stats.sha256, compression: stats.compression };
}
