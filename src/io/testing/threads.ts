/**
 * Threads for tests: one cannot start from TypeScript on Node 20, so a bundle stands in for the compiled file.
 */
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { TaskQueue } from '../task-queue.js';

/** Bundles where a thread starts into a folder; where it is then. */
export async function bundledThread(entry: URL, dir: string): Promise<URL> {
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
