/**
 * Where copies of single pages without a time belong among the events: kpageflags, kpagecount, page_owner, and
 * the free lists that crash prints.
 *
 * From one event of a page to the next it is often certain whether the page was on a free list. A copy claims the
 * same of its own instant, so at the right place it agrees with nearly all those spans, and with fewer the further
 * off it is. The place found is wide: the reading itself takes time, and events between which nothing contradicts
 * cannot be told apart. A copy is not placed if too few events speak of it, if it fits nowhere, or if one with as many
 * free pages elsewhere would fit about as well (memory that is all in use looks alike on all machines).
 *
 * After its last event a free page may be taken by compaction, which names no pages: nothing is concluded then.
 * One pass over the events, which are told apart in BUCKETS stretches of equal number. Measured on copies whose
 * place is known: docs/model/clock-alignment.md.
 */
import { BLOCK_PAGES, EventBatch, EventKind, LAST_PAGE_KIND, PFN_NONE } from '../records/events.js';
import {
  Claim,
  claimsEnd,
  eachClaim,
  isPageMap,
  type PageMapSnapshot,
  tellsFree,
} from '../records/page-claims.js';
import type { Snapshot, SnapshotTime } from '../records/snapshot.js';
import { MAX_COPIES, PlacingBudget } from './placing-budget.js';
import type { EventSpool } from './spool.js';

/** A place found for a copy. */
export interface MapPlace {
  /** Events before the first are in the copy, events from the second on are not; those between may be. */
  readonly beginEvent: number;
  readonly endEvent: number;
  /** Spans of pages that agree with the copy there, and that do not. */
  readonly agreeing: number;
  readonly contrary: number;
}

const BUCKETS = 1 << 12;
/** Pages below this pfn are compared (256 GiB of 4 KiB pages); four bytes are kept of each. */
const MAX_PFN = 1 << 26;
/** Spans that must speak. */
const MIN_SPANS = 100;
/** Share of contrary spans at most: the kernel takes some pages without an event. */
const MAX_CONTRARY = 0.05;
/** Contrary spans at most, as a share of what a copy with the same number of free pages, but others, would have. */
const MAX_CHANCE = 0.25;
/** Stretches are not told apart from the best if they are worse by less than this share of what the worst is … */
const DOUBT_SHARE = 0.02;
/** … plus this many spans. */
const DOUBT_SPANS = 8;
const MAX_ORDER = 32;
/** Bytes that the claims of all copies may take together, one a page. */
const MAX_CLAIMS = 1 << 28;
/** Copies that reach no further are held as they are; of others, what no event reaches is left out. */
const SMALL_END = 1 << 22;

/** In place of a copy's place: there was no budget left to look for it. */
export const NOT_LOOKED_AT = 'not looked at';
export type Located = MapPlace | typeof NOT_LOOKED_AT | null;

/** Copies that say nothing of when they were taken, but of pages. */
export function undatedMaps(snapshots: readonly Snapshot[]): PageMapSnapshot[] {
  return snapshots.filter(
    (snapshot): snapshot is PageMapSnapshot =>
      isPageMap(snapshot) && snapshot.time.clock === 'none' && snapshot.time.snap === null,
  );
}

/** The place of each copy, in their order; null where none is found. */
export function locateMaps(
  all: readonly PageMapSnapshot[],
  events: EventSpool,
  budget = new PlacingBudget(events.length, all.length),
): Located[] {
  if (all.length === 0) return [];
  if (events.length === 0) return all.map(() => null);
  const scores = scoresOf(all, events);
  const end = scores.reduce((most, score) => Math.max(most, score.claims.length), 0);
  const history = new PageHistory(end, scores, events, budget);
  const batch = new EventBatch();
  for (let b = 0; b < events.batches && !budget.spent; b++) {
    events.read(b, batch, 'pages');
    history.see(batch, events.offsetOf(b));
  }
  if (budget.spent) return all.map(() => NOT_LOOKED_AT);
  history.end();
  return all.map((_, m) => scores[m]?.place(history, events.length) ?? notPlaced(m, scores));
}

/** What the copies claim that can be looked at, the first of them all. */
function scoresOf(all: readonly PageMapSnapshot[], events: EventSpool): MapScore[] {
  const looked = all.slice(0, MAX_COPIES);
  const ends = looked.map((map) => Math.min(MAX_PFN, claimsEnd(map)));
  const reached = ends.some((end) => end > SMALL_END) ? pagesEnd(events) : SMALL_END;
  const scores: MapScore[] = [];
  let claims = 0;
  for (const [m, map] of looked.entries()) {
    const own = Math.min(ends[m]!, Math.max(reached, SMALL_END));
    claims += own;
    if (claims > MAX_CLAIMS) break;
    scores.push(new MapScore(map, own));
  }
  return scores;
}

function notPlaced(m: number, scores: readonly MapScore[]): Located {
  return m < scores.length ? null : NOT_LOOKED_AT;
}

/** One past the last page that an event names. */
function pagesEnd(events: EventSpool): number {
  const batch = new EventBatch();
  let end = 0;
  for (let b = 0; b < events.batches; b++) {
    const { kind, pfn, order, length } = events.read(b, batch, 'pages');
    for (let i = 0; i < length; i++) {
      if (kind[i]! > LAST_PAGE_KIND) continue;
      const to = pfn[i]! + BLOCK_PAGES[order[i]!]!;
      if (to > end) end = to;
    }
  }
  return end;
}

/** The copy with its place as its time. */
export function timeAt(place: MapPlace, events: EventSpool): SnapshotTime {
  const beginNs = stampAt(events, place.beginEvent);
  return {
    clock: 'trace',
    beginNs,
    endNs: Math.max(beginNs, stampAt(events, place.endEvent)),
    snap: null,
    resolutionNs: 1,
    beginEvent: place.beginEvent,
    endEvent: place.endEvent,
    located: true,
  };
}

function stampAt(events: EventSpool, index: number): number {
  if (index >= events.length) return events.lastNs;
  const batch = new EventBatch();
  let b = 0;
  while (b + 1 < events.batches && events.offsetOf(b + 1) <= index) b++;
  events.read(b, batch);
  return batch.timeNs[index - events.offsetOf(b)]!;
}

/** How well one copy fits each stretch of events. */
class MapScore {
  readonly claims: Uint8Array;
  /** Only claims that pages are in use. */
  readonly partial: boolean;
  /** Differences from stretch to stretch: spans that begin less spans that ended. */
  readonly #agreeing = new Int32Array(BUCKETS + 1);
  readonly #contrary = new Int32Array(BUCKETS + 1);

  constructor(map: PageMapSnapshot, end: number) {
    this.claims = new Uint8Array(end).fill(Claim.silent);
    this.partial = !tellsFree(map);
    // A typed array ignores what lies beyond its end.
    eachClaim(map, (from, to, claim) => this.claims.fill(claim, from, to));
  }

  /** A page was `state` all through the stretches [from, to). */
  span(page: number, state: number, from: number, to: number): void {
    if (page >= this.claims.length || this.claims[page] === Claim.silent) return;
    addSpan(this.claims[page] === state ? this.#agreeing : this.#contrary, from, to);
  }

  place(history: PageHistory, events: number): MapPlace | null {
    const agreeing = runningSum(this.#agreeing);
    const contrary = runningSum(this.#contrary);
    // A share of few spans means little.
    const loss = Float64Array.from(
      contrary,
      (count, k) => (count + 1) / (count + agreeing[k]! + MIN_SPANS),
    );
    let best = 0;
    let worst = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < BUCKETS; k++) {
      if (loss[k]! < loss[best]!) best = k;
      if (loss[k]! > worst) worst = loss[k]!;
    }
    const spans = agreeing[best]! + contrary[best]!;
    if (spans < MIN_SPANS || contrary[best]! > MAX_CONTRARY * spans) return null;
    if (contrary[best]! + 1 > MAX_CHANCE * history.contraryByChance(this.claims, best)) return null;
    const doubt = DOUBT_SPANS / (spans + MIN_SPANS) + DOUBT_SHARE * (worst - loss[best]!);
    const limit = loss[best]! + doubt;
    let from = best;
    let to = best;
    while (from > 0 && loss[from - 1]! <= limit) from--;
    while (to < BUCKETS - 1 && loss[to + 1]! <= limit) to++;
    // Pages are read one after another: those read first may speak of an instant before the stretch that fits best.
    const width = to + 1 - from;
    return {
      beginEvent: firstEventOf(Math.max(0, from - width), events),
      endEvent: firstEventOf(Math.min(BUCKETS, to + 1 + width), events),
      agreeing: agreeing[best]!,
      contrary: contrary[best]!,
    };
  }
}

function addSpan(counts: Int32Array, from: number, to: number): void {
  counts[from] = counts[from]! + 1;
  counts[to] = counts[to]! - 1;
}

function runningSum(differences: Int32Array): Int32Array {
  const sums = new Int32Array(BUCKETS);
  let sum = 0;
  for (let k = 0; k < BUCKETS; k++) {
    sum += differences[k]!;
    sums[k] = sum;
  }
  return sums;
}

function firstEventOf(bucket: number, events: number): number {
  return Math.min(events, Math.ceil((bucket * events) / BUCKETS));
}

/** States an event shows a page in, before and after it; UNKNOWN where it does not tell. */
const UNKNOWN = 3;

/** Follows every page from event to event, and tells the scores of the spans in between. */
class PageHistory {
  readonly #scores: readonly MapScore[];
  readonly #events: number;
  /** Stretch and state of each page's last event. */
  readonly #since: Uint16Array;
  readonly #state: Uint8Array;
  /** Spans of pages in use and free, by stretch, as differences. */
  readonly #spans: readonly [taken: Int32Array, free: Int32Array];
  /** By kind and order. */
  readonly #before = new Uint8Array((EventKind.extfrag + 1) * MAX_ORDER).fill(UNKNOWN);
  readonly #after = new Uint8Array((EventKind.extfrag + 1) * MAX_ORDER).fill(UNKNOWN);
  readonly #budget: PlacingBudget;
  #touched = 0;
  /** Free means on a free list; where only callers are seen it may mean on a per-cpu list. */
  readonly #exact: boolean;

  constructor(end: number, scores: readonly MapScore[], events: EventSpool, budget: PlacingBudget) {
    this.#scores = scores;
    this.#budget = budget;
    this.#events = events.length;
    this.#since = new Uint16Array(end);
    this.#state = new Uint8Array(end).fill(UNKNOWN);
    this.#spans = [new Int32Array(BUCKETS + 1), new Int32Array(BUCKETS + 1)];
    this.#exact =
      events.countOf(EventKind.zoneLocked) > 0 && events.countOf(EventKind.pcpuDrain) > 0;
    for (let order = 0; order < MAX_ORDER; order++) {
      // A page that is freed to a per-cpu list is on no free list; one that skips it is.
      this.#tell(EventKind.alloc, order, this.#exact ? Claim.taken : UNKNOWN, Claim.taken);
      this.#tell(EventKind.free, order, Claim.taken, this.#exact ? UNKNOWN : Claim.free);
      if (!this.#exact) continue;
      this.#tell(EventKind.zoneLocked, order, Claim.free, Claim.taken);
      this.#tell(EventKind.pcpuDrain, order, Claim.taken, Claim.free);
    }
  }

  #tell(kind: number, order: number, before: number, after: number): void {
    this.#before[kind * MAX_ORDER + order] = before;
    this.#after[kind * MAX_ORDER + order] = after;
  }

  see(batch: EventBatch, offset: number): void {
    const { kind, order, pfn, length } = batch;
    const end = this.#state.length;
    for (let i = 0; i < length; i++) {
      const row = kind[i]! * MAX_ORDER + order[i]!;
      const from = pfn[i]!;
      if (kind[i]! > EventKind.extfrag || from === PFN_NONE || from >= end) continue;
      const before = this.#before[row]!;
      const after = this.#after[row]!;
      if (before === UNKNOWN && after === UNKNOWN) continue;
      const stretch = Math.floor(((offset + i) * BUCKETS) / this.#events);
      const to = Math.min(end, from + 2 ** order[i]!);
      if (!this.#budget.spend((to - from) * (1 + this.#scores.length))) return;
      for (let page = from; page < to; page++) {
        this.#close(page, before, stretch);
        this.#since[page] = stretch + 1;
        this.#state[page] = after;
      }
    }
  }

  /** A page's event in this stretch says in which state it was. Pages without an earlier event were in it from the start. */
  #close(page: number, before: number, stretch: number): void {
    const state = this.#since[page] === 0 ? before : this.#state[page]!;
    if (state === UNKNOWN || (before !== UNKNOWN && before !== state)) return;
    this.#span(page, state, this.#since[page]!, stretch);
  }

  #span(page: number, state: number, from: number, to: number): void {
    if (to <= from) return;
    addSpan(this.#spans[state]!, from, to);
    for (const score of this.#scores) {
      if (state === Claim.free && !this.#exact && !score.partial) continue;
      score.span(page, state, from, to);
    }
  }

  /** Contrary spans at this stretch if the claims about pages that events touch were dealt out at random. */
  contraryByChance(claims: Uint8Array, stretch: number): number {
    const claimed = [0, 0, 0];
    for (let page = 0; page < claims.length; page++) {
      if (this.#since[page] === 0) continue;
      const claim = claims[page]!;
      claimed[claim] = claimed[claim]! + 1;
    }
    const [taken, free] = this.#spans.map((counts) => runningSum(counts)[stretch]!);
    const contrary = claimed[Claim.free]! * taken! + claimed[Claim.taken]! * free!;
    return contrary / Math.max(1, this.#touched);
  }

  /** No more events. */
  end(): void {
    for (let page = 0; page < this.#state.length; page++) {
      if (this.#since[page] === 0) continue;
      this.#touched++;
      if (this.#state[page] !== Claim.taken) continue;
      this.#span(page, this.#state[page]!, this.#since[page]!, BUCKETS);
    }
  }
}
