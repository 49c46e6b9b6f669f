/**
 * Fates: for every page event, what happens next to each of its pages.
 *
 * A postmortem knows the future. One backward pass over the events keeps, per page, the next event
 * that touches it, and writes that down per event: the forward replay then knows, when a page enters
 * a free list, whether it will leave by an allocation (so it certainly was free until then), will be
 * freed without ever having left (so it was taken in secret in between), or is never heard of again.
 *
 * Order-0 events hold theirs (fate.ts) in place; larger ones hold runs of equal fates in the batch's overflow array.
 * Copies of kpageflags speak too: at such a copy every page without events during the reading has `seenFree` or
 * `seenTaken` as its next; so do those of kpagecount and page_owner, of pages in use.
 *
 * The same pass decides what each event does to the free lists (actions.ts), because some of that
 * needs the future: whether a free skipped the per-cpu lists, whether an extfrag event is a removal
 * of its own (kernels that cut foreign blocks without zone_locked).
 */
import {
  BLOCK_PAGES,
  EventBatch,
  EventKind,
  LAST_PAGE_KIND,
  PFN_NONE,
  unpackExtfrag,
} from '../records/events.js';
import { Claim } from '../records/page-claims.js';
import { Action, ActionBatch, ActionSpool } from './actions.js';
import { indexOf, MAX_FATE_INDEX, Next, nextOf } from './fate.js';
import { fillStretch } from './fill.js';
import { LockedRuns } from './locked-runs.js';
import { type PageCopy, PageValues } from './page-copy.js';
import { PcpQueues } from './pcp-queues.js';
import type { PfnSpace } from './pfn-space.js';
import { CELLS, cellOf, singleActions, UNDECIDED } from './single-actions.js';
import { anyBetween, countBelow } from './sorted.js';
import type { EventSource, RareLog, ReplayLevel, Survey } from './survey.js';

export interface Fates {
  readonly actions: ActionSpool;
  /** First fate of each page. */
  readonly first: Uint32Array;
  /** Fates just after each PageCopy (in their order), because the copy itself hides them. */
  readonly afterCopy: readonly PageValues[];
  /** extfrag events that are removals of their own. */
  readonly extfragRemovals: number;
  /** Single pages that were handed out, from where all CPUs' buffers had begun. */
  readonly taken: number;
  /** Of these, pages that next are taken again, without having been given back and without a loss in between. */
  readonly takenTwice: number;
  /** Frees of orders kept on per-cpu lists whose pages next leave the free lists, without a drain. */
  readonly bypassing: number;
  /** Events on pfns outside every zone, on blocks that cannot begin where they say, or on those too large to follow. */
  readonly outside: number;
}

/** What the backward pass must know of the machine. */
export interface FateContext {
  /** At `snapshots` no event moves a page. */
  readonly level: ReplayLevel;
  readonly space: PfnSpace;
  readonly survey: Survey;
  readonly pcpOrders: Uint8Array;
  readonly pageblockOrder: number;
  /** An extfrag event can be the only witness of a removal. */
  readonly extfragRemoves: boolean;
  /** Before this event some CPU's events are missing. */
  readonly wholeFrom: number;
  /** Look no further than each event: nothing may be known of the future. */
  readonly causal: boolean;
  /** Bytes of actions kept in memory. */
  readonly budget: number;
}

export function traceFates(
  source: EventSource,
  context: FateContext,
  copies: readonly PageCopy[],
): Fates {
  const tracer = new FateTracer(context, source.batches);
  const batch = new EventBatch();
  const afterCopy: PageValues[] = new Array(copies.length);
  let copy = copies.length - 1;
  for (let b = source.batches - 1; b >= 0; b--) {
    source.read(b, batch, 'pages');
    const offset = source.offsetOf(b);
    tracer.begin(batch.length);
    let end = batch.length;
    // Cut the batch where copies were taken, so that the inner loop need not look for them.
    for (; copy >= 0 && copies[copy]!.beginIndex >= offset; copy--) {
      const at = Math.min(copies[copy]!.beginIndex - offset, end);
      tracer.walkBack(batch, offset, at, end);
      end = at;
      afterCopy[copy] = new PageValues(copies[copy]!, tracer.next);
      if (!context.causal) observe(tracer.next, copies[copy]!);
    }
    tracer.walkBack(batch, offset, 0, end);
    tracer.end();
    tracer.actions.write(b, tracer.batch);
  }
  // Without a single event no batch was there to cut: the copies follow each other.
  for (; copy >= 0; copy--) {
    afterCopy[copy] = new PageValues(copies[copy]!, tracer.next);
    if (!context.causal) observe(tracer.next, copies[copy]!);
  }
  return {
    actions: tracer.actions,
    first: tracer.next,
    afterCopy,
    extfragRemovals: tracer.extfragRemovals,
    taken: tracer.taken,
    takenTwice: tracer.takenTwice,
    bypassing: tracer.bypassing,
    outside: tracer.outside,
  };
}

/** The fates of pages that the copy shows next, free and taken. */
export function seenFates(copy: PageCopy): readonly [free: number, taken: number] {
  const index = Math.min(copy.beginIndex, MAX_FATE_INDEX);
  return [((index << 3) | Next.seenFree) >>> 0, ((index << 3) | Next.seenTaken) >>> 0];
}

function observe(next: Uint32Array, copy: PageCopy): void {
  const [seenFree, seenTaken] = seenFates(copy);
  const { endIndex } = copy;
  copy.eachRun((from, pages, claim) => {
    const seen = claim === Claim.free ? seenFree : seenTaken;
    for (let page = from; page < from + pages; page++) {
      if (indexOf(next[page]!) >= endIndex) next[page] = seen;
    }
  });
}

class FateTracer {
  readonly actions: ActionSpool;
  readonly batch = new ActionBatch();
  /** The next event of each page. */
  readonly next: Uint32Array;
  extfragRemovals = 0;
  #taken = 0;
  takenTwice = 0;
  #bypassing = 0;
  outside = 0;
  readonly #context: FateContext;
  readonly #largestOrder: number;
  readonly #nextKindOnCpu: Uint8Array;
  readonly #queues: PcpQueues;
  readonly #locked: LockedRuns;
  readonly #compactions: CompactionRuns;
  /** Indices of rare events that may hide takings, ascending. */
  readonly #hiding: Float64Array;
  /** Indices of LOST marks, ascending. */
  readonly #lost: Float64Array;
  /** What events on single pages do, by `cellOf`, and how many were decided so. */
  readonly #single: Uint8Array;
  readonly #decided = new Uint32Array(CELLS);

  constructor(context: FateContext, batches: number) {
    this.#context = context;
    this.actions = new ActionSpool(batches, context.budget);
    this.next = new Uint32Array(context.space.size);
    this.#largestOrder = context.survey.largestOrder;
    this.#nextKindOnCpu = new Uint8Array(context.survey.maxCpu + 1);
    this.#queues = new PcpQueues(context.space, context.pageblockOrder);
    this.#locked = new LockedRuns(context.survey.maxCpu + 1);
    const { rare } = context.survey;
    this.#compactions = new CompactionRuns(rare);
    this.#hiding = indicesOf(rare, HIDING);
    this.#lost = indicesOf(rare, [EventKind.lost, EventKind.bufferStarted]);
    this.#single = singleActions(context.level, this.#lost.length === 0);
  }

  begin(length: number): void {
    this.batch.length = length;
    this.batch.runsLength = 0;
    this.batch.page.fill(-1, 0, length);
    this.batch.action.fill(Action.none, 0, length);
    this.batch.fate.fill(0, 0, length);
  }

  end(): void {
    this.#locked.endBatch(this.batch.action);
  }

  walkBack(batch: EventBatch, offset: number, from: number, end: number): void {
    const { level, causal } = this.#context;
    if (level === 'snapshots') return;
    for (let i = end; i > from; ) {
      i = causal ? i - 1 : this.#walkSingles(batch, offset, from, i);
      if (i >= from) this.#step(batch, offset, i);
    }
  }

  /**
   * Walks back over events on single pages of which the table tells what they do: nearly all. Nothing else stands in
   * this loop, because V8 compiles it anew whenever something happens in it that had not before.
   * @returns the event at which it ends, which is none of these, or `from - 1`.
   */
  #walkSingles(batch: EventBatch, offset: number, from: number, end: number): number {
    const { kind, order, pfn, detail, cpu, migratetype } = batch;
    const { space, wholeFrom } = this.#context;
    const { next, batch: out } = this;
    const single = this.#single;
    const decided = this.#decided;
    let i = end - 1;
    for (; i >= from; i--) {
      const k = kind[i]!;
      if (k > LAST_PAGE_KIND || k === EventKind.freeBatched) continue;
      if (order[i] !== 0 || k === EventKind.extfrag || offset + i < wholeFrom) return i;
      const page = space.pageOf(pfn[i]!);
      if (page < 0) return i;
      const fate = next[page]!;
      const cell = cellOf(k, detail[i]!, fate);
      const action = single[cell]!;
      if (action === UNDECIDED) return i;
      decided[cell]!++;
      out.page[i] = page;
      out.order[i] = 0;
      out.fate[i] = fate;
      out.action[i] = action;
      const index = Math.min(offset + i, MAX_FATE_INDEX);
      const c = cpu[i]!;
      this.#nextKindOnCpu[c] = k;
      let told = -1;
      if (k === EventKind.free) this.#settleFree(i, batch, index);
      else if (k === EventKind.alloc) this.#locked.interrupt(c, false, out.action);
      else {
        told = migratetype[i]!;
        if (told >= 0) this.#queues.typeTold(page, told);
        this.#locked.interrupt(c, true, out.action);
      }
      out.type[i] = told;
      next[page] = ((index << 3) | CLASS_OF[k]!) >>> 0;
    }
    return i;
  }

  /** Any event. */
  #step(batch: EventBatch, offset: number, i: number): void {
    const { next, batch: out } = this;
    const { space, causal } = this.#context;
    const k = batch.kind[i]!;
    if (k > LAST_PAGE_KIND || k === EventKind.freeBatched) return;
    const pfn = batch.pfn[i]!;
    const page = pfn === PFN_NONE ? -1 : space.pageOf(pfn);
    const nextOnCpu = this.#passOn(batch.cpu[i]!, k);
    const order = batch.order[i]!;
    if (page < 0 || order > this.#largestOrder || unaligned(page, order, space.sectionOrder)) {
      if (pfn !== PFN_NONE) this.outside++;
      return;
    }
    const detail = batch.detail[i]!;
    if (k === EventKind.extfrag && !this.#extfragTakes(detail, nextOnCpu)) return;
    const index = Math.min(offset + i, MAX_FATE_INDEX);
    this.#tell(i, k, page, order, batch.migratetype[i]!);
    const fate = order === 0 ? next[page]! : this.#writeRuns(page, order);
    out.fate[i] = fate;
    out.action[i] = this.#decide(k, detail, order, fate, index);
    if (causal) return;
    if (k === EventKind.free) this.#settleFree(i, batch, index);
    const mine = ((index << 3) | CLASS_OF[k]!) >>> 0;
    fillStretch(next, mine, page, Math.min(page + BLOCK_PAGES[order]!, next.length));
  }

  /** A cpu does something before what it was seen to do, which is returned. */
  #passOn(cpu: number, kind: number): number {
    const next = this.#nextKindOnCpu[cpu]!;
    this.#nextKindOnCpu[cpu] = kind;
    if (kind !== EventKind.free) {
      const locked = kind === EventKind.pcpuDrain || kind === EventKind.zoneLocked;
      this.#locked.interrupt(cpu, locked, this.batch.action);
    }
    return next;
  }

  /** What an event says of its block. */
  #tell(i: number, kind: number, page: number, order: number, migratetype: number): void {
    const { batch } = this;
    batch.page[i] = page;
    batch.order[i] = order;
    const told = kind === EventKind.zoneLocked || kind === EventKind.pcpuDrain ? migratetype : -1;
    batch.type[i] = told;
    if (told >= 0) this.#queues.typeTold(page, told);
  }

  #decide(kind: number, detail: number, order: number, fate: number, index: number): number {
    const { level, pcpOrders } = this.#context;
    const onPcp = pcpOrders[order] === 1;
    switch (kind) {
      case EventKind.zoneLocked:
        if (this.#leavesBuddyNext(order, fate, index)) return Action.stay;
        return detail === 1 ? Action.takeToPcp : Action.take;
      case EventKind.extfrag:
        this.extfragRemovals++;
        return onPcp ? Action.takeToPcp : Action.take;
      case EventKind.pcpuDrain:
        return Action.give;
      case EventKind.alloc:
        if (order === 0 && index >= this.#context.wholeFrom) this.#countTaken(fate, index);
        return Action.alloc;
      case EventKind.free:
        if (level === 'page')
          return this.#takenAtOnce(order, fate, index) ? Action.freeTaken : Action.give;
        if (!onPcp) return Action.give;
        return this.#bypasses(order, fate, index) ? Action.giveBypassing : Action.freeToPcp;
      default:
        return Action.none;
    }
  }

  /** Single pages that were handed out, from where all CPUs' buffers had begun. */
  get taken(): number {
    const from = cellOf(EventKind.alloc, 0, 0);
    const allocs = this.#decided.subarray(from, from + cellOf(1, 0, 0));
    return this.#taken + allocs.reduce((sum, n) => sum + n, 0);
  }

  /** Frees that skipped the per-cpu lists although their order is kept there. */
  get bypassing(): number {
    const decided = [0, 1].map((d) => this.#decided[cellOf(EventKind.free, d, Next.removal)]!);
    return this.#bypassing + decided[0]! + decided[1]!;
  }

  /** Whether a free skipped its per-cpu list. */
  #bypasses(order: number, fate: number, index: number): boolean {
    const bypasses = this.#leavesBuddyNext(order, fate, index);
    this.#bypassing += bypasses ? 1 : 0;
    return bypasses;
  }

  /** A page handed out: is it next taken again, although nobody gave it back? */
  #countTaken(fate: number, index: number): void {
    this.#taken++;
    const next = nextOf(fate);
    if (next !== Next.alloc && next !== Next.removal) return;
    if (!this.#lostBetween(index, fate)) this.takenTwice++;
  }

  /**
   * Whether any page of a block next leaves the buddy lists: then the block went there, unless events
   * were lost in between (lost-events.ts has those).
   */
  #leavesBuddyNext(order: number, fate: number, index: number): boolean {
    if (order === 0) return nextOf(fate) === Next.removal && !this.#lostBetween(index, fate);
    const { runs, runsLength } = this.batch;
    for (let r = fate; r < runsLength; r += 2) {
      if (nextOf(runs[r + 1]!) === Next.removal) return !this.#lostBetween(index, runs[r + 1]!);
    }
    return false;
  }

  /** A free whose own future does not show that it skipped its per-cpu list: do other frees of the cpu? */
  #settleFree(i: number, events: EventBatch, index: number): void {
    const { action } = this.batch;
    if (action[i] !== Action.freeToPcp && action[i] !== Action.giveBypassing) return;
    const cpu = events.cpu[i]!;
    const page = this.batch.page[i]!;
    const order = this.batch.order[i]!;
    const place = this.#queues.placeOf(page, cpu);
    if (action[i] === Action.giveBypassing) {
      this.#locked.skipped(cpu, place, action);
      return;
    }
    const fate = this.batch.fate[i]!;
    const first = order === 0 ? fate : this.batch.runs[fate + 1]!;
    const next = nextOf(first);
    if (next === Next.drain) this.#queues.drained(page, order, place, indexOf(first));
    if (next !== Next.none && next !== Next.free) this.#locked.queued(cpu, place);
    else if (this.#lost.length > 0 || this.#compactions.runs(events.pid[i]!, index)) return;
    else if (indexOf(first) > this.#queues.emptyBy(page, order, place)) {
      // Pages freed later to the same list were drained before anything happens to this block: it never was on it.
      action[i] = Action.giveBypassing;
      this.#locked.skipped(cpu, place, action);
    } else this.#locked.undecided(cpu, place, i, events.detail[i]!);
  }

  #lostBetween(index: number, fate: number): boolean {
    return this.#lost.length > 0 && anyBetween(this.#lost, index, indexOf(fate));
  }

  /** Page level: freed again without an allocation, and nothing recorded explains when it was taken. */
  #takenAtOnce(order: number, fate: number, index: number): boolean {
    if (order !== 0 || nextOf(fate) !== Next.free) return false;
    return !anyBetween(this.#hiding, index, indexOf(fate));
  }

  /**
   * Where foreign blocks are cut without zone_locked: a steal and the claim of whole pageblocks hand
   * the page out at once; the claim of part of a pageblock goes through zone_locked afterwards.
   */
  #extfragTakes(detail: number, nextOnCpu: number): boolean {
    if (!this.#context.extfragRemoves || this.#context.level !== 'buddy') return false;
    const { changeOwnership, fallbackOrder, pageblockOrder } = unpackExtfrag(detail);
    if (!changeOwnership || fallbackOrder >= pageblockOrder) return true;
    return !this.#context.causal && nextOnCpu !== EventKind.zoneLocked;
  }

  /** The runs of fates of a block, as (pages, fate) pairs at the end of `runs`; where they begin. */
  #writeRuns(page: number, order: number): number {
    const { next, batch } = this;
    const begin = batch.runsLength;
    const last = Math.min(page + BLOCK_PAGES[order]!, next.length);
    let runStart = page;
    for (let p = page + 1; p <= last; p++) {
      if (p < last && next[p] === next[runStart]) continue;
      batch.pushRun(p - runStart, next[runStart]!);
      runStart = p;
    }
    return begin;
  }
}

/**
 * Which processes compact when: what they free may be a target that was refused, which goes back to their own
 * list and not to the allocator (mm/compaction.c compaction_free, 6.10 and later).
 */
class CompactionRuns {
  /** Begin and end of each run by process, in order. */
  readonly #runs = new Map<number, number[]>();

  constructor(rare: RareLog) {
    for (let row = 0; row < rare.length; row++) {
      const begins = rare.kind[row] === EventKind.compactionBegin;
      if (!begins && rare.kind[row] !== EventKind.compactionEnd) continue;
      const runs = this.#runs.get(rare.pid[row]!) ?? [];
      if (begins && runs.length % 2 === 0) runs.push(rare.index[row]!);
      if (!begins && runs.length % 2 === 1) runs.push(rare.index[row]!);
      this.#runs.set(rare.pid[row]!, runs);
    }
  }

  runs(pid: number, index: number): boolean {
    const runs = this.#runs.get(pid);
    return runs !== undefined && countBelow(runs, index) % 2 === 1;
  }
}

/** Kinds of events that may hide takings. */
const HIDING: readonly number[] = [
  EventKind.isolateFreepages,
  EventKind.isolateMigratepages,
  EventKind.fastIsolateFreepages,
  EventKind.lost,
  EventKind.bufferStarted,
];

function indicesOf(rare: RareLog, kinds: readonly number[]): Float64Array {
  const indices: number[] = [];
  for (let row = 0; row < rare.length; row++) {
    if (kinds.includes(rare.kind[row]!)) indices.push(rare.index[row]!);
  }
  return Float64Array.from(indices);
}

/** No block of this order begins here: the event is damaged. */
function unaligned(page: number, order: number, maxOrder: number): boolean {
  return order > 0 && (page & ((1 << Math.min(order, maxOrder)) - 1)) !== 0;
}

/** Class of a page event for the page's history, by kind. */
const CLASS_OF = new Uint8Array(LAST_PAGE_KIND + 1).fill(Next.removal);
CLASS_OF[EventKind.alloc] = Next.alloc;
CLASS_OF[EventKind.free] = Next.free;
CLASS_OF[EventKind.pcpuDrain] = Next.drain;
