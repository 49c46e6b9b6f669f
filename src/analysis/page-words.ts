/**
 * States of pages four at a time: looking through all of memory page by page takes several times as long.
 */
import { PageBit, type ReplayState } from '../replay/observer.js';

/** PageBit.free of four pages. */
export const FREE_OF_FOUR = PageBit.free * 0x01010101;

/** `state.pages` in words of four; up to three pages at the end are left out. */
export function pageWords({ pages }: ReplayState): Int32Array {
  return new Int32Array(pages.buffer, pages.byteOffset, pages.length >> 2);
}

/** How many of four pages, none of them free, are known. */
export function knownOfFour(states: number): number {
  const known = (states >> 1) | (states >> 2) | (states >> 3);
  return Math.imul(known & 0x01010101, 0x01010101) >>> 24;
}
