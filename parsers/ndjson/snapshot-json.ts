/**
 * Snapshots as JSON: how `convert` writes them and how they are read back, exactly.
 *
 * A snapshot is its time and source in flat members and what the kernel said in `data`. Times are
 * decimal seconds with nine digits on the clock named beside them; a place that was found for a copy without a time
 * is left out, to be found again. Copies of kpageflags and kpagecount are too long for one line: they come in pieces
 * of runs `[count, class, count, class …]` from `pfn` on. page_owner dumps are in pieces too (page-owner-json.ts).
 */
import * as z from 'zod';
import {
  NO_TIME,
  type Snapshot,
  type SnapshotKind,
  type SnapshotTime,
} from '../../src/records/snapshot.js';
import type { RecordingStrings } from '../../src/records/strings.js';
import { Field } from '../csv/fields.js';
import { exactNs, exactSeconds, wholeNumber } from '../csv/values.js';
import { OWNER_PIECE, type OwnerPiece, ownerPieces } from './page-owner-json.js';

/** Kinds whose copies are one line each. */
type ShortKind = Exclude<SnapshotKind, LongKind | 'page_owner'>;

/** Members of a snapshot line, in order; `begin_event` and `end_event` only where known. */
export interface SnapshotLine {
  readonly snapshot: SnapshotKind;
  readonly clock: SnapshotTime['clock'];
  readonly begin: string | null;
  readonly end: string | null;
  readonly snap: number | null;
  /** Nanoseconds, or null when there is no time. */
  readonly resolution: number | null;
  readonly begin_event?: number | null;
  readonly end_event?: number | null;
  readonly source: string;
  readonly line: number;
  readonly data: unknown;
}

/** Copies with a byte a page. */
type LongKind = 'kpageflags' | 'kpagecount';

/** Runs in one line of a long copy. */
const RUNS_PER_LINE = 1 << 15;

/** The lines of one snapshot: one, but for long binary copies and page_owner dumps. */
export function* snapshotLines(
  snapshot: Snapshot,
  strings: RecordingStrings,
  epochS: number,
): Generator<SnapshotLine> {
  const time = snapshot.time.located ? NO_TIME : snapshot.time;
  const epoch = time.clock === 'trace' ? epochS : 0;
  const head = {
    snapshot: snapshot.kind,
    clock: time.clock,
    begin: exactSeconds(time.beginNs, epoch) || null,
    end: exactSeconds(time.endNs, epoch) || null,
    snap: time.snap,
    resolution: Number.isFinite(time.resolutionNs) ? time.resolutionNs : null,
    ...(time.beginEvent === undefined ? {} : { begin_event: time.beginEvent }),
    ...(time.endEvent === undefined ? {} : { end_event: time.endEvent }),
    source: snapshot.source,
    line: snapshot.line,
  };
  if (snapshot.kind === 'page_owner') {
    for (const data of ownerPieces(snapshot, strings)) yield { ...head, data };
    return;
  }
  if (snapshot.kind !== 'kpageflags' && snapshot.kind !== 'kpagecount') {
    yield { ...head, data: dataOf(snapshot) };
    return;
  }
  const flags = snapshot.kind === 'kpageflags';
  const bytes = flags ? snapshot.classes : snapshot.mapped;
  const more = flags ? { buddyHeadsOnly: snapshot.buddyHeadsOnly } : {};
  let pfn = 0;
  do {
    const { runs, next } = runsFrom(bytes, pfn);
    yield { ...head, data: { pages: bytes.length, pfn, ...more, runs } };
    pfn = next;
  } while (pfn < bytes.length);
}

function runsFrom(classes: Uint8Array, from: number): { runs: number[]; next: number } {
  const runs: number[] = [];
  let pfn = from;
  while (pfn < classes.length && runs.length < 2 * RUNS_PER_LINE) {
    const start = pfn;
    const value = classes[pfn]!;
    while (pfn < classes.length && classes[pfn] === value) pfn++;
    runs.push(pfn - start, value);
  }
  return { runs, next: pfn };
}

function dataOf(snapshot: Extract<Snapshot, { kind: ShortKind }>): unknown {
  switch (snapshot.kind) {
    case 'buddyinfo':
    case 'zoneinfo':
    case 'unusable_index':
    case 'extfrag_index':
      return { zones: snapshot.zones };
    case 'pagetypeinfo': {
      const { pageblockOrder, free, blocks, mixed } = snapshot;
      return { pageblockOrder, free, blocks, mixed };
    }
    case 'vmstat':
      return { counters: Object.fromEntries(snapshot.counters) };
    case 'sysctl':
      return { values: Object.fromEntries(snapshot.values) };
    case 'version':
      return { release: snapshot.release, text: snapshot.text };
    case 'index':
      return { file: snapshot.file, bytes: snapshot.bytes };
  }
}

/** A number; null stands for one that was not printed (NaN has no JSON form). */
const count = z.number().or(z.null().transform(() => Number.NaN));
const counts = z.array(count).max(64);
const nullable = z.number().nullable();
const place = { node: count, zone: z.string() };
const byType = z.array(z.object({ ...place, counts: z.record(z.string(), count) }));
const pcp = z.object({
  cpu: count,
  count: count,
  high: count,
  batch: count,
  highMin: nullable,
  highMax: nullable,
});
const indexZones = z.object({ zones: z.array(z.object({ ...place, values: counts })) });
const MAX_PAGES = 2 ** 31 - 1;

/** Runs of a long copy: count, value, count, value … */
const piece = z.object({
  pages: z.number().int().min(0).max(MAX_PAGES),
  pfn: z.number().int().min(0).max(MAX_PAGES),
  runs: z.array(z.number().int().min(0)).max(2 * RUNS_PER_LINE),
});

/** What `data` must look like, by kind. Members not named here are dropped. */
const DATA = {
  buddyinfo: z.object({ zones: z.array(z.object({ ...place, free: counts })) }),
  pagetypeinfo: z.object({
    pageblockOrder: count,
    free: z.array(z.object({ ...place, type: z.string(), free: counts, cappedOrders: counts })),
    blocks: byType,
    mixed: byType.nullable(),
  }),
  zoneinfo: z.object({
    zones: z.array(
      z.object({
        ...place,
        freePages: count,
        boost: nullable,
        min: count,
        low: count,
        high: count,
        promo: nullable,
        spanned: count,
        present: count,
        managed: nullable,
        cma: nullable,
        protection: counts,
        startPfn: nullable,
        nrFreeCma: nullable,
        reservedHighatomic: nullable,
        freeHighatomic: nullable,
        pcp: z.array(pcp),
        vmStatsThreshold: nullable,
      }),
    ),
  }),
  vmstat: z.object({ counters: z.record(z.string(), count) }),
  sysctl: z.object({ values: z.record(z.string(), z.string()) }),
  version: z.object({ release: z.string(), text: z.string() }),
  unusable_index: indexZones,
  extfrag_index: indexZones,
  index: z.object({ file: z.string(), bytes: nullable }),
  kpageflags: piece.extend({ buddyHeadsOnly: z.boolean() }),
  kpagecount: piece,
  page_owner: OWNER_PIECE,
};

/** A part of a long copy. */
interface Piece {
  readonly kind: 'piece';
  readonly of: LongKind;
  readonly base: { readonly time: SnapshotTime; readonly source: string; readonly line: number };
  readonly data: z.infer<typeof piece> & { readonly buddyHeadsOnly?: boolean };
}

export interface DecodeContext {
  /** Name of the input and line read, for snapshots that do not name their own. */
  readonly source: string;
  readonly line: number;
  readonly epochS: number;
}

/** The snapshot a row describes; null if it describes none. */
export function decodeSnapshot(
  row: readonly unknown[],
  context: DecodeContext,
): Snapshot | Piece | OwnerPiece | null {
  const kind = row[Field.snapshot];
  if (typeof kind !== 'string' || !Object.hasOwn(DATA, kind)) return null;
  const time = decodeTime(row, context.epochS);
  if (time === null) return null;
  const source = row[Field.source];
  const base = {
    time,
    source: typeof source === 'string' && source !== '' ? source : context.source,
    line: wholeNumber(row[Field.line], 0, 2 ** 53) ?? context.line,
  };
  const data = parsedJson(row[Field.data]);
  if (kind === 'kpageflags' || kind === 'kpagecount') {
    const parsed = DATA[kind].safeParse(data);
    return parsed.success ? { kind: 'piece', of: kind, base, data: parsed.data } : null;
  }
  if (kind === 'page_owner') {
    const parsed = DATA[kind].safeParse(data);
    if (!parsed.success) return null;
    return { kind: 'owner-piece', base, at: context.line, data: parsed.data };
  }
  return decodeText(kind as ShortKind, base, data);
}

function decodeText(kind: ShortKind, base: Piece['base'], data: unknown): Snapshot | null {
  const parsed = DATA[kind].safeParse(data);
  if (!parsed.success) return null;
  if (kind === 'vmstat') {
    const { counters } = parsed.data as z.infer<typeof DATA.vmstat>;
    return { ...base, kind, counters: new Map(Object.entries(counters)) };
  }
  if (kind === 'sysctl') {
    const { values } = parsed.data as z.infer<typeof DATA.sysctl>;
    return { ...base, kind, values: new Map(Object.entries(values)) };
  }
  return { ...base, kind, ...parsed.data } as Snapshot;
}

const CLOCKS = ['trace', 'mono', 'wall', 'none'] as const;

function decodeTime(row: readonly unknown[], epochS: number): SnapshotTime | null {
  const clock = CLOCKS.find((name) => name === (row[Field.clock] ?? 'none'));
  if (clock === undefined) return null;
  const epoch = clock === 'trace' ? BigInt(epochS) * 1_000_000_000n : 0n;
  const timeOf = (value: unknown): number => {
    const ns = exactNs(value, 1e9);
    return ns === null ? Number.NaN : Number(ns - epoch);
  };
  const beginEvent = wholeNumber(row[Field.beginEvent], 0, 2 ** 53);
  const endEvent = wholeNumber(row[Field.endEvent], 0, 2 ** 53);
  const resolution = wholeNumber(row[Field.resolution], 0, 2 ** 53);
  return {
    clock,
    beginNs: timeOf(row[Field.begin]),
    endNs: timeOf(row[Field.end]),
    snap: wholeNumber(row[Field.snap], 0, 2 ** 53),
    resolutionNs: resolution ?? Number.POSITIVE_INFINITY,
    ...(beginEvent === null ? {} : { beginEvent }),
    ...(endEvent === null ? {} : { endEvent }),
  };
}

function parsedJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}

/** Pages of long copies in all that any input may have, however short: 1 TiB of memory once. */
const FREE_PAGES = 2 ** 28;

/**
 * Puts the pieces of long copies together again. Room is made as they come, not as the first one promises; and since
 * a few digits may stand for any number of pages, the pages of all copies are held against the bytes read.
 */
export class PieceJoiner {
  #bytes: Uint8Array = new Uint8Array(0);
  #open: { readonly of: LongKind; readonly pages: number } | null = null;
  #next = 0;
  readonly #limit: number;
  readonly #expansion: number;
  /** Pages filled so far. */
  #filled = 0;
  /** Pages of the copy given last that were beyond the limit. */
  leftOut = 0;

  /**
   * @param limit pages kept of a copy; later ones are left out.
   * @param expansion pages in all for each byte read.
   */
  constructor(limit: number, expansion: number) {
    this.#limit = limit;
    this.#expansion = expansion;
  }

  /**
   * The snapshot if complete, 'more' if further pieces are to come, null if it cannot be.
   * @param bytesRead bytes of the input so far.
   */
  add(item: Snapshot | Piece | null, bytesRead: number): Snapshot | 'more' | null {
    if (item === null || item.kind !== 'piece') return item;
    const { pages, pfn, runs, buddyHeadsOnly = false } = item.data;
    if (pfn === 0) {
      this.#open = { of: item.of, pages };
      this.#next = 0;
    }
    const { of, pages: promised } = this.#open ?? {};
    if (of !== item.of || promised !== pages || pfn !== this.#next) return null;
    let at = pfn;
    for (let i = 0; i + 1 < runs.length; i += 2) {
      const end = at + runs[i]!;
      if (end > pages) return null;
      this.#filled += Math.min(end, this.#limit) - Math.min(at, this.#limit);
      if (this.#filled > Math.max(FREE_PAGES, this.#expansion * bytesRead)) return null;
      this.#fill(at, end, runs[i + 1]!);
      at = end;
    }
    // A piece that adds nothing would never end.
    if (at === pfn && pages > 0) return null;
    this.#next = at;
    if (at < pages) return 'more';
    this.leftOut = Math.max(0, pages - this.#limit);
    const bytes = this.#bytes.slice(0, Math.min(pages, this.#limit));
    this.#bytes = new Uint8Array(0);
    this.#open = null;
    if (of === 'kpagecount') return { ...item.base, kind: of, mapped: bytes };
    return { ...item.base, kind: of, classes: bytes, buddyHeadsOnly };
  }

  #fill(from: number, to: number, value: number): void {
    const end = Math.min(to, this.#limit);
    if (end > this.#bytes.length) {
      const size = Math.max(end, this.#bytes.length * 2);
      const bigger = new Uint8Array(Math.min(this.#limit, size));
      bigger.set(this.#bytes);
      this.#bytes = bigger;
    }
    this.#bytes.fill(value, from, end);
  }
}
