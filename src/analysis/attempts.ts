/**
 * Observer: what the kernel itself did with recorded requests, by order and class.
 *
 * A failed allocation is an mm_page_alloc without a page. Only requests that may not wait and carry
 * __GFP_HIGH are atomic failures; opportunistic and blocking ones are counted apart, since their
 * callers have something else to fall back on.
 */
import { ALLOC_MASK, type EventBatch, PFN_NONE } from '../records/events.js';
import type { RecordingStrings } from '../records/strings.js';
import { grown } from '../replay/cpu-areas.js';
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

export interface AttemptsOptions {
  readonly grid: TimeGrid;
  readonly strings: RecordingStrings;
  /** Class of a request, from its gfp text as the kernel printed it. */
  readonly classOf: (gfp: string, order: number) => AttemptClass;
}

/** Counts what the kernel answered, by order and class. */
export class AttemptsObserver implements ReplayObserver {
  readonly #options: AttemptsOptions;
  /** Allocations by [1 + gfp id * ORDERS + order]; at 0 everything else. */
  #asked = new Float64Array(1);
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
    const { kind, order, detail, pfn } = batch;
    this.#asked = grown(this.#asked, 1 + this.#options.strings.gfps.size * ORDERS, 0);
    const asked = this.#asked;
    for (let i = from; i < to; i++) {
      asked[(1 + detail[i]! * ORDERS + order[i]!) & ALLOC_MASK[kind[i]!]!]!++;
      if (pfn[i] === PFN_NONE) this.#refused(batch, i);
    }
  }

  #refused(batch: EventBatch, i: number): void {
    const cls = this.#classOf(batch.detail[i]!, batch.order[i]!);
    const cell = batch.order[i]! * CLASSES + cls;
    this.#failed[cell]!++;
    this.#buckets[bucketOf(this.#options.grid, batch.timeNs[i]!) * ORDERS * CLASSES + cell]!++;
    this.#refusals++;
    if (cls === ATOMIC) {
      if (this.#atomicKept++ < ATOMIC_EXAMPLES) this.#keep(batch, i, cls);
    } else if (this.#othersKept++ < OTHER_EXAMPLES) this.#keep(batch, i, cls);
  }

  #classOf(gfp: number, order: number): number {
    const text = this.#options.strings.gfps.text(gfp);
    return ATTEMPT_CLASSES.indexOf(this.#options.classOf(text, order));
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
    const asked = this.#askedByClass();
    for (let cell = 0; cell < ORDERS * CLASSES; cell++) {
      if (asked[cell] === 0) continue;
      const failed = this.#failed[cell]!;
      counts.push({
        order: Math.floor(cell / CLASSES),
        class: ATTEMPT_CLASSES[cell % CLASSES]!,
        ok: asked[cell]! - failed,
        failed,
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

  /** Allocations by [order * CLASSES + class]. */
  #askedByClass(): Float64Array {
    const byClass = new Float64Array(ORDERS * CLASSES);
    for (let at = 1; at < this.#asked.length; at++) {
      if (this.#asked[at] === 0) continue;
      const order = (at - 1) % ORDERS;
      byClass[order * CLASSES + this.#classOf((at - 1 - order) / ORDERS, order)]! +=
        this.#asked[at]!;
    }
    return byClass;
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
