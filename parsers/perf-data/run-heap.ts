/**
 * Ascending runs of rows in batches, merged by time: a heap over the runs' next rows.
 *
 * Equal times go by run, in the order in which the runs were added, which keeps the order of the
 * file. Between merges runs wait with what is left of them.
 */
import type { EventBatch } from '../../src/records/events.js';

interface Run {
  batch: EventBatch;
  /** Next row, and the row after the last. */
  next: number;
  end: number;
  /** Time of the next row. */
  timeNs: number;
  /** Order of arrival. */
  serial: number;
}

export class RunHeap {
  #runs: Run[] = [];
  #serial = 0;

  add(batch: EventBatch, start: number, end: number): void {
    const timeNs = batch.timeNs[start]!;
    this.#runs.push({ batch, next: start, end, timeNs, serial: this.#serial++ });
  }

  /** Makes the heap; add() may be called again only after end(). */
  begin(): void {
    for (let i = (this.#runs.length >> 1) - 1; i >= 0; i--) this.#down(i);
  }

  /** Runs go back to their order of arrival. */
  end(): void {
    this.#runs.sort((a, b) => a.serial - b.serial);
  }

  /** The batches whose rows still wait. */
  used(): Set<EventBatch> {
    const batches = new Set<EventBatch>();
    for (const run of this.#runs) batches.add(run.batch);
    return batches;
  }

  get empty(): boolean {
    return this.#runs.length === 0;
  }

  /** Time of the earliest row; like the other first… only if not empty. */
  get firstTime(): number {
    return this.#runs[0]!.timeNs;
  }

  get firstBatch(): EventBatch {
    return this.#runs[0]!.batch;
  }

  get firstRow(): number {
    return this.#runs[0]!.next;
  }

  /** The row after those of the first run that come before any other run's and up to `limit`. */
  stretch(limit: number): number {
    const runs = this.#runs;
    const first = runs[0]!;
    const left = runs[1];
    const right = runs[2];
    const rival = left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
    const bound = rival === undefined ? limit : Math.min(limit, rival.timeNs);
    const tie = rival === undefined || first.serial < rival.serial || bound < rival.timeNs;
    const times = first.batch.timeNs;
    let row = first.next + 1;
    if (tie) while (row < first.end && times[row]! <= bound) row++;
    else while (row < first.end && times[row]! < bound) row++;
    return row;
  }

  /** The first run's next row is `row` now. */
  advance(row: number): void {
    const runs = this.#runs;
    const first = runs[0]!;
    if (row < first.end) {
      first.next = row;
      first.timeNs = first.batch.timeNs[row]!;
    } else {
      const last = runs.pop()!;
      if (runs.length === 0) return;
      runs[0] = last;
    }
    this.#down(0);
  }

  #down(start: number): void {
    const runs = this.#runs;
    let at = start;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= runs.length) return;
      const right = left + 1;
      const least = right < runs.length && isBefore(runs[right]!, runs[left]!) ? right : left;
      if (!isBefore(runs[least]!, runs[at]!)) return;
      const kept = runs[at]!;
      runs[at] = runs[least]!;
      runs[least] = kept;
      at = least;
    }
  }
}

function isBefore(a: Run, b: Run): boolean {
  return a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.serial < b.serial);
}
