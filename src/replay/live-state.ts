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
import type { Certainty, PageRun, ReplayState, ZoneState } from './observer.js';
import type { CorrectionSpan } from './reconcile.js';

class LiveZone implements ZoneState {
  readonly index: number;
  readonly node: number;
  readonly zone: string;
  readonly startPfn: number;
  readonly spanned: number;
  readonly managed: number;
  readonly runs: readonly PageRun[];
  readonly free: Int32Array;
  readonly likely: Int32Array;
  readonly most: Int32Array;
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly uncorrected: Int32Array;
  shownAround: Int32Array | null = null;
  readonly cma: Int32Array;
  readonly highatomic: Int32Array;
  freePages = 0;
  cmaPages = 0;
  cmaAtMost = 0;
  highatomicPages = 0;
  reservedHighatomic = 0;
  reservedAtMost = Number.POSITIVE_INFINITY;
  /** FreeLists.apartChanges when the reserve was counted. */
  reserveSeen = -1;
  certainty: Certainty = 'unknown';
  /** Orders whose bounds differ. */
  inexact = 0;
  touched = 0;
  readonly marks: MutableMarks;

  constructor(
    geometry: ZoneGeometry,
    raw: Int32Array,
    orders: number,
    runs: readonly PageRun[],
    marks: MutableMarks,
  ) {
    this.index = geometry.index;
    this.node = geometry.node;
    this.zone = geometry.zone;
    this.startPfn = geometry.startPfn;
    this.spanned = geometry.spanned;
    this.managed = geometry.managed;
    this.runs = runs;
    this.free = new Int32Array(orders);
    this.likely = new Int32Array(orders);
    this.most = new Int32Array(orders);
    this.low = new Int32Array(orders);
    this.high = new Int32Array(orders);
    this.uncorrected = raw.subarray(geometry.index * orders, (geometry.index + 1) * orders);
    this.cma = new Int32Array(orders);
    this.highatomic = new Int32Array(orders);
    this.marks = marks;
  }
}

export class LiveState implements ReplayState {
  timeNs = Number.NaN;
  eventIndex = -1;
  changes = 0;
  catchUp: () => void = () => {};
  readonly zones: readonly LiveZone[];
  readonly orders: number;
  readonly pageblockOrder: number;
  pcpLooksFree: Uint8Array | null = null;
  eventless = false;
  copiesAlone = false;
  far = false;
  readonly pages: Uint8Array;
  readonly headOrder: Int8Array;
  readonly pageblockType: Int8Array;
  /** Raw counts of the zones, areas summed: zone * orders + order. */
  readonly raw: Int32Array;
  readonly #geometry: Geometry;
  readonly #core: ReplayCore;
  #span: CorrectionSpan | null = null;
  /** What the span says, kept apart: spans differ in shape, and this is asked at every change. */
  #linear = false;
  #unknown = true;
  #reserve: ReserveStep | null = null;
  /** Taken off the raw counts for the best estimate, the lower and the upper bound, like `raw`. */
  readonly #best: Int32Array;
  readonly #under: Int32Array;
  readonly #over: Int32Array;
  /** Blocks by which the estimate is likely wrong at most, and by which the bounds are wider than that. */
  readonly #slack: Int32Array;
  readonly #doubt: Int32Array;
  /** What is shown does not follow from `raw` and the above any more: every zone is to be refreshed. */
  #stale = true;

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
    this.#best = new Int32Array(this.raw.length);
    this.#under = new Int32Array(this.raw.length);
    this.#over = new Int32Array(this.raw.length);
    this.#slack = new Int32Array(this.raw.length);
    this.#doubt = new Int32Array(this.raw.length);
    this.zones = geometry.zones.map((zone) => {
      const runs = zone.areas
        .filter((area) => !geometry.areas[area]!.cma)
        .map((area) => geometry.space.pagesOf(area));
      return new LiveZone(zone, this.raw, geometry.orders, runs, marks.zones[zone.index]!);
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

  /** There are copies only: nothing tells which free blocks lie in CMA areas, as many may as fit there. */
  withoutEvents(): void {
    this.eventless = true;
    for (const { cma, zone, spanned } of this.#geometry.areas) {
      if (cma) this.zones[zone]!.cmaAtMost += spanned;
    }
  }

  /** From now on these corrections hold (null: none known). */
  correct(span: CorrectionSpan | null): void {
    this.#span = span;
    this.#linear = span?.linear === true;
    this.#unknown = span === null || span.unknown === true;
    this.copiesAlone = span?.copiesAlone === true;
    this.far = span?.far === true;
    this.#planBounds();
    this.sync();
  }

  /** From now on this much is reserved for atomic requests. */
  reserve(step: ReserveStep): void {
    this.#reserve = step;
    this.#touchAll();
  }

  #planBounds(): void {
    const span = this.#span;
    for (let k = 0; k < this.raw.length; k++) {
      const earlier = span === null ? 0 : span.earlier[k]!;
      const later = span === null ? 0 : span.later[k]!;
      const best = span === null ? 0 : span.linear ? earlier : span.best[k]!;
      this.#best[k] = best;
      this.#under[k] = Math.max(earlier, later, best);
      this.#over[k] = Math.min(earlier, later, best);
      this.#slack[k] = span?.slack?.[k] ?? 0;
      this.#doubt[k] = span?.doubt?.[k] ?? 0;
    }
    const shown = span?.shown ?? null;
    for (const zone of this.zones) {
      const from = zone.index * this.orders;
      zone.shownAround = shown?.subarray(from, from + this.orders) ?? null;
    }
    this.#touchAll();
  }

  /** The estimate moves with time, not only with events. */
  get restless(): boolean {
    return this.#linear;
  }

  #touchAll(): void {
    this.#stale = true;
    this.#core.lists.anyDirty = true;
  }

  /** Raw counts of all zones brought up to date (for residuals). */
  sumRaw(): Int32Array {
    for (const zone of this.#geometry.zones) this.#sum(zone);
    this.#touchAll();
    return this.raw;
  }

  /** Refreshes zones whose counts changed. */
  sync(): void {
    const { lists } = this.#core;
    if (!lists.anyDirty && !this.#linear) return;
    lists.anyDirty = false;
    const { dirty } = lists;
    const { zones } = this.#geometry;
    const all = this.#linear || this.#stale;
    for (let z = 0; z < zones.length; z++) {
      const { areas } = zones[z]!;
      let changed = all;
      for (let a = 0; a < areas.length; a++) {
        if (dirty[areas[a]!] !== 0) {
          dirty[areas[a]!] = 0;
          changed = true;
        }
      }
      if (changed) this.#refresh(z);
    }
    this.#stale = false;
  }

  /** Raw counts of one zone, areas summed. */
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
    const { orders, raw } = this;
    const { lists } = this.#core;
    const zone = this.#geometry.zones[z]!;
    const live = this.zones[z]!;
    const base = z * orders;
    this.changes++;
    let all = this.#stale;
    if (this.#linear) {
      this.#interpolate(this.#span!, base);
      all = true;
    }
    if (
      zone.areas.length === 1 &&
      live.cmaPages === 0 &&
      !this.#geometry.areas[zone.areas[0]!]!.cma
    ) {
      // One area, the usual case: only the few orders that moved.
      const { counts } = lists;
      const from = zone.areas[0]! * orders;
      for (let q = 0; q < orders; q++) {
        const n = counts[from + q]!;
        if (n === raw[base + q] && !all) continue;
        raw[base + q] = n;
        this.#show(live, base, q, n);
      }
    } else {
      this.#sum(zone);
      for (let q = 0; q < orders; q++) this.#show(live, base, q, raw[base + q]!);
    }
    if (this.#core.knowsHighatomic) this.#countReserve(live, zone.areas);
    else if (this.#reserve !== null) this.#refreshReserve(live, this.#reserve, base);
    live.certainty = this.#unknown ? 'unknown' : live.inexact === 0 ? 'exact' : 'bounded';
  }

  #interpolate(span: CorrectionSpan, base: number): void {
    const length = span.toNs - span.fromNs;
    const weight = length > 0 ? Math.min(1, Math.max(0, (this.timeNs - span.fromNs) / length)) : 0;
    for (let k = base; k < base + this.orders; k++) {
      const earlier = span.earlier[k]!;
      this.#best[k] = Math.round(earlier + (span.later[k]! - earlier) * weight);
    }
  }

  /** Brings one order of a zone up to date. */
  #show(live: LiveZone, base: number, q: number, raw: number): void {
    const free = Math.max(0, raw - this.#best[base + q]!);
    const slack = this.#slack[base + q]!;
    const doubt = this.#doubt[base + q]!;
    const likely = Math.max(0, raw - this.#under[base + q]! - slack);
    const low = Math.max(0, likely - doubt);
    const most = Math.max(0, raw - this.#over[base + q]!) + slack;
    const high = most + doubt;
    live.freePages += (free - live.free[q]!) * (1 << q);
    if (live.low[q] !== live.high[q]) live.inexact--;
    if (low !== high) live.inexact++;
    live.touched |= 1 << q;
    live.free[q] = free;
    live.likely[q] = likely;
    live.most[q] = most;
    live.low[q] = low;
    live.high[q] = high;
  }

  /** The reserve as the events tell it. */
  #countReserve(live: LiveZone, areas: readonly number[]): void {
    const { apartCounts, apartBlocks, apartChanges } = this.#core.lists;
    if (live.reserveSeen === apartChanges) return;
    live.reserveSeen = apartChanges;
    live.highatomic.fill(0);
    live.highatomicPages = 0;
    live.reservedHighatomic = 0;
    for (let a = 0; a < areas.length; a++) {
      const area = areas[a]!;
      live.reservedHighatomic += apartBlocks[area]! * 2 ** this.pageblockOrder;
      for (let q = 0; q < this.orders; q++) {
        const blocks = apartCounts[area * this.orders + q]!;
        live.highatomic[q] = live.highatomic[q]! + blocks;
        live.highatomicPages += blocks * (1 << q);
      }
    }
    // What refusals told is what was reserved at least.
    if (this.#core.tellsHighatomic) live.reservedAtMost = live.reservedHighatomic;
  }

  /** What of the reserve is free cannot be more than what is free. */
  #refreshReserve(live: LiveZone, step: ReserveStep, base: number): void {
    let pages = 0;
    for (let q = 0; q < this.orders; q++) {
      const blocks = Math.max(0, Math.min(step.free[base + q]!, live.free[q]! - live.cma[q]!));
      live.highatomic[q] = blocks;
      pages += blocks * (1 << q);
    }
    live.highatomicPages = pages;
    live.reservedHighatomic = step.reserved[live.index]!;
    live.reservedAtMost = step.atMost[live.index]!;
  }
}
