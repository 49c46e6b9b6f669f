/**
 * Observer: when the kernel worked on memory itself: compaction, direct reclaim, kswapd, CMA, OOM kills.
 *
 * Spans of one kind nearer together than a column of a wide chart are joined and counted, so what is kept
 * is bounded. A span whose end was not recorded lasts to the next event of its task that would end it,
 * or to the end of the recording.
 */
import { type EventBatch, EventKind } from '../records/events.js';
import type { ReplayObserver, ReplayState } from '../replay/observer.js';
import { ACTIVITIES, type Activity, type ActivitySpan } from './report-data.js';

const COLUMNS = 900;

/** [kind, begins] by event; instants begin and end at once. */
const MEANING: ReadonlyMap<number, readonly [Activity, 'begin' | 'end' | 'instant']> = new Map([
  [EventKind.compactionBegin, ['compaction', 'begin']],
  [EventKind.compactionEnd, ['compaction', 'end']],
  [EventKind.directReclaimBegin, ['direct reclaim', 'begin']],
  [EventKind.directReclaimEnd, ['direct reclaim', 'end']],
  [EventKind.kswapdWake, ['kswapd', 'begin']],
  [EventKind.kswapdSleep, ['kswapd', 'end']],
  [EventKind.cmaAllocStart, ['CMA allocation', 'begin']],
  [EventKind.cmaAllocFinish, ['CMA allocation', 'end']],
  [EventKind.markVictim, ['OOM kill', 'instant']],
]);

interface Joined {
  fromNs: number;
  toNs: number;
  count: number;
}

export class ActivityObserver implements ReplayObserver {
  readonly #joinNs: number;
  readonly #spans = new Map<Activity, Joined[]>();
  /** Begin of what is going on, by activity and pid. */
  readonly #open = new Map<string, number>();

  constructor(fromNs: number, toNs: number) {
    this.#joinNs = (toNs - fromNs) / COLUMNS;
  }

  seldom(_state: ReplayState, batch: EventBatch, i: number): void {
    const meaning = MEANING.get(batch.kind[i]!);
    if (meaning === undefined) return;
    const [activity, part] = meaning;
    const timeNs = batch.timeNs[i]!;
    if (part === 'instant') {
      this.#add(activity, timeNs, timeNs);
      return;
    }
    const key = `${activity} ${batch.pid[i]!}`;
    const begun = this.#open.get(key);
    if (part === 'begin') {
      // kswapd is woken again while it runs.
      if (begun === undefined) this.#open.set(key, timeNs);
      return;
    }
    if (begun === undefined) return;
    this.#open.delete(key);
    this.#add(activity, begun, timeNs);
  }

  #add(activity: Activity, fromNs: number, toNs: number): void {
    const spans = this.#spans.get(activity) ?? [];
    this.#spans.set(activity, spans);
    const last = spans[spans.length - 1];
    if (last === undefined || fromNs - last.toNs > this.#joinNs) {
      spans.push({ fromNs, toNs, count: 1 });
      return;
    }
    last.fromNs = Math.min(last.fromNs, fromNs);
    last.toNs = Math.max(last.toNs, toNs);
    last.count++;
  }

  end(state: ReplayState): void {
    for (const [key, fromNs] of this.#open) {
      this.#add(key.slice(0, key.lastIndexOf(' ')) as Activity, fromNs, state.timeNs);
    }
    this.#open.clear();
  }

  result(): ActivitySpan[] {
    return ACTIVITIES.flatMap((activity) =>
      (this.#spans.get(activity) ?? []).map((span) => ({ activity, ...span })),
    );
  }
}
