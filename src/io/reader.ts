/**
 * Opens one input's bytes: on the main thread when it is small, on a reader thread when it is big.
 *
 * The reader thread reads and decompresses while the main thread parses, a bounded number of buffers
 * ahead; buffers go back and forth without being copied. Plain text it can also scan ahead of the
 * parser. It exists only in compiled code (Node 20 cannot start a thread from TypeScript): run from
 * source, everything stays on the main thread with the same results. docs/performance.md has the gain.
 */
import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { ReadStop, type StopReason } from './decode-error.js';
import { type ReadStats, readDescriptor } from './raw.js';
import { type ReadOptions, readDecoded } from './read.js';

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
  /** Scans are wanted from the first chunk on. */
  readonly scan?: ScanOrder;
}

/** Asks the reader thread to scan the chunks that follow, for the parser of a format. */
export interface ScanOrder {
  readonly format: string;
  readonly options: Readonly<Record<string, string>>;
}

/** What a scan found in a chunk; only its memory is of interest here. */
export interface Scanned {
  readonly buffer: ArrayBuffer;
}

/** Main thread → reader thread: buffers that are not needed any more, and orders. */
export interface ReaderReply {
  readonly buffer?: ArrayBuffer;
  readonly scanned?: ArrayBuffer;
  readonly scan?: ScanOrder;
}

/** The main thread's side of scans ahead. */
export interface ScanRelay {
  /** Asks for scans from now on; chunks under way come without. */
  order(order: ScanOrder): void;
  /** What was found in the chunk given out last, or null. */
  readonly found: Scanned | null;
}

/** For inputs that no thread reads. */
export const NO_SCANS: ScanRelay = { order: () => {}, found: null };

/** Reader thread → main thread. Stats ride along with every chunk. */
export type ReaderMessage =
  | {
      readonly kind: 'chunk';
      readonly bytes: Uint8Array;
      readonly scanned: Scanned | null;
      readonly stats: ReadStats;
    }
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
  if (Number.isNaN(rawBytes)) return compressed || piped;
  return rawBytes >= (compressed ? THREAD_MIN_COMPRESSED : hash ? THREAD_MIN_HASHED : Infinity);
}

/** Plain bytes of a descriptor, read on this thread. */
export function readHere(
  fd: number,
  initial: Uint8Array,
  options: ReadOptions,
  stats: ReadStats,
  sizeHint?: number,
): AsyncGenerator<Uint8Array> {
  return readDecoded(readDescriptor(fd, initial, sizeHint), options, stats);
}

/** An input read on a thread of its own, which starts when the first chunk is asked for. */
export class ThreadedInput implements ScanRelay {
  #task: ReaderTask;
  readonly #stats: ReadStats;
  readonly #url: URL;
  #worker: Worker | null = null;
  #found: Scanned | null = null;

  constructor(task: ReaderTask, stats: ReadStats, url: URL) {
    this.#task = task;
    this.#stats = stats;
    this.#url = url;
  }

  get found(): Scanned | null {
    return this.#found;
  }

  order(scan: ScanOrder): void {
    if (this.#task.plain !== true) return;
    if (this.#worker === null) this.#task = { ...this.#task, scan };
    else this.#reply({ scan });
  }

  /** Its plain bytes; a chunk is valid until the next is asked for. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const { plain, options } = this.#task;
    const hash = plain === true && options.hash ? createHash('sha256') : null;
    this.#worker = new Worker(this.#url, { workerData: this.#task });
    const inbox = new Inbox(this.#worker);
    try {
      for (;;) {
        const message = await inbox.next();
        Object.assign(this.#stats, message.stats);
        if (message.kind === 'stop') throw new ReadStop(message.reason, message.detail);
        if (message.kind === 'end') {
          if (hash !== null) this.#stats.sha256 = hash.digest('hex');
          return;
        }
        const { bytes, scanned } = message;
        hash?.update(bytes);
        this.#found = scanned;
        yield bytes;
        this.#giveBack(bytes.buffer as ArrayBuffer, scanned);
      }
    } finally {
      await this.#worker.terminate();
    }
  }

  #giveBack(buffer: ArrayBuffer, scanned: Scanned | null): void {
    this.#found = null;
    if (scanned === null) this.#reply({ buffer }, [buffer]);
    else this.#reply({ buffer, scanned: scanned.buffer }, [buffer, scanned.buffer]);
  }

  #reply(reply: ReaderReply, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(reply, transfer);
  }
}

/** Messages of a worker, in order, awaited one at a time. */
class Inbox {
  readonly #messages: ReaderMessage[] = [];
  #wake: (() => void) | null = null;
  #error: unknown = null;

  constructor(worker: Worker) {
    worker.on('message', (message: ReaderMessage) => {
      this.#messages.push(message);
      this.#wake?.();
    });
    worker.on('error', (error) => {
      this.#error = error;
      this.#wake?.();
    });
    worker.on('exit', (code) => {
      this.#error ??= new Error(`the reader thread ended with code ${code}`);
      this.#wake?.();
    });
  }

  async next(): Promise<ReaderMessage> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#error !== null) throw new ReadStop('io', String(this.#error), this.#error);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}
