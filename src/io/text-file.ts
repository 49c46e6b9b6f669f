/**
 * Small text files that the user names on the command line (`--at-file`).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Largest file read whole: instants for a million predictions take about 20 MB. */
const MAX_BYTES = 64 << 20;

/** The whole file, `-` for standard input. Throws the system's error; RangeError if too large. */
export function readTextFile(path: string): string {
  const fd = path === '-' ? 0 : openSync(path, 'r');
  try {
    if (fstatSync(fd).size > MAX_BYTES) throw new RangeError(`${path} is larger than 64 MiB`);
    const chunks: Buffer[] = [];
    let total = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(1 << 16);
      const length = readSync(fd, chunk, 0, chunk.length, null);
      if (length === 0) break;
      total += length;
      if (total > MAX_BYTES) throw new RangeError(`${path} is larger than 64 MiB`);
      chunks.push(chunk.subarray(0, length));
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}
