/**
 * The reader thread's loop: reads and decompresses one input and posts the plain bytes.
 *
 * At most QUEUE buffers are out at a time; when all are, it waits for the main thread to give one
 * back. Errors are posted as data, so that the main thread gets every byte that came before them. On
 * request it also scans the chunks of plain inputs, with what `openScanner` gives for the format that
 * the main thread found. A plain input is hashed by the main thread, which has less to do.
 */
import { readSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { asReadStop, ReadStop } from './decode-error.js';
import { READ_BYTES, readOnce, SLACK_BYTES } from './raw.js';
import {
  newReadStats,
  type ReaderMessage,
  type ReaderReply,
  type ReaderTask,
  readHere,
  type Scanned,
  type ScanOrder,
} from './reader.js';

const QUEUE = 8;
const NEWLINE = 10;
/** A pipe gives little at a time: a chunk is sent from this much on. */
const ENOUGH = READ_BYTES / 2;
/** How far from a chunk's end its last line may begin. */
const MAX_KEPT = 1 << 16;

/** Looks at chunks ahead of the parser; parsers/scanners.ts has them. */
export interface ThreadScanner {
  scan(chunk: Uint8Array, buffer: ArrayBuffer | null): Scanned;
}

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
        return new ArrayBuffer(READ_BYTES + SLACK_BYTES);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}

/** Where the last whole line ends; all of it if that is too far from the end. */
function lineEnd(bytes: Uint8Array, filled: number): number {
  const end = bytes.lastIndexOf(NEWLINE, filled - 1) + 1;
  return end < filled - MAX_KEPT ? filled : end;
}

function readSome(fd: number, into: Uint8Array): number {
  try {
    return readSync(fd, into, 0, into.length, null);
  } catch (error) {
    throw new ReadStop('io', (error as NodeJS.ErrnoException).code ?? String(error), error);
  }
}

/** One thread's work. */
class ThreadReader {
  readonly #task: ReaderTask;
  readonly #port: MessagePort;
  readonly #openScanner: (order: ScanOrder) => ThreadScanner | null;
  readonly #pool = new BufferPool();
  readonly #stats = newReadStats();
  /** Buffers of scans that the main thread is done with. */
  readonly #scanBuffers: ArrayBuffer[] = [];
  #scanner: ThreadScanner | null = null;

  constructor(
    task: ReaderTask,
    port: MessagePort,
    openScanner: (order: ScanOrder) => ThreadScanner | null,
  ) {
    this.#task = task;
    this.#port = port;
    this.#openScanner = openScanner;
    if (task.scan !== undefined) this.#scanner = openScanner(task.scan);
    port.on('message', (reply: ReaderReply) => this.#hear(reply));
  }

  async run(): Promise<void> {
    try {
      if (this.#task.plain === true) await this.#readPlain();
      else await this.#readCompressed();
      this.#post({ kind: 'end', stats: this.#stats });
    } catch (error) {
      const stop = asReadStop(error);
      this.#post({ kind: 'stop', reason: stop.reason, detail: stop.message, stats: this.#stats });
    }
    this.#port.close();
  }

  #hear(reply: ReaderReply): void {
    if (reply.scan !== undefined) this.#scanner = this.#openScanner(reply.scan);
    if (reply.scanned !== undefined) this.#scanBuffers.push(reply.scanned);
    if (reply.buffer !== undefined) this.#pool.give(reply.buffer);
  }

  /** Straight into the buffers that are sent, which end with a line where lines are not very long. */
  async #readPlain(): Promise<void> {
    const { initial, options } = this.#task;
    const stats = this.#stats;
    let kept: Uint8Array = initial;
    let sent = 0;
    for (let ended = false; !ended; ) {
      const room = new Uint8Array(await this.#pool.take(), 0, READ_BYTES);
      room.set(kept);
      const filled = await this.#fill(room, kept.length);
      ended = filled < ENOUGH;
      const end = ended ? filled : lineEnd(room, filled);
      kept = room.slice(end, filled);
      const part = room.subarray(0, Math.min(end, options.inputBytes - sent));
      sent += end;
      stats.rawBytes = sent + kept.length;
      // What a parser may see behind the chunk is the same whatever the buffer held before.
      new Uint8Array(room.buffer, end, SLACK_BYTES).fill(NEWLINE);
      if (part.length > 0) this.#send(part);
      if (sent > options.inputBytes) throw new ReadStop('too-long', `${options.inputBytes}`);
    }
  }

  /** Fills at least ENOUGH bytes, fewer only at the end of the input. */
  async #fill(room: Uint8Array, from: number): Promise<number> {
    const { fd, pipe } = this.#task;
    let filled = from;
    while (filled < ENOUGH) {
      const free = room.subarray(filled);
      const count = pipe === true ? await readOnce(fd, free) : readSome(fd, free);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  async #readCompressed(): Promise<void> {
    const { fd, initial, options } = this.#task;
    for await (const chunk of readHere(fd, initial, options, this.#stats)) {
      for (let at = 0; at < chunk.length; at += READ_BYTES) {
        const part = chunk.subarray(at, at + READ_BYTES);
        const bytes = new Uint8Array(await this.#pool.take(), 0, part.length);
        bytes.set(part);
        this.#send(bytes);
      }
    }
  }

  #send(bytes: Uint8Array<ArrayBuffer>): void {
    const scanned = this.#scanner?.scan(bytes, this.#scanBuffers.pop() ?? null) ?? null;
    const transfer = scanned === null ? [bytes.buffer] : [bytes.buffer, scanned.buffer];
    this.#post({ kind: 'chunk', bytes, scanned, stats: { ...this.#stats } }, transfer);
  }

  #post(message: ReaderMessage, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

/** Does the work that the thread was started for. */
export function serveReader(openScanner: (order: ScanOrder) => ThreadScanner | null): void {
  if (parentPort !== null) void new ThreadReader(workerData, parentPort, openScanner).run();
}
