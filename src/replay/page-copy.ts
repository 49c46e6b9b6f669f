/**
 * A copy that tells of single pages, among the events and in dense pages.
 *
 * What it says is left where it lies: kept here is which stretches of dense pages it speaks of. A few lines of a
 * page_owner dump may name all of memory, so what is kept and what each use costs follow those stretches.
 */
import { Claim, eachClaim, type PageMapSnapshot, tellsFree } from '../records/page-claims.js';
import { PageClass } from '../records/snapshot.js';
import type { Geometry } from './geometry.js';
import type { PlacedSnapshot } from './place.js';

/** Pages that share one stored value if they can. */
const CHUNK = 1024;

/** Dense pages [page, page + pages), the first of which stands for `pfn`. */
interface Stretch {
  readonly page: number;
  readonly pfn: number;
  readonly pages: number;
}

export class PageCopy {
  /** Events before beginIndex are in the copy, events from endIndex on are not. */
  readonly beginIndex: number;
  readonly endIndex: number;
  /** False if it tells only of pages in use. */
  readonly tellsFree: boolean;
  /** Dense pages it speaks of, or may. */
  pages = 0;
  readonly #stretches: Stretch[] = [];
  readonly #map: PageMapSnapshot;

  constructor(map: PageMapSnapshot, place: PlacedSnapshot, geometry: Geometry) {
    this.#map = map;
    this.beginIndex = place.beginIndex;
    this.endIndex = place.endIndex;
    this.tellsFree = tellsFree(map);
    if (map.kind === 'page_owner') eachClaim(map, (from, to) => this.#cover(geometry, from, to));
    else
      this.#cover(geometry, 0, map.kind === 'kpageflags' ? map.classes.length : map.mapped.length);
  }

  #cover({ space, areas, areaOf }: Geometry, fromPfn: number, toPfn: number): void {
    space.eachStretch(fromPfn, toPfn, (at, pfnAt, count) => {
      // Beside an area lies padding up to a whole section.
      const { startPfn, spanned } = areas[areaOf(at)]!;
      const pfn = Math.max(pfnAt, startPfn);
      const pages = Math.min(pfnAt + count, startPfn + spanned) - pfn;
      if (pages <= 0) return;
      this.pages += pages;
      const page = at + (pfn - pfnAt);
      const last = this.#stretches.at(-1);
      if (last && last.page + last.pages === page && last.pfn + last.pages === pfn) {
        this.#stretches[this.#stretches.length - 1] = { ...last, pages: last.pages + pages };
      } else this.#stretches.push({ page, pfn, pages });
    });
  }

  /** Calls back for every run of dense pages of which the copy claims the same, always in the same order. */
  eachRun(visit: RunVisitor): void {
    const map = this.#map;
    for (const { page, pfn, pages } of this.#stretches) {
      if (map.kind === 'page_owner') visit(page, pages, Claim.taken);
      else if (map.kind === 'kpageflags') {
        eachLikeRun(map.classes, PageClass.buddy, pfn, pages, (at, count, claim) =>
          visit(page + at, count, claim),
        );
      } else {
        eachLikeRun(map.mapped, 1, pfn, pages, (at, count, mapped) => {
          if (mapped === 1) visit(page + at, count, Claim.taken);
        });
      }
    }
  }
}

/** Told that a copy claims the same (Claim) of dense pages [page, page + pages). */
export type RunVisitor = (page: number, pages: number, claim: number) => void;

/** Runs of equal `bytes[from + at] & bit` among the first `length`. */
function eachLikeRun(
  bytes: Uint8Array,
  bit: number,
  from: number,
  length: number,
  visit: (at: number, count: number, value: number) => void,
): void {
  for (let at = 0; at < length; ) {
    const value = bytes[from + at]! & bit;
    let end = at + 1;
    while (end < length && (bytes[from + end]! & bit) === value) end++;
    visit(at, end - at, value);
    at = end;
  }
}

/** One number for each page that a copy speaks of, in its order; stretches of one value take no room. */
export class PageValues {
  readonly #chunks: (number | Uint32Array)[] = [];

  constructor(copy: PageCopy, values: Uint32Array) {
    const chunk = new Uint32Array(CHUNK);
    let length = 0;
    copy.eachRun((page, pages) => {
      for (let p = page; p < page + pages; ) {
        const count = Math.min(page + pages - p, CHUNK - length);
        for (let i = 0; i < count; i++) chunk[length++] = values[p++]!;
        if (length < CHUNK) continue;
        this.#keep(chunk);
        length = 0;
      }
    });
    if (length > 0) this.#keep(chunk.subarray(0, length));
  }

  #keep(chunk: Uint32Array): void {
    this.#chunks.push(areLike(chunk) ? chunk[0]! : chunk.slice());
  }

  /** Value of the page that the copy speaks of as its `position`-th. */
  at(position: number): number {
    const chunk = this.#chunks[Math.floor(position / CHUNK)]!;
    return typeof chunk === 'number' ? chunk : chunk[position % CHUNK]!;
  }
}

function areLike(values: Uint32Array): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}
