/** What the page carries: report and compiled charts, compressed by src/report/pack.ts. */
import type { ReportData } from '../../analysis/report-data.js';
import { decodeBase64 } from '../../charts/base64.js';
import type { CompiledCharts } from '../compile-charts.js';

export interface Carried {
  readonly data: ReportData;
  readonly charts: CompiledCharts;
}

/** Undoes zlib's deflate of base64 text. */
export async function inflate(text: string): Promise<Response> {
  const bytes = decodeBase64(text) as Uint8Array<ArrayBuffer>;
  if (bytes.length === 0) return new Response('');
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate')));
}

export async function loadCarried(): Promise<Carried> {
  const [data, charts] = await Promise.all([
    carried<ReportData>('report-data'),
    carried<CompiledCharts>('report-charts'),
  ]);
  return { data, charts };
}

async function carried<T>(id: string): Promise<T> {
  const body = await inflate(document.getElementById(id)?.textContent ?? '');
  return (await body.json()) as T;
}
