/**
 * Messages of a worker, in order, awaited one at a time.
 */
import type { Worker } from 'node:worker_threads';
import { ReadStop } from './decode-error.js';

export class Inbox<T> {
  readonly #messages: T[] = [];
  #wake: (() => void) | null = null;
  #error: unknown = null;

  constructor(worker: Worker) {
    worker.on('message', (message: T) => {
      this.#messages.push(message);
      this.#wake?.();
    });
    worker.on('error', (error) => {
      this.#error = error;
      this.#wake?.();
    });
    worker.on('exit', (code) => {
      this.#error ??= new Error(`a thread ended with code ${code}`);
      this.#wake?.();
    });
  }

  /** The next message; throws a ReadStop when the worker ended before it sent one. */
  async next(): Promise<T> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#error !== null) throw new ReadStop('io', String(this.#error), this.#error);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}
