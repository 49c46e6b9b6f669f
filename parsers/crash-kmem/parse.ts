/**
 * The free-list tables of the crash utility (memory.c dump_multidimensional_free_pages, crash 8).
 *
 * `NODE` / N; for each zone a table `ZONE NAME SIZE FREE MEM_MAP START_PADDR START_MAPNR` of one
 * row, then `AREA SIZE FREE_AREA_STRUCT BLOCKS PAGES`, a row an order (newer versions: a row an
 * order and migratetype); with -F the struct page addresses of the blocks stand below each row, one
 * a line. Counts become a buddyinfo snapshot. Addresses become a page map: pfn = START_MAPNR +
 * (address - MEM_MAP) / sizeof(struct page), the size being what divides all of them (or the input
 * option struct-page-bytes).
 */
import { type KpageflagsSnapshot, NO_TIME, PageClass } from '../../src/records/snapshot.js';
import { TextLines } from '../event-format/text-lines.js';
import type { Detection, ParseContext, StreamParser } from '../format.js';

const ZONE_HEAD = /^ZONE\s+NAME\s+SIZE\s+FREE\s+MEM_MAP\s+START_PADDR\s+START_MAPNR/;
const AREA_HEAD = /^AREA\s+SIZE\s+FREE_AREA_STRUCT/;
const ZONE_ROW =
  /^\s*(\d{1,3})\s+(\S{1,16})\s+(\d{1,15})\s+(\d{1,15})\s+([0-9a-f]{1,16})\s+([0-9a-f]{1,16})\s+(\d{1,15})/;
const AREA_ROW = /^\s*(\d{1,2})\s+\d{1,9}[kKmM]\s+([0-9a-f]{4,16})\s+(\d{1,12})\s+(\d{1,13})\s*$/;
const ADDRESS = /^\s*([0-9a-f]{8,16})\s*$/;
const MAX_BLOCKS = 1 << 24;

export function detectCrashKmem(head: Uint8Array): Detection | null {
  const lines = Buffer.from(head).toString('latin1').split('\n');
  const zone = lines.some((line) => ZONE_HEAD.test(line));
  const area = lines.some((line) => AREA_HEAD.test(line));
  if (!zone || !area) return null;
  return { confidence: 0.95, why: 'ZONE and AREA tables of crash kmem' };
}

interface CrashZone {
  readonly node: number;
  readonly zone: string;
  readonly free: number[];
  readonly memMap: bigint;
  readonly startPfn: number;
  readonly pages: number;
}

export class CrashKmemParser implements StreamParser {
  readonly #context: ParseContext;
  readonly #lines: TextLines;
  readonly #zones: CrashZone[] = [];
  /** Offsets from MEM_MAP, with zone and order, of blocks listed by address. */
  readonly #blocks: { zone: number; order: number; bytes: number }[] = [];
  #node = 0;
  #expect: 'any' | 'node' | 'zone' = 'any';
  #order = -1;

  constructor(context: ParseContext) {
    this.#context = context;
    this.#lines = new TextLines(context, (line) => this.#line(line));
  }

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
  }

  #line(line: string): void {
    if (line.trim() === '' || AREA_HEAD.test(line)) return;
    if (/^NODE\s*$/.test(line)) this.#expect = 'node';
    else if (ZONE_HEAD.test(line)) this.#expect = 'zone';
    else if (this.#expect === 'node' && /^\s*\d{1,4}\s*$/.test(line)) {
      this.#node = Number(line);
      this.#expect = 'any';
    } else if (this.#expect === 'zone' && this.#zoneRow(line)) this.#expect = 'any';
    else if (!this.#areaRow(line) && !this.#address(line) && !/nr_free_pages|^crash>/.test(line)) {
      this.#lines.unparsed(line);
    }
  }

  #zoneRow(line: string): boolean {
    const row = ZONE_ROW.exec(line);
    if (row === null || this.#zones.length >= 4096) return false;
    this.#order = -1;
    this.#zones.push({
      node: this.#node,
      zone: row[2]!,
      free: [],
      pages: Number(row[3]),
      memMap: BigInt(`0x${row[5]}`),
      startPfn: Number(row[7]),
    });
    return true;
  }

  #areaRow(line: string): boolean {
    const row = AREA_ROW.exec(line);
    const zone = this.#zones[this.#zones.length - 1];
    const order = Number(row?.[1]);
    if (row === null || zone === undefined || order > 31) return false;
    while (zone.free.length <= order) zone.free.push(0);
    zone.free[order] = zone.free[order]! + Number(row[3]);
    this.#order = order;
    return true;
  }

  #address(line: string): boolean {
    const match = ADDRESS.exec(line);
    const zone = this.#zones[this.#zones.length - 1];
    if (match === null || zone === undefined || this.#order < 0) return false;
    const bytes = Number(BigInt(`0x${match[1]}`) - zone.memMap);
    if (bytes < 0 || this.#blocks.length >= MAX_BLOCKS) return false;
    this.#blocks.push({ zone: this.#zones.length - 1, order: this.#order, bytes });
    return true;
  }

  end(): void {
    this.#lines.end();
    const zones = this.#zones.filter((zone) => zone.free.length > 0);
    if (zones.length === 0) return;
    const { sink, source } = this.#context;
    source.snapshots.buddyinfo = (source.snapshots.buddyinfo ?? 0) + 1;
    sink.snapshot({
      kind: 'buddyinfo',
      time: NO_TIME,
      source: source.name,
      line: 1,
      zones: zones.map(({ node, zone, free }) => ({ node, zone, free })),
    });
    if (this.#blocks.length > 0) this.#pageMap();
  }

  /** The largest usual size of struct page that divides every offset. */
  #structPage(): number {
    const given = Number(this.#context.options['struct-page-bytes'] ?? 0);
    if (given >= 16 && given <= 4096) return given;
    for (const size of [64, 56, 80, 72, 48, 40, 32]) {
      if (this.#blocks.every((block) => block.bytes % size === 0)) return size;
    }
    return 64;
  }

  #pageMap(): void {
    const { sink, source, limits, diagnostics } = this.#context;
    const size = this.#structPage();
    const last = Math.max(...this.#zones.map((zone) => zone.startPfn + zone.pages));
    // A short list must not ask for a big map: a block for each 256 MiB at least.
    const limit = Math.min(limits.pages, Math.max(1 << 24, this.#blocks.length * 65_536));
    if (last > limit) {
      const data = { what: 'the page map', limit };
      diagnostics.report('section-limit', { source: source.name }, data);
      return;
    }
    const classes = new Uint8Array(last);
    let left = last;
    for (const { zone, order, bytes } of this.#blocks) {
      // Blocks do not overlap: more pages than there are is damage.
      left -= 2 ** order;
      if (left < 0) break;
      const pfn = this.#zones[zone]!.startPfn + Math.floor(bytes / size);
      classes.fill(PageClass.buddy, pfn, Math.min(last, pfn + 2 ** order));
    }
    const snapshot: KpageflagsSnapshot = {
      kind: 'kpageflags',
      time: NO_TIME,
      source: source.name,
      line: 0,
      classes,
      buddyHeadsOnly: false,
    };
    source.facts['struct page bytes'] = String(size);
    source.snapshots.kpageflags = (source.snapshots.kpageflags ?? 0) + 1;
    sink.snapshot(snapshot);
  }
}
