/**
 * Observer: what the kernel itself did with recorded requests, by order and class.
 *
 * A failed allocation is an mm_page_alloc without a page. Only requests that may not wait and carry
 * __GFP_HIGH are atomic failures; opportunistic and blocking ones are counted apart, since their
 * callers have something else to fall back on.
 */
import { type EventBatch, EventKind, PFN_NONE } from '../records/events.js';
import type { RecordingStrings } from '../records/strings.js';
import type { ReplayObserver, ReplayState } from '../replay/observer.js';
import type { Attempts, RefusalBucket, TimeGrid } from './report-data.js';
import { bucketOf } from './time-grid.js';
import type { Attempt, AttemptClass } from './types.js';

export const ATTEMPT_CLASSES: readonly AttemptClass[] = [
  'atomic',
  'nowait',
  'opportunistic',
  'blocking',
];
const ORDERS = 32;
const CLASSES = ATTEMPT_CLASSES.length;
/** Refusals kept one by one: atomic ones, and all others together. */
const ATOMIC_EXAMPLES = 1000;
const OTHER_EXAMPLES = 300;
const ATOMIC = 0;
const UNCLASSED = 255;

export interface AttemptsOptions {
  readonly grid: TimeGrid;
  readonly strings: RecordingStrings;
  /** Class of a request, from its gfp text as the kernel printed it. */
  readonly classOf: (gfp: string, order: number) => AttemptClass;
}

/** Counts what the kernel answered, by order and class. */
export class AttemptsObserver implements ReplayObserver {
  readonly #options: AttemptsOptions;
  /** Class by [gfp id * ORDERS + order], filled on first sight. */
  readonly #classes = new Uint8Array((1 << 16) * ORDERS).fill(UNCLASSED);
  readonly #ok = new Float64Array(ORDERS * CLASSES);
  readonly #failed = new Float64Array(ORDERS * CLASSES);
  readonly #buckets: Uint32Array;
  readonly #examples: Attempt[] = [];
  #refusals = 0;
  #atomicKept = 0;
  #othersKept = 0;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#buckets = new Uint32Array(options.grid.buckets * ORDERS * CLASSES);
  }

  batch(_state: ReplayState, batch: EventBatch, from: number, to: number): void {
    const { kind, order: orders, detail, pfn } = batch;
    const classes = this.#classes;
    const served = this.#ok;
    for (let i = from; i < to; i++) {
      if (kind[i] !== EventKind.alloc) continue;
      const order = orders[i]! & (ORDERS - 1);
      const gfp = detail[i]!;
      let cls = classes[gfp * ORDERS + order]!;
      if (cls === UNCLASSED) cls = this.#classify(gfp, order);
      if (pfn[i] !== PFN_NONE) served[order * CLASSES + cls]!++;
      else this.#refused(batch, i, order * CLASSES + cls, cls);
    }
  }

  #refused(batch: EventBatch, i: number, cell: number, cls: number): void {
    this.#failed[cell]!++;
    this.#buckets[bucketOf(this.#options.grid, batch.timeNs[i]!) * ORDERS * CLASSES + cell]!++;
    this.#refusals++;
    if (cls === ATOMIC) {
      if (this.#atomicKept++ < ATOMIC_EXAMPLES) this.#keep(batch, i, cls);
    } else if (this.#othersKept++ < OTHER_EXAMPLES) this.#keep(batch, i, cls);
  }

  #classify(gfp: number, order: number): number {
    const text = this.#options.strings.gfps.text(gfp);
    const cls = ATTEMPT_CLASSES.indexOf(this.#options.classOf(text, order));
    this.#classes[gfp * ORDERS + order] = cls;
    return cls;
  }

  #keep(batch: EventBatch, i: number, cls: number): void {
    const { strings } = this.#options;
    this.#examples.push({
      timeNs: batch.timeNs[i]!,
      order: batch.order[i]!,
      gfp: strings.gfps.text(batch.detail[i]!),
      cpu: batch.cpu[i]!,
      pid: batch.pid[i]!,
      comm: strings.comms.text(batch.comm[i]!),
      ok: false,
      class: ATTEMPT_CLASSES[cls]!,
    });
  }

  result(): Attempts {
    const counts = [];
    for (let cell = 0; cell < ORDERS * CLASSES; cell++) {
      if (this.#ok[cell] === 0 && this.#failed[cell] === 0) continue;
      counts.push({
        order: Math.floor(cell / CLASSES),
        class: ATTEMPT_CLASSES[cell % CLASSES]!,
        ok: this.#ok[cell]!,
        failed: this.#failed[cell]!,
      });
    }
    return {
      counts,
      refusals: this.#refusalBuckets(),
      examples: this.#examples,
      refusalsTotal: this.#refusals,
      refusalsKept: this.#examples.length,
    };
  }

  #refusalBuckets(): RefusalBucket[] {
    const found: RefusalBucket[] = [];
    this.#buckets.forEach((count, at) => {
      if (count === 0) return;
      const cell = at % (ORDERS * CLASSES);
      found.push({
        bucket: Math.floor(at / (ORDERS * CLASSES)),
        order: Math.floor(cell / CLASSES),
        class: ATTEMPT_CLASSES[cell % CLASSES]!,
        count,
      });
    });
    return found;
  }
}
