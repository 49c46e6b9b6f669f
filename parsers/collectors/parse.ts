/**
 * Free blocks as other tools wrote them down: node_exporter, collectl, PCP.
 *
 * - `node_buddyinfo_blocks{node="0",size="10",zone="DMA"} 3 [ms]` (Prometheus text; size = order), and
 *   `… => 3 @[seconds]` as promtool prints an instant query,
 * - rows `[time] node zone n0 n1 …` below collectl's `# MEMORY FRAGMENTATION` heading,
 * - rows `[time] zone nodeN n0 n1 …` of `pcp buddyinfo`,
 * - CSV of pmrep or pmdumptext with columns `mem.buddyinfo.pages-ZONE::orderO::nodeN`.
 * Each becomes a buddyinfo snapshot; a zone that lacks an order is dropped and said so.
 */
import type { SnapshotTime } from '../../src/records/snapshot.js';
import { WallClock } from '../snapshot-text/dates.js';
import {
  type CopyHost,
  type CopyOrigin,
  type LineGrammar,
  type LineResult,
  MAX_ROWS,
} from '../snapshot-text/grammar.js';
import { MAX_COUNT, MAX_ORDERS, MIN_ORDERS, scanCounts } from '../snapshot-text/scan.js';
import { parseEpoch, wallStamp } from '../snapshot-text/stamps.js';

const METRIC =
  /^node_buddyinfo_blocks\{([^}]{1,400})\}\s+(?:=>\s+)?([\d.e+]{1,24})(?:\s+(?:(\d{12,14})|@\[(\d{9,10}(?:\.\d{1,9})?)\]))?\s*$/;
const LABEL = /(\w+)="(\w*)"/g;
const COLLECTL_HEADING = /^#\s*MEMORY FRAGMENTATION/;
const COLUMN_HEADING = /^#?\s*(?:Date\s+)?(?:Time\s+)?(?:Node\s+Zone\s+1\s|TimeStamp\s.*Order0)/;
const COLLECTL_ROW = /^\s*(\d{1,5})\s+([A-Za-z]\w{0,15})(?=\s+\d)/;
const PCP_ROW = /^\s*([A-Za-z]\w{0,15})\s+node(\d{1,5})(?=\s+\d)/;
const CSV_COLUMN = /^"?mem\.buddyinfo\.pages[-[]"?(\w{1,16})::order(\d{1,2})::node(\d{1,5})[\]"]*$/;
const MAX_CSV_COLUMNS = 1 << 14;

interface Cell {
  readonly node: number;
  readonly zone: string;
  readonly order: number;
}

export class CollectorLines implements LineGrammar {
  readonly #host: CopyHost;
  readonly #wall = new WallClock();
  #origin: CopyOrigin | null = null;
  readonly #zones = new Map<string, { node: number; zone: string; free: number[] }>();
  #tables = false;
  /** Cell of each CSV column, null for columns of other metrics; empty when there is no CSV. */
  #csv: (Cell | null)[] = [];

  constructor(host: CopyHost) {
    this.#host = host;
  }

  get origin(): CopyOrigin | null {
    return this.#origin;
  }

  line(text: string, cut: boolean): LineResult {
    if (text.startsWith('node_buddyinfo_blocks{')) return cut ? 'cut' : this.#metric(text);
    if (text.includes('mem.buddyinfo.pages')) return this.#csvHeader(text);
    if (this.#csv.length > 0 && text.includes(',')) return cut ? 'cut' : this.#csvRow(text);
    if (COLLECTL_HEADING.test(text) || COLUMN_HEADING.test(text)) {
      this.#tables = true;
      return 'taken';
    }
    return this.#tables ? this.#tableRow(text, cut) : 'no';
  }

  finish(): void {
    const origin = this.#origin;
    if (!origin) return;
    const { source, line, time } = origin;
    const zones = [...this.#zones.values()].filter(({ free, zone }) => {
      const whole = free.length >= MIN_ORDERS && !free.includes(-1);
      if (!whole) this.#host.report('snapshot-cut', line, { what: `zone ${zone}` });
      return whole;
    });
    if (zones.length > 0) this.#host.emit({ kind: 'buddyinfo', source, line, time, zones });
    this.#origin = null;
    this.#zones.clear();
  }

  #metric(text: string): LineResult {
    const metric = METRIC.exec(text);
    if (!metric) return 'bad';
    const labels = new Map<string, string>();
    for (const [, name, value] of metric[1]!.matchAll(LABEL)) labels.set(name!, value!);
    const cell = {
      node: Number(labels.get('node') || Number.NaN),
      zone: labels.get('zone') ?? '',
      order: Number(labels.get('size') || Number.NaN),
    };
    const time = metric[3] ?? metric[4];
    const stamp = time === undefined ? null : parseEpoch(time);
    if (!this.#put(cell, Number(metric[2]))) return 'bad';
    if (stamp) this.#origin?.touch(stamp);
    return 'taken';
  }

  #tableRow(text: string, cut: boolean): LineResult {
    const collectl = COLLECTL_ROW.exec(text);
    const pcp = collectl ? null : PCP_ROW.exec(text);
    const match = collectl ?? pcp;
    const scanned = match && scanCounts(text, match[0].length);
    if (!match || !scanned || scanned.counts.length < MIN_ORDERS) return 'no';
    if (cut) return 'cut';
    const node = Number(collectl ? match[1] : match[2]);
    const zone = (collectl ? match[2] : match[1])!;
    for (let order = 0; order < scanned.counts.length; order++) {
      if (!this.#put({ node, zone, order }, scanned.counts[order]!)) return 'bad';
    }
    return 'taken';
  }

  #csvHeader(text: string): LineResult {
    const names = text.split(',', MAX_CSV_COLUMNS);
    this.#csv = names.map((name) => {
      const match = CSV_COLUMN.exec(name.trim());
      return match && { zone: match[1]!, order: Number(match[2]), node: Number(match[3]) };
    });
    if (this.#csv.some((cell) => cell !== null)) return 'taken';
    this.#csv = [];
    return 'no';
  }

  #csvRow(text: string): LineResult {
    const values = text.split(',', MAX_CSV_COLUMNS + 1);
    if (values.length !== this.#csv.length) return 'bad';
    this.finish();
    for (const [column, cell] of this.#csv.entries()) {
      const value = values[column]!.trim().replaceAll('"', '');
      if (cell && value !== '' && !this.#put(cell, Number(value))) {
        this.#zones.clear();
        this.#origin = null;
        return 'bad';
      }
    }
    const stamp = this.#stampOf(values[0]!.replaceAll('"', '').trim());
    if (stamp) this.#origin?.touch(stamp);
    this.finish();
    return 'taken';
  }

  #stampOf(text: string): SnapshotTime | null {
    const epoch = parseEpoch(text);
    if (epoch) return epoch;
    const time = this.#wall.parse(text);
    return time && wallStamp(time);
  }

  /** One count; false if it is impossible. A count that is there already begins the next copy. */
  #put({ node, zone, order }: Cell, count: number): boolean {
    if (!(order >= 0 && order < MAX_ORDERS && node >= 0 && node < 1 << 16)) return false;
    if (!Number.isInteger(count) || count < 0 || count > MAX_COUNT || zone === '') return false;
    const key = `${node} ${zone}`;
    if ((this.#zones.get(key)?.free[order] ?? -1) >= 0) this.finish();
    if (!this.#zones.has(key) && this.#zones.size >= MAX_ROWS) this.finish();
    this.#origin ??= this.#host.begin('buddyinfo');
    const row = this.#zones.get(key) ?? { node, zone, free: [] };
    this.#zones.set(key, row);
    while (row.free.length <= order) row.free.push(-1);
    row.free[order] = count;
    return true;
  }
}
