import type { ReportData } from '../analysis/report-data.js';

/** The zone drawn when the reader chose none: the largest. */
export function mainZone(data: ReportData): number {
  let best = 0;
  data.zones.forEach((zone, i) => {
    if (zone.managed > data.zones[best]!.managed) best = i;
  });
  return best;
}
