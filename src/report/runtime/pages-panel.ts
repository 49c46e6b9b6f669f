/**
 * Page by page: one pageblock as a grid, coloured by what each page is, with what is known of it.
 */
import {
  PAGE_STATES,
  type PageblockDetail,
  type PageRun,
  type ReportData,
} from '../../analysis/report-data.js';
import { duration } from '../../analysis/words.js';
import { zoneName } from '../../charts/chart.js';
import { INK, type Mode, TYPE_COLORS } from '../../charts/theme.js';
import { element } from './dom.js';
import type { Store } from './store.js';
import { hideTooltip, showTooltip } from './tooltip.js';

const COLORS: Readonly<Record<string, string>> = {
  free: '#a8d08d',
  'on a per-cpu list': '#e3c567',
  'immovable, allocated in the recording': TYPE_COLORS.Unmovable!,
  'movable, allocated in the recording': TYPE_COLORS.Movable!,
  'in use since before the recording': '#7f8792',
  isolated: TYPE_COLORS.Isolate!,
  'not known': 'transparent',
};
const COLUMNS = 32;

export class PagesPanel {
  readonly #data: ReportData;
  readonly #mode: () => Mode;
  readonly #details: readonly PageblockDetail[];
  readonly #box = document.querySelector<HTMLElement>('.pages');
  readonly #select = document.querySelector<HTMLSelectElement>('#pageblock');
  readonly #canvas = document.querySelector<HTMLCanvasElement>('#pages-grid');
  #shown = 0;

  constructor(store: Store, mode: () => Mode) {
    this.#data = store.data;
    this.#mode = mode;
    this.#details = store.data.physicalMap?.details ?? [];
    if (!this.#box || !this.#select || this.#details.length === 0) return;
    this.#box.hidden = false;
    this.#details.forEach((detail, i) => {
      const text = `${zoneName(this.#data, detail.zone)} pfn 0x${detail.pfn.toString(16)}: ${this.#pinned(detail)} immovable pages`;
      this.#select!.append(element('option', { value: String(i) }, text));
    });
    this.#select.addEventListener('change', () => {
      this.#shown = Number(this.#select!.value);
      this.draw();
    });
    this.#canvas?.addEventListener('pointermove', (event) => this.#point(event));
    this.#canvas?.addEventListener('pointerleave', () => hideTooltip());
    document.querySelector('#pages-legend')?.replaceChildren(
      ...Object.entries(COLORS).map(([what, color]) => {
        const swatch = element('i');
        swatch.style.background = color;
        if (color === 'transparent') swatch.style.outline = '1px solid currentColor';
        return element('span', {}, swatch, what);
      }),
    );
    new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.draw();
    }).observe(this.#box);
  }

  /** Shows the pageblock at or after a pfn, if its pages are known. */
  choose(pfn: number): void {
    const found = this.#details.findIndex((detail) => detail.pfn >= pfn);
    if (found < 0 || !this.#select) return;
    this.#shown = found;
    this.#select.value = String(found);
    this.draw();
  }

  #pinned(detail: PageblockDetail): number {
    return detail.runs.reduce(
      (sum, run) => sum + (this.#kind(run).startsWith('immovable') ? run[1] : 0),
      0,
    );
  }

  #kind(run: PageRun): string {
    const state = PAGE_STATES[run[2]];
    if (state === 'free') return 'free';
    if (run[4] >= 0) {
      const movable = this.#data.holders?.holders[run[4]]?.migratetype === 'Movable';
      return `${movable ? 'movable' : 'immovable'}, allocated in the recording`;
    }
    if (state === 'pcp') return 'on a per-cpu list';
    if (state === 'isolated') return 'isolated';
    return state === 'allocated' ? 'in use since before the recording' : 'not known';
  }

  draw(): void {
    const detail = this.#details[this.#shown];
    const canvas = this.#canvas;
    const context = canvas?.getContext('2d');
    if (!detail || !canvas || !context) return;
    const rows = Math.ceil(2 ** (this.#data.physicalMap?.pageblockOrder ?? 9) / COLUMNS);
    const cell = Math.max(8, Math.floor(canvas.clientWidth / COLUMNS));
    const scale = devicePixelRatio || 1;
    canvas.width = COLUMNS * cell * scale;
    canvas.height = rows * cell * scale;
    context.scale(scale, scale);
    context.fillStyle = INK[this.#mode()].grid;
    context.fillRect(0, 0, COLUMNS * cell, rows * cell);
    for (const run of detail.runs) {
      context.fillStyle = COLORS[this.#kind(run)] ?? 'transparent';
      for (let p = run[0]; p < run[0] + run[1]; p++) {
        const joined = p + 1 < run[0] + run[1] && (p + 1) % COLUMNS !== 0 ? 0 : 1;
        context.fillRect(
          (p % COLUMNS) * cell,
          Math.floor(p / COLUMNS) * cell,
          cell - joined,
          cell - 1,
        );
      }
    }
    const lead = document.querySelector('#pages-lead');
    if (lead) lead.textContent = this.#describe(detail);
  }

  #describe(detail: PageblockDetail): string {
    const free = detail.runs.reduce(
      (sum, run) => sum + (PAGE_STATES[run[2]] === 'free' ? run[1] : 0),
      0,
    );
    const type = this.#data.physicalMap?.typeNames[detail.type] ?? 'of unknown type';
    return `At the end of the recording: ${free} pages free, ${this.#pinned(detail)} immovable, in a pageblock marked ${type}. ${COLUMNS} pages a row, lowest address first; blocks of more than one page are joined.`;
  }

  #point(event: PointerEvent): void {
    const detail = this.#details[this.#shown];
    const canvas = this.#canvas;
    if (!detail || !canvas) return;
    const box = canvas.getBoundingClientRect();
    const cell = box.width / COLUMNS;
    const at =
      Math.floor((event.clientY - box.top) / cell) * COLUMNS +
      Math.floor((event.clientX - box.left) / cell);
    const run = detail.runs.find((r) => at >= r[0] && at < r[0] + r[1]);
    if (!run) {
      hideTooltip();
      return;
    }
    const holder = run[4] >= 0 ? this.#data.holders?.holders[run[4]] : undefined;
    const ageNs = run[5] >= 0 ? detail.timeNs - this.#data.span.fromNs - run[5] * 1000 : null;
    showTooltip(event.clientX, event.clientY, {
      pfn: `0x${(detail.pfn + at).toString(16)}`,
      state: this.#kind(run),
      order: run[3] >= 0 ? run[3] : '',
      owner: holder?.comm ?? '',
      gfp: holder?.gfp ?? '',
      'call site': holder?.site ?? '',
      held: ageNs === null ? '' : duration(Math.max(0, ageNs)),
    });
  }
}
