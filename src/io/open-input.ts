/**
 * Opens one input for its two uses: a stream of plain bytes, or random access to them.
 *
 * The head is read first, so that the format can be decided before anything else is; it is part of
 * the stream that follows. A regular uncompressed file is read in place when random access is asked
 * for; everything else is copied to a temporary file.
 */
import { closeSync, open, openSync, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Limits } from '../records/limits.js';
import { isEncoded } from './compression.js';
import { ReadStop } from './decode-error.js';
import { BackgroundHash, hashFile } from './hash.js';
import type { InputFile } from './inputs.js';
import { accessCopy, accessDescriptor, type ClosableAccess } from './random-access.js';
import {
  type Chunks,
  peek,
  READ_BYTES,
  type ReadStats,
  readDescriptor,
  readOnce,
  readSmall,
} from './raw.js';
import { type ReadOptions, readDecoded } from './read.js';
import { newReadStats, readInThread, scanPays, threadPays } from './reader.js';
import { type Scanned, ScannedFile, type ScanOrder } from './scan.js';

export interface OpenInputOptions {
  readonly limits: Limits;
  readonly hash: boolean;
  /** What stands behind `-`. */
  readonly stdin: number | Chunks;
  /** The compiled reader thread, or null. */
  readonly thread: URL | null;
  /** The compiled scan thread, or null. */
  readonly scanThread: URL | null;
  /** Bytes of head wanted. */
  readonly headBytes: number;
}

const openFile = promisify(open);
const SNIFF_BYTES = 64;
/** Regular files up to this are read at once. */
const SMALL_BYTES = 1 << 16;

/** A plain file, which may be scanned ahead of its parser. */
class ScanChoice {
  /** Whether all bytes were scanned and given out. */
  complete = false;
  #order: ScanOrder | null = null;
  #file: ScannedFile | null = null;
  readonly #fd: number;
  readonly #options: OpenInputOptions;
  readonly #stats: ReadStats;

  constructor(fd: number, stats: ReadStats, options: OpenInputOptions) {
    this.#fd = fd;
    this.#stats = stats;
    this.#options = options;
  }

  order(order: ScanOrder): void {
    this.#order = order;
  }

  get found(): Scanned | null {
    return this.#file?.found ?? null;
  }

  /** Bytes with scans if they were ordered, else as `plain` gives them. */
  async *chunks(plain: () => AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { scanThread, limits } = this.#options;
    if (this.#order === null || scanThread === null) {
      yield* plain();
      return;
    }
    const task = { fd: this.#fd, inputBytes: limits.inputBytes, order: this.#order };
    this.#file = new ScannedFile(task, this.#stats, scanThread);
    yield* this.#file.chunks();
    this.complete = true;
  }
}

/** One open input. Use either `chunks` or `access`, then `close`. */
export class OpenInput {
  readonly head: Uint8Array;
  /** Filled in as reading goes on. */
  readonly stats: ReadStats;
  /** All plain bytes, head included; a chunk is valid until the next is asked for. */
  readonly chunks: AsyncGenerator<Uint8Array>;
  readonly #fd: number | null;
  readonly #file: InputFile;
  readonly #options: OpenInputOptions;
  readonly #scan: ScanChoice | null;

  constructor(
    file: InputFile,
    fd: number | null,
    peeked: { head: Uint8Array; all: AsyncGenerator<Uint8Array> },
    stats: ReadStats,
    options: OpenInputOptions,
    scan: ScanChoice | null = null,
  ) {
    this.#file = file;
    this.#fd = fd;
    this.head = peeked.head.subarray(0, options.headBytes);
    this.chunks = peeked.all;
    this.stats = stats;
    this.#options = options;
    this.#scan = scan;
  }

  /** Before the first chunk: scans are wanted, for the parser of this format. */
  orderScan(order: ScanOrder): void {
    this.#scan?.order(order);
  }

  /** What a scan found in the chunk given out last, or null where nobody scans. */
  get scanned(): Scanned | null {
    return this.#scan?.found ?? null;
  }

  /** Random access to the plain bytes, and why they end early, if they do. */
  async access(): Promise<{ access: ClosableAccess; stop: unknown }> {
    if (!this.#file.regular || this.stats.compression !== null || this.#fd === null) {
      return accessCopy(this.chunks);
    }
    await this.chunks.return(undefined);
    const size = Math.min(this.#file.rawBytes, this.#options.limits.inputBytes);
    const access = accessDescriptor(this.#fd, size);
    this.stats.rawBytes = this.#file.rawBytes;
    if (size < this.#file.rawBytes) {
      return { access, stop: new ReadStop('too-long', `${this.#options.limits.inputBytes}`) };
    }
    try {
      if (this.#options.hash) this.stats.sha256 = hashFile({ fd: this.#fd, bytes: size });
    } catch (stop) {
      return { access, stop };
    }
    return { access, stop: null };
  }

  /**
   * Closes the input, unless its bytes are yet to be hashed.
   * @returns that hash, which is to be taken or cancelled; null if there is none (`stats` has it, then).
   */
  async close(): Promise<BackgroundHash | null> {
    await this.chunks.return(undefined).catch(() => undefined);
    if (this.#fd === null || this.#file.path === null) return null;
    if (this.#options.hash && this.#scan?.complete === true) {
      return new BackgroundHash({ fd: this.#fd, bytes: this.stats.rawBytes });
    }
    closeSync(this.#fd);
    return null;
  }
}

/** Opens an input; throws the system's error if it cannot be opened. */
export async function openInput(file: InputFile, options: OpenInputOptions): Promise<OpenInput> {
  const stats = newReadStats();
  const wanted: ReadOptions = {
    expansion: options.limits.expansion,
    inputBytes: options.limits.inputBytes,
    hash: options.hash,
  };
  if (file.path === null && typeof options.stdin !== 'number') {
    const chunks = readDecoded(options.stdin, wanted, stats);
    return new OpenInput(file, null, await peek(chunks, options.headBytes), stats, options);
  }
  const fd = file.path === null ? (options.stdin as number) : await openPath(file.path, file);
  const { initial, compressed } = file.regular ? sniffFile(fd) : await sniffPipe(fd);
  const pays = threadPays(file.rawBytes, compressed, options.hash, file.path === null);
  const thread = pays ? options.thread : null;
  const read = (): AsyncGenerator<Uint8Array> =>
    thread === null
      ? readDecoded(rawBytesOf(fd, initial, file), wanted, stats)
      : readInThread(
          { fd, initial, options: wanted, plain: !compressed, pipe: !file.regular },
          stats,
          thread,
        );
  if (file.regular && scanPays(file.rawBytes, compressed)) {
    // Its head can be had without beginning to read, and tells whether to scan.
    const scan = new ScanChoice(fd, stats, options);
    const peeked = { head: headOf(fd, options.headBytes), all: scan.chunks(read) };
    return new OpenInput(file, fd, peeked, stats, options, scan);
  }
  return new OpenInput(file, fd, await peek(read(), options.headBytes), stats, options);
}

function rawBytesOf(fd: number, initial: Uint8Array, file: InputFile): Chunks {
  if (!file.regular) return readDescriptor(fd, initial, READ_BYTES);
  return file.rawBytes <= SMALL_BYTES
    ? readSmall(fd, file.rawBytes)
    : readDescriptor(fd, initial, file.rawBytes);
}

/** Only a FIFO can make one wait for its other end. */
async function openPath(path: string, { regular }: InputFile): Promise<number> {
  return regular ? openSync(path, 'r') : openFile(path, 'r');
}

/** Looks at the first bytes without taking them. */
function sniffFile(fd: number): { initial: Uint8Array; compressed: boolean } {
  return { initial: new Uint8Array(0), compressed: isEncoded(headOf(fd, SNIFF_BYTES)) };
}

function headOf(fd: number, bytes: number): Uint8Array {
  const head = new Uint8Array(bytes);
  let count = 0;
  try {
    count = readSync(fd, head, 0, head.length, 0);
  } catch {
    // Unreadable or not seekable: reading itself will say so.
  }
  return head.subarray(0, count);
}

/** Takes the first bytes of a pipe; the reader gets them handed in. */
async function sniffPipe(fd: number): Promise<{ initial: Uint8Array; compressed: boolean }> {
  const head = new Uint8Array(1 << 16);
  let count = 0;
  while (count < SNIFF_BYTES) {
    const got = await readOnce(fd, head.subarray(count));
    if (got === 0) break;
    count += got;
  }
  const initial = head.subarray(0, count);
  return { initial, compressed: isEncoded(initial) };
}
