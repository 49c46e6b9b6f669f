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

  /** Calls back for every dense page of which the copy claims something (Claim), always in the same order. */
  forEach(visit: (page: number, claim: number) => void): void {
    const map = this.#map;
    for (const { page, pfn, pages } of this.#stretches) {
      for (let i = 0; i < pages; i++) {
        if (map.kind === 'kpageflags') visit(page + i, map.classes[pfn + i]! & PageClass.buddy);
        else if (map.kind === 'page_owner' || map.mapped[pfn + i] === 1)
          visit(page + i, Claim.taken);
      }
    }
  }
}

/** One number for each page that a copy speaks of, in its order; stretches of one value take no room. */
export class PageValues {
  readonly #chunks: (number | Uint32Array)[] = [];

  constructor(copy: PageCopy, values: Uint32Array) {
    const chunk = new Uint32Array(CHUNK);
    let length = 0;
    const keep = (): void => {
      const used = chunk.subarray(0, length);
      const [first] = used;
      if (first !== undefined)
        this.#chunks.push(used.every((value) => value === first) ? first : used.slice());
      length = 0;
    };
    copy.forEach((page) => {
      chunk[length++] = values[page]!;
      if (length === CHUNK) keep();
    });
    keep();
  }

  /** Value of the page that the copy speaks of as its `position`-th. */
  at(position: number): number {
    const chunk = this.#chunks[Math.floor(position / CHUNK)]!;
    return typeof chunk === 'number' ? chunk : chunk[position % CHUNK]!;
  }
}
