/**
 * Reads a text through the format as io would, in chunks of any size. For tests only.
 */
import { Diagnostics } from '../../../src/records/diagnostics.js';
import { DEFAULT_LIMITS, type Limits } from '../../../src/records/limits.js';
import type { Snapshot } from '../../../src/records/snapshot.js';
import { newSourceSummary, type SourceSummary } from '../../../src/records/source.js';
import type { LogFact, Splat, SplatRecord } from '../../../src/records/splat.js';
import { RecordingStrings } from '../../../src/records/strings.js';
import { RecordingClock } from '../../../src/records/time.js';
import { dmesgFormat } from '../index.js';

export interface ReadLog {
  readonly splats: Splat[];
  readonly facts: LogFact[];
  readonly records: SplatRecord[];
  readonly snapshots: Snapshot[];
  readonly source: SourceSummary;
  readonly diagnostics: Diagnostics;
}

export function readLog(
  text: string | Uint8Array,
  chunkBytes = 1 << 16,
  name = 'log',
  limits: Partial<Limits> = {},
): ReadLog {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const records: SplatRecord[] = [];
  const snapshots: Snapshot[] = [];
  const source = newSourceSummary(name);
  const diagnostics = new Diagnostics();
  const parser = dmesgFormat.open({
    source,
    diagnostics,
    sink: {
      events: () => {},
      snapshot: (snapshot) => snapshots.push(snapshot),
      splat: (record) => records.push(record as SplatRecord),
    },
    limits: { ...DEFAULT_LIMITS, ...limits },
    strings: new RecordingStrings(),
    clock: new RecordingClock(),
    options: {},
  });
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    parser.push(bytes.slice(at, at + chunkBytes));
  }
  parser.end();
  return {
    records,
    splats: records.flatMap((r) => (r.record === 'splat' ? [r.splat] : [])),
    facts: records.flatMap((r) => (r.record === 'fact' ? [r.fact] : [])),
    snapshots,
    source,
    diagnostics,
  };
}
