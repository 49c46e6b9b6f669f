/**
 * Draws charts one a frame, so that the page answers between two of them.
 */
export interface Drawable {
  draw(): void;
}

export class DrawQueue {
  readonly #waiting = new Set<Drawable>();
  #running = false;

  add(chart: Drawable): void {
    this.#waiting.add(chart);
    if (this.#running) return;
    this.#running = true;
    requestAnimationFrame(() => this.#next());
  }

  remove(chart: Drawable): void {
    this.#waiting.delete(chart);
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first) {
      this.#waiting.delete(first);
      first.draw();
    }
    this.#running = this.#waiting.size > 0;
    if (this.#running) requestAnimationFrame(() => this.#next());
  }
}
