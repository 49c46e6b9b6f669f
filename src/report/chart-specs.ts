/**
 * What the page draws, as small Vega-Lite specs: without rows, which the page makes from ReportData with
 * the charts' own functions.
 */
import type { ReportData } from '../analysis/report-data.js';
import { type Spec, shownCharts, wholeView } from '../charts/index.js';

/** Vega-Lite specs by chart id; one a choice where there are any: `physical-map/type`. */
export type ChartSpecs = Readonly<Record<string, Spec>>;

/** What stands above and below a plot: legends and the axis, about, in pixels. */
const AROUND = 96;

/** Style rules that keep each chart's room free until it is drawn, so that nothing jumps and no card looks empty. */
export function reservedRoom(data: ReportData): string {
  return shownCharts(data)
    .map((chart) => {
      const height = Number(chart.spec(data, wholeView(data)).height) + AROUND;
      return `#chart-${chart.id} .plot:not(.drawn){min-height:${height}px}\n`;
    })
    .join('');
}

/** The specs of all charts that have something to show. */
export function chartSpecs(data: ReportData): ChartSpecs {
  const specs: Record<string, Spec> = {};
  for (const chart of shownCharts(data)) {
    const { choice } = chart;
    const view = wholeView(data);
    if (choice === undefined) specs[chart.id] = chart.spec(data, view);
    for (const [value] of choice?.options(data) ?? []) {
      specs[`${chart.id}/${value}`] = chart.spec(data, { ...view, [choice!.field]: value });
    }
  }
  return specs;
}
