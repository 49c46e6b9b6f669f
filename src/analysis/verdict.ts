/**
 * Verdicts: would this request succeed in this state, and if not, which zone refused it and why.
 *
 * The kernel's rules live in src/kernel (request-plan, watermark, zone-verdict); here they meet the
 * reconstructed state: its best estimate and its bounds.
 *
 * Watermarks that nothing in the input tells: contiguity and lowmem_reserve decide (needPages is null).
 */
import { type GfpRequest, parseGfp } from '../kernel/gfp.js';
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import { planRequest, type RequestPlan, requestServed } from '../kernel/request-plan.js';
import { type TestMarks, unusablePages, type ZoneCounts } from '../kernel/watermark.js';
import { judgeZone, type ZoneJudgement } from '../kernel/zone-verdict.js';
import { compiledZones } from '../kernel/zonelist.js';
import type { ReplayState, ZoneState } from '../replay/observer.js';
import type { Verdict, VerdictWord, ZoneReason, ZoneVerdict } from './types.js';

/** A zone smaller than this share of all managed pages does not name the overall reason. */
const LARGE_ZONE_SHARE = 0.2;

type Side = 'free' | 'low' | 'high';

class SideCounts implements ZoneCounts {
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
    const free = zone[this.#side];
    this.free = free;
    this.cma = zone.cma ?? null;
    this.freeCma = zone.cmaPages ?? 0;
    this.reservedHighatomic = zone.reservedHighatomic ?? 0;
    this.freeHighatomic = zone.highatomicPages ?? 0;
    this.highatomic = zone.highatomic ?? null;
    let pages = 0;
    if (this.#side === 'free') pages = zone.freePages;
    else for (let q = 0; q < free.length; q++) pages += free[q]! * 2 ** q;
    this.freePages = pages;
    return this;
  }
}

/** One request class (gfp, order, node) against one machine. */
export class RequestJudge {
  readonly order: number;
  readonly gfp: string;
  readonly node: number;
  readonly request: GfpRequest;
  readonly #switches: ProfileSwitches;
  readonly #pageblockOrder: number;
  readonly #compiled: readonly string[];
  #plan: RequestPlan | null = null;
  #boosts: number[] = [];
  readonly #sides: Readonly<Record<Side, SideCounts[]>> = { free: [], low: [], high: [] };

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
    for (const side of ['free', 'low', 'high'] as const) {
      this.#sides[side].push(...state.zones.map(() => new SideCounts(side)));
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
    this.#plan = planRequest({
      request: this.request,
      order: this.order,
      node: this.node,
      switches: this.#switches,
      zones,
      marks: zones.map((z) => knownMarks(z)),
      compiled: this.#compiled,
      geometry: { pageblockOrder: this.#pageblockOrder },
    });
    return this.#plan;
  }

  /** Whether the request is served by the best estimate or by a bound. Allocates nothing. */
  served(state: ReplayState, side: Side): boolean {
    const counts = this.#sides[side];
    for (let z = 0; z < counts.length; z++) counts[z]!.load(state.zones[z]!);
    return requestServed(this.plan(state), counts);
  }

  /** Bit i set: zone i of the plan has the pages (not necessarily the block). Allocates nothing. */
  zonesWithPages(state: ReplayState): number {
    const { zones } = this.plan(state);
    let bits = 0;
    for (let i = 0; i < zones.length && i < 31; i++) {
      const { slow, zone } = zones[i]!;
      const counts = this.#sides.free[zone]!.load(state.zones[zone]!);
      const left = counts.freePages - slow.orderPages - unusablePages(slow, counts);
      if (left > slow.needPages) bits |= 1 << i;
    }
    return bits;
  }

  /**
   * By the best estimate; but where that says the request succeeds and the lower bound does not agree,
   * the answer is open. (An estimate that refuses has proved right almost always, docs/accuracy.md.)
   */
  word(state: ReplayState): VerdictWord {
    if (!this.served(state, 'free')) return 'fails';
    if (state.zones.every((z) => z.certainty === 'exact')) return 'succeeds';
    return this.served(state, 'low') ? 'succeeds' : 'undetermined';
  }

  /** Zones as the kernel would try them, each with its reason. */
  zones(state: ReplayState): ZoneVerdict[] {
    const counts = this.#sides.free;
    for (let z = 0; z < counts.length; z++) counts[z]!.load(state.zones[z]!);
    return this.plan(state).zones.map(({ slow, zone }) => {
      const place = state.zones[zone]!;
      const judged = judgeZone(slow, counts[zone]!);
      return {
        node: place.node,
        zone: place.zone,
        verdict: zoneWord(judged),
        reason: judged.reason as ZoneReason,
        needPages: Number.isNaN(place.marks.min) ? null : judged.needPages,
        freePages: judged.freePages,
        pagesShort: judged.pagesShort,
        blocks: judged.blocks,
      };
    });
  }

  judge(state: ReplayState, timeNs: number): Verdict {
    const zones = this.zones(state);
    const verdict = this.word(state);
    return {
      timeNs,
      order: this.order,
      gfp: this.gfp,
      node: this.node,
      verdict,
      reason: verdict === 'succeeds' ? 'none' : overallReason(zones, state.zones),
      zones,
    };
  }
}

/** Unknown marks ask for nothing: only contiguity is left to test. */
function knownMarks(zone: ZoneState): TestMarks {
  const { min, low, boost, protection } = zone.marks;
  return Number.isNaN(min)
    ? { min: 0, low: 0, boost: 0, protection }
    : { min, low, boost, protection };
}

function zoneWord(judged: ZoneJudgement): VerdictWord {
  if (judged.ok) return 'succeeds';
  return judged.reason === 'unknown' ? 'undetermined' : 'fails';
}

const PAGES_ENOUGH: readonly ZoneReason[] = [
  'fragmented',
  'only-highatomic',
  'only-cma',
  'isolated',
];

/**
 * The reason that binds: if a zone has the pages but not the blocks, its reason, highest zone first;
 * else lowmem-reserve if a large zone would serve but for its reserve; else below-watermark.
 */
export function overallReason(
  zones: readonly ZoneVerdict[],
  places: readonly ZoneState[],
): ZoneReason {
  const total = places.reduce((sum, z) => sum + z.managed, 0);
  const managed = (v: ZoneVerdict): number =>
    places.find((z) => z.node === v.node && z.zone === v.zone)?.managed ?? 0;
  const large = zones.filter((v) => managed(v) >= total * LARGE_ZONE_SHARE);
  const blocksShort =
    large.find((v) => PAGES_ENOUGH.includes(v.reason)) ??
    zones.find((v) => PAGES_ENOUGH.includes(v.reason));
  if (blocksShort) return blocksShort.reason;
  if (large.some((v) => v.reason === 'lowmem-reserve')) return 'lowmem-reserve';
  return zones.some((v) => v.reason === 'below-watermark') ? 'below-watermark' : 'unknown';
}
