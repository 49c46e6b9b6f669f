/**
 * Threads for tests: one cannot start from TypeScript on Node 20, so a bundle stands in for the compiled file.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';
import type { TaskQueue } from '../task-queue.js';

/** A thread that the tests of a file may start, and a folder of theirs. */
export interface TestThread {
  url: URL;
  dir: string;
}

/** To be called at the top of a test file: bundles where a thread starts before its tests, and removes the folder after them. */
export function usingThread(entry: URL): TestThread {
  const thread: TestThread = { url: entry, dir: '' };
  beforeAll(async () => {
    thread.dir = mkdtempSync(join(tmpdir(), 'buddyscope-test-'));
    thread.url = await bundled(entry, thread.dir);
  });
  afterAll(() => rmSync(thread.dir, { recursive: true, force: true }));
  return thread;
}

async function bundled(entry: URL, dir: string): Promise<URL> {
  const outfile = join(dir, basename(entry.pathname).replace(/\.ts$/, '.mjs'));
  await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  return pathToFileURL(outfile);
}

/** Waits until a thread has begun to take a queue's tasks. */
export async function attended(queue: TaskQueue): Promise<void> {
  while (!queue.attended) await new Promise((resolve) => setTimeout(resolve, 1));
}
