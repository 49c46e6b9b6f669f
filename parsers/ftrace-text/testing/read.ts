/**
 * For tests: reads text with a format and gives its events as plain objects.
 */

import { SLACK_BYTES } from '../../../src/io/raw.js';
import { Diagnostics } from '../../../src/records/diagnostics.js';
import {
  EVENT_NAMES,
  type EventBatch,
  EventKind,
  LAST_PAGE_KIND,
  RARE_FIELDS,
  unpackExtfrag,
} from '../../../src/records/events.js';
import { DEFAULT_LIMITS, type Limits } from '../../../src/records/limits.js';
import { newSourceSummary, type SourceSummary } from '../../../src/records/source.js';
import { RecordingStrings } from '../../../src/records/strings.js';
import { RecordingClock } from '../../../src/records/time.js';
import type { ChunkScanner, StreamFormat } from '../../format.js';

export interface PlainEvent {
  event: string;
  ns: number;
  cpu: number;
  pid: number;
  comm: string;
  pfn?: number;
  order?: number;
  type?: number;
  gfp?: string;
  refill?: number;
  /** Preempt depth of the softirq that freed. */
  softirqDepth?: number;
  extfrag?: ReturnType<typeof unpackExtfrag>;
  stack?: string;
  fields?: Record<string, number | string>;
}

export interface Read {
  events: PlainEvent[];
  source: SourceSummary;
  diagnostics: Diagnostics;
  clock: RecordingClock;
  strings: RecordingStrings;
}

export interface ReadOptions {
  /** Bytes per chunk; the whole at once if not given. */
  chunk?: number;
  limits?: Partial<Limits>;
  options?: Record<string, string>;
  /** Looks at every chunk first, as the reader thread does; chunks then have bytes behind them. */
  scanner?: ChunkScanner;
}

/** ASCII and Latin-1 text to bytes, one a character. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function read(
  format: StreamFormat,
  input: string | Uint8Array,
  { chunk, limits, options, scanner }: ReadOptions = {},
): Read {
  const bytes = typeof input === 'string' ? bytesOf(input) : input;
  const source = newSourceSummary('test');
  const strings = new RecordingStrings();
  const diagnostics = new Diagnostics();
  const clock = new RecordingClock();
  const events: PlainEvent[] = [];
  const parser = format.open({
    source,
    sink: {
      events: (batch) => {
        for (let i = 0; i < batch.length; i++) events.push(plain(batch, i, strings));
      },
      snapshot: () => {
        throw new Error('a trace holds no snapshots');
      },
    },
    diagnostics,
    limits: { ...DEFAULT_LIMITS, ...limits },
    strings,
    clock,
    options: options ?? {},
  });
  const step = chunk ?? Math.max(1, bytes.length);
  const reused = new Uint8Array(step + (scanner === undefined ? 0 : SLACK_BYTES));
  for (let pos = 0; pos < bytes.length; pos += step) {
    // As io does it: one buffer, overwritten for every chunk.
    const part = bytes.subarray(pos, pos + step);
    reused.set(part);
    const given = reused.subarray(0, part.length);
    parser.push(given, scanner?.scan(given));
    reused.fill(0x41);
  }
  parser.end();
  return { events, source, diagnostics, clock, strings };
}

function plain(batch: EventBatch, i: number, strings: RecordingStrings): PlainEvent {
  const kind = batch.kind[i] as EventKind;
  const event: PlainEvent = {
    event: EVENT_NAMES[kind].replace(/^.*:/, ''),
    ns: batch.timeNs[i]!,
    cpu: batch.cpu[i]!,
    pid: batch.pid[i]!,
    comm: strings.comms.text(batch.comm[i]!),
  };
  if (batch.stack[i] !== 0) event.stack = strings.stacks.text(batch.stack[i]!);
  if (kind > LAST_PAGE_KIND) return { ...event, fields: rareFields(batch, i, kind, strings) };
  event.pfn = batch.pfn[i]!;
  event.order = batch.order[i]!;
  event.type = batch.migratetype[i]!;
  if (kind === EventKind.alloc) event.gfp = strings.gfps.text(batch.detail[i]!);
  if (kind === EventKind.zoneLocked) event.refill = batch.detail[i]!;
  if (kind === EventKind.free && batch.detail[i] !== 0) event.softirqDepth = batch.detail[i]!;
  if (kind === EventKind.extfrag) event.extfrag = unpackExtfrag(batch.detail[i]!);
  return event;
}

function rareFields(
  batch: EventBatch,
  i: number,
  kind: EventKind,
  strings: RecordingStrings,
): Record<string, number | string> {
  const fields: Record<string, number | string> = {};
  for (const [index, name] of (RARE_FIELDS[kind] ?? []).entries()) {
    const value = batch.rareField(i, index);
    if (name.startsWith('$')) fields[name.slice(1)] = strings.texts.text(value);
    else if (name.startsWith('%')) fields[name.slice(1)] = strings.gfps.text(value);
    else fields[name] = value;
  }
  return fields;
}

/** What two reads must agree on. */
export function essence({ events, source, diagnostics }: Read): unknown {
  return { events, source, counts: diagnostics.counts() };
}

/** Reads parts one after another, counting only; `each` is called after every part. */
export function readCounts(
  format: StreamFormat,
  parts: Iterable<Uint8Array>,
  each: () => void = () => {},
): { events: number; lines: number; skippedLines: number; tooLong: number; source: SourceSummary } {
  const source = newSourceSummary('test');
  const diagnostics = new Diagnostics();
  let events = 0;
  const parser = format.open({
    source,
    sink: {
      events: (batch) => {
        events += batch.length;
      },
      snapshot: () => {},
    },
    diagnostics,
    limits: DEFAULT_LIMITS,
    strings: new RecordingStrings(),
    clock: new RecordingClock(),
    options: {},
  });
  for (const part of parts) {
    parser.push(part);
    each();
  }
  parser.end();
  const { lines, skippedLines } = source;
  return { events, lines, skippedLines, tooLong: diagnostics.count('line-too-long'), source };
}
