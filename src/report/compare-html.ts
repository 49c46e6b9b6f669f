/**
 * A comparison as one self-contained HTML file in the report's look, without any script.
 *
 * First the verdict, then what differs between the runs, then order by order, and charts; each can be
 * taken out as a file.
 */
import type { Comparison, Provenance } from '../analysis/compare.js';
import { sure } from '../analysis/failure-totals.js';
import { bytesText, duration, grouped, percent, worded } from '../analysis/words.js';
import { type CompareChart, compareCharts } from '../charts/compare.js';
import { SIDE_COLORS } from '../charts/theme.js';
import { escapeHtml as e } from './escape.js';
import { documentHead, staticPolicy } from './html.js';
import { inlineSvg } from './inline-svg.js';
import { chartFiles, csvFile, exportLinks } from './static-export.js';
import { STYLE } from './style.js';

const EXTRA = `
.compare svg{display:block;width:100%;min-width:640px;height:auto;color:inherit}
.compare figure{overflow-x:auto}
.compare figure{margin:0 0 6px}.compare .export{font-size:13.5px}.compare .export a{margin-right:10px}
.sides{display:flex;flex-wrap:wrap;gap:4px 24px;margin:0 0 12px;color:var(--faint)}
.side-a,.side-b{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px}
.side-a{background:${SIDE_COLORS[0]}}.side-b{background:${SIDE_COLORS[1]}}
tr.weighs td:first-child{font-weight:600}
@media print{.compare .card{break-inside:auto}.compare figure,.compare h2{break-inside:avoid;break-after:avoid}.compare svg{min-width:0}.compare table{font-size:11px}.compare th,.compare td{padding:3px 6px}}
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
    '<footer>',
    ...comparison.provenance.map((side, i) => provenance(i === 0 ? 'A' : 'B', side)),
    `<p>Made by buddyscope ${e(version)}. Each recording has a report of its own: buddyscope report.</p>`,
    '</footer>',
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
    '<p class="lead">Before anything is concluded: in bold what can change the outcome by itself. Everything else the inputs tell is alike. A rule is something that the two kernels do differently, under the name it has in each report’s list of rules.</p>',
    '<div class="table-wrap" tabindex="0" role="region" aria-label="Differences"><table>',
    '<thead><tr><th scope="col">What</th><th scope="col">A</th><th scope="col">B</th></tr></thead>',
    `<tbody>${rows.join('')}</tbody></table></div>`,
    exportLinks([
      csvFile(
        'compare-differences',
        ['what', 'a', 'b', 'weighs'],
        differences.map(({ what, a, b, weighs }) => [what, a, b, weighs]),
      ),
    ]),
    '</section>',
  ].join('\n');
}

function ordersCard({ orders, gfp, pageSize }: Comparison): string {
  type Text = (n: number, side: 0 | 1) => string;
  const both = (pair: readonly [number, number], text: Text): string =>
    pair.map((n, i) => `<td class="n">${e(text(n, i === 0 ? 0 : 1))}</td>`).join('');
  const rows = orders.map((row) => {
    const { share, certain, ns } = row;
    const time: Text = (n, i) =>
      n === 0 ? '–' : worded(duration(n), sure({ ns: share[i], exactNs: certain[i] }));
    const held: Text = (n, i) => (ns[i] === 0 ? '–' : percent(n / share[i]));
    const size = `${bytesText(2 ** row.order * pageSize)} · ${row.order}`;
    return `<tr><th scope="row" class="n">${e(size)}</th>${both(share, percent)}${both(certain, held)}${both(ns, time)}${both(row.windows, grouped)}${both(row.longestNs, time)}${both(row.refused, grouped)}</tr>`;
  });
  const columns = ['share', 'certain', 'time', 'windows', 'longest', 'refused'];
  const heads = columns.flatMap((what) => [`A ${what}`, `B ${what}`]);
  return [
    '<section class="card" aria-labelledby="orders-title">',
    `<h2 class="card-title" id="orders-title">Order by order, ${e(gfp)}</h2>`,
    '<p class="lead">For how long a request of each size would have failed, how much of that is certain (the rest is a best estimate), and how many atomic requests, of whatever flags, the kernel did refuse. Flags such as <code>__GFP_NOMEMALLOC</code> make a request fail sooner: <code>compare --gfp</code> judges both for the flags of your driver, which the report of each recording names.</p>',
    '<div class="table-wrap" tabindex="0" role="region" aria-label="Orders"><table>',
    `<thead><tr><th scope="col" class="n">Size · order</th>${heads.map((head) => `<th scope="col" class="n">${e(head)}</th>`).join('')}</tr></thead>`,
    `<tbody>${rows.join('')}</tbody></table></div>`,
    exportLinks([csvFile('compare-orders', ORDER_HEADS, orders.map(orderCells))]),
    '</section>',
  ].join('\n');
}

const ORDER_HEADS = ['order'].concat(
  ['share', 'certain_share', 'failing_ns', 'windows', 'longest_ns', 'refused'].flatMap((what) => [
    `a_${what}`,
    `b_${what}`,
  ]),
);

function orderCells(row: Comparison['orders'][number]): number[] {
  return [
    row.order,
    ...row.share,
    ...row.certain,
    ...row.ns,
    ...row.windows,
    ...row.longestNs,
    ...row.refused,
  ];
}

function provenance(side: string, { release, profile, why, inputs, limits }: Provenance): string {
  const rows = inputs.map(
    ({ name, format, bytes, sha256 }) =>
      `<tr><td>${e(name)}</td><td>${e(format)}</td><td class="n">${e(bytesText(bytes))}</td><td>${sha256 ? `<code class="hash" title="${e(sha256)}">${e(sha256.slice(0, 16))}…</code>` : '–'}</td></tr>`,
  );
  const hit = limits.length > 0 ? ` Limits that were hit: ${limits.join('; ')}.` : '';
  return [
    `<details><summary>${side}: inputs and provenance</summary>`,
    `<p>${e(`${release ? `Linux ${release}` : 'Kernel release unknown'}; rules of profile ${profile}: ${why}.${hit}`)}</p>`,
    `<div class="table-wrap" tabindex="0" role="region" aria-label="Inputs of ${side}"><table>`,
    '<thead><tr><th scope="col">Input</th><th scope="col">Format</th><th scope="col" class="n">Size</th><th scope="col">SHA-256</th></tr></thead>',
    `<tbody>${rows.join('')}</tbody></table></div></details>`,
  ].join('');
}

async function chartCard(chart: CompareChart): Promise<string> {
  const id = `chart-${chart.id}`;
  const svg = await inlineSvg(chart.spec, chart.description);
  const files = await chartFiles(`compare-${chart.id}`, svg, chart.spec);
  const values = chart.rows;
  const heads = Object.keys(values[0] ?? {});
  const rows = values.map((row) => heads.map((head) => row[head]));
  return [
    `<section class="card" id="${id}" aria-labelledby="${id}-title">`,
    `<h2 class="card-title" id="${id}-title">${e(chart.title)}</h2>`,
    `<figure tabindex="0" role="group" aria-label="Chart: ${e(chart.title)}">${svg}</figure>`,
    `<p class="quiet">${e(chart.description)}.</p>`,
    exportLinks([...files, csvFile(`compare-${chart.id}`, heads, rows)]),
    '</section>',
  ].join('\n');
}
