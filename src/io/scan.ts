/**
 * Reads a plain file on a thread that scans it ahead of the parser.
 *
 * Chunks end with a line where lines are not very long, and come with what the scan found in them. At
 * most QUEUE chunks are out at a time; buffers go back and forth without being copied. The thread's
 * entry lies above this layer, because it knows the formats (src/recording/scan-thread.ts).
 */
import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  Worker,
  workerData,
} from 'node:worker_threads';
import { asReadStop, ReadStop, type StopReason } from './decode-error.js';
import { Inbox } from './inbox.js';
import { Pool } from './pool.js';
import { READ_BYTES, type ReadStats, readNow, SLACK_BYTES } from './raw.js';

/** Buffers: what is read ahead is a constant part of the memory, however long the input. */
const QUEUE = 10;
const NEWLINE = 10;
/** A chunk is sent from this much on. */
const ENOUGH = READ_BYTES / 2;
/** How far from a chunk's end its last line may begin. */
const MAX_KEPT = 1 << 16;

/** For the parser of which format to scan, and the choices that the user made for it. */
export interface ScanOrder {
  readonly format: string;
  readonly options: Readonly<Record<string, string>>;
}

/** What the thread is told at its start. */
export interface ScanTask {
  readonly fd: number;
  /** Bytes before reading stops. */
  readonly inputBytes: number;
  readonly order: ScanOrder;
}

/** What a scan found in a chunk, opaque here; it stands in the scanner's memory. */
export interface Scanned {
  readonly memory: SharedArrayBuffer;
}

/** Looks at chunks ahead of the parser; parsers/scanners.ts has them. */
export interface ThreadScanner {
  /** Memory for chunks: READ_BYTES and SLACK_BYTES more each, at least. */
  readonly rooms: readonly Uint8Array<SharedArrayBuffer>[];
  /** What it finds is valid until a chunk in the same room is scanned. */
  scan(chunk: Uint8Array): Scanned;
}

/** Scan thread → main thread. */
type ScanMessage =
  | {
      readonly kind: 'chunk';
      /** Number of the room it stands in. */
      readonly room: number;
      readonly bytes: Uint8Array;
      readonly scanned: Scanned;
      readonly rawBytes: number;
    }
  | { readonly kind: 'end'; readonly rawBytes: number }
  | {
      readonly kind: 'stop';
      readonly reason: StopReason;
      readonly detail: string;
      readonly rawBytes: number;
    };

/** Main thread → scan thread: the room that is free again. */
type ScanReply = number;

/** The main thread's side. */
export class ScannedFile {
  /** What was found in the chunk given out last. */
  found: Scanned | null = null;
  readonly #task: ScanTask;
  readonly #stats: ReadStats;
  readonly #url: URL;

  /** @param stats filled in as reading goes on, but for the hash. */
  constructor(task: ScanTask, stats: ReadStats, url: URL) {
    this.#task = task;
    this.#stats = stats;
    this.#url = url;
  }

  /** The file's bytes; a chunk is valid until the next is asked for. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const worker = new Worker(this.#url, { workerData: this.#task, execArgv: [] });
    const inbox = new Inbox<ScanMessage>(worker);
    try {
      for (;;) {
        const message = await inbox.next();
        this.#stats.rawBytes = message.rawBytes;
        if (message.kind === 'end') return;
        if (message.kind === 'stop') throw new ReadStop(message.reason, message.detail);
        this.found = message.scanned;
        yield message.bytes;
        this.found = null;
        worker.postMessage(message.room satisfies ScanReply);
      }
    } finally {
      await worker.terminate();
    }
  }
}

/** Does the work that the thread was started for; called by the thread's entry. */
export async function serveScan(
  open: (order: ScanOrder, rooms: number) => ThreadScanner | null,
): Promise<void> {
  const task: ScanTask = workerData;
  const scanner = open(task.order, QUEUE);
  if (parentPort === null || scanner === null) return;
  const port = parentPort;
  const thread = new ScanThread(task, port, scanner);
  const post = (message: ScanMessage): void => port.postMessage(message);
  try {
    await thread.run();
    post({ kind: 'end', rawBytes: thread.rawBytes });
  } catch (error) {
    const { reason, message } = asReadStop(error);
    post({ kind: 'stop', reason, detail: message, rawBytes: thread.rawBytes });
  }
  port.close();
}

class ScanThread {
  rawBytes = 0;
  readonly #task: ScanTask;
  readonly #port: MessagePort;
  readonly #scanner: ThreadScanner;
  readonly #pool: Pool<number>;

  constructor(task: ScanTask, port: MessagePort, scanner: ThreadScanner) {
    this.#task = task;
    this.#port = port;
    this.#scanner = scanner;
    let next = 0;
    this.#pool = new Pool(() => next++, scanner.rooms.length);
    port.on('message', (room: ScanReply) => this.#pool.give(room));
  }

  async run(): Promise<void> {
    const { inputBytes } = this.#task;
    let kept = new Uint8Array(0);
    let sent = 0;
    for (let ended = false; !ended; ) {
      const number = await this.#freeRoom();
      const room = this.#scanner.rooms[number]!.subarray(0, READ_BYTES);
      room.set(kept);
      const filled = this.#fill(room, kept.length);
      ended = filled < ENOUGH;
      const end = ended ? filled : lineEnd(room, filled);
      kept = room.slice(end, filled);
      const part = room.subarray(0, Math.min(end, inputBytes - sent));
      sent += end;
      // What a parser may see behind the chunk is the same whatever the room held before.
      this.#scanner.rooms[number]!.fill(NEWLINE, end, end + SLACK_BYTES);
      if (part.length > 0) this.#send(number, part);
      if (sent > inputBytes) throw new ReadStop('too-long', `${inputBytes}`);
    }
  }

  /** A room to fill; those that have come back first, because they are still in the cache. */
  #freeRoom(): Promise<number> {
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return this.#pool.take();
      this.#pool.give(received.message as ScanReply);
    }
  }

  /** Fills at least ENOUGH bytes, fewer only at the end of the file. */
  #fill(room: Uint8Array, from: number): number {
    let filled = from;
    while (filled < ENOUGH) {
      const count = readNow(this.#task.fd, room.subarray(filled), this.rawBytes);
      if (count === 0) break;
      filled += count;
      this.rawBytes += count;
    }
    return filled;
  }

  #send(room: number, bytes: Uint8Array): void {
    const scanned = this.#scanner.scan(bytes);
    const message: ScanMessage = { kind: 'chunk', room, bytes, scanned, rawBytes: this.rawBytes };
    this.#port.postMessage(message);
  }
}

/** Where the last whole line ends; all of it if that is too far from the end. */
function lineEnd(bytes: Uint8Array, filled: number): number {
  const end = bytes.lastIndexOf(NEWLINE, filled - 1) + 1;
  return end < filled - MAX_KEPT ? filled : end;
}
