/**
 * From raw bytes to plain bytes: hash, find the compression or UTF-16, undo it, watch the limits.
 *
 * Runs unchanged on the main thread or on a reader thread (reader.ts decides). Compression is undone
 * once: a file compressed twice is refused, as are archives. A stream that outgrows its limits stops
 * with a reason, after all bytes within them were given out.
 */
import { createHash } from 'node:crypto';
import { type Compression, detectCompression, MAGIC_BYTES, utf16Of } from './compression.js';
import { ReadStop } from './decode-error.js';
import { gunzip, inflateAtrace } from './gz.js';
import { type Chunks, peek, type ReadStats } from './raw.js';
import { utf8Of } from './utf16.js';
import { unxz } from './xz.js';
import { unzstd } from './zst.js';

export interface ReadOptions {
  /** Decompressed bytes per compressed byte that are still believed. */
  readonly expansion: number;
  /** Decompressed bytes before reading stops. */
  readonly inputBytes: number;
  /** Whether to hash the raw bytes. */
  readonly hash: boolean;
}

/** Output below which no ratio is called a bomb: memory full of zeros does compress this well. */
export const EXPANSION_FLOOR = 64 << 20;

const DECODERS: Record<Compression, (source: Chunks) => AsyncGenerator<Uint8Array>> = {
  gz: gunzip,
  zst: unzstd,
  xz: unxz,
  atrace: inflateAtrace,
};

/** The plain bytes of a source. `stats` is filled as reading goes on. */
export async function* readDecoded(
  raw: Chunks,
  options: ReadOptions,
  stats: ReadStats,
): AsyncGenerator<Uint8Array> {
  const { head, all } = await peek(counted(raw, options.hash, stats), MAGIC_BYTES);
  const compression = detectCompression(head);
  stats.compression = compression;
  if (compression === null) {
    yield* limited(asUtf8(head, all, stats), options, stats, false);
    return;
  }
  const plain = await peek(DECODERS[compression](all), MAGIC_BYTES);
  const nested = detectCompression(plain.head);
  if (nested !== null) {
    await plain.all.return(undefined);
    throw new ReadStop('nested', `${nested} in ${compression}`);
  }
  yield* limited(asUtf8(plain.head, plain.all, stats), options, stats, true);
}

/** Text in UTF-16 is undone like a compression, and named like one. */
function asUtf8(head: Uint8Array, all: AsyncGenerator<Uint8Array>, stats: ReadStats): Chunks {
  const encoding = utf16Of(head);
  if (encoding === null) return all;
  stats.compression = [stats.compression, encoding].filter(Boolean).join(', ');
  return utf8Of(all, encoding);
}

/** Counts and hashes raw bytes as they pass. */
async function* counted(
  raw: Chunks,
  wanted: boolean,
  stats: ReadStats,
): AsyncGenerator<Uint8Array> {
  const hash = wanted ? createHash('sha256') : null;
  for await (const chunk of raw) {
    stats.rawBytes += chunk.length;
    hash?.update(chunk);
    yield chunk;
  }
  stats.sha256 = hash?.digest('hex') ?? null;
}

async function* limited(
  plain: Chunks,
  options: ReadOptions,
  stats: ReadStats,
  compressed: boolean,
): AsyncGenerator<Uint8Array> {
  let given = 0;
  for await (const chunk of plain) {
    if (given + chunk.length > options.inputBytes) {
      yield chunk.subarray(0, options.inputBytes - given);
      throw new ReadStop('too-long', `${options.inputBytes}`);
    }
    given += chunk.length;
    if (compressed && given > EXPANSION_FLOOR && given > stats.rawBytes * options.expansion) {
      throw new ReadStop('bomb', `${Math.floor(given / Math.max(1, stats.rawBytes))}`);
    }
    yield chunk;
  }
}
