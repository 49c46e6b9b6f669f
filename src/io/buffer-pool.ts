/**
 * Buffers that go from a thread to the main thread and come back: a bounded number, so that a thread never runs
 * far ahead.
 */
export class BufferPool {
  readonly #free: ArrayBuffer[] = [];
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
  give(buffer: ArrayBuffer): void {
    this.#free.push(buffer);
    this.#wake?.();
  }

  /** One that may be filled; waits when the main thread has them all. */
  async take(): Promise<ArrayBuffer> {
    for (;;) {
      const buffer = this.#free.pop();
      if (buffer !== undefined) return buffer;
      if (this.#made < this.#limit) {
        this.#made++;
        return new ArrayBuffer(this.#bytes);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}
