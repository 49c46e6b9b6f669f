/**
 * What the pages of a raw dump look like: byte order, word size, page size.
 *
 * A guess is right when the first page's events, walked by their lengths, end exactly at its commit
 * count, and stamps of later pages do not run backwards. Layout as in ring-buffer/page-cursor.ts.
 */
import { defaultPageLayout } from '../event-format/formats.js';
import { PageCursor } from '../ring-buffer/page-cursor.js';
import { Ticks } from '../ring-buffer/ticks.js';

export interface PageShape {
  readonly littleEndian: boolean;
  readonly longSize: 4 | 8;
  readonly pageSize: number;
  /** Pages of the head that fit. */
  readonly pages: number;
  readonly firstStamp: bigint;
}

const PAGE_SIZES = [4096, 8192, 16_384, 32_768, 65_536];
const CLOCK = { start: () => undefined, epochS: 0 };

/** The shape that fits the head of a dump, or null. */
export function pageShape(head: Uint8Array): PageShape | null {
  for (const littleEndian of [true, false]) {
    for (const longSize of [8, 4] as const) {
      for (const pageSize of PAGE_SIZES) {
        const pages = fittingPages(head, littleEndian, longSize, pageSize);
        if (pages === 0) continue;
        const view = new DataView(head.buffer, head.byteOffset, head.length);
        const firstStamp = view.getBigUint64(0, littleEndian);
        return { littleEndian, longSize, pageSize, pages, firstStamp };
      }
    }
  }
  return null;
}

function fittingPages(
  head: Uint8Array,
  littleEndian: boolean,
  longSize: 4 | 8,
  pageSize: number,
): number {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const layout = defaultPageLayout(longSize, pageSize);
  const cursor = new PageCursor(layout, littleEndian, new Ticks(CLOCK, 0n, 0n, null));
  let pages = 0;
  let last = 0n;
  for (let at = 0; at + pageSize <= head.length; at += pageSize) {
    const stamp = view.getBigUint64(at, littleEndian);
    if (stamp < last || stamp === 0n) return 0;
    last = stamp;
    if (!cursor.open(view, at, pageSize)) return 0;
    let events = 0;
    while (cursor.next()) events++;
    if (cursor.damagedBytes > 0 || events === 0) return 0;
    pages++;
  }
  return pages;
}
