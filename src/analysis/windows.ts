/**
 * Failure windows at event resolution: when a request class begins and ceases to fail.
 *
 * After each event that changed a zone, the highest order each zone can still serve is found (for one
 * class all orders share the zone's reduced mark, so serving is monotone in the order); only orders
 * whose answer changed are judged in full. Kernels with the old halving rule are not monotone and
 * are judged order by order.
 */
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import { EVENT_NAMES, type EventBatch, type EventKind } from '../records/events.js';
import type { RecordingStrings } from '../records/strings.js';
import type { Certainty, ReplayObserver, ReplayState } from '../replay/observer.js';
import type { FailureWindow, Verdict, WindowEdge, ZoneReason } from './types.js';
import { RequestJudge } from './verdict.js';

interface OpenWindow {
  readonly judge: RequestJudge;
  fromNs: number;
  reason: ZoneReason;
  certainty: Certainty;
  openedBy: WindowEdge | null;
  failing: boolean;
}

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

export class WindowsObserver implements ReplayObserver {
  readonly #options: WindowOptions;
  readonly #open: OpenWindow[] = [];
  #changes = -1;
  #boosts = Number.NaN;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  start(state: ReplayState): void {
    const { gfps, orders, node, switches } = this.#options;
    for (const gfp of gfps) {
      for (const order of orders) {
        this.#open.push({
          judge: new RequestJudge(state, switches, gfp, order, node),
          fromNs: state.timeNs,
          reason: 'unknown',
          certainty: 'unknown',
          openedBy: null,
          failing: false,
        });
      }
    }
    this.#update(state, null, 0);
  }

  event(state: ReplayState, batch: EventBatch, i: number): void {
    const boosts = boostsOf(state);
    if (state.changes === this.#changes && boosts === this.#boosts) return;
    this.#boosts = boosts;
    this.#update(state, batch, i);
  }

  snapshot(state: ReplayState): void {
    this.#update(state, null, 0);
  }

  end(state: ReplayState): void {
    for (const open of this.#open) if (open.failing) this.#close(open, state.timeNs, null);
  }

  #update(state: ReplayState, batch: EventBatch | null, i: number): void {
    this.#changes = state.changes ?? this.#changes + 1;
    for (let k = 0; k < this.#open.length; k++) {
      const open = this.#open[k]!;
      const failing = !open.judge.served(state, 'free');
      if (failing === open.failing) continue;
      const edge = batch === null ? null : this.#edge(batch, i);
      if (failing) this.#begin(open, state, edge);
      else this.#close(open, state.timeNs, edge);
    }
  }

  #begin(open: OpenWindow, state: ReplayState, edge: WindowEdge | null): void {
    const verdict = open.judge.judge(state, state.timeNs);
    open.failing = true;
    open.fromNs = state.timeNs;
    open.reason = verdict.reason;
    open.certainty = verdict.verdict === 'fails' ? exactness(state) : 'bounded';
    open.openedBy = edge;
    this.#options.opened?.(state, verdict);
  }

  #close(open: OpenWindow, toNs: number, closedBy: WindowEdge | null): void {
    open.failing = false;
    this.#options.sink({
      order: open.judge.order,
      gfp: open.judge.gfp,
      node: open.judge.node,
      fromNs: open.fromNs,
      toNs,
      reason: open.reason,
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

function exactness(state: ReplayState): Certainty {
  return state.zones.every((z) => z.certainty === 'exact') ? 'exact' : 'bounded';
}

function boostsOf(state: ReplayState): number {
  let sum = 0;
  for (let z = 0; z < state.zones.length; z++) sum += state.zones[z]!.marks.boost * (z + 1);
  return sum;
}
