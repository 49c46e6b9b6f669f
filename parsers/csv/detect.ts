/**
 * Is it a table of events or snapshots? Looks at the header line only.
 */
import type { Detection } from '../format.js';
import { Field, FieldNames, ORDER_COLUMN } from './fields.js';

export const DELIMITERS = [',', ';', '\t'] as const;

/** The header line's text without a byte order mark, or '' if the head holds no whole line. */
export function headerLine(head: Uint8Array): string {
  const end = head.indexOf(10);
  if (end < 0 || end > 4096) return '';
  const text = new TextDecoder('utf-8').decode(head.subarray(0, end));
  return text.replace(/^\ufeff/, '').replace(/\r$/, '');
}

/** The delimiter that gives the most columns. */
export function delimiterOf(header: string): string {
  let best: string = DELIMITERS[0];
  for (const delimiter of DELIMITERS) {
    if (header.split(delimiter).length > header.split(best).length) best = delimiter;
  }
  return best;
}

/** @param map names of columns given by the user (`--map`). */
export function detectCsv(head: Uint8Array, map?: string): Detection | null {
  const header = headerLine(head);
  if (header === '' || header.includes('{')) return null;
  const cells = header.split(delimiterOf(header)).map((cell) => cell.replace(/^"(.*)"$/, '$1'));
  if (cells.length < 3) return null;
  const names = new FieldNames(map);
  const found = new Set(cells.map((cell) => names.fieldOf(cell)));
  const known = [...found].filter((field) => field >= 0).length;
  const has = (...fields: number[]): boolean => fields.every((field) => found.has(field));
  const orders = [...found].filter((field) => field >= ORDER_COLUMN).length;
  const what = has(Field.snapshot, Field.clock, Field.data)
    ? 'snapshots'
    : has(Field.event) && (has(Field.pfn) || has(Field.time, Field.order))
      ? 'events'
      : has(Field.zone) && orders >= 2
        ? 'free blocks by zone'
        : null;
  if (what === null) return null;
  return {
    confidence: known === cells.length ? 0.9 : 0.7,
    why: `a header line of ${cells.length} columns, ${known} of them known, for ${what}`,
  };
}
