/**
 * Charts for the page: Vega-Lite compiled to Vega here, so that the page needs neither the compiler
 * nor eval.
 *
 * The page draws on canvas and interprets expressions, so what would be reckoned for every mark without
 * being seen is taken out: descriptions for screen readers (the page has a table instead), tests for
 * invalid numbers (rows hold none, but for marks that say so), and tooltips, which the page makes when
 * one is pointed at, by the fields listed in `usermeta.tips`.
 */
import { compile, type TopLevelSpec } from 'vega-lite';
import type { TipField } from '../charts/chart.js';
import type { Spec } from '../charts/index.js';
import { chartConfig } from '../charts/theme.js';
import { UNTOUCHABLE } from '../charts/time-chart.js';
import type { ChartSpecs } from './chart-specs.js';

/** Vega specs as JSON, by the names of the Vega-Lite specs; parsed when drawn. */
export type CompiledCharts = Readonly<Record<string, string>>;

export function compileCharts(specs: ChartSpecs): CompiledCharts {
  return Object.fromEntries(
    Object.entries(specs).map(([id, spec]) => [id, JSON.stringify(compileChart(spec))]),
  );
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
