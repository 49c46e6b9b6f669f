/**
 * gfp masks: from text or number to a set of flags, back to the kernel's text, and what a request
 * asks of the allocator.
 *
 * Kernel: the %pGg printing in lib/vsprintf.c and include/trace/events/mmflags.h (gfpflags.h before
 * 4.9), gfp_zone() and gfp_migratetype() in include/linux/gfp.h. Names are read as a set: their order
 * changes between releases. 2.6.32-4.4 print single flags without underscores (`GFP_NOWARN`).
 *
 * `mm_page_alloc` prints the mask that was used, not the caller's: with cpusets (any container host)
 * __GFP_HARDWALL is added. It never changes a verdict and is left out of a request's flags.
 */

import type { GfpEra, GfpFlagName } from './gfp-flags.js';
import { compositeFlags, GFP_BITS, GFP_COMPOSITES, GFP_ERAS, GfpFlag } from './gfp-flags.js';
import { MigrateType } from './migratetype.js';

export { GFP_ERAS, type GfpEra, GfpFlag, type GfpFlagName };

export type ZoneClass = 'DMA' | 'DMA32' | 'Normal' | 'HighMem' | 'Movable';

/**
 * What kind of attempt a failed request was. `atomic` may not sleep and may use reserves;
 * `nowait` may not sleep; `opportunistic` expects to fail and has a fallback; `blocking` may
 * reclaim first.
 */
export type AttemptClass = 'atomic' | 'nowait' | 'opportunistic' | 'blocking';

/** A set of flags as read, before anything is derived from it. */
export interface GfpSet {
  /** GfpFlag bits. */
  readonly flags: number;
  /** Bits of a number that mean nothing in the era, as the kernel numbers them. */
  readonly unknownBits: number;
  /** Names that are not modelled (`__GFP_NOLOCKDEP`) or not known at all. */
  readonly otherNames: readonly string[];
}

/** What a request asks of the allocator. */
export interface GfpRequest {
  /** The kernel's text for these flags in the era of the profile, without __GFP_HARDWALL. */
  readonly text: string;
  /** GfpFlag bits without HARDWALL. */
  readonly flags: number;
  readonly era: GfpEra;
  readonly unknownBits: number;
  readonly otherNames: readonly string[];
  /** True if HARDWALL was set in what was read. */
  readonly hardwall: boolean;
  readonly directReclaim: boolean;
  /** kswapd is woken when the low watermark fails. */
  readonly kswapdReclaim: boolean;
  readonly high: boolean;
  /** The lone __GFP_ATOMIC bit (4.4-6.2). */
  readonly atomicBit: boolean;
  readonly nomemalloc: boolean;
  readonly memalloc: boolean;
  readonly noretry: boolean;
  readonly nowarn: boolean;
  readonly nofail: boolean;
  readonly movable: boolean;
  readonly reclaimable: boolean;
  readonly account: boolean;
  readonly thisnode: boolean;
  readonly comp: boolean;
  readonly zoneClass: ZoneClass;
  /** Canonical MigrateType of the list that is tried first. */
  readonly migratetype: number;
}

const ZONE_CLASSES: readonly ZoneClass[] = [
  'Normal',
  'DMA',
  'HighMem',
  'Normal',
  'DMA32',
  'Normal',
  'Normal',
  'Normal',
  'Normal',
  'DMA',
  'Movable',
  'Normal',
  'DMA32',
  'Normal',
  'Normal',
  'Normal',
];

const FLAG_NAMES = Object.keys(GfpFlag) as GfpFlagName[];
const FLAG_BY_NAME: ReadonlyMap<string, number> = new Map([
  ...FLAG_NAMES.map((name): [string, number] => [name, GfpFlag[name]]),
  ['WAIT', GfpFlag.DIRECT_RECLAIM],
  ['REPEAT', GfpFlag.RETRY_MAYFAIL],
  ['RECLAIM', GfpFlag.DIRECT_RECLAIM | GfpFlag.KSWAPD_RECLAIM],
  ['KMEMCG', GfpFlag.ACCOUNT],
]);

/** Longest gfp text that is read; the longest the kernel prints is about 400 characters. */
const MAX_TEXT = 2000;
const MAX_OTHER_NAMES = 16;

/** Flags of a kernel number in an era. */
export function decodeGfp(mask: number, era: GfpEra): GfpSet {
  let flags = 0;
  let rest = mask >>> 0;
  const bits = GFP_BITS[era];
  for (const name of FLAG_NAMES) {
    const bit = bits[name];
    if (bit !== undefined && (rest & bit) !== 0) {
      flags |= GfpFlag[name];
      rest = (rest & ~bit) >>> 0;
    }
  }
  return { flags, unknownBits: rest, otherNames: [] };
}

/** The kernel's number for GfpFlag bits in an era; flags the era lacks are dropped. */
export function encodeGfp(flags: number, era: GfpEra): number {
  let mask = 0;
  const bits = GFP_BITS[era];
  for (const name of FLAG_NAMES) if ((flags & GfpFlag[name]) !== 0) mask |= bits[name] ?? 0;
  return mask >>> 0;
}

/** The GfpFlag bits that exist in an era. */
export function flagsOfEra(era: GfpEra): number {
  let flags = 0;
  for (const name of FLAG_NAMES) if (GFP_BITS[era][name] !== undefined) flags |= GfpFlag[name];
  return flags;
}

/** The text a kernel of that era prints (modern spelling of single flags). */
export function formatGfp(flags: number, era: GfpEra, unknownBits = 0): string {
  if (flags === 0 && unknownBits === 0) return era.endsWith('2.6.32') ? 'GFP_NOWAIT' : 'none';
  const names: string[] = [];
  let rest = flags;
  for (const [name, composite] of GFP_COMPOSITES[era]) {
    if (composite !== 0 && (rest & composite) === composite) {
      names.push(name);
      rest &= ~composite;
    }
  }
  for (const name of FLAG_NAMES)
    if ((rest & GfpFlag[name]) !== 0) names.push(singleName(name, era));
  if (unknownBits !== 0) names.push(`0x${(unknownBits >>> 0).toString(16)}`);
  return names.join('|');
}

function singleName(name: GfpFlagName, era: GfpEra): string {
  if (name === 'DMA' || name === 'DMA32') return `GFP_${name}`;
  const old = era === 'before-2.6.32' || era === '2.6.32';
  if (name === 'DIRECT_RECLAIM' && old) return '__GFP_WAIT';
  if (name === 'RETRY_MAYFAIL' && (old || era === '4.4')) return '__GFP_REPEAT';
  return `__GFP_${name}`;
}

/**
 * Reads names (`GFP_ATOMIC|__GFP_NOWARN`), a number (`0x820`, `2080`), a mix (`GFP_ATOMIC|0x8000000`)
 * or a splat's pair (`0x820(GFP_ATOMIC)`, where the names win: they need no era).
 */
export function parseGfpSet(text: string, era: GfpEra): GfpSet {
  let body = text.slice(0, MAX_TEXT).trim();
  const open = body.indexOf('(');
  if (open > 0 && body.endsWith(')')) {
    const names = body.slice(open + 1, -1).trim();
    body = names === '' || names === 'none' ? body.slice(0, open) : names;
  }
  const parts = body.split('|').map((part) => part.trim().toUpperCase());
  let flags = 0;
  let unknownBits = 0;
  const otherNames: string[] = [];
  for (const part of parts) {
    if (part === '' || part === 'NONE') continue;
    const mask = numberOf(part);
    const known = mask === null ? flagsOfName(part, era, parts) : null;
    if (mask !== null) {
      const decoded = decodeGfp(mask, era);
      flags |= decoded.flags;
      unknownBits |= decoded.unknownBits;
    } else if (known !== null) flags |= known;
    else if (otherNames.length < MAX_OTHER_NAMES) otherNames.push(part);
  }
  return { flags, unknownBits: unknownBits >>> 0, otherNames };
}

function numberOf(part: string): number | null {
  if (!/^(?:0X[0-9A-F]{1,16}|\d{1,16})$/.test(part)) return null;
  const value = Number(part);
  return value < 2 ** 32 ? value : value % 2 ** 32;
}

function flagsOfName(name: string, era: GfpEra, parts: readonly string[]): number | null {
  // 4.4 prints the lone ATOMIC bit as GFP_ATOMIC; beside GFP_HIGH it cannot be the composite.
  if (name === 'GFP_ATOMIC' && parts.includes('GFP_HIGH')) return GfpFlag.ATOMIC;
  if (name.startsWith('GFP_')) {
    const composite = compositeFlags(name, era);
    if (composite !== null) return composite;
  }
  const single = /^_{0,3}GFP_([A-Z0-9_]+)$/.exec(name)?.[1];
  return (single === undefined ? undefined : FLAG_BY_NAME.get(single)) ?? null;
}

/**
 * Reads a gfp text or number as a request to a kernel of that era. A composite name given by a
 * user (`GFP_ATOMIC`) means what that kernel means by it. Never throws; what is not understood
 * stands in `unknownBits` and `otherNames`.
 */
export function parseGfp(text: string, era: GfpEra): GfpRequest {
  return requestOf(parseGfpSet(text, era), era);
}

/** What a set of flags asks of the allocator. */
export function requestOf(set: GfpSet, era: GfpEra): GfpRequest {
  const flags = set.flags & ~GfpFlag.HARDWALL;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const oldWait = era === 'before-2.6.32' || era === '2.6.32';
  const shown = has(GfpFlag.HIGHMEM) ? set.flags : flags;
  return {
    text: [formatGfp(shown, era, set.unknownBits), ...set.otherNames].join('|'),
    flags,
    era,
    unknownBits: set.unknownBits,
    otherNames: set.otherNames,
    hardwall: (set.flags & GfpFlag.HARDWALL) !== 0,
    directReclaim: has(GfpFlag.DIRECT_RECLAIM),
    kswapdReclaim: oldWait ? !has(GfpFlag.NO_KSWAPD) : has(GfpFlag.KSWAPD_RECLAIM),
    high: has(GfpFlag.HIGH),
    atomicBit: has(GfpFlag.ATOMIC),
    nomemalloc: has(GfpFlag.NOMEMALLOC),
    memalloc: has(GfpFlag.MEMALLOC),
    noretry: has(GfpFlag.NORETRY),
    nowarn: has(GfpFlag.NOWARN),
    nofail: has(GfpFlag.NOFAIL),
    movable: has(GfpFlag.MOVABLE),
    reclaimable: has(GfpFlag.RECLAIMABLE),
    account: has(GfpFlag.ACCOUNT),
    thisnode: has(GfpFlag.THISNODE),
    comp: has(GfpFlag.COMP),
    zoneClass: ZONE_CLASSES[flags & 15] ?? 'Normal',
    migratetype: migratetypeOf(flags),
  };
}

function migratetypeOf(flags: number): number {
  const movable = (flags & GfpFlag.MOVABLE) !== 0;
  const reclaimable = (flags & GfpFlag.RECLAIMABLE) !== 0;
  if (movable === reclaimable) return MigrateType.unmovable;
  return movable ? MigrateType.movable : MigrateType.reclaimable;
}

const OPPORTUNISTIC = GfpFlag.NORETRY | GfpFlag.NOWARN;
const TRANSHUGE =
  GfpFlag.HIGHMEM | GfpFlag.MOVABLE | GfpFlag.COMP | GfpFlag.NOMEMALLOC | GfpFlag.NOWARN;

/**
 * The kind of attempt: a multi-page request with NORETRY and NOWARN (or a huge-page fault) has a
 * smaller fallback and is expected to fail; it is no incident even with __GFP_HIGH.
 */
export function attemptClassOf(request: GfpRequest, order: number): AttemptClass {
  const { flags } = request;
  if (order > 0 && (flags & OPPORTUNISTIC) === OPPORTUNISTIC) return 'opportunistic';
  if (order > 0 && (flags & TRANSHUGE) === TRANSHUGE) return 'opportunistic';
  if (request.directReclaim) return 'blocking';
  return request.high ? 'atomic' : 'nowait';
}

/** Eras in which the number means exactly these names, as in a splat's `mode:0x820(GFP_ATOMIC)`. */
export function erasMatching(mask: number, names: string): GfpEra[] {
  return GFP_ERAS.filter((era) => {
    const named = parseGfpSet(names, era);
    if (named.otherNames.length > 0) return false;
    return (encodeGfp(named.flags, era) | named.unknownBits) >>> 0 === mask >>> 0;
  });
}
