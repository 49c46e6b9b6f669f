/**
 * Which memory the events of a recording touch, in chunks of CHUNK_PAGES.
 *
 * On a large machine a recording touches little of it, and only what was touched is simulated
 * (geometry.ts). A byte a chunk up to 64 TiB, grown as far as the highest pfn seen; farther chunks are kept one
 * by one, as many as MAX_FAR, and pages left out beyond that are not simulated.
 */
const CHUNK_SHIFT = 10;
export const CHUNK_PAGES = 1 << CHUNK_SHIFT;
const MAX_INT = 2 ** 31 - 1;

const MAX_NEAR = 1 << 24;
const MAX_FAR = 1 << 16;
/** Pages of one event that count: 1 GiB of 4 KiB pages, more than any real one has. */
const MAX_PAGES = 1 << 18;

export class TouchedMemory {
  #near: Uint8Array = new Uint8Array(1024);
  /** One past the highest near chunk. */
  #nearEnd = 0;
  readonly #far = new Set<number>();
  /** Some chunks were left out. */
  incomplete = false;

  /** Asked of every event. True if pages [from, to) are in one chunk that was touched before: adding them changes nothing. */
  has(fromPfn: number, toPfn: number): boolean {
    if (toPfn > MAX_INT) return false;
    const chunk = fromPfn >> CHUNK_SHIFT;
    return chunk < this.#nearEnd && (toPfn - 1) >> CHUNK_SHIFT === chunk && this.#near[chunk] === 1;
  }

  /** An event touches pages [from, to). */
  add(fromPfn: number, toPfn: number): void {
    this.addRange(fromPfn, Math.min(toPfn, fromPfn + MAX_PAGES));
  }

  /** Pages [from, to) are known of otherwise. */
  addRange(fromPfn: number, toPfn: number): void {
    const last = Math.floor((toPfn - 1) / CHUNK_PAGES);
    // Behind the first chunk that there is no room for, none is new and kept: a range may be absurdly long.
    for (let chunk = Math.floor(fromPfn / CHUNK_PAGES); chunk <= last; chunk++) {
      if (!this.#mark(chunk)) break;
    }
  }

  /** False if there is no room for it. */
  #mark(chunk: number): boolean {
    if (chunk >= MAX_NEAR) {
      if (this.#far.size < MAX_FAR) this.#far.add(chunk);
      else if (!this.#far.has(chunk)) this.incomplete = true;
      return !this.incomplete;
    }
    if (chunk >= this.#near.length) {
      const wider = new Uint8Array(Math.min(MAX_NEAR, Math.max(chunk + 1, this.#near.length * 2)));
      wider.set(this.#near);
      this.#near = wider;
    }
    this.#near[chunk] = 1;
    if (chunk >= this.#nearEnd) this.#nearEnd = chunk + 1;
    return true;
  }

  /** First pfns of the touched chunks, ascending. */
  chunks(): number[] {
    const found: number[] = [];
    for (let chunk = 0; chunk < this.#nearEnd; chunk++) {
      if (this.#near[chunk] === 1) found.push(chunk * CHUNK_PAGES);
    }
    for (const chunk of [...this.#far].sort((a, b) => a - b)) found.push(chunk * CHUNK_PAGES);
    return found;
  }
}
