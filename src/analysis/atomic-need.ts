/**
 * What GFP_ATOMIC must leave in each zone, and the zones it tries, by the kernel profile's rules.
 *
 * All orders of one class share the reduced mark and the reserve (the 2^n - 1 pages of the request
 * itself come on top), so one plan of order 1 serves every chart.
 */
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import type { ReplayObserver, ReplayState, ZoneState } from '../replay/observer.js';
import { RequestJudge } from './verdict.js';

export class AtomicNeed implements ReplayObserver {
  readonly #switches: ProfileSwitches;
  readonly #node: number;
  #state: ReplayState | null = null;
  #judge: RequestJudge | null = null;

  /** @param node where the requests come from. */
  constructor(switches: ProfileSwitches, node: number) {
    this.#switches = switches;
    this.#node = node;
  }

  /** Must run before every observer that asks. */
  start(state: ReplayState): void {
    this.#state = state;
    this.#judge = new RequestJudge(state, this.#switches, 'GFP_ATOMIC', 1, this.#node);
  }

  /** Pages that must stay free; Infinity: never tried; null: the marks are not known. */
  need(zone: ZoneState): number | null {
    if (this.#state === null || this.#judge === null) return null;
    const planned = this.#judge.plan(this.#state).zones.find((plan) => plan.zone === zone.index);
    if (planned === undefined) return Number.POSITIVE_INFINITY;
    if (Number.isNaN(zone.marks.min)) return null;
    return planned.slow.needPages;
  }

  /** Indices of zones in the order they are tried. */
  zonelist(): number[] {
    if (this.#state === null || this.#judge === null) return [];
    return this.#judge.plan(this.#state).zones.map(({ zone }) => zone);
  }
}
