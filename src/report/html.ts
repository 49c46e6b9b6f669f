/**
 * The report as one self-contained HTML file.
 *
 * Strict CSP: nothing is loaded, the one script and the one style are allowed by their hashes, no
 * eval (vega-interpreter). All words stand in the HTML itself, so the page reads without scripts;
 * data and charts go into elements that are not executed, compressed (pack.ts).
 */
import { createHash } from 'node:crypto';
import type { ReportData } from '../analysis/report-data.js';
import { reservedRoom } from './chart-specs.js';
import type { CompiledCharts } from './compile-charts.js';
import { escapeHtml } from './escape.js';
import { packJson } from './pack.js';
import { pageBody } from './page.js';
import { STYLE } from './style.js';

/** What the page embeds beside the data. */
export interface HtmlAssets {
  /** The bundled browser side (dist/src/report/runtime.js). */
  readonly runtime: string;
}

/** `sha256-…` as CSP wants it. */
export function cspHash(content: string): string {
  return `sha256-${createHash('sha256').update(content, 'utf8').digest('base64')}`;
}

export function contentSecurityPolicy(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src '${cspHash(script)}'`,
    `style-src '${cspHash(style)}'`,
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** The same for a page without scripts. */
export function staticPolicy(style: string): string {
  return `default-src 'none'; style-src '${cspHash(style)}'; base-uri 'none'; form-action 'none'`;
}

/** From the doctype to the end of the head. */
export function documentHead(title: string, policy: string, style: string): string[] {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${escapeHtml(title)} · buddyscope</title>`,
    `<style>${style}</style>`,
    '</head>',
  ];
}

/** The page but for its charts, which may still be in the making; what is returned puts them in. */
export function beginHtml(
  data: ReportData,
  assets: HtmlAssets,
): (charts: CompiledCharts) => string {
  const script = safeScript(assets.runtime);
  const style = `${STYLE}${reservedRoom(data)}`;
  const before = [
    ...documentHead(data.title, contentSecurityPolicy(script, style), style),
    '<body>',
    pageBody(data),
    carried('report-data', data),
  ];
  const after = [`<script>${script}</script>`, '</body>', '</html>', ''];
  return (charts) => [...before, carried('report-charts', charts), ...after].join('\n');
}

/** What the page's script finds under this id. */
function carried(id: string, value: unknown): string {
  return `<script type="application/octet-stream" id="${id}">${packJson(value)}</script>`;
}

/** Our own bundle could hold `</script` in a string; it must not end the element. */
function safeScript(runtime: string): string {
  return runtime.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
}
