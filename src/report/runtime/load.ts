/** What the page carries: report and compiled charts, compressed by src/report/pack.ts. */
import type { ReportData } from '../../analysis/report-data.js';
import { decodeBase64 } from '../../charts/base64.js';
import type { CompiledCharts } from '../compile-charts.js';

export interface Carried {
  readonly data: ReportData;
  readonly charts: CompiledCharts;
}

export async function loadCarried(): Promise<Carried> {
  const bytes = decodeBase64(document.getElementById('report-data')?.textContent ?? '');
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('deflate'));
  return (await new Response(stream).json()) as Carried;
}
