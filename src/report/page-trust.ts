/**
 * The page's last part: how far to trust it, and where everything came from.
 */
import type { ReportData, ReportDiagnostic } from '../analysis/report-data.js';
import { bytesText, grouped } from '../analysis/words.js';
import { escapeHtml as e } from './escape.js';

export function trustSection(data: ReportData, residuals: string): string {
  return [
    '<section class="group" aria-labelledby="section-trust">',
    '<h2 id="section-trust">How far to trust it</h2>',
    `<div class="card words"><ul>${data.narrative.trust.map((line) => `<li>${e(line)}</li>`).join('')}</ul></div>`,
    residuals,
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
    const hint = d.hint ? `<br><span class="quiet">${e(d.hint)}</span>` : '';
    return `<tr><td><span class="badge ${d.severity}">${d.severity}</span></td><td>${e(d.message)}${hint}</td><td>${e(place)}</td><td class="n">${grouped(d.count)}</td><td><code>${e(d.code)}</code></td></tr>`;
  });
  return [
    '<section class="card" aria-labelledby="diagnostics"><h3 id="diagnostics">What could not be used</h3>',
    '<div class="table-wrap" tabindex="0" role="region" aria-label="Diagnostics"><table>',
    '<thead><tr><th scope="col">Severity</th><th scope="col">What</th><th scope="col">Where</th><th scope="col" class="n">Times</th><th scope="col">Code</th></tr></thead>',
    `<tbody>${rows.join('')}</tbody></table></div></section>`,
  ].join('');
}

function kernelCard(data: ReportData): string {
  const features = Object.entries(data.kernel.features);
  if (features.length === 0) return '';
  const rows = features.map(
    ([name, value]) => `<tr><td><code>${e(name)}</code></td><td>${e(String(value))}</td></tr>`,
  );
  return [
    '<details class="card plain"><summary>The kernel rules that were applied</summary>',
    `<p class="quiet">Profile ${e(data.kernel.profile)}: ${e(data.kernel.why)}</p>`,
    '<div class="table-wrap" tabindex="0" role="region" aria-label="Kernel profile"><table>',
    '<thead><tr><th scope="col">Rule</th><th scope="col">Value</th></tr></thead>',
    `<tbody>${rows.join('')}</tbody></table></div></details>`,
  ].join('');
}

export function footer(data: ReportData): string {
  const rows = data.inputs.map(
    (input) =>
      `<tr><td>${e(input.name)}</td><td>${e(input.format)}${input.compression ? ` (${e(input.compression)})` : ''}</td><td class="n">${e(bytesText(input.bytes))}</td><td class="n">${grouped(input.events)}</td><td class="n">${grouped(input.snapshots)}</td><td class="n">${grouped(input.lostEvents)}</td><td class="n">${grouped(input.skippedLines)}</td><td><code>${input.sha256 ? e(input.sha256.slice(0, 16)) : '–'}</code></td></tr>`,
  );
  const limits =
    data.limits.length > 0 ? `<p>Limits that were hit: ${data.limits.map(e).join('; ')}.</p>` : '';
  return [
    '<footer>',
    '<details><summary>Inputs and provenance</summary>',
    '<div class="table-wrap" tabindex="0" role="region" aria-label="Inputs"><table>',
    '<thead><tr><th scope="col">Input</th><th scope="col">Format</th><th scope="col" class="n">Size</th><th scope="col" class="n">Events</th><th scope="col" class="n">Snapshots</th><th scope="col" class="n">Lost</th><th scope="col" class="n">Skipped lines</th><th scope="col">SHA-256</th></tr></thead>',
    `<tbody>${rows.join('')}</tbody></table></div></details>`,
    limits,
    `<p>Made by ${e(data.tool.name)} ${e(data.tool.version)}: <code>buddyscope ${e(data.tool.command.join(' '))}</code></p>`,
    '</footer>',
  ].join('\n');
}
