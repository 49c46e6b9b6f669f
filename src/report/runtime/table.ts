/** The table behind a chart, and the same rows as CSV. */
import type { Cell, Chart, Datasets, Row } from '../../charts/chart.js';
import { csvField } from '../escape.js';
import { element } from './dom.js';

/** Rows put into the page; the rest is in the CSV. */
const MAX_ROWS = 400;

function show(value: Cell | undefined): string {
  if (value === null || value === undefined) return '–';
  if (typeof value !== 'number' || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(9)));
}

export function tableOf(chart: Chart, datasets: Datasets): readonly Row[] {
  return datasets[chart.table.dataset] ?? [];
}

export function fillTable(wrap: HTMLElement, chart: Chart, datasets: Datasets): void {
  const rows = tableOf(chart, datasets);
  const head = element('tr');
  for (const [field, title] of chart.table.columns) {
    head.append(element('th', { scope: 'col', ...numeric(rows[0]?.[field]) }, title));
  }
  const body = element('tbody');
  for (const row of rows.slice(0, MAX_ROWS)) {
    const line = element('tr');
    for (const [field] of chart.table.columns) {
      line.append(element('td', numeric(row[field]), show(row[field])));
    }
    body.append(line);
  }
  const more =
    rows.length > MAX_ROWS
      ? element(
          'p',
          { class: 'quiet' },
          `The first ${MAX_ROWS} of ${rows.length} rows; zoom in, or export CSV for all.`,
        )
      : null;
  const none =
    rows.length === 0 ? element('p', { class: 'none' }, 'Nothing in what is shown.') : null;
  wrap.replaceChildren(
    element('table', {}, element('thead', {}, head), body),
    ...[none, more].filter((note) => note !== null),
  );
}

function numeric(value: Cell | undefined): Record<string, string> {
  return typeof value === 'number' ? { class: 'n' } : {};
}

export function csvOf(chart: Chart, datasets: Datasets): string {
  const lines = [chart.table.columns.map(([field]) => field).join(',')];
  for (const row of tableOf(chart, datasets)) {
    lines.push(chart.table.columns.map(([field]) => csvField(row[field])).join(','));
  }
  return `${lines.join('\n')}\n`;
}
