/**
 * Splat → the whole answer: request, caller, zones, cause, certainty, harm, advice.
 *
 * One pure function. Which words a user sees is decided here and in the files it calls; how they
 * are laid out is the renderers' matter (render-text.ts, to-json.ts, sections.ts).
 */
import { attemptClassOf, type GfpRequest, parseGfp } from '../kernel/gfp.js';
import type { KernelProfile } from '../kernel/profile.js';
import type { Splat, SplatFreeList } from '../records/splat.js';
import { asksTooEarly, counselOf, type Judged, nodeCount } from './advice.js';
import { callerOf, traceIsForeign } from './caller.js';
import {
  type Cause,
  countedPages,
  type PostmortemCertainty,
  type PostmortemReport,
  type ZoneFinding,
} from './findings.js';
import { harmOf } from './harm.js';
import {
  type JudgeOptions,
  judgeZones,
  nodeIsInferred,
  pageblockOrderOf,
  pageSizeKB,
  unprintedAbove,
  type Verdict,
  verdictOf,
} from './judge.js';
import { type KernelMemory, type KernelOptions, kernelOf } from './kernel-of.js';
import { listsOf } from './lists.js';
import { grouped, listed, pagesText, plural, sizeOfKB, zoneName } from './words.js';

export type PostmortemOptions = KernelOptions;

/** Explains one report. Never throws; what cannot be told is said. */
export function explainSplat(
  splat: Splat,
  options: PostmortemOptions = {},
  memory: KernelMemory = new Map(),
): PostmortemReport {
  const kernel = kernelOf(splat, options, memory);
  const { order } = splat.header;
  const request = requestOfSplat(splat, kernel.profile);
  const caller = callerOf(splat);
  const pageKB = pageSizeKB(splat);
  const judge: JudgeOptions | null =
    request === null || order === null
      ? null
      : { request, profile: kernel.profile, order, pageKB, memalloc: caller.reclaiming };
  const zones = judge === null ? [] : judgeZones(splat, judge);
  const verdict = verdictOf(splat, zones, judge);
  const base: Judged = {
    splat,
    order,
    pageKB,
    bytes: order === null ? null : pageKB * 1024 * 2 ** order,
    request,
    attempt: request === null || order === null ? null : attemptClassOf(request, order),
    lists: judge === null ? [] : listsOf({ ...judge, pageblockOrder: blockOrderOf(splat, pageKB) }),
    profile: kernel.profile,
    kernelEvidence: kernel.evidence,
    kernelKnown: kernel.known,
    caller,
    cause: verdict.cause,
    certainty: certaintyOf(splat, verdict, zones, kernel.known && !nodeIsInferred(zones, request)),
    summary: '',
    decisive: verdict.decisive,
    zones,
    missing: missingParts(splat, zones),
    notes: [],
  };
  const told: Judged = { ...base, summary: summaryOf(base, verdict), notes: notesOf(base) };
  return { ...told, harm: harmOf(splat, request, order, caller), ...counselOf(told) };
}

function blockOrderOf(splat: Splat, pageKB: number): number {
  const orders = splat.memory.freeLists.map((list) => list.blocks.length);
  return pageblockOrderOf(pageKB, Math.max(0, ...orders));
}

function requestOfSplat(splat: Splat, profile: KernelProfile): GfpRequest | null {
  const { mode, modeText, gfpNames } = splat.header;
  if (mode === null && gfpNames === '') return null;
  const text = gfpNames === '' ? modeText : `${modeText}(${gfpNames})`;
  return parseGfp(text, profile.switches.gfpEra);
}

function certaintyOf(
  splat: Splat,
  verdict: Verdict,
  zones: readonly ZoneFinding[],
  known: boolean,
): PostmortemCertainty {
  if (verdict.cause === 'cannot-be-told') return 'unknown';
  if (verdict.cause === 'impossible-request') return 'exact';
  if (verdict.cause === 'should-have-passed') return 'bounded';
  const eligible = zones.filter((zone) => zone.eligible);
  const sure = eligible.every((zone) => zone.certain && zone.reason !== 'cannot-be-told');
  const { damage } = splat;
  return sure && known && !damage.interleaved && !damage.cut ? 'exact' : 'bounded';
}

/** SysRq m prints what is free; nobody asked for memory. */
function asksNothing(splat: Splat): boolean {
  return splat.kind === 'sysrq-memory';
}

function missingOfRequest(splat: Splat): string[] {
  const { header } = splat;
  if (asksNothing(splat)) return [];
  if (splat.kind === 'meminfo') return ['the header line with order and flags'];
  const missing = header.order === null && header.vmallocBytes === null ? ['the order'] : [];
  if (header.mode === null && header.gfpNames === '') missing.push('the gfp mask');
  return missing;
}

/** What a whole report has and this one lacks. */
function missingParts(splat: Splat, zones: readonly ZoneFinding[]): string[] {
  const { memory, context, damage } = splat;
  const missing = missingOfRequest(splat);
  if (!splat.hasMemInfo) missing.push('Mem-Info (watermarks and free lists)');
  else if (memory.zones.length === 0) missing.push('the zone lines with their watermarks');
  const above = unprintedAbove(zones);
  if (above !== null) missing.push(`the lines of the zones above ${above.zone}`);
  if (memory.zones.length > 0 && memory.freeLists.length === 0) missing.push('the free lists');
  else if (memory.freeLists.length < memory.zones.length)
    missing.push('the free lists of some zones');
  for (const list of memory.freeLists) {
    if (!list.complete) missing.push(`the end of the free list of ${list.zone}`);
  }
  if (context.release === '') missing.push('the kernel release');
  const traced = context.frames.length > 0 && !traceIsForeign(splat);
  if (!traced && !asksNothing(splat)) missing.push('the call trace');
  if (damage.interleaved) missing.push('certainty which lines belong to it: two reports are mixed');
  return missing;
}

function notesOf(report: Judged): string[] {
  const { splat } = report;
  const notes: string[] = [];
  if (!report.kernelKnown) notes.push(`kernel ${report.profile.name}: ${report.kernelEvidence}`);
  if (splat.suppressed > 0)
    notes.push(`${grouped(splat.suppressed)} more such reports were suppressed before this one`);
  if (splat.header.vmallocBytes !== null)
    notes.push(`the request came from vmalloc of ${grouped(splat.header.vmallocBytes)} bytes`);
  if (asksTooEarly(report))
    notes.push('the boot CPU asked before any zone had pages: too early for the page allocator');
  if (splat.damage.rewrapped) notes.push('lines were folded and have been put together');
  for (const list of splat.memory.freeLists) {
    const zone = splat.memory.zones.find((z) => z.node === list.node && z.zone === list.zone);
    if (zone === undefined || list.totalKB === null || !list.complete) continue;
    notes.push(...driftNotes(zone.freeKB, list.totalKB, list));
  }
  notes.push(...perCpuNotes(report));
  if (nodeIsInferred(report.zones, report.request))
    notes.push('__GFP_THISNODE: one node alone was asked, and no report says which');
  if (report.caller.context === 'softirq' && splat.header.comm !== '')
    notes.push(`${splat.header.comm} merely was on the CPU: a softirq borrowed it`);
  return notes;
}

/** The lists are printed later than the counter, and hold isolated pages, which it leaves out. */
function driftNotes(counterKB: number, listsKB: number, list: SplatFreeList): string[] {
  const both = `${list.zone}: the lists hold ${sizeOfKB(listsKB)}, the counter said ${sizeOfKB(counterKB)}`;
  const isolated = list.letters.some((letters) => letters.includes('I'));
  if (isolated && listsKB > counterKB)
    return [`${both}: isolated pages are on the lists but do not count as free`];
  const drift = Math.abs(counterKB - listsKB);
  return drift > Math.max(1024, counterKB * 0.05)
    ? [`${both}: memory moved while the report was printed`]
    : [];
}

/** Pages on per-cpu lists are no zone's free pages: from 6.8 one refill may take thousands. */
function perCpuNotes(report: Judged): string[] {
  const zone = report.decisive;
  if (zone === null || zone.reason !== 'below-watermark') return [];
  const line = report.splat.memory.zones.find((z) => z.node === zone.node && z.zone === zone.zone);
  const pages = Math.floor((line?.freePcpKB ?? 0) / report.pageKB);
  if (pages < zone.pagesShort) return [];
  return [
    `${pagesText(pages, report.pageKB)} lie on per-cpu lists: they do not count as free, and a zone below its mark is not asked for them`,
  ];
}

function summaryOf(report: Judged, verdict: Verdict): string {
  const zone = verdict.decisive;
  const name = zone === null ? '' : zoneName(zone.node, zone.zone, nodeCount(report));
  const order = report.order ?? 0;
  const need =
    order === 0 ? 'a page' : `a block of order ${order} (${sizeOfKB(report.pageKB * 2 ** order)})`;
  return SENTENCES[report.cause]({ report, verdict, zone, name, need });
}

interface SentenceInput {
  readonly report: Judged;
  readonly verdict: Verdict;
  readonly zone: ZoneFinding | null;
  readonly name: string;
  readonly need: string;
}

const SENTENCES: Readonly<Record<Cause, (input: SentenceInput) => string>> = {
  'below-watermark': ({ report, zone, name }) => belowSentence(report, zone, name),
  'lowmem-reserve': ({ report, zone, name, need }) =>
    `${name} could give ${need}, but ${pagesText(zone?.reservePages ?? 0, report.pageKB)} of it are reserved for requests that can use nothing higher: short by ${pagesText(zone?.pagesShort ?? 0, report.pageKB)}`,
  fragmented: ({ report, zone, name, need }) =>
    `${name} has ${spare(zone, report.pageKB)}, but not ${need} in one piece`,
  'only-highatomic': ({ report, zone, name, need }) =>
    `${name} has ${spare(zone, report.pageKB)}, but ${need} only on the HIGHATOMIC lists, which this request may not take`,
  'only-cma': ({ report, zone, name, need }) =>
    `${name} has ${spare(zone, report.pageKB)}, but ${need} only in CMA, which is for movable requests`,
  'only-isolated': ({ report, zone, name, need }) =>
    `${name} has ${spare(zone, report.pageKB)}, but ${need} only in isolated pageblocks, which nobody may take`,
  'old-halving-rule': ({ zone, name, need }) =>
    `${name} has ${plural(zone?.blocks ?? 0, 'block')} that could give ${need}, but the test of kernels up to 4.3 refuses: too little of its free memory lies in large blocks`,
  'should-have-passed': ({ report, zone, name, need }) =>
    `by the printed figures (${spare(zone, report.pageKB)}) ${name} could have given ${need}: the figures are from after the failure`,
  'impossible-request': ({ verdict }) => `nothing could ever serve it: ${verdict.impossible}`,
  'cannot-be-told': ({ report, zone }) => cannotSentence(report, zone),
};

function spare(zone: ZoneFinding | null, pageKB: number): string {
  if (zone === null || zone.freePages === null) return 'free pages';
  if (zone.marginPages === null) return `${pagesText(zone.freePages, pageKB)} free`;
  return `${pagesText(zone.freePages, pageKB)} free, ${grouped(zone.marginPages + 1)} more than it had to keep`;
}

function belowSentence(report: Judged, zone: ZoneFinding | null, name: string): string {
  if (zone === null) return 'every zone was below its watermark';
  const { pageKB } = report;
  const free = pagesText(zone.freePages ?? 0, pageKB);
  const because = {
    cma: '; most of what is free is CMA, which this request may not use',
    highatomic: '; what is free is kept for atomic requests',
    boost: '; only the watermark boost makes the difference',
  };
  const extra = zone.because === null ? '' : because[zone.because];
  if (zone.reducedPages === 0 && zone.reservePages === 0)
    return `${name} has ${free} free: not even the last page was left`;
  const keep = pagesText((zone.reducedPages ?? 0) + zone.reservePages, pageKB);
  const short = `short by ${pagesText(zone.pagesShort, pageKB)}${extra}`;
  const counted = countedPages(zone) ?? 0;
  if (counted === zone.freePages)
    return `${name} has ${free} free, more than ${keep} must remain: ${short}`;
  const less = listed(
    zone.unusable.map(({ what, pages }) => `${grouped(pages)} for ${UNUSABLE_WORDS[what]}`),
  );
  return `${name} has ${free} free, ${grouped(counted)} without ${less}; more than ${keep} must remain: ${short}`;
}

const UNUSABLE_WORDS: Readonly<Record<ZoneFinding['unusable'][number]['what'], string>> = {
  'the request itself': 'the request itself',
  CMA: 'CMA',
  'HIGHATOMIC reserve': 'the HIGHATOMIC reserve',
};

/** The largest free block of each zone: what a picture without a request can say. */
function largestBlocks(splat: Splat): string {
  const { freeLists } = splat.memory;
  const nodes = new Set(freeLists.map((list) => list.node)).size;
  const parts = freeLists.map((list) => {
    const order = list.blocks.findLastIndex((count) => count > 0);
    const size = order < 0 ? 'none' : sizeOfKB(list.pageKB * 2 ** order);
    return `${zoneName(list.node, list.zone, nodes)} ${size}`;
  });
  return parts.length === 0 ? 'no free lists were printed' : `largest free block: ${listed(parts)}`;
}

function cannotSentence(report: Judged, open: ZoneFinding | null): string {
  if (asksNothing(report.splat)) return `nobody asked for memory; ${largestBlocks(report.splat)}`;
  if ((report.order ?? 0) > 0 && open !== null && (open.marginPages ?? -1) >= 0) {
    const name = zoneName(open.node, open.zone, nodeCount(report));
    const line = report.splat.memory.zones.find(
      (z) => z.node === open.node && z.zone === open.zone,
    );
    if (line?.lowmemReservePages === null && open.blocks === null)
      return `the log does not hold the rest of ${name}: its lowmem_reserve[] and free list`;
    return `${name} has the pages; whether it had a block of order ${report.order} is not in the log. A failure above the watermark means it had none: fragmentation, most likely`;
  }
  if (asksTooEarly(report)) return 'it was asked before any zone had pages';
  const what = report.missing[0] ?? 'the zones this request may use';
  const one = report.order === 0 ? '. One page was asked: contiguity was not the matter' : '';
  return `the log does not hold ${what}${one}`;
}
