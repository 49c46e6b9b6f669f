/**
 * Opens a recording: any mix of files, directories and stdin becomes events in time order,
 * snapshots in trace time, kernel reports and diagnostics.
 *
 * Inputs are read one after another, each decoded once into columns. In the common case, one trace
 * in order, its columns are the result as they stand; several traces are merged by time, one that
 * goes backwards is sorted, and one that merely repeats another is left out.
 *
 * ```ts
 * const recording = await openRecording(['recordings/k61']);
 * console.log(recording.events.length, recording.snapshots.length);
 * recording.close();
 * ```
 */
import type { Format, ParseContext, RecordSink } from '../../parsers/format.js';
import { FORMATS } from '../../parsers/registry.js';
import { asReadStop } from '../io/decode-error.js';
import type { BackgroundHash } from '../io/hash.js';
import { type InputFile, listInputs } from '../io/inputs.js';
import { readerThreadUrl } from '../io/reader.js';
import { compiledThread, threadsHelp } from '../io/threads.js';
import { Diagnostics } from '../records/diagnostics.js';
import type { EventBatch } from '../records/events.js';
import { DEFAULT_LIMITS, type Limits } from '../records/limits.js';
import type { Snapshot } from '../records/snapshot.js';
import { newSourceSummary, type SourceSummary } from '../records/source.js';
import { RecordingStrings } from '../records/strings.js';
import { RecordingClock } from '../records/time.js';
import { alignSnapshots, isMonotonic, MarkerIndex } from './align.js';
import { dropDuplicates, type EventInput } from './duplicates.js';
import { reportMixed } from './mixed.js';
import { AheadInput, areUnused, chooseAhead } from './read-ahead.js';
import { readInput } from './read-input.js';
import type { OpenOptions, Progress, Recording } from './recording.js';
import { SnapshotCollector } from './snapshots.js';
import { mergeByTime } from './sort.js';
import { EventSpool, SpoolBudget } from './spool.js';
import { placeUndated, UNDATED_PLACES } from './undated.js';
import { CpuWatch, reportGoingBack } from './unlikely.js';
import type { Watched } from './watched.js';

export type {
  Alignment,
  EventWatch,
  OpenOptions,
  Progress,
  ProgressListener,
  Recording,
} from './recording.js';

/** Milliseconds between two calls of a progress listener. */
const PROGRESS_MS = 100;
/** Names of files that are no input in the one line about them all. */
const NAMES_SHOWN = 3;

/**
 * Reads all inputs. Problems with them are in `diagnostics` of the result; it throws only for a
 * format id that does not exist, an aborted signal, or a temporary file that cannot be written.
 * @param formats for tests; all registered formats otherwise.
 */
export async function openRecording(
  inputs: readonly string[],
  options: OpenOptions = {},
  formats: readonly Format[] = FORMATS,
): Promise<Recording> {
  const opening = new Opening(options, formats);
  try {
    const files = listInputs(inputs, opening.limits, opening.diagnostics);
    await opening.readAll(files);
    return opening.finish();
  } catch (error) {
    await opening.abandon();
    throw error;
  }
}

/** Where the records of an input go, and what its parser shares with other inputs. */
interface Records extends Pick<ParseContext, 'strings' | 'clock' | 'diagnostics'> {
  readonly snapshots: { push(snapshot: Snapshot): void };
  readonly splats: unknown[];
  readonly inputs: (EventInput & Watched)[];
}

/** The state of one call of openRecording. */
class Opening {
  readonly limits: Limits;
  readonly diagnostics = new Diagnostics();
  readonly #options: OpenOptions;
  readonly #formats: readonly Format[];
  #strings = new RecordingStrings();
  #clock = new RecordingClock();
  readonly #budget: SpoolBudget;
  readonly #snapshots: SnapshotCollector;
  readonly #splats: unknown[] = [];
  readonly #sources: SourceSummary[] = [];
  /** Files of directories that are no input. */
  readonly #ignored: string[] = [];
  readonly #inputs: (EventInput & Watched)[] = [];
  readonly #hashes: { readonly hash: BackgroundHash; readonly source: SourceSummary }[] = [];
  /** Until its turn comes. */
  #ahead: AheadInput | null = null;
  #events = 0;
  #bytesDone = 0;
  #bytesTotal = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(options: OpenOptions, formats: readonly Format[]) {
    this.#options = options;
    this.#formats = formats;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#budget = new SpoolBudget(this.limits.spoolBytes);
    this.#snapshots = new SnapshotCollector(this.limits);
  }

  async readAll(files: readonly InputFile[]): Promise<void> {
    for (const file of files) this.#bytesTotal += file.rawBytes;
    this.#startAhead(files);
    const later: [InputFile, SourceSummary][] = [];
    for (const file of files) {
      if (file === this.#ahead?.file && (await this.#takeOver(this.#ahead))) continue;
      const source = newSourceSummary(file.name);
      this.#sources.push(source);
      if ((await this.#readOne(file, source, true)) === 'later') later.push([file, source]);
      if (!areUnused(this.#strings, this.#clock)) await this.#dropAhead();
    }
    for (const [file, source] of later) await this.#readOne(file, source, false);
    if (this.#options.hash !== 'later') await this.#hashed();
    for (const format of this.#formats) {
      if (format.finish === undefined) continue;
      const first = this.#sources.find((source) => source.format === format.id);
      if (first !== undefined) format.finish(this.#contextOf(first, this.#shared()));
    }
  }

  /** Begins to read the big trace, if there is one. */
  #startAhead(files: readonly InputFile[]): void {
    const file = this.#scanThread() === null ? null : chooseAhead(files);
    if (file === null) return;
    const ahead = new AheadInput(file);
    const { signal } = this.#options;
    this.#ahead = ahead;
    ahead.start((stopped) =>
      readInput(file, this.#contextOf(ahead.source, ahead), {
        ...this.#readOptions(),
        mayWait: true,
        onlyScanned: true,
        signal: signal === undefined ? stopped : AbortSignal.any([signal, stopped]),
        onBytes: (rawBytes) => {
          ahead.rawBytes = rawBytes;
          this.#tell('read');
        },
        onHash: (hash) => {
          ahead.hash = hash;
        },
      }),
    );
  }

  /** Its turn has come: whether what was read ahead is now part of the recording. */
  async #takeOver(ahead: AheadInput): Promise<boolean> {
    if (!(await ahead.finished())) {
      await this.#dropAhead();
      return false;
    }
    this.#ahead = null;
    this.#strings = ahead.strings;
    this.#clock = ahead.clock;
    this.#sources.push(ahead.source);
    this.diagnostics.absorb(ahead.diagnostics);
    for (const snapshot of ahead.snapshots) this.#snapshots.add(snapshot);
    this.#splats.push(...ahead.splats);
    this.#inputs.push(...ahead.inputs);
    if (ahead.hash !== null) this.#hashes.push({ hash: ahead.hash, source: ahead.source });
    this.#bytesDone += ahead.file.rawBytes;
    this.#finishInput(ahead.source);
    return true;
  }

  async #dropAhead(): Promise<void> {
    const ahead = this.#ahead;
    this.#ahead = null;
    this.#events -= (await ahead?.discard()) ?? 0;
  }

  /** Takes the hashes that were made in the background. An input that cannot be read again has none. */
  async #hashed(): Promise<void> {
    for (const { hash, source } of this.#hashes.splice(0)) {
      try {
        source.sha256 = await hash.take();
      } catch (error) {
        const reason = asReadStop(error, 'io').message;
        this.diagnostics.report('input-unhashed', { source: source.name }, { reason });
      }
    }
  }

  #scanThread(): URL | null {
    const { scanThread } = this.#options;
    return scanThread === undefined ? scanThreadUrl() : scanThread;
  }

  /** Where records of the inputs go that are read in their turn. */
  #shared(): Records {
    return {
      strings: this.#strings,
      clock: this.#clock,
      diagnostics: this.diagnostics,
      snapshots: { push: (snapshot) => this.#snapshots.add(snapshot) },
      splats: this.#splats,
      inputs: this.#inputs,
    };
  }

  #contextOf(source: SourceSummary, records: Records): ParseContext {
    return {
      source,
      sink: this.#sinkOf(source, records),
      diagnostics: records.diagnostics,
      limits: this.limits,
      strings: records.strings,
      clock: records.clock,
      options: this.#options.formatOptions ?? {},
    };
  }

  #readOptions() {
    const options = this.#options;
    return {
      limits: this.limits,
      hash: options.hash !== undefined && options.hash !== false,
      stdin: options.stdin ?? 0,
      thread: options.readerThread === undefined ? readerThreadUrl() : options.readerThread,
      scanThread: this.#scanThread(),
      formats: this.#formats,
      format: options.format ?? null,
      onIgnored: (name: string) => this.#ignored.push(name),
    };
  }

  async #readOne(
    file: InputFile,
    source: SourceSummary,
    mayWait: boolean,
  ): Promise<'done' | 'later'> {
    const before = this.#bytesDone;
    const outcome = await readInput(file, this.#contextOf(source, this.#shared()), {
      ...this.#readOptions(),
      mayWait,
      signal: this.#options.signal ?? null,
      onBytes: (rawBytes) => {
        this.#bytesDone = before + rawBytes;
        this.#tell('read');
      },
      onHash: (hash) => this.#hashes.push({ hash, source }),
      ...(this.#ahead === null ? {} : { turn: nextTurn }),
    });
    if (outcome === 'later') return outcome;
    this.#bytesDone = before + (Number.isNaN(file.rawBytes) ? source.rawBytes : file.rawBytes);
    this.#finishInput(source);
    this.#tell('read');
    return outcome;
  }

  /** Events go to a spool of the input's own, made when the first arrive. */
  #sinkOf(source: SourceSummary, records: Records): RecordSink {
    let spool: EventSpool | null = null;
    return {
      events: (batch) => {
        if (batch.length === 0) return;
        if (spool === null) {
          const watched = this.#watched(records.strings);
          spool = new EventSpool(this.#budget, watched.see);
          records.inputs.push({ name: source.name, spool, ...watched });
        }
        spool.append(batch);
        this.#events += batch.length;
      },
      snapshot: (snapshot) => records.snapshots.push(snapshot),
      splat: (splat) => records.splats.push(splat),
    };
  }

  #watched(strings: RecordingStrings): Watched {
    const markers = new MarkerIndex(strings.texts);
    const watch = this.#options.watch?.() ?? null;
    const cpus = new CpuWatch();
    const see = (batch: EventBatch, offset: number): void => {
      markers.watch(batch, offset);
      cpus.see(batch);
      watch?.see(batch, offset);
    };
    return { markers, watch, cpus, see };
  }

  #finishInput(source: SourceSummary): void {
    const input = this.#inputs.at(-1);
    if (input === undefined || input.name !== source.name) return;
    input.spool.seal();
    if (Number.isNaN(source.firstNs)) source.firstNs = input.spool.firstNs;
    if (Number.isNaN(source.lastNs)) source.lastNs = input.spool.lastNs;
    if (input.spool.backwards > 0) {
      const place = { source: source.name };
      this.diagnostics.report('events-out-of-order', place, { count: input.spool.backwards });
    }
  }

  finish(): Recording {
    if (this.#ignored.length > 0) {
      this.diagnostics.report('file-ignored', {}, { files: someOf(this.#ignored) });
    }
    const { events, markers, watch, cpus } = this.#oneSpool();
    const read = this.#snapshots.finish(this.diagnostics);
    reportMixed(this.#sources, read, this.diagnostics);
    reportGoingBack(read, this.diagnostics);
    cpus.report(this.#sources, this.diagnostics);
    const where = UNDATED_PLACES.find((place) => place === this.#options.formatOptions?.undated);
    const { epochS, name } = this.#clock;
    const undated = { where: where ?? null, epochS, clockName: name };
    const snapshots = placeUndated(read, events, undated, this.diagnostics);
    const trace = {
      events,
      epochS: this.#clock.epochS,
      clockName: this.#clock.name,
      overwritten: this.#sources.some((source) => source.overwritten > 0),
    };
    const aligned = alignSnapshots(snapshots, markers, trace, this.diagnostics);
    if (this.#clock.name === 'unknown' && isMonotonic(aligned.alignment)) {
      this.#clock.name = 'mono';
      for (const source of this.#sources) {
        if (source.clock === 'unknown') source.clock = 'mono';
      }
    }
    return {
      ...aligned,
      sources: this.#sources,
      events,
      watch,
      splats: this.#splats,
      strings: this.#strings,
      clock: this.#clock,
      diagnostics: this.diagnostics,
      hashed: () => this.#hashed(),
      close: () => {
        events.close();
        for (const { hash } of this.#hashes.splice(0)) void hash.cancel();
      },
    };
  }

  /** All events in time order, and the snapshot markers among them. */
  #oneSpool(): Watched & { events: EventSpool } {
    const kept = dropDuplicates(this.#inputs, this.diagnostics);
    const only = this.#inputs.find((input) => input.spool === kept[0]?.spool);
    if (kept.length === 1 && only !== undefined && only.spool.backwards === 0) {
      return { ...only, events: only.spool };
    }
    const watched = this.#watched(this.#strings);
    if (kept.length > 1) this.diagnostics.report('events-merged', {}, { count: kept.length });
    this.#tell('merge');
    const spools = kept.map((input) => input.spool);
    return { ...watched, events: mergeByTime(spools, this.#budget, watched.see) };
  }

  async abandon(): Promise<void> {
    await this.#dropAhead();
    for (const input of this.#inputs) input.spool.close();
    for (const { hash } of this.#hashes.splice(0)) await hash.cancel();
  }

  #tell(phase: Progress['phase']): void {
    const listener = this.#options.progress;
    if (listener === undefined) return;
    const now = listener.now();
    if (now - this.#reportedAt < PROGRESS_MS) return;
    this.#reportedAt = now;
    listener.report({
      phase,
      bytesDone: this.#bytesDone + (this.#ahead?.rawBytes ?? 0),
      bytesTotal: this.#bytesTotal,
      events: this.#events,
    });
  }
}

/** Lets what waits for messages go on. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Where the compiled scan thread is, or null when running from source or where it would not help. */
function scanThreadUrl(): URL | null {
  return threadsHelp() ? compiledThread('./scan-thread.js', import.meta.url) : null;
}

/** `a, b, c and 5 more`. */
function someOf(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN;
  return names.slice(0, NAMES_SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
