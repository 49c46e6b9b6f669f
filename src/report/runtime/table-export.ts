/**
 * A CSV button below tables that stand in the page, with what they show. Tables behind charts have
 * their own export, of all rows.
 */
import { csvField } from '../escape.js';
import { download, element } from './dom.js';

/** What a cell says: grouping spaces are for the eye, and a shortened text has its whole as title. */
function cellText(cell: HTMLTableCellElement): string | number {
  const whole = cell.querySelector<HTMLElement>('[title]')?.title;
  const text = whole ?? cell.innerText.trim();
  const plain = text.replaceAll('\u202f', '').replaceAll('\u00a0', ' ');
  return /^\d+(\.\d+)?$/.test(plain) ? Number(plain) : plain;
}

function csvOf(table: HTMLTableElement): string {
  const lines = [...table.rows].map((row) =>
    [...row.cells].map((cell) => csvField(cellText(cell))).join(','),
  );
  return `${lines.join('\n')}\n`;
}

/** @param wrap a `.table-wrap` in its place; the button goes behind it. */
export function offerCsv(wrap: HTMLElement): void {
  const label = wrap.getAttribute('aria-label') ?? 'table';
  const name = label.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const button = element(
    'button',
    { type: 'button', class: 'link csv', 'aria-label': `${label} as CSV` },
    'CSV',
  );
  button.addEventListener('click', () => {
    const table = wrap.querySelector('table');
    if (table) download(`buddyscope-${name}.csv`, 'text/csv', csvOf(table));
  });
  wrap.after(button);
}
