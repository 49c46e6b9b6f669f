/**
 * One request class against the reconstructed state: the kernel's rules (src/kernel/request-plan) meet the
 * best estimate and its bounds.
 *
 * Watermarks that nothing in the input tells: contiguity and lowmem_reserve decide. The plan is made anew only when
 * a boost changed; asking allocates nothing.
 */
import { freePagesOf } from '../kernel/fragmentation-index.js';
import { type GfpRequest, parseGfp } from '../kernel/gfp.js';
import { highatomicCap } from '../kernel/highatomic.js';
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import { planRequest, type RequestPlan, requestServed } from '../kernel/request-plan.js';
import type { TestMarks, ZoneCounts } from '../kernel/watermark.js';
import { compiledZones } from '../kernel/zonelist.js';
import type { ReplayState, ZoneState } from './observer.js';

/** The best estimate, what is very likely there at least and at most, or one of the bounds. */
export type Side = 'free' | 'likely' | 'most' | 'low' | 'high';

export class SideCounts implements ZoneCounts {
  freePages = 0;
  free: ArrayLike<number>;
  freeCma = 0;
  reservedHighatomic = 0;
  freeHighatomic = 0;
  highatomic: ArrayLike<number> | null = null;
  cma: ArrayLike<number> | null = null;
  readonly isolated = null;
  readonly #side: Side;

  constructor(side: Side) {
    this.#side = side;
    this.free = new Int32Array(0);
  }

  load(zone: ZoneState): this {
    const free = zone[this.#side] ?? (this.#side === 'most' ? zone.high : zone.low);
    this.free = free;
    this.cma = zone.cma ?? null;
    this.freeCma = zone.cmaPages ?? 0;
    this.reservedHighatomic = zone.reservedHighatomic ?? 0;
    this.freeHighatomic = zone.highatomicPages ?? 0;
    this.highatomic = zone.highatomic ?? null;
    this.freePages = this.#side === 'free' ? zone.freePages : freePagesOf(free);
    return this;
  }
}

/** One request class (gfp, order, node) on one machine. */
export class RequestTest {
  readonly order: number;
  readonly gfp: string;
  readonly node: number;
  readonly request: GfpRequest;
  readonly #switches: ProfileSwitches;
  readonly #pageblockOrder: number;
  readonly #compiled: readonly string[];
  #plan: RequestPlan | null = null;
  #boosts: number[] = [];
  /** With the largest boosts that may be there unseen, and the known ones it was made for. */
  #boosted: RequestPlan | null = null;
  #boostedFor: number[] = [];
  protected readonly sides: Readonly<Record<Side, SideCounts[]>> = {
    free: [],
    likely: [],
    most: [],
    low: [],
    high: [],
  };

  constructor(
    state: ReplayState,
    switches: ProfileSwitches,
    gfp: string,
    order: number,
    node: number,
  ) {
    this.order = order;
    this.gfp = gfp;
    this.node = node;
    this.request = parseGfp(gfp, switches.gfpEra);
    this.#switches = switches;
    this.#pageblockOrder = state.pageblockOrder;
    const reserve = state.zones.find((z) => z.marks.protection.length > 0);
    this.#compiled = compiledZones(
      state.zones.map((z) => z.zone),
      reserve?.marks.protection.length ?? null,
    );
    for (const side of ['free', 'likely', 'most', 'low', 'high'] as const) {
      this.sides[side].push(...state.zones.map(() => new SideCounts(side)));
    }
  }

  /** The plan for the marks of this moment; made anew only when a boost changed. */
  plan(state: ReplayState): RequestPlan {
    const { zones } = state;
    let same = this.#plan !== null;
    for (let z = 0; z < zones.length && same; z++) {
      same = this.#boosts[z] === zones[z]!.marks.boost;
    }
    if (same && this.#plan) return this.#plan;
    this.#boosts = zones.map((z) => z.marks.boost);
    this.#plan = this.#planWith(zones, zones.map(knownMarks));
    return this.#plan;
  }

  #planWith(zones: readonly ZoneState[], marks: readonly TestMarks[]): RequestPlan {
    return planRequest({
      request: this.request,
      order: this.order,
      node: this.node,
      switches: this.#switches,
      zones,
      marks,
      compiled: this.#compiled,
      geometry: { pageblockOrder: this.#pageblockOrder },
    });
  }

  /**
   * Whether the best estimate serves the request whatever nothing in the input tells: boosts, blocks of CMA areas, and pages
   * reserved as HIGHATOMIC.
   */
  servedWhateverUnseen(state: ReplayState): boolean {
    const boosted = state.zones.some(({ marks }) => marks.unseenBoost !== undefined);
    const plan = boosted ? this.#withUnseenBoosts(state) : this.plan(state);
    for (const { slow, zone } of plan.zones) {
      const counts = this.sides.free[zone]!.load(state.zones[zone]!);
      cmaUnseen(state.zones[zone]!, counts);
      if (slow.subtractReserved || slow.subtractFreeHighatomic) {
        this.#reserveUnseen(state.zones[zone]!, counts);
      }
    }
    return requestServed(plan, this.sides.free);
  }

  /** As much of what is free as may be reserved. */
  #reserveUnseen(zone: ZoneState, counts: SideCounts): void {
    const pageblock = 2 ** this.#pageblockOrder;
    const cap = highatomicCap(zone.managed, pageblock, this.#switches.highatomicCap);
    const unseen = Math.min(zone.reservedAtMost ?? 0, cap) - counts.reservedHighatomic;
    if (unseen <= 0) return;
    counts.reservedHighatomic += unseen;
    counts.freeHighatomic += Math.min(unseen, counts.freePages);
  }

  #withUnseenBoosts({ zones }: ReplayState): RequestPlan {
    if (this.#boosted !== null && zones.every((z, i) => this.#boostedFor[i] === z.marks.boost)) {
      return this.#boosted;
    }
    this.#boostedFor = zones.map((z) => z.marks.boost);
    this.#boosted = this.#planWith(
      zones,
      zones.map((zone) => {
        const { unseenBoost = 0, boost } = zone.marks;
        return { ...knownMarks(zone), boost: Math.max(boost, unseenBoost) };
      }),
    );
    return this.#boosted;
  }

  /** Whether the request is served by the best estimate or by a bound. Allocates nothing. */
  served(state: ReplayState, side: Side): boolean {
    const counts = this.sides[side];
    for (let z = 0; z < counts.length; z++) counts[z]!.load(state.zones[z]!);
    return requestServed(this.plan(state), counts);
  }
}

/** As many of the free blocks as fit may lie in CMA areas, the largest first. */
function cmaUnseen({ cmaAtMost = 0 }: ZoneState, counts: SideCounts): void {
  if (cmaAtMost === 0) return;
  let left = cmaAtMost;
  const cma = new Int32Array(counts.free.length);
  for (let q = cma.length - 1; q >= 0; q--) {
    cma[q] = Math.min(counts.free[q]!, Math.floor(left / 2 ** q));
    left -= cma[q]! * 2 ** q;
  }
  counts.cma = cma;
  counts.freeCma = cmaAtMost - left;
}

/** Unknown marks ask for nothing: only contiguity is left to test. */
function knownMarks(zone: ZoneState): TestMarks {
  const { min, low, boost, protection } = zone.marks;
  return Number.isNaN(min)
    ? { min: 0, low: 0, boost: 0, protection }
    : { min, low, boost, protection };
}
