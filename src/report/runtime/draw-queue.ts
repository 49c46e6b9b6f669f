/**
 * Draws charts one a frame, so that the page answers between two of them. Where no frames come (a window behind
 * others, a picture taken without a screen) it goes on all the same.
 */
export interface Drawable {
  draw(): void;
}

/** Waits no longer for a frame, ms. */
const PATIENCE_MS = 100;

/** Before the next frame, or soon if none comes. */
function soon(task: () => void): void {
  let done = false;
  const once = (): void => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    task();
  };
  const timer = setTimeout(once, PATIENCE_MS);
  const frame = requestAnimationFrame(once);
}

export class DrawQueue {
  readonly #waiting = new Set<Drawable>();
  #running = false;
  #drawn = 0;

  add(chart: Drawable): void {
    this.#waiting.add(chart);
    if (this.#running) return;
    this.#running = true;
    soon(() => this.#next());
  }

  remove(chart: Drawable): void {
    this.#waiting.delete(chart);
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first) {
      this.#waiting.delete(first);
      first.draw();
      // What "opens in under two seconds" is measured by.
      if (this.#drawn++ === 0) performance.mark('first-chart');
    }
    this.#running = this.#waiting.size > 0;
    if (this.#running) soon(() => this.#next());
  }
}
