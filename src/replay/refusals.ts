/**
 * Refusals in the recording: requests that the kernel itself did not serve, lifted out of the events by the survey.
 *
 * They are evidence of the free lists at their instant (refusal-evidence.ts). A machine that is out of memory refuses thousands of
 * requests a second, which all say the same: of one class only one in a while is kept.
 *
 * A request that was charged to a memory cgroup and refused there had got its page (mm/page_alloc.c
 * __alloc_pages, __memcg_kmem_charge_page): the free just before it, by the same task and of the same
 * order, tells; it says nothing of the free lists and is left out.
 */
import { type EventBatch, EventKind, LAST_PAGE_KIND } from '../records/events.js';

export interface Refusal {
  readonly index: number;
  readonly timeNs: number;
  readonly order: number;
  /** Id of the gfp text. */
  readonly gfp: number;
}

/** Of one class at most one refusal in this time is kept, ns. */
const APART_NS = 1e6;
/** And no more than this altogether. */
const MAX_REFUSALS = 1 << 17;
/** How far back the free of a refused charge is looked for, events. */
const CHARGE_SPAN = 64;

export class RefusalLog {
  readonly refusals: Refusal[] = [];
  readonly #latest = new Map<number, number>();

  /** Event i of the batch, a request without a page. */
  note(batch: EventBatch, i: number, index: number): void {
    const order = batch.order[i]!;
    const gfp = batch.detail[i]!;
    const timeNs = batch.timeNs[i]!;
    const key = gfp * 32 + order;
    const latest = this.#latest.get(key) ?? Number.NEGATIVE_INFINITY;
    if (timeNs - latest < APART_NS || this.refusals.length >= MAX_REFUSALS) return;
    if (chargeFailed(batch, i)) return;
    this.#latest.set(key, timeNs);
    this.refusals.push({ index, timeNs, order, gfp });
  }
}

function chargeFailed(batch: EventBatch, i: number): boolean {
  const { kind, cpu, pid, order } = batch;
  for (let back = i - 1; back >= 0 && i - back < CHARGE_SPAN; back--) {
    if (cpu[back] !== cpu[i] || kind[back]! > LAST_PAGE_KIND) continue;
    return kind[back] === EventKind.free && pid[back] === pid[i] && order[back] === order[i];
  }
  return false;
}
