/**
 * What is known of one input: how it was recognised, what it held, what was skipped.
 *
 * Filled in by io (bytes, hash), the registry (format, why) and the parser (counts), and shown by
 * `inspect` and in the report's provenance.
 */
import type { ClockName } from './time.js';

/** One input: how it was recognised, what it held, what was skipped. */
export interface SourceSummary {
  /** As the user named it; files found in a directory are `dir/…`. */
  readonly name: string;
  format: string;
  /** Why the content was taken for that format, in words. */
  why: string;
  /** Compression that was undone: `gz`, `zst`, `xz`, or null. */
  compression: string | null;
  /** Bytes of the file as it is on disk (as far as it was read). */
  rawBytes: number;
  /** sha256 of those bytes in hex; null when it was not asked for or the end was not reached. */
  sha256: string | null;
  /** Bytes read after decompression. */
  bytes: number;
  lines: number;
  /** Events accepted, by kernel name (`kmem:mm_page_alloc`). */
  events: Record<string, number>;
  /** Events of other kinds, counted and skipped, by name where cheap, else under `(other)`. */
  skippedEvents: Record<string, number>;
  /** Snapshots by kind. */
  snapshots: Record<string, number>;
  /** Lines that fit nothing. */
  skippedLines: number;
  lostEvents: number;
  /** `# entries-in-buffer/entries-written: a/b` with a < b: b - a entries were overwritten. */
  overwritten: number;
  clock: ClockName | string;
  firstNs: number;
  lastNs: number;
  /** Facts found on the way: `release`, `cpus`, `tracer`, `timestamp digits` … */
  facts: Record<string, string>;
}

export function newSourceSummary(name: string): SourceSummary {
  return {
    name,
    format: 'unknown',
    why: '',
    compression: null,
    rawBytes: 0,
    sha256: null,
    bytes: 0,
    lines: 0,
    events: {},
    skippedEvents: {},
    snapshots: {},
    skippedLines: 0,
    lostEvents: 0,
    overwritten: 0,
    clock: 'none',
    firstNs: Number.NaN,
    lastNs: Number.NaN,
    facts: {},
  };
}
