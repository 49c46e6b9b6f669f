/**
 * Charts for the page: Vega-Lite compiled to Vega here, so that the page needs neither the compiler
 * nor eval. Rows are left out; the page makes them from ReportData with the charts' own functions.
 */
import { compile, type TopLevelSpec } from 'vega-lite';
import type { ReportData } from '../analysis/report-data.js';
import { CHARTS, type Chart, type Spec, wholeView } from '../charts/index.js';
import { MAP_PLANES } from '../charts/physical-map.js';
import { chartConfig } from '../charts/theme.js';

/** Vega specs by chart id; the physical map has one a plane, `physical-map/type`. */
export type CompiledCharts = Readonly<Record<string, Spec>>;

export function compileCharts(data: ReportData): CompiledCharts {
  const compiled: Record<string, Spec> = {};
  for (const chart of CHARTS) {
    if (!chart.hasData(data)) continue;
    if (chart.id !== 'physical-map') {
      compiled[chart.id] = compileChart(chart, chart.spec(data, wholeView(data)));
      continue;
    }
    for (const { plane } of MAP_PLANES) {
      const spec = chart.spec(data, { ...wholeView(data), plane });
      compiled[`${chart.id}/${plane}`] = compileChart(chart, spec);
    }
  }
  return compiled;
}

function compileChart(_chart: Chart, spec: Spec): Spec {
  const { title: _title, ...untitled } = spec;
  const { spec: vega } = compile(
    { ...untitled, config: chartConfig('light') } as unknown as TopLevelSpec,
    { logger: quiet as never },
  );
  return vega as unknown as Spec;
}

/** Warnings are a matter of the charts' tests, not of a user's report. */
const quiet = {
  level: () => quiet,
  warn: () => quiet,
  info: () => quiet,
  debug: () => quiet,
  error: () => quiet,
};
