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
  /** By zone; a page of no zone counts in the last. */
  #zones: readonly Fallbacks[] = [new Fallbacks()];
  #total = 0;

  /** @param typeNames migratetype names by number, as this kernel numbers them. */
  constructor(fromNs: number, toNs: number, typeNames: readonly string[]) {
    this.#grid = timeGrid(fromNs, toNs, BUCKETS);
    this.#typeNames = typeNames;
  }

  start(state: ReplayState): void {
    this.#zones = Array.from({ length: state.zones.length + 1 }, () => new Fallbacks());
  }

  seldom(state: ReplayState, batch: EventBatch, i: number): void {
    if (batch.kind[i] !== EventKind.extfrag) return;
    const page = state.pageOf(batch.pfn[i]!);
    const zone = page < 0 ? this.#zones.length - 1 : state.zoneOf(page);
    const { counts, claimed, series } = this.#zones[zone]!;
    const detail = batch.detail[i]!;
    const cell = ((detail >> 10) & 7) * TYPES + (batch.migratetype[i]! & 7);
    counts[cell]!++;
    if ((detail >> 14) & 1) claimed[cell]!++;
    series[cell * BUCKETS + bucketOf(this.#grid, batch.timeNs[i]!)]!++;
    this.#total++;
  }

  result(): Extfrag {
    const name = (type: number): string => this.#typeNames[type] ?? `type ${type}`;
    const cells = [];
    for (let cell = 0; cell < TYPES * TYPES; cell++) {
      const parts = this.#zones.map((zone) => zone.cell(cell));
      const count = sum(parts.map((part) => part.count));
      if (count === 0) continue;
      cells.push({
        from: name(Math.floor(cell / TYPES)),
        to: name(cell % TYPES),
        count,
        claimed: sum(parts.map((part) => part.claimed)),
        series: parts[0]!.series.map((_, b) => sum(parts.map(({ series }) => series[b]!))),
        zones: parts
          .slice(0, -1)
          .map((part, zone) => ({ zone, ...part }))
          .filter((part) => part.count > 0),
      });
    }
    cells.sort((a, b) => b.count - a.count || (a.from + a.to < b.from + b.to ? -1 : 1));
    return { total: this.#total, cells, buckets: BUCKETS };
  }
}

/** The fallbacks of one zone. */
class Fallbacks {
  readonly counts = new Float64Array(TYPES * TYPES);
  readonly claimed = new Float64Array(TYPES * TYPES);
  readonly series = new Uint32Array(TYPES * TYPES * BUCKETS);

  cell(cell: number): { count: number; claimed: number; series: number[] } {
    return {
      count: this.counts[cell]!,
      claimed: this.claimed[cell]!,
      series: [...this.series.subarray(cell * BUCKETS, (cell + 1) * BUCKETS)],
    };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
