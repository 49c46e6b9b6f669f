/**
 * Two single copies of the free lists side by side, `before.txt` and `after.txt`: there is no time in which anything fails
 * more or less, only what could be had at either moment.
 */
import { isOneCopy } from './copies-alone.js';
import { onlyInDma } from './narrative-good.js';
import type { ReportData } from './report-data.js';
import { zonesAsked } from './state-at.js';
import { bytesText, capital, ordersText } from './words.js';

export interface CopiesVerdict {
  readonly verdict: string;
  readonly tone: 'good' | 'bad' | 'warn';
}

/** Null unless both are a single copy. */
export function copiesVerdict(a: ReportData, b: ReportData, gfp: string): CopiesVerdict | null {
  if (!isOneCopy(a) || !isOneCopy(b)) return null;
  // Without watermarks a block may be there and still not be given.
  const marks = a.headroom.marksKnown && b.headroom.marksKnown;
  const inDma = marks ? [[], []] : [onlyInDma(a), onlyInDma(b)];
  const before = missing(a, gfp, inDma[0]!);
  const after = missing(b, gfp, inDma[1]!);
  const lost = after.filter((order) => !before.includes(order));
  const gained = before.filter((order) => !after.includes(order));
  const outside = inDma.some(({ length }) => length > 0) ? ' outside zone DMA' : '';
  const had = marks ? 'a request would have been served' : `a free block was there${outside}`;
  const parts = [
    ...(lost.length > 0 ? [`of ${ordersText(lost)} ${had} in A, but not in B`] : []),
    ...(gained.length > 0 ? [`of ${ordersText(gained)} ${had} in B, but not in A`] : []),
  ];
  const same = `${had} of the same orders in both`;
  const free = `${freeText(a, gfp)} were free in A and ${freeText(b, gfp)} in B`;
  const told = parts.length > 0 ? parts.join(', and ') : same;
  const doubt = marks ? '' : ' How much of it had to stay free is not in the input.';
  return {
    verdict: `${capital(told)}; ${free}.${doubt}`,
    tone:
      lost.length > 0 ? (gained.length > 0 ? 'warn' : 'bad') : gained.length > 0 ? 'good' : 'warn',
  };
}

/** Orders that were not to be had, ascending. */
function missing(data: ReportData, gfp: string, inDma: readonly number[]): number[] {
  const failing = data.totals.filter((total) => total.gfp === gfp).map(({ order }) => order);
  return [...new Set([...failing, ...inDma])].sort((x, y) => x - y);
}

/** What was free in the zones that such a request may use. */
function freeText(data: ReportData, gfp: string): string {
  const pages = zonesAsked(data, gfp).reduce(
    (sum, zone) => sum + (data.timeline.zones[zone]!.freePages.at(-1) ?? 0),
    0,
  );
  return bytesText(pages * data.pageSize);
}
