/**
 * Links where the trace is known to use the clock of printk: ftrace's `local`.
 *
 * A task that prints its report asks for nothing else meanwhile, so the first refusal that fits behind
 * the header is the one.
 */
import type { PostmortemReport } from './findings.js';
import {
  EARLY_NS,
  endOf,
  type Fits,
  LATEST_NS,
  type Linked,
  type LinkTrace,
  windowAt,
} from './link-rules.js';

export function linkSameClock(
  reports: readonly PostmortemReport[],
  trace: LinkTrace,
  fits: Fits,
): Linked[] {
  const taken = new Set<number>();
  return reports.map((report) => {
    const mono = report.splat.time.monoNs!;
    const at = mono - trace.epochS * 1e9;
    const refusal = firstRefusal(report, trace, fits, at, taken);
    if (refusal !== null) taken.add(refusal);
    const printing = endOf(report) - mono;
    const end = refusal === null ? at : trace.refusals[refusal]!.timeNs;
    const momentNs = refusal === null ? at : end - printing;
    const window = windowAt(report, trace.windows, momentNs, end);
    return {
      refusal,
      fitting: refusal === null ? 0 : 1,
      window,
      fittingWindows: window === null ? 0 : 1,
      momentNs,
    };
  });
}

function firstRefusal(
  report: PostmortemReport,
  { refusals }: LinkTrace,
  fits: Fits,
  at: number,
  taken: ReadonlySet<number>,
): number | null {
  for (let i = 0; i < refusals.length; i++) {
    const refusal = refusals[i]!;
    if (refusal.timeNs < at - EARLY_NS || taken.has(i)) continue;
    if (refusal.timeNs > at + LATEST_NS) break;
    if (fits.test(report, refusal)) return i;
  }
  return null;
}
