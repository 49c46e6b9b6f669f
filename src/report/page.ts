/**
 * The page's words and places: everything the script later brings to life, readable without it.
 */
import { isOneCopy } from '../analysis/copies-alone.js';
import { areNumbered } from '../analysis/copies-words.js';
import type { ReportData } from '../analysis/report-data.js';
import { bytesText, duration, grouped } from '../analysis/words.js';
import type { Chart } from '../charts/chart.js';
import { emptyWords, requestClasses, requestName, zoneName } from '../charts/chart.js';
import { CHARTS } from '../charts/index.js';
import { formatSeconds } from '../records/time.js';
import { escapeHtml as e } from './escape.js';
import { kernelLogCard } from './page-log.js';
import { footer, trustSection } from './page-trust.js';

interface Section {
  readonly id: string;
  readonly title: string;
  readonly lead: string;
  readonly charts: readonly string[];
}

const SECTIONS: readonly Section[] = [
  {
    id: 'how',
    title: 'How memory looked',
    lead: 'How much memory was free, in blocks of which size, and how near the limits.',
    charts: ['free-by-order', 'watermarks', 'unusable-index', 'extfrag-index'],
  },
  {
    id: 'headroom',
    title: 'How much room there was',
    lead: 'Not only whether one request would succeed, but how many in a row.',
    charts: ['headroom', 'ring-size'],
  },
  {
    id: 'where',
    title: 'Where',
    lead: 'Physical memory in address order, and what stands in the way of large blocks.',
    charts: ['physical-map'],
  },
  {
    id: 'who',
    title: 'Who',
    lead: 'Whose pages cannot be moved, and how different kinds of memory came to be mixed.',
    charts: ['holders', 'holders-over-time', 'extfrag', 'extfrag-over-time'],
  },
];

export function pageBody(data: ReportData): string {
  return [
    '<a class="skip" href="#main">Skip to the report</a>',
    header(data),
    toolbar(data),
    '<main id="main" tabindex="-1">',
    '<div class="with-panel">',
    '<div>',
    chartCard(data, chartOf('failures'), 'h2'),
    chartCard(data, chartOf('activity'), 'h2'),
    account(data),
    kernelLogCard(data),
    '</div>',
    statePanel(),
    '</div>',
    ...SECTIONS.map((section) => sectionHtml(data, section)),
    trustSection(data, chartCard(data, chartOf('residuals'))),
    '<div id="tooltip" role="tooltip" hidden></div>',
    '<div id="announce" class="visually-hidden" role="status" aria-live="polite"></div>',
    '</main>',
    footer(data),
  ].join('\n');
}

function chartOf(id: string): Chart {
  return CHARTS.find((chart) => chart.id === id)!;
}

function header(data: ReportData): string {
  const { narrative, span } = data;
  const facts = narrative.facts.map(
    ({ figure, text }) =>
      `<li><span class="figure">${e(figure)}</span> <span class="fact">${e(text)}</span></li>`,
  );
  const from = formatSeconds(Math.round(span.fromNs / 1e6) * 1e6, data.clock.epochS);
  const meta = [
    data.kernel.release ? `Linux ${data.kernel.release}` : 'kernel release unknown',
    ...(isOneCopy(data)
      ? [machineText(data), 'one copy of the free lists']
      : [
          areNumbered(data)
            ? `${grouped(data.residuals.length)} copies without a time, drawn a second apart`
            : `${duration(span.toNs - span.fromNs)} from ${from} s (${data.clock.name} clock)`,
          machineText(data),
          // Not the inputs' own numbers: the same run may be given in two formats.
          `${grouped(Object.values(data.counts).reduce((sum, n) => sum + n, 0))} events`,
        ]),
  ];
  return [
    '<header class="top">',
    '<div class="brand"><span class="logo" aria-hidden="true"></span><span>buddyscope</span>',
    `<span class="title">${e(data.title)}</span></div>`,
    `<p class="meta">${meta.map(e).join(' · ')}</p>`,
    `<h1 class="verdict ${narrative.tone}">${e(narrative.verdict)}</h1>`,
    `<p class="gloss">${glossary(data)}</p>`,
    facts.length > 0 ? `<ul class="facts">${facts.join('')}</ul>` : '',
    '</header>',
  ].join('\n');
}

/** The two words that the sentence above cannot do without. */
function glossary(data: ReportData): string {
  const page = bytesText(data.pageSize);
  return `<b>Atomic</b> requests (<code>GFP_ATOMIC</code>) come from code that must not wait for memory, such as a network driver in an interrupt: they get it at once or fail. Free memory is kept in blocks of 2ⁿ pages of ${e(page)} each; <b>n is the order</b>. A <b>zone</b> is a part of memory, by address.`;
}

function machineText(data: ReportData): string {
  const nodes = new Set(data.zones.map((zone) => zone.node)).size;
  const zones = `${data.zones.length} ${data.zones.length === 1 ? 'zone' : 'zones'}`;
  const where = nodes > 1 ? `${zones} on ${nodes} nodes` : zones;
  const managed = data.zones.reduce((sum, zone) => sum + zone.managed, 0);
  const most = Math.max(0, ...data.timeline.zones.map((zone) => Math.max(0, ...zone.freePagesMax)));
  // Copies of buddyinfo alone do not tell how large the zones are.
  return managed > most ? `${where}, ${bytesText(managed * data.pageSize)}` : where;
}

function toolbar(data: ReportData): string {
  const zones = data.zones
    .map((_, i) => `<option value="${i}">${e(zoneName(data, i))}</option>`)
    .join('');
  const orders = Array.from({ length: Math.max(0, data.orders - 1) }, (_, i) => i + 1)
    .map((order) => {
      const size = bytesText(2 ** order * data.pageSize);
      return `<option value="${order}">${order} (${e(size)})</option>`;
    })
    .join('');
  return [
    // One copy has no time to move in.
    `<nav class="toolbar${isOneCopy(data) ? ' still' : ''}" aria-label="What to look at" hidden>`,
    '<div class="navigator"><canvas id="navigator" aria-hidden="true"></canvas></div>',
    '<div class="controls">',
    '<label class="grow">Moment <input id="cursor" type="range" min="0" max="10000" step="1" value="0"></label>',
    '<output id="range" for="cursor"></output>',
    '<button type="button" id="zoom-in" title="Zoom in on the moment">Zoom in</button>',
    '<button type="button" id="reset">Whole recording</button>',
    `<label>Zone <select id="zone"><option value="">all</option>${zones}</select></label>`,
    `<label>Order <select id="order"><option value="">all</option>${orders}</select></label>`,
    requestSelect(data),
    '<button type="button" id="theme">Dark</button>',
    '</div></nav>',
    '<noscript><p class="note">The charts need JavaScript; the words and figures do not.</p></noscript>',
  ].join('\n');
}

/** Only where windows of more than plain GFP_ATOMIC were judged. */
function requestSelect(data: ReportData): string {
  const classes = requestClasses(data);
  if (classes.length < 2) return '';
  const options = classes
    .map((gfp) => `<option value="${e(gfp)}">${e(requestName(data, gfp))}</option>`)
    .join('');
  return `<label>Request <select id="gfp">${options}</select></label>`;
}

/** What all charts over time share. */
const HONESTY =
  'Drag to zoom in on a span, click to choose a moment. A red span with a mark above the plot lost events, hatching is where nothing is known, and a grey strip under the plot marks where numbers are bounds instead of exact. By keyboard: arrows move the moment, + and − zoom, Home shows the whole recording.';

export function chartCard(data: ReportData, chart: Chart, heading: 'h2' | 'h3' = 'h3'): string {
  const id = `chart-${chart.id}`;
  const empty = emptyWords(chart, data);
  const has = empty === null;
  const exports = ['SVG', 'PNG', 'Vega-Lite', 'CSV'].map(
    (what) => `<button type="button" data-export="${what}">${what}</button>`,
  );
  return [
    `<section class="card" id="${id}" data-chart="${chart.id}" aria-labelledby="${id}-title">`,
    `<${heading} class="card-title" id="${id}-title">${e(chart.title)} <span class="which"></span></${heading}>`,
    has ? choiceButtons(data, chart) : '',
    has
      ? `<div class="plot" tabindex="0" role="group" aria-label="${e(chart.description)}"><div class="vega"></div><div class="cursor-line" hidden></div><div class="brush" hidden></div></div>`
      : `<p class="empty">${e(empty)}</p>`,
    caveatHtml(data, chart),
    '<div class="below">',
    `<details class="how"><summary>How to read this</summary><p>${e(chart.how)}${chart.overTime ? ` ${HONESTY}` : ''}</p></details>`,
    has
      ? `<details class="table"><summary>Table</summary><div class="table-wrap" tabindex="0" role="region" aria-label="Table: ${e(chart.title)}"></div></details>`
      : '',
    has
      ? `<details class="export"><summary>Export</summary><p>${exports.join(' ')}</p></details>`
      : '',
    '</div>',
    chart.id === 'physical-map' && has ? pagesPanel() : '',
    '</section>',
  ].join('\n');
}

function caveatHtml(data: ReportData, chart: Chart): string {
  const text = emptyWords(chart, data) === null ? (chart.caveat?.(data) ?? null) : null;
  return text === null ? '' : `<p class="quiet caveat">${e(text)}</p>`;
}

function choiceButtons(data: ReportData, { choice }: Chart): string {
  if (!choice) return '';
  const buttons = choice
    .options(data)
    .map(
      ([value, words]) =>
        `<button type="button" data-choice="${choice.field}" data-value="${value}">${e(words)}</button>`,
    );
  return `<div class="segmented" role="group" aria-label="${e(choice.label)}">${buttons.join('')}</div>`;
}

function pagesPanel(): string {
  return [
    '<div class="pages" hidden>',
    '<h4 class="pages-title">Page by page</h4>',
    '<div class="pages-views">',
    '<div><p class="quiet" id="blocks-lead"></p>',
    '<canvas id="blocks-grid" role="img" aria-label="All pageblocks by share free"></canvas></div>',
    '<div><p class="pages-choice"><label class="inline">Pageblock <select id="pageblock"></select></label>',
    '<button type="button" id="block-before" aria-label="Pageblock before">◂</button>',
    '<button type="button" id="block-after" aria-label="Pageblock after">▸</button></p>',
    '<canvas id="pages-grid" role="img" aria-label="The pages of the chosen pageblock"></canvas></div>',
    '</div>',
    '<div id="pages-legend" class="legend"></div>',
    '<p class="lead" id="pages-lead"></p>',
    '<div class="table-wrap" id="pages-owners" tabindex="0" role="region" aria-label="Who holds pages of this pageblock"></div>',
    '</div>',
  ].join('');
}

function statePanel(): string {
  return [
    '<aside class="card state" id="state" tabindex="0" aria-labelledby="state-title">',
    '<h2 class="card-title" id="state-title">The state at a moment</h2>',
    '<div id="state-body"><p class="lead">Click a window in the chart, or move the Moment slider, to see the free lists there and what each zone would have answered.</p></div>',
    '</aside>',
  ].join('\n');
}

function account(data: ReportData): string {
  const { paragraphs } = data.narrative;
  if (paragraphs.length === 0) return '';
  return `<section class="card words" aria-labelledby="account"><h2 class="card-title" id="account">What happened</h2>${paragraphs.map((text) => `<p>${e(text).replaceAll('|', '|<wbr>')}</p>`).join('')}</section>`;
}

function sectionHtml(data: ReportData, section: Section): string {
  return [
    `<section class="group" aria-labelledby="section-${section.id}">`,
    `<h2 id="section-${section.id}">${e(section.title)}</h2>`,
    `<p class="lead">${e(section.lead)}</p>`,
    ...section.charts.map((id) => chartCard(data, chartOf(id))),
    '</section>',
  ].join('\n');
}
