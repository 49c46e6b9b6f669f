/**
 * A comparison as one self-contained HTML file in the report's look, without any script.
 *
 * First the verdict, then what differs between the runs, then order by order, and charts with their
 * Vega-Lite specs beside them as JSON.
 */
import type { Comparison } from '../analysis/compare.js';
import { duration, grouped, percent } from '../analysis/words.js';
import { type CompareChart, compareCharts } from '../charts/compare.js';
import { escapeHtml as e, scriptJson } from './escape.js';
import { documentHead, staticPolicy } from './html.js';
import { inlineSvg } from './inline-svg.js';
import { STYLE } from './style.js';

const EXTRA = `
.compare svg{max-width:100%;height:auto;color:inherit}
.compare figure{margin:0 0 6px}
.sides{display:flex;flex-wrap:wrap;gap:4px 24px;margin:0 0 12px;color:var(--faint)}
.side-a,.side-b{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px}
.side-a{background:#e69f00}.side-b{background:#0a84c6}
tr.weighs td:first-child{font-weight:600}
`;

export async function renderCompareHtml(comparison: Comparison, version: string): Promise<string> {
  const style = STYLE + EXTRA;
  const charts: string[] = [];
  for (const chart of compareCharts(comparison)) charts.push(await chartCard(chart));
  const [a, b] = comparison.titles;
  return [
    ...documentHead(`${a} and ${b}`, staticPolicy(style), style),
    '<body class="compare">',
    '<header class="top">',
    '<div class="brand"><span class="logo" aria-hidden="true"></span><span>buddyscope</span><span class="title">compare</span></div>',
    `<p class="sides"><span><span class="side-a"></span>A: ${e(a)}</span><span><span class="side-b"></span>B: ${e(b)}</span></p>`,
    `<h1 class="verdict ${comparison.tone}">${e(comparison.verdict)}</h1>`,
    '</header>',
    '<main id="main">',
    differencesCard(comparison),
    `<section class="card words" aria-labelledby="account"><h2 class="card-title" id="account">What changed</h2>${comparison.paragraphs.map((text) => `<p>${e(text)}</p>`).join('')}</section>`,
    ordersCard(comparison),
    ...charts,
    '</main>',
    `<footer><p>Made by buddyscope ${e(version)}. Each recording has a report of its own: buddyscope report.</p></footer>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function differencesCard({ differences }: Comparison): string {
  const rows = differences.map(
    ({ what, a, b, weighs }) =>
      `<tr${weighs ? ' class="weighs"' : ''}><td>${e(what)}</td><td>${e(a)}</td><td>${e(b)}</td></tr>`,
  );
  return [
    '<section class="card" aria-labelledby="differences">',
    '<h2 class="card-title" id="differences">What differs between the runs</h2>',
    '<p class="lead">Before anything is concluded: in bold what can change the outcome by itself. Everything else the inputs tell is alike.</p>',
    '<div class="table-wrap" tabindex="0" role="region" aria-label="Differences"><table>',
    '<thead><tr><th scope="col">What</th><th scope="col">A</th><th scope="col">B</th></tr></thead>',
    `<tbody>${rows.join('')}</tbody></table></div></section>`,
  ].join('\n');
}

function ordersCard({ orders, gfp }: Comparison): string {
  const both = (pair: readonly [number, number], text: (n: number) => string): string =>
    pair.map((n) => `<td class="n">${e(text(n))}</td>`).join('');
  const rows = orders.map(
    (row) =>
      `<tr><td class="n">${row.order}</td>${both(row.share, percent)}${both(row.ns, duration)}${both(row.windows, grouped)}${both(row.longestNs, duration)}${both(row.refused, grouped)}</tr>`,
  );
  const heads = ['share', 'time failing', 'windows', 'longest', 'refused by the kernel'].flatMap(
    (what) => [`A ${what}`, `B ${what}`],
  );
  return [
    '<section class="card" aria-labelledby="orders-title">',
    `<h2 class="card-title" id="orders-title">Order by order, ${e(gfp)}</h2>`,
    '<div class="table-wrap" tabindex="0" role="region" aria-label="Orders"><table>',
    `<thead><tr><th scope="col" class="n">Order</th>${heads.map((head) => `<th scope="col" class="n">${e(head)}</th>`).join('')}</tr></thead>`,
    `<tbody>${rows.join('')}</tbody></table></div></section>`,
  ].join('\n');
}

async function chartCard(chart: CompareChart): Promise<string> {
  const id = `chart-${chart.id}`;
  return [
    `<section class="card" id="${id}" aria-labelledby="${id}-title">`,
    `<h2 class="card-title" id="${id}-title">${e(chart.title)}</h2>`,
    `<figure>${await inlineSvg(chart.spec, chart.description)}</figure>`,
    `<p class="quiet">${e(chart.description)}.</p>`,
    `<script type="application/json" id="${id}-spec">${scriptJson(chart.spec)}</script>`,
    '</section>',
  ].join('\n');
}
