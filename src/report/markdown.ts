/**
 * A short summary for a bug tracker: the verdict, the facts, time failing by order, and trust. What else there is stands in
 * report.html and summary.json.
 */

import { fromCopies } from '../analysis/copies-alone.js';
import { atCopies } from '../analysis/copies-words.js';
import { sure } from '../analysis/failure-totals.js';
import type { FailureTotal, ReportData, ReportInput } from '../analysis/report-data.js';
import { bytesText, duration, percent, plural, worded } from '../analysis/words.js';
import { leadingClass, requestName } from '../charts/chart.js';
import { visible } from './escape.js';

/** Inputs with events that are named one by one. */
const MAX_INPUTS = 5;

/**
 * Makes recorded text inert in Markdown: no markup, no HTML, no line of its own. Brackets around links are escaped, so
 * parentheses need not be: as text they read as they are.
 */
export function escapeMarkdown(text: string): string {
  return visible(text)
    .replace(/[\r\n]+/g, ' ')
    .replace(/[\\`*_{}[\]#|<>~@&]/g, (c) => `\\${c}`);
}

/** The report in words, as Markdown. */
export function renderMarkdown(data: ReportData): string {
  const m = escapeMarkdown;
  const { narrative } = data;
  const lines = [
    `# ${m(data.title)}`,
    '',
    `**${m(narrative.verdict)}**`,
    '',
    ...narrative.facts.map(({ figure, text }) => `- **${m(figure)}** ${m(text)}`),
    ...totalsTable(data),
    ...narrative.paragraphs.flatMap((text) => ['', m(text)]),
    '',
    '## How far to trust it',
    '',
    ...narrative.trust.map((line) => `- ${m(line)}`),
    '',
    '## Inputs',
    '',
    ...inputLines(data.inputs),
    '',
    `Made by ${m(data.tool.name)} ${m(data.tool.version)}.`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Of the request that the verdict speaks of; paragraphs tell of the others. */
function totalsTable(data: ReportData): string[] {
  const gfp = leadingClass(data);
  const totals = data.totals.filter((total) => total.gfp === gfp);
  if (totals.length === 0) return [];
  const which = escapeMarkdown(requestName(data, gfp));
  if (fromCopies(data)) {
    return [
      '',
      `| order (${which}) | would have failed | why |`,
      '| --- | --- | --- |',
      ...totals.map((total) => copiesRow(data, total)),
    ];
  }
  return [
    '',
    `| order (${which}) | would have failed for | of that certain | share | windows | longest | why |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...totals.map((total) => totalRow(data, total)),
  ];
}

/** Copies have no time between them, so no reason holds for a part of it. */
function copiesRow(data: ReportData, total: FailureTotal): string {
  const size = bytesText(2 ** total.order * data.pageSize);
  const reasons = Object.keys(total.byReason).join(', ');
  return `| ${total.order} (${size}) | ${atCopies(data, total)} | ${reasons} |`;
}

function totalRow(data: ReportData, total: FailureTotal): string {
  const reasons = Object.entries(total.byReason)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, ns]) => `${reason} ${percent(ns / Math.max(1, total.ns))}`);
  const size = bytesText(2 ** total.order * data.pageSize);
  const certain = percent(total.exactNs / Math.max(1, total.ns));
  const time = (ns: number): string => worded(duration(ns), sure(total));
  return `| ${total.order} (${size}) | ${time(total.ns)} | ${certain} | ${percent(total.share)} | ${total.windows} | ${time(total.longestNs)} | ${reasons.join(', ')} |`;
}

/** Those with events by name and hash, the others by number. */
function inputLines(inputs: readonly ReportInput[]): string[] {
  const traces = inputs.filter((input) => input.events > 0);
  const named = traces.slice(0, MAX_INPUTS).map((input) => {
    const hash = input.sha256 ? `, sha256 ${input.sha256}` : '';
    const events = plural(input.events, 'event');
    return `- ${escapeMarkdown(input.name)}: ${input.format}, ${bytesText(input.bytes)}, ${events}${hash}`;
  });
  const snapshots = inputs.reduce((sum, input) => sum + input.snapshots, 0);
  const others = inputs.length - named.length;
  const rest = `${plural(others, 'other file')} with ${plural(snapshots, 'copy', 'copies')} of the kernel's own counts in all`;
  return others > 0 ? [...named, `- ${rest}`] : named;
}
