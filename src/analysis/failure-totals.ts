/**
 * How long each request class fails, from its windows: what the report's first sentence rests on.
 */
import type { FailureTotal } from './report-data.js';
import type { FailureWindow, ZoneReason } from './types.js';

/** Share of a figure that must hold whatever the bounds, for it to be given to the last digit. */
const SURE = 0.95;

/** The figures of a total are exact, or nearly: else they are an estimate and given as one. */
export function sure(total: Pick<FailureTotal, 'ns' | 'exactNs'>): boolean {
  return total.exactNs >= total.ns * SURE;
}

/** One row an order, gfp and node, by order. Windows of one class do not overlap. */
export function failureTotals(
  windows: readonly FailureWindow[],
  span: { readonly fromNs: number; readonly toNs: number },
): FailureTotal[] {
  const rows = new Map<string, FailureTotal & { byReason: Partial<Record<ZoneReason, number>> }>();
  for (const window of windows) {
    const { order, gfp, node } = window;
    const key = `${order} ${node} ${gfp}`;
    const ns = window.toNs - window.fromNs;
    const old = rows.get(key);
    rows.set(key, {
      order,
      gfp,
      node,
      windows: (old?.windows ?? 0) + 1,
      ns: (old?.ns ?? 0) + ns,
      exactNs: (old?.exactNs ?? 0) + (window.certainty === 'exact' ? ns : 0),
      longestNs: Math.max(old?.longestNs ?? 0, ns),
      share: 0,
      byReason: {
        ...old?.byReason,
        [window.reason]: (old?.byReason[window.reason] ?? 0) + ns,
      },
    });
  }
  const length = Math.max(1, span.toNs - span.fromNs);
  return [...rows.values()]
    .map((row) => ({ ...row, share: Math.min(1, row.ns / length) }))
    .sort((a, b) => a.order - b.order || a.node - b.node || (a.gfp < b.gfp ? -1 : 1));
}

/** The longest windows, in time order, when there are too many to ship. */
export function limitWindows(
  windows: readonly FailureWindow[],
  limit: number,
): { windows: readonly FailureWindow[]; dropped: number } {
  if (windows.length <= limit) return { windows, dropped: 0 };
  const kept = [...windows]
    .sort((a, b) => b.toNs - b.fromNs - (a.toNs - a.fromNs) || a.fromNs - b.fromNs)
    .slice(0, limit)
    .sort((a, b) => a.fromNs - b.fromNs || a.order - b.order);
  return { windows: kept, dropped: windows.length - limit };
}
