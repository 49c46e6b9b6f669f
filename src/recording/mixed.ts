/**
 * Notices inputs that do not belong together: other kernels, other machines.
 *
 * Kernels are told apart by release strings; machines by the zones of buddyinfo and by the present
 * pages of zoneinfo, which change only by memory hot-plug. Zones that one copy lacks are compared
 * only when both have the node.
 */
import type { Diagnostics } from '../records/diagnostics.js';
import type { Snapshot } from '../records/snapshot.js';
import type { SourceSummary } from '../records/source.js';

export function reportMixed(
  sources: readonly SourceSummary[],
  snapshots: readonly Snapshot[],
  diagnostics: Diagnostics,
): void {
  const releases = new Set<string>();
  for (const source of sources) {
    if (source.facts.release !== undefined) releases.add(source.facts.release);
  }
  for (const snapshot of snapshots) {
    if (snapshot.kind === 'version' && snapshot.release !== '') releases.add(snapshot.release);
  }
  if (releases.size > 1) {
    diagnostics.report('mixed-kernels', {}, { releases: [...releases].sort().join(', ') });
  }
  reportZones(snapshots, diagnostics);
}

/** Compares each source's first copy with the first copy of all. */
function reportZones(snapshots: readonly Snapshot[], diagnostics: Diagnostics): void {
  const first = new Map<string, { source: string; shape: string }>();
  const seen = new Set<string>();
  for (const snapshot of snapshots) {
    const key = `${snapshot.kind}\0${snapshot.source}`;
    if (seen.has(key)) continue;
    const shape = shapeOf(snapshot);
    if (shape === null) continue;
    seen.add(key);
    const other = first.get(snapshot.kind);
    if (other === undefined) {
      first.set(snapshot.kind, { source: snapshot.source, shape });
    } else if (other.shape !== shape) {
      diagnostics.report(
        'mixed-machines',
        { source: snapshot.source },
        { first: other.source, second: snapshot.source },
      );
    }
  }
}

function shapeOf(snapshot: Snapshot): string | null {
  if (snapshot.kind === 'buddyinfo') {
    return snapshot.zones
      .map((zone) => `${zone.node}/${zone.zone}/${zone.free.length}`)
      .sort()
      .join(' ');
  }
  if (snapshot.kind === 'zoneinfo') {
    return snapshot.zones
      .filter((zone) => zone.present > 0)
      .map((zone) => `${zone.node}/${zone.zone}/${zone.present}`)
      .sort()
      .join(' ');
  }
  return null;
}
