/**
 * What a refusal proves of the free lists: where the replay would have served the request, it holds too much.
 *
 * The kernel refused because in every zone either too few pages were free (its watermark test) or no block was large
 * enough. In a zone where the replay disagrees, the smaller of the two errors is taken for true: so many pages
 * fewer, or no block of that order and above. Pages are taken off from the smallest blocks up: what a replay
 * has too many of is mostly single pages (per-cpu lists, compaction's targets).
 *
 * Left out: requests that could not use all zones for reasons that the trace does not print (cpusets and memory policies of
 * tasks, __GFP_THISNODE) on machines of more than one node.
 */
import { blocksObtainable } from '../kernel/fragmentation-index.js';
import { GfpFlag } from '../kernel/gfp.js';
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import { unusablePages, usableBlocks, type ZoneTest, zoneServes } from '../kernel/watermark.js';
import type { RecordingStrings } from '../records/strings.js';
import type { LiveState } from './live-state.js';
import type { Anchor } from './reconcile.js';
import type { Refusal } from './refusals.js';
import { RequestTest, SideCounts } from './request-test.js';

export class RefusalEvidence {
  /** Where the replay had to be corrected, in order. */
  readonly anchors: Anchor[] = [];
  readonly #switches: ProfileSwitches;
  readonly #strings: RecordingStrings;
  readonly #tests = new Map<number, RequestTest | null>();
  readonly #counts = new SideCounts('free');
  readonly #cpus: number;

  constructor(switches: ProfileSwitches, strings: RecordingStrings, cpus: number) {
    this.#cpus = cpus;
    this.#switches = switches;
    this.#strings = strings;
  }

  /** Called with the state just before a refusal. */
  hear(refusal: Refusal, state: LiveState): void {
    const test = this.#testOf(refusal, state);
    if (test === null || !test.served(state, 'free')) return;
    if (!test.plan(state).zones.every(({ slow }) => slow.takesHighatomic)) return;
    const residual = Int32Array.from(state.raw);
    for (const zone of state.zones) {
      for (let q = 0; q < state.orders; q++) {
        const cell = zone.index * state.orders + q;
        residual[cell] = residual[cell]! - zone.free[q]!;
      }
    }
    let corrected = false;
    for (const { slow, zone } of test.plan(state).zones) {
      const counts = this.#counts.load(state.zones[zone]!);
      if (!zoneServes(slow, counts)) continue;
      if (spareOf(slow, counts) <= this.#drift(state.zones[zone]!.managed)) continue;
      takeOff(slow, counts, residual.subarray(zone * state.orders, (zone + 1) * state.orders));
      corrected = true;
    }
    if (!corrected) return;
    const { index, timeNs } = refusal;
    this.anchors.push({ beginIndex: index, endIndex: index, timeNs, residual, partial: true });
  }

  /**
   * By how much the counter that the kernel tests may be off: each cpu keeps up to a threshold of it to itself
   * (mm/vmstat.c calculate_normal_threshold).
   */
  #drift(managed: number): number {
    const bits = (n: number): number => 32 - Math.clz32(n);
    const threshold = Math.min(125, 2 * bits(this.#cpus) * (1 + bits(managed >> 15)));
    return threshold * this.#cpus;
  }

  #testOf({ gfp, order }: Refusal, state: LiveState): RequestTest | null {
    const key = gfp * 32 + order;
    let test = this.#tests.get(key);
    if (test === undefined) {
      test = new RequestTest(state, this.#switches, this.#strings.gfps.text(gfp), order, 0);
      const nodes = new Set(state.zones.map((zone) => zone.node)).size;
      const { flags, hardwall } = test.request;
      if (nodes > 1 && (hardwall || (flags & GfpFlag.THISNODE) !== 0)) test = null;
      if (order >= state.orders) test = null;
      this.#tests.set(key, test);
    }
    return test;
  }
}

/** Pages beyond what the watermark test asks for. */
function spareOf(test: ZoneTest, counts: SideCounts): number {
  return counts.freePages - unusablePages(test, counts) - test.orderPages - test.needPages;
}

/** Adds to the residual of a zone what makes it refuse. */
function takeOff(test: ZoneTest, counts: SideCounts, residual: Int32Array): void {
  const { order } = test;
  const spare = spareOf(test, counts);
  const blockPages = blocksObtainable(counts.free, order) * 2 ** order;
  if (order > 0 && blockPages <= spare && usableBlocks(test, counts) > 0) {
    for (let q = order; q < counts.free.length; q++) {
      const barred =
        (counts.cma?.[q] ?? 0) + (test.takesHighatomic ? 0 : (counts.highatomic?.[q] ?? 0));
      residual[q] = residual[q]! + Math.max(0, counts.free[q]! - barred);
    }
    return;
  }
  takePages(spare, counts.free, residual);
}

/** Pages from the smallest blocks up; what is left of a block that is cut stays as smaller blocks. */
function takePages(pages: number, free: ArrayLike<number>, residual: Int32Array): void {
  let left = pages;
  for (let q = 0; q < free.length && left > 0; q++) {
    const whole = Math.min(free[q]!, Math.floor(left / 2 ** q));
    residual[q] = residual[q]! + whole;
    left -= whole * 2 ** q;
    if (left === 0 || left >= 2 ** q || whole === free[q]!) continue;
    residual[q] = residual[q]! + 1;
    let rest = 2 ** q - left;
    for (let part = q - 1; part >= 0; part--) {
      const blocks = Math.floor(rest / 2 ** part);
      residual[part] = residual[part]! - blocks;
      rest -= blocks * 2 ** part;
    }
    left = 0;
  }
}
