/**
 * Buffers that go from a thread to the main thread and come back: a bounded number, so that a thread never runs
 * far ahead.
 *
 * Their memory is shared, and they are handed to and fro by message; whoever has one uses it alone. Giving the memory
 * away instead (a transfer) would detach it: at the first buffer that is detached V8 throws away all code it has
 * compiled for typed arrays, and compiles it again with a check at every access.
 */
export class Pool<T> {
  readonly #free: T[] = [];
  readonly #make: () => T;
  readonly #limit: number;
  #made = 0;
  #wake: (() => void) | null = null;

  /**
   * @param make makes one, when all that there are are away.
   * @param limit made in all.
   */
  constructor(make: () => T, limit: number) {
    this.#make = make;
    this.#limit = limit;
  }

  /** One has come back. */
  give(one: T): void {
    this.#free.push(one);
    this.#wake?.();
  }

  /** One that may be used; waits when the main thread has them all. */
  async take(): Promise<T> {
    for (;;) {
      const one = this.#free.pop();
      if (one !== undefined) return one;
      if (this.#made < this.#limit) {
        this.#made++;
        return this.#make();
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}
