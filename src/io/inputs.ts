/**
 * From what the user named to the list of inputs: files, directories, stdin.
 *
 * Directories are walked in sorted order; names that begin with a dot, and links to directories, are
 * left out (a link can lead round in circles). Inside a directory only regular files count; named
 * directly, a FIFO or a device (`/dev/stdin`, process substitution) is read like a file. A file met
 * twice is read once.
 */
import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostics } from '../records/diagnostics.js';
import type { Limits } from '../records/limits.js';

export interface InputFile {
  /** As the user named it; below a directory, with that directory in front. */
  readonly name: string;
  /** null for stdin. */
  readonly path: string | null;
  /** Size on disk, NaN when the system does not know (pipes). */
  readonly rawBytes: number;
  readonly regular: boolean;
  /** Named by the user, not found in a directory. */
  readonly explicit: boolean;
}

/** How stdin is named. */
export const STDIN = '-';

class Collector {
  readonly files: InputFile[] = [];
  readonly #seen = new Set<string>();
  readonly #diagnostics: Diagnostics;
  readonly #limit: number;

  constructor(diagnostics: Diagnostics, limit: number) {
    this.#diagnostics = diagnostics;
    this.#limit = limit;
  }

  addNamed(input: string): void {
    if (input === STDIN) {
      this.#add({
        name: STDIN,
        path: null,
        rawBytes: Number.NaN,
        regular: false,
        explicit: true,
      });
      return;
    }
    const stats = this.#stat(input);
    if (stats === null) return;
    if (!stats.isDirectory()) {
      this.#addFile(input, stats, true);
      return;
    }
    const budget = { left: this.#limit };
    const before = this.files.length;
    this.#walk(input, budget);
    if (budget.left < 0) {
      this.#diagnostics.report('input-files-limit', { source: input }, { limit: this.#limit });
    } else if (this.files.length === before) {
      this.#diagnostics.report('input-directory-empty', { source: input });
    }
  }

  #walk(directory: string, budget: { left: number }): void {
    let entries: { name: string; directory: boolean }[];
    try {
      entries = readdirSync(directory, { withFileTypes: true })
        .filter((entry) => !entry.name.startsWith('.'))
        .map((entry) => ({ name: entry.name, directory: entry.isDirectory() }));
    } catch (error) {
      this.#unreadable(directory, error);
      return;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    for (const entry of entries) {
      if (budget.left < 0) return;
      const path = join(directory, entry.name);
      if (entry.directory) {
        this.#walk(path, budget);
        continue;
      }
      const stats = this.#stat(path);
      if (stats === null || !stats.isFile()) continue;
      if (--budget.left < 0) return;
      this.#addFile(path, stats, false);
    }
  }

  #addFile(path: string, stats: Stats, explicit: boolean): void {
    const regular = stats.isFile();
    if (regular && stats.ino !== 0) {
      const identity = `${stats.dev}:${stats.ino}`;
      if (this.#seen.has(identity)) return;
      this.#seen.add(identity);
    }
    // A size of 0 is what /proc says of files that do have content: not known, then.
    const rawBytes = regular && stats.size > 0 ? stats.size : Number.NaN;
    this.#add({ name: path, path, rawBytes, regular: regular && stats.size > 0, explicit });
  }

  #add(file: InputFile): void {
    if (file.path === null && this.files.some((other) => other.path === null)) return;
    this.files.push(file);
  }

  #stat(path: string): Stats | null {
    try {
      return statSync(path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        this.#diagnostics.report('input-missing', { source: path });
      } else {
        this.#unreadable(path, error);
      }
      return null;
    }
  }

  #unreadable(path: string, error: unknown): void {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    this.#diagnostics.report('input-unreadable', { source: path }, { reason });
  }
}

/** The inputs behind the names, in the order they are to be read. */
export function listInputs(
  names: readonly string[],
  limits: Limits,
  diagnostics: Diagnostics,
): InputFile[] {
  const collector = new Collector(diagnostics, limits.files);
  for (const name of names) collector.addNamed(name);
  return collector.files;
}
