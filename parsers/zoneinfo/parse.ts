/**
 * Lines of /proc/zoneinfo, every generation from v2.6.24 to v7.2.
 *
 * A zone begins with `Node d, zone name` alone on its line; what follows is read by name, not by
 * position, because the order changed (counters stood before `protection` up to v4.4) and lines
 * came and went (boost v5.19, promo v6.12, cma v5.12, high_min/high_max v6.13, reserved_highatomic
 * v6.19). A zone that lacks its watermarks, spanned, present or protection was cut and is dropped.
 * Kernel: mm/vmstat.c zoneinfo_show_print. Not modelled: per-node stats and most nr_ counters.
 */
import type { Zoneinfo, ZoneinfoPcp } from '../../src/records/snapshot.js';
import {
  type CopyHost,
  type CopyOrigin,
  type LineGrammar,
  type LineResult,
  MAX_ROWS,
} from '../snapshot-text/grammar.js';
import { type NodeRow, parseCounter } from '../snapshot-text/scan.js';

type Draft<T> = { -readonly [K in keyof T]: T[K] };
type Required = 'freePages' | 'min' | 'low' | 'high' | 'spanned' | 'present';

interface ZoneDraft extends Omit<Draft<Zoneinfo>, Required | 'protection' | 'pcp'> {
  freePages: number | null;
  min: number | null;
  low: number | null;
  high: number | null;
  spanned: number | null;
  present: number | null;
  protection: number[] | null;
  pcp: Draft<ZoneinfoPcp>[];
  line: number;
}

type NumberField = {
  [K in keyof ZoneDraft]-?: ZoneDraft[K] extends number | null | undefined ? K : never;
}[keyof ZoneDraft];

/** Lines before `pagesets`, by their first word. */
const ZONE_FIELDS: ReadonlyMap<string, NumberField> = new Map([
  ['boost', 'boost'],
  ['min', 'min'],
  ['low', 'low'],
  ['high', 'high'],
  ['promo', 'promo'],
  ['spanned', 'spanned'],
  ['present', 'present'],
  ['managed', 'managed'],
  ['cma', 'cma'],
  ['nr_free_cma', 'nrFreeCma'],
  ['nr_free_pages_blocks', 'nrFreePagesBlocks'],
]);
/** Lines with a colon, anywhere in the zone. */
const TAIL_FIELDS: ReadonlyMap<string, NumberField> = new Map([
  ['start_pfn', 'startPfn'],
  ['reserved_highatomic', 'reservedHighatomic'],
  ['free_highatomic', 'freeHighatomic'],
]);
const PCP_FIELDS: ReadonlyMap<string, 'count' | 'high' | 'batch' | 'highMin' | 'highMax'> = new Map(
  [
    ['count', 'count'],
    ['high', 'high'],
    ['batch', 'batch'],
    ['high_min', 'highMin'],
    ['high_max', 'highMax'],
  ],
);
const MAX_CPUS = 1 << 14;
const NAMED = /^\s*([a-z_][a-z0-9_]{0,63})(:?)\s+(-?\d{1,20})(?:\s*\([a-z0-9: ]*\))?\s*$/i;
const PAGES_FREE = /^\s*pages free\s+(\d{1,20})\s*$/;
const PROTECTION = /^\s*protection:\s*\(([\d, ]*)\)\s*$/;
const CPU = /^\s*cpu:\s+(\d{1,6})(\s+pcp:\s+\d+)?\s*$/;
const THRESHOLD = /^\s*vm stats threshold:\s+(\d{1,9})\s*$/;
const HEADING = /^\s*(?:per-node stats|pagesets)\s*$/;

function newZone(row: NodeRow, line: number): ZoneDraft {
  return {
    node: row.node,
    zone: row.zone,
    line,
    freePages: null,
    boost: null,
    min: null,
    low: null,
    high: null,
    promo: null,
    spanned: null,
    present: null,
    managed: null,
    cma: null,
    protection: null,
    startPfn: null,
    nrFreeCma: null,
    reservedHighatomic: null,
    freeHighatomic: null,
    pcp: [],
    vmStatsThreshold: null,
  };
}

/** The zone, or null if a line every kernel prints is missing. */
function complete(draft: ZoneDraft): Zoneinfo | null {
  const { line: _, freePages, min, low, high, spanned, present, protection, ...rest } = draft;
  if (freePages === null || min === null || low === null || high === null) return null;
  if (spanned === null || present === null || protection === null) return null;
  const pcp = rest.pcp.filter((p) => !Number.isNaN(p.batch));
  return { ...rest, freePages, min, low, high, spanned, present, protection, pcp };
}

export class ZoneinfoLines implements LineGrammar {
  readonly #host: CopyHost;
  #origin: CopyOrigin | null = null;
  #zones: Zoneinfo[] = [];
  readonly #seen = new Set<string>();
  #zone: ZoneDraft | null = null;
  #inPagesets = false;

  constructor(host: CopyHost) {
    this.#host = host;
  }

  get origin(): CopyOrigin | null {
    return this.#origin;
  }

  /** True while the lines of a zone are expected. */
  get inZone(): boolean {
    return this.#zone !== null;
  }

  /** `Node d, zone name` alone on its line: a zone begins. */
  zoneRow(row: NodeRow, cut: boolean): LineResult {
    if (cut) return 'cut';
    const key = `${row.node} ${row.zone}`;
    if (this.#seen.has(key) || this.#zones.length >= MAX_ROWS) this.finish();
    this.#closeZone();
    this.#origin ??= this.#host.begin('zoneinfo');
    this.#seen.add(key);
    this.#zone = newZone(row, this.#host.lineNumber);
    this.#inPagesets = false;
    return 'taken';
  }

  /** A line within a zone. */
  line(text: string, cut: boolean): LineResult {
    const zone = this.#zone;
    if (!zone) return 'no';
    if (cut) return 'cut';
    // The commonest line first.
    const named = NAMED.exec(text);
    if (named && named[1] !== 'cpu') return this.#named(zone, named);
    if (HEADING.test(text)) {
      this.#inPagesets = text.trim() === 'pagesets';
      return 'taken';
    }
    const free = PAGES_FREE.exec(text);
    if (free) {
      zone.freePages = Number(free[1]);
      return 'taken';
    }
    return this.#other(zone, text);
  }

  finish(): void {
    this.#closeZone();
    const origin = this.#origin;
    if (!origin) return;
    const { source, line, time } = origin;
    if (this.#zones.length > 0) {
      this.#host.emit({ kind: 'zoneinfo', source, line, time, zones: this.#zones });
    }
    this.#origin = null;
    this.#zones = [];
    this.#seen.clear();
  }

  #named(zone: ZoneDraft, named: RegExpExecArray): LineResult {
    const name = named[1]!;
    const value = parseCounter(named[3]!);
    if (named[2] === ':') {
      const pcp = this.#inPagesets ? PCP_FIELDS.get(name) : undefined;
      const tail = TAIL_FIELDS.get(name);
      if (pcp) this.#pcpField(zone, pcp, value);
      else if (tail) zone[tail] = value;
      return 'taken';
    }
    const field = ZONE_FIELDS.get(name);
    if (field && zone.freePages !== null && !this.#inPagesets) zone[field] = value;
    return 'taken';
  }

  #pcpField(zone: ZoneDraft, field: keyof ZoneinfoPcp, value: number): void {
    const entry = zone.pcp.at(-1);
    if (!entry) return;
    // v2.6.24 prints a hot and a cold list for each CPU: the pages add up, the limits are the hot list's.
    if (field === 'count') entry.count += value;
    else if (entry[field] === null || Number.isNaN(entry[field])) entry[field] = value;
  }

  #other(zone: ZoneDraft, text: string): LineResult {
    const protection = PROTECTION.exec(text);
    if (protection) {
      zone.protection = protection[1]!.split(',').map((v) => Number(v.trim()));
      return 'taken';
    }
    const threshold = THRESHOLD.exec(text);
    if (threshold) {
      zone.vmStatsThreshold = Number(threshold[1]);
      return 'taken';
    }
    const cpu = CPU.exec(text);
    if (!cpu) return 'bad';
    this.#inPagesets = true;
    return this.#cpu(zone, Number(cpu[1]));
  }

  #cpu(zone: ZoneDraft, cpu: number): LineResult {
    if (zone.pcp.at(-1)?.cpu === cpu) return 'taken';
    if (zone.pcp.length >= MAX_CPUS) return 'bad';
    const nan = Number.NaN;
    zone.pcp.push({ cpu, count: 0, high: nan, batch: nan, highMin: null, highMax: null });
    return 'taken';
  }

  #closeZone(): void {
    const draft = this.#zone;
    if (!draft) return;
    this.#zone = null;
    this.#inPagesets = false;
    const zone = complete(draft);
    if (zone) this.#zones.push(zone);
    else this.#host.report('snapshot-cut', draft.line, { what: `zone ${draft.zone}` });
  }
}
