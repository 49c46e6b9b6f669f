/**
 * Copies of a recording as somebody without our recorder would have stamped them: the wall clock,
 * as coarse as `date` prints it, no markers.
 */
import type { Snapshot } from '../../records/snapshot.js';

/** What the wall clock shows at the trace's time 0, ns. Not a multiple of any resolution. */
export const WALL_AT_ZERO_NS = 1_732_261_745e9 + 678_217_984;

/** Copies of the given kind, one a period at most, with stamps floored to the resolution. */
export function restamped(
  snapshots: readonly Snapshot[],
  resolutionNs: number,
  periodNs: number,
  kinds: readonly Snapshot['kind'][] = ['buddyinfo'],
): { stamped: Snapshot[]; truth: Snapshot['time'][] } {
  const stamped: Snapshot[] = [];
  const truth: Snapshot['time'][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const snapshot of snapshots) {
    const { time } = snapshot;
    if (!kinds.includes(snapshot.kind) || time.clock !== 'trace') continue;
    if (time.beginNs - last < 0.98 * periodNs) continue;
    last = time.beginNs;
    const stamp = Math.floor((time.beginNs + WALL_AT_ZERO_NS) / resolutionNs) * resolutionNs;
    const wall = { clock: 'wall', beginNs: stamp, endNs: stamp, snap: null, resolutionNs } as const;
    stamped.push({ ...snapshot, time: wall });
    truth.push(time);
  }
  return { stamped, truth };
}
