/**
 * The facts of a report that do not come from the replay: inputs, kernel, diagnostics, provenance.
 */
import type { ReportFacts } from '../analysis/build-report-data.js';
import type { ReportData, ReportInput, ReportReplay } from '../analysis/report-data.js';
import type { Recording } from '../recording/recording.js';
import { EVENT_NAMES, type EventKind } from '../records/events.js';
import type { SourceSummary } from '../records/source.js';
import { formatSeconds } from '../records/time.js';
import type { Reconstruction } from '../replay/reconstruct.js';
import type { Session } from './command.js';

const PAGE_SIZE = 4096;
/** Of kernels with pages of this size. */
const USUAL_ORDERS = 11;

export function reportFacts(
  recording: Recording,
  replay: Reconstruction,
  session: Session,
  title: string,
): Omit<ReportFacts, 'windows' | 'moments' | 'kernelReports'> {
  const span = replay.span();
  const { orders } = replay.geometry;
  if (orders !== USUAL_ORDERS) recording.diagnostics.report('page-size-assumed', {}, { orders });
  return {
    title,
    tool: { name: 'buddyscope', version: session.version, command: process.argv.slice(2) },
    inputs: recording.sources.filter((s) => s.format !== 'unknown').map(inputOf),
    kernel: kernelOf(replay),
    clock: { name: recording.clock.name, epochS: recording.clock.epochS },
    span,
    pageSize: PAGE_SIZE,
    counts: eventCounts(replay),
    lostEvents: recording.sources.reduce((sum, s) => sum + s.lostEvents, 0),
    diagnostics: recording.diagnostics.all.map((d) => ({
      code: d.code,
      severity: d.severity,
      message: d.message,
      source: d.source,
      ...(d.line === undefined ? {} : { line: d.line }),
      ...(d.excerpt === undefined ? {} : { excerpt: d.excerpt }),
      ...(d.hint === undefined ? {} : { hint: d.hint }),
      count: recording.diagnostics.count(d.code),
    })),
    assumptions: [...replay.assumptions, ...replayWords(replay)],
    limits: limitsHit(recording),
    replay: replayFacts(recording, replay),
    settings: settingsOf(recording),
  };
}

function inputOf(source: SourceSummary): ReportInput {
  return {
    name: source.name,
    format: source.format,
    why: source.why,
    compression: source.compression,
    bytes: source.bytes,
    sha256: source.sha256,
    lines: source.lines,
    events: sum(source.events),
    snapshots: sum(source.snapshots),
    skippedLines: source.skippedLines,
    lostEvents: source.lostEvents,
    overwritten: source.overwritten,
  };
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, n) => total + n, 0);

const BASIS: Readonly<Record<Reconstruction['profile']['basis'], string>> = {
  override: 'as --kernel says',
  version: 'by the release that the input names',
  clues: 'the input names no release; chosen by what its contents allow',
  default: 'assumed, since nothing in the input tells the release',
};

/** Codes of diagnostics that mean a limit was reached. */
const LIMIT_CODE =
  /-limit$|^(events-too-large|input-too-long|inputs-not-compared|line-too-long|merge-budget|page-owner-span|snapshot-not-looked-at|snapshots-thinned|text-budget)$/;

function limitsHit(recording: Recording): string[] {
  const seen = new Map<string, string>();
  for (const { code, message } of recording.diagnostics.all) {
    if (LIMIT_CODE.test(code) && !seen.has(code)) seen.set(code, message);
  }
  return [...seen.values()];
}

/** Settings kept, by name. */
const MAX_SETTINGS = 200;

function settingsOf(recording: Recording): Record<string, string> {
  const settings = new Map<string, string>();
  for (const snapshot of recording.snapshots) {
    if (snapshot.kind !== 'sysctl') continue;
    for (const [name, value] of snapshot.values) {
      if (settings.size < MAX_SETTINGS || settings.has(name)) settings.set(name, value);
    }
  }
  return Object.fromEntries([...settings].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function replayFacts(recording: Recording, replay: Reconstruction): ReportReplay {
  const { method, byMarkers, byClock, byAgreement, unplaced, estimate } = recording.alignment;
  return {
    level: replay.level,
    unfollowed: replay.unfollowed,
    ...(replay.partialNs > 0 ? { partialNs: replay.partialNs } : {}),
    seed: replay.seed,
    compaction: replay.quality,
    anomalies: { ...replay.anomalies },
    alignment: {
      method,
      placed: byMarkers + byClock + byAgreement,
      unplaced,
      estimate: estimate && {
        uncertaintyNs: estimate.uncertaintyNs,
        agreement: estimate.agreement,
      },
    },
  };
}

function kernelOf(replay: Reconstruction): ReportData['kernel'] {
  const { profile, basis, release } = replay.profile;
  return {
    release: release?.release ?? null,
    profile: profile.name,
    why: BASIS[basis],
    features: { ...profile.switches },
    evidence: profile.evidence,
  };
}

function eventCounts(replay: Reconstruction): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [kind, name] of Object.entries(EVENT_NAMES)) {
    const n = replay.survey.kinds[Number(kind) as EventKind]!;
    if (n > 0) counts[name] = n;
  }
  return counts;
}

/** How the state was reconstructed, in words. */
function replayWords(replay: Reconstruction): string[] {
  const levels = {
    buddy: 'The free lists were followed event by event.',
    page: 'What goes from per-cpu lists to the free lists was not recorded: pages on per-cpu lists count as free.',
    snapshots:
      'No event was recorded that free lists can be followed by: they are known at the copies only, and what happened between two copies is not.',
  } as const;
  const seeds = {
    kpageflags: 'The start state comes from a copy of /proc/kpageflags.',
    buddyinfo:
      'The start state comes from the first touch of each page and the first copy of /proc/buddyinfo.',
    'first-touch': 'The start state comes from the first touch of each page alone.',
    none: 'There was no start state.',
  } as const;
  if (replay.level === 'snapshots') return [levels.snapshots];
  const partial = `In the first ${formatSeconds(replay.partialNs)} s the trace has the events of some CPUs only, and copies of /proc/buddyinfo alone tell the free lists.`;
  return [levels[replay.level], ...(replay.partialNs > 0 ? [partial] : []), seeds[replay.seed]];
}
