/**
 * page_owner dumps as JSON: how `convert` writes them and how they are read back, exactly.
 *
 * A dump is longer than a line may be: it comes in pieces of at most RECORDS_PER_LINE records from `record` on, one
 * array a column. gfp texts, comms, migratetypes and stacks stand once a line in `tables`; their columns hold places
 * in it. `null` = not printed. A stack too long for a line begins in lines of `frames` before its first record's.
 */
import * as z from 'zod';
import type { PageOwnerSnapshot } from '../../src/records/snapshot.js';
import type { RecordingStrings } from '../../src/records/strings.js';
import { exactNs, exactSeconds, wholeNumber } from '../csv/values.js';
import { OwnerColumns, type OwnerRecord } from '../page-owner/columns.js';
import { MAX_FRAMES, MAX_ORDER, MAX_PFN, MAX_RECORDS } from '../page-owner/parse.js';

export const RECORDS_PER_LINE = 4096;
/** Bytes of texts after which a line ends, and of frames after which a stack goes on in the next line. */
const TEXT_BYTES = 1 << 19;
/** Stamps have up to 19 digits. */
const MAX_NS = 10n ** 19n;

/** Columns of ids, by their names in JSON. */
const TEXT_COLUMNS = {
  gfp_flags: 'gfp',
  comm: 'comm',
  migratetype: 'type',
  stack: 'stack',
} as const;
type TextColumn = keyof typeof TEXT_COLUMNS;
const TEXT_NAMES = Object.keys(TEXT_COLUMNS) as TextColumn[];

type Ids<T> = Record<TextColumn, T>;

function forEachText<T>(of: (name: TextColumn) => T): Ids<T> {
  return {
    gfp_flags: of('gfp_flags'),
    comm: of('comm'),
    migratetype: of('migratetype'),
    stack: of('stack'),
  };
}

function textsOf(strings: RecordingStrings) {
  const { gfps, comms, texts, stacks } = strings;
  return { gfp_flags: gfps, comm: comms, migratetype: texts, stack: stacks };
}

/** `data` of the lines of a dump, in order. */
export function* ownerPieces(
  dump: PageOwnerSnapshot,
  strings: RecordingStrings,
): Generator<unknown> {
  let piece = new PieceWriter(dump, strings, 0);
  for (let i = 0; i < dump.length; i++) {
    const parts = piece.holds(dump.stack[i]!)
      ? []
      : partsOf(strings.stacks.text(dump.stack[i]!).split('\n'));
    if (piece.full || parts.length > 1) {
      if (piece.length > 0) yield piece.data();
      let before = 0;
      for (const frames of parts.slice(0, -1)) {
        yield { ...new PieceWriter(dump, strings, i, before).data(), frames };
        before += frames.length;
      }
      piece = new PieceWriter(dump, strings, i, before);
    }
    piece.add(i);
  }
  if (piece.length > 0) yield piece.data();
}

/** The frames in runs that fit in a line. */
function partsOf(frames: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  let bytes = 0;
  for (const frame of frames) {
    if (bytes > TEXT_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(frame);
    bytes += bytesOf(frame);
  }
  return parts;
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Collects the records of one line. */
class PieceWriter {
  readonly #dump: PageOwnerSnapshot;
  readonly #texts: ReturnType<typeof textsOf>;
  readonly #from: number;
  /** Frames of the first stack in lines before. */
  readonly #before: number;
  readonly #places = forEachText(() => new Map<number, number>());
  readonly #tables = forEachText((): unknown[] => []);
  readonly #columns = forEachText((): (number | null)[] => []);
  #bytes = 0;
  length = 0;

  constructor(dump: PageOwnerSnapshot, strings: RecordingStrings, from: number, before = 0) {
    this.#dump = dump;
    this.#texts = textsOf(strings);
    this.#from = from;
    this.#before = before;
  }

  get full(): boolean {
    return this.length >= RECORDS_PER_LINE || this.#bytes > TEXT_BYTES;
  }

  /** Whether a stack needs no room. */
  holds(stack: number): boolean {
    return stack === 0 || this.#places.stack.has(stack);
  }

  add(i: number): void {
    for (const name of TEXT_NAMES) {
      this.#columns[name].push(this.#place(name, this.#dump[TEXT_COLUMNS[name]][i]!));
    }
    this.length++;
  }

  data(): Readonly<Record<string, unknown>> {
    const { pfn, order, pid, allocNs, length } = this.#dump;
    const to = this.#from + this.length;
    return {
      records: length,
      record: this.#from,
      ...(this.#before > 0 ? { frames_before: this.#before } : {}),
      pfn: [...pfn.subarray(this.#from, to)],
      order: [...order.subarray(this.#from, to)],
      pid: Array.from(pid.subarray(this.#from, to), (value) => (value === -1 ? null : value)),
      alloc_time: Array.from(allocNs.subarray(this.#from, to), secondsOf),
      ...this.#columns,
      tables: this.#tables,
    };
  }

  #place(name: TextColumn, id: number): number | null {
    if (id === 0) return null;
    const known = this.#places[name].get(id);
    if (known !== undefined) return known;
    const table = this.#tables[name];
    const text = this.#texts[name].text(id);
    const first = name === 'stack' && table.length === 0;
    const entry = name === 'stack' ? text.split('\n').slice(first ? this.#before : 0) : text;
    this.#bytes += bytesOf(entry);
    this.#places[name].set(id, table.length);
    return table.push(entry) - 1;
  }
}

/** Decimal seconds: a number where a double holds them exactly, else a string. */
function secondsOf(ns: number): number | string | null {
  const text = exactSeconds(ns, 0);
  if (text === '') return null;
  const seconds = Number(text);
  return exactNs(seconds, 1e9) === exactNs(text, 1e9) ? seconds : text;
}

// Values are looked at one by one as they are taken: a long array of wrong ones would make as many messages.
const column = z.array(z.unknown()).max(RECORDS_PER_LINE);
const whole = z.number().int().min(0);

/** What `data` of a page_owner line must look like. */
export const OWNER_PIECE = z.object({
  records: whole.min(1).max(2 ** 31 - 1),
  record: whole,
  frames_before: whole.max(MAX_FRAMES).default(0),
  frames: z.array(z.unknown()).max(MAX_FRAMES).default([]),
  pfn: column,
  order: column,
  pid: column,
  alloc_time: column,
  ...forEachText(() => column),
  tables: z.object(forEachText(() => column)),
});
type Data = z.infer<typeof OWNER_PIECE>;

export interface OwnerPiece {
  readonly kind: 'owner-piece';
  readonly base: Pick<PageOwnerSnapshot, 'time' | 'source' | 'line'>;
  /** Line of the input. */
  readonly at: number;
  readonly data: Data;
}

type Report = (
  code: 'snapshot-cut' | 'page-owner-limit',
  line: number,
  data: Readonly<Record<string, string | number>>,
) => void;

/** A dump of which pieces are to come. */
interface OpenDump {
  readonly records: number;
  readonly source: string;
  /** Line of the input where it begins. */
  readonly at: number;
  readonly columns: OwnerColumns;
  next: number;
  damaged: boolean;
}

/** Puts the pieces of dumps together again. Room is made as records come, not as the first piece promises. */
export class OwnerJoiner {
  readonly #strings: RecordingStrings;
  readonly #limit: number;
  readonly #report: Report;
  #open: OpenDump | null = null;
  /** Frames that the next stack begins with. */
  #frames: string[] = [];
  /** Records of all dumps so far. */
  #kept = 0;

  /**
   * @param pages records kept of all dumps of an input, if fewer than MAX_RECORDS.
   * @param report takes dumps that are not whole.
   */
  constructor(strings: RecordingStrings, pages: number, report: Report) {
    this.#strings = strings;
    this.#limit = Math.min(MAX_RECORDS, pages);
    this.#report = report;
  }

  /** The dump if complete, 'more' if nothing is to be handed on yet, null if the piece is of no use. */
  add(piece: OwnerPiece): PageOwnerSnapshot | 'more' | null {
    const { data, base, at } = piece;
    if (data.record === 0 && data.frames_before === 0) this.#begin(piece);
    const open = this.#open;
    if (open === null || open.damaged || !this.#follows(open, piece)) return null;
    if (!this.#take(open, data)) {
      open.damaged = true;
      return null;
    }
    if (open.next < open.records) return 'more';
    this.#open = null;
    const { columns, records } = open;
    if (columns.length < records) this.#report('page-owner-limit', at, { limit: this.#limit });
    return columns.length === 0 ? 'more' : { kind: 'page_owner', ...base, ...columns.take() };
  }

  /** No pieces come any more. */
  end(): void {
    if (this.#open !== null) this.#report('snapshot-cut', this.#open.at, { what: 'page_owner' });
    this.#open = null;
    this.#frames = [];
  }

  #begin({ data: { records }, base, at }: OwnerPiece): void {
    this.end();
    const columns = new OwnerColumns(Math.min(records, 1024));
    this.#open = { records, source: base.source, at, columns, next: 0, damaged: false };
  }

  #follows(open: OpenDump, { data, base }: OwnerPiece): boolean {
    return (
      data.records === open.records &&
      data.record === open.next &&
      base.source === open.source &&
      data.frames_before === this.#frames.length
    );
  }

  #take(open: OpenDump, data: Data): boolean {
    const { length } = data.pfn;
    if (length === 0) return this.#takeFrames(data.frames);
    const columns = [
      data.order,
      data.pid,
      data.alloc_time,
      ...TEXT_NAMES.map((name) => data[name]),
    ];
    if (columns.some((values) => values.length !== length) || data.frames.length > 0) return false;
    if (open.next + length > open.records) return false;
    const ids = this.#intern(data.tables);
    if (ids === null) return false;
    for (let i = 0; i < length; i++) {
      const record = recordOf(data, i, ids);
      if (record === null) return false;
      if (this.#kept >= this.#limit) continue;
      this.#kept++;
      open.columns.add(record);
    }
    open.next += length;
    return true;
  }

  /** A line without records is there for frames; one that adds nothing would never end. */
  #takeFrames(frames: readonly unknown[]): boolean {
    if (frames.length === 0 || !areFrames(frames, MAX_FRAMES - this.#frames.length)) return false;
    this.#frames.push(...frames);
    return true;
  }

  /** The ids of a line's texts, or null if some are none. */
  #intern(tables: Data['tables']): Ids<number[]> | null {
    const begun = this.#frames;
    this.#frames = [];
    if (begun.length > 0 && tables.stack.length === 0) return null;
    const ids = forEachText((): number[] => []);
    const texts = textsOf(this.#strings);
    for (const name of TEXT_NAMES) {
      for (const entry of tables[name]) {
        const head = ids[name].length === 0 ? begun : [];
        const text = name === 'stack' ? stackOf(head, entry) : entry;
        if (typeof text !== 'string') return null;
        ids[name].push(texts[name].internText(text));
      }
    }
    return ids;
  }
}

function areFrames(value: unknown, limit: number): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= limit &&
    value.every((frame) => typeof frame === 'string')
  );
}

function stackOf(head: readonly string[], rest: unknown): string | null {
  return areFrames(rest, MAX_FRAMES - head.length) ? [...head, ...rest].join('\n') : null;
}

function recordOf(data: Data, i: number, ids: Ids<number[]>): OwnerRecord | null {
  const pfn = wholeNumber(data.pfn[i], 0, MAX_PFN - 1);
  const order = wholeNumber(data.order[i], 0, MAX_ORDER);
  const pid = data.pid[i] === null ? -1 : wholeNumber(data.pid[i], -(2 ** 31), 2 ** 31 - 1);
  const allocNs = nsOf(data.alloc_time[i]);
  const gfp = idOf(data.gfp_flags[i], ids.gfp_flags);
  const comm = idOf(data.comm[i], ids.comm);
  const type = idOf(data.migratetype[i], ids.migratetype);
  const stack = idOf(data.stack[i], ids.stack);
  if (pfn === null || order === null || pid === null || allocNs === null) return null;
  if (gfp === null || comm === null || type === null || stack === null) return null;
  return { pfn, order, pid, allocNs, gfp, comm, type, stack };
}

function idOf(place: unknown, ids: readonly number[]): number | null {
  return place === null ? 0 : typeof place === 'number' ? (ids[place] ?? null) : null;
}

function nsOf(seconds: unknown): number | null {
  if (seconds === null) return Number.NaN;
  const ns = exactNs(seconds, 1e9);
  return ns === null || ns < 0n || ns >= MAX_NS ? null : Number(ns);
}
