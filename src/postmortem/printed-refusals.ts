/**
 * Which refusals the kernel prints: since 5.4 the first one, then the first that comes ten seconds or
 * more after the last one printed (mm/page_alloc.c warn_alloc, nopage_rs). So of a burst of refusals
 * of one task the first is the one in the log, and every refusal that is not in a whole log comes
 * within ten seconds of one that is.
 *
 * Requests with __GFP_NOWARN never print. Those charged to a memory cgroup may fail without the
 * allocator; they are left out, as none of them must be in the log.
 */
import { parseGfp } from '../kernel/gfp.js';
import { versionCode } from '../kernel/release.js';
import type { PostmortemReport } from './findings.js';
import type { LinkTrace } from './link-rules.js';

const INTERVAL_NS = 10e9;
const V54 = 5_004_000;

export class PrintedRefusals {
  readonly #trace: LinkTrace;
  /** Indices of refusals that print unless another did within ten seconds before. */
  readonly #able: readonly number[];

  private constructor(trace: LinkTrace, able: readonly number[]) {
    this.#trace = trace;
    this.#able = able;
  }

  /** Null for reports of kernels that print by another rule. */
  static of(reports: readonly PostmortemReport[], trace: LinkTrace): PrintedRefusals | null {
    const byRule = reports.every(
      ({ kernelKnown, profile }) => kernelKnown && versionCode(profile.version) >= V54,
    );
    const era = reports[0]?.profile.switches.gfpEra;
    if (!byRule || era === undefined) return null;
    const known = new Map<string, boolean>();
    const able = trace.refusals.flatMap(({ gfp }, i) => {
      let prints = known.get(gfp);
      if (prints === undefined) {
        const { nowarn, account } = parseGfp(gfp, era);
        prints = !nowarn && !account;
        known.set(gfp, prints);
      }
      return prints ? [i] : [];
    });
    return new PrintedRefusals(trace, able);
  }

  /** The refusal printed next after one that ended then; null if it may be one or another. */
  after(lastNs: number, toleranceNs: number): number | null {
    const { refusals } = this.#trace;
    const from = lastNs + INTERVAL_NS;
    const next = this.#able.find((i) => refusals[i]!.timeNs >= from - toleranceNs);
    return next === undefined || refusals[next]!.timeNs < from + toleranceNs ? null : next;
  }

  /** The first of the trace, if none of these reports (on the trace's clock) kept it from printing. */
  first(reportsNs: readonly number[], toleranceNs: number): number | null {
    const [first] = this.#able;
    if (first === undefined) return null;
    const { timeNs } = this.#trace.refusals[first]!;
    const kept = reportsNs.some(
      (ns) => ns < timeNs - toleranceNs && ns > timeNs - INTERVAL_NS - toleranceNs,
    );
    return kept ? null : first;
  }

  /** Whether reports at these instants account for every refusal: printed, or too soon after one. */
  accounted(reportsNs: readonly number[], toleranceNs: number): boolean {
    const { refusals } = this.#trace;
    const reports = reportsNs.filter((ns) => !Number.isNaN(ns)).sort((a, b) => a - b);
    let next = 0;
    let last = Number.NEGATIVE_INFINITY;
    return this.#able.every((i) => {
      const at = refusals[i]!.timeNs;
      while (next < reports.length && reports[next]! <= at + toleranceNs) last = reports[next++]!;
      return last >= at - INTERVAL_NS - toleranceNs;
    });
  }

  /** Whether a report before the trace could have kept all of its refusals from printing. */
  mayAllBeKept(toleranceNs: number): boolean {
    const last = this.#able.at(-1);
    if (last === undefined) return true;
    const { refusals, firstNs } = this.#trace;
    return refusals[last]!.timeNs - firstNs <= INTERVAL_NS + toleranceNs;
  }
}
