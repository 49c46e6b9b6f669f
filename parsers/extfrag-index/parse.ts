/**
 * Rows of debugfs extfrag/unusable_index and extfrag/extfrag_index: a decimal an order.
 *
 * The two files have the same form. A heading or file name decides; else the values do: only
 * extfrag_index prints negative ones (-1.000: a block is available), only unusable_index prints
 * anything but 0.000 at order 0 or grows from 0 upwards with order without a negative.
 * Negative thousandths print as ` 0.-500` and ` 0.-35` (= -0.035). Kernel: mm/vmstat.c unusable_print and
 * extfrag_show_print, v2.6.35 to v7.2.
 */
import type { ExtfragIndexSnapshot } from '../../src/records/snapshot.js';
import {
  type CopyHost,
  type CopyOrigin,
  type LineGrammar,
  type LineResult,
  MAX_ROWS,
} from '../snapshot-text/grammar.js';
import { MAX_ORDERS, MIN_ORDERS, type NodeRow } from '../snapshot-text/scan.js';

type IndexKind = ExtfragIndexSnapshot['kind'];
type IndexZone = ExtfragIndexSnapshot['zones'][number];

const VALUE = /^(-?)(\d{1,4})\.(-?)(\d{2,3})$/;

export class ExtfragIndexLines implements LineGrammar {
  readonly #host: CopyHost;
  #origin: CopyOrigin | null = null;
  #zones: IndexZone[] = [];
  readonly #seen = new Set<string>();
  #columns = 0;
  #blankEnded = false;
  #last: IndexKind = 'unusable_index';

  constructor(host: CopyHost) {
    this.#host = host;
  }

  get origin(): CopyOrigin | null {
    return this.#origin;
  }

  row(text: string, row: NodeRow, cut: boolean): LineResult {
    const rest = text.slice(row.rest);
    const blankEnded = /\s$/.test(rest);
    const values = scanValues(rest);
    if (cut) {
      if (values?.length !== this.#columns || (this.#blankEnded && !blankEnded)) return 'cut';
    }
    if (!values) return 'bad';
    const key = `${row.node} ${row.zone}`;
    if (this.#seen.has(key) || this.#zones.length >= MAX_ROWS) this.finish();
    if (this.#zones.length > 0 && values.length !== this.#columns) return 'bad';
    this.#origin ??= this.#host.begin(this.#kindOf(values));
    this.#columns = values.length;
    this.#blankEnded = blankEnded;
    this.#seen.add(key);
    this.#zones.push({ node: row.node, zone: row.zone, values });
    return 'taken';
  }

  finish(): void {
    const origin = this.#origin;
    if (!origin) return;
    const { source, line, time } = origin;
    const kind = this.#kindOf(this.#zones.flatMap((zone) => zone.values));
    this.#last = kind;
    this.#host.emit({ kind, source, line, time, zones: this.#zones });
    this.#origin = null;
    this.#zones = [];
    this.#seen.clear();
  }

  #kindOf(values: readonly number[]): IndexKind {
    if (values.some((value) => value < 0)) return 'extfrag_index';
    const hint = this.#host.hint;
    if (hint.includes('unusable_index')) return 'unusable_index';
    if (hint.includes('extfrag_index')) return 'extfrag_index';
    return values.some((value) => value > 0) ? 'unusable_index' : this.#last;
  }
}

function scanValues(rest: string): number[] | null {
  const words = rest.trim().split(/\s+/, MAX_ORDERS + 1);
  if (words.length < MIN_ORDERS || words.length > MAX_ORDERS) return null;
  const values: number[] = [];
  for (const word of words) {
    const match = VALUE.exec(word);
    if (!match) return null;
    const negative = match[1] === '-' || match[3] === '-';
    const size = Number(match[2]) + Number(match[4]) / 1000;
    values.push(negative && size > 0 ? -size : size);
  }
  return values;
}
