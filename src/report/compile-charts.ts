/**
 * Charts for the page: Vega-Lite compiled to Vega here, so that the page needs neither the compiler
 * nor eval. Rows are left out; the page makes them from ReportData with the charts' own functions.
 *
 * The page draws on canvas and interprets expressions, so what would be reckoned for every mark without
 * being seen is taken out: descriptions for screen readers (the page has a table instead), tests for
 * invalid numbers (rows hold none, but for marks that say so), and tooltips, which the page makes when
 * one is pointed at, by the fields listed in `usermeta.tips`.
 */
import { compile, type TopLevelSpec } from 'vega-lite';
import type { ReportData } from '../analysis/report-data.js';
import { emptyWords, type TipField } from '../charts/chart.js';
import { CHARTS, type Spec, wholeView } from '../charts/index.js';
import { chartConfig } from '../charts/theme.js';
import { UNTOUCHABLE } from '../charts/time-chart.js';

/** Vega specs as JSON by chart id, parsed when drawn; one a choice where there are any: `physical-map/type`. */
export type CompiledCharts = Readonly<Record<string, string>>;

/** What stands above and below a plot: legends and the axis, about, in pixels. */
const AROUND = 96;

/** Style rules that keep each chart's room free until it is drawn, so that nothing jumps and no card looks empty. */
export function reservedRoom(data: ReportData): string {
  return CHARTS.filter((chart) => emptyWords(chart, data) === null)
    .map((chart) => {
      const height = Number(chart.spec(data, wholeView(data)).height) + AROUND;
      return `#chart-${chart.id} .plot:not(.drawn){min-height:${height}px}\n`;
    })
    .join('');
}

export function compileCharts(data: ReportData): CompiledCharts {
  const compiled: Record<string, string> = {};
  for (const chart of CHARTS) {
    if (emptyWords(chart, data) !== null) continue;
    const { choice } = chart;
    if (choice === undefined) {
      compiled[chart.id] = JSON.stringify(compileChart(chart.spec(data, wholeView(data))));
      continue;
    }
    for (const [value] of choice.options(data)) {
      const spec = chart.spec(data, { ...wholeView(data), [choice.field]: value });
      compiled[`${chart.id}/${value}`] = JSON.stringify(compileChart(spec));
    }
  }
  return compiled;
}

function compileChart(spec: Spec): Spec {
  const { title: _title, ...untitled } = spec;
  const tips: TipField[][] = [];
  const light = withoutTips(untitled, tips);
  const config = { ...chartConfig('light'), aria: false, mark: { invalid: 'show' } };
  const { spec: vega } = compile({ ...light, config } as unknown as TopLevelSpec, {
    logger: quiet as never,
  });
  return { ...untouchable(vega as unknown as Spec), usermeta: { tips } };
}

/** Lets the pointer through the shade that lies over the marks. */
function untouchable(vega: Spec): Spec {
  const marks = vega.marks as readonly Spec[];
  const lets = (mark: Spec): Spec =>
    mark.name === `${UNTOUCHABLE}_marks` ? { ...mark, interactive: false } : mark;
  return { ...vega, marks: marks.map(lets) };
}

/** The same spec with each list of tooltip fields replaced by its number in `tips`, from 1: Vega shows none for 0. */
function withoutTips(spec: Spec, tips: TipField[][]): Spec {
  const result: Record<string, unknown> = { ...spec };
  const encoding = spec.encoding as Readonly<Record<string, unknown>> | undefined;
  if (Array.isArray(encoding?.tooltip)) {
    tips.push(encoding.tooltip.map(({ type: _type, ...field }) => field));
    result.encoding = { ...encoding, tooltip: { value: tips.length } };
  }
  if (Array.isArray(spec.layer)) {
    result.layer = spec.layer.map((layer: Spec) => withoutTips(layer, tips));
  }
  return result;
}

/** Warnings are a matter of the charts' tests, not of a user's report. */
const quiet = {
  level: () => quiet,
  warn: () => quiet,
  info: () => quiet,
  debug: () => quiet,
  error: () => quiet,
};
