/**
 * Helpers for the tests and benches of binary readers: run a format over bytes, keep what it gives.
 */
import { Diagnostics } from '../../src/records/diagnostics.js';
import { EVENT_NAMES, type EventBatch, type EventKind } from '../../src/records/events.js';
import { DEFAULT_LIMITS } from '../../src/records/limits.js';
import type { Snapshot } from '../../src/records/snapshot.js';
import { newSourceSummary, type SourceSummary } from '../../src/records/source.js';
import { RecordingStrings } from '../../src/records/strings.js';
import { RecordingClock } from '../../src/records/time.js';
import type { Format, ParseContext, RandomAccess } from '../format.js';

export interface Row {
  readonly timeNs: number;
  readonly kind: number;
  readonly name: string;
  readonly cpu: number;
  readonly pid: number;
  readonly comm: string;
  readonly pfn: number;
  readonly order: number;
  readonly migratetype: number;
  readonly detail: number;
  readonly gfp: string;
  readonly stack: string;
  readonly rare: readonly number[];
}

export interface Collected {
  readonly rows: Row[];
  readonly snapshots: Snapshot[];
  readonly diagnostics: Diagnostics;
  readonly source: SourceSummary;
  readonly strings: RecordingStrings;
  readonly clock: RecordingClock;
}

export class BytesAccess implements RandomAccess {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(position: number, length: number, into?: Uint8Array): Uint8Array {
    const part = this.#bytes.subarray(position, position + Math.max(0, length));
    if (into === undefined || into.length < part.length) return Uint8Array.from(part);
    into.set(part);
    return into.subarray(0, part.length);
  }
}

export interface CollectOptions {
  readonly name?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly strings?: RecordingStrings;
  /** Bytes handed to a stream parser at a time. */
  readonly chunk?: number;
  /** Rows kept; all of them unless given. */
  readonly keep?: number;
}

export function collect(format: Format, bytes: Uint8Array, how: CollectOptions = {}): Collected {
  const source = newSourceSummary(how.name ?? 'test');
  const strings = how.strings ?? new RecordingStrings();
  const diagnostics = new Diagnostics();
  const rows: Row[] = [];
  const snapshots: Snapshot[] = [];
  const clock = new RecordingClock();
  const context: ParseContext = {
    source,
    diagnostics,
    strings,
    clock,
    limits: DEFAULT_LIMITS,
    options: how.options ?? {},
    sink: {
      events: (batch) => {
        addRows(rows, batch, strings, how.keep ?? Number.POSITIVE_INFINITY);
      },
      snapshot: (snapshot) => snapshots.push(snapshot),
    },
  };
  if (format.mode === 'file') format.parse(new BytesAccess(bytes), context);
  else {
    const parser = format.open(context);
    const chunk = how.chunk ?? bytes.length;
    for (let at = 0; at < bytes.length; at += Math.max(1, chunk)) {
      parser.push(bytes.subarray(at, at + Math.max(1, chunk)));
    }
    parser.end();
  }
  return { rows, snapshots, diagnostics, source, strings, clock };
}

function addRows(rows: Row[], batch: EventBatch, strings: RecordingStrings, keep: number): void {
  for (let i = 0; i < batch.length && rows.length < keep; i++) {
    const kind = batch.kind[i]! as EventKind;
    const rare = kind > 6 ? Array.from({ length: 8 }, (_, f) => batch.rareField(i, f)) : [];
    rows.push({
      timeNs: batch.timeNs[i]!,
      kind,
      name: EVENT_NAMES[kind],
      cpu: batch.cpu[i]!,
      pid: batch.pid[i]!,
      comm: strings.comms.text(batch.comm[i]!),
      pfn: kind > 6 ? -1 : batch.pfn[i]!,
      order: batch.order[i]!,
      migratetype: batch.migratetype[i]!,
      detail: batch.detail[i]!,
      gfp: kind === 1 ? strings.gfps.text(batch.detail[i]!) : '',
      stack: strings.stacks.text(batch.stack[i]!),
      rare,
    });
  }
}
