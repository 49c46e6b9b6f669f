/**
 * Where the hash thread starts: hashes a file and posts the result.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { giveWay } from './give-way.js';
import { hashFile } from './hash.js';

giveWay();
parentPort?.postMessage(hashFile(workerData));
