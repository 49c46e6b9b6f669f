/**
 * What data alone says about the kernel that wrote it: version bounds and switch values.
 *
 * Each clue is a field, event or label whose presence was checked against the sources of the
 * kernels around the change (docs/model/detection.md). A clue bounds the version only where nothing
 * else is known; a switch value from data holds even against the release, because distribution
 * kernels are hybrids.
 */
import { erasMatching, GFP_ERAS, type GfpEra } from './gfp.js';
import type { MigratetypeNumbering } from './migratetype.js';
import type { ProfileSwitches, SwitchKey } from './profile-switches.js';
import { parseKernelVersion, versionCode } from './release.js';

/** What the parsers saw; everything optional, absent = not looked for or not there. */
export interface KernelObservations {
  /** /proc/version, uname -a, banner or release texts, most trustworthy first. */
  readonly versionTexts?: readonly string[];
  /** Kernel-printed event text had pfn=0x… (true) or decimal (false); null or absent = unknown. */
  readonly pfnHex?: boolean | null;
  /** Event names without the subsystem. */
  readonly eventNames?: Iterable<string>;
  /** Fields of the batched free event included `cold`. */
  readonly batchedFreeCold?: boolean;
  /** Orders seen in mm_page_pcpu_drain events, as a bit mask. */
  readonly drainedOrders?: number;
  /** An extfrag event without a following zone_locked on its CPU was common (true) or never seen. */
  readonly extfragWithoutZoneLocked?: boolean;
  /** nr_scanned equals the range's length together with nr_taken > 0. */
  readonly nrScannedCountsTaken?: boolean;
  /** zoneinfo keys seen: boost, cma, promo, high_min, free_highatomic, per-node stats … */
  readonly zoneinfoFields?: Iterable<string>;
  /** Keys of a splat's zone line: boost, reserved_highatomic, free_highatomic, zspages … */
  readonly splatZoneFields?: Iterable<string>;
  /** Row labels of pagetypeinfo. */
  readonly migratetypeLabels?: Iterable<string>;
  /** Masks printed with their names, as in `mode:0x820(GFP_ATOMIC)`. */
  readonly gfpPairs?: Iterable<{ readonly mask: number; readonly names: string }>;
}

export interface VersionBound {
  readonly version: string;
  readonly text: string;
}

export interface SwitchClue {
  readonly key: SwitchKey;
  readonly value: ProfileSwitches[SwitchKey];
  readonly text: string;
}

export interface Clues {
  readonly atLeast: VersionBound[];
  /** Series of the last version possible. */
  readonly atMost: VersionBound[];
  readonly switches: SwitchClue[];
  /** Eras that fit every mask printed with names; null if none was seen or nothing fits. */
  readonly gfpEras: readonly GfpEra[] | null;
}

type FieldRow = readonly [field: string, atLeast: string | null, atMost: string | null];

const ZONEINFO_ROWS: readonly FieldRow[] = [
  ['per-node stats', '4.8', null],
  ['cma', '5.12', null],
  ['boost', '5.19', null],
  ['promo', '6.11', null],
  ['high_min', '6.7', null],
  ['reserved_highatomic', '6.19', null],
];

const SPLAT_ROWS: readonly FieldRow[] = [
  ['pages_scanned', null, '4.7'],
  ['writepending', '4.8', null],
  ['reserved_highatomic', '5.6', null],
  ['boost', '5.16', null],
  ['free_highatomic', '6.14', null],
  ['zspages', '6.18', null],
];

const EVENT_ROWS: readonly FieldRow[] = [
  ['mm_page_free_direct', '2.6.32', '3.2'],
  ['mm_pagevec_free', '2.6.32', '3.2'],
  ['mm_page_free_batched', '3.3', null],
  ['mm_compaction_begin', '3.14', null],
  ['mm_compaction_fast_isolate_freepages', '6.5', null],
  ['mm_alloc_contig_migrate_range_info', '6.9', '6.14'],
  ['mm_setup_per_zone_wmarks', '6.17', null],
];

const ERA_BOUNDS: Readonly<Record<GfpEra, readonly [string, string]>> = {
  'before-2.6.32': ['2.6.0', '2.6.30'],
  '2.6.32': ['2.6.31', '4.3'],
  '4.4': ['4.4', '4.9'],
  '4.10': ['4.10', '4.15'],
  '4.16': ['4.16', '5.0'],
  '5.1': ['5.1', '6.2'],
  '6.3': ['6.3', '6.7'],
  '6.8': ['6.8', '99.0'],
};

/** Everything the observations say. Never throws. */
export function gatherClues(seen: KernelObservations): Clues {
  const clues: Clues = { atLeast: [], atMost: [], switches: [], gfpEras: commonEras(seen) };
  const eventNames = new Set(seen.eventNames ?? []);
  const zoneinfo = new Set(seen.zoneinfoFields ?? []);
  const splat = new Set(seen.splatZoneFields ?? []);
  fieldBounds(clues, EVENT_ROWS, eventNames, 'event');
  fieldBounds(clues, ZONEINFO_ROWS, zoneinfo, 'zoneinfo has');
  fieldBounds(clues, SPLAT_ROWS, splat, 'a failure report prints');
  textClues(clues, seen, eventNames);
  if (zoneinfo.has('boost') || splat.has('boost')) add(clues, 'boost', true, 'a boost is printed');
  if (zoneinfo.has('free_highatomic') || splat.has('free_highatomic')) {
    add(clues, 'highatomicSubtracts', 'free', 'free_highatomic is printed');
  }
  if (zoneinfo.has('high_min')) add(clues, 'pcpHigh', 'auto', 'zoneinfo has high_min');
  labelClues(clues, new Set(seen.migratetypeLabels ?? []));
  if (clues.gfpEras !== null && clues.gfpEras.length > 0) {
    const text = 'gfp masks printed with their names';
    clues.atLeast.push({ version: ERA_BOUNDS[clues.gfpEras[0]!][0], text });
    clues.atMost.push({ version: ERA_BOUNDS[clues.gfpEras.at(-1)!][1], text });
  }
  return clues;
}

function add<K extends SwitchKey>(clues: Clues, key: K, value: ProfileSwitches[K], text: string) {
  clues.switches.push({ key, value, text });
}

function fieldBounds(
  clues: Clues,
  rows: readonly FieldRow[],
  present: ReadonlySet<string>,
  what: string,
): void {
  for (const [field, atLeast, atMost] of rows) {
    if (!present.has(field)) continue;
    const text = `${what} ${field}`;
    if (atLeast !== null) clues.atLeast.push({ version: atLeast, text });
    if (atMost !== null) clues.atMost.push({ version: atMost, text });
  }
}

function textClues(clues: Clues, seen: KernelObservations, eventNames: ReadonlySet<string>): void {
  if (seen.pfnHex === true) {
    clues.atLeast.push({ version: '5.14', text: 'events print pfn=0x…' });
    add(clues, 'pfnHex', true, 'events print pfn=0x…');
  } else if (seen.pfnHex === false) {
    clues.atMost.push({ version: '5.13', text: 'events print pfn in decimal' });
    add(clues, 'pfnHex', false, 'events print pfn in decimal');
  }
  if (seen.batchedFreeCold) {
    clues.atMost.push({ version: '4.15', text: 'the batched free event prints cold=' });
    add(clues, 'batchedFreeCold', true, 'the batched free event prints cold=');
  }
  if (eventNames.has('mm_page_free_direct') || eventNames.has('mm_pagevec_free')) {
    add(clues, 'freeEventNames', 'direct', 'event mm_page_free_direct or mm_pagevec_free');
  } else if (eventNames.has('mm_page_free') || eventNames.has('mm_page_free_batched')) {
    add(clues, 'freeEventNames', 'page-free', 'event mm_page_free or mm_page_free_batched');
  }
  if (eventNames.has('mm_compaction_fast_isolate_freepages')) {
    add(clues, 'compactionEvents', 'range-fast', 'event mm_compaction_fast_isolate_freepages');
  }
  if (((seen.drainedOrders ?? 0) & 0b1110) !== 0) {
    clues.atLeast.push({ version: '5.14', text: 'per-cpu drains of orders 1 to 3' });
    add(clues, 'pcpOrders', '0-3', 'per-cpu drains of orders 1 to 3');
  }
  if (seen.extfragWithoutZoneLocked !== undefined) {
    const text = seen.extfragWithoutZoneLocked
      ? 'extfrag events without a zone_locked after them'
      : 'every extfrag event has its zone_locked';
    add(clues, 'extfragIsRemoval', seen.extfragWithoutZoneLocked, text);
  }
  if (seen.nrScannedCountsTaken !== undefined) {
    const text = 'nr_scanned of isolate_freepages compared with the ranges';
    add(clues, 'nrScannedCountsTaken', seen.nrScannedCountsTaken, text);
  }
}

function labelClues(clues: Clues, labels: ReadonlySet<string>): void {
  const modern = labels.has('HighAtomic');
  if (!modern && !labels.has('Reserve')) return;
  const cma = labels.has('CMA') ? '-cma' : '';
  const numbering = `${modern ? 'highatomic' : 'reserve'}${cma}` as MigratetypeNumbering;
  add(clues, 'migratetypes', numbering, 'labels of pagetypeinfo');
  const bound = { version: modern ? '4.4' : '4.3', text: 'labels of pagetypeinfo' };
  (modern ? clues.atLeast : clues.atMost).push(bound);
}

/** Pairs that are looked at; later ones add nothing. */
const MAX_PAIRS = 200;

function commonEras(seen: KernelObservations): readonly GfpEra[] | null {
  let eras: readonly GfpEra[] | null = null;
  let looked = 0;
  for (const { mask, names } of seen.gfpPairs ?? []) {
    if (++looked > MAX_PAIRS) break;
    const matching = new Set(erasMatching(mask, names));
    if (matching.size === 0) continue;
    eras = (eras ?? GFP_ERAS).filter((era) => matching.has(era));
  }
  return eras !== null && eras.length > 0 ? eras : null;
}

/** Kernels that a bound is rounded to: those whose rules were read. */
const KNOWN_KERNELS: readonly string[] = [
  '2.6.24',
  '2.6.32',
  '3.0',
  '3.10',
  '4.4',
  '4.9',
  '4.14',
  '4.19',
  '5.4',
  '5.10',
  '5.15',
  '6.1',
  '6.6',
  '6.12',
  '6.18',
  '7.2',
];

/** The kernel to assume within the bounds: `preferred` if it fits, else the nearest that was read. */
export function kernelWithin(clues: Clues, preferred: string): string {
  const lower = Math.max(0, ...clues.atLeast.map((bound) => codeOf(bound.version)));
  const upper = Math.min(...clues.atMost.map((bound) => endOfSeries(bound.version)), 99e6);
  const fits = (version: string): boolean =>
    endOfSeries(version) >= lower && codeOf(version) <= upper;
  if (fits(preferred)) return preferred;
  const fitting = KNOWN_KERNELS.filter(fits);
  const nearest = codeOf(preferred) > upper ? fitting.at(-1) : fitting[0];
  if (nearest !== undefined) return nearest;
  const newest = clues.atLeast.reduce((a, b) => (codeOf(b.version) > codeOf(a.version) ? b : a), {
    version: preferred,
    text: '',
  });
  return upper < lower ? preferred : newest.version;
}

function codeOf(version: string): number {
  return versionCode(parseKernelVersion(version)!);
}

/** `4.15` stands for its whole series, `2.6.30` for itself. */
function endOfSeries(version: string): number {
  const parsed = parseKernelVersion(version)!;
  return versionCode({ ...parsed, patch: parsed.patch ?? 999 });
}
