/**
 * How many requests of one kind in a row a zone would serve, order by order.
 *
 * The least of two limits: the blocks of the order that splitting yields, and the pages above what must stay free: each
 * request takes 2^n, and the last passes while what is left, less 2^n - 1, exceeds that (mm/page_alloc.c
 * __zone_watermark_ok). CMA and HIGHATOMIC blocks count where the request may take them.
 * Not modelled: reclaim, compaction and per-cpu lists between the requests, the per-order test of kernels before 4.4.
 */
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import { unusablePages, type ZoneCounts, type ZoneTest } from '../kernel/watermark.js';
import type { ReplayState } from '../replay/observer.js';
import { RequestTest } from '../replay/request-test.js';

/** The tests of one kind of request in every zone. */
export class RowTests {
  /** By zone and order; null = the zone is never tried. */
  readonly zones: (ZoneTest[] | null)[];
  readonly #requests: readonly RequestTest[];

  constructor(state: ReplayState, switches: ProfileSwitches, gfp: string, node: number) {
    this.#requests = Array.from(
      { length: state.orders },
      (_, order) => new RequestTest(state, switches, gfp, order, node),
    );
    this.zones = state.zones.map(() => null);
    this.refresh(state);
  }

  /** For the marks of this moment. */
  refresh(state: ReplayState): void {
    this.#requests.forEach((request, order) => {
      for (const { zone, slow } of request.plan(state).zones) {
        const tests = this.zones[zone] ?? [];
        tests[order] = slow;
        this.zones[zone] = tests;
      }
    });
  }

  /** Adds to `into[n]` the requests of order n that a zone with these free lists would serve. */
  add(zone: number, counts: ZoneCounts, into: Float64Array): void {
    const tests = this.zones[zone];
    if (!tests) return;
    const { free, highatomic, cma } = counts;
    let blocks = 0;
    let kept = 0;
    for (let n = into.length - 1; n >= 0; n--) {
      const test = tests[n]!;
      blocks = blocks * 2 + free[n]!;
      if (cma !== null && !test.countsCma) blocks -= cma[n]!;
      if (highatomic !== null) kept = kept * 2 + highatomic[n]!;
      const usable = test.takesHighatomic ? blocks : blocks - kept;
      const pages = counts.freePages - unusablePages(test, counts) - test.needPages;
      const margin = pages - (test.orderPages - (1 << n) + 1);
      const byMark = test.noWatermarks ? usable : margin <= 0 ? 0 : margin >> n;
      const served = usable < byMark ? usable : byMark;
      if (served > 0) into[n]! += served;
    }
  }
}
