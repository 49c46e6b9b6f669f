/**
 * Memory at one instant: all pageblocks as a grid, and one of them page by page, with what is known of
 * each page. The instant is the chosen moment, or the nearest one before it that the report holds.
 */
import type { NearestBlock, ReportData } from '../../analysis/report-data.js';
import { bytesText, duration, grouped, plural } from '../../analysis/words.js';
import { zoneName } from '../../charts/chart.js';
import { mainZone } from '../../charts/main-zone.js';
import { INK, type Mode, PAGE_COLORS, rampColor, SHARE_RANGE } from '../../charts/theme.js';
import { formatSeconds } from '../../records/time.js';
import { nearestBefore } from '../moment.js';
import type { ViewState } from '../view-state.js';
import { byId, element } from './dom.js';
import { hatchCell, scaled } from './page-canvas.js';
import { fillOwnerTable } from './page-owner-table.js';
import { type BlockThen, type PageKind, PageStore } from './page-store.js';
import type { Store } from './store.js';
import { hideTooltip, showTooltip } from './tooltip.js';

const COLUMNS = 32;
const WORTH_A_LOOK = 20;
/** Cells of the overview; beyond, a cell stands for several pageblocks. */
const MAX_CELLS = 6000;
const OVERVIEW_HEIGHT = 300;

export class PagesPanel {
  readonly #store: Store;
  readonly #data: ReportData;
  readonly #mode: () => Mode;
  readonly #pages: PageStore;
  readonly #box = document.querySelector<HTMLElement>('.pages');
  #visible = false;
  /** Overview: pixels a cell, cells a row, blocks a cell. */
  #grid = { cell: 8, columns: 1, step: 1 };
  #shown: BlockThen | null = null;
  #index = -1;

  constructor(store: Store, mode: () => Mode) {
    this.#store = store;
    this.#data = store.data;
    this.#mode = mode;
    this.#pages = new PageStore(store.data);
    if (!this.#box || !this.#pages.hasPages) return;
    this.#box.hidden = false;
    this.#wire();
    new IntersectionObserver((entries) => {
      this.#visible = entries.some((entry) => entry.isIntersecting);
      if (this.#visible) void this.#pages.load().then(() => this.draw());
    }).observe(this.#box);
  }

  #wire(): void {
    const select = byId('pageblock', HTMLSelectElement);
    select.addEventListener('change', () => this.#store.set({ block: Number(select.value) }));
    const step = (by: number): void => {
      const block = this.#pages.blocks[this.#index + by];
      if (block) this.#store.set({ block: block.pfn });
    };
    byId('block-before', HTMLButtonElement).addEventListener('click', () => step(-1));
    byId('block-after', HTMLButtonElement).addEventListener('click', () => step(1));
    const grid = byId('pages-grid', HTMLCanvasElement);
    grid.addEventListener('pointermove', (event) => this.#pointPage(event));
    grid.addEventListener('pointerleave', () => hideTooltip());
    const all = byId('blocks-grid', HTMLCanvasElement);
    all.addEventListener('pointermove', (event) => this.#pointBlock(event));
    all.addEventListener('pointerleave', () => hideTooltip());
    all.addEventListener('click', (event) => {
      const block = this.#pages.blocks[this.#blockAt(event)];
      if (block) this.#store.set({ block: block.pfn });
    });
    byId('pages-legend', HTMLDivElement).replaceChildren(
      ...Object.entries(PAGE_COLORS).map(([what, color]) => {
        const swatch = element('i', { class: color === null ? 'hatched' : '' });
        if (color !== null) swatch.style.background = color;
        return element('span', {}, swatch, what);
      }),
    );
  }

  /** Shows the pages at a pfn, and goes there. */
  reveal(pfn: number): void {
    this.#store.set({ block: pfn });
    this.#box?.scrollIntoView({ block: 'center' });
  }

  #atNs(): number {
    return this.#store.state.cursorNs ?? this.#data.span.toNs;
  }

  draw(): void {
    if (!this.#visible || this.#pages.blocks.length === 0) return;
    const atNs = this.#atNs();
    const { state } = this.#store;
    const worth = this.#worthALook(atNs);
    const wanted = state.block ?? this.#defaultPfn(state, worth);
    this.#index = Math.max(0, this.#pages.indexOf(wanted));
    this.#shown = this.#pages.at(this.#index, atNs);
    this.#fillSelect(worth);
    this.#drawBlocks(atNs);
    this.#drawPages();
    byId('blocks-lead', HTMLParagraphElement).textContent = this.#overviewWords();
    this.#describe(atNs);
    const nowS = ((this.#shown?.timeNs ?? 0) - this.#data.span.fromNs) / 1e9;
    fillOwnerTable(byId('pages-owners', HTMLDivElement), this.#pages, this.#shown, nowS);
    this.#box?.classList.add('drawn');
  }

  /** Where the request explained above came nearest to a block, else what is most worth a look. */
  #defaultPfn(state: ViewState, worth: readonly number[]): number {
    const first = this.#pages.blocks[worth[0] ?? this.#mostMixed()]!.pfn;
    return this.#nearest(state)?.pfn ?? first;
  }

  /** The pageblock with most immovable pages beside others, in the zone chosen or the largest. */
  #mostMixed(): number {
    const zone = this.#store.state.zone ?? mainZone(this.#data);
    const size = 2 ** this.#data.pageblockOrder;
    let best = this.#pages.blocks.findIndex((block) => block.zone === zone);
    let most = 0;
    this.#pages.blocks.forEach((block, index) => {
      const then = block.zone === zone ? this.#pages.at(index, this.#atNs()) : null;
      const pinned = then ? this.#pages.count(then, 'immovable') : 0;
      if (pinned > most && pinned < size) [best, most] = [index, pinned];
    });
    return Math.max(0, best);
  }

  #nearest(state: ViewState): NearestBlock | undefined {
    const order = state.order ?? this.#data.narrative.order;
    if (state.cursorNs === null || order === undefined) return undefined;
    const found = nearestBefore(this.#data, state.cursorNs, order)?.blocks ?? [];
    return found.find((b) => b.taken > 0 && (state.zone === null || b.zone === state.zone));
  }

  /** Blocks with few immovable pages among many free ones: freeing them would cost least. */
  #worthALook(atNs: number): number[] {
    const size = 2 ** this.#data.pageblockOrder;
    const { zone } = this.#store.state;
    const found: { index: number; pinned: number }[] = [];
    this.#pages.blocks.forEach((block, index) => {
      if (zone !== null && block.zone !== zone) return;
      const then = this.#pages.at(index, atNs);
      if (!then || this.#pages.count(then, 'free') * 4 < size) return;
      const pinned = this.#pages.count(then, 'immovable');
      if (pinned > 0) found.push({ index, pinned });
    });
    found.sort((a, b) => a.pinned - b.pinned || a.index - b.index);
    return found.slice(0, WORTH_A_LOOK).map(({ index }) => index);
  }

  #fillSelect(worth: readonly number[]): void {
    const select = byId('pageblock', HTMLSelectElement);
    const listed = [...new Set([this.#index, ...worth])].sort((a, b) => a - b);
    select.replaceChildren(
      ...listed.map((index) => {
        const { pfn, zone } = this.#pages.blocks[index]!;
        const at = bytesText(pfn * this.#data.pageSize);
        const text = `${zoneName(this.#data, zone)}, at ${at} (pfn 0x${pfn.toString(16)})`;
        return element('option', { value: String(pfn) }, text);
      }),
    );
    select.value = String(this.#pages.blocks[this.#index]!.pfn);
    byId('block-before', HTMLButtonElement).disabled = this.#index <= 0;
    byId('block-after', HTMLButtonElement).disabled = this.#index >= this.#pages.blocks.length - 1;
  }

  #drawBlocks(atNs: number): void {
    const canvas = byId('blocks-grid', HTMLCanvasElement);
    const count = this.#pages.blocks.length;
    const step = Math.ceil(count / MAX_CELLS);
    const cells = Math.ceil(count / step);
    const width = canvas.clientWidth;
    const cell = Math.max(
      3,
      Math.min(24, Math.floor(Math.sqrt((width * OVERVIEW_HEIGHT) / cells) * 0.97)),
    );
    const columns = Math.max(1, Math.floor(width / cell));
    this.#grid = { cell, columns, step };
    const context = scaled(canvas, width, Math.ceil(cells / columns) * cell);
    if (!context) return;
    const gap = cell > 5 ? 1 : 0;
    const { zone } = this.#store.state;
    for (let c = 0; c < cells; c++) {
      const [x, y] = [(c % columns) * cell, Math.floor(c / columns) * cell];
      const share = this.#freeShare(c * step, step, atNs);
      const other = zone !== null && this.#pages.blocks[c * step]!.zone !== zone;
      context.globalAlpha = other ? 0.25 : 1;
      if (share === null) hatchCell(context, x, y, cell - gap, INK[this.#mode()].faint);
      else {
        context.fillStyle = rampColor(SHARE_RANGE, share);
        context.fillRect(x, y, cell - gap, cell - gap);
      }
    }
    context.globalAlpha = 1;
    const at = Math.floor(this.#index / step);
    context.strokeStyle = INK[this.#mode()].ink;
    context.lineWidth = 2;
    context.strokeRect(
      (at % columns) * cell - 0.5,
      Math.floor(at / columns) * cell - 0.5,
      cell,
      cell,
    );
  }

  /** Free share of blocks [from, from + step), null = not known. */
  #freeShare(from: number, step: number, atNs: number): number | null {
    let free = 0;
    let known = 0;
    for (let b = from; b < from + step; b++) {
      const then = this.#pages.at(b, atNs);
      if (!then) continue;
      const unknown = this.#pages.count(then, 'not known');
      known += 2 ** this.#data.pageblockOrder - unknown;
      free += this.#pages.count(then, 'free');
    }
    return known === 0 ? null : free / known;
  }

  #drawPages(): void {
    const canvas = byId('pages-grid', HTMLCanvasElement);
    const size = 2 ** this.#data.pageblockOrder;
    const rows = Math.ceil(size / COLUMNS);
    const cell = Math.max(6, Math.floor(canvas.clientWidth / COLUMNS));
    const context = scaled(canvas, COLUMNS * cell, rows * cell);
    if (!context) return;
    const faint = INK[this.#mode()].faint;
    let page = 0;
    for (const run of this.#shown?.runs ?? []) {
      const color = PAGE_COLORS[this.#pages.kind(run)];
      const end = page + run.pages;
      for (; page < end; page++) {
        const [x, y] = [(page % COLUMNS) * cell, Math.floor(page / COLUMNS) * cell];
        const joined = run.order > 0 && page + 1 < end && (page + 1) % COLUMNS !== 0 ? 0 : 1;
        if (color === null) hatchCell(context, x, y, cell - 1, faint);
        else {
          context.fillStyle = color;
          context.fillRect(x, y, cell - joined, cell - 1);
        }
      }
    }
    this.#outlineNearest(context, cell);
  }

  /** The block that the request lacked, where it lies in this pageblock. */
  #outlineNearest(context: CanvasRenderingContext2D, cell: number): void {
    const nearest = this.#nearest(this.#store.state);
    const pageblock = this.#shown;
    if (!nearest || !pageblock) return;
    const size = 2 ** this.#data.pageblockOrder;
    const from = nearest.pfn - pageblock.pfn;
    const pages = 2 ** nearest.order;
    if (from < 0 || from >= size || pages >= size) return;
    const width = Math.min(COLUMNS, pages);
    context.strokeStyle = INK[this.#mode()].ink;
    context.lineWidth = 2;
    context.strokeRect(
      (from % COLUMNS) * cell - 0.5,
      Math.floor(from / COLUMNS) * cell - 0.5,
      width * cell,
      Math.ceil(pages / COLUMNS) * cell,
    );
  }

  #describe(atNs: number): void {
    const lead = byId('pages-lead', HTMLParagraphElement);
    const then = this.#shown;
    if (!then) {
      lead.textContent = 'Nothing was known of this pageblock yet at this moment.';
      return;
    }
    const type = this.#data.physicalMap?.typeNames[then.type] ?? 'unknown';
    const count = (kind: string): string => grouped(this.#pages.count(then, kind));
    const outlined = this.#nearest(this.#store.state);
    const size = 2 ** this.#data.pageblockOrder;
    const inside = outlined && outlined.pfn >= then.pfn && outlined.pfn < then.pfn + size;
    lead.textContent = [
      this.#whenWords(then.timeNs, atNs),
      `This pageblock (${zoneName(this.#data, then.zone)}, migratetype ${type}) has ${count('free')} pages free and ${count('immovable')} known to be immovable.`,
      `${COLUMNS} pages a row, lowest address first; a block of more than one page is drawn in one piece.`,
      ...(inside && 2 ** outlined.order < size
        ? [`Outlined: the place that came nearest to a free block of order ${outlined.order}.`]
        : []),
    ].join(' ');
  }

  /** On a machine too large not every pageblock is kept page by page. */
  #overviewWords(): string {
    const kept = this.#pages.blocks.length;
    const size = 2 ** this.#data.pageblockOrder;
    const all =
      (this.#data.physicalMap?.rows ?? []).reduce((sum, row) => sum + row.pages, 0) / size;
    const which =
      kept < all * 0.95
        ? `The ${grouped(kept)} pageblocks, of ${grouped(all)}, that are known page by page`
        : 'All pageblocks';
    const several = this.#grid.step > 1 ? `, ${grouped(this.#grid.step)} a cell` : '';
    return `${which}${several}, lowest address first: light is free, dark in use. Click one.`;
  }

  #whenWords(timeNs: number, atNs: number): string {
    const at = formatSeconds(Math.round(timeNs / 1e3) * 1e3, this.#data.clock.epochS);
    if (timeNs === atNs) return `Exactly at the chosen moment, ${at} s.`;
    const before = duration(atNs - timeNs);
    const what = this.#store.state.cursorNs === null ? 'the end' : 'the chosen moment';
    return `As it was at ${at} s, ${before} before ${what}: the nearest instant kept page by page.`;
  }

  #blockAt(event: MouseEvent): number {
    const { cell, columns, step } = this.#grid;
    const column = Math.floor(event.offsetX / cell);
    if (column >= columns) return -1;
    return (Math.floor(event.offsetY / cell) * columns + column) * step;
  }

  #pointBlock(event: PointerEvent): void {
    const index = this.#blockAt(event);
    const then = this.#pages.at(index, this.#atNs());
    if (!then) {
      hideTooltip();
      return;
    }
    const { step } = this.#grid;
    const share = this.#freeShare(index, step, this.#atNs());
    showTooltip(event.clientX, event.clientY, {
      zone: zoneName(this.#data, then.zone),
      address: bytesText(then.pfn * this.#data.pageSize),
      pfn: `0x${then.pfn.toString(16)}`,
      here: step > 1 ? plural(step, 'pageblock') : 'one pageblock',
      free: share === null ? 'not known' : `${Math.round(share * 100)} %`,
      immovable: step > 1 ? '' : plural(this.#pages.count(then, 'immovable'), 'page'),
    });
  }

  #pointPage(event: PointerEvent): void {
    const then = this.#shown;
    const canvas = byId('pages-grid', HTMLCanvasElement);
    const cell = canvas.getBoundingClientRect().width / COLUMNS;
    const at = Math.floor(event.offsetY / cell) * COLUMNS + Math.floor(event.offsetX / cell);
    let from = 0;
    const run = then?.runs.find((r) => {
      from += r.pages;
      return at < from;
    });
    if (!then || !run || at < 0) {
      hideTooltip();
      return;
    }
    const kind: PageKind = this.#pages.kind(run);
    const owner = this.#pages.owner(run.owner);
    const ageNs = then.timeNs - this.#data.span.fromNs - run.sinceS * 1e9;
    showTooltip(event.clientX, event.clientY, {
      pfn: `0x${(then.pfn + at).toString(16)}`,
      state: kind,
      order: run.order >= 0 ? run.order : '',
      owner: owner?.comm ?? '',
      gfp: owner?.gfp ?? '',
      'call site': owner?.site ?? '',
      held: owner ? duration(Math.max(0, ageNs)) : '',
    });
  }
}
