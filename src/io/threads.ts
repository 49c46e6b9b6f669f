/**
 * Threads that do one thing beside the main thread and say one thing: whoever asks waits, and nobody else does.
 */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';

/** Whether another processor is there for a thread: on a single one it costs more than it gives. */
export function threadsHelp(): boolean {
  return availableParallelism() > 1;
}

/** Where a thread is that starts beside a module; null when running from source, where none can start. */
export function compiledThread(name: string, moduleUrl: string): URL | null {
  return moduleUrl.endsWith('.js') ? new URL(name, moduleUrl) : null;
}

/**
 * The first message of a worker, null if it fails or ends without one. The worker holds nobody from ending until `ref`
 * is called. (Listening would hold it again, so that is done first.)
 */
export function oneReply<T>(worker: Worker): Promise<T | null> {
  const reply = new Promise<T | null>((resolve) => {
    worker.on('message', resolve);
    worker.on('error', () => resolve(null));
    worker.on('exit', () => resolve(null));
  });
  worker.unref();
  return reply;
}
