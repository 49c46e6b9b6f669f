/**
 * Physical memory at one instant as a strip a zone: lowest address left, shaded by how much is free.
 */
import type { ReportData } from '../../analysis/report-data.js';
import { bytesText } from '../../analysis/words.js';
import { zoneName } from '../../charts/chart.js';
import { MapColumn } from '../../charts/map-column.js';
import { element } from './dom.js';

const HEIGHT = 16;
const WIDTH = 700;

/** @param pick is told the pfn that was clicked. */
export function memoryStrips(
  data: ReportData,
  atNs: number,
  zone: number | null,
  pick: (pfn: number) => void,
): HTMLElement[] {
  const { physicalMap } = data;
  if (!physicalMap || physicalMap.rows.length === 0) return [];
  const column = MapColumn.at(physicalMap, 'free', atNs);
  const strips = data.zones.flatMap((_, z) => {
    if (zone !== null && z !== zone) return [];
    const rows = physicalMap.rows.flatMap((row, i) => (row.zone === z ? [i] : []));
    return rows.length === 0 ? [] : [strip(data, column, z, rows, pick)];
  });
  if (strips.length === 0) return [];
  return [
    element('h3', {}, 'Physical memory'),
    element(
      'p',
      { class: 'quiet' },
      'Address rises to the right; light is free, dark in use, hatched not known. Click for the pages.',
    ),
    ...strips,
  ];
}

function strip(
  data: ReportData,
  column: MapColumn,
  zone: number,
  rows: readonly number[],
  pick: (pfn: number) => void,
): HTMLElement {
  const map = data.physicalMap!;
  const canvas = element('canvas', { class: 'strip', role: 'img' });
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d')!;
  const pages = rows.reduce((sum, r) => sum + map.rows[r]!.pages, 0);
  let free = 0;
  let at = 0;
  for (const r of rows) {
    const width = (map.rows[r]!.pages / pages) * WIDTH;
    const value = column.value(r);
    if (typeof value === 'number') {
      free += value * map.rows[r]!.pages;
      context.fillStyle = column.color(r) ?? 'transparent';
      context.globalAlpha = column.opacity(r);
      context.fillRect(at, 0, Math.ceil(at + width) - at, HEIGHT);
    }
    at += width;
  }
  const name = zoneName(data, zone);
  const size = bytesText(pages * data.pageSize);
  canvas.setAttribute('aria-label', `${name}: ${bytesText(free * data.pageSize)} of ${size} free`);
  canvas.addEventListener('click', (event) => {
    const share = event.offsetX / canvas.clientWidth;
    let left = share * pages;
    const row = rows.find((r) => {
      left -= map.rows[r]!.pages;
      return left < 0;
    });
    if (row !== undefined) pick(map.rows[row]!.pfn);
  });
  return element('div', { class: 'strip-row' }, element('span', {}, name), canvas);
}
