/**
 * For tests: parse bytes or text with a format and look at everything that came out.
 *
 * Shared by the tests of all snapshot folders. Needs no file system: real recordings are handed in
 * as bytes by the tests that have them.
 */
import { type Diagnostic, Diagnostics } from '../../src/records/diagnostics.js';
import { DEFAULT_LIMITS, type Limits } from '../../src/records/limits.js';
import type { Snapshot, SnapshotKind } from '../../src/records/snapshot.js';
import { newSourceSummary, type SourceSummary } from '../../src/records/source.js';
import { RecordingStrings } from '../../src/records/strings.js';
import { RecordingClock } from '../../src/records/time.js';
import type { StreamFormat } from '../format.js';

export interface Parsed {
  readonly snapshots: Snapshot[];
  readonly source: SourceSummary;
  readonly diagnostics: readonly Diagnostic[];
  readonly codes: string[];
  readonly strings: RecordingStrings;
}

export interface ParseOptions {
  readonly name?: string;
  /** Bytes a chunk; the whole input at once if absent. */
  readonly chunk?: number;
  readonly limits?: Partial<Limits>;
  readonly options?: Readonly<Record<string, string>>;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function parseWith(
  format: StreamFormat,
  input: Uint8Array | string,
  options: ParseOptions = {},
): Parsed {
  const bytes = typeof input === 'string' ? bytesOf(input) : input;
  const snapshots: Snapshot[] = [];
  const source = newSourceSummary(options.name ?? 'input');
  const diagnostics = new Diagnostics();
  const strings = new RecordingStrings();
  const parser = format.open({
    source,
    sink: { events: () => {}, snapshot: (snapshot) => snapshots.push(snapshot) },
    diagnostics,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    strings,
    clock: new RecordingClock(),
    options: options.options ?? {},
  });
  const step = options.chunk ?? Math.max(1, bytes.length);
  for (let at = 0; at < bytes.length; at += step) parser.push(bytes.slice(at, at + step));
  parser.end();
  const codes = diagnostics.counts().map(([code]) => code);
  return { snapshots, source, diagnostics: diagnostics.all, codes, strings };
}

/** The snapshots of one kind, typed. */
export function ofKind<K extends SnapshotKind>(
  parsed: Parsed,
  kind: K,
): Extract<Snapshot, { kind: K }>[] {
  return parsed.snapshots.filter((s): s is Extract<Snapshot, { kind: K }> => s.kind === kind);
}
