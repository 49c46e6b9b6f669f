/**
 * What stands between each zone and its next free block of an order, in words.
 */
import type { NearestBlock, ReportData } from '../../analysis/report-data.js';
import { grouped, plural } from '../../analysis/words.js';
import { zoneName } from '../../charts/chart.js';
import { REASON_WORDS } from '../../charts/theme.js';
import { formatSeconds } from '../../records/time.js';
import { nearestBefore } from '../moment.js';
import { element } from './dom.js';

/** Empty when it was never looked at up to this time. */
export function nearestBlocks(
  data: ReportData,
  atNs: number,
  order: number,
  zone: number | null,
  pick: (pfn: number) => void,
): HTMLElement[] {
  const found = nearestBefore(data, atNs, order);
  const blocks = (found?.blocks ?? []).filter((block) => zone === null || block.zone === zone);
  if (!found || blocks.length === 0) return [];
  const list = element('ul', { class: 'nearest' });
  for (const block of blocks) {
    const { node, zone: name } = data.zones[block.zone]!;
    const word = found.verdict?.zones.find((z) => z.node === node && z.zone === name)?.reason;
    const item = blockItem(data, block, word && word !== 'none' ? REASON_WORDS[word] : '');
    const show = element('button', { type: 'button', class: 'link' }, 'Show its pages');
    show.addEventListener('click', () => pick(block.pfn));
    item.append(' ', show);
    list.append(item);
  }
  const when =
    found.timeNs === atNs
      ? ''
      : ` As it was at ${formatSeconds(Math.round(found.timeNs), data.clock.epochS)} s.`;
  return [
    element('h3', {}, `Nearest to a free block of order ${order}`),
    element(
      'p',
      { class: 'quiet' },
      `The place where fewest pages would have to go to make ${plural(2 ** order, 'page')} in one piece.${when}`,
    ),
    list,
  ];
}

function blockItem(data: ReportData, block: NearestBlock, reason: string): HTMLElement {
  const zone = element('strong', {}, zoneName(data, block.zone));
  if (block.taken === 0) {
    const why = reason ? `, but not for this request: ${reason}` : '';
    return element('li', {}, zone, `: a block of this size is free${why}.`);
  }
  const kind = block.kind === 'movable' ? ', nothing known to be immovable in it' : '';
  const parts = [
    ...(block.immovable > 0 ? [`${grouped(block.immovable)} that cannot be moved`] : []),
    ...(block.movable > 0 ? [`${grouped(block.movable)} movable`] : []),
    ...(block.unknown > 0 ? [`${grouped(block.unknown)} in use since before the recording`] : []),
  ];
  const whose = block.holders.map(
    ({ comm, gfp, pages }) => `${comm || '?'} ${grouped(pages)} (${gfp || 'gfp not known'})`,
  );
  return element(
    'li',
    {},
    zone,
    ` at pfn 0x${block.pfn.toString(16)}${kind}: ${plural(block.taken, 'page')} in the way: ${parts.join(', ')}.`,
    whose.length > 0 ? element('span', { class: 'quiet' }, ` Held by ${whose.join('; ')}.`) : null,
  );
}
