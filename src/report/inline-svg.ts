/**
 * Charts drawn here, Vega-Lite to SVG text that can stand in a page without any script. Ink is
 * `currentColor`, so they follow light, dark and paper. Style attributes that Vega writes are dropped: a
 * strict CSP would refuse them.
 */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Spec } from '../charts/chart.js';
import { inheritedInkConfig } from '../charts/theme.js';
import { escapeHtml as e } from './escape.js';

/** @param label what a screen reader says instead of the picture. */
export async function inlineSvg(spec: Spec, label: string): Promise<string> {
  const { title: _title, ...untitled } = spec;
  const whole = { ...untitled, config: inheritedInkConfig() } as unknown as TopLevelSpec;
  const view = new View(parse(compile(whole).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg
    .replace(/ style="[^"]*"/g, '')
    .replace('<svg ', `<svg role="img" aria-label="${e(label)}" `);
}
