/**
 * When a page_owner dump was taken, by the stamps in it.
 *
 * A machine allocates all the time, so the newest block listed is hardly older than the reading of the dump. The
 * dump then comes before events that free blocks it lists; and the reading began before events that freed such
 * blocks for good although the newest block is younger. Blocks that compaction moves keep their stamp and are freed
 * where they were, so a few frees say nothing.
 */
import { EventBatch, EventKind, PFN_NONE } from '../records/events.js';
import { eachClaim } from '../records/page-claims.js';
import type { PrintkClock } from '../records/printk-clock.js';
import type { PageOwnerSnapshot } from '../records/snapshot.js';
import type { MapPlace } from './locate-maps.js';
import type { EventSpool } from './spool.js';

/** Pages below this pfn are looked at (256 GiB of 4 KiB pages). */
const MAX_PFN = 1 << 26;
/** Pages of listed blocks whose frees do not yet say that the dump is over. */
const STRAY_PAGES = 16;
/** How long before the first event a dump may have been taken: what happens in between is not seen. */
const GAP_NS = 1e9;

/** Pages of events followed at most; real ones have far fewer. */
const MAX_VISITS = 2 ** 32;

const Page = { other: 0, listed: 1, freed: 2 } as const;

/** The place of a dump, or null if its stamps do not tell. */
export function dateOwners(
  dump: PageOwnerSnapshot,
  events: EventSpool,
  clock: PrintkClock | null,
): MapPlace | null {
  const newest = clock === null ? Number.NaN : newestNs(dump) - clock.offsetNs;
  if (clock === null || !(newest >= events.firstNs - GAP_NS) || newest > events.lastNs) return null;
  const search = new DumpSearch(dump, newest - clock.doubtNs, newest + clock.doubtNs);
  const batch = new EventBatch();
  for (let b = 0; b < events.batches && !search.done; b++) {
    events.read(b, batch);
    search.see(batch, events.offsetOf(b));
  }
  return search.place(events.length);
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
  readonly #pages: Uint8Array;
  /** Event that freed each page last. */
  readonly #freedBy: Uint32Array;
  readonly #fromNs: number;
  readonly #toNs: number;
  #listed = 0;
  #begin = -1;
  #end = -1;
  #strays = 0;
  #visits = 0;

  constructor(dump: PageOwnerSnapshot, fromNs: number, toNs: number) {
    let end = 0;
    eachClaim(dump, (pfn) => {
      if (pfn >= end && pfn < MAX_PFN) end = pfn + 1;
    });
    this.#pages = new Uint8Array(end);
    this.#freedBy = new Uint32Array(end);
    eachClaim(dump, (pfn) => {
      if (pfn < end) this.#pages[pfn] = Page.listed;
      this.#listed++;
    });
    this.#fromNs = fromNs;
    this.#toNs = toNs;
  }

  /** The dump was over by the events seen so far. */
  get done(): boolean {
    return this.#end >= 0 || this.#visits > MAX_VISITS;
  }

  see(batch: EventBatch, offset: number): void {
    const { kind, order, pfn, timeNs, length } = batch;
    for (let i = 0; i < length && this.#end < 0; i++) {
      if (this.#begin < 0 && timeNs[i]! >= this.#fromNs)
        this.#begin = this.#beginBefore(offset + i);
      const k = kind[i]!;
      if ((k !== EventKind.alloc && k !== EventKind.free) || pfn[i] === PFN_NONE) continue;
      const to = Math.min(this.#pages.length, pfn[i]! + 2 ** Math.min(order[i]!, 18));
      this.#visits += Math.max(0, to - pfn[i]!);
      for (let page = pfn[i]!; page < to; page++) this.#touch(page, k, offset + i, timeNs[i]!);
    }
  }

  #touch(page: number, kind: number, event: number, timeNs: number): void {
    if (this.#pages[page] === Page.other) return;
    if (kind === EventKind.alloc) {
      this.#pages[page] = Page.listed;
      return;
    }
    this.#pages[page] = Page.freed;
    this.#freedBy[page] = event;
    if (timeNs > this.#toNs && ++this.#strays > STRAY_PAGES) this.#end = event;
  }

  /** The earliest event up to `now` after which a listed page is free, `now` if there is none. */
  #beginBefore(now: number): number {
    let begin = now;
    for (let page = 0; page < this.#pages.length; page++) {
      if (this.#pages[page] === Page.freed) begin = Math.min(begin, this.#freedBy[page]!);
    }
    return begin;
  }

  place(events: number): MapPlace {
    const beginEvent = this.#begin < 0 ? this.#beginBefore(events) : this.#begin;
    const endEvent = this.#end < 0 ? events : this.#end;
    return { beginEvent, endEvent, agreeing: this.#listed - this.#strays, contrary: this.#strays };
  }
}
