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
 */
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

  constructor(zones: readonly ZoneRange[], maxOrder: number) {
    this.sectionOrder = maxOrder;
    this.#zones = zones;
    const section = 2 ** maxOrder;
    this.zoneStart = new Int32Array(zones.length + 1);
    this.#alignedPfn = new Float64Array(zones.length);
    let next = 0;
    let lastSection = 0;
    zones.forEach((zone, z) => {
      const first = Math.floor(zone.startPfn / section);
      const last = Math.ceil((zone.startPfn + zone.spanned) / section);
      this.zoneStart[z] = next;
      this.#alignedPfn[z] = first * section;
      next += (last - first) * section;
      lastSection = Math.max(lastSection, last);
    });
    this.zoneStart[zones.length] = next;
    this.size = next;
    this.#far = lastSection > MAX_TABLE ? new Map() : null;
    this.#table = new Int32Array(this.#far ? 0 : lastSection).fill(NO_SECTION);
    zones.forEach((zone, z) => {
      this.#mapZone(zone, z, section);
    });
  }

  #mapZone(zone: ZoneRange, z: number, section: number): void {
    const first = Math.floor(zone.startPfn / section);
    const last = Math.ceil((zone.startPfn + zone.spanned) / section);
    for (let s = first; s < last; s++) {
      const dense = this.zoneStart[z]! + (s - first) * section;
      const taken = this.#sectionBase(s) !== NO_SECTION;
      if (this.#far) this.#far.set(s, taken ? SHARED_SECTION : dense);
      else this.#table[s] = taken ? SHARED_SECTION : dense;
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

  #searchShared(pfn: number): number {
    for (let z = 0; z < this.#zones.length; z++) {
      const zone = this.#zones[z]!;
      if (pfn >= zone.startPfn && pfn < zone.startPfn + zone.spanned) {
        return this.zoneStart[z]! + (pfn - this.#alignedPfn[z]!);
      }
    }
    return -1;
  }

  pfnOf(page: number): number {
    const z = this.zoneOf(page);
    return this.#alignedPfn[z]! + (page - this.zoneStart[z]!);
  }

  zoneOf(page: number): number {
    let z = 0;
    while (z + 1 < this.#zones.length && page >= this.zoneStart[z + 1]!) z++;
    return z;
  }

  get zones(): readonly ZoneRange[] {
    return this.#zones;
  }
}
