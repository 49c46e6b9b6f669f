/**
 * The reader thread: reads, hashes and decompresses one input and posts the plain bytes.
 *
 * At most QUEUE buffers are out at a time; when all are, it waits for the main thread to give one
 * back. Errors are posted as data, so that the main thread gets every byte that came before them.
 */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { asReadStop, ReadStop } from './decode-error.js';
import { Pool } from './pool.js';
import { READ_BYTES, type ReadStats, readDescriptor, readNow, readOnce } from './raw.js';
import { readDecoded } from './read.js';
import { newReadStats, type ReaderMessage, type ReaderTask } from './reader.js';

const QUEUE = 8;
/** A pipe gives little at a time: a chunk is sent from this much on. */
const ENOUGH = READ_BYTES / 2;

/** Fills at least ENOUGH bytes from `from` on, fewer only at the end of the input. */
async function fill(task: ReaderTask, room: Uint8Array, from: number): Promise<number> {
  let filled = from;
  while (filled < ENOUGH) {
    const free = room.subarray(filled);
    const count = task.pipe === true ? await readOnce(task.fd, free) : readNow(task.fd, free);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

/** What readDecoded does for such an input, without a copy and in chunks that are worth a message. */
async function readPlain(
  task: ReaderTask,
  pool: Pool<SharedArrayBuffer>,
  stats: ReadStats,
  send: (bytes: Uint8Array<SharedArrayBuffer>) => void,
): Promise<void> {
  const { hash: wanted, inputBytes } = task.options;
  const hash = wanted ? createHash('sha256') : null;
  let ended = false;
  for (let taken = task.initial; !ended; taken = taken.subarray(0, 0)) {
    const room = new Uint8Array(await pool.take());
    room.set(taken);
    const count = await fill(task, room, taken.length);
    ended = count < ENOUGH;
    const before = stats.rawBytes;
    stats.rawBytes += count;
    hash?.update(room.subarray(0, count));
    const part = room.subarray(0, Math.min(count, inputBytes - before));
    if (part.length > 0) send(part);
    if (stats.rawBytes > inputBytes) throw new ReadStop('too-long', `${inputBytes}`);
  }
  stats.sha256 = hash?.digest('hex') ?? null;
}

async function run(task: ReaderTask): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  const pool = new Pool(() => new SharedArrayBuffer(READ_BYTES), QUEUE);
  port.on('message', (buffer: SharedArrayBuffer) => pool.give(buffer));
  const stats = newReadStats();
  const post = (message: ReaderMessage): void => port.postMessage(message);
  const send = (bytes: Uint8Array<SharedArrayBuffer>): void =>
    post({ kind: 'chunk', bytes, stats: { ...stats } });
  try {
    if (task.plain === true) await readPlain(task, pool, stats, send);
    else {
      for await (const chunk of readDecoded(
        readDescriptor(task.fd, task.initial),
        task.options,
        stats,
      )) {
        for (let at = 0; at < chunk.length; at += READ_BYTES) {
          const part = chunk.subarray(at, at + READ_BYTES);
          const bytes = new Uint8Array(await pool.take(), 0, part.length);
          bytes.set(part);
          send(bytes);
        }
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
