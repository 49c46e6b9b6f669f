/**
 * Where the hash thread starts: hashes a file and posts the result.
 *
 * Nobody waits for it yet, so it leaves a processor to those that somebody does. On Linux a priority is a thread's own;
 * elsewhere it would be the process's, and is left alone.
 */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { hashFile } from './hash.js';

/** At 10 it was the last to be done on a loaded machine, and somebody waited after all. */
const PRIORITY = 5;

if (process.platform === 'linux') setPriority(PRIORITY);
parentPort?.postMessage(hashFile(workerData));
