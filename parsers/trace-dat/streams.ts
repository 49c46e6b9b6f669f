/**
 * The cpu streams of the buffers that are read: which buffers, how much memory, from which time on.
 *
 * Instances record side by side; the same event can stand in several, so replaying them all would
 * count it twice. One buffer is read: the one the user names (`instance=NAME`), else the largest
 * that holds page events near its start, else the largest. `instance=all` reads all.
 */
import type { EventFormats, PageLayout } from '../event-format/formats.js';
import type { RandomAccess } from '../format.js';
import { CpuStream, type PageSource } from '../ring-buffer/cpu-stream.js';
import { PageCursor } from '../ring-buffer/page-cursor.js';
import { type TickClock, Ticks } from '../ring-buffer/ticks.js';
import type { CpuData, TraceBuffer, TraceDat } from './container.js';
import type { Method } from './decompress.js';
import { CompressedPages, PlainPages } from './pages.js';
import type { Reporter } from './reporter.js';

/** Bytes read ahead for all cpus together. */
const READ_AHEAD = 64 << 20;
const CHUNK_BYTES = 1 << 20;

export interface StreamContext {
  readonly file: RandomAccess;
  readonly dat: TraceDat;
  readonly formats: EventFormats;
  readonly method: Method;
  readonly expansion: number;
  readonly reporter: Reporter;
}

/** A page source whose first chunk was taken already. */
export class PeekedPages implements PageSource {
  readonly #source: PageSource;
  #first: Uint8Array | null;
  /** Stamp of the first page. */
  readonly firstStamp: bigint;

  constructor(source: PageSource, littleEndian: boolean) {
    this.#source = source;
    const first = source.next();
    this.#first = first;
    const view = first === null ? null : new DataView(first.buffer, first.byteOffset, first.length);
    this.firstStamp =
      view === null || view.byteLength < 8 ? -1n : view.getBigUint64(0, littleEndian);
  }

  get first(): Uint8Array | null {
    return this.#first;
  }

  next(): Uint8Array | null {
    const first = this.#first;
    this.#first = null;
    return first ?? this.#source.next();
  }
}

export interface OpenBuffer {
  readonly buffer: TraceBuffer;
  readonly layout: PageLayout;
  readonly cpus: readonly { readonly data: CpuData; readonly pages: PeekedPages }[];
}

export function openBuffer(context: StreamContext, buffer: TraceBuffer): OpenBuffer {
  const { file, method, expansion, dat, reporter, formats } = context;
  const layout = { ...formats.page, pageSize: buffer.pageSize };
  const share = Math.min(CHUNK_BYTES, READ_AHEAD / Math.max(1, buffer.cpus.length));
  const chunk = Math.max(1, Math.floor(share / layout.pageSize)) * layout.pageSize;
  const cpus = buffer.cpus.map((data) => {
    const pages = buffer.compressed
      ? new CompressedPages(file, data, method, expansion, dat.littleEndian, reporter)
      : new PlainPages(file, data, chunk, reporter);
    return { data, pages: new PeekedPages(pages, dat.littleEndian) };
  });
  return { buffer, layout, cpus };
}

/** True if a page event stands in the first chunk of any cpu. */
export function holdsPageEvents(
  open: OpenBuffer,
  formats: EventFormats,
  isPageEvent: (type: number) => boolean,
): boolean {
  const probe = { start: () => undefined, epochS: 0 };
  for (const { pages } of open.cpus) {
    const bytes = pages.first;
    if (bytes === null) continue;
    const ticks = new Ticks(probe, 0n, 0n, null);
    const cursor = new PageCursor(open.layout, formats.littleEndian, ticks);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const size = open.layout.pageSize;
    for (let at = 0; at < bytes.length; at += size) {
      cursor.open(view, at, Math.min(size, bytes.length - at));
      while (cursor.next()) {
        if (cursor.eventLength < 2) continue;
        if (isPageEvent(view.getUint16(cursor.eventOffset, formats.littleEndian))) return true;
      }
    }
  }
  return false;
}

export function makeStreams(
  open: readonly OpenBuffer[],
  dat: TraceDat,
  clockOf: (cpu: number) => TickClock,
): CpuStream[] {
  return open.flatMap(({ cpus, layout }) =>
    cpus.map(
      ({ data, pages }) =>
        new CpuStream(data.cpu & 0xffff, pages, layout, dat.littleEndian, clockOf(data.cpu)),
    ),
  );
}

/** The smallest first stamp of the buffers, or null when there is no data. */
export function firstStamp(open: readonly OpenBuffer[]): bigint | null {
  let first: bigint | null = null;
  for (const { cpus } of open) {
    for (const { pages } of cpus) {
      const stamp = pages.firstStamp;
      if (stamp >= 0n && (first === null || stamp < first)) first = stamp;
    }
  }
  return first;
}
