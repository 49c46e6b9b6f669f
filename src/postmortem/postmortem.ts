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
import { explainSplat, type PostmortemOptions } from './explain.js';
import type { PostmortemReport } from './findings.js';
import { groupReports, type ReportGroup, type Timeline, timelineOf } from './group.js';

export interface PostmortemRequest extends PostmortemOptions {
  /** Reports that are not page allocation failures as well. */
  readonly all?: boolean;
}

export interface PostmortemResult {
  /** In the order of the logs. */
  readonly reports: readonly PostmortemReport[];
  readonly groups: readonly ReportGroup[];
  readonly timeline: Timeline;
  readonly facts: readonly LogFact[];
  /** Reports of other kinds that were left out, by kind. */
  readonly leftOut: Readonly<Partial<Record<SplatKind, number>>>;
}

/** Related reports within this time are mentioned beside a failure. */
const NEAR_NS = 60e9;

export function postmortemOf(
  records: Iterable<SplatRecord>,
  request: PostmortemRequest = {},
): PostmortemResult {
  const facts: LogFact[] = [];
  const splats: Splat[] = [];
  for (const record of records) {
    if (record.record === 'fact') facts.push(record.fact);
    else splats.push(record.splat);
  }
  const leftOut: Partial<Record<SplatKind, number>> = {};
  const reports: PostmortemReport[] = [];
  for (const splat of splats) {
    if (request.all || isFailure(splat)) {
      const report = explainSplat(splat, request);
      reports.push({ ...report, notes: [...report.notes, ...nearNotes(splat, splats, facts)] });
    } else {
      leftOut[splat.kind] = (leftOut[splat.kind] ?? 0) + 1;
    }
  }
  return {
    reports,
    groups: groupReports(reports),
    timeline: timelineOf(reports),
    facts,
    leftOut,
  };
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

function nearNotes(splat: Splat, all: readonly Splat[], facts: readonly LogFact[]): string[] {
  const notes: string[] = [];
  const at = splat.time.monoNs;
  const near = all.filter(
    (other) =>
      other.kind !== 'page-allocation-failure' &&
      other !== splat &&
      other.source === splat.source &&
      at !== null &&
      other.time.monoNs !== null &&
      Math.abs(other.time.monoNs - at) < NEAR_NS,
  );
  for (const kind of new Set(near.map((other) => other.kind))) {
    const count = near.filter((other) => other.kind === kind).length;
    notes.push(`${count} ${KIND_WORDS[kind]}${count === 1 ? '' : 's'} within a minute of it`);
  }
  const cma = facts.find((fact) => fact.what === 'cma-reserved' && fact.source === splat.source);
  if (cma !== undefined && splat.memory.zones.some((zone) => (zone.freeCmaKB ?? 0) > 0))
    notes.push(`line ${cma.line}: ${cma.text}`);
  return notes;
}
