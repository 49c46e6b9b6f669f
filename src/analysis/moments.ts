/**
 * Moments: the full state at instants that matter, so that a report can show it exactly.
 *
 * A moment is kept when a failure window opens. There may be very many: when the limit is reached every
 * second one is dropped and from then on every second opening is skipped, so those kept stay evenly
 * spread over the recording. The opening of the longest window of each request and order is kept besides: that is what
 * a report shows first. Which one is the longest shows when it closes, so each opening must be remembered until then;
 * of windows that open after the first MAX_REMEMBERED only those are that the thinning keeps, and the others are counted
 * (`limits`). Real recordings have hundreds.
 */
import type { ReplayState, ZoneState } from '../replay/observer.js';
import type { Moment, MomentZone, NearEvent, NearestBlock } from './report-data.js';
import type { FailureWindow, Verdict } from './types.js';
import { grouped, plural } from './words.js';

/** Openings remembered until their window closes, over the whole recording: each costs a copy of the state. */
const MAX_REMEMBERED = 20_000;

export class MomentKeeper {
  #moments: Moment[] = [];
  #every = 1;
  #seen = 0;
  /** Moments kept that hold no nearest blocks: only those are thinned, the others are few. */
  #plain = 0;
  readonly #limit: number;
  /** By request and order: the moment at which the open window began, and that of the longest one closed. */
  readonly #open = new Map<string, Moment>();
  readonly #longest = new Map<string, { readonly ns: number; readonly moment: Moment }>();
  #remembered = 0;
  #forgotten = 0;
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
    const skipped = this.#seen++ % this.#every !== 0 && nearest === null;
    if (skipped && this.#remembered >= MAX_REMEMBERED) {
      this.#forgotten++;
      return;
    }
    const moment = this.#momentOf(state, verdict, nearest);
    this.#remembered++;
    this.#open.set(keyOf(verdict), moment);
    if (skipped) return;
    this.#moments.push(moment);
    if (nearest === null) this.#plain++;
    if (this.#plain < this.#limit) return;
    this.#moments = this.#moments.filter((m) => m.nearest !== undefined || this.#plain++ % 2 === 0);
    this.#plain = this.#moments.filter((m) => m.nearest === undefined).length;
    this.#every *= 2;
  };

  /** A window has closed. */
  readonly closed = (window: FailureWindow): void => {
    const key = keyOf(window);
    const moment = this.#open.get(key);
    this.#open.delete(key);
    if (moment?.timeNs !== window.fromNs) return;
    const ns = window.toNs - window.fromNs;
    if (ns > (this.#longest.get(key)?.ns ?? -1)) this.#longest.set(key, { ns, moment });
  };

  #momentOf(state: ReplayState, verdict: Verdict, nearest: readonly NearestBlock[] | null): Moment {
    const around = this.#around(state);
    const worst = state.zones.map((z) => z.certainty);
    return {
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
    };
  }

  /** What was left out because there were too many windows, in words. */
  get limits(): string[] {
    if (this.#forgotten === 0) return [];
    const [kept, lost] = [grouped(MAX_REMEMBERED), plural(this.#forgotten, 'later one')];
    return [
      `only the openings of the first ${kept} failure windows were all remembered; ${lost} cannot be shown at the event that opened the window, even if it is the longest`,
    ];
  }

  /** In time order. */
  get moments(): readonly Moment[] {
    const kept = new Set(this.#moments);
    for (const { moment } of this.#longest.values()) kept.add(moment);
    return [...kept].sort((a, b) => a.timeNs - b.timeNs);
  }
}

function zoneNow(zone: ZoneState): MomentZone {
  const { cma, highatomic, cmaPages = 0, highatomicPages = 0, reservedHighatomic = 0 } = zone;
  const { likely, reservedAtMost = 0 } = zone;
  return {
    free: [...zone.free],
    low: [...zone.low],
    high: [...zone.high],
    freePages: zone.freePages,
    boost: zone.marks.boost,
    ...(cma && cmaPages > 0 ? { cma: [...cma] } : {}),
    ...(highatomic && highatomicPages > 0 ? { highatomic: [...highatomic] } : {}),
    ...(reservedHighatomic > 0 ? { reserved: reservedHighatomic } : {}),
    ...(reservedAtMost > reservedHighatomic
      ? { reservedAtMost: Number.isFinite(reservedAtMost) ? reservedAtMost : null }
      : {}),
    ...(likely?.some((blocks, q) => blocks !== zone.low[q]) ? { likely: [...likely] } : {}),
  };
}

function keyOf({ gfp, order }: { readonly gfp: string; readonly order: number }): string {
  return `${order} ${gfp}`;
}
