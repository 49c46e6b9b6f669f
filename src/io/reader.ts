/**
 * Opens one input's bytes: on the main thread when it is small, on a reader thread when it is big.
 *
 * The reader thread reads, hashes and decompresses while the main thread parses, a bounded number of
 * buffers ahead; buffers go back and forth without being copied. It exists only in compiled code
 * (Node 20 cannot start a thread from TypeScript): run from source, everything stays on the main
 * thread with the same results. docs/performance.md has the gain.
 */
import { Worker } from 'node:worker_threads';
import { ReadStop, type StopReason } from './decode-error.js';
import { Inbox } from './inbox.js';
import type { ReadStats } from './raw.js';
import type { ReadOptions } from './read.js';
import { compiledThread } from './threads.js';

/** Raw bytes from which a reader thread pays for its start (some 30 ms). */
const THREAD_MIN_COMPRESSED = 1 << 20;
const THREAD_MIN_HASHED = 32 << 20;

/** What the reader thread is told at its start. */
export interface ReaderTask {
  readonly fd: number;
  readonly initial: Uint8Array;
  readonly options: ReadOptions;
  /** The beginning shows no compression: it can be read straight into the buffers sent. */
  readonly plain?: boolean;
  /** No regular file: a read may wait, and gives little at a time. */
  readonly pipe?: boolean;
}

/** Reader thread → main thread. Stats ride along with every chunk. */
export type ReaderMessage =
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array; readonly stats: ReadStats }
  | { readonly kind: 'end'; readonly stats: ReadStats }
  | {
      readonly kind: 'stop';
      readonly reason: StopReason;
      readonly detail: string;
      readonly stats: ReadStats;
    };

export function newReadStats(): ReadStats {
  return { rawBytes: 0, sha256: null, compression: null };
}

/** Where the compiled reader thread is, or null when running from source. */
export function readerThreadUrl(): URL | null {
  return compiledThread('./reader-thread.js', import.meta.url);
}

/**
 * Whether a reader thread would pay for an input of `rawBytes` (NaN = not known).
 * @param piped it is stdin, which may be of any length.
 */
export function threadPays(
  rawBytes: number,
  compressed: boolean,
  hash: boolean,
  piped = false,
): boolean {
  if (Number.isNaN(rawBytes)) return compressed || (piped && hash);
  return rawBytes >= (compressed ? THREAD_MIN_COMPRESSED : hash ? THREAD_MIN_HASHED : Infinity);
}

/** Whether it would pay to scan a regular file of `rawBytes` ahead of its parser. */
export function scanPays(rawBytes: number, compressed: boolean): boolean {
  return !compressed && rawBytes >= THREAD_MIN_HASHED;
}

/** Plain bytes of a descriptor, read on a thread of its own. */
export async function* readInThread(
  task: ReaderTask,
  stats: ReadStats,
  url: URL,
): AsyncGenerator<Uint8Array> {
  const worker = new Worker(url, { workerData: task, execArgv: [] });
  const inbox = new Inbox<ReaderMessage>(worker);
  try {
    for (;;) {
      const message = await inbox.next();
      Object.assign(stats, message.stats);
      if (message.kind === 'end') return;
      if (message.kind === 'stop') throw new ReadStop(message.reason, message.detail);
      yield message.bytes;
      worker.postMessage(message.bytes.buffer);
    }
  } finally {
    await worker.terminate();
  }
}
