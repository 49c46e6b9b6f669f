/**
 * Charts as pictures without a browser: Vega draws SVG, resvg (optional) turns it into PNG.
 */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { ReportData } from '../analysis/report-data.js';
import { CHARTS, type Chart, shownCharts, wholeSpec, wholeView } from '../charts/index.js';
import { INK, type Mode } from '../charts/theme.js';

/** A chart as SVG text. */
export async function chartSvg(
  chart: Chart,
  data: ReportData,
  mode: Mode = 'light',
): Promise<string> {
  const spec = wholeSpec(chart, data, wholeView(data), mode);
  const vega = compile({ ...spec, background: INK[mode].paper } as unknown as TopLevelSpec).spec;
  const signals = (vega.signals ?? []).map((signal) => {
    const ink: Readonly<Record<string, string>> = { ...INK[mode] };
    return signal.name in ink ? { ...signal, value: ink[signal.name] } : signal;
  });
  const view = new View(parse({ ...vega, signals } as typeof vega), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

/** Null when @resvg/resvg-js is not installed. */
export async function pngOfSvg(svg: string): Promise<Uint8Array | null> {
  const resvg = await import('@resvg/resvg-js').catch(() => null);
  if (resvg === null) return null;
  // resvg finds no family of a list in which one is quoted, and falls back to whatever it has.
  const unquoted = svg.replace(/font-family="[^"]*"/g, (list) => list.replaceAll('&quot;', ''));
  const drawn = new resvg.Resvg(unquoted, {
    background: INK.light.paper,
    fitTo: { mode: 'zoom', value: 2 },
    font: { loadSystemFonts: true, defaultFontFamily: 'sans-serif' },
  });
  return drawn.render().asPng();
}

/**
 * PNG by file name (`failures.png`), twice the charts' size; null when @resvg/resvg-js is not
 * installed.
 */
export async function chartPngs(
  data: ReportData,
  mode: Mode = 'light',
  charts: readonly Chart[] = CHARTS,
): Promise<ReadonlyMap<string, Uint8Array> | null> {
  const files = new Map<string, Uint8Array>();
  for (const chart of shownCharts(data, charts)) {
    const png = await pngOfSvg(await chartSvg(chart, data, mode));
    if (png === null) return null;
    files.set(`${chart.id}.png`, png);
  }
  return files;
}
