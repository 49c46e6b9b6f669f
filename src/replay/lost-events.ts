/**
 * Lost events: what must have happened while the trace was not looking.
 *
 * At a LOST mark every page whose history has a hole is looked at: one that is off the free lists
 * although its next event takes it from there, or a copy shows it there, was freed unseen; one that is on them although its next
 * event is a free was taken unseen. Where compaction can explain a taking, that is left to
 * compaction.ts; but not where the trace begins to be whole, because before that much more was missed than
 * compaction ever takes. With several marks in the hole, a taking is put at the first and a free at the last:
 * memory that is used again soon after it was freed is the usual case.
 *
 * What was lost and never touched again stays invisible until a snapshot; that is what the widened
 * bounds after a loss are for.
 */
import { EventKind, marksLoss } from '../records/events.js';
import type { ReplayCore } from './core.js';
import { indexOf, isGhostFate, Next, nextOf } from './fate.js';
import { anyBetween, countBelow } from './sorted.js';
import type { RareLog } from './survey.js';

/** Pages times marks that may be looked at before later marks are passed over. */
const MAX_LOOKS = 4e9;

export class LostEvents {
  readonly #core: ReplayCore;
  /** Event indices of the marks and of compaction's takings, ascending. */
  readonly #marks: Float64Array;
  readonly #takings: Float64Array;
  readonly #limit: number;
  readonly #beginning: number;

  /** @param beginning event before which some CPU's events are missing, 0 = the trace is whole. */
  constructor(core: ReplayCore, rare: RareLog, beginning: number) {
    this.#core = core;
    this.#beginning = beginning;
    const marks: number[] = [];
    const takings: number[] = [];
    for (let row = 0; row < rare.length; row++) {
      const kind = rare.kind[row]!;
      if (marksLoss(kind)) marks.push(rare.index[row]!);
      if (kind === EventKind.isolateFreepages || kind === EventKind.isolateMigratepages) {
        takings.push(rare.index[row]!);
      }
    }
    this.#marks = Float64Array.from(marks);
    this.#takings = Float64Array.from(takings);
    this.#limit = Math.floor(MAX_LOOKS / Math.max(1, core.fate.length));
  }

  /** Whether events were lost at all. */
  get acts(): boolean {
    return this.#marks.length > 0;
  }

  /** Called at the event `index`, a LOST mark. */
  mark(index: number): void {
    const { fate, since, lists } = this.#core;
    const position = countBelow(this.#marks, index);
    if (position >= this.#limit) return;
    const previous = position === 0 ? -1 : this.#marks[position - 1]!;
    const following = this.#marks[position + 1] ?? Number.POSITIVE_INFINITY;
    for (let page = 0; page < fate.length; page++) {
      const f = fate[page]!;
      if (f === 0) continue;
      const end = indexOf(f);
      if (end <= index) continue;
      if (lists.isFree(page)) {
        if ((!isGhostFate(f) && nextOf(f) !== Next.drain) || since[page]! < previous) continue;
        const byCompaction =
          index !== this.#beginning && anyBetween(this.#takings, since[page]!, end);
        if (!byCompaction) this.#core.take(page, 1);
      } else if (isFreeNext(f) && following >= end) {
        this.#core.put(page);
      }
    }
  }
}

/** The page is on a free list when it is next seen. */
function isFreeNext(fate: number): boolean {
  const next = nextOf(fate);
  return next === Next.removal || next === Next.seenFree;
}
