/**
 * Lines of /proc/pagetypeinfo: free blocks by migratetype, pageblocks by type, mixed pageblocks.
 *
 * The kernel prints all three tables once for each node with memory, so a second
 * `Page block order:` does not by itself begin a copy: a repeated row does. From v5.4 counts of
 * 100000 and more are printed `>100000` and the lock is dropped after each cell.
 * Kernel: mm/vmstat.c pagetypeinfo_show*, v2.6.24 to v7.2; mixed blocks: mm/page_owner.c, v4.9+.
 */
import type { ZoneTypeFree } from '../../src/records/snapshot.js';
import {
  type CopyHost,
  type CopyOrigin,
  type LineGrammar,
  type LineResult,
  MAX_ROWS,
} from '../snapshot-text/grammar.js';
import { MIN_ORDERS, type NodeRow, scanCounts } from '../snapshot-text/scan.js';

interface TypeCounts {
  readonly node: number;
  readonly zone: string;
  readonly counts: Readonly<Record<string, number>>;
}

const BLOCK_ORDER = /^Page block order:\s*(\d{1,2})\s*$/;
const PAGES_PER_BLOCK = /^Pages per block:\s*\d+\s*$/;
const FREE_HEADING = /^Free pages count per migrate type at order(?:\s+\d+)*\s*$/;
const BLOCKS_HEADING = /^Number of (blocks type|mixed blocks)((?:\s+\w{1,20}){1,16})\s*$/;
const TYPE_ROW = /^,\s*type\s+(\w{1,20})/;

export class PagetypeinfoLines implements LineGrammar {
  readonly #host: CopyHost;
  #origin: CopyOrigin | null = null;
  #pageblockOrder = Number.NaN;
  #free: ZoneTypeFree[] = [];
  #blocks: TypeCounts[] = [];
  #mixed: TypeCounts[] | null = null;
  readonly #seen = new Set<string>();
  #columns = 0;
  #blankEnded = false;
  /** Heading of the table that rows belong to, and its type names. */
  #table: 'free' | 'blocks type' | 'mixed blocks' | null = null;
  #types: string[] = [];
  /** Line and value of a `Page block order:` not yet followed by a row. */
  #headingLine = 0;
  #headingOrder = Number.NaN;

  constructor(host: CopyHost) {
    this.#host = host;
  }

  get origin(): CopyOrigin | null {
    return this.#origin;
  }

  /** The headings between the tables. */
  heading(text: string): LineResult {
    const order = BLOCK_ORDER.exec(text);
    if (order) {
      if (Number(order[1]) > 31) return 'bad';
      this.#headingLine = this.#host.lineNumber;
      this.#headingOrder = Number(order[1]);
      this.#table = null;
      return 'taken';
    }
    if (PAGES_PER_BLOCK.test(text)) return 'taken';
    if (FREE_HEADING.test(text)) {
      this.#table = 'free';
      return 'taken';
    }
    const blocks = BLOCKS_HEADING.exec(text);
    if (!blocks) return 'no';
    this.#table = blocks[1] as 'blocks type' | 'mixed blocks';
    this.#types = blocks[2]!.trim().split(/\s+/);
    if (this.#table === 'mixed blocks' && this.#origin) this.#mixed ??= [];
    return 'taken';
  }

  /** `Node d, zone name, type name counts…`. */
  typeRow(text: string, row: NodeRow, cut: boolean): LineResult {
    const type = TYPE_ROW.exec(text.slice(row.rest, row.rest + 64));
    const scanned = type ? scanCounts(text, row.rest + type[0].length) : null;
    if (!type || !scanned) return cut ? 'cut' : 'bad';
    const { counts, capped, blankEnded } = scanned;
    if (cut && (counts.length !== this.#columns || (this.#blankEnded && !blankEnded))) return 'cut';
    if (counts.length < MIN_ORDERS) return 'bad';
    const key = `${row.node} ${row.zone} ${type[1]}`;
    if (this.#seen.has(key) || this.#free.length >= MAX_ROWS) this.#flush();
    if (this.#free.length > 0 && counts.length !== this.#columns) return 'bad';
    this.#open();
    this.#columns = counts.length;
    this.#blankEnded = blankEnded;
    this.#seen.add(key);
    this.#free.push({
      node: row.node,
      zone: row.zone,
      type: type[1]!,
      free: counts,
      cappedOrders: capped,
    });
    return 'taken';
  }

  /** A row of a block table; `no` if the row is not this table's (a buddyinfo row looks alike). */
  blockRow(text: string, row: NodeRow, cut: boolean): LineResult {
    const table = this.#table;
    if (table === null || table === 'free' || !this.#origin) return 'no';
    const rows = table === 'blocks type' ? this.#blocks : this.#mixed;
    const scanned = scanCounts(text, row.rest);
    if (!rows || scanned?.counts.length !== this.#types.length) return cut ? 'cut' : 'no';
    if (rows.some((other) => other.node === row.node && other.zone === row.zone)) return 'no';
    if (cut && this.#blankEnded && !scanned.blankEnded) return 'cut';
    if (rows.length >= MAX_ROWS) return 'bad';
    const counts: [string, number][] = this.#types.map((t, i) => [t, scanned.counts[i]!]);
    rows.push({ node: row.node, zone: row.zone, counts: Object.fromEntries(counts) });
    return 'taken';
  }

  finish(): void {
    this.#flush();
    this.#headingLine = 0;
    this.#headingOrder = Number.NaN;
  }

  #flush(): void {
    const origin = this.#origin;
    this.#table = null;
    if (!origin) return;
    const { source, line, time } = origin;
    this.#host.emit({
      kind: 'pagetypeinfo',
      source,
      line,
      time,
      pageblockOrder: this.#pageblockOrder,
      free: this.#free,
      blocks: this.#blocks,
      mixed: this.#mixed,
    });
    this.#origin = null;
    this.#free = [];
    this.#blocks = [];
    this.#mixed = null;
    this.#seen.clear();
  }

  #open(): void {
    if (!this.#origin) {
      const line = this.#headingLine > 0 ? this.#headingLine : this.#host.lineNumber;
      this.#origin = this.#host.begin('pagetypeinfo', line);
      this.#pageblockOrder = this.#headingOrder;
    }
    this.#headingLine = 0;
    this.#headingOrder = Number.NaN;
    this.#table = 'free';
  }
}
