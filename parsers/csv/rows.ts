/**
 * Rows of a table (CSV lines, JSON objects) become events and snapshots.
 *
 * A row is an array of slots, one a Field. It is a snapshot when it has a `snapshot` field or is a
 * line of a buddyinfo table (node, zone, free blocks by order), else an event. What cannot be an
 * event (no known name, impossible values) is skipped, counted and reported with its line.
 */
import {
  EVENT_NAMES,
  EventBatch,
  EventKind,
  LAST_PAGE_KIND,
  MIGRATETYPE_NONE,
  ORDER_LIMIT,
  PFN_NONE,
  packExtfrag,
  RARE_FIELDS,
  RARE_WIDTH,
} from '../../src/records/events.js';
import { NO_TIME, type SnapshotTime, type ZoneFree } from '../../src/records/snapshot.js';
import { EPOCH_CLOCK_S } from '../../src/records/time.js';
import type { ParseContext } from '../format.js';
import { OwnerJoiner } from '../ndjson/page-owner-json.js';
import { decodeSnapshot, PieceJoiner } from '../ndjson/snapshot-json.js';
import { kindOfName } from './event-names.js';
import { Field } from './fields.js';
import { clockNs, exactNs, guessUnit, isoNs, pfnOf, unitNamed, wholeNumber } from './values.js';

/** Slots of a row by Field; undefined where the table has no such column. */
export type Row = readonly unknown[];

const PAGE_BYTES = 4096;
/** Names of clocks: those of ftrace, and the words readers have for others. */
const CLOCK_NAME = /^[\w][\w .-]{0,39}$/;

export class RowImporter {
  readonly #context: ParseContext;
  readonly #batch = new EventBatch();
  readonly #pieces: PieceJoiner;
  readonly #owners: OwnerJoiner;
  #unitNs: number | null;
  #zones: ZoneFree[] = [];
  #zonesTime: unknown = null;
  #zonesLine = 0;

  constructor(context: ParseContext) {
    this.#pieces = new PieceJoiner(context.limits.pages, context.limits.expansion);
    this.#owners = new OwnerJoiner(context.strings, context.limits.pages, (code, line, data) =>
      context.diagnostics.report(code, { source: context.source.name, line }, data),
    );
    this.#context = context;
    this.#unitNs = unitNamed(context.options['time-unit']);
  }

  /** The unit the time column's name gives away; the user's choice goes before it. */
  hintUnit(unitNs: number | null): void {
    this.#unitNs ??= unitNs;
  }

  /** @param orders free blocks by order, from `order0 …` columns, or null. */
  add(row: Row, line: number, orders: readonly unknown[] | null): void {
    if (row[Field.snapshot] !== undefined && row[Field.snapshot] !== '') {
      this.#addSnapshot(row, line);
      return;
    }
    const free = orders ?? row[Field.free];
    if (Array.isArray(free) && kindOfName(row[Field.event]) === null) {
      this.#addZone(row, free, line);
      return;
    }
    if (!this.#addEvent(row)) this.skip(line, row);
  }

  /** Counts and reports a row that is of no use. */
  skip(line: number, row: Row | string): void {
    const { source, diagnostics } = this.#context;
    source.skippedLines++;
    const excerpt = typeof row === 'string' ? row : row.filter((v) => v !== undefined).join(',');
    diagnostics.report('line-unparsed', { source: source.name, line, excerpt });
  }

  end(): void {
    this.#flushZones();
    this.#owners.end();
    if (this.#batch.length > 0) this.#context.sink.events(this.#batch);
    this.#batch.clear();
  }

  #addEvent(row: Row): boolean {
    const kind = kindOfName(row[Field.event]);
    if (kind === null) return this.#skipNamed(row[Field.event]);
    const batch = this.#batch;
    const i = batch.length;
    batch.migratetype[i] = MIGRATETYPE_NONE;
    batch.detail[i] = 0;
    batch.order[i] = 0;
    if (!(kind <= LAST_PAGE_KIND ? this.#page(row, kind, i) : this.#rare(row, kind, i))) {
      return false;
    }
    const { strings, source } = this.#context;
    this.#nameClock(row[Field.traceClock]);
    const timeNs = this.#time(row[Field.time]);
    // A table may have no times at all; a stamp that cannot be read is damage.
    if (Number.isNaN(timeNs) && isGiven(row[Field.time])) return false;
    batch.timeNs[i] = timeNs;
    batch.kind[i] = kind;
    batch.cpu[i] = wholeNumber(row[Field.cpu], 0, 65535) ?? 0;
    batch.pid[i] = wholeNumber(row[Field.pid], -(2 ** 31), 2 ** 31 - 1) ?? 0;
    batch.comm[i] = textId(row[Field.comm], strings.comms);
    batch.stack[i] = textId(stackText(row[Field.stack]), strings.stacks);
    batch.length = i + 1;
    const name = EVENT_NAMES[kind];
    source.events[name] = (source.events[name] ?? 0) + 1;
    if (batch.full) {
      this.#context.sink.events(batch);
      batch.clear();
    }
    return true;
  }

  /** An event of another kind is counted, not an error. */
  #skipNamed(name: unknown): boolean {
    if (typeof name !== 'string' || name === '') return false;
    const { skippedEvents } = this.#context.source;
    const known = skippedEvents[name] !== undefined || Object.keys(skippedEvents).length < 100;
    const key = known ? name.slice(0, 64) : '(other)';
    skippedEvents[key] = (skippedEvents[key] ?? 0) + 1;
    return true;
  }

  #page(row: Row, kind: EventKind, i: number): boolean {
    const batch = this.#batch;
    const pfn = pfnOf(row[Field.pfn]);
    const order = orderOf(row);
    if (pfn === null || order === null || (pfn === PFN_NONE && kind !== EventKind.alloc)) {
      return false;
    }
    batch.pfn[i] = pfn;
    batch.order[i] = order;
    batch.migratetype[i] = wholeNumber(row[Field.migratetype], -1, 127) ?? MIGRATETYPE_NONE;
    if (kind === EventKind.alloc) batch.detail[i] = this.#gfp(row[Field.gfp]);
    else if (kind === EventKind.zoneLocked) {
      batch.detail[i] = wholeNumber(row[Field.percpuRefill], 0, 65535) ?? 0;
    } else if (kind === EventKind.free) {
      batch.detail[i] = wholeNumber(row[Field.softirqDepth], 0, 15) ?? 0;
    } else if (kind === EventKind.extfrag) {
      const bits = (field: Field): number => wholeNumber(row[field], 0, 31) ?? 0;
      batch.detail[i] = packExtfrag(
        bits(Field.fallbackOrder),
        bits(Field.pageblockOrder),
        bits(Field.fallbackMigratetype),
        bits(Field.fragmenting),
        bits(Field.changeOwnership),
      );
    }
    return true;
  }

  /** gfp text, or a bare mask written as `0x…`. */
  #gfp(value: unknown): number {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) {
      return this.#context.strings.gfps.internText(`0x${value.toString(16)}`);
    }
    return textId(value, this.#context.strings.gfps);
  }

  #rare(row: Row, kind: EventKind, i: number): boolean {
    const args = argsOf(row[Field.args]);
    if (args === null) return false;
    const batch = this.#batch;
    const rareRow = batch.addRareRow();
    batch.pfn[i] = rareRow;
    const fields = RARE_FIELDS[kind] ?? [];
    const { texts, gfps } = this.#context.strings;
    for (let f = 0; f < fields.length; f++) {
      const name = fields[f]!;
      const mark = name[0];
      const value = args[mark === '$' || mark === '%' ? name.slice(1) : name];
      if (value === undefined || value === null) continue;
      const at = rareRow * RARE_WIDTH + f;
      if (mark === '$') batch.rare[at] = textId(value, texts);
      else if (mark === '%') batch.rare[at] = textId(value, gfps);
      else if (typeof value === 'number') batch.rare[at] = value;
      else batch.rare[at] = wholeNumber(value, -(2 ** 53), 2 ** 53) ?? Number.NaN;
    }
    return true;
  }

  /** The clock of the events' stamps, which the first event names. */
  #nameClock(name: unknown): void {
    if (typeof name !== 'string' || !CLOCK_NAME.test(name)) return;
    const { clock, source } = this.#context;
    if (source.clock === 'none') source.clock = name;
    if (clock.name === 'unknown') clock.name = name;
  }

  #time(value: unknown): number {
    const ns = this.#ns(value);
    if (ns === null) return Number.NaN;
    const { clock, source } = this.#context;
    if (source.clock === 'none') source.clock = clock.name;
    return clockNs(ns, clock);
  }

  /** Nanoseconds of a stamp as it is, null for none. */
  #ns(value: unknown): bigint | null {
    if (!isGiven(value)) return null;
    const date = isoNs(value);
    if (date !== null) return date;
    if (this.#unitNs === null) {
      this.#unitNs = guessUnit(value);
      const { diagnostics, source } = this.#context;
      const unit = this.#unitNs === 1 ? 'ns' : 's';
      diagnostics.report('time-unit-guessed', { source: source.name }, { unit });
    }
    return exactNs(value, this.#unitNs);
  }

  #addSnapshot(row: Row, line: number): void {
    const { source, sink, clock } = this.#context;
    const item = decodeSnapshot(row, { source: source.name, line, epochS: clock.epochS });
    const snapshot =
      item?.kind === 'owner-piece' ? this.#owners.add(item) : this.#pieces.add(item, source.bytes);
    if (snapshot === 'more') return;
    if (snapshot === null) {
      this.skip(line, row);
      return;
    }
    if (this.#pieces.leftOut > 0) {
      const { diagnostics, limits } = this.#context;
      diagnostics.report(
        'kpageflags-limit',
        { source: source.name, line },
        { limit: limits.pages },
      );
      this.#pieces.leftOut = 0;
    }
    source.snapshots[snapshot.kind] = (source.snapshots[snapshot.kind] ?? 0) + 1;
    sink.snapshot(snapshot);
  }

  /** A line of a buddyinfo table; lines with the same time make one copy. */
  #addZone(row: Row, free: readonly unknown[], line: number): void {
    const counts = free.map((count) => wholeNumber(count, 0, 2 ** 44));
    const node = wholeNumber(row[Field.node] ?? 0, 0, 65535);
    const zone = row[Field.zone];
    if (counts.includes(null) || node === null || typeof zone !== 'string' || zone === '') {
      this.skip(line, row);
      return;
    }
    const time = row[Field.time] ?? row[Field.begin] ?? null;
    const repeated = this.#zones.some((other) => other.node === node && other.zone === zone);
    if (repeated || time !== this.#zonesTime) this.#flushZones();
    if (this.#zones.length === 0) {
      this.#zonesTime = time;
      this.#zonesLine = line;
    }
    this.#zones.push({ node, zone, free: counts as number[] });
  }

  #flushZones(): void {
    if (this.#zones.length === 0) return;
    const { source, sink } = this.#context;
    const time = this.#copyTime(this.#ns(this.#zonesTime ?? undefined));
    source.snapshots.buddyinfo = (source.snapshots.buddyinfo ?? 0) + 1;
    sink.snapshot({
      kind: 'buddyinfo',
      time,
      source: source.name,
      line: this.#zonesLine,
      zones: this.#zones,
    });
    this.#zones = [];
  }

  /** Stamps that count from 1970 are of the wall clock, which need not be the trace's. */
  #copyTime(ns: bigint | null): SnapshotTime {
    if (ns === null) return NO_TIME;
    if (ns >= BigInt(EPOCH_CLOCK_S) * 1_000_000_000n) {
      const stampNs = Number(ns);
      const grain = { resolutionNs: ns % 1_000_000_000n === 0n ? 1e9 : 1e6 };
      return { clock: 'wall', beginNs: stampNs, endNs: stampNs, snap: null, ...grain };
    }
    const atNs = clockNs(ns, this.#context.clock);
    return { clock: 'trace', beginNs: atNs, endNs: atNs, snap: null, resolutionNs: 1 };
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

/** The order, or the order that a size in bytes makes; 0 where neither is given. */
function orderOf(row: Row): number | null {
  const order = row[Field.order];
  if (order !== undefined && order !== '') return wholeNumber(order, 0, ORDER_LIMIT - 1);
  const bytes = row[Field.bytes];
  if (bytes === undefined || bytes === '') return 0;
  const size = wholeNumber(bytes, 1, 2 ** 44);
  if (size === null) return null;
  return Math.max(0, Math.ceil(Math.log2(size / PAGE_BYTES)));
}

function textId(value: unknown, table: { internText(text: string): number }): number {
  if (!isGiven(value)) return 0;
  return table.internText(typeof value === 'string' ? value : String(value));
}

function stackText(value: unknown): unknown {
  return Array.isArray(value) ? value.join('\n') : value;
}

/** The arguments of a rare event: an object, or one as JSON text; absent = none. */
function argsOf(value: unknown): Readonly<Record<string, unknown>> | null {
  if (!isGiven(value)) return {};
  let object = value;
  if (typeof value === 'string') {
    try {
      object = JSON.parse(value);
    } catch {
      return null;
    }
  }
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return null;
  return object as Readonly<Record<string, unknown>>;
}
