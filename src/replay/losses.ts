/**
 * Losses: where the trace has holes, and how many pages may be elsewhere than the replay has them because of these.
 *
 * What happened to a page during a loss is known as soon as a later event touches it, and the replay knows the future
 * (lost-events.ts). So between two losses only those pages are in doubt that were touched during one before and that no event
 * touches until the next: the doubt closes as evidence comes in. How many they are is taken from the events around each loss,
 * which are of the same kinds: of as many events as were lost, the pages that the last event of each leaves untouched until then.
 * This is an expectation, not a bound; what it is worth stands in docs/model/reconciliation.md.
 */
import { EventBatch, EventKind } from '../records/events.js';
import { Action, ActionBatch, type ActionSpool } from './actions.js';
import type { Beginning } from './beginning.js';
import { indexOf, MAX_FATE_INDEX } from './fate.js';
import { countBelow } from './sorted.js';
import type { EventSource, Survey } from './survey.js';

/** Losses told apart at most; nearer ones are taken together. */
const MAX_LOSSES = 1024;

/** Events looked at around a loss: as many as were lost, but so many at least and at most. */
const LEAST = 256;
const MOST = 4096;

/** The event at which a page is touched next that is not touched again. */
const NEVER = MAX_FATE_INDEX + 1;

/** A stretch of the trace in which events of some CPU are missing: from its last event before to the mark that tells it. */
export interface Loss {
  readonly fromIndex: number;
  readonly fromNs: number;
  /** One past the mark. */
  readonly endIndex: number;
  readonly endNs: number;
  /** Events lost; where the trace does not say, as many as there are elsewhere in so much time. */
  readonly events: number;
}

/** From this event on so many pages are in doubt. */
export interface LossStep {
  readonly index: number;
  readonly timeNs: number;
  readonly pages: number;
}

/**
 * The losses of a recording, ascending and apart from each other.
 * @param unseen events between the map that the replay begins with and the first event.
 */
export function findLosses(
  survey: Survey,
  source: EventSource,
  beginning: Beginning,
  unseen = 0,
): Loss[] {
  const losses: Loss[] = beginning.index > 0 ? [overwritten(survey, beginning)] : [];
  if (unseen > 0) losses.push(beforeTrace(survey, unseen));
  if (survey.kinds[EventKind.lost] === 0) return losses;
  const { rare, events } = survey;
  const before = new EventsBefore(source);
  for (let row = 0; row < rare.length; row++) {
    if (rare.kind[row] !== EventKind.lost) continue;
    let loss = lossAt(survey, row, before);
    for (let last = losses.at(-1); last; last = losses.at(-1)) {
      if (loss.fromIndex > last.endIndex + events / MAX_LOSSES) break;
      losses.pop();
      loss = joined(last, loss);
    }
    losses.push(loss);
  }
  return losses;
}

function lossAt(survey: Survey, row: number, before: EventsBefore): Loss {
  const { rare, firstNs, lastNs } = survey;
  const from = before.onSameCpu(rare.index[row]!);
  const endNs = rare.timeNs[row]!;
  const told = rare.field(row, 0);
  const usual = (survey.events * (endNs - from.fromNs)) / Math.max(1, lastNs - firstNs);
  const events = Math.max(1, Number.isNaN(told) ? usual : told);
  return { ...from, endIndex: rare.index[row]! + 1, endNs, events };
}

/** What is missing before the trace is whole. */
function overwritten({ events, firstNs, lastNs }: Survey, { index, timeNs }: Beginning): Loss {
  const lost = ((events - index) * (timeNs - firstNs)) / Math.max(1, lastNs - timeNs);
  return { fromIndex: 0, fromNs: firstNs, endIndex: index, endNs: timeNs, events: lost };
}

function beforeTrace({ firstNs }: Survey, events: number): Loss {
  return { fromIndex: 0, fromNs: firstNs, endIndex: 1, endNs: firstNs, events };
}

function joined(a: Loss, b: Loss): Loss {
  const { fromIndex, fromNs } = a.fromIndex <= b.fromIndex ? a : b;
  const { endIndex, endNs } = a.endIndex >= b.endIndex ? a : b;
  return { fromIndex, fromNs, endIndex, endNs, events: a.events + b.events };
}

/** The first loss of which a part lies in [from, to). */
export function lossIn(losses: readonly Loss[], from: number, to: number): Loss | null {
  let low = 0;
  let high = losses.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (losses[middle]!.endIndex <= from) low = middle + 1;
    else high = middle;
  }
  const loss = losses[low];
  return loss && loss.fromIndex < to ? loss : null;
}

/** How the pages in doubt change after the event `from`, before which none is. */
export function lossSteps(
  losses: readonly Loss[],
  from: number,
  events: EventSource,
  actions: ActionSpool,
): LossStep[] {
  const later = losses.filter((loss) => loss.endIndex > from);
  const surroundings = new Surroundings(events, actions);
  const moves = later.map((loss) => surroundings.at(loss));
  const untouchedUntil = (index: number, count: number): number =>
    moves
      .slice(0, count)
      .reduce((sum, { pagesAfter }, k) => sum + later[k]!.events * pagesAfter(index), 0);
  return later.flatMap(({ fromIndex, fromNs, endIndex, endNs, events: lost }, k) => {
    const next = later[k + 1]?.fromIndex ?? NEVER;
    const within = untouchedUntil(fromIndex, k) + lost * moves[k]!.pagesAfter(0);
    return [
      { index: Math.max(from, fromIndex), timeNs: fromNs, pages: within },
      { index: endIndex, timeNs: endNs, pages: untouchedUntil(next, k + 1) },
    ];
  });
}

/** Finds the event before a mark on the mark's CPU. */
class EventsBefore {
  readonly #source: EventSource;
  readonly #offsets: Float64Array;
  readonly #batch = new EventBatch();
  #read = -1;

  constructor(source: EventSource) {
    this.#source = source;
    this.#offsets = offsetsOf(source);
  }

  /** The last one in the same batch, else the batch's first event. */
  onSameCpu(mark: number): Pick<Loss, 'fromIndex' | 'fromNs'> {
    const b = batchAt(this.#offsets, mark);
    if (b !== this.#read) this.#source.read(b, this.#batch);
    this.#read = b;
    const { cpu, timeNs } = this.#batch;
    const offset = this.#offsets[b]!;
    const at = mark - offset;
    let i = Math.max(0, at - 1);
    while (i > 0 && cpu[i] !== cpu[at]) i--;
    return { fromIndex: offset + i, fromNs: timeNs[i]! };
  }
}

/** Reads what the events around a place move. */
class Surroundings {
  readonly #actions: ActionSpool;
  readonly #offsets: Float64Array;
  readonly #batch = new ActionBatch();
  #read = -1;

  constructor(source: EventSource, actions: ActionSpool) {
    this.#actions = actions;
    this.#offsets = offsetsOf(source);
  }

  /** As many events as were lost, before and after the mark. */
  at({ endIndex, events }: Loss): Moves {
    const mark = endIndex - 1;
    const b = batchAt(this.#offsets, mark);
    if (b !== this.#read) this.#actions.read(b, this.#batch);
    this.#read = b;
    const offset = this.#offsets[b]!;
    const half = Math.ceil(Math.min(Math.max(events, LEAST), MOST) / 2);
    const from = Math.max(0, mark - offset - half);
    const to = Math.min(this.#batch.length, mark - offset + half);
    return new Moves(this.#batch, from, to, offset + to);
  }
}

/** The pages that some events touch last, and until when these are not touched again. */
class Moves {
  /** When pages are touched next, ascending. */
  readonly #next: Float64Array;
  /** How many those and all later ones are. */
  readonly #pages: Float64Array;
  readonly #events: number;

  constructor(batch: ActionBatch, from: number, to: number, endIndex: number) {
    const { action, fate, order, runs } = batch;
    const moves: { readonly next: number; readonly pages: number }[] = [];
    for (let i = from; i < to; i++) {
      if (action[i] === Action.none) continue;
      const next = indexOf(order[i] === 0 ? fate[i]! : runs[fate[i]! + 1]!);
      // What is touched again among them counts there.
      if (next >= endIndex) moves.push({ next, pages: 2 ** order[i]! });
    }
    moves.sort((a, b) => a.next - b.next);
    this.#next = Float64Array.from(moves, ({ next }) => next);
    this.#pages = new Float64Array(moves.length + 1);
    for (let i = moves.length - 1; i >= 0; i--) {
      this.#pages[i] = this.#pages[i + 1]! + moves[i]!.pages;
    }
    this.#events = Math.max(1, to - from);
  }

  /** Pages for each event that are not touched before the event `index`. */
  pagesAfter = (index: number): number =>
    this.#pages[countBelow(this.#next, index)]! / this.#events;
}

function offsetsOf(source: EventSource): Float64Array {
  return Float64Array.from({ length: source.batches }, (_, b) => source.offsetOf(b));
}

function batchAt(offsets: Float64Array, index: number): number {
  return Math.max(0, countBelow(offsets, index + 1) - 1);
}
