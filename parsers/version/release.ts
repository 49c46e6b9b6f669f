/**
 * The running kernel as a container's header names it (trace.dat, perf.data, Perfetto): no line of text,
 * no time.
 */
import { NO_TIME } from '../../src/records/snapshot.js';
import type { ParseContext } from '../format.js';

/** Notes the release as a fact of the source and as a copy of kind `version`. */
export function noteRelease({ source, sink }: ParseContext, release: string, text = release): void {
  source.facts.release = release;
  source.snapshots.version = (source.snapshots.version ?? 0) + 1;
  sink.snapshot({ kind: 'version', time: NO_TIME, source: source.name, line: 0, release, text });
}
