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
import { type InputFile, listInputs } from '../io/inputs.js';
import { readerThreadUrl } from '../io/reader.js';
import { Diagnostics } from '../records/diagnostics.js';
import type { EventBatch } from '../records/events.js';
import { DEFAULT_LIMITS, type Limits } from '../records/limits.js';
import { newSourceSummary, type SourceSummary } from '../records/source.js';
import { RecordingStrings } from '../records/strings.js';
import { RecordingClock } from '../records/time.js';
import { alignSnapshots, isMonotonic, MarkerIndex } from './align.js';
import { dropDuplicates, type EventInput } from './duplicates.js';
import { reportMixed } from './mixed.js';
import { readInput } from './read-input.js';
import type { EventWatch, OpenOptions, Progress, Recording } from './recording.js';
import { SnapshotCollector } from './snapshots.js';
import { mergeByTime } from './sort.js';
import { EventSpool, SpoolBudget, type SpoolWatch } from './spool.js';
import { placeUndated, UNDATED_PLACES } from './undated.js';

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
    opening.abandon();
    throw error;
  }
}

/** What looks at a stream of events while it is put away. */
interface Watched {
  readonly markers: MarkerIndex;
  readonly watch: EventWatch | null;
  readonly see: SpoolWatch;
}

/** The state of one call of openRecording. */
class Opening {
  readonly limits: Limits;
  readonly diagnostics = new Diagnostics();
  readonly #options: OpenOptions;
  readonly #formats: readonly Format[];
  readonly #strings = new RecordingStrings();
  readonly #clock = new RecordingClock();
  readonly #budget: SpoolBudget;
  readonly #snapshots: SnapshotCollector;
  readonly #splats: unknown[] = [];
  readonly #sources: SourceSummary[] = [];
  /** Files of directories that are no input. */
  readonly #ignored: string[] = [];
  readonly #inputs: (EventInput & Watched)[] = [];
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
    const later: [InputFile, SourceSummary][] = [];
    for (const file of files) {
      const source = newSourceSummary(file.name);
      this.#sources.push(source);
      if ((await this.#readOne(file, source, true)) === 'later') later.push([file, source]);
    }
    for (const [file, source] of later) await this.#readOne(file, source, false);
    for (const format of this.#formats) {
      if (format.finish === undefined) continue;
      const first = this.#sources.find((source) => source.format === format.id);
      if (first !== undefined) format.finish(this.#contextOf(first));
    }
  }

  #contextOf(source: SourceSummary): ParseContext {
    return {
      source,
      sink: this.#sinkOf(source),
      diagnostics: this.diagnostics,
      limits: this.limits,
      strings: this.#strings,
      clock: this.#clock,
      options: this.#options.formatOptions ?? {},
    };
  }

  async #readOne(
    file: InputFile,
    source: SourceSummary,
    mayWait: boolean,
  ): Promise<'done' | 'later'> {
    const before = this.#bytesDone;
    const options = this.#options;
    const outcome = await readInput(file, this.#contextOf(source), {
      mayWait,
      limits: this.limits,
      hash: options.hash ?? false,
      stdin: options.stdin ?? 0,
      thread: options.readerThread === undefined ? readerThreadUrl() : options.readerThread,
      formats: this.#formats,
      format: options.format ?? null,
      signal: options.signal ?? null,
      onBytes: (rawBytes) => {
        this.#bytesDone = before + rawBytes;
        this.#tell('read');
      },
      onIgnored: (name) => this.#ignored.push(name),
    });
    if (outcome === 'later') return outcome;
    this.#bytesDone = before + (Number.isNaN(file.rawBytes) ? source.rawBytes : file.rawBytes);
    this.#finishInput(source);
    this.#tell('read');
    return outcome;
  }

  /** Events go to a spool of the input's own, made when the first arrive. */
  #sinkOf(source: SourceSummary): RecordSink {
    let spool: EventSpool | null = null;
    return {
      events: (batch) => {
        if (batch.length === 0) return;
        if (spool === null) {
          const watched = this.#watched();
          spool = new EventSpool(this.#budget, watched.see);
          this.#inputs.push({ name: source.name, spool, ...watched });
        }
        spool.append(batch);
        this.#events += batch.length;
      },
      snapshot: (snapshot) => this.#snapshots.add(snapshot),
      splat: (splat) => this.#splats.push(splat),
    };
  }

  #watched(): Watched {
    const markers = new MarkerIndex(this.#strings.texts);
    const watch = this.#options.watch?.() ?? null;
    const see = (batch: EventBatch, offset: number): void => {
      markers.watch(batch, offset);
      watch?.see(batch, offset);
    };
    return { markers, watch, see };
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
    const { events, markers, watch } = this.#oneSpool();
    const read = this.#snapshots.finish(this.diagnostics);
    reportMixed(this.#sources, read, this.diagnostics);
    const where = UNDATED_PLACES.find((place) => place === this.#options.formatOptions?.undated);
    const undated = { where: where ?? null, epochS: this.#clock.epochS };
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
      close: () => events.close(),
    };
  }

  /** All events in time order, and the snapshot markers among them. */
  #oneSpool(): Watched & { events: EventSpool } {
    const kept = dropDuplicates(this.#inputs, this.diagnostics);
    const only = this.#inputs.find((input) => input.spool === kept[0]?.spool);
    if (kept.length === 1 && only !== undefined && only.spool.backwards === 0) {
      return { ...only, events: only.spool };
    }
    const watched = this.#watched();
    if (kept.length > 1) this.diagnostics.report('events-merged', {}, { count: kept.length });
    this.#tell('merge');
    const spools = kept.map((input) => input.spool);
    return { ...watched, events: mergeByTime(spools, this.#budget, watched.see) };
  }

  abandon(): void {
    for (const input of this.#inputs) input.spool.close();
  }

  #tell(phase: Progress['phase']): void {
    const listener = this.#options.progress;
    if (listener === undefined) return;
    const now = listener.now();
    if (now - this.#reportedAt < PROGRESS_MS) return;
    this.#reportedAt = now;
    listener.report({
      phase,
      bytesDone: this.#bytesDone,
      bytesTotal: this.#bytesTotal,
      events: this.#events,
    });
  }
}

/** `a, b, c and 5 more`. */
function someOf(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN;
  return names.slice(0, NAMES_SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
