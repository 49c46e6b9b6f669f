/**
 * Observer: the refused requests that somebody asks for, one by one.
 *
 * A failed allocation is an mm_page_alloc without a page. AttemptsObserver counts all of them and keeps
 * the first; reports of a kernel log need those of their own tasks, wherever in the trace they are.
 */
import { type EventBatch, EventKind, PFN_NONE } from '../records/events.js';
import type { RecordingStrings } from '../records/strings.js';
import type { ReplayObserver, ReplayState } from '../replay/observer.js';

/** A request that the kernel refused. */
export interface Refusal {
  readonly timeNs: number;
  readonly order: number;
  /** As the kernel printed it. */
  readonly gfp: string;
  readonly pid: number;
  readonly comm: string;
}

/** More than this many are not kept: a log of 200 reports needs no more. */
const MAX_REFUSALS = 20_000;

export class RefusalsObserver implements ReplayObserver {
  readonly #strings: RecordingStrings;
  readonly #wanted: (refusal: Refusal) => boolean;
  readonly #kept: Refusal[] = [];

  constructor(strings: RecordingStrings, wanted: (refusal: Refusal) => boolean) {
    this.#strings = strings;
    this.#wanted = wanted;
  }

  /** In time order. */
  get refusals(): readonly Refusal[] {
    return this.#kept;
  }

  batch(_state: ReplayState, batch: EventBatch, from: number, to: number): void {
    const { kind, pfn } = batch;
    for (let i = from; i < to; i++) {
      if (kind[i] === EventKind.alloc && pfn[i] === PFN_NONE) this.#refused(batch, i);
    }
  }

  #refused(batch: EventBatch, i: number): void {
    if (this.#kept.length >= MAX_REFUSALS) return;
    const refusal: Refusal = {
      timeNs: batch.timeNs[i]!,
      order: batch.order[i]!,
      gfp: this.#strings.gfps.text(batch.detail[i]!),
      pid: batch.pid[i]!,
      comm: this.#strings.comms.text(batch.comm[i]!),
    };
    if (this.#wanted(refusal)) this.#kept.push(refusal);
  }
}
