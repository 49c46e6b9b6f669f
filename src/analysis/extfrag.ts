/**
 * Observer: fallback allocations, as a matrix of migratetypes over time.
 *
 * mm_page_alloc_extfrag says that a request of one type was served from a block of another: the act
 * by which pageblocks get mixed. `claimed` counts those where the whole pageblock changed owner.
 */
import { type EventBatch, EventKind } from '../records/events.js';
import type { ReplayObserver, ReplayState } from '../replay/observer.js';
import type { Extfrag, TimeGrid } from './report-data.js';
import { bucketOf, timeGrid } from './time-grid.js';

const TYPES = 8;
const BUCKETS = 120;

/** Counts fallbacks between migratetypes over time. */
export class ExtfragObserver implements ReplayObserver {
  readonly #grid: TimeGrid;
  readonly #typeNames: readonly string[];
  readonly #counts = new Float64Array(TYPES * TYPES);
  readonly #claimed = new Float64Array(TYPES * TYPES);
  readonly #series = new Uint32Array(TYPES * TYPES * BUCKETS);
  #total = 0;

  /** @param typeNames migratetype names by number, as this kernel numbers them. */
  constructor(fromNs: number, toNs: number, typeNames: readonly string[]) {
    this.#grid = timeGrid(fromNs, toNs, BUCKETS);
    this.#typeNames = typeNames;
  }

  batch(_state: ReplayState, batch: EventBatch, from: number, to: number): void {
    const { kind } = batch;
    for (let i = from; i < to; i++) if (kind[i] === EventKind.extfrag) this.#fallback(batch, i);
  }

  #fallback(batch: EventBatch, i: number): void {
    const detail = batch.detail[i]!;
    const cell = ((detail >> 10) & 7) * TYPES + (batch.migratetype[i]! & 7);
    this.#counts[cell]!++;
    if ((detail >> 14) & 1) this.#claimed[cell]!++;
    this.#series[cell * BUCKETS + bucketOf(this.#grid, batch.timeNs[i]!)]!++;
    this.#total++;
  }

  result(): Extfrag {
    const name = (type: number): string => this.#typeNames[type] ?? `type ${type}`;
    const cells = [];
    for (let cell = 0; cell < TYPES * TYPES; cell++) {
      if (this.#counts[cell] === 0) continue;
      cells.push({
        from: name(Math.floor(cell / TYPES)),
        to: name(cell % TYPES),
        count: this.#counts[cell]!,
        claimed: this.#claimed[cell]!,
        series: [...this.#series.subarray(cell * BUCKETS, (cell + 1) * BUCKETS)],
      });
    }
    cells.sort((a, b) => b.count - a.count || (a.from + a.to < b.from + b.to ? -1 : 1));
    return { total: this.#total, cells, buckets: BUCKETS };
  }
}
