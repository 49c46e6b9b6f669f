/**
 * The contract between a format folder and the rest: detect by content, then parse into a sink.
 *
 * A folder `parsers/<format>/` exports one `Format`. Detection never throws and never looks at the
 * name alone. Parsing never throws on bad input: it reports a diagnostic and goes on with what can
 * still be used. Everything is synchronous and push-driven: io feeds bytes, the parser feeds the
 * sink, so memory stays bounded and nothing waits.
 */
import type { Diagnostics } from '../src/records/diagnostics.js';
import type { EventBatch } from '../src/records/events.js';
import type { Limits } from '../src/records/limits.js';
import type { Snapshot } from '../src/records/snapshot.js';
import type { SourceSummary } from '../src/records/source.js';
import type { RecordingStrings } from '../src/records/strings.js';
import type { RecordingClock } from '../src/records/time.js';

/** How sure a format is that an input is its own. */
export interface Detection {
  /** 0 to 1: 1 = cannot be anything else. The highest wins; at least 0.2 is needed. */
  readonly confidence: number;
  /** In words, for `inspect`: "3 lines of the form `comm-pid [cpu] time: event:`". */
  readonly why: string;
}

/** Where parsers put what they read. A batch belongs to the parser: the sink copies it. */
export interface RecordSink {
  events(batch: EventBatch): void;
  snapshot(snapshot: Snapshot): void;
  /** A parsed kernel report; typed in src/records/splat.ts, opaque to other formats. */
  splat?(splat: unknown): void;
}

/** What a parser is given: where records go, what is known, what was asked for. */
export interface ParseContext {
  readonly source: SourceSummary;
  readonly sink: RecordSink;
  readonly diagnostics: Diagnostics;
  readonly limits: Limits;
  readonly strings: RecordingStrings;
  readonly clock: RecordingClock;
  /** Column or unit choices the user made (`--map`, `--time-unit`, `--clock`). */
  readonly options: Readonly<Record<string, string>>;
  /** Size of the input, compressed or not; absent or NaN = not known. */
  readonly inputBytes?: number;
}

/** What a ChunkScanner found, opaque to all but its format. */
export interface ScannedPart {
  /** The scanner's: what was found stands in it. */
  readonly memory: SharedArrayBuffer;
}

/** Looks at the chunks of an input ahead of the parser, on another thread (parsers/scanners.ts). */
export interface ChunkScanner {
  /** Memory to read chunks into, READ_BYTES and SLACK_BYTES more each: elsewhere they are copied first. */
  readonly rooms: readonly Uint8Array<SharedArrayBuffer>[];
  /** What it finds is valid until a chunk in the same room is scanned. */
  scan(chunk: Uint8Array): ScannedPart;
}

/** Takes the bytes of one input in order, in chunks of any size. */
export interface StreamParser {
  /** @param scanned what a ChunkScanner of the same format found in this chunk, if one looked. */
  push(chunk: Uint8Array, scanned?: ScannedPart | null): void;
  /** No more bytes: flush. */
  end(): void;
}

/** Random access to one input, for binary files with sections and offsets. */
export interface RandomAccess {
  readonly size: number;
  /** Reads up to `length` bytes at `position` into `into` (or a new array); short only at the end. */
  read(position: number, length: number, into?: Uint8Array): Uint8Array;
}

interface FormatBase {
  /** Folder name: `ftrace-text`. */
  readonly id: string;
  /** For people: `ftrace text (trace, trace_pipe)`. */
  readonly title: string;
  /**
   * Looks at the first bytes (up to 64 KiB, decompressed) of an input.
   * @param options choices the user made, as in ParseContext.
   */
  detect(
    head: Uint8Array,
    name: string,
    options?: Readonly<Record<string, string>>,
  ): Detection | null;
  /** Brings in what is dear to load and seldom needed; to be awaited before an input of this format is parsed. */
  load?(): Promise<void>;
  /** Needs what other inputs say (event formats): read after all of them, whatever their order. */
  readonly readLast?: boolean;
  /** Called once when all inputs have been read, if any was of this format: what takes several files. */
  finish?(context: ParseContext): void;
}

/** A format that is read front to back, once. */
export interface StreamFormat extends FormatBase {
  readonly mode: 'stream';
  open(context: ParseContext): StreamParser;
}

/** A format that needs the whole file at hand. */
export interface FileFormat extends FormatBase {
  readonly mode: 'file';
  parse(file: RandomAccess, context: ParseContext): void;
}

/** One kind of input. */
export type Format = StreamFormat | FileFormat;

export const DETECT_BYTES = 1 << 16;
/** From this confidence on no format further down the list is surer, and none is asked. */
export const CERTAIN = 0.98;
/** Below this confidence an input counts as not recognised. */
export const MIN_CONFIDENCE = 0.2;
