/**
 * sha256 of a file's bytes on a thread of its own, once all else that is to be read of it has been.
 *
 * The file is read twice, the second time mostly from the system's cache: while it is scanned both processors
 * are busy, and afterwards one of them is not. It must not be rewritten in between; if it grew, only the
 * bytes that were read first are hashed, and if it shrank, there is no hash.
 */
import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { ReadStop } from './decode-error.js';
import { readNow } from './raw.js';
import { compiledThread, oneReply } from './threads.js';

/** What is read at once stays in the core's cache until it is hashed: 5 % less than with a mebibyte. */
const HASH_BYTES = 1 << 17;

export interface HashTask {
  readonly fd: number;
  /** Bytes from the beginning on. */
  readonly bytes: number;
}

/** Where the compiled hash thread is, or null when running from source. */
function hashThreadUrl(): URL | null {
  return compiledThread('./hash-thread.js', import.meta.url);
}

/** One file's hash under way. */
export class BackgroundHash {
  readonly #task: HashTask;
  readonly #reply: Promise<string | null>;
  readonly #worker: Worker | null;

  /** @param task its descriptor is closed when the hash is taken or cancelled. */
  constructor(task: HashTask, url: URL | null = hashThreadUrl()) {
    this.#task = task;
    this.#worker = url === null ? null : new Worker(url, { workerData: task, execArgv: [] });
    this.#reply = this.#worker === null ? Promise.resolve(null) : oneReply(this.#worker);
  }

  /** The hash in hex; to be asked for once. Throws a ReadStop if the file cannot be read, or not as far. */
  async take(): Promise<string> {
    this.#worker?.ref();
    try {
      return (await this.#reply) ?? hashFile(this.#task);
    } finally {
      closeSync(this.#task.fd);
    }
  }

  /** It is not wanted any more. */
  async cancel(): Promise<void> {
    await this.#worker?.terminate();
    closeSync(this.#task.fd);
  }
}

/** Hashes the first `bytes` bytes on this thread; in hex. Throws a ReadStop if they cannot be read, or are not there. */
export function hashFile({ fd, bytes }: HashTask): string {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(HASH_BYTES);
  let done = 0;
  while (done < bytes) {
    const count = readNow(fd, buffer.subarray(0, Math.min(buffer.length, bytes - done)), done);
    if (count === 0) throw new ReadStop('shrunk', `${done} of ${bytes} bytes are left`);
    hash.update(buffer.subarray(0, count));
    done += count;
  }
  return hash.digest('hex');
}
