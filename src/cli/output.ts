/**
 * stdout, for data: waits when the reader is slow, and is quiet when the reader has gone.
 *
 * `buddyscope … | head` closes the pipe early; that is no error of ours.
 */
import type { Writable } from 'node:stream';

export class Output {
  readonly #stream: Writable;
  #closed = false;
  #wake: (() => void) | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#closed = true;
      this.#wake?.();
      if (error.code !== 'EPIPE') throw error;
    });
    stream.on('drain', () => this.#wake?.());
  }

  /** True once the reader has gone: a long command may stop early. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the stream takes more. */
  async write(text: string | Uint8Array): Promise<void> {
    if (this.#closed || text.length === 0) return;
    if (this.#stream.write(text)) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#closed) resolve();
    });
    this.#wake = null;
  }

  async line(text = ''): Promise<void> {
    await this.write(`${text}\n`);
  }
}
