/**
 * Rows of /proc/buddyinfo: `Node 0, zone   Normal   4419   1978 … `, a zone a line.
 *
 * One count for each order, of all migratetypes, per-cpu pages excluded; every row is taken under
 * its zone's lock. The number of columns is the kernel's number of orders and is not assumed.
 * Kernel: mm/vmstat.c frag_show_print, same form from v2.6.24 to v7.2.
 */
import type { ZoneFree } from '../../src/records/snapshot.js';
import {
  type CopyHost,
  type CopyOrigin,
  type LineGrammar,
  type LineResult,
  MAX_ROWS,
} from '../snapshot-text/grammar.js';
import { MIN_ORDERS, type NodeRow, scanCounts } from '../snapshot-text/scan.js';

export class BuddyinfoLines implements LineGrammar {
  readonly #host: CopyHost;
  #origin: CopyOrigin | null = null;
  #zones: ZoneFree[] = [];
  readonly #seen = new Set<string>();
  #columns = 0;
  #blankEnded = false;

  constructor(host: CopyHost) {
    this.#host = host;
  }

  get origin(): CopyOrigin | null {
    return this.#origin;
  }

  /** A `Node d, zone name` line followed by counts. */
  row(text: string, row: NodeRow, cut: boolean): LineResult {
    const scanned = scanCounts(text, row.rest);
    if (!scanned || scanned.capped.length > 0) return 'bad';
    const { counts, blankEnded } = scanned;
    // A row alone in its input is believed; any other has to be as whole as the one before it.
    if (cut && (this.#columns > 0 || this.#host.lineNumber > 1)) {
      if (counts.length !== this.#columns || (this.#blankEnded && !blankEnded)) return 'cut';
    }
    if (counts.length < MIN_ORDERS) return 'bad';
    const key = `${row.node} ${row.zone}`;
    if (this.#seen.has(key) || this.#zones.length >= MAX_ROWS) this.finish();
    if (this.#zones.length > 0 && counts.length !== this.#columns) return 'bad';
    this.#origin ??= this.#host.begin('buddyinfo');
    this.#columns = counts.length;
    this.#blankEnded = blankEnded;
    this.#seen.add(key);
    this.#zones.push({ node: row.node, zone: row.zone, free: counts });
    return 'taken';
  }

  finish(): void {
    const origin = this.#origin;
    if (!origin) return;
    const { source, line, time } = origin;
    this.#host.emit({ kind: 'buddyinfo', source, line, time, zones: this.#zones });
    this.#origin = null;
    this.#zones = [];
    this.#seen.clear();
  }
}
