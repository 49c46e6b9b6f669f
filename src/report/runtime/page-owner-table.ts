/**
 * Who holds pages of the pageblock shown, most first, and for how long.
 */
import { duration, grouped } from '../../analysis/words.js';
import { element } from './dom.js';
import type { BlockThen, PageStore } from './page-store.js';

interface Held {
  pages: number;
  /** Oldest and newest allocation, seconds since the start of the span. */
  first: number;
  last: number;
}

function heldByOwner(block: BlockThen | null): [number, Held][] {
  const owners = new Map<number, Held>();
  for (const { owner, pages, sinceS } of block?.runs ?? []) {
    if (owner < 0) continue;
    const held = owners.get(owner) ?? { pages: 0, first: sinceS, last: sinceS };
    owners.set(owner, held);
    held.pages += pages;
    held.first = Math.min(held.first, sinceS);
    held.last = Math.max(held.last, sinceS);
  }
  return [...owners].sort((a, b) => b[1].pages - a[1].pages);
}

/** @param nowS the instant shown, seconds since the start of the span. */
export function fillOwnerTable(
  box: HTMLElement,
  store: PageStore,
  block: BlockThen | null,
  nowS: number,
): void {
  const owners = heldByOwner(block);
  if (owners.length === 0) {
    box.replaceChildren(
      element('p', { class: 'quiet' }, 'No page in it was allocated in the recording.'),
    );
    return;
  }
  const age = (sinceS: number): string => duration(Math.max(0, nowS - sinceS) * 1e9);
  const body = element('tbody');
  for (const [index, { pages, first, last }] of owners) {
    const owner = store.owner(index);
    const held = age(first) === age(last) ? age(first) : `${age(last)} to ${age(first)}`;
    const how = [owner?.gfp, owner?.site].filter(Boolean).join(' · ');
    const cells = [owner?.comm || '?', grouped(pages), owner?.migratetype ?? '', held, how];
    body.append(element('tr', {}, ...cells.map((text, i) => element('td', numeric(i), text))));
  }
  const heads = ['Task', 'Pages', 'Migratetype', 'Held for', 'gfp flags, call site'];
  const head = heads.map((text, i) => element('th', { scope: 'col', ...numeric(i) }, text));
  box.replaceChildren(element('table', {}, element('thead', {}, element('tr', {}, ...head)), body));
}

/** The second column holds numbers. */
function numeric(column: number): Record<string, string> {
  return column === 1 ? { class: 'n' } : {};
}
