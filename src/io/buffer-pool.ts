/**
 * Buffers that go from a thread to the main thread and come back: a bounded number, so that a thread never runs
 * far ahead.
 *
 * They are shared and handed to and fro by message; whoever has one uses it alone. Giving their memory away
 * instead (a transfer) would detach it: at the first buffer that is detached V8 throws away all code it has
 * compiled for typed arrays, and compiles it again with a check at every access.
 */
export class BufferPool {
  readonly #free: SharedArrayBuffer[] = [];
  readonly #bytes: number;
  readonly #limit: number;
  #made = 0;
  #wake: (() => void) | null = null;

  /**
   * @param bytes size of each.
   * @param limit buffers made in all.
   */
  constructor(bytes: number, limit: number) {
    this.#bytes = bytes;
    this.#limit = limit;
  }

  /** One has come back. */
  give(buffer: SharedArrayBuffer): void {
    this.#free.push(buffer);
    this.#wake?.();
  }

  /** One that may be filled; waits when the main thread has them all. */
  async take(): Promise<SharedArrayBuffer> {
    for (;;) {
      const buffer = this.#free.pop();
      if (buffer !== undefined) return buffer;
      if (this.#made < this.#limit) {
        this.#made++;
        return new SharedArrayBuffer(this.#bytes);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}
