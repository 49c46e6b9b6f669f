/**
 * One cpu's pages as a stream of events, read a chunk of pages at a time.
 */
import type { PageLayout } from '../event-format/formats.js';
import { PageCursor } from './page-cursor.js';
import type { TickClock } from './ticks.js';

/** Gives the pages of one cpu in order. */
export interface PageSource {
  /** The next bytes: whole pages (the last may be short), or null at the end. Reused by the next call. */
  next(): Uint8Array | null;
}

export class CpuStream {
  readonly cpu: number;
  readonly cursor: PageCursor;
  /** Time of the event under the cursor, ns since the epoch. */
  timeNs = 0;
  /** Events missed before the event under the cursor: -1 none, NaN an unknown number. */
  missed = -1;
  readonly #source: PageSource;
  readonly #pageSize: number;
  readonly #clock: TickClock;
  readonly #scaled: boolean;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #page = 0;

  constructor(
    cpu: number,
    source: PageSource,
    layout: PageLayout,
    littleEndian: boolean,
    clock: TickClock,
  ) {
    this.cpu = cpu;
    this.#source = source;
    this.#pageSize = layout.pageSize;
    this.#clock = clock;
    this.#scaled = clock.scaled;
    this.cursor = new PageCursor(layout, littleEndian, clock);
  }

  /** Moves to the next event; false when there are no more. */
  advance(): boolean {
    while (!this.cursor.next()) {
      if (!this.#nextPage()) return false;
    }
    this.timeNs = this.#scaled ? this.#clock.toNs(this.cursor.ticks) : this.cursor.ticks;
    return true;
  }

  #nextPage(): boolean {
    if (this.#page >= this.#view.byteLength) {
      const bytes = this.#source.next();
      if (bytes === null || bytes.length === 0) return false;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      this.#page = 0;
    }
    const size = Math.min(this.#pageSize, this.#view.byteLength - this.#page);
    const opened = this.cursor.open(this.#view, this.#page, size);
    this.#page += size;
    if (opened && this.cursor.missed !== -1) this.#noteMissed(this.cursor.missed);
    return true;
  }

  #noteMissed(count: number): void {
    this.missed = this.missed > 0 ? this.missed + count : count;
  }
}
