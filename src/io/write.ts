/**
 * Writing outputs so that nobody ever sees half a file, and nothing is written elsewhere than asked.
 *
 * A file is written under a temporary name in its own directory and renamed; an existing file is
 * kept unless `force`; a link in its place is replaced, never followed. Output names come from the
 * program or the command line, never from an input's content, and must stay inside the directory.
 */
import {
  closeSync,
  fsync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

const flushFile = promisify(fsync);

/** An output that was not written, and why, as data: `exists`, `outside` or the system's code. */
export class OutputError extends Error {
  readonly path: string;
  readonly code: string;

  constructor(path: string, code: string, cause?: unknown) {
    super(`output ${path}: ${code}`, cause === undefined ? undefined : { cause });
    this.name = 'OutputError';
    this.path = path;
    this.code = code;
  }
}

/** `name` inside `directory`; throws if it would lie outside. */
export function outputPath(directory: string, name: string): string {
  const path = resolve(directory, name);
  const inside = relative(resolve(directory), path);
  if (inside === '' || inside.startsWith('..') || isAbsolute(inside) || name.includes('\0')) {
    throw new OutputError(join(directory, name), 'outside');
  }
  return path;
}

let serial = 0;

/** A file in the making. Nothing is visible under its name until `commit`. */
export class AtomicFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #force: boolean;
  #fd: number;

  constructor(path: string, options: { force?: boolean } = {}) {
    this.path = path;
    this.#force = options.force ?? false;
    if (!this.#force && exists(path)) throw new OutputError(path, 'exists');
    const name = `.${basename(path)}.${process.pid}.${++serial}.tmp`;
    this.#temporary = join(dirname(path), name);
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#fd = openSync(this.#temporary, 'wx', 0o666);
    } catch (cause) {
      throw outputError(path, cause);
    }
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done);
      }
    } catch (cause) {
      this.abort();
      throw outputError(this.path, cause);
    }
  }

  /** Brings what was written to the disk. */
  async flush(): Promise<void> {
    try {
      await flushFile(this.#fd);
    } catch (cause) {
      this.abort();
      throw outputError(this.path, cause);
    }
  }

  /** Brings the file to the disk and puts it in its place. */
  commit(): void {
    try {
      fsyncSync(this.#fd);
    } catch (cause) {
      this.abort();
      throw outputError(this.path, cause);
    }
    this.place();
  }

  /** Puts the file in its place. */
  place(): void {
    try {
      closeSync(this.#fd);
      this.#fd = -1;
      if (!this.#force && exists(this.path)) throw new OutputError(this.path, 'exists');
      renameSync(this.#temporary, this.path);
    } catch (cause) {
      this.abort();
      throw cause instanceof OutputError ? cause : outputError(this.path, cause);
    }
  }

  /** Throws the file away, unless it is in its place. */
  abort(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    try {
      unlinkSync(this.#temporary);
    } catch {
      // Never made, or already gone.
    }
  }
}

/** Writes a whole file at once. */
export function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: { force?: boolean } = {},
): void {
  const file = new AtomicFile(path, options);
  file.write(data);
  file.commit();
}

/**
 * Writes several files into a folder. None appears under its name before all are on the disk, which takes them
 * there together: one by one each waits for the disk.
 */
export async function writeFilesAtomic(
  folder: string,
  files: Iterable<readonly [name: string, content: string | Uint8Array]>,
  options: { force?: boolean } = {},
): Promise<void> {
  const made: AtomicFile[] = [];
  try {
    for (const [name, content] of files) {
      const file = new AtomicFile(outputPath(folder, name), options);
      made.push(file);
      file.write(content);
    }
    await Promise.all(made.map((file) => file.flush()));
    for (const file of made) file.place();
  } catch (error) {
    for (const file of made) file.abort();
    throw error;
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function outputError(path: string, cause: unknown): OutputError {
  return new OutputError(path, (cause as NodeJS.ErrnoException)?.code ?? 'unknown', cause);
}
