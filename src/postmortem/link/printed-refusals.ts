/**
 * Which refusals the kernel prints: since 5.4 the first one, then the first that comes ten seconds or
 * more after the last one printed (mm/page_alloc.c warn_alloc, nopage_rs). So of a burst of refusals
 * of one task the first is the one in the log, and every refusal that is not in a whole log comes
 * within ten seconds of one that is.
 */
import { versionCode } from '../../kernel/release.js';
import type { PostmortemReport } from '../findings.js';
import type { LinkTrace } from './link-types.js';
import type { PrintingRuns } from './printing-runs.js';

const INTERVAL_NS = 10e9;
const V54 = 5_004_000;

export class PrintedRefusals {
  readonly #runs: PrintingRuns;
  readonly #firstNs: number;

  private constructor({ refusals, firstNs }: LinkTrace) {
    this.#runs = refusals.printing;
    this.#firstNs = firstNs;
  }

  /** Null for reports of kernels that print by another rule. */
  static of(reports: readonly PostmortemReport[], trace: LinkTrace): PrintedRefusals | null {
    const byRule = reports.every(
      ({ kernelKnown, profile }) => kernelKnown && versionCode(profile.version) >= V54,
    );
    return byRule ? new PrintedRefusals(trace) : null;
  }

  /** The refusal printed next after one that ended then; null if it may be one or another. */
  after(lastNs: number, toleranceNs: number): number | null {
    const from = lastNs + INTERVAL_NS - toleranceNs;
    const run = this.#runs.firstEndingFrom(from);
    // inside a run the next one is near, too
    if (run === this.#runs.count || this.#runs.fromNs(run) < from + 2 * toleranceNs) return null;
    return this.#runs.first(run);
  }

  /** The first of the trace, if none of these reports (on the trace's clock) kept it from printing. */
  first(reportsNs: readonly number[], toleranceNs: number): number | null {
    if (this.#runs.count === 0) return null;
    const timeNs = this.#runs.fromNs(0);
    const kept = reportsNs.some(
      (ns) => ns < timeNs - toleranceNs && ns > timeNs - INTERVAL_NS - toleranceNs,
    );
    return kept ? null : this.#runs.first(0);
  }

  /**
   * Whether reports at these instants account for every refusal: printed, or too soon after one.
   * What a run may leave out between two refusals speaks for the reports.
   */
  accounted(reportsNs: readonly number[], toleranceNs: number): boolean {
    const runs = this.#runs;
    const reports = reportsNs.filter((ns) => !Number.isNaN(ns)).sort((a, b) => a - b);
    let next = 0;
    let last = Number.NEGATIVE_INFINITY;
    const reach = (ns: number): number => {
      while (next < reports.length && reports[next]! <= ns + toleranceNs) last = reports[next++]!;
      return last + INTERVAL_NS + toleranceNs;
    };
    for (let run = 0; run < runs.count; run++) {
      const toNs = runs.toNs(run);
      let silentTo = reach(runs.fromNs(run));
      if (silentTo < runs.fromNs(run)) return false;
      while (silentTo < toNs) {
        const further = reach(Math.min(toNs, silentTo + runs.gapNs));
        if (further === silentTo) return false;
        silentTo = further;
      }
    }
    return true;
  }

  /** Whether a report before the trace could have kept all of its refusals from printing. */
  mayAllBeKept(toleranceNs: number): boolean {
    const { count } = this.#runs;
    if (count === 0) return true;
    return this.#runs.toNs(count - 1) - this.#firstNs <= INTERVAL_NS + toleranceNs;
  }
}
