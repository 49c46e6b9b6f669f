/**
 * Takes over what a LineScanner found: runs of lines become rows of the parser's own batch.
 *
 * The scanner's ids of comms and gfp texts become the recording's when a row first needs them, so that
 * ids are given in the order of the rows, as if every line had been read here.
 */
import { ALLOC_MASK, EventKind } from '../../src/records/events.js';
import type { RecordingStrings, StringTable } from '../../src/records/strings.js';
import { NS_PER_S, type RecordingClock } from '../../src/records/time.js';
import type { BatchWriter, IdCopier } from './batch-writer.js';
import { digitsOf, formOf, RUN_WIDTH, type ScannedChunk, ScannedRows } from './scanned-rows.js';
import type { Stamps } from './stamp.js';

/** Ids of another thread's table, and ours for them. */
class IdMap {
  readonly #table: StringTable;
  readonly #bytes: Uint8Array[] = [];
  /** By their id; -1 = not asked for yet. */
  ids = new Int32Array(1024);
  /** Of the known ones so many have no id of ours yet. */
  #open = 0;

  constructor(table: StringTable) {
    this.#table = table;
  }

  /** Whether `ids` tells all. */
  get complete(): boolean {
    return this.#open === 0;
  }

  learn(texts: readonly Uint8Array[]): void {
    for (const text of texts) {
      const id = this.#bytes.push(text) - 1;
      if (id === this.ids.length) {
        const bigger = new Int32Array(this.ids.length * 2);
        bigger.set(this.ids);
        this.ids = bigger;
      }
      this.ids[id] = -1;
      this.#open++;
    }
  }

  idOf(theirs: number): number {
    const id = this.ids[theirs]!;
    return id >= 0 ? id : this.#intern(theirs);
  }

  #intern(theirs: number): number {
    const bytes = this.#bytes[theirs]!;
    const id = this.#table.intern(bytes, 0, bytes.length);
    this.ids[theirs] = id;
    this.#open--;
    return id;
  }
}

const NONE = Number.POSITIVE_INFINITY;

export class ScannedLines {
  /** Where the next run begins in the chunk, NONE if there is none. */
  next = NONE;
  readonly #writer: BatchWriter;
  readonly #stamps: Stamps;
  readonly #clock: RecordingClock;
  readonly #comms: IdMap;
  readonly #gfps: IdMap;
  #chunk: ScannedChunk | null = null;
  #chunkMemory: ArrayBufferLike | null = null;
  #rows: ScannedRows | null = null;
  #active = false;
  /** Where the latest run that was left out ends. */
  #passed = 0;
  #run = 0;
  #row = 0;

  constructor(
    writer: BatchWriter,
    strings: RecordingStrings,
    stamps: Stamps,
    clock: RecordingClock,
  ) {
    this.#writer = writer;
    this.#stamps = stamps;
    this.#clock = clock;
    this.#comms = new IdMap(strings.comms);
    this.#gfps = new IdMap(strings.gfps);
  }

  /** What was found in the chunk that the parser gets next; null if nobody looked. */
  give(chunk: Uint8Array, scanned: ScannedChunk | null): void {
    this.#chunk = scanned;
    this.#chunkMemory = scanned === null ? null : chunk.buffer;
    this.#rows = scanned === null ? null : new ScannedRows(scanned.memory, scanned.rowsAt);
    this.#run = 0;
    this.#row = 0;
    if (scanned === null) return;
    this.#comms.learn(scanned.comms);
    this.#gfps.learn(scanned.gfps);
  }

  /** Positions refer to these bytes from now on: the chunk's, or those of a line cut by chunks. */
  use(bytes: Uint8Array): void {
    this.#passed = 0;
    this.#active = bytes.buffer === this.#chunkMemory;
    if (this.#active) this.#aim();
    else this.next = NONE;
  }

  /** Leaves out runs that begin before `pos`: a line of theirs was taken otherwise. */
  pass(pos: number): void {
    while (this.next < pos) {
      this.#passed = this.end;
      this.#advance();
    }
  }

  /** Whether the line at `pos` was looked at and is none for the fast path. */
  refuses(pos: number): boolean {
    return this.#active && pos >= this.#passed;
  }

  /** Takes the lines of the next run; returns how many there are. `next` is moved on. */
  take(): number {
    const chunk = this.#chunk!;
    const rows = chunk.runs[this.#run * RUN_WIDTH + 2]!;
    const look = chunk.runs[this.#run * RUN_WIDTH + 3]!;
    // The epoch is that of the first stamp of the recording: it has one by now, or gets it here.
    const firstNs = this.#rows!.timeNs[this.#row]!;
    this.#clock.start(Math.floor(firstNs / NS_PER_S) + chunk.epochS);
    const lastNs = this.#rows!.timeNs[this.#row + rows - 1]!;
    this.#copy(this.#row, rows, (chunk.epochS - this.#clock.epochS) * NS_PER_S);
    this.#stamps.passed(lastNs, chunk.epochS, formOf(look), digitsOf(look));
    this.#advance();
    return rows;
  }

  /** Where the next run ends. */
  get end(): number {
    return this.#chunk!.runs[this.#run * RUN_WIDTH + 1]!;
  }

  #advance(): void {
    this.#row += this.#chunk!.runs[this.#run * RUN_WIDTH + 2]!;
    this.#run++;
    this.#aim();
  }

  #aim(): void {
    const { runs } = this.#chunk!;
    const at = this.#run * RUN_WIDTH;
    this.next = at < runs.length ? runs[at]! : NONE;
  }

  #copy(from: number, count: number, shiftNs: number): void {
    const rows = this.#rows!;
    if (shiftNs !== 0) for (let i = from; i < from + count; i++) rows.timeNs[i]! += shiftNs;
    this.#writer.append(rows, from, count, this.#mapIds);
  }

  readonly #mapIds: IdCopier = (rows, from, count, { comm, detail }, at) => {
    mapComms(rows, this.#comms, from, count, comm, at);
    mapDetails(rows, this.#gfps, from, count, detail, at);
  };
}

function mapComms(
  { comm }: ScannedRows,
  map: IdMap,
  from: number,
  count: number,
  into: Uint32Array,
  at: number,
): void {
  const { ids } = map;
  const shift = at - from;
  // Nearly always: a loop that asks nothing else.
  if (map.complete) for (let i = from; i < from + count; i++) into[i + shift] = ids[comm[i]!]!;
  else for (let i = from; i < from + count; i++) into[i + shift] = map.idOf(comm[i]!);
}

/** The detail of an allocation is its gfp text's id; that of others is no id. */
function mapDetails(
  { detail, kind }: ScannedRows,
  map: IdMap,
  from: number,
  count: number,
  into: Uint16Array,
  at: number,
): void {
  const { ids } = map;
  const shift = at - from;
  if (map.complete) {
    for (let i = from; i < from + count; i++) {
      const own = detail[i]!;
      const mask = ALLOC_MASK[kind[i]!]!;
      into[i + shift] = (ids[own & mask]! & mask) | (own & ~mask);
    }
    return;
  }
  for (let i = from; i < from + count; i++) {
    const own = detail[i]!;
    into[i + shift] = kind[i] === EventKind.alloc ? map.idOf(own) : own;
  }
}
