/**
 * Links where the trace is known to use the clock of printk: ftrace's `local`.
 *
 * A task that prints its report asks for nothing else meanwhile, so the first refusal that fits behind
 * the report's last line is the one. Lines that came later and are taken for its own would hide it: if
 * none is found, the first behind the header is.
 */
import { countBelow } from '../../replay/sorted.js';
import type { PostmortemReport } from '../findings.js';
import { windowAt } from './failure-window.js';
import type { Alike } from './kept-refusals.js';
import { EARLY_NS, endOf, LATEST_NS, type Linked, type LinkTrace } from './link-types.js';

export function linkSameClock(reports: readonly PostmortemReport[], trace: LinkTrace): Linked[] {
  const taken = new Set<number>();
  return reports.map((report) => {
    const mono = report.splat.time.monoNs!;
    const at = mono - trace.epochS * 1e9;
    const alike = trace.refusals.alike(report);
    const printing = endOf(report) - mono;
    const refusal = firstRefusal(alike, at + printing, taken) ?? firstRefusal(alike, at, taken);
    if (refusal !== null) taken.add(refusal);
    const end = refusal === null ? at : trace.refusals.timeNs(refusal);
    const momentNs = refusal === null ? at : end - printing;
    const window = windowAt(report, trace.windows, momentNs, end);
    return {
      refusal,
      fitting: refusal === null ? 0 : 1,
      searched: refusal === null && alike.missingFromNs <= at + LATEST_NS ? 'part' : 'whole',
      window,
      fittingWindows: window === null ? 0 : 1,
      momentNs,
    };
  });
}

function firstRefusal(
  { kept, timesNs }: Alike,
  at: number,
  taken: ReadonlySet<number>,
): number | null {
  for (let i = countBelow(timesNs, at - EARLY_NS); i < kept.length; i++) {
    if (timesNs[i]! > at + LATEST_NS) break;
    if (!taken.has(kept[i]!)) return kept[i]!;
  }
  return null;
}
