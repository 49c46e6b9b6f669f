/**
 * One temporary file that nobody else can read and that does not outlive the process.
 *
 * Created exclusively with mode 0600 under `$TMPDIR` (or the system's folder for such files) and
 * unlinked while still open where the system allows it, so that a crash leaves nothing behind;
 * elsewhere it is removed by `close()`. Written at the end only, read anywhere. Synchronous: the
 * callers are passes over gigabytes that have nothing else to do meanwhile.
 */
import { closeSync, openSync, readvSync, unlinkSync, writevSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let serial = 0;

/** A temporary file could not be made or written: most often the disk is full. */
export class TempFileError extends Error {
  readonly path: string;
  readonly code: string;

  constructor(path: string, cause: unknown) {
    const code = (cause as NodeJS.ErrnoException)?.code ?? 'unknown';
    super(`temporary file ${path}: ${code}`, { cause });
    this.name = 'TempFileError';
    this.path = path;
    this.code = code;
  }
}

export class TempFile {
  readonly path: string;
  #fd: number;
  #size = 0;
  #unlinked = false;

  constructor(purpose: string, directory: string = tmpdir()) {
    this.path = join(directory, `buddyscope-${process.pid}-${++serial}-${purpose}.tmp`);
    try {
      this.#fd = openSync(this.path, 'wx+', 0o600);
    } catch (cause) {
      throw new TempFileError(this.path, cause);
    }
    try {
      unlinkSync(this.path);
      this.#unlinked = true;
    } catch {
      // Systems that keep the name of an open file: close() removes it.
    }
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Writes all of `parts` at the end, one after the other; returns the offset they start at. */
  append(...parts: readonly Uint8Array[]): number {
    const offset = this.#size;
    const bytes = lengthOf(parts);
    try {
      for (let done = 0; done < bytes; ) {
        done += writevSync(this.#fd, after(parts, done), offset + done);
      }
    } catch (cause) {
      throw new TempFileError(this.path, cause);
    }
    this.#size += bytes;
    return offset;
  }

  /** Fills `parts` in order from `position` on; returns the bytes read, fewer only at the end of the file. */
  read(position: number, ...parts: readonly Uint8Array[]): number {
    const bytes = lengthOf(parts);
    let done = 0;
    while (done < bytes) {
      const count = readvSync(this.#fd, after(parts, done), position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /** Closes and deletes. Safe to call twice. */
  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
    if (this.#unlinked) return;
    try {
      unlinkSync(this.path);
    } catch {
      // Already gone.
    }
  }
}

/** Fills `parts` in order from a block of memory: what `TempFile.read` does from a file. */
export function copyOut(block: Uint8Array, offset: number, parts: readonly Uint8Array[]): void {
  let at = offset;
  for (const part of parts) {
    part.set(block.subarray(at, at + part.length));
    at += part.length;
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return bytes;
}

/** What is left of `parts` after their first `done` bytes. */
function after(parts: readonly Uint8Array[], done: number): readonly Uint8Array[] {
  let skip = done;
  let first = 0;
  while (first < parts.length && skip >= parts[first]!.length) skip -= parts[first++]!.length;
  if (skip === 0) return first === 0 ? parts : parts.slice(first);
  return [parts[first]!.subarray(skip), ...parts.slice(first + 1)];
}
