/**
 * The files of a report, as contents by name. Writing them is the command's business.
 *
 * report.html, summary.json (ReportData, one top-level key a line), timeline.csv, failures.ndjson and
 * charts/*.vl.json. The same data gives the same bytes. No name comes from the input.
 */
import type { ReportData } from '../analysis/report-data.js';
import type { FailureWindow } from '../analysis/types.js';
import { shownCharts, wholeSpec } from '../charts/index.js';
import { formatSeconds } from '../records/time.js';
import { type ChartSpecs, chartSpecs } from './chart-specs.js';
import type { CompiledCharts } from './compile-charts.js';
import { csvField } from './escape.js';
import { beginHtml, type HtmlAssets } from './html.js';

/** Contents by file name below the output folder. */
export type ReportFiles = ReadonlyMap<string, string>;

/**
 * @param windows all failure windows; `data.windows` may hold fewer.
 * @param compile compiles the charts in the background, while the other files are made.
 */
export async function reportFiles(
  data: ReportData,
  windows: readonly FailureWindow[],
  assets: HtmlAssets,
  compile: (specs: ChartSpecs) => Promise<CompiledCharts> = compileHere,
): Promise<ReportFiles> {
  const charts = compile(chartSpecs(data));
  const files = plainFiles(data, windows);
  const page = beginHtml(data, assets);
  return new Map([['report.html', page(await charts)], ...files]);
}

/** Loads the compiler when it is needed, and compiles on this thread. */
export async function compileHere(specs: ChartSpecs): Promise<CompiledCharts> {
  return (await import('./compile-charts.js')).compileCharts(specs);
}

/** All files but the page. */
function plainFiles(data: ReportData, windows: readonly FailureWindow[]): ReportFiles {
  const files = new Map<string, string>();
  files.set('summary.json', summaryJson(data));
  files.set('timeline.csv', timelineCsv(data));
  files.set(
    'failures.ndjson',
    windows.map((window) => `${failureLine(window, data.clock.epochS)}\n`).join(''),
  );
  for (const chart of shownCharts(data)) {
    files.set(`charts/${chart.id}.vl.json`, `${JSON.stringify(wholeSpec(chart, data))}\n`);
  }
  return files;
}

/** Compact JSON with each top-level key on a line of its own. */
export function summaryJson(data: ReportData): string {
  const lines = Object.entries(data).map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
  );
  return `{\n${lines.join(',\n')}\n}\n`;
}

/** One line of failures.ndjson, without the line end. Times are exact seconds. */
export function failureLine(window: FailureWindow, epochS: number): string {
  const { order, gfp, node, fromNs, toNs, reason, certainty, openedBy, closedBy } = window;
  const edges = JSON.stringify({ openedBy, closedBy }).slice(1);
  return `{"order":${order},"gfp":${JSON.stringify(gfp)},"node":${node},"from":${formatSeconds(fromNs, epochS)},"to":${formatSeconds(toNs, epochS)},"reason":"${reason}","certainty":"${certainty}",${edges}`;
}

const CERTAINTY: Readonly<Record<string, string>> = { e: 'exact', b: 'bounded', u: 'unknown' };

/** A row a bucket and zone: state at the bucket's end, extremes inside it, blocks by order. */
export function timelineCsv(data: ReportData): string {
  const { timeline } = data;
  const orders = Array.from({ length: data.orders }, (_, q) => q);
  const head = ['t', 'node', 'zone', 'certainty', 'free_pages', 'least_pages', 'most_pages'];
  const lines = [[...head, ...orders.map((q) => `order${q}`)].join(',')];
  for (let b = 0; b < timeline.buckets; b++) {
    const endNs = Math.round(timeline.fromNs + (b + 1) * timeline.bucketNs);
    timeline.zones.forEach((zone, z) => {
      const place = data.zones[z]!;
      const fields = [
        formatSeconds(endNs, data.clock.epochS),
        place.node,
        csvField(place.zone),
        CERTAINTY[zone.certainty[b] ?? 'u'],
        zone.freePages[b],
        zone.freePagesMin[b],
        zone.freePagesMax[b],
        ...orders.map((q) => zone.last[q]?.[b] ?? 0),
      ];
      lines.push(fields.join(','));
    });
  }
  return `${lines.join('\n')}\n`;
}
