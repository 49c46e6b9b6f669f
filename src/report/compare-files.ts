/**
 * The files of a comparison, as contents by name, and its short form for a bug tracker.
 */
import type { Comparison } from '../analysis/compare.js';
import { duration, percent } from '../analysis/words.js';
import { compareCharts } from '../charts/compare.js';
import { renderCompareHtml } from './compare-html.js';
import { escapeMarkdown as m } from './markdown.js';

export async function compareFiles(
  comparison: Comparison,
  version: string,
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  files.set('compare.html', await renderCompareHtml(comparison, version));
  files.set('compare.json', `${JSON.stringify(comparison)}\n`);
  for (const { id, spec } of compareCharts(comparison)) {
    files.set(`charts/compare-${id}.vl.json`, `${JSON.stringify(spec)}\n`);
  }
  return files;
}

export function compareMarkdown(comparison: Comparison, version: string): string {
  const [a, b] = comparison.titles;
  const rows = comparison.orders
    .filter(({ ns }) => ns[0] > 0 || ns[1] > 0)
    .map(
      ({ order, share, longestNs, refused }) =>
        `| ${order} | ${percent(share[0])} | ${percent(share[1])} | ${duration(longestNs[0])} | ${duration(longestNs[1])} | ${refused[0]} | ${refused[1]} |`,
    );
  const lines = [
    `# A: ${m(a)}, B: ${m(b)}`,
    '',
    `**${m(comparison.verdict)}**`,
    '',
    '## What differs between the runs',
    '',
    '| what | A | B |',
    '| --- | --- | --- |',
    ...comparison.differences.map((d) => `| ${m(d.what)} | ${m(d.a)} | ${m(d.b)} |`),
    ...comparison.paragraphs.flatMap((text) => ['', m(text)]),
    ...(rows.length > 0
      ? [
          '',
          '| order | A fails | B fails | A longest | B longest | A refused | B refused |',
          '| --- | --- | --- | --- | --- | --- | --- |',
          ...rows,
        ]
      : []),
    '',
    `Made by buddyscope ${m(version)}.`,
  ];
  return `${lines.join('\n')}\n`;
}
