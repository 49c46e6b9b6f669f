/**
 * The state observers see: simulation minus corrections, with bounds, zone by zone.
 *
 * Raw counts live per area in FreeLists; a zone sums its areas (CMA areas apart, because an atomic
 * request cannot use them), subtracts the correction of the moment and never shows a negative count.
 * `sync` brings the zones whose counts changed up to date; it allocates nothing.
 */
import type { ReplayCore } from './core.js';
import type { Geometry, ZoneGeometry } from './geometry.js';
import type { ReserveStep } from './highatomic.js';
import type { MarkTracker, MutableMarks } from './marks.js';
import type { Certainty, ReplayState, ZoneState } from './observer.js';
import type { CorrectionSpan } from './reconcile.js';

class LiveZone implements ZoneState {
  readonly index: number;
  readonly node: number;
  readonly zone: string;
  readonly startPfn: number;
  readonly spanned: number;
  readonly managed: number;
  readonly firstPage: number;
  readonly free: Int32Array;
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly cma: Int32Array;
  readonly highatomic: Int32Array;
  freePages = 0;
  cmaPages = 0;
  highatomicPages = 0;
  reservedHighatomic = 0;
  certainty: Certainty = 'unknown';
  readonly marks: MutableMarks;

  constructor(geometry: ZoneGeometry, orders: number, firstPage: number, marks: MutableMarks) {
    this.index = geometry.index;
    this.node = geometry.node;
    this.zone = geometry.zone;
    this.startPfn = geometry.startPfn;
    this.spanned = geometry.spanned;
    this.managed = geometry.managed;
    this.firstPage = firstPage;
    this.free = new Int32Array(orders);
    this.low = new Int32Array(orders);
    this.high = new Int32Array(orders);
    this.cma = new Int32Array(orders);
    this.highatomic = new Int32Array(orders);
    this.marks = marks;
  }
}

export class LiveState implements ReplayState {
  timeNs = Number.NaN;
  eventIndex = -1;
  changes = 0;
  readonly zones: readonly LiveZone[];
  readonly orders: number;
  readonly pageblockOrder: number;
  readonly pages: Uint8Array;
  readonly headOrder: Int8Array;
  readonly pageblockType: Int8Array;
  /** Raw counts of the zones, areas summed: zone * orders + order. */
  readonly raw: Int32Array;
  readonly #geometry: Geometry;
  readonly #core: ReplayCore;
  #span: CorrectionSpan | null = null;
  #reserve: ReserveStep | null = null;
  /** Every zone is to be refreshed, also those without a simulated page. */
  #allChanged = true;

  constructor(core: ReplayCore, marks: MarkTracker) {
    const { geometry } = core;
    this.#core = core;
    this.#geometry = geometry;
    this.orders = geometry.orders;
    this.pageblockOrder = geometry.pageblockOrder;
    this.pages = core.lists.pages;
    this.headOrder = core.lists.headOrder;
    this.pageblockType = core.blockType;
    this.raw = new Int32Array(geometry.zones.length * geometry.orders);
    this.zones = geometry.zones.map((zone) => {
      const first = geometry.space.zoneStart[zone.areas[0] ?? 0] ?? 0;
      return new LiveZone(zone, geometry.orders, first, marks.zones[zone.index]!);
    });
  }

  pageOf(pfn: number): number {
    return this.#geometry.space.pageOf(pfn);
  }

  pfnOf(page: number): number {
    return this.#geometry.space.pfnOf(page);
  }

  zoneOf(page: number): number {
    return this.#geometry.areas[this.#geometry.areaOf(page)]!.zone;
  }

  /** From now on these corrections hold (null: none known). */
  correct(span: CorrectionSpan | null): void {
    this.#span = span;
    this.#touchAll();
    this.sync();
  }

  /** From now on this much is reserved for atomic requests. */
  reserve(step: ReserveStep): void {
    this.#reserve = step;
    this.#touchAll();
  }

  #touchAll(): void {
    this.#allChanged = true;
    this.#core.lists.anyDirty = true;
  }

  /** Raw counts of all zones brought up to date (for residuals). */
  sumRaw(): Int32Array {
    for (const zone of this.#geometry.zones) this.#sum(zone);
    return this.raw;
  }

  /** Refreshes zones whose counts changed. */
  sync(): void {
    const { lists } = this.#core;
    const linear = this.#span?.linear === true;
    if (!lists.anyDirty && !linear) return;
    lists.anyDirty = false;
    const { dirty } = lists;
    const all = linear || this.#allChanged;
    this.#allChanged = false;
    for (let z = 0; z < this.zones.length; z++) {
      const { areas } = this.#geometry.zones[z]!;
      let changed = all;
      for (let a = 0; a < areas.length; a++) {
        if (dirty[areas[a]!] !== 0) {
          dirty[areas[a]!] = 0;
          changed = true;
        }
      }
      if (changed) this.#refresh(z);
    }
  }

  #sum(zone: ZoneGeometry): void {
    const { counts, orders } = this.#core.lists;
    const base = zone.index * orders;
    const live = this.zones[zone.index]!;
    this.raw.fill(0, base, base + orders);
    let cmaPages = 0;
    for (let a = 0; a < zone.areas.length; a++) {
      const area = zone.areas[a]!;
      const isCma = this.#geometry.areas[area]!.cma;
      for (let q = 0; q < orders; q++) {
        const n = counts[area * orders + q]!;
        this.raw[base + q] = this.raw[base + q]! + n;
        if (isCma) {
          live.cma[q] = n;
          cmaPages += n * (1 << q);
        }
      }
    }
    live.cmaPages = cmaPages;
  }

  #refresh(z: number): void {
    const { orders } = this;
    const live = this.zones[z]!;
    this.changes++;
    this.#sum(this.#geometry.zones[z]!);
    const span = this.#span;
    const base = z * orders;
    let weight = 0;
    if (span?.linear) {
      const length = span.toNs - span.fromNs;
      weight = length > 0 ? Math.min(1, Math.max(0, (this.timeNs - span.fromNs) / length)) : 0;
    }
    let pages = 0;
    let exact = true;
    for (let q = 0; q < orders; q++) {
      const raw = this.raw[base + q]!;
      let best = 0;
      let earlier = 0;
      let later = 0;
      if (span !== null) {
        earlier = span.earlier[base + q]!;
        later = span.later[base + q]!;
        best = span.linear
          ? Math.round(earlier + (later - earlier) * weight)
          : span.best[base + q]!;
      }
      const slack = span?.slack ? span.slack[base + q]! : 0;
      const free = Math.max(0, raw - best);
      const low = Math.max(0, raw - Math.max(earlier, later, best) - slack);
      const high = Math.max(0, raw - Math.min(earlier, later, best)) + slack;
      live.free[q] = free;
      live.low[q] = low;
      live.high[q] = high;
      if (low !== high) exact = false;
      pages += free * (1 << q);
    }
    live.freePages = pages;
    if (this.#reserve !== null) this.#refreshReserve(live, this.#reserve, base);
    const unknown = span === null || span.unknown === true;
    live.certainty = unknown ? 'unknown' : exact ? 'exact' : 'bounded';
  }

  /** What of the reserve is free cannot be more than what is free. */
  #refreshReserve(live: LiveZone, step: ReserveStep, base: number): void {
    let pages = 0;
    for (let q = 0; q < this.orders; q++) {
      const blocks = Math.min(step.free[base + q]!, live.free[q]!);
      live.highatomic[q] = blocks;
      pages += blocks * (1 << q);
    }
    live.highatomicPages = pages;
    live.reservedHighatomic = step.reserved[live.index]!;
  }
}
