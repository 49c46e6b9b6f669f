/**
 * The walk that observers watch: applies events and calls each observer no oftener than it asks for.
 *
 * An event that moves no count (most do not: their page comes from a per-cpu list) costs the observers
 * nothing by itself; those that only read events get them in long runs. Nor does one in the middle of a bulk: pages go to a
 * per-cpu list, and come from it, many at a time and under the zone's lock (mm/page_alloc.c rmqueue_bulk, free_pcppages_bulk),
 * so no request sees the free lists before the last of them. Order of the calls around
 * event i: the counts are brought up to date, `batch` up to and with i if somebody is due, `due`,
 * `changed`, `event`.
 */
import { type EventBatch, EventKind } from '../records/events.js';
import type { ActionBatch } from './actions.js';
import type { ReplayCore } from './core.js';
import type { LiveState } from './live-state.js';
import type { MarkTracker } from './marks.js';
import type { ReplayObserver, ReplayState } from './observer.js';

/** Events after which those that read on another thread are told of them. */
const STRIDE = 1024;

/** Longer the lock is not held: a drain of all lists lets it go again and again. */
const BULK_NS = 30_000;

export class Watchers {
  readonly #core: ReplayCore;
  readonly #state: LiveState;
  readonly #marks: MarkTracker;
  readonly #readers: ReplayObserver[];
  readonly #selective: ReplayObserver[];
  readonly #timed: ReplayObserver[];
  readonly #movers: ReplayObserver[];
  readonly #eager: ReplayObserver[];
  /** Those that read on another thread. */
  readonly #lagging: ReplayObserver[];
  /** Nobody needs the counts between stops. */
  readonly #idle: boolean;
  #dueNs = Number.NEGATIVE_INFINITY;
  /** When the counts were last brought up to date. */
  #settledNs = Number.NEGATIVE_INFINITY;
  #changes = -1;
  #marksVersion = -1;
  /** Something other than an event may have moved counts or marks. */
  #stirred = true;
  /** First event of the batch that `batch` has not had. */
  #unread = 0;
  /** Where the walk is: events [0, #reached) of this batch are applied. */
  #current: EventBatch | null = null;
  #actions: ActionBatch | null = null;
  #reached = 0;

  constructor(
    core: ReplayCore,
    state: LiveState,
    marks: MarkTracker,
    observers: readonly ReplayObserver[],
  ) {
    this.#core = core;
    this.#state = state;
    this.#marks = marks;
    this.#readers = observers.filter((o) => o.batch !== undefined);
    this.#selective = observers.filter((o) => o.seldom !== undefined);
    this.#lagging = observers.filter((o) => o.lags === true);
    this.#timed = observers.filter((o) => o.due !== undefined);
    this.#movers = observers.filter((o) => o.changed !== undefined);
    this.#eager = observers.filter((o) => o.event !== undefined);
    state.catchUp = () => {
      if (this.#current !== null) this.read(this.#actions!, this.#current, this.#reached);
    };
    this.#idle = this.#timed.length + this.#movers.length + this.#eager.length === 0;
  }

  /** Before a stop or a rare event: what follows may move anything. */
  stir(): void {
    this.#stirred = true;
  }

  /** Somebody reads batches on another thread. */
  get lag(): boolean {
    return this.#lagging.length > 0;
  }

  /** The batch before the latest is to be overwritten. */
  release(): void {
    for (const observer of this.#lagging) observer.release?.();
  }

  /** Applies and shows events [from, to) of the batch. */
  walk(actions: ActionBatch, batch: EventBatch, from: number, to: number, offset: number): void {
    const stride = this.lag ? STRIDE : to - from;
    for (let at = from; at < to; at += stride) {
      const end = Math.min(to, at + stride);
      this.#walk(actions, batch, at, end, offset, to);
      if (this.lag) this.read(actions, batch, end);
    }
  }

  /** @param stop before which a bulk is left off: something else happens there. */
  #walk(
    actions: ActionBatch,
    batch: EventBatch,
    from: number,
    to: number,
    offset: number,
    stop: number,
  ): void {
    const { timeNs, kind } = batch;
    const core = this.#core;
    const { lists } = core;
    const quiet = this.#idle;
    this.#actions = actions;
    for (let i = from; i < to; i++) {
      core.apply(actions, i, offset + i);
      if (kind[i] === EventKind.extfrag) this.#boost(batch, i);
      if (quiet) continue;
      const moved = this.#stirred || lists.anyDirty;
      if (timeNs[i]! < this.#dueNs) {
        if (!moved) continue;
        const mayWait = !this.#stirred && i + 1 < stop && timeNs[i + 1]! < this.#lookNs();
        if (mayWait && bulkGoesOn(batch, i)) continue;
      }
      this.#settle(batch, i, offset + i);
    }
    if (to > from) this.#arrive(batch, to - 1, offset + to - 1);
  }

  /** When the counts are to be brought up to date, bulk or not: before anybody is due, too. */
  #lookNs(): number {
    return Math.min(this.#dueNs, this.#settledNs + BULK_NS);
  }

  /** Shows the readers what they have not had of events [0, to) of the batch. */
  read({ page }: ActionBatch, batch: EventBatch, to: number): void {
    if (to > this.#unread) {
      for (const reader of this.#readers) reader.batch!(this.#state, batch, this.#unread, to, page);
      if (this.#selective.length > 0) this.#showSeldom(batch, this.#unread, to);
    }
    this.#unread = to;
  }

  #showSeldom(batch: EventBatch, from: number, to: number): void {
    const { kind } = batch;
    for (let i = from; i < to; i++) {
      if (kind[i]! < EventKind.extfrag) continue;
      for (const observer of this.#selective) observer.seldom!(this.#state, batch, i);
    }
  }

  /** The batch is done; the next one begins anew. */
  finish(actions: ActionBatch, batch: EventBatch): void {
    this.read(actions, batch, batch.length);
    this.#unread = 0;
    this.#current = null;
  }

  #arrive(batch: EventBatch, i: number, index: number): void {
    this.#state.timeNs = batch.timeNs[i]!;
    this.#state.eventIndex = index;
  }

  #settle(batch: EventBatch, i: number, index: number): void {
    const state = this.#state;
    this.#arrive(batch, i, index);
    this.#settledNs = state.timeNs;
    this.#current = batch;
    this.#reached = i + 1;
    state.sync();
    this.#stirred = state.restless || this.#eager.length > 0;
    if (state.timeNs >= this.#dueNs) this.#due(batch, i);
    if (state.changes !== this.#changes || this.#marks.version !== this.#marksVersion) {
      this.#changes = state.changes;
      this.#marksVersion = this.#marks.version;
      for (let o = 0; o < this.#movers.length; o++) this.#movers[o]!.changed!(state, batch, i);
      for (let z = 0; z < state.zones.length; z++) state.zones[z]!.touched = 0;
    }
    for (let o = 0; o < this.#eager.length; o++) this.#eager[o]!.event!(state, batch, i);
  }

  #due(batch: EventBatch, i: number): void {
    this.read(this.#actions!, batch, i + 1);
    let next = Number.POSITIVE_INFINITY;
    for (const observer of this.#timed) {
      if (this.#state.timeNs >= observer.dueNs!) observer.due!(this.#state, batch, i);
      next = Math.min(next, observer.dueNs!);
    }
    this.#dueNs = next;
  }

  #boost(batch: EventBatch, i: number): void {
    const page = this.#state.pageOf(batch.pfn[i]!);
    if (page < 0) return;
    const { version } = this.#marks;
    const zone = this.#state.zoneOf(page);
    this.#marks.extfrag(batch, i, zone, this.#state.zones[zone]!.free);
    if (this.#marks.version !== version) this.#stirred = true;
  }
}

/** Whether event i and the next move pages between the free lists and a per-cpu list under one lock. */
function bulkGoesOn({ kind, cpu, detail }: EventBatch, i: number): boolean {
  const k = kind[i];
  if (k !== kind[i + 1] || cpu[i] !== cpu[i + 1]) return false;
  return k === EventKind.pcpuDrain || (k === EventKind.zoneLocked && detail[i + 1] === 1);
}

/** Shows one event, alone in its batch or not, to an observer as the walk would. */
export function showEvent(
  observer: ReplayObserver,
  state: ReplayState,
  batch: EventBatch,
  i: number,
): void {
  const pages = Int32Array.from(batch.pfn, (pfn) => state.pageOf(pfn));
  observer.batch?.(state, batch, i, i + 1, pages);
  if (batch.kind[i]! >= EventKind.extfrag) observer.seldom?.(state, batch, i);
  if (observer.dueNs !== undefined && batch.timeNs[i]! >= observer.dueNs) {
    observer.due?.(state, batch, i);
  }
  observer.changed?.(state, batch, i);
  observer.event?.(state, batch, i);
}
