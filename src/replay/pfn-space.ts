/**
 * Dense page indices: every simulated page of every zone in one contiguous index space.
 *
 * pfns are sparse (holes, several nodes, devices at 2^40); arrays indexed by pfn would be as large
 * as the highest one. Here each zone gets a run of dense indices that starts at a multiple of the
 * largest block, congruent to its pfns, so that buddy arithmetic (XOR, AND) works on dense indices
 * unchanged. pfn → page is one table look-up by section (a section = one largest block).
 *
 * Zones may share a section (a node border inside a largest block); such sections are resolved by
 * searching the zone ranges. Buddies never merge across zones because their dense runs differ.
 *
 * On a large machine only some sections get indices: then a zone's run has gaps in pfns, at section borders.
 */
import { countBelow } from './sorted.js';

export interface ZoneRange {
  readonly node: number;
  readonly zone: string;
  readonly startPfn: number;
  readonly spanned: number;
}

const NO_SECTION = -1;
const SHARED_SECTION = -2;
/** Section tables up to this many entries are arrays; beyond it (pfns over 2^34) a Map is used. */
const MAX_TABLE = 1 << 24;

export class PfnSpace {
  /** Dense pages in all, padding included. */
  readonly size: number;
  readonly sectionOrder: number;
  /** Dense index of each zone's aligned start, one entry more for the end. */
  readonly zoneStart: Int32Array;
  readonly #zones: readonly ZoneRange[];
  /** pfn that dense index zoneStart[z] stands for (aligned down). */
  readonly #alignedPfn: Float64Array;
  readonly #table: Int32Array;
  readonly #far: Map<number, number> | null;
  /** pfn at which each dense section begins; null where no zone has gaps. */
  readonly #sectionPfn: Float64Array | null;

  /** @param only numbers (pfn / 2^maxOrder) of the sections that get indices, ascending; null = all. */
  constructor(
    zones: readonly ZoneRange[],
    maxOrder: number,
    only: readonly number[] | null = null,
  ) {
    this.sectionOrder = maxOrder;
    this.#zones = zones;
    const section = 2 ** maxOrder;
    const kept = zones.map((zone) => sectionsOf(zone, section, only));
    this.zoneStart = new Int32Array(zones.length + 1);
    this.#alignedPfn = new Float64Array(zones.length);
    let next = 0;
    let lastSection = 0;
    kept.forEach(({ first, count, at }, z) => {
      this.zoneStart[z] = next;
      this.#alignedPfn[z] = first * section;
      next += count * section;
      if (count > 0) lastSection = Math.max(lastSection, at(count - 1) + 1);
    });
    this.zoneStart[zones.length] = next;
    this.size = next;
    this.#far = lastSection > MAX_TABLE ? new Map() : null;
    this.#table = new Int32Array(this.#far ? 0 : lastSection).fill(NO_SECTION);
    this.#sectionPfn = only === null ? null : new Float64Array(next / section);
    kept.forEach((sections, z) => {
      this.#mapZone(sections, z, section);
    });
  }

  #mapZone({ count, at }: ZoneSections, z: number, section: number): void {
    for (let i = 0; i < count; i++) {
      const s = at(i);
      const dense = this.zoneStart[z]! + i * section;
      const taken = this.#sectionBase(s) !== NO_SECTION;
      if (this.#far) this.#far.set(s, taken ? SHARED_SECTION : dense);
      else this.#table[s] = taken ? SHARED_SECTION : dense;
      if (this.#sectionPfn) this.#sectionPfn[dense / section] = s * section;
    }
  }

  #sectionBase(section: number): number {
    if (this.#far) return this.#far.get(section) ?? NO_SECTION;
    return section < this.#table.length ? this.#table[section]! : NO_SECTION;
  }

  /** Dense page of a pfn, or -1 if no zone holds it. */
  pageOf(pfn: number): number {
    if (pfn < 0) return -1;
    const size = 1 << this.sectionOrder;
    const section = pfn < 0x7fffffff ? pfn >> this.sectionOrder : Math.floor(pfn / size);
    const base = this.#sectionBase(section);
    if (base >= 0) return base + (pfn < 0x7fffffff ? pfn & (size - 1) : pfn % size);
    return base === NO_SECTION ? -1 : this.#searchShared(pfn);
  }

  /** Calls back for all stretches of pfns [from, to) that have neighbouring indices, section by section. */
  eachStretch(
    from: number,
    to: number,
    visit: (page: number, pfn: number, pages: number) => void,
  ): void {
    const size = 2 ** this.sectionOrder;
    for (let pfn = from; pfn < to; ) {
      const section = Math.floor(pfn / size);
      const end = Math.min(to, (section + 1) * size);
      const base = this.#sectionBase(section);
      if (base >= 0) visit(base + (pfn - section * size), pfn, end - pfn);
      else if (base === SHARED_SECTION) {
        for (let p = pfn; p < end; p++) {
          const page = this.#searchShared(p);
          if (page >= 0) visit(page, p, 1);
        }
      }
      pfn = end;
    }
  }

  #searchShared(pfn: number): number {
    const z = this.#rangeOf(pfn);
    if (z < 0) return -1;
    if (this.#sectionPfn === null) return this.zoneStart[z]! + (pfn - this.#alignedPfn[z]!);
    const page = this.#sectionFrom(z, pfn);
    return page < 0 ? -1 : page + (pfn - this.pfnOf(page));
  }

  /** Index of the zone that spans a pfn, -1 = none. */
  #rangeOf(pfn: number): number {
    for (let z = 0; z < this.#zones.length; z++) {
      const { startPfn, spanned } = this.#zones[z]!;
      if (pfn >= startPfn && pfn < startPfn + spanned) return z;
    }
    return -1;
  }

  /** First dense page of the lowest section of a zone that ends above a pfn, -1 = none. */
  #sectionFrom(z: number, pfn: number): number {
    const section = 2 ** this.sectionOrder;
    const begin = this.zoneStart[z]! / section;
    const end = this.zoneStart[z + 1]! / section;
    const found = countBelow(this.#sectionPfn!, pfn - section + 1, begin, end);
    return found === end ? -1 : found * section;
  }

  /**
   * Dense page of a pfn; where it has none although a zone spans it, the first page above it in that zone.
   * -1 outside every zone, or if there is none above.
   */
  pageFrom(pfn: number): number {
    const page = this.pageOf(pfn);
    if (page >= 0 || this.#sectionPfn === null) return page;
    for (let z = this.#rangeOf(pfn); z >= 0 && z < this.#zones.length; z++) {
      const found = this.#sectionFrom(z, pfn);
      if (found >= 0) return found;
      const [here, next] = [this.#zones[z]!, this.#zones[z + 1]];
      if (next?.node !== here.node || next.zone !== here.zone) return -1;
    }
    return -1;
  }

  pfnOf(page: number): number {
    if (this.#sectionPfn !== null) {
      const offset = page & ((1 << this.sectionOrder) - 1);
      return this.#sectionPfn[page >> this.sectionOrder]! + offset;
    }
    const z = this.zoneOf(page);
    return this.#alignedPfn[z]! + (page - this.zoneStart[z]!);
  }

  zoneOf(page: number): number {
    let z = 0;
    while (z + 1 < this.#zones.length && page >= this.zoneStart[z + 1]!) z++;
    return z;
  }

  /** Dense pages [from, to) of a zone, without those that pad its first and its last section. */
  pagesOf(z: number): { readonly from: number; readonly to: number } {
    const [begin, end] = [this.zoneStart[z]!, this.zoneStart[z + 1]!];
    if (end === begin) return { from: begin, to: begin };
    const { startPfn, spanned } = this.#zones[z]!;
    const before = Math.max(0, startPfn - this.pfnOf(begin));
    const behind = Math.max(0, this.pfnOf(end - 1) + 1 - (startPfn + spanned));
    return { from: begin + before, to: Math.max(begin + before, end - behind) };
  }

  get zones(): readonly ZoneRange[] {
    return this.#zones;
  }
}

/** The sections of a zone that get indices: `count` of them, by number. */
interface ZoneSections {
  /** The one its first page lies in. */
  readonly first: number;
  readonly count: number;
  at(i: number): number;
}

function sectionsOf(
  { startPfn, spanned }: ZoneRange,
  size: number,
  only: readonly number[] | null,
): ZoneSections {
  const first = Math.floor(startPfn / size);
  const end = Math.ceil((startPfn + spanned) / size);
  if (only === null) return { first, count: end - first, at: (i) => first + i };
  const kept = only.slice(countBelow(only, first), countBelow(only, end));
  return { first, count: kept.length, at: (i) => kept[i]! };
}
