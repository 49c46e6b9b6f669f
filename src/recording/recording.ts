/**
 * What a recording is once it is open: everything the inputs said, in time order.
 */
import type { RecordSink } from '../../parsers/format.js';
import type { Diagnostics } from '../records/diagnostics.js';
import type { EventBatch } from '../records/events.js';
import type { Limits } from '../records/limits.js';
import type { Snapshot } from '../records/snapshot.js';
import type { SourceSummary } from '../records/source.js';
import type { RecordingStrings } from '../records/strings.js';
import type { RecordingClock } from '../records/time.js';
import type { ClockAgreement } from './agreement.js';
import type { EventSpool } from './spool.js';

export interface Recording {
  /** One an input, in the order they were read; files that are no input included. */
  readonly sources: readonly SourceSummary[];
  /** All events in time order. */
  readonly events: EventSpool;
  /** Copies in trace time by time, then those that could not be placed, in the order read. */
  readonly snapshots: readonly Snapshot[];
  /** Parsed kernel reports, in the order read. */
  readonly splats: readonly unknown[];
  readonly strings: RecordingStrings;
  readonly clock: RecordingClock;
  readonly diagnostics: Diagnostics;
  /** How the snapshots' clock was joined to the trace's. */
  readonly alignment: Alignment;
  /** The EventWatch that saw `events`, if OpenOptions.watch makes them. */
  readonly watch: EventWatch | null;
  /** Resolves when the last hash of `sources` is there, which may be later than all else (OpenOptions.hash). */
  hashed(): Promise<void>;
  /** Deletes temporary files. The events cannot be read afterwards. */
  close(): void;
}

/** How snapshots came to stand in trace time. */
export interface Alignment {
  readonly method: 'markers' | 'same-clock' | 'agreement' | 'none';
  /** Trace time minus snapshot time, ns; NaN when there is none. */
  readonly offsetNs: number;
  /** Width of the bounds on it, ns: it lies within half of this around `offsetNs`. */
  readonly spreadNs: number;
  /** Snapshots placed by their own markers. */
  readonly byMarkers: number;
  /** Snapshots placed by the offset of others, or by sharing the clock. */
  readonly byClock: number;
  /** Snapshots placed where their free pages agree with the events. */
  readonly byAgreement: number;
  /** Copies without a time placed where what they say of pages agrees with the events. */
  readonly byPages: number;
  /** Snapshots that carry a time but could not be placed. */
  readonly unplaced: number;
  /** The distance of clocks found by agreement (trace time minus snapshot time), null if none was needed. */
  readonly estimate: ClockAgreement | null;
  /** Trace time minus wall time, where copies on the wall clock tell it. */
  readonly wall: { readonly offsetNs: number; readonly uncertaintyNs: number } | null;
}

export interface Progress {
  readonly phase: 'read' | 'merge';
  /** Bytes of the inputs as they are on disk. */
  readonly bytesDone: number;
  /** NaN when an input's size is not known (stdin). */
  readonly bytesTotal: number;
  readonly events: number;
}

/** Told how far reading is, at most ten times a second by the clock it brings along. */
export interface ProgressListener {
  /** Milliseconds of any steady clock. */
  now(): number;
  report(progress: Progress): void;
}

/** Sees all events in their order while they are put away, so that they need not be read again for it. */
export interface EventWatch {
  /** @param offset index of the batch's first event. Must not keep the batch. */
  see(batch: EventBatch, offset: number): void;
}

export interface OpenOptions {
  readonly limits?: Partial<Limits>;
  /** What `-` reads: a descriptor (default 0) or chunks. */
  readonly stdin?: number | AsyncIterable<Uint8Array>;
  readonly progress?: ProgressListener;
  /** Makes one for each stream of events that may become the recording's; `Recording.watch` is the right one. */
  readonly watch?: () => EventWatch;
  /** Choices handed to every parser (`map`, `time-unit`, `clock` …). */
  readonly formatOptions?: Readonly<Record<string, string>>;
  /** Takes every input for this format instead of looking. */
  readonly format?: string;
  /** Hash the inputs (sha256 of the bytes on disk); `later`: those of big ones need not be there yet, see `hashed`. */
  readonly hash?: boolean | 'later';
  readonly signal?: AbortSignal;
  /** The compiled reader thread, or null to stay on one thread. */
  readonly readerThread?: URL | null;
  /** The compiled scan thread, or null to scan on the main thread. */
  readonly scanThread?: URL | null;
}

export type { RecordSink };
