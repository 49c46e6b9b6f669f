/**
 * How `inspect` shows its findings: for people as blocks of lines, for programs as JSON.
 *
 * Pure: from source summaries to text. Every text that may come from an input is escaped.
 */

import type { Alignment } from '../recording/recording.js';
import { type Diagnostics, excerptOf } from '../records/diagnostics.js';
import type { SourceSummary } from '../records/source.js';
import { formatSeconds, roundUpNs } from '../records/time.js';
import { type Advice, advise, type Holdings, sumHoldings } from './inspect-advice.js';
import { groupDigits } from './text-table.js';

/** What inspect knows when all inputs have been read. */
export interface Inspection {
  readonly sources: readonly SourceSummary[];
  /** Title of a format id: `ftrace text (trace, trace_pipe)`. */
  readonly titles: ReadonlyMap<string, string>;
  readonly epochS: number;
  readonly clock: string;
  readonly alignment: Alignment;
  /** Copies of kinds of which none has a time. */
  readonly undated: number;
}

const LABEL_WIDTH = 12;
const SHOWN_NAMES = 12;

function field(label: string, text: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${text}`;
}

/** `name 1 234, name 5`, the most frequent first. */
function countList(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = sorted
    .slice(0, SHOWN_NAMES)
    .map(([name, n]) => `${excerptOf(name)} ${groupDigits(n)}`);
  if (sorted.length > shown.length) shown.push(`${sorted.length - shown.length} more kinds`);
  return shown.join(', ');
}

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, n) => sum + n, 0);

const plural = (n: number, word: string): string =>
  `${groupDigits(n)} ${word}${n === 1 ? '' : 's'}`;

function spanText(firstNs: number, lastNs: number, epochS: number, clock: string): string | null {
  if (!Number.isFinite(firstNs) || !Number.isFinite(lastNs)) return null;
  const span = formatSeconds(lastNs - firstNs);
  const from = formatSeconds(firstNs, epochS);
  return `${from} to ${formatSeconds(lastNs, epochS)} s (${span} s), clock ${excerptOf(clock)}`;
}

function lossText(source: SourceSummary): string {
  const parts = [];
  if (source.lostEvents > 0) parts.push(`${plural(source.lostEvents, 'event')} lost`);
  if (source.overwritten > 0) parts.push(`${plural(source.overwritten, 'entry')} overwritten`);
  return parts.join(', ').replace('entrys', 'entries');
}

function skippedText(source: SourceSummary): string {
  const parts = [];
  if (source.skippedLines > 0)
    parts.push(`${plural(source.skippedLines, 'line')} that fit nothing`);
  const other = total(source.skippedEvents);
  if (other > 0) {
    parts.push(`${plural(other, 'event')} of other kinds (${countList(source.skippedEvents)})`);
  }
  return parts.join(', ');
}

function sourceLines(source: SourceSummary, inspection: Inspection): string[] {
  const title = inspection.titles.get(source.format) ?? 'nothing known';
  const packed = source.compression ? `, ${source.compression}` : '';
  const lines = [excerptOf(source.name)];
  lines.push(field('taken for', `${excerptOf(title)} [${excerptOf(source.format)}${packed}]`));
  if (source.why) lines.push(field('why', excerptOf(source.why)));
  const span = spanText(source.firstNs, source.lastNs, inspection.epochS, source.clock);
  if (span) lines.push(field('span', span));
  const size = plural(source.bytes > 0 ? source.bytes : source.rawBytes, 'byte');
  lines.push(field('size', source.lines > 0 ? `${size}, ${plural(source.lines, 'line')}` : size));
  if (total(source.events) > 0) lines.push(field('events', countList(source.events)));
  if (total(source.snapshots) > 0) lines.push(field('snapshots', countList(source.snapshots)));
  const facts = Object.entries(source.facts)
    .map(([name, value]) => `${excerptOf(name)} ${excerptOf(value)}`)
    .join(', ');
  if (facts) lines.push(field('facts', facts));
  const loss = lossText(source);
  if (loss) lines.push(field('lost', loss));
  const skipped = skippedText(source);
  if (skipped) lines.push(field('skipped', skipped));
  return lines;
}

/** How the snapshots came to stand among the events. */
function placingText(alignment: Alignment): string {
  const { byMarkers, byClock, byAgreement, byPages, unplaced, estimate } = alignment;
  const parts = [];
  if (byMarkers > 0) parts.push(`${groupDigits(byMarkers)} by markers in the trace`);
  if (byClock > 0) parts.push(`${groupDigits(byClock)} by the clock`);
  if (estimate !== null) {
    const doubt = formatSeconds(roundUpNs(estimate.uncertaintyNs));
    parts.push(
      `${groupDigits(byAgreement)} by agreement with the events (give or take ${doubt} s)`,
    );
  }
  if (byPages > 0) parts.push(`${groupDigits(byPages)} where their pages fit the events`);
  if (unplaced > 0) parts.push(`${groupDigits(unplaced)} could not be placed among the events`);
  return parts.join(', ');
}

function summaryLines(has: Holdings, inspection: Inspection): string[] {
  const events = [...has.events.values()].reduce((sum, n) => sum + n, 0);
  const snapshots = [...has.snapshots.values()].reduce((sum, n) => sum + n, 0);
  const kinds = countList(Object.fromEntries(has.snapshots));
  const lines = ['all together', field('inputs', plural(inspection.sources.length, 'file'))];
  const over = has.spanNs > 0 ? ` over ${formatSeconds(has.spanNs)} s` : '';
  lines.push(field('events', `${groupDigits(events)}${over}`));
  lines.push(field('snapshots', groupDigits(snapshots) + (snapshots > 0 ? ` (${kinds})` : '')));
  const placing = events > 0 ? placingText(inspection.alignment) : '';
  if (placing) lines.push(field('placed', placing));
  return lines;
}

function adviceLines(advice: readonly Advice[]): string[] {
  if (advice.length === 0) return ['nothing is missing that would make the answer more certain'];
  return [
    'more certain with',
    ...advice.flatMap(({ missing, costs, how }) => [
      `  - ${missing}`,
      `      without it: ${costs}`,
      `      to get it: ${how}`,
    ]),
  ];
}

export function inspectionText(inspection: Inspection): string {
  const has = sumHoldings(inspection.sources, inspection.undated);
  const blocks = inspection.sources.map((source) => sourceLines(source, inspection));
  if (has.events.size + has.snapshots.size > 0) {
    blocks.push(summaryLines(has, inspection), adviceLines(advise(has)));
  } else {
    blocks.push(['no events and no snapshots were found']);
  }
  return `${blocks.map((block) => block.join('\n')).join('\n\n')}\n`;
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Seconds on the source's clock as a JSON number or null. */
const seconds = (ns: number, epochS: number): number | null =>
  Number.isFinite(ns) ? Number(formatSeconds(ns, epochS)) : null;

export function inspectionJson(
  inspection: Inspection,
  diagnostics: Diagnostics,
  version: string,
): string {
  const { epochS } = inspection;
  const has = sumHoldings(inspection.sources, inspection.undated);
  const document = {
    schema: 1,
    buddyscope: version,
    clock: inspection.clock,
    sources: inspection.sources.map(({ firstNs, lastNs, ...source }) => ({
      ...source,
      title: inspection.titles.get(source.format) ?? null,
      from: seconds(firstNs, epochS),
      to: seconds(lastNs, epochS),
    })),
    events: Object.fromEntries(has.events),
    snapshots: Object.fromEntries(has.snapshots),
    lostEvents: has.lostEvents,
    overwritten: has.overwritten,
    alignment: {
      ...inspection.alignment,
      offsetNs: finite(inspection.alignment.offsetNs),
      spreadNs: finite(inspection.alignment.spreadNs),
    },
    advice: advise(has),
    diagnostics: diagnostics.all,
    diagnosticCounts: Object.fromEntries(diagnostics.counts()),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
