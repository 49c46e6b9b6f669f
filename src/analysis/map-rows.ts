/**
 * The rows of the physical map: each zone's pageblocks in address order, several to a row on large machines.
 *
 * A row never joins pageblocks of two zones. Parts of a large machine that the replay does not simulate, because
 * nothing is known of them, have their rows too.
 */
import type { ReplayState } from '../replay/observer.js';

export interface MapRow {
  /** Index in `zones`. */
  readonly zone: number;
  readonly pfn: number;
  /** Pageblocks of the zone that it stands for. */
  readonly count: number;
  /** The first of them that is simulated, by dense page >> pageblockOrder, and how many are. */
  readonly first: number;
  simulated: number;
}

/** @param most rows, beyond the one that every zone has at least. */
export function layOutRows(state: ReplayState, most: number): MapRow[] {
  const size = 2 ** state.pageblockOrder;
  const dense = Math.ceil(state.pages.length / size);
  if (dense === 0) return [];
  const rows: MapRow[] = [];
  const spanned = state.zones.reduce((sum, zone) => sum + Math.ceil(zone.spanned / size), 0);
  const group = Math.max(1, Math.ceil((Math.max(dense, spanned) + 1) / most));
  const step = group * size;
  let b = 0;
  state.zones.forEach(({ startPfn, spanned: pages }, zone) => {
    const base = Math.floor(startPfn / size) * size;
    const end = startPfn + pages;
    let next = base;
    const open = (pfn: number, simulated: number): void => {
      const count = Math.min(group, Math.ceil((end - pfn) / size));
      rows.push({ zone, pfn, count, first: b, simulated });
      next = pfn + step;
    };
    for (; b < dense && state.zoneOf(b * size) === zone; b++) {
      const pfn = state.pfnOf(b * size);
      if (pfn < base || pfn >= end) continue;
      const row = base + Math.floor((pfn - base) / step) * step;
      while (next < row) open(next, 0);
      const last = rows[rows.length - 1];
      if (last?.zone === zone && last.pfn === row && last.first + last.simulated === b) {
        last.simulated++;
      } else open(row, 1);
    }
    while (next < end) open(next, 0);
  });
  return rows;
}
