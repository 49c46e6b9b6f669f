/**
 * The free lists of each zone at a moment, as a table by order, with bounds where they are not exact.
 */
import type { Moment, ReportData } from '../../analysis/report-data.js';
import { bytesText, grouped } from '../../analysis/words.js';
import { zoneName } from '../../charts/chart.js';
import { hasBounds } from '../moment.js';
import { element } from './dom.js';

type ZoneCounts = Moment['zones'][number];

/** Zones as a request tries them, then those it never tries. */
function zonesInOrder(data: ReportData, zone: number | null): number[] {
  if (zone !== null) return [zone];
  const rest = data.zones.map((_, i) => i).filter((i) => !data.zonelist.includes(i));
  return [...data.zonelist, ...rest];
}

/** @param order of the request: blocks from it on could serve it. */
export function freeListTable(
  data: ReportData,
  zones: readonly ZoneCounts[],
  order: number,
  zone: number | null,
): HTMLElement {
  const shown = zonesInOrder(data, zone);
  const head = element('tr', {}, element('th', { scope: 'col' }, 'block · order'));
  for (const z of shown)
    head.append(element('th', { scope: 'col', class: 'n' }, zoneName(data, z)));
  const body = element('tbody');
  for (let q = data.orders - 1; q >= 0; q--) {
    const size = `${bytesText(2 ** q * data.pageSize)} · ${q}`;
    const row = element('tr', { class: q >= order ? 'serves' : 'small' });
    row.append(element('th', { scope: 'row' }, size));
    for (const z of shown) row.append(countCell(zones[z]!, q));
    body.append(row);
  }
  const total = element('tr', { class: 'total' }, element('th', { scope: 'row' }, 'free in all'));
  for (const z of shown) {
    const { freePages } = zones[z]!;
    const about = hasBounds(zones[z]!) ? 'about ' : '';
    const text = `${about}${grouped(freePages)} pages, ${bytesText(freePages * data.pageSize)}`;
    total.append(element('td', { class: 'n' }, text));
  }
  const table = element('table', { class: 'lists' }, element('thead', {}, head), body);
  table.append(element('tfoot', {}, total));
  return element(
    'div',
    {},
    element('h3', {}, 'Free blocks, by size'),
    element(
      'div',
      { class: 'table-wrap', tabindex: '0', role: 'region', 'aria-label': 'Free lists' },
      table,
    ),
  );
}

function countCell(zone: ZoneCounts, q: number): HTMLElement {
  const [low, free, high] = [zone.low[q] ?? 0, zone.free[q] ?? 0, zone.high[q] ?? 0];
  const text = low === high ? grouped(free) : `${grouped(free)} (${grouped(low)}–${grouped(high)})`;
  const share = zone.freePages > 0 ? Math.min(1, (free * 2 ** q) / zone.freePages) : 0;
  const cell = element('td', { class: free === 0 ? 'n none' : 'n' }, text);
  cell.style.setProperty('--share', `${(share * 100).toFixed(1)}%`);
  return cell;
}
