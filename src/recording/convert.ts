/**
 * Writes a recording as NDJSON or CSV, such that reading it back gives the same columns.
 *
 * Times are decimal seconds with nine decimals; in NDJSON they are numbers where a double holds them
 * exactly, else strings. The first event names their clock. Names are the kernel's. A rare event's own fields (RARE_FIELDS) stand in
 * `args`. Text cells of CSV that a spreadsheet would take for a formula get a `'` in front, which
 * the import takes off. Texts of some 64 KiB are yielded at a time.
 */
import { exactNs, exactSeconds } from '../../parsers/csv/values.js';
import { snapshotLines } from '../../parsers/ndjson/snapshot-json.js';
import {
  EVENT_NAMES,
  EventBatch,
  EventKind,
  LAST_PAGE_KIND,
  MIGRATETYPE_NONE,
  PFN_NONE,
  RARE_FIELDS,
  unpackExtfrag,
} from '../records/events.js';
import type { Snapshot } from '../records/snapshot.js';
import type { RecordingStrings } from '../records/strings.js';
import type { EventSpool } from './spool.js';

/** What a recording can be written as. */
export type ConvertFormat = 'ndjson' | 'csv';

/** What of a recording is written. */
export interface Convertible {
  readonly events: EventSpool;
  readonly snapshots: readonly Snapshot[];
  readonly strings: RecordingStrings;
  readonly clock: { readonly epochS: number; readonly name: string };
}

/** Columns of the event table, in order; `pfn` is empty for an allocation that failed. */
export const EVENT_COLUMNS = [
  't',
  'event',
  'cpu',
  'pid',
  'comm',
  'pfn',
  'order',
  'migratetype',
  'gfp_flags',
  'percpu_refill',
  'softirq_depth',
  'fallback_order',
  'pageblock_order',
  'fallback_migratetype',
  'fragmenting',
  'change_ownership',
  'stack',
  'args',
  'trace_clock',
] as const;

export const SNAPSHOT_COLUMNS = [
  'snapshot',
  'clock',
  'begin',
  'end',
  'snap',
  'resolution',
  'begin_event',
  'end_event',
  'source',
  'line',
  'data',
] as const;

type Cells = Record<string, unknown>;

const CHUNK_CHARS = 1 << 16;
/** What a clock is called that no input names: nothing to write. */
const UNNAMED = 'unknown';

/** The events of a recording as text. */
export function* convertEvents(recording: Convertible, format: ConvertFormat): Generator<string> {
  yield* chunked(eventLines(recording, format));
}

/** The snapshots of a recording as text; page_owner dumps only as NDJSON. */
export function* convertSnapshots(
  recording: Convertible,
  format: ConvertFormat,
): Generator<string> {
  yield* chunked(snapshotText(recording, format));
}

function* chunked(lines: Iterable<string>): Generator<string> {
  let chunk = '';
  for (const line of lines) {
    chunk += line;
    if (chunk.length < CHUNK_CHARS) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

function* eventLines(recording: Convertible, format: ConvertFormat): Generator<string> {
  if (format === 'csv') yield `${EVENT_COLUMNS.join(',')}\n`;
  const { clock } = recording;
  const batch = new EventBatch();
  for (let b = 0; b < recording.events.batches; b++) {
    recording.events.read(b, batch);
    for (let i = 0; i < batch.length; i++) {
      const cells = eventCells(batch, i, recording);
      if (b === 0 && i === 0 && clock.name !== UNNAMED) cells.trace_clock = clock.name;
      if (format === 'csv') yield csvLine(EVENT_COLUMNS, cells);
      else yield `${jsonLine(cells, ['t'])}\n`;
    }
  }
}

function eventCells(batch: EventBatch, i: number, recording: Convertible): Cells {
  const { strings, clock } = recording;
  const kind = batch.kind[i]! as EventKind;
  const time = exactSeconds(batch.timeNs[i]!, clock.epochS);
  const cells: Cells = {
    ...(time === '' ? {} : { t: time }),
    event: EVENT_NAMES[kind],
    cpu: batch.cpu[i],
    pid: batch.pid[i],
    comm: strings.comms.text(batch.comm[i]!),
  };
  if (kind <= LAST_PAGE_KIND) pageCells(batch, i, kind, strings, cells);
  else cells.args = rareCells(batch, i, kind, strings);
  if (batch.stack[i] !== 0) cells.stack = strings.stacks.text(batch.stack[i]!);
  return cells;
}

function pageCells(
  batch: EventBatch,
  i: number,
  kind: EventKind,
  strings: RecordingStrings,
  cells: Cells,
): void {
  const pfn = batch.pfn[i]!;
  const detail = batch.detail[i]!;
  cells.pfn = pfn === PFN_NONE ? null : pfn;
  cells.order = batch.order[i];
  if (batch.migratetype[i] !== MIGRATETYPE_NONE) cells.migratetype = batch.migratetype[i];
  if (kind === EventKind.alloc) {
    if (detail !== 0) cells.gfp_flags = strings.gfps.text(detail);
  } else if (kind === EventKind.zoneLocked) cells.percpu_refill = detail;
  else if (kind === EventKind.free && detail !== 0) cells.softirq_depth = detail;
  else if (kind === EventKind.extfrag) {
    const extfrag = unpackExtfrag(detail);
    cells.fallback_order = extfrag.fallbackOrder;
    cells.pageblock_order = extfrag.pageblockOrder;
    cells.fallback_migratetype = extfrag.fallbackMigratetype;
    cells.fragmenting = extfrag.fragmenting ? 1 : 0;
    cells.change_ownership = extfrag.changeOwnership ? 1 : 0;
  }
}

/** The fields that were printed, by the kernel's names. */
function rareCells(
  batch: EventBatch,
  i: number,
  kind: EventKind,
  strings: RecordingStrings,
): Cells {
  const cells: Cells = {};
  (RARE_FIELDS[kind] ?? []).forEach((name, f) => {
    const value = batch.rareField(i, f);
    if (Number.isNaN(value)) return;
    if (name.startsWith('$')) cells[name.slice(1)] = strings.texts.text(value);
    else if (name.startsWith('%')) cells[name.slice(1)] = strings.gfps.text(value);
    else cells[name] = value;
  });
  return cells;
}

function* snapshotText(recording: Convertible, format: ConvertFormat): Generator<string> {
  if (format === 'csv') yield `${SNAPSHOT_COLUMNS.join(',')}\n`;
  for (const snapshot of recording.snapshots) {
    // Longer than the traces they go with, and no spreadsheet has cells that long.
    if (format === 'csv' && snapshot.kind === 'page_owner') continue;
    for (const line of snapshotLines(snapshot, recording.strings, recording.clock.epochS)) {
      const cells: Cells = { ...line };
      if (format === 'csv') yield csvLine(SNAPSHOT_COLUMNS, cells);
      else yield `${jsonLine(cells, ['begin', 'end'])}\n`;
    }
  }
}

/** JSON whose decimal `times` are written as numbers where a double gives them back exactly. */
function jsonLine(cells: Cells, times: readonly string[]): string {
  let line = '';
  for (const [key, value] of Object.entries(cells)) {
    const bare = times.includes(key) && typeof value === 'string' && isExact(value);
    line += `${line === '' ? '' : ','}"${key}":${bare ? value : JSON.stringify(value)}`;
  }
  return `{${line}}`;
}

function isExact(seconds: string): boolean {
  return exactNs(Number(seconds), 1e9) === exactNs(seconds, 1e9);
}

function csvLine(columns: readonly string[], cells: Cells): string {
  let line = '';
  for (let i = 0; i < columns.length; i++) {
    if (i > 0) line += ',';
    line += csvCell(cells[columns[i]!]);
  }
  return `${line}\n`;
}

/** Characters at the start of a text cell that make a spreadsheet compute, and `'` itself. */
const FORMULA = /^[=+\-@'\t\r]/;
const DECIMAL = /^-?\d+\.\d+$/;

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = FORMULA.test(text) && !DECIMAL.test(text) ? `'${text}` : text;
  return /[",\n\r]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
