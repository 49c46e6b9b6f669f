/**
 * All charts, in the order the report shows them, and how a spec becomes whole.
 */
import type { ReportData } from '../analysis/report-data.js';
import { activityChart } from './activity.js';
import { type Chart, type ChartView, emptyWords, type Spec, wholeView } from './chart.js';
import { extfragMatrixChart, extfragOverTimeChart } from './extfrag.js';
import { failuresChart } from './failures.js';
import { freeByOrderChart } from './free-by-order.js';
import { headroomChart, ringSizeChart } from './headroom.js';
import { holdersChart } from './holders.js';
import { holdersOverTimeChart } from './holders-over-time.js';
import { extfragIndexChart, unusableChart } from './indices.js';
import { physicalMapChart } from './physical-map.js';
import { residualsChart } from './residuals.js';
import { chartConfig, type Mode } from './theme.js';
import { watermarksChart } from './watermarks.js';
import { whichText } from './which.js';

export type { Chart, ChartView, Spec } from './chart.js';
export { wholeView } from './chart.js';

/** All charts, in the order of the report. */
export const CHARTS: readonly Chart[] = [
  failuresChart,
  activityChart,
  freeByOrderChart,
  watermarksChart,
  unusableChart,
  extfragIndexChart,
  headroomChart,
  ringSizeChart,
  physicalMapChart,
  holdersChart,
  holdersOverTimeChart,
  extfragMatrixChart,
  extfragOverTimeChart,
  residualsChart,
];

/** Those that have something to show, in the order of the report. */
export function shownCharts(data: ReportData, among: readonly Chart[] = CHARTS): readonly Chart[] {
  return among.filter((chart) => emptyWords(chart, data) === null);
}

/** Characters of a subtitle that fit a chart's width: a longer line would take the room of the plot. */
const LINE = 120;

function lines(text: string): string[] {
  const found: string[] = [];
  for (const word of text.split(' ').filter(Boolean)) {
    const line = found.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= LINE)
      found.push(`${found.pop()} ${word}`);
    else found.push(word);
  }
  return found;
}

/** The whole Vega-Lite spec, with its data inside: what stands in charts/*.vl.json. */
export function wholeSpec(
  chart: Chart,
  data: ReportData,
  view: ChartView = wholeView(data),
  mode: Mode = 'light',
): Spec {
  const which = whichText(chart.id, data, view);
  const title = which === '' ? chart.title : `${chart.title} · ${which}`;
  const subtitle = lines(chart.caveat?.(data) ?? '');
  return {
    ...chart.spec(data, view),
    title: subtitle.length === 0 ? title : { text: title, subtitle },
    config: chartConfig(mode),
    datasets: chart.rows(data, view),
  };
}
