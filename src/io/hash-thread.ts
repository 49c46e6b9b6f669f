/**
 * Where the hash thread starts: hashes a file and posts the result.
 *
 * It gives way a little to the threads that somebody waits for: on Linux a priority is a thread's own
 * (elsewhere it would be the process's, and is left alone).
 */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { hashFile } from './hash.js';

const PRIORITY = 5;

if (process.platform === 'linux') setPriority(PRIORITY);
parentPort?.postMessage(hashFile(workerData));
