/**
 * Moments: the full state at instants that matter, so that a report can show it exactly.
 *
 * A moment is kept when a failure window opens. There may be very many: when the limit is reached every
 * second one is dropped and from then on every second opening is skipped, so those kept stay evenly
 * spread over the recording.
 */
import type { ReplayState, ZoneState } from '../replay/observer.js';
import type { Moment, MomentZone, NearEvent, NearestBlock } from './report-data.js';
import type { Verdict } from './types.js';

export class MomentKeeper {
  #moments: Moment[] = [];
  #every = 1;
  #seen = 0;
  /** Moments kept that hold no nearest blocks: only those are thinned, the others are few. */
  #plain = 0;
  readonly #limit: number;
  readonly #nearest: (state: ReplayState, order: number) => readonly NearestBlock[] | null;
  readonly #around: (state: ReplayState) => readonly NearEvent[];

  /**
   * @param nearest tells what stands between each zone and a block of the order, or null.
   * @param around tells the page events around now.
   */
  constructor(
    limit = 400,
    nearest: (state: ReplayState, order: number) => readonly NearestBlock[] | null = () => null,
    around: (state: ReplayState) => readonly NearEvent[] = () => [],
  ) {
    this.#nearest = nearest;
    this.#around = around;
    this.#limit = limit;
  }

  readonly note = (state: ReplayState, verdict: Verdict): void => {
    state.catchUp?.();
    const nearest = this.#nearest(state, verdict.order);
    if (this.#seen++ % this.#every !== 0 && nearest === null) return;
    const around = this.#around(state);
    const worst = state.zones.map((z) => z.certainty);
    this.#moments.push({
      timeNs: state.timeNs,
      certainty: worst.includes('unknown')
        ? 'unknown'
        : worst.includes('bounded')
          ? 'bounded'
          : 'exact',
      zones: state.zones.map(zoneNow),
      verdict,
      ...(around.length === 0 ? {} : { around }),
      ...(nearest === null ? {} : { nearest }),
    });
    if (nearest === null) this.#plain++;
    if (this.#plain < this.#limit) return;
    this.#moments = this.#moments.filter((m) => m.nearest !== undefined || this.#plain++ % 2 === 0);
    this.#plain = this.#moments.filter((m) => m.nearest === undefined).length;
    this.#every *= 2;
  };

  get moments(): readonly Moment[] {
    return this.#moments;
  }
}

function zoneNow(zone: ZoneState): MomentZone {
  const { cma, highatomic, cmaPages = 0, highatomicPages = 0, reservedHighatomic = 0 } = zone;
  return {
    free: [...zone.free],
    low: [...zone.low],
    high: [...zone.high],
    freePages: zone.freePages,
    boost: zone.marks.boost,
    ...(cma && cmaPages > 0 ? { cma: [...cma] } : {}),
    ...(highatomic && highatomicPages > 0 ? { highatomic: [...highatomic] } : {}),
    ...(reservedHighatomic > 0 ? { reserved: reservedHighatomic } : {}),
  };
}
