/**
 * Charts drawn here, Vega-Lite to SVG text that can stand in a page without any script. Ink is
 * `currentColor`, so they follow light, dark and paper. Style attributes that Vega writes are dropped: a
 * strict CSP would refuse them.
 */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Spec } from '../charts/chart.js';
import { escapeHtml as e } from './escape.js';

const INK = 'currentColor';

const CONFIG = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  axis: { labelColor: INK, titleColor: INK, tickColor: INK, domainColor: INK, gridOpacity: 0.25 },
  header: { labelColor: INK, labelFontWeight: 'bold' },
  legend: { labelColor: INK, titleColor: INK },
  text: { fill: INK },
  view: { stroke: null },
};

/** @param label what a screen reader says instead of the picture. */
export async function inlineSvg(spec: Spec, label: string): Promise<string> {
  const { title: _title, ...untitled } = spec;
  const whole = { ...untitled, config: CONFIG } as unknown as TopLevelSpec;
  const view = new View(parse(compile(whole).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg
    .replace(/ style="[^"]*"/g, '')
    .replace('<svg ', `<svg role="img" aria-label="${e(label)}" `);
}
