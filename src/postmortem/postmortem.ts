/**
 * The postmortem of whole logs: which reports count, explained, grouped, on a timeline.
 *
 *     const result = postmortemOf(records);
 *     result.reports[0]?.cause; // 'fragmented'
 *
 * `records` are what parsers/dmesg hands to its sink. Reports of other kinds (OOM kills, stalls,
 * SysRq-m, slab lines alone) are left out unless `all` is set, but counted.
 */
import type { LogFact, Splat, SplatKind, SplatRecord } from '../records/splat.js';
import { withoutCopies } from './copies.js';
import { explainSplat, type PostmortemOptions } from './explain.js';
import type { PostmortemReport } from './findings.js';
import { bootsOf, groupReports, type ReportGroup, type Timeline, timelineOf } from './group.js';
import type { KernelMemory } from './kernel-of.js';

/** What is known beside the logs, and what is asked of them. */
export interface PostmortemRequest extends PostmortemOptions {
  /** Reports that are not page allocation failures as well. */
  readonly all?: boolean;
}

/** All reports of the logs, explained and grouped. */
export interface PostmortemResult {
  /** In the order of the logs. */
  readonly reports: readonly PostmortemReport[];
  readonly groups: readonly ReportGroup[];
  readonly timeline: Timeline;
  readonly facts: readonly LogFact[];
  /** Reports of other kinds that were left out, by kind. */
  readonly leftOut: Readonly<Partial<Record<SplatKind, number>>>;
  /** Reports that another repeats to the letter, and that are not counted: one log twice, several of one run. */
  readonly copies: number;
}

/** Related reports within this time are mentioned beside a failure. */
const NEAR_NS = 60e9;
/** Related reports counted beside one failure. */
const MAX_NEAR = 1000;

/** Explains the kernel reports among these records. */
export function postmortemOf(
  records: Iterable<SplatRecord>,
  request: PostmortemRequest = {},
): PostmortemResult {
  const facts: LogFact[] = [];
  const found: Splat[] = [];
  for (const record of records) {
    if (record.record === 'fact') facts.push(record.fact);
    else found.push(record.splat);
  }
  const { splats, copies } = withoutCopies(found);
  const leftOut: Partial<Record<SplatKind, number>> = {};
  const reports: PostmortemReport[] = [];
  const memory: KernelMemory = new Map();
  const neighbours = new Neighbours(splats, facts);
  for (const splat of splats) {
    if (request.all || isFailure(splat)) {
      const report = explainSplat(splat, request, memory);
      const notes = [...copyNotes(copies.get(splat) ?? 0), ...neighbours.notes(splat)];
      reports.push({ ...report, notes: [...report.notes, ...notes] });
    } else {
      leftOut[splat.kind] = (leftOut[splat.kind] ?? 0) + 1;
    }
  }
  const timeline = timelineOf(reports);
  return {
    reports,
    groups: groupReports(reports, timeline.times),
    timeline,
    facts,
    leftOut,
    copies: found.length - splats.length,
  };
}

function copyNotes(copies: number): string[] {
  return copies === 0 ? [] : [`it stands ${copies + 1} times in the logs and is counted once`];
}

/** A report without header is a failure if its trace shows who printed it. */
function isFailure(splat: Splat): boolean {
  if (splat.kind === 'page-allocation-failure') return true;
  if (splat.kind !== 'meminfo') return false;
  return splat.context.frames.some((frame) => /^warn_alloc/.test(frame.fn));
}

const KIND_WORDS: Readonly<Record<SplatKind, string>> = {
  'page-allocation-failure': 'page allocation failure',
  'allocation-stall': 'allocation stall',
  'oom-kill': 'OOM kill',
  'sysrq-memory': 'SysRq memory report',
  'slub-failure': 'slab failure',
  meminfo: 'memory report without header',
};

export function kindWords(kind: SplatKind): string {
  return KIND_WORDS[kind];
}

/** `2 reports repeat others to the letter …`. */
export function copiesText({ copies }: PostmortemResult): string {
  return copies === 1
    ? '1 report repeats another to the letter and is not counted.'
    : `${copies} reports repeat others to the letter and are not counted.`;
}

/** Reports of other kinds by log and boot, in time order, and CMA areas by log. */
class Neighbours {
  readonly #related = new Map<string, { readonly ns: number; readonly kind: SplatKind }[]>();
  /** Log and boot of each report. */
  readonly #keys = new Map<Splat, string>();
  readonly #cma = new Map<string, LogFact>();

  constructor(splats: readonly Splat[], facts: readonly LogFact[]) {
    const boots = bootsOf(splats);
    for (const [i, splat] of splats.entries()) {
      const { kind, time } = splat;
      const key = JSON.stringify([splat.source, boots[i]]);
      this.#keys.set(splat, key);
      if (kind === 'page-allocation-failure' || time.monoNs === null) continue;
      const list = this.#related.get(key) ?? [];
      list.push({ ns: time.monoNs, kind });
      this.#related.set(key, list);
    }
    for (const list of this.#related.values()) list.sort((a, b) => a.ns - b.ns);
    for (const fact of facts) {
      if (fact.what === 'cma-reserved' && !this.#cma.has(fact.source)) {
        this.#cma.set(fact.source, fact);
      }
    }
  }

  notes(splat: Splat): string[] {
    const notes = this.#nearNotes(splat);
    const cma = this.#cma.get(splat.source);
    if (cma !== undefined && splat.memory.zones.some((zone) => (zone.freeCmaKB ?? 0) > 0))
      notes.push(`line ${cma.line}: ${cma.text}`);
    return notes;
  }

  #nearNotes(splat: Splat): string[] {
    const list = this.#related.get(this.#keys.get(splat) ?? '');
    const at = splat.time.monoNs;
    if (list === undefined || at === null) return [];
    const counts = new Map<SplatKind, number>();
    const from = firstFrom(list, at - NEAR_NS);
    const to = Math.min(firstFrom(list, at + NEAR_NS), from + MAX_NEAR);
    for (let i = from; i < to; i++) {
      const { ns, kind } = list[i]!;
      if (ns !== at || kind !== splat.kind) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    return [...counts].map(
      ([kind, count]) =>
        `${count} ${KIND_WORDS[kind]}${count === 1 ? '' : 's'} within a minute of it`,
    );
  }
}

/** Index of the first entry not before `ns`. */
function firstFrom(list: readonly { readonly ns: number }[], ns: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.ns < ns) low = middle + 1;
    else high = middle;
  }
  return low;
}
