/**
 * All zones of a report against its request, and the one cause.
 *
 * The cause, in this order: nothing could ever serve it; an eligible zone passes by the printed
 * figures; a zone has the pages but not the blocks (highest zone first); a large zone would serve it
 * but for lowmem_reserve; below the watermark; cannot be told.
 */
import type { GfpRequest } from '../kernel/gfp.js';
import type { KernelProfile } from '../kernel/profile.js';
import { compiledZones, ZONE_NAMES, zoneIndexOfClass } from '../kernel/zonelist.js';
import type { Splat } from '../records/splat.js';
import type { Cause, ZoneFinding } from './findings.js';
import { type JudgeContext, judgeSplatZone, pagesOf, type ZoneInput } from './judge-zone.js';
import { sizeOfKB } from './words.js';

export interface Verdict {
  readonly cause: Cause;
  readonly decisive: ZoneFinding | null;
  /** Why the request is impossible, '' otherwise. */
  readonly impossible: string;
}

/** Orders up to this exist on every configuration. */
const LEAST_MAX_ORDER = 7;
/** A zone is large with a quarter of the memory the request may use, with 512 MiB, or with 5 % if it
 * is more than the old DMA zone can be. */
const LARGE_SHARE = 0.25;
const LARGE_KB = 512 * 1024;
const NOT_TINY_SHARE = 0.05;
const NOT_TINY_KB = 32 * 1024;
const BLOCK_CAUSES: readonly Cause[] = [
  'fragmented',
  'only-highatomic',
  'only-cma',
  'only-isolated',
  'old-halving-rule',
];

export interface JudgeOptions {
  readonly request: GfpRequest;
  readonly profile: KernelProfile;
  readonly order: number;
  readonly pageKB: number;
  readonly memalloc: boolean;
}

/** Page size in kB by the free lists; 4 where there are none. */
export function pageSizeKB(splat: Splat): number {
  return splat.memory.freeLists.find((list) => list.pageKB > 0)?.pageKB ?? 4;
}

/** Every zone that the report names, in the order printed, each once. */
export function zoneInputs(splat: Splat): ZoneInput[] {
  const inputs: ZoneInput[] = [];
  const { zones, freeLists } = splat.memory;
  for (const line of zones) {
    const list = freeLists.find((l) => l.node === line.node && l.zone === line.zone) ?? null;
    inputs.push({ node: line.node, zone: line.zone, line, list });
  }
  for (const list of freeLists) {
    if (zones.some((z) => z.node === list.node && z.zone === list.zone)) continue;
    inputs.push({ node: list.node, zone: list.zone, line: null, list });
  }
  return inputs;
}

export function judgeZones(splat: Splat, options: JudgeOptions): ZoneFinding[] {
  const inputs = zoneInputs(splat);
  const compiled = zonesOf(inputs, splat.memory.highmemPages);
  const classIndex = zoneIndexOfClass(options.request.zoneClass, compiled);
  const orders = Math.max(0, ...splat.memory.freeLists.map((list) => list.blocks.length));
  const context: JudgeContext = {
    ...options,
    classIndex,
    compiled,
    pageblockOrder: pageblockOrderOf(options.pageKB, orders),
  };
  const allowed = allowedNodes(splat, options.request);
  return inputs.map((input) => {
    const index = compiled.indexOf(input.zone);
    const eligible = index >= 0 && index <= classIndex && (allowed?.has(input.node) ?? true);
    if (eligible) return judgeSplatZone(input, context);
    const why =
      index > classIndex
        ? `a request for ${options.request.zoneClass} or below may not use it`
        : `node ${input.node} is not in the task's mems_allowed or nodemask`;
    return notEligible(input, options.pageKB, why);
  });
}

/**
 * The zones of this kernel. From 6.1 those above the request's highest are not printed, so HighMem
 * may be there unseen. Its pages are counted below; and a zone would have a reserve against its own
 * class, which none has.
 */
function zonesOf(inputs: readonly ZoneInput[], highmemPages: number | null): string[] {
  const names = inputs.map((input) => input.zone);
  if ((highmemPages ?? 0) > 0) names.push('HighMem');
  const reserves = inputs.map(({ line }) => line?.lowmemReservePages ?? null);
  const length = reserves.find((reserve) => reserve !== null)?.length ?? null;
  const compiled = compiledZones(names, length);
  const contradicted = inputs.some(({ zone }, i) => {
    const own = reserves[i]?.[compiled.indexOf(zone)];
    return own !== undefined && own > 0;
  });
  return contradicted ? compiledZones([...names, 'HighMem'], length) : compiled;
}

/**
 * Pageblock order by page size: huge page size on x86 and arm64 (4 kB: 2 MiB, 16 kB: 32 MiB, 64 kB:
 * 512 MiB), at most the largest order.
 */
export function pageblockOrderOf(pageKB: number, orders: number): number {
  const order = pageKB >= 64 ? 13 : pageKB >= 16 ? 11 : 9;
  return orders > 0 ? Math.min(order, orders - 1) : order;
}

/** Nodes a blocking request is confined to; null = all. Atomics ignore cpusets. */
function allowedNodes(splat: Splat, request: GfpRequest): Set<number> | null {
  const { nodemask, memsAllowed } = splat.header;
  const lists = [
    nodemask === '(null)' ? null : nodemask,
    request.directReclaim ? memsAllowed : null,
  ];
  const sets = lists.filter((l) => l !== null).map(parseNodes);
  if (sets.length === 0) return null;
  return new Set([...sets[0]!].filter((node) => sets.every((set) => set.has(node))));
}

const MAX_NODES = 1024;

function parseNodes(text: string): Set<number> {
  const nodes = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    if (!match) continue;
    const last = Math.min(Number(match[2] ?? match[1]), MAX_NODES);
    for (let node = Number(match[1]); node <= last; node++) nodes.add(node);
  }
  return nodes;
}

function notEligible(input: ZoneInput, pageKB: number, why: string): ZoneFinding {
  const { line, list } = input;
  return {
    node: input.node,
    zone: input.zone,
    eligible: false,
    reason: 'not-eligible',
    because: null,
    certain: true,
    freePages: pagesOf(line?.freeKB ?? list?.totalKB ?? null, pageKB),
    managedPages: pagesOf(line?.managedKB ?? line?.presentKB ?? null, pageKB),
    minPages: pagesOf(line?.minKB ?? null, pageKB),
    boostPages: pagesOf(line?.boostKB ?? 0, pageKB) ?? 0,
    hiddenBoostPages: 0,
    reducedPages: null,
    reservePages: 0,
    unusable: [],
    marginPages: null,
    pagesShort: 0,
    blocks: null,
    blocksShort: 0,
    reachablePages: null,
    unusableIndex: null,
    fragmentationIndex: null,
    servedOrder: null,
    freeBlocks: list?.blocks ?? [],
    letters: list?.letters ?? [],
    steps: [why],
  };
}

/** The overall cause by the order given above. */
export function verdictOf(
  splat: Splat,
  zones: readonly ZoneFinding[],
  options: JudgeOptions | null,
): Verdict {
  const impossible = impossibleBecause(splat, zones, options);
  if (impossible !== '') return { cause: 'impossible-request', decisive: null, impossible };
  const pageKB = options?.pageKB ?? 4;
  const eligible = byHeight(triedZones(zones, options));
  const pick = (wanted: (zone: ZoneFinding) => boolean): ZoneFinding | null =>
    eligible.find(wanted) ?? null;
  const tell = (decisive: ZoneFinding): Verdict => ({
    cause: decisive.reason as Cause,
    decisive,
    impossible: '',
  });
  const passes = pick((zone) => zone.reason === 'should-have-passed');
  if (passes !== null) return tell(passes);
  // a zone above them may have had another reason, and another answer
  if (unprintedAbove(zones) !== null)
    return { cause: 'cannot-be-told', decisive: null, impossible: '' };
  const pieces = pick((zone) => BLOCK_CAUSES.includes(zone.reason as Cause));
  if (pieces !== null) return tell(pieces);
  const unknown = pick(
    (zone) =>
      zone.reason === 'cannot-be-told' &&
      (zone.managedPages === null || isLarge(zone, eligible, pageKB)),
  );
  if (unknown !== null) return tell(unknown);
  const reserve = pick(
    (zone) =>
      zone.reason === 'lowmem-reserve' && isLarge(zone, eligible, pageKB) && hasBlocks(zone),
  );
  if (reserve !== null) return tell(reserve);
  const below = largest(eligible.filter((zone) => zone.reason === 'below-watermark'));
  if (below !== null) return tell(below);
  const any = largest(eligible.filter((zone) => zone.reason === 'lowmem-reserve'));
  if (any !== null) return tell(any);
  return { cause: 'cannot-be-told', decisive: null, impossible: '' };
}

/**
 * The zones that were tried. __GFP_THISNODE keeps to one node, which no report names: a node that
 * passes by the printed figures was not it, if another does not.
 */
function triedZones(zones: readonly ZoneFinding[], options: JudgeOptions | null): ZoneFinding[] {
  const eligible = zones.filter((zone) => zone.eligible);
  if (options?.request.thisnode !== true) return eligible;
  const passing = new Set(
    eligible.filter((zone) => zone.reason === 'should-have-passed').map((zone) => zone.node),
  );
  const failing = eligible.filter((zone) => !passing.has(zone.node));
  return failing.length > 0 ? failing : eligible;
}

/** True if the node that refused is inferred: the request kept to one, and several were printed. */
export function nodeIsInferred(zones: readonly ZoneFinding[], request: GfpRequest | null): boolean {
  const nodes = new Set(zones.filter((zone) => zone.eligible).map((zone) => zone.node));
  return request?.thisnode === true && nodes.size > 1;
}

/**
 * The highest zone printed of a node that keeps a reserve from this request: such a reserve is for the
 * sake of a zone above it, whose lines are then not in the log. null if none is missing.
 */
export function unprintedAbove(zones: readonly ZoneFinding[]): ZoneFinding | null {
  const seen = new Set<number>();
  for (const zone of byHeight(zones.filter(({ eligible }) => eligible))) {
    if (seen.has(zone.node)) continue;
    seen.add(zone.node);
    if (zone.reservePages > 0) return zone;
  }
  return null;
}

function hasBlocks(zone: ZoneFinding): boolean {
  return zone.blocks === null || zone.blocks > 0;
}

/** Highest zone first, nodes in the order printed. */
function byHeight(zones: readonly ZoneFinding[]): ZoneFinding[] {
  return [...zones].sort((a, b) => ZONE_NAMES.indexOf(b.zone) - ZONE_NAMES.indexOf(a.zone));
}

function largest(zones: readonly ZoneFinding[]): ZoneFinding | null {
  let best: ZoneFinding | null = null;
  for (const zone of zones) {
    if (best === null || (zone.managedPages ?? 0) > (best.managedPages ?? 0)) best = zone;
  }
  return best;
}

/** The 16 MiB DMA zone always "would serve but for its reserve"; that explains nothing. */
function isLarge(zone: ZoneFinding, eligible: readonly ZoneFinding[], pageKB: number): boolean {
  const total = eligible.reduce((sum, z) => sum + (z.managedPages ?? 0), 0);
  const own = zone.managedPages ?? 0;
  if (total === 0) return true;
  if (own >= total * LARGE_SHARE || own * pageKB >= LARGE_KB) return true;
  return own >= total * NOT_TINY_SHARE && own * pageKB > NOT_TINY_KB;
}

function impossibleBecause(
  splat: Splat,
  zones: readonly ZoneFinding[],
  options: JudgeOptions | null,
): string {
  const { vmallocBytes } = splat.header;
  const { ramPages } = splat.memory;
  if (vmallocBytes === 0) return 'zero bytes were asked of vmalloc: a size was computed wrongly';
  if (vmallocBytes !== null && ramPages !== null) {
    const ram = ramPages * pageSizeKB(splat) * 1024;
    if (vmallocBytes >= ram)
      return `vmalloc was asked for ${sizeOfKB(vmallocBytes / 1024)}, the machine has ${sizeOfKB(ram / 1024)}`;
  }
  if (options === null || zones.length === 0) return '';
  const { order } = options;
  const orders = Math.max(0, ...splat.memory.freeLists.map((list) => list.blocks.length));
  const complete = splat.memory.freeLists.some((list) => list.complete);
  if (complete && order >= orders && order > LEAST_MAX_ORDER)
    return `order ${order} is above the largest order of this kernel, ${orders - 1}`;
  const eligible = zones.filter((zone) => zone.eligible);
  if (eligible.length === 0 && splat.memory.zones.length > 0)
    return `this machine has no zone that may serve a ${options.request.zoneClass} request`;
  const sizes = eligible.map((zone) => zone.managedPages);
  if (
    unprintedAbove(zones) === null &&
    sizes.length > 0 &&
    sizes.every((pages) => pages !== null && pages < 2 ** order)
  ) {
    const most = Math.max(...sizes.map((pages) => pages ?? 0));
    return `the largest zone that may serve it has ${most} pages, the request needs ${2 ** order}`;
  }
  return '';
}
