/**
 * The big trace among the inputs, read while the inputs before it are.
 *
 * A thread scans its text (io/scan.ts), so the main thread has time for the others meanwhile. The outcome
 * must not depend on that: all it says is kept apart, with string tables and a clock of its own, and becomes
 * part of the recording when its turn comes, if no input before it used those of the recording. Else it is
 * thrown away, and the input is read again like any other.
 */
import type { BackgroundHash } from '../io/hash.js';
import type { InputFile } from '../io/inputs.js';
import { scanPays } from '../io/reader.js';
import { Diagnostics } from '../records/diagnostics.js';
import type { Snapshot } from '../records/snapshot.js';
import { newSourceSummary, type SourceSummary } from '../records/source.js';
import { RecordingStrings } from '../records/strings.js';
import { RecordingClock } from '../records/time.js';
import type { EventInput } from './duplicates.js';
import type { Watched } from './watched.js';

/** The input that is worth it: the first that is big, if it stands in no compression. */
export function chooseAhead(files: readonly InputFile[]): InputFile | null {
  return files.find((file) => file.regular && scanPays(file.rawBytes, false)) ?? null;
}

/** Nothing was put in these tables, and no stamp was read. */
export function areUnused(strings: RecordingStrings, clock: RecordingClock): boolean {
  const { comms, gfps, texts, stacks } = strings;
  const size = Math.max(comms.size, gfps.size, texts.size, stacks.size);
  return size === 1 && !clock.started && clock.name === 'unknown';
}

/** What is read ahead, apart from the recording until it is taken over. */
export class AheadInput {
  readonly file: InputFile;
  readonly source: SourceSummary;
  readonly strings = new RecordingStrings();
  readonly clock = new RecordingClock();
  readonly diagnostics = new Diagnostics();
  readonly snapshots: Snapshot[] = [];
  readonly splats: unknown[] = [];
  readonly inputs: (EventInput & Watched)[] = [];
  hash: BackgroundHash | null = null;
  /** Raw bytes read so far. */
  rawBytes = 0;
  readonly #stop = new AbortController();
  #reading: Promise<'done' | 'later'> | null = null;

  constructor(file: InputFile) {
    this.file = file;
    this.source = newSourceSummary(file.name);
  }

  /** @param read reads the input; told when that is of no use any more. */
  start(read: (signal: AbortSignal) => Promise<'done' | 'later'>): void {
    this.#reading = read(this.#stop.signal);
    // Whatever it throws is for the one who takes it over.
    this.#reading.catch(() => {});
  }

  /** When its turn has come: whether it was read. Throws what reading threw. */
  async finished(): Promise<boolean> {
    return (await this.#reading) === 'done';
  }

  /** Stops reading and forgets what was read; how many events that were. */
  async discard(): Promise<number> {
    this.#stop.abort();
    await this.#reading?.catch(() => {});
    let events = 0;
    for (const { spool } of this.inputs) {
      events += spool.length;
      spool.close();
    }
    await this.hash?.cancel();
    return events;
  }
}
