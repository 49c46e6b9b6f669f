/**
 * A postmortem as one self-contained HTML file without any script.
 *
 * Charts are drawn here, Vega-Lite to SVG; their specs stand in the page as JSON for whoever wants
 * to change them. The CSP allows nothing but the one style. Style attributes that Vega writes are
 * dropped: the policy would refuse them.
 */
import type { PageChart, PageSection, PageTable, PostmortemPage } from '../postmortem/sections.js';
import { escapeHtml as e, scriptJson } from './escape.js';
import { documentHead, staticPolicy } from './html.js';
import { inlineSvg } from './inline-svg.js';
import { chartFiles, csvFile, exportLinks } from './static-export.js';
import { STYLE } from './style.js';

/** What the shared style lacks for this page. */
const EXTRA = `
.postmortem .facts-list{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.5rem 0}
.postmortem .facts-list dt{opacity:.7}
.postmortem .facts-list dd{margin:0;overflow-wrap:anywhere}
.postmortem svg{max-width:100%;height:auto;color:inherit}
.postmortem figure{margin:.5rem 0}
.postmortem .table-wrap{max-height:70vh}
.postmortem table{min-width:44rem}
.postmortem td,.postmortem th{overflow-wrap:normal}
.postmortem pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0}
.postmortem td a{color:var(--accent)}
.postmortem th.n{text-align:right}
@media print{.postmortem .card{break-inside:auto;border:0;padding:0}.postmortem .card+.card{break-before:page}.postmortem h2,.postmortem h3,.postmortem summary{break-after:avoid}.postmortem figure,.postmortem tr,.postmortem li{break-inside:avoid}.postmortem .table-wrap{max-height:none;overflow:visible}.postmortem figure svg{max-height:10cm;width:auto}}
@media (max-width:640px){.postmortem .facts-list{grid-template-columns:1fr}}
`;

export async function renderPostmortemHtml(page: PostmortemPage, version: string): Promise<string> {
  const style = STYLE + EXTRA;
  const sections: string[] = [];
  const several = page.sections.length > 1;
  for (const [i, section] of page.sections.entries()) {
    // Two reports may be alike in all that a title says.
    const title = several ? `${i + 1}. ${section.title}` : section.title;
    sections.push(await sectionHtml({ ...section, title }));
  }
  return [
    ...documentHead(page.title, staticPolicy(style), style),
    '<body class="postmortem">',
    '<header class="top">',
    '<div class="brand"><span class="logo" aria-hidden="true"></span><span>buddyscope postmortem</span></div>',
    `<h1 class="verdict">${e(page.title)}</h1>`,
    `<p class="lead">${e(page.lead)}</p>`,
    '</header>',
    '<main id="main">',
    page.timeline === null ? '' : await chartHtml(page.timeline),
    page.overview === null ? '' : tableHtml(page.overview),
    ...sections,
    '</main>',
    `<footer><p>buddyscope ${e(version)}</p></footer>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

async function sectionHtml(section: PageSection): Promise<string> {
  const charts: string[] = [];
  for (const chart of section.charts) charts.push(await chartHtml(chart));
  return [
    `<section class="card" id="${e(section.id)}" aria-labelledby="${e(section.id)}-title">`,
    `<h2 class="card-title" id="${e(section.id)}-title">${e(section.title)}</h2>`,
    `<p><span class="badge fails">${e(section.badge)}</span> ${e(section.verdict)}</p>`,
    `<dl class="facts-list">${section.facts
      .map(([label, text]) => `<dt>${e(label)}</dt><dd>${e(text)}</dd>`)
      .join('')}</dl>`,
    ...charts,
    ...section.tables.map((table) => tableHtml(table, section)),
    '<h3>What to do</h3>',
    `<ul>${section.advice.map(adviceHtml).join('')}</ul>`,
    section.useless.length === 0 ? '' : '<h3>What will not help</h3>',
    section.useless.length === 0
      ? ''
      : `<ul>${section.useless.map((item) => `<li><strong>${e(item.what)}</strong>: ${e(item.why)}</li>`).join('')}</ul>`,
    section.steps.length === 0
      ? ''
      : `<details><summary>The arithmetic, zone by zone</summary>${section.steps
          .map(({ title, lines }) => `<h4>${e(title)}</h4><pre>${e(lines.join('\n'))}</pre>`)
          .join('')}</details>`,
    '</section>',
  ].join('\n');
}

function adviceHtml(advice: PageSection['advice'][number]): string {
  const command = advice.command === '' ? '' : `<pre><code>${e(advice.command)}</code></pre>`;
  const cost = advice.cost === '' ? '' : `<div class="quiet">Cost: ${e(advice.cost)}</div>`;
  return `<li><strong>${e(advice.what)}</strong>: ${e(advice.why)}${command}${cost}</li>`;
}

/** @param section whose table it is: sections have tables of one caption. */
function tableHtml(table: PageTable, section?: PageSection): string {
  const label = section ? `${table.caption}: ${section.title}` : table.caption;
  const name = section ? `${section.id}-${fileWords(table.caption)}` : fileWords(table.caption);
  const isNumber = (text: string): boolean => /^(?:-?[\d,.]+)?$/.test(text);
  const columns = table.columns.map((_, i) => table.rows.every((row) => isNumber(row[i] ?? '')));
  const numeric = (column: number): string => (columns[column] ? ' class="n"' : '');
  const cell = (text: string, column: number, row: number): string => {
    const id = column === 0 ? table.links?.[row] : undefined;
    return id === undefined ? e(text) : `<a href="#${e(id)}">${e(text)}</a>`;
  };
  return [
    `<div class="table-wrap" tabindex="0" role="region" aria-label="${e(label)}">`,
    `<table><caption>${e(table.caption)}</caption>`,
    `<thead><tr>${table.columns.map((text, i) => `<th scope="col"${numeric(i)}>${e(text)}</th>`).join('')}</tr></thead>`,
    `<tbody>${table.rows
      .map(
        (row, r) =>
          `<tr>${row.map((text, i) => `<td${numeric(i)}>${cell(text, i, r)}</td>`).join('')}</tr>`,
      )
      .join('')}</tbody>`,
    '</table></div>',
    exportLinks([csvFile(name, table.columns, table.rows)]),
  ].join('\n');
}

function fileWords(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

async function chartHtml(chart: PageChart): Promise<string> {
  const svg = await inlineSvg(chart.spec, chart.description);
  const files = await chartFiles(chart.id, svg, chart.spec);
  return [
    `<figure id="${e(chart.id)}">`,
    `<figcaption>${e(chart.title)}</figcaption>`,
    svg,
    '</figure>',
    exportLinks(files),
    `<script type="application/json" id="${e(chart.id)}-spec">${scriptJson(chart.spec)}</script>`,
  ].join('\n');
}
