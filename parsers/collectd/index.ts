/**
 * collectd's CSV files of its buddyinfo plugin: one file a zone and order, `epoch,value` a line.
 *
 * Which series a file holds only its path says: `buddyinfo-Node0/Normal/freepages-4KB-2024-11-22` (plugin
 * instance and type instance; some versions write `_` for the `/`). The files of a recording are put
 * together when all have been read.
 */
import type { SnapshotTime } from '../../src/records/snapshot.js';
import type { RecordingStrings } from '../../src/records/strings.js';
import { BuddyGrid, type GridCell } from '../collectors/grid.js';
import { TextLines } from '../event-format/text-lines.js';
import type { Detection, ParseContext, StreamFormat, StreamParser } from '../format.js';
import { parseEpoch, wallStamp } from '../snapshot-text/stamps.js';

export const collectd: StreamFormat = {
  id: 'collectd',
  title: 'collectd CSV of the buddyinfo plugin (one file a zone and order)',
  mode: 'stream',
  detect,
  open: (context) => new SeriesParser(context),
  finish: finishGrid,
};

const PATH = /buddyinfo-Node(\d{1,5})[/_-]([A-Za-z]\w{0,15})\/freepages-(\d{1,9})KB(?:-|$|\.)/;
const LINE = /^(\d{9,10}(?:\.\d{1,9})?),([\d.e+-]{1,30})$/;
const HEADER = /^epoch,value\r?\n/;

function detect(head: Uint8Array, name: string): Detection | null {
  const text = Buffer.from(head.subarray(0, 64)).toString('latin1');
  if (!HEADER.test(text) || !PATH.test(name)) return null;
  return { confidence: 0.97, why: "`epoch,value`, and a path of collectd's buddyinfo plugin" };
}

/** Node, zone and size of the blocks in kB. */
function seriesOf(name: string): { node: number; zone: string; kB: number } | null {
  const match = PATH.exec(name);
  return match && { node: Number(match[1]), zone: match[2]!, kB: Number(match[3]) };
}

interface Gathered {
  readonly rows: { node: number; zone: string; kB: number; timeNs: number; count: number }[];
  readonly source: string;
}

/** Rows of a recording kept until all files have been read. */
const MAX_ROWS = 5_000_000;
const gathered = new WeakMap<RecordingStrings, Gathered>();

class SeriesParser implements StreamParser {
  readonly #context: ParseContext;
  readonly #lines: TextLines;
  readonly #series: ReturnType<typeof seriesOf>;
  readonly #rows: Gathered['rows'];

  constructor(context: ParseContext) {
    this.#context = context;
    this.#series = seriesOf(context.source.name);
    const known = gathered.get(context.strings) ?? { rows: [], source: context.source.name };
    gathered.set(context.strings, known);
    this.#rows = known.rows;
    this.#lines = new TextLines(context, (line) => this.#line(line));
    context.source.clock = 'wall';
  }

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
  }

  end(): void {
    this.#lines.end();
  }

  #line(line: string): void {
    if (line === 'epoch,value' || line.trim() === '') return;
    const match = LINE.exec(line);
    const time = match && parseEpoch(match[1]!);
    if (!match || !time || this.#series === null || this.#rows.length >= MAX_ROWS) {
      this.#lines.unparsed(line);
      return;
    }
    const { source } = this.#context;
    if (Number.isNaN(source.firstNs)) source.firstNs = time.beginNs;
    source.lastNs = time.beginNs;
    // Values are gauges: whole numbers printed as `3.000000`.
    this.#rows.push({ ...this.#series, timeNs: time.beginNs, count: Number(match[2]) });
  }
}

/** Series of one reading are written one after the other, within this; a cell that comes again is of the next. */
const SAME_READING_NS = 2e9;
/** The plugin stamps a value when it hands it on, shortly after it read the file. */
const STAMP_DELAY_NS = 1e7;

function finishGrid(context: ParseContext): void {
  const found = gathered.get(context.strings);
  gathered.delete(context.strings);
  if (found === undefined || found.rows.length === 0) return;
  const { rows, source } = found;
  rows.sort((a, b) => a.timeNs - b.timeNs);
  const pageKb = rows.reduce((least, { kB }) => Math.min(least, kB), Number.POSITIVE_INFINITY);
  const grid = new BuddyGrid();
  let reading = Number.NEGATIVE_INFINITY;
  const cells = new Set<string>();
  for (const { node, zone, kB, timeNs, count } of rows) {
    const key = `${node} ${zone} ${kB}`;
    if (timeNs - reading > SAME_READING_NS || cells.has(key)) {
      reading = timeNs;
      cells.clear();
    }
    cells.add(key);
    const cell: GridCell = { node, zone, order: Math.log2(kB / pageKb) };
    if (Number.isInteger(cell.order)) grid.put(cell, reading, count);
  }
  for (const copy of grid.copies(source, timeOf)) {
    context.source.snapshots.buddyinfo = (context.source.snapshots.buddyinfo ?? 0) + 1;
    context.sink.snapshot(copy);
  }
  if (grid.incomplete > 0) {
    const what = 'a zone without all orders';
    context.diagnostics.report('snapshot-cut', { source }, { what });
  }
}

function timeOf(timeNs: number): SnapshotTime {
  const beginNs = timeNs - STAMP_DELAY_NS;
  const seconds = Math.floor(beginNs / 1e9);
  const nanoseconds = Math.round((beginNs - seconds * 1e9) / 1e6) * 1e6;
  return wallStamp({ seconds, nanoseconds, resolutionNs: STAMP_DELAY_NS, assumed: [] });
}
