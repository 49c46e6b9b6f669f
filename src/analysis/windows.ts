/**
 * Failure windows at event resolution: when a request class begins and ceases to fail. (Pages that are moved many at a time
 * under the zone's lock count as one event: see Watchers.)
 *
 * For one class all orders above 0 share each zone's reduced mark, so serving is monotone in the
 * order: after an event that changed a zone only the highest order served and the lowest refused are
 * judged, and their neighbours while the answer changes. Order 0 has rules of its own, and kernels
 * with the old halving rule are not monotone: there every order is judged by itself.
 *
 * A window's reason is the one that held longest in it.
 */
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import { EVENT_NAMES, type EventBatch, type EventKind } from '../records/events.js';
import type { RecordingStrings } from '../records/strings.js';
import type { Certainty, ReplayObserver, ReplayState } from '../replay/observer.js';
import type { FailureWindow, Verdict, WindowEdge, ZoneReason } from './types.js';
import { RequestJudge, tellsNothing } from './verdict.js';

interface OpenWindow {
  readonly judge: RequestJudge;
  fromNs: number;
  certainty: Certainty;
  openedBy: WindowEdge | null;
  failing: boolean;
  /** The reason now, since when, and how long each held in this window, ns. */
  reason: ZoneReason;
  reasonSinceNs: number;
  /** RequestJudge.zonesWithPages when the reason was last looked at. */
  zonesWithPages: number;
  readonly reasonNs: Map<ZoneReason, number>;
}

/** Orders of one class, ascending, of which a leading part is served. */
interface Ladder {
  readonly windows: OpenWindow[];
  /** How many of `windows`, from the first, are served; -1 before the first look. */
  served: number;
}

/** Which requests to watch, and where windows go. */
export interface WindowOptions {
  readonly switches: ProfileSwitches;
  readonly strings: RecordingStrings;
  readonly gfps: readonly string[];
  readonly orders: readonly number[];
  readonly node: number;
  /** Receives each window when it closes (or at the end). */
  readonly sink: (window: FailureWindow) => void;
  /** Told of each opening, with the state and the verdict that opened it. */
  readonly opened?: (state: ReplayState, verdict: Verdict) => void;
}

/** Finds the spans of time in which requests fail. */
export class WindowsObserver implements ReplayObserver {
  readonly #options: WindowOptions;
  readonly #ladders: Ladder[] = [];
  #changes = -1;
  #boosts = Number.NaN;
  /** Time goes by from event to event. */
  #eventful = true;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  start(state: ReplayState): void {
    const { gfps, orders, node, switches } = this.#options;
    const monotone = switches.watermarkRule !== 'halving';
    for (const gfp of gfps) {
      let ladder: Ladder | null = null;
      for (const order of [...orders].sort((a, b) => a - b)) {
        const window = newWindow(new RequestJudge(state, switches, gfp, order, node));
        if (ladder === null || order <= 1 || !monotone) {
          ladder = { windows: [], served: -1 };
          this.#ladders.push(ladder);
        }
        ladder.windows.push(window);
      }
    }
    this.#eventful = state.eventless !== true;
    // Without events the first copy is where the recording begins.
    if (this.#eventful) this.#update(state, null, 0);
  }

  changed(state: ReplayState, batch: EventBatch, i: number): void {
    const boosts = boostsOf(state);
    if (state.changes === this.#changes && boosts === this.#boosts) return;
    this.#boosts = boosts;
    this.#update(state, batch, i);
  }

  snapshot(state: ReplayState): void {
    this.#update(state, null, 0);
  }

  end(state: ReplayState): void {
    for (const { windows } of this.#ladders) {
      for (const open of windows) if (open.failing) this.#close(open, state.timeNs, null);
    }
  }

  #update(state: ReplayState, batch: EventBatch | null, i: number): void {
    if (tellsNothing(state)) return;
    this.#changes = state.changes ?? this.#changes + 1;
    for (let k = 0; k < this.#ladders.length; k++) {
      const ladder = this.#ladders[k]!;
      const served = servedOrders(ladder, state);
      if (served !== ladder.served) this.#climb(ladder, served, state, batch, i);
      if (served === ladder.windows.length) continue;
      const spare = ladder.windows[served]!.judge.spare(state);
      for (let w = served; w < ladder.windows.length; w++) {
        noteReason(ladder.windows[w]!, state, spare);
      }
    }
  }

  /** Opens and closes windows so that exactly those from `served` on are failing. */
  #climb(
    ladder: Ladder,
    served: number,
    state: ReplayState,
    batch: EventBatch | null,
    i: number,
  ): void {
    ladder.served = served;
    // Between copies alone no event opens or closes anything.
    const edge = batch === null || state.eventless === true ? null : this.#edge(batch, i);
    ladder.windows.forEach((open, position) => {
      const failing = position >= served;
      if (failing === open.failing) return;
      if (failing) this.#begin(open, state, edge);
      else this.#close(open, state.timeNs, edge);
    });
  }

  #begin(open: OpenWindow, state: ReplayState, edge: WindowEdge | null): void {
    const verdict = open.judge.judge(state, state.timeNs);
    open.failing = true;
    open.fromNs = state.timeNs;
    open.certainty = verdict.verdict === 'fails' ? exactness(state) : 'bounded';
    open.openedBy = edge;
    open.reason = verdict.reason;
    open.reasonSinceNs = state.timeNs;
    open.zonesWithPages = open.judge.zonesWithPages(state);
    open.reasonNs.clear();
    this.#options.opened?.(state, verdict);
  }

  #close(open: OpenWindow, toNs: number, closedBy: WindowEdge | null): void {
    open.failing = false;
    // A copy may correct another that was read before the next event: nothing lasted.
    if (this.#eventful && toNs <= open.fromNs) return;
    this.#options.sink({
      order: open.judge.order,
      gfp: open.judge.gfp,
      node: open.judge.node,
      fromNs: open.fromNs,
      toNs,
      reason: longestReason(open, toNs),
      certainty: open.certainty,
      openedBy: open.openedBy,
      closedBy,
    });
  }

  #edge(batch: EventBatch, i: number): WindowEdge {
    return {
      event: EVENT_NAMES[batch.kind[i] as EventKind] ?? 'unknown',
      comm: this.#options.strings.comms.text(batch.comm[i]!),
      pid: batch.pid[i]!,
      order: batch.order[i]!,
      pfn: batch.pfn[i]!,
    };
  }
}

/** A window that copies alone opened lasts beyond what they are exact about. */
function exactness(state: ReplayState): Certainty {
  if (state.eventless === true || state.copiesAlone === true) return 'bounded';
  return state.zones.every((z) => z.certainty === 'exact') ? 'exact' : 'bounded';
}

function boostsOf(state: ReplayState): number {
  let sum = 0;
  for (let z = 0; z < state.zones.length; z++) sum += state.zones[z]!.marks.boost * (z + 1);
  return sum;
}

function newWindow(judge: RequestJudge): OpenWindow {
  return {
    judge,
    fromNs: 0,
    certainty: 'unknown',
    openedBy: null,
    failing: false,
    reason: 'unknown',
    reasonSinceNs: 0,
    zonesWithPages: -1,
    reasonNs: new Map(),
  };
}

/** How many orders of the ladder, from the first, are served now. */
function servedOrders(ladder: Ladder, state: ReplayState): number {
  const { windows } = ladder;
  let served = Math.max(0, ladder.served);
  while (served > 0 && !windows[served - 1]!.judge.served(state, 'free')) served--;
  if (served < ladder.served) return served;
  while (served < windows.length && windows[served]!.judge.served(state, 'free')) served++;
  return served;
}

/** Follows the reason of a window that stays open. @param spare what its ladder's requests find to spare. */
function noteReason(open: OpenWindow, state: ReplayState, spare: Float64Array): void {
  const zonesWithPages = open.judge.zonesWith(spare, state);
  if (zonesWithPages === open.zonesWithPages) return;
  open.zonesWithPages = zonesWithPages;
  const { reason } = open.judge.judge(state, state.timeNs);
  if (reason === open.reason || reason === 'none') return;
  const held = state.timeNs - open.reasonSinceNs;
  open.reasonNs.set(open.reason, (open.reasonNs.get(open.reason) ?? 0) + held);
  open.reason = reason;
  open.reasonSinceNs = state.timeNs;
}

function longestReason(open: OpenWindow, toNs: number): ZoneReason {
  const held = toNs - open.reasonSinceNs + (open.reasonNs.get(open.reason) ?? 0);
  let longest = open.reason;
  let most = held;
  for (const [reason, ns] of open.reasonNs) {
    if (reason !== open.reason && ns > most) {
      longest = reason;
      most = ns;
    }
  }
  return longest;
}
