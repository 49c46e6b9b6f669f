/**
 * Verdicts: would this request succeed in this state, and if not, which zone refused it and why.
 *
 * request-test.ts asks the kernel's rules; here its answers become words, with a reason for each zone.
 * Watermarks that nothing in the input tells: needPages is null.
 */
import { unusableBlocks, unusablePages } from '../kernel/watermark.js';
import { judgeZone, type ZoneJudgement } from '../kernel/zone-verdict.js';
import type { ReplayState, ZoneState } from '../replay/observer.js';
import { RequestTest } from '../replay/request-test.js';
import type { Verdict, VerdictWord, ZoneReason, ZoneVerdict } from './types.js';

/** A zone smaller than this share of all managed pages does not name the overall reason. */
const LARGE_ZONE_SHARE = 0.2;

/** Zones that are told apart by bits. */
const MOST_BITS = 31;

/** One request class (gfp, order, node) against one machine. */
export class RequestJudge extends RequestTest {
  /** By zone of the plan, of the latest `spare`. */
  readonly #spare = new Float64Array(MOST_BITS);

  /** Bit i set: zone i of the plan has the pages (not necessarily the block). Allocates nothing. */
  zonesWithPages(state: ReplayState): number {
    return this.zonesWith(this.spare(state), state);
  }

  /**
   * By zone of the plan, the free pages beyond those that must stay, the request's own not taken off: the same for all requests
   * that differ in nothing but an order above 0. Valid until the next call.
   */
  spare(state: ReplayState): Float64Array {
    const { zones } = this.plan(state);
    for (let i = 0; i < zones.length && i < MOST_BITS; i++) {
      const { slow, zone } = zones[i]!;
      const counts = this.sides.free[zone]!.load(state.zones[zone]!);
      this.#spare[i] = counts.freePages - unusablePages(slow, counts) - slow.needPages;
    }
    return this.#spare;
  }

  /** `zonesWithPages`, from what such a request finds to spare. */
  zonesWith(spare: Float64Array, state: ReplayState): number {
    const { zones } = this.plan(state);
    let bits = 0;
    for (let i = 0; i < zones.length && i < MOST_BITS; i++) {
      if (spare[i]! > zones[i]!.slow.orderPages) bits |= 1 << i;
    }
    return bits;
  }

  /**
   * By the best estimate; but where that says the request succeeds and what is very likely there does not suffice,
   * the answer is open. (An estimate that refuses has proved right almost always, docs/accuracy.md.)
   */
  word(state: ReplayState): VerdictWord {
    if (tellsNothing(state)) return 'undetermined';
    if (!this.served(state, 'free')) {
      const open =
        this.#mayBeOnPcp(state) ||
        this.#isShown(state) ||
        (state.far === true && this.served(state, 'most'));
      return open ? 'undetermined' : 'fails';
    }
    if (!this.servedWhateverUnseen(state)) return 'undetermined';
    if (state.zones.every((z) => z.certainty === 'exact')) return 'succeeds';
    // Where a part of the events is followed and no copy is near, what is likely there proved wrong too often.
    const least = state.far === true && state.eventless !== true ? 'low' : 'likely';
    return this.served(state, least) ? 'succeeds' : 'undetermined';
  }

  /**
   * Whether the block that is missing may lie on a per-cpu list, from where it would be served: the events show
   * one that the copies do not, in a zone that has the pages.
   */
  #mayBeOnPcp(state: ReplayState): boolean {
    if (state.pcpLooksFree?.[this.order] !== 1) return false;
    const withPages = this.zonesWithPages(state);
    return this.plan(state).zones.some(({ zone }, i) => {
      if ((withPages & (1 << i)) === 0) return false;
      const shown = state.zones[zone]!.uncorrected!;
      const cma = state.zones[zone]!.cma;
      return shown[this.order]! > (cma?.[this.order] ?? 0);
    });
  }

  /**
   * Whether the estimate is alone in saying that a zone with the pages has no block: the events show one, and so
   * do the copies before and after. In between the estimate is drawn as a line, and this is where it leads astray.
   */
  #isShown(state: ReplayState): boolean {
    if (state.zones.every(({ shownAround }) => !shownAround)) return false;
    const withPages = this.zonesWithPages(state);
    return this.plan(state).zones.some(({ slow, zone }, i) => {
      const { shownAround, uncorrected } = state.zones[zone]!;
      if ((withPages & (1 << i)) === 0 || !shownAround || !uncorrected) return false;
      let shown = 0;
      for (let q = this.order; q < uncorrected.length; q++) shown += uncorrected[q]!;
      const unusable = unusableBlocks(slow, this.sides.free[zone]!);
      return Math.min(shown, shownAround[this.order]!) > unusable;
    });
  }

  /** Zones as the kernel would try them, each with its reason. */
  zones(state: ReplayState): ZoneVerdict[] {
    const counts = this.sides.free;
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

/** Neither an event nor a copy tells of the free lists. */
export function tellsNothing({ eventless, far, zones }: ReplayState): boolean {
  return (eventless || far) === true && zones.every(({ certainty }) => certainty === 'unknown');
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
