/**
 * Notices recordings that ordinary mistakes make: events of one CPU only (per_cpu/cpu0/trace instead of trace), and copies in a
 * file whose clock was set back, or whose machine was rebooted, in the middle.
 */
import type { Diagnostics } from '../records/diagnostics.js';
import type { EventBatch } from '../records/events.js';
import type { Snapshot, SnapshotTime } from '../records/snapshot.js';
import type { SourceSummary } from '../records/source.js';
import { formatSeconds } from '../records/time.js';

/** Fewer events may well be of one CPU. */
const ENOUGH_EVENTS = 1000;

/** Which CPU all events are of. */
export class CpuWatch {
  /** -1 = none seen yet, -2 = several. */
  #cpu = -1;
  #events = 0;

  see({ cpu, length }: EventBatch): void {
    this.#events += length;
    for (let i = 0; i < length && this.#cpu !== -2; i++) {
      if (this.#cpu < 0) this.#cpu = cpu[i]!;
      else if (cpu[i] !== this.#cpu) this.#cpu = -2;
    }
  }

  report(sources: readonly SourceSummary[], diagnostics: Diagnostics): void {
    const cpus = Math.max(...sources.map(({ facts }) => Number(facts.cpus ?? 0)));
    if (this.#cpu < 0 || this.#events < ENOUGH_EVENTS || !(cpus > 1)) return;
    diagnostics.report('events-of-one-cpu', {}, { cpu: this.#cpu, cpus });
  }
}

const CAUSES: Partial<Record<SnapshotTime['clock'], string>> = {
  mono: 'seconds since boot began anew, so the machine was rebooted in between',
  wall: 'the clock was set back in between, or several files were joined',
};

/** @param snapshots in the order they were read. */
export function reportGoingBack(snapshots: readonly Snapshot[], diagnostics: Diagnostics): void {
  const last = new Map<string, SnapshotTime>();
  for (const { kind, source, line, time } of snapshots) {
    const cause = CAUSES[time.clock];
    if (cause === undefined) continue;
    const key = `${kind} ${time.clock} ${source}`;
    const before = last.get(key);
    last.set(key, time);
    if (kind !== 'buddyinfo' || before === undefined) continue;
    if (time.beginNs >= before.beginNs - time.resolutionNs) continue;
    const [from, to] = [before.beginNs, time.beginNs].map((timeNs) => formatSeconds(timeNs));
    diagnostics.report('copies-go-back', { source, line }, { from: from!, to: to!, cause });
  }
}
