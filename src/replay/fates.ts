/**
 * Fates: for every page event, what happens next to each of its pages.
 *
 * A postmortem knows the future. One backward pass over the events keeps, per page, the next event
 * that touches it, and writes that down per event: the forward replay then knows, when a page enters
 * a free list, whether it will leave by an allocation (so it certainly was free until then), will be
 * freed without ever having left (so it was taken in secret in between), or is never heard of again.
 *
 * A fate packs `index * 8 + Next`. Order-0 events hold theirs in place; larger ones hold runs of
 * equal fates in the batch's overflow array. Copies of kpageflags speak too: at such a copy every
 * page without events during the reading has `seenFree` or `seenTaken` as its next.
 *
 * The same pass decides what needs one event of look-ahead: whether an extfrag event is a
 * removal of its own (kernels that cut foreign blocks without zone_locked).
 */
import {
  EventBatch,
  EventKind,
  LAST_PAGE_KIND,
  PFN_NONE,
  unpackExtfrag,
} from '../records/events.js';
import type { PfnSpace } from './pfn-space.js';
import type { EventSource, Survey } from './survey.js';

/** What happens next to a page. */
export const Next = {
  /** Nothing any more in this recording. */
  none: 0,
  /** Leaves a free list: zone_locked, or extfrag where it is the only witness. */
  removal: 1,
  /** mm_page_alloc. */
  alloc: 2,
  /** mm_page_free. */
  free: 3,
  /** mm_page_pcpu_drain. */
  drain: 4,
  /** A kpageflags copy shows it on a free list. */
  seenFree: 5,
  /** A kpageflags copy shows it elsewhere. */
  seenTaken: 6,
} as const;

/** Fates hold 29 bits of event index; beyond 2^29 events the index saturates. */
export const MAX_FATE_INDEX = 2 ** 29 - 1;

export const nextOf = (fate: number): number => fate & 7;
/** Event index of the fate, MAX_FATE_INDEX + 1 when there is none. */
export const indexOf = (fate: number): number => (fate === 0 ? MAX_FATE_INDEX + 1 : fate >>> 3);

/** The page will be freed, drained or seen elsewhere without an event that takes it. */
export function isGhostFate(fate: number): boolean {
  const next = fate & 7;
  return next === Next.free || next === Next.drain || next === Next.seenTaken;
}

/** The page certainly stays free until its next event. */
export function isCertainFate(fate: number): boolean {
  const next = fate & 7;
  return next === Next.removal || next === Next.alloc || next === Next.seenFree;
}

/** A copy of the kernel's own free map, placed in the stream of events. */
export interface FreeMapCopy {
  /** Events before beginIndex are in the copy, events from endIndex on are not. */
  readonly beginIndex: number;
  readonly endIndex: number;
  /** 1 = free, 0 = not free, 2 = not covered by the copy; by dense page. */
  readonly state: Uint8Array;
}

export interface BatchFates {
  /** Per event: the fate (order 0), or where its runs begin in `runs` (order > 0). */
  readonly fates: Uint32Array;
  /** (pages, fate) pairs. */
  readonly runs: Uint32Array;
}

/** Extfrag events carry their decision instead of a fate. */
export const EXTFRAG_REMOVAL = 1;

export interface Fates {
  readonly batches: readonly BatchFates[];
  /** First fate of each page. */
  readonly first: Uint32Array;
  /** Fates just after each FreeMapCopy (in their order), because the copy itself hides them. */
  readonly afterCopy: readonly Uint32Array[];
  /** extfrag events that are removals of their own. */
  readonly extfragRemovals: number;
}

class RunWriter {
  data = new Uint32Array(4096);
  used = 0;

  push(pages: number, fate: number): void {
    if (this.used + 2 > this.data.length) {
      const bigger = new Uint32Array(this.data.length * 2);
      bigger.set(this.data);
      this.data = bigger;
    }
    this.data[this.used++] = pages;
    this.data[this.used++] = fate;
  }
}

/** Class of a page event for the page's history, Next.none if it says nothing. */
function classOf(kind: number): number {
  switch (kind) {
    case EventKind.alloc:
      return Next.alloc;
    case EventKind.free:
      return Next.free;
    case EventKind.zoneLocked:
    case EventKind.extfrag:
      return Next.removal;
    case EventKind.pcpuDrain:
      return Next.drain;
    default:
      return Next.none;
  }
}

export function traceFates(
  source: EventSource,
  space: PfnSpace,
  survey: Survey,
  copies: readonly FreeMapCopy[],
): Fates {
  const { maxCpu, extfragRemoves } = survey;
  const next = new Uint32Array(space.size);
  const batches: BatchFates[] = new Array(source.batches);
  const nextKindOnCpu = new Uint8Array(maxCpu + 1);
  const batch = new EventBatch();
  const afterCopy: Uint32Array[] = new Array(copies.length);
  const writer = new RunWriter();
  const counters = { extfragRemovals: 0 };
  let copy = copies.length - 1;
  for (let b = source.batches - 1; b >= 0; b--) {
    source.read(b, batch);
    const offset = source.offsetOf(b);
    const fates = new Uint32Array(batch.length);
    writer.used = 0;
    let end = batch.length;
    // Cut the batch where copies were taken, so that the inner loop need not look for them.
    for (; copy >= 0 && copies[copy]!.beginIndex >= offset; copy--) {
      const at = Math.min(copies[copy]!.beginIndex - offset, end);
      walkBack(
        batch,
        offset,
        at,
        end,
        space,
        next,
        fates,
        writer,
        nextKindOnCpu,
        extfragRemoves,
        counters,
      );
      end = at;
      afterCopy[copy] = next.slice();
      observe(next, copies[copy]!);
    }
    walkBack(
      batch,
      offset,
      0,
      end,
      space,
      next,
      fates,
      writer,
      nextKindOnCpu,
      extfragRemoves,
      counters,
    );
    batches[b] = { fates, runs: writer.data.slice(0, writer.used) };
  }
  return { batches, first: next, afterCopy, extfragRemovals: counters.extfragRemovals };
}

function observe(next: Uint32Array, copy: FreeMapCopy): void {
  const index = Math.min(copy.beginIndex, MAX_FATE_INDEX);
  for (let page = 0; page < next.length; page++) {
    const state = copy.state[page]!;
    if (state === 2 || indexOf(next[page]!) < copy.endIndex) continue;
    next[page] = ((index << 3) | (state === 1 ? Next.seenFree : Next.seenTaken)) >>> 0;
  }
}

function walkBack(
  batch: EventBatch,
  offset: number,
  from: number,
  end: number,
  space: PfnSpace,
  next: Uint32Array,
  fates: Uint32Array,
  writer: RunWriter,
  nextKindOnCpu: Uint8Array,
  extfragRemoves: boolean,
  counters: { extfragRemovals: number },
): void {
  const { kind, order, pfn, cpu } = batch;
  for (let i = end - 1; i >= from; i--) {
    const k = kind[i]!;
    if (k > LAST_PAGE_KIND || k === EventKind.freeBatched) continue;
    const page = pfn[i] === PFN_NONE ? -1 : space.pageOf(pfn[i]!);
    const c = cpu[i]!;
    const nextOnCpu = nextKindOnCpu[c]!;
    nextKindOnCpu[c] = k;
    if (page < 0) continue;
    if (k === EventKind.extfrag) {
      if (!extfragTakes(batch.detail[i]!, extfragRemoves, nextOnCpu)) continue;
      fates[i] = EXTFRAG_REMOVAL;
      counters.extfragRemovals++;
    }
    const index = Math.min(offset + i, MAX_FATE_INDEX);
    const mine = ((index << 3) | classOf(k)) >>> 0;
    const o = order[i]!;
    if (o === 0) {
      if (k !== EventKind.extfrag) fates[i] = next[page]!;
      next[page] = mine;
      continue;
    }
    const last = Math.min(page + 2 ** o, next.length);
    if (k !== EventKind.extfrag) {
      fates[i] = writer.used;
      writeRuns(next, page, last, writer);
    }
    next.fill(mine, page, last);
  }
}

/**
 * Where foreign blocks are cut without zone_locked: a steal and the claim of whole pageblocks hand
 * the page out at once; the claim of part of a pageblock goes through zone_locked afterwards.
 */
function extfragTakes(detail: number, extfragRemoves: boolean, nextOnCpu: number): boolean {
  if (!extfragRemoves) return false;
  const { changeOwnership, fallbackOrder, pageblockOrder } = unpackExtfrag(detail);
  return !changeOwnership || fallbackOrder >= pageblockOrder || nextOnCpu !== EventKind.zoneLocked;
}

function writeRuns(next: Uint32Array, page: number, last: number, writer: RunWriter): void {
  let runStart = page;
  for (let p = page + 1; p <= last; p++) {
    if (p < last && next[p] === next[runStart]) continue;
    writer.push(p - runStart, next[runStart]!);
    runStart = p;
  }
}
