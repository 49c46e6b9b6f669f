/**
 * The reader thread: reads, hashes and decompresses one input and posts the plain bytes.
 *
 * At most QUEUE buffers are out at a time; when all are, it waits for the main thread to give one
 * back. Errors are posted as data, so that the main thread gets every byte that came before them.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { asReadStop } from './decode-error.js';
import { READ_BYTES } from './raw.js';
import { newReadStats, type ReaderMessage, type ReaderTask, readHere } from './reader.js';

const QUEUE = 8;

/** Buffers that may be filled; waits when the main thread has them all. */
class BufferPool {
  readonly #free: ArrayBuffer[] = [];
  #made = 0;
  #wake: (() => void) | null = null;

  give(buffer: ArrayBuffer): void {
    this.#free.push(buffer);
    this.#wake?.();
  }

  async take(): Promise<ArrayBuffer> {
    for (;;) {
      const buffer = this.#free.pop();
      if (buffer !== undefined) return buffer;
      if (this.#made < QUEUE) {
        this.#made++;
        return new ArrayBuffer(READ_BYTES);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}

async function run(task: ReaderTask): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  const pool = new BufferPool();
  port.on('message', (buffer: ArrayBuffer) => pool.give(buffer));
  const stats = newReadStats();
  const post = (message: ReaderMessage, transfer: ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer);
  try {
    for await (const chunk of readHere(task.fd, task.initial, task.options, stats)) {
      for (let at = 0; at < chunk.length; at += READ_BYTES) {
        const part = chunk.subarray(at, at + READ_BYTES);
        const buffer = await pool.take();
        const bytes = new Uint8Array(buffer, 0, part.length);
        bytes.set(part);
        post({ kind: 'chunk', bytes, stats: { ...stats } }, [buffer]);
      }
    }
    post({ kind: 'end', stats });
  } catch (error) {
    const stop = asReadStop(error);
    post({ kind: 'stop', reason: stop.reason, detail: stop.message, stats });
  }
  port.close();
}

void run(workerData as ReaderTask);
