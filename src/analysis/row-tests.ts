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

/** One zone's tests by order, and what they ask for as numbers. */
class ZoneRow {
  readonly tests: readonly ZoneTest[];
  /** Pages that must be free, less one, for the first request. */
  readonly least: Float64Array;
  /** No test ignores watermarks. */
  readonly marked: boolean;

  constructor(tests: readonly ZoneTest[]) {
    this.tests = tests;
    this.least = Float64Array.from(
      tests,
      ({ needPages, orderPages }, n) => needPages + orderPages - 2 ** n + 1,
    );
    this.marked = tests.every(({ noWatermarks }) => !noWatermarks);
  }
}

/** The tests of one kind of request in every zone. */
export class RowTests {
  /** By zone; null = the zone is never tried. */
  readonly #zones: (ZoneRow | null)[];
  readonly #requests: readonly RequestTest[];

  constructor(state: ReplayState, switches: ProfileSwitches, gfp: string, node: number) {
    this.#requests = Array.from(
      { length: state.orders },
      (_, order) => new RequestTest(state, switches, gfp, order, node),
    );
    this.#zones = state.zones.map(() => null);
    this.refresh(state);
  }

  /** For the marks of this moment. */
  refresh(state: ReplayState): void {
    const plans = this.#requests.map((request) => request.plan(state).zones);
    this.#zones.forEach((_, z) => {
      const tests = plans.flatMap((zones) => zones.filter(({ zone }) => zone === z));
      this.#zones[z] = tests.length === 0 ? null : new ZoneRow(tests.map(({ slow }) => slow));
    });
  }

  /** `into[n]` becomes the requests of order n that a zone with these free lists would serve. */
  count(zone: number, counts: ZoneCounts, into: Float64Array): void {
    const row = this.#zones[zone]!;
    if (row === null) into.fill(0);
    else if (row.marked && nothingKept(counts)) countPlain(row.least, counts, into);
    else countKept(row.tests, counts, into);
  }
}

/** All that is free may be taken by any request. */
function nothingKept({ freeCma, reservedHighatomic, freeHighatomic }: ZoneCounts): boolean {
  return freeCma === 0 && reservedHighatomic === 0 && freeHighatomic === 0;
}

/** The usual case, asked whenever a page is taken. */
function countPlain(least: Float64Array, counts: ZoneCounts, into: Float64Array): void {
  const { free, freePages } = counts;
  let blocks = 0;
  for (let n = into.length - 1; n >= 0; n--) {
    blocks = blocks * 2 + free[n]!;
    const margin = freePages - least[n]!;
    const byMark = margin <= 0 ? 0 : margin >> n;
    into[n] = blocks < byMark ? blocks : byMark;
  }
}

function countKept(tests: readonly ZoneTest[], counts: ZoneCounts, into: Float64Array): void {
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
    into[n] = Math.max(0, Math.min(usable, byMark));
  }
}
