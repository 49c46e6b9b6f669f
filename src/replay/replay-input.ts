/**
 * What a replay is made from, and what it may do with it.
 */
import type { Diagnostics } from '../records/diagnostics.js';
import type { Snapshot } from '../records/snapshot.js';
import type { RecordingStrings } from '../records/strings.js';
import type { PfnRange } from './geometry.js';
import type { EventSource, Survey } from './survey.js';

/** What a replay needs of a recording; a Recording has it all. */
export interface ReplayInput {
  readonly events: EventSource;
  /** Snapshots that may be believed, in time order. */
  readonly snapshots: readonly Snapshot[];
  readonly strings: RecordingStrings;
  readonly diagnostics?: Diagnostics;
  /** Of these events, if they were surveyed when they were read. */
  readonly survey?: Survey;
}

/** What a replay may use and what it is told. */
export interface ReplayOptions {
  /** Only the past may speak: no fates, no later snapshots. */
  readonly causal?: boolean;
  /** Forward runs of the solver before the final one (default 3). */
  readonly solverRuns?: number;
  readonly cma?: readonly PfnRange[];
  readonly pages?: number;
  /** Zones that span more pages in all are simulated where the recording touches them (default 2^22). */
  readonly densePages?: number;
  readonly kernel?: string;
  readonly profile?: readonly string[];
  /** Bytes of events and decided actions kept in memory before a temporary file is used. */
  readonly spoolBytes?: number;
  readonly phase?: (name: string) => void;
  /** Recorded requests that are to be judged, by stamp and order: they must not speak for themselves. */
  readonly judged?: (timeNs: number, order: number) => boolean;
}
