/**
 * HIGHATOMIC pageblocks on kernels whose events do not name them (before 5.19), from what was refused.
 *
 * Order 0 is served from per-cpu lists, whose refill never takes HIGHATOMIC blocks on these kernels (mm/page_alloc.c
 * rmqueue_pcplist, rmqueue_bulk). So when an atomic request for one page is refused although enough pages are free, all that is free
 * lies in HIGHATOMIC pageblocks: those that hold free pages at that instant are the reserve. A pageblock
 * leaves it when an order-0 refill takes a page from it.
 *
 * Used at buddy level, where free pages are known one by one, and only where neither pagetypeinfo nor zoneinfo tells the
 * reserve. Before the first such refusal nothing is inferred.
 */
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import { zoneServes } from '../kernel/watermark.js';
import type { RecordingStrings } from '../records/strings.js';
import type { ReplayCore } from './core.js';
import type { LiveState } from './live-state.js';
import type { Refusal } from './refusals.js';
import { RequestTest, SideCounts } from './request-test.js';

export class InferredReserve {
  readonly #core: ReplayCore;
  readonly #switches: ProfileSwitches;
  readonly #strings: RecordingStrings;
  readonly #tests = new Map<number, RequestTest | null>();
  readonly #counts = new SideCounts('free');

  constructor(core: ReplayCore, switches: ProfileSwitches, strings: RecordingStrings) {
    this.#core = core;
    this.#switches = switches;
    this.#strings = strings;
  }

  /** Whether the kernel keeps such a reserve from order 0. */
  static applies(switches: ProfileSwitches): boolean {
    return switches.highatomicSubtracts !== 'none' && !switches.orderZeroUsesHighatomic;
  }

  /** Called with the state just before a refusal. */
  hear(refusal: Refusal, state: LiveState): void {
    const test = this.#testOf(refusal, state);
    if (test === null) return;
    for (const { slow, zone } of test.plan(state).zones) {
      if (!zoneServes(slow, this.#counts.load(state.zones[zone]!))) continue;
      for (const area of this.#core.geometry.zones[zone]!.areas) this.#reserve(area);
    }
    state.sync();
  }

  /** Sets apart every pageblock of an area that holds free pages. */
  #reserve(area: number): void {
    const { geometry, lists } = this.#core;
    if (geometry.areas[area]!.cma) return;
    const { pageblockOrder, space } = geometry;
    const end = space.zoneStart[area + 1]!;
    for (let page = space.zoneStart[area]!; page < end; ) {
      const order = lists.headOrder[page]!;
      if (order < 0) {
        page++;
        continue;
      }
      const last = (page + 2 ** order - 1) >> pageblockOrder;
      for (let block = page >> pageblockOrder; block <= last; block++) {
        lists.setApart(area, block, true);
      }
      page += 2 ** order;
    }
  }

  #testOf({ gfp, order }: Refusal, state: LiveState): RequestTest | null {
    if (order !== 0) return null;
    let test = this.#tests.get(gfp);
    if (test === undefined) {
      test = new RequestTest(state, this.#switches, this.#strings.gfps.text(gfp), 0, 0);
      const { high, directReclaim, nomemalloc } = test.request;
      if (!high || directReclaim || nomemalloc) test = null;
      this.#tests.set(gfp, test);
    }
    return test;
  }
}
