/**
 * A short summary for a bug tracker: the verdict, the facts, time failing by order, and trust.
 */
import type { FailureTotal, ReportData } from '../analysis/report-data.js';
import { bytesText, duration, percent } from '../analysis/words.js';
import { visible } from './escape.js';

/** Makes recorded text inert in Markdown: no markup, no HTML, no line of its own. */
export function escapeMarkdown(text: string): string {
  return visible(text)
    .replace(/[\r\n]+/g, ' ')
    .replace(/[\\`*_{}[\]()#+!|<>~@&]/g, (c) => `\\${c}`);
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
    ...(data.totals.length > 0 ? ['', ...totalsTable(data, data.totals)] : []),
    ...narrative.paragraphs.flatMap((text) => ['', m(text)]),
    '',
    '## How far to trust it',
    '',
    ...narrative.trust.map((line) => `- ${m(line)}`),
    '',
    '## Inputs',
    '',
    ...data.inputs.map(
      (input) =>
        `- ${m(input.name)}: ${m(input.format)}, ${bytesText(input.bytes)}, ${input.events} events, ${input.snapshots} snapshots${input.sha256 ? `, sha256 ${input.sha256}` : ''}`,
    ),
    '',
    `Made by ${m(data.tool.name)} ${m(data.tool.version)}.`,
  ];
  return `${lines.join('\n')}\n`;
}

function totalsTable(data: ReportData, totals: readonly FailureTotal[]): string[] {
  const rows = totals.map((total) => {
    const reasons = Object.entries(total.byReason)
      .sort((a, b) => b[1] - a[1])
      .map(([reason, ns]) => `${reason} ${percent(ns / Math.max(1, total.ns))}`);
    const size = bytesText(2 ** total.order * data.pageSize);
    return `| ${total.order} (${size}) | ${duration(total.ns)} | ${percent(total.share)} | ${total.windows} | ${duration(total.longestNs)} | ${reasons.join(', ')} |`;
  });
  return [
    '| order | would have failed for | share | windows | longest | why |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ];
}
