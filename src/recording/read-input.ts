/**
 * Reads one input: opens it, decides its format by content, parses it into the recording.
 *
 * Whatever is wrong with an input becomes a diagnostic, and what was read before it is kept.
 */
import {
  DETECT_BYTES,
  type Format,
  type ParseContext,
  type StreamParser,
} from '../../parsers/format.js';
import { type Detected, detect, formatById } from '../../parsers/registry.js';
import { hasScanner } from '../../parsers/scanners.js';
import { detectUnsupported } from '../io/compression.js';
import { asReadStop, ReadStop, type StopReason } from '../io/decode-error.js';
import type { BackgroundHash } from '../io/hash.js';
import type { InputFile } from '../io/inputs.js';
import { type OpenInput, type OpenInputOptions, openInput } from '../io/open-input.js';
import type { DiagnosticCode, Diagnostics } from '../records/diagnostics.js';
import type { SourceSummary } from '../records/source.js';

/** Bytes between two turns of others. */
const TURN_BYTES = 1 << 16;

export interface ReadInputOptions extends Omit<OpenInputOptions, 'headBytes'> {
  readonly formats: readonly Format[];
  /** Id of the format to take it for, or null to look. */
  readonly format: string | null;
  readonly signal: AbortSignal | null;
  /** Called after every chunk with the bytes read from disk so far. */
  readonly onBytes: (rawBytes: number) => void;
  /** Other inputs are still to come: one that must be read last is left for later. */
  readonly mayWait: boolean;
  /** Called for a file of a directory that no format knows. */
  readonly onIgnored: (name: string) => void;
  /** Takes a hash that is still being made; its `source` gets it when it is done. */
  readonly onHash: (hash: BackgroundHash, source: SourceSummary) => void;
  /** Reads only what can be scanned ahead; the rest is left for later. */
  readonly onlyScanned?: boolean;
  /** Awaited every now and then, where others are to have a turn; nothing is scanned then. */
  readonly turn?: () => Promise<void>;
}

/**
 * @param context everything a parser needs; `context.source` is filled in.
 * @returns `later` if nothing was read because this input must come after all others.
 */
export async function readInput(
  file: InputFile,
  context: ParseContext,
  options: ReadInputOptions,
): Promise<'done' | 'later'> {
  const { source, diagnostics } = context;
  let input: OpenInput;
  try {
    input = await openInput(file, { ...options, headBytes: DETECT_BYTES });
  } catch (error) {
    reportSystemError(error, source.name, diagnostics);
    return 'done';
  }
  try {
    const chosen = choose(input, file, context, options);
    if (chosen?.format.readLast && options.mayWait && file.regular) return 'later';
    if (options.onlyScanned && !(chosen !== null && hasScanner(chosen.format.id))) return 'later';
    source.compression = input.stats.compression;
    if (chosen !== null) {
      source.format = chosen.format.id;
      source.why = chosen.detection.why;
      const sized = { ...context, inputBytes: file.rawBytes };
      await parse(input, chosen.format, sized, options);
    } else {
      if (input.head.length > 0) reportUnknown(input, file, diagnostics, options.onIgnored);
      if (input.head.length < DETECT_BYTES) await drain(input, source, diagnostics);
    }
    return 'done';
  } finally {
    source.rawBytes = input.stats.rawBytes;
    source.sha256 = input.stats.sha256;
    source.compression = input.stats.compression;
    const hash = await input.close();
    if (hash !== null) options.onHash(hash, source);
  }
}

function choose(
  input: OpenInput,
  file: InputFile,
  context: ParseContext,
  options: ReadInputOptions,
): Detected | null {
  if (input.head.length === 0 || detectUnsupported(input.head) !== null) return null;
  if (options.format !== null) {
    const format = formatById(options.format, options.formats);
    if (format === null) throw new RangeError(`no such format: ${options.format}`);
    return { format, detection: { confidence: 1, why: 'named by the user' } };
  }
  const name = file.path === null ? '' : file.name;
  return detect(input.head, name, options.formats, context.options);
}

async function parse(
  input: OpenInput,
  format: Format,
  context: ParseContext,
  options: ReadInputOptions,
): Promise<void> {
  const { source } = context;
  await format.load?.();
  if (format.mode === 'file') {
    const { access, stop: early } = await input.access();
    let stop = early;
    try {
      source.bytes = access.size;
      format.parse(access, context);
    } catch (error) {
      if (!(error instanceof ReadStop)) throw error;
      stop ??= error;
    } finally {
      access.close();
    }
    options.onBytes(input.stats.rawBytes);
    if (stop !== null) reportStop(asReadStop(stop, 'io'), source.name, context.diagnostics);
    return;
  }
  const parser = format.open(context);
  if (options.turn === undefined && hasScanner(format.id))
    input.orderScan({ format: format.id, options: context.options });
  let stop: unknown = null;
  const iterator = input.chunks;
  for (;;) {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await iterator.next();
    } catch (error) {
      stop = error;
      break;
    }
    if (next.done === true) break;
    options.signal?.throwIfAborted();
    source.bytes += next.value.length;
    if (options.turn === undefined) parser.push(next.value, input.scanned);
    else await pushByTurns(parser, next.value, options.turn);
    options.onBytes(input.stats.rawBytes);
  }
  parser.end();
  if (stop !== null) reportStop(asReadStop(stop, 'io'), source.name, context.diagnostics);
}

/** A chunk in pieces, between which others have their turn. */
async function pushByTurns(
  parser: StreamParser,
  chunk: Uint8Array,
  turn: () => Promise<void>,
): Promise<void> {
  for (let at = 0; at < chunk.length; at += TURN_BYTES) {
    parser.push(chunk.subarray(at, at + TURN_BYTES));
    await turn();
  }
}

/** An input that ended within its head: empty, or damaged early. */
async function drain(
  input: OpenInput,
  source: SourceSummary,
  diagnostics: Diagnostics,
): Promise<void> {
  try {
    for await (const chunk of input.chunks) source.bytes += chunk.length;
    if (source.bytes === 0) diagnostics.report('input-empty', { source: source.name });
  } catch (error) {
    reportStop(asReadStop(error, 'io'), source.name, diagnostics);
  }
}

function reportUnknown(
  input: OpenInput,
  file: InputFile,
  diagnostics: Diagnostics,
  onIgnored: ReadInputOptions['onIgnored'],
): void {
  const place = { source: file.name };
  const kind = detectUnsupported(input.head);
  if (kind !== null) diagnostics.report('input-unsupported', place, { kind });
  else if (file.explicit) diagnostics.report('format-unknown', { ...place, ...firstLine(input) });
  else onIgnored(file.name);
}

function firstLine(input: OpenInput): { excerpt: string; line: number } {
  const end = input.head.indexOf(10);
  const bytes = input.head.subarray(0, Math.min(end < 0 ? 200 : end, 200));
  return { excerpt: new TextDecoder('latin1').decode(bytes), line: 1 };
}

function reportSystemError(error: unknown, source: string, diagnostics: Diagnostics): void {
  if (error instanceof ReadStop) {
    reportStop(error, source, diagnostics);
    return;
  }
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) throw error;
  if (code === 'ENOENT') diagnostics.report('input-missing', { source });
  else diagnostics.report('input-unreadable', { source }, { reason: code });
}

const STOP_CODES: Readonly<Record<StopReason, DiagnosticCode>> = {
  truncated: 'input-truncated',
  corrupt: 'input-corrupt',
  bomb: 'input-bomb',
  'too-long': 'input-too-long',
  nested: 'input-nested-compression',
  window: 'input-window',
  io: 'input-unreadable',
  shrunk: 'input-unhashed',
};

function reportStop(stop: ReadStop, source: string, diagnostics: Diagnostics): void {
  const reason = stop.message;
  const data = { reason, ratio: reason, limit: reason, bytes: reason };
  diagnostics.report(STOP_CODES[stop.reason], { source }, data);
}
