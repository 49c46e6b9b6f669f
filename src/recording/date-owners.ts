/**
 * When a page_owner dump was taken, by the stamps in it.
 *
 * A machine allocates all the time, so the newest block listed is hardly older than the reading of the dump. The
 * dump then comes before events that free blocks it lists; and the reading began before events that freed such
 * blocks for good although the newest block is younger. Blocks that compaction moves keep their stamp and are freed
 * where they were, so a few frees say nothing.
 *
 * From that instant the events are walked back, to the earliest that freed a listed page for good, and on, to those
 * that free listed pages. A page counts once, however often it is freed: one that is handed out and freed again and
 * again says no more than one block.
 */
import { EventBatch, EventKind, PFN_NONE } from '../records/events.js';
import { claimsEnd, eachClaim } from '../records/page-claims.js';
import type { PrintkClock } from '../records/printk-clock.js';
import type { PageOwnerSnapshot } from '../records/snapshot.js';
import type { MapPlace } from './locate-maps.js';
import { PageSet } from './page-set.js';
import type { PlacingBudget } from './placing-budget.js';
import type { EventSpool } from './spool.js';

/** Pages below this pfn are looked at (1 TiB of 4 KiB pages), a bit each. */
const MAX_PFN = 1 << 28;
/** Pages of listed blocks whose frees do not yet say that the dump is over. */
const STRAY_PAGES = 8;
/** How long before the first event a dump may have been taken: what happens in between is not seen. */
const GAP_NS = 1e9;
/** Pages of one event that are looked at: a gigantic page. */
const MAX_PAGES = 1 << 18;

/** The place of a dump, or null if its stamps do not tell, or if the budget was spent before they did. */
export function dateOwners(
  dump: PageOwnerSnapshot,
  events: EventSpool,
  clock: PrintkClock | null,
  budget: PlacingBudget,
): MapPlace | null {
  const newest = clock === null ? Number.NaN : newestNs(dump) - clock.offsetNs;
  if (clock === null || !(newest >= events.firstNs - GAP_NS) || newest > events.lastNs) return null;
  const listed = new PageSet(Math.min(MAX_PFN, claimsEnd(dump)));
  eachClaim(dump, (from, to) => listed.add(from, to));
  const search = new DumpSearch(events, listed, budget);
  const over = search.firstAt(newest - clock.doubtNs);
  const beginEvent = search.firstFreeBefore(over);
  const { endEvent, strays } = search.lastHeld(over, newest + clock.doubtNs);
  if (budget.spent) return null;
  return { beginEvent, endEvent, agreeing: listed.size - strays, contrary: strays };
}

function newestNs(dump: PageOwnerSnapshot): number {
  let newest = Number.NaN;
  for (let i = 0; i < dump.length; i++) {
    if (!(dump.allocNs[i]! <= newest))
      newest = Number.isNaN(dump.allocNs[i]!) ? newest : dump.allocNs[i]!;
  }
  return newest;
}

class DumpSearch {
  readonly #events: EventSpool;
  readonly #listed: PageSet;
  readonly #budget: PlacingBudget;
  readonly #batch = new EventBatch();

  constructor(events: EventSpool, listed: PageSet, budget: PlacingBudget) {
    this.#events = events;
    this.#listed = listed;
    this.#budget = budget;
  }

  /** Index of the first event stamped at `timeNs` or later. */
  firstAt(timeNs: number): number {
    const events = this.#events;
    for (let b = 0; b < events.batches; b++) {
      if (events.firstNsOf(b + 1) < timeNs) continue;
      const { timeNs: times, length } = events.read(b, this.#batch, 'times');
      for (let i = 0; i < length; i++) if (times[i]! >= timeNs) return events.offsetOf(b) + i;
    }
    return events.length;
  }

  /** The earliest event before `over` that leaves a listed page free up to there; `over` if there is none. */
  firstFreeBefore(over: number): number {
    const events = this.#events;
    const left = this.#listed.clone();
    let first = over;
    for (let b = events.batches - 1; b >= 0 && left.size > 0; b--) {
      const offset = events.offsetOf(b);
      if (offset >= over) continue;
      const { length } = events.read(b, this.#batch, 'pages');
      for (let i = Math.min(length, over - offset) - 1; i >= 0 && !this.#budget.spent; i--) {
        if (this.#take(left, i) > 0 && this.#batch.kind[i] === EventKind.free) first = offset + i;
      }
    }
    return first;
  }

  /** The event by which too many listed pages were freed, looking at events from `from` that are later than `afterNs`. */
  lastHeld(from: number, afterNs: number): { endEvent: number; strays: number } {
    const events = this.#events;
    const left = this.#listed.clone();
    let strays = 0;
    for (let b = 0; b < events.batches && left.size > 0; b++) {
      const offset = events.offsetOf(b);
      if (events.offsetOf(b + 1) <= from) continue;
      const { length, timeNs, kind } = events.read(b, this.#batch);
      for (let i = Math.max(0, from - offset); i < length && !this.#budget.spent; i++) {
        if (kind[i] !== EventKind.free || !(timeNs[i]! > afterNs)) continue;
        strays += this.#take(left, i);
        if (strays > STRAY_PAGES) return { endEvent: offset + i, strays };
      }
    }
    return { endEvent: events.length, strays };
  }

  /** Takes the pages out that event `i` of the batch allocates or frees; how many there were. */
  #take(left: PageSet, i: number): number {
    const { kind, pfn, order } = this.#batch;
    if ((kind[i] !== EventKind.alloc && kind[i] !== EventKind.free) || pfn[i] === PFN_NONE)
      return 0;
    const to = pfn[i]! + Math.min(2 ** order[i]!, MAX_PAGES);
    return this.#budget.spend(PageSet.steps(pfn[i]!, to)) ? left.take(pfn[i]!, to) : 0;
  }
}
