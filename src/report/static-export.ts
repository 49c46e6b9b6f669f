/**
 * Export from pages without a script: links that carry the file themselves.
 */
import { csvField, escapeHtml as e } from './escape.js';
import { pngOfSvg } from './png.js';

export interface ExportFile {
  /** What the link says. */
  readonly label: string;
  readonly name: string;
  readonly type: string;
  readonly content: string | Uint8Array;
}

type Cell = string | number | boolean | null | undefined;

export function csvFile(
  name: string,
  heads: readonly string[],
  rows: readonly (readonly Cell[])[],
) {
  const lines = [heads, ...rows].map((row) => row.map(csvField).join(','));
  const content = `${lines.join('\n')}\n`;
  return { label: 'CSV', name: `${name}.csv`, type: 'text/csv', content };
}

/** A chart as it stands in the page, its spec, and a picture where resvg is installed. */
export async function chartFiles(
  name: string,
  svg: string,
  spec: Readonly<Record<string, unknown>>,
): Promise<ExportFile[]> {
  const png = await pngOfSvg(svg);
  const json = `${JSON.stringify(spec)}\n`;
  return [
    { label: 'SVG', name: `${name}.svg`, type: 'image/svg+xml', content: svg },
    ...(png === null
      ? []
      : [{ label: 'PNG', name: `${name}.png`, type: 'image/png', content: png }]),
    { label: 'Vega-Lite', name: `${name}.vl.json`, type: 'application/json', content: json },
  ];
}

export function exportLinks(files: readonly ExportFile[]): string {
  const links = files.map(({ label, name, type, content }) => {
    const data = Buffer.from(content as Uint8Array).toString('base64');
    return `<a download="${e(name)}" href="data:${type};base64,${data}">${e(label)}</a>`;
  });
  return `<details class="export"><summary>Export</summary><p>${links.join(' ')}</p></details>`;
}
