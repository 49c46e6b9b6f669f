/** One tooltip for all charts: a list of names and values, as text. */
import { byId, element } from './dom.js';

export function hideTooltip(): void {
  byId('tooltip', HTMLDivElement).hidden = true;
}

export function showTooltip(x: number, y: number, value: unknown): void {
  const box = byId('tooltip', HTMLDivElement);
  const entries =
    typeof value === 'object' && value !== null
      ? Object.entries(value).filter(([, v]) => v !== '' && v !== null && v !== undefined)
      : [];
  if (entries.length === 0 && typeof value !== 'string') {
    box.hidden = true;
    return;
  }
  const list = element('dl');
  for (const [name, text] of entries) {
    list.append(element('dt', {}, name), element('dd', {}, String(text)));
  }
  box.replaceChildren(typeof value === 'string' ? value : list);
  box.hidden = false;
  const { width, height } = box.getBoundingClientRect();
  const left = x + 16 + width > innerWidth ? x - width - 12 : x + 16;
  const top = y + 16 + height > innerHeight ? y - height - 12 : y + 16;
  box.style.left = `${Math.max(4, left)}px`;
  box.style.top = `${Math.max(4, top)}px`;
}
