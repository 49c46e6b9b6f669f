/** A chart as SVG, PNG, Vega-Lite spec or CSV, as the reader sees it now. */
import type { ReportData } from '../../analysis/report-data.js';
import type { Chart, ChartView, Spec } from '../../charts/chart.js';
import { wholeSpec } from '../../charts/index.js';
import { INK, type Mode } from '../../charts/theme.js';
import { plotRoom } from '../../charts/time-chart.js';
import { download } from './dom.js';
import { csvOf } from './table.js';
import { createView, setRows } from './vega-view.js';

const EXPORT_WIDTH = 960;

export async function exportChart(
  chart: Chart,
  data: ReportData,
  view: ChartView,
  what: string,
  compiled: Spec,
  mode: Mode,
): Promise<void> {
  const name = `buddyscope-${chart.id}`;
  if (what === 'Vega-Lite') {
    const spec = wholeSpec(chart, data, view, mode);
    download(`${name}.vl.json`, 'application/json', `${JSON.stringify(spec, null, 1)}\n`);
    return;
  }
  if (what === 'CSV') {
    download(`${name}.csv`, 'text/csv', csvOf(chart, chart.rows(data, view)));
    return;
  }
  const drawn = createView({ ...compiled, background: INK[mode].paper }, mode, null);
  setRows(drawn, chart.rows(data, view));
  if (chart.overTime) {
    drawn.signal('t0', view.fromNs / 1e9 + data.clock.epochS);
    drawn.signal('t1', view.toNs / 1e9 + data.clock.epochS);
  }
  drawn.background(INK[mode].paper);
  await drawn.signal('room', plotRoom(EXPORT_WIDTH)).width(EXPORT_WIDTH).resize().runAsync();
  if (what === 'SVG') {
    download(`${name}.svg`, 'image/svg+xml', await drawn.toSVG());
  } else {
    const canvas = (await drawn.toCanvas(2)) as unknown as HTMLCanvasElement;
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
    if (blob) download(`${name}.png`, 'image/png', blob);
  }
  drawn.finalize();
}
