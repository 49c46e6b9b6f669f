/**
 * The page's last part: how far to trust it, and where everything came from.
 */
import type {
  ReportData,
  ReportDiagnostic,
  ReportInput,
  ReportReplay,
} from '../analysis/report-data.js';
import { bytesText, grouped } from '../analysis/words.js';
import { formatSeconds, roundUpNs } from '../records/time.js';
import { escapeHtml as e } from './escape.js';

export function trustSection(data: ReportData, residuals: string): string {
  return [
    '<section class="group" aria-labelledby="section-trust">',
    '<h2 id="section-trust">How far to trust it</h2>',
    `<div class="card words"><ul>${data.narrative.trust.map((line) => `<li>${e(line)}</li>`).join('')}</ul></div>`,
    residuals,
    replayCard(data),
    diagnosticsCard(data.diagnostics),
    kernelCard(data),
    '</section>',
  ].join('\n');
}

function diagnosticsCard(diagnostics: readonly ReportDiagnostic[]): string {
  if (diagnostics.length === 0) return '';
  const first = new Map<string, ReportDiagnostic>();
  for (const d of diagnostics) if (!first.has(d.code)) first.set(d.code, d);
  const rank = ['error', 'warning', 'info'];
  const sorted = [...first.values()].sort(
    (a, b) => rank.indexOf(a.severity) - rank.indexOf(b.severity) || (a.code < b.code ? -1 : 1),
  );
  const rows = sorted.map((d) => {
    const line = d.line === undefined ? '' : `line ${d.line}`;
    const more = d.count > 1 ? `and ${grouped(d.count - 1)} more` : '';
    const place = [d.source, line, more].filter(Boolean).join(', ');
    const first =
      d.count > 1 ? ` <span class="quiet">(the first of ${grouped(d.count)})</span>` : '';
    const hint = d.hint ? `<br><span class="quiet">${e(d.hint)}</span>` : '';
    return `<tr><td><span class="badge ${d.severity}">${d.severity}</span></td><td>${e(d.message)}${first}${hint}</td><td>${e(place)}</td><td class="n">${grouped(d.count)}</td><td><code>${e(d.code)}</code></td></tr>`;
  });
  return [
    '<section class="card" aria-labelledby="diagnostics"><h3 id="diagnostics">What the inputs lacked, and what was left out</h3>',
    '<div class="table-wrap" tabindex="0" role="region" aria-label="Diagnostics"><table>',
    '<thead><tr><th scope="col">Severity</th><th scope="col">What</th><th scope="col">Where</th><th scope="col" class="n">Times</th><th scope="col">Code</th></tr></thead>',
    `<tbody>${rows.join('')}</tbody></table></div></section>`,
  ].join('');
}

const LEVELS = {
  buddy:
    'Every page that left or joined the free lists was recorded, so they were followed event by event.',
  page: 'What goes from per-cpu lists to the free lists was not recorded. Pages on those lists look free, so little memory looks like a little more, and high orders look better than they were.',
  snapshots:
    'No event was recorded that free lists can be followed by, so they are known at the copies alone. Between two copies the report shows the earlier one, or with a trace the nearer one, and what happened there is not known.',
} as const;

const SEEDS = {
  kpageflags: 'a copy of /proc/kpageflags, page by page',
  buddyinfo: 'what each page was first seen to do, and the first copy of /proc/buddyinfo',
  'first-touch': 'what each page was first seen to do; pages never touched are not known',
  none: 'nothing: there was no start state',
} as const;

/** How the state came about, and what the replay had to put right. */
function replayCard(data: ReportData): string {
  const { replay } = data;
  if (!replay) return '';
  const { partialNs = 0 } = replay;
  const rows: [string, string][] = [
    ['What was followed', LEVELS[replay.level]],
    ...(partialNs > 0 ? [['Not whole at first', partialWords(partialNs)] as [string, string]] : []),
    ['Start state', SEEDS[replay.seed]],
    ['Snapshots placed in the trace', placedWords(replay)],
  ];
  if (replay.level !== 'snapshots') rows.push(...eventRows(replay));
  return [
    '<details class="card plain" id="replay"><summary>How the state was reconstructed</summary>',
    '<div class="table-wrap" tabindex="0" role="region" aria-label="Reconstruction"><table><tbody>',
    rows
      .map(([name, value]) => `<tr><th scope="row">${e(name)}</th><td>${e(value)}</td></tr>`)
      .join(''),
    '</tbody></table></div></details>',
  ].join('');
}

function partialWords(partialNs: number): string {
  return `In the first ${formatSeconds(roundUpNs(partialNs))} s events of some CPUs were overwritten. There the copies of /proc/buddyinfo alone tell the free lists, and no event is followed.`;
}

function placedWords(replay: ReportReplay): string {
  const { method, placed, unplaced, estimate } = replay.alignment;
  const how: Readonly<Record<string, string>> = {
    markers: 'by the marks their recorder wrote into the trace',
    'same-clock': 'by a clock that both share',
    agreement: 'where their free pages agree with what the events moved',
  };
  const doubt = estimate
    ? `; those on another clock give or take ${formatSeconds(roundUpNs(estimate.uncertaintyNs))} s, at which the events explain ${Math.round(estimate.agreement * 100)} % of what moved between copies`
    : '';
  const rest = unplaced > 0 ? `; ${grouped(unplaced)} could not be placed` : '';
  if (placed === 0) return `none${rest}`;
  return `${grouped(placed)} ${how[method] ?? `(${method})`}${doubt}${rest}`;
}

const ANOMALY_WORDS: Readonly<Record<string, string>> = {
  removedNotFree: 'left the free lists while the replay did not have them there',
  freedWhileFree: 'were freed while the replay still had them free, so something took them unseen',
  allocatedWhileFree: 'were allocated without an event that took them from the free lists',
  bypassed: 'were freed past the per-cpu lists',
};

function eventRows(replay: ReportReplay): [string, string][] {
  const rows: [string, string][] = [];
  const odd = Object.entries(replay.anomalies)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${grouped(count)} ${ANOMALY_WORDS[name] ?? name}`);
  rows.push(['Contradictions met', odd.length > 0 ? `Pages that ${odd.join('; ')}.` : 'none']);
  const { compaction } = replay;
  if (!compaction) return rows;
  const { excess, rangePages, chosenPages, deadlinePages, unplacedPages } = compaction;
  const pages = rangePages + chosenPages + deadlinePages + unplacedPages;
  if (pages === 0) return rows;
  rows.push([
    'Taken by compaction without an event',
    `${grouped(pages)} pages: ${grouped(rangePages)} named by their range, ${grouped(chosenPages)} chosen by what fits, ${grouped(deadlinePages)} found when they came back, ${grouped(unplacedPages)} known by number only`,
  ]);
  const whole = excess.reduce((sum, n) => sum + n, 0);
  if (whole > 0) {
    const [exact = 0, power = 0] = excess;
    rows.push([
      'Self-check',
      `In ${grouped(exact)} of ${grouped(whole)} ranges that compaction visited whole, the replay had exactly the pages the kernel says it took; in ${grouped(power)} it was off by one block, in ${grouped(whole - exact - power)} by something else.`,
    ]);
  }
  return rows;
}

const SOURCE_WORDS = {
  override: 'chosen by you',
  data: 'seen in the data',
  version: 'by release',
  default: 'assumed',
} as const;

function kernelCard(data: ReportData): string {
  const features = Object.entries(data.kernel.features);
  if (features.length === 0) return '';
  const rows = features.map(([name, value]) => {
    const evidence = data.kernel.evidence?.[name];
    const why = evidence
      ? `<td>${e(SOURCE_WORDS[evidence.source])}</td><td>${e(evidence.text)}</td>`
      : '<td></td><td></td>';
    return `<tr><td><code>${e(name)}</code></td><td>${e(String(value))}</td>${why}</tr>`;
  });
  return [
    '<details class="card plain" id="kernel-rules"><summary>The kernel rules that were applied, and why</summary>',
    `<p class="quiet">Profile ${e(data.kernel.profile)}: ${e(data.kernel.why)}.</p>`,
    '<div class="table-wrap" tabindex="0" role="region" aria-label="Kernel profile"><table>',
    '<thead><tr><th scope="col">Rule</th><th scope="col">Value</th><th scope="col">Rests on</th><th scope="col">Evidence</th></tr></thead>',
    `<tbody>${rows.join('')}</tbody></table></div></details>`,
  ].join('');
}

const INPUT_HEADS = [
  ['Input', false],
  ['Format', false],
  ['Size', true],
  ['Events', true],
  ['Snapshots', true],
  ['Lost', true],
  ['Skipped lines', true],
  ['SHA-256', false],
] as const;

function inputTable(inputs: readonly ReportInput[], label: string): string {
  const heads = INPUT_HEADS.map(
    ([text, numeric]) => `<th scope="col"${numeric ? ' class="n"' : ''}>${text}</th>`,
  );
  const rows = inputs.map((input) => {
    const packed = input.compression ? ` (${e(input.compression)})` : '';
    const numbers = [input.events, input.snapshots, input.lostEvents, input.skippedLines]
      .map((n) => `<td class="n">${grouped(n)}</td>`)
      .join('');
    const hash = input.sha256
      ? `<code class="hash" title="${e(input.sha256)}">${e(input.sha256.slice(0, 16))}…</code>`
      : '–';
    return `<tr><td>${e(input.name)}</td><td>${e(input.format)}${packed}</td><td class="n">${e(bytesText(input.bytes))}</td>${numbers}<td>${hash}</td></tr>`;
  });
  return `<div class="table-wrap" tabindex="0" role="region" aria-label="${label}"><table><thead><tr>${heads.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

export function footer(data: ReportData): string {
  const carries = (input: ReportInput): boolean => input.events > 0 || input.snapshots > 0;
  const main = data.inputs.filter(carries);
  const rest = data.inputs.filter((input) => !carries(input));
  const limits =
    data.limits.length > 0 ? `<p>Limits that were hit: ${data.limits.map(e).join('; ')}.</p>` : '';
  return [
    '<footer>',
    '<details class="provenance"><summary>Inputs and provenance</summary>',
    inputTable(main, 'Inputs'),
    '</details>',
    rest.length > 0
      ? `<details><summary>${grouped(rest.length)} more inputs without events or snapshots (logs, settings, format files)</summary>${inputTable(rest, 'More inputs')}</details>`
      : '',
    limits,
    `<p>Rules of kernel profile ${e(data.kernel.profile)}: ${e(data.kernel.why)}.</p>`,
    `<p>Made by ${e(data.tool.name)} ${e(data.tool.version)}: <code>buddyscope ${e(data.tool.command.join(' '))}</code></p>`,
    '</footer>',
  ].join('\n');
}
