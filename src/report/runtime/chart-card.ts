/**
 * One chart on the page: draws when it comes near the screen, follows the shared state, and takes
 * pointer and keys. Cursor and brush are plain elements above the canvas, so moving them never
 * draws a chart again.
 */
import type { View } from 'vega';
import type { Chart, ChartView, Spec } from '../../charts/chart.js';
import type { Mode } from '../../charts/theme.js';
import { plotRoom } from '../../charts/time-chart.js';
import { whichText } from '../../charts/which.js';
import type { CompiledCharts } from '../compile-charts.js';
import type { ViewState } from '../view-state.js';
import { element } from './dom.js';
import type { DrawQueue } from './draw-queue.js';
import { exportChart } from './export.js';
import type { Store } from './store.js';
import { fillTable } from './table.js';
import { createView, plotBox, setRows } from './vega-view.js';

/** Pixels the pointer may stray for a press to count as a click. */
const CLICK_SLACK = 4;

export interface CardContext {
  readonly store: Store;
  /** Compiled specs as JSON. */
  readonly specs: CompiledCharts;
  readonly queue: DrawQueue;
  mode(): Mode;
  /** Width to draw at instead of the plot's own, while printing. */
  fixedWidth(): number | null;
  /** The pointer is over this time, or nowhere. */
  hover(timeNs: number | null): void;
  /** Shows a brush on every chart, or none. */
  brush(fromNs: number | null, toNs: number): void;
  /** A drawn row was clicked. */
  picked(chart: string, row: Readonly<Record<string, unknown>>): void;
}

export class ChartCard {
  readonly chart: Chart;
  readonly #context: CardContext;
  readonly #card: HTMLElement;
  readonly #plot: HTMLElement;
  readonly #vega: HTMLElement;
  readonly #line: HTMLElement;
  readonly #brush: HTMLElement;
  #view: View | null = null;
  #specKey = '';
  #visible = false;
  #stale = true;
  #box = { left: 0, top: 0, width: 1, height: 1 };
  #dragFrom: number | null = null;

  constructor(chart: Chart, card: HTMLElement, plot: HTMLElement, context: CardContext) {
    this.chart = chart;
    this.#context = context;
    this.#card = card;
    this.#plot = plot;
    this.#vega = plot.querySelector<HTMLElement>('.vega')!;
    this.#line = plot.querySelector<HTMLElement>('.cursor-line')!;
    this.#brush = plot.querySelector<HTMLElement>('.brush')!;
    if (chart.overTime) this.#listen();
    for (const button of card.querySelectorAll<HTMLElement>('[data-export]')) {
      button.addEventListener('click', () => {
        void exportChart(
          chart,
          context.store.data,
          this.view(),
          button.dataset.export ?? '',
          this.#spec(),
          context.mode(),
        );
      });
    }
    const table = card.querySelector<HTMLDetailsElement>('details.table');
    table?.addEventListener('toggle', () => this.#fillTable());
  }

  /** What this chart is asked to show now. */
  view(): ChartView {
    const { state } = this.#context.store;
    return {
      fromNs: state.fromNs,
      toNs: state.toNs,
      zone: state.zone,
      order: state.order,
      gfp: state.gfp,
      plane: state.plane,
      by: state.by,
      columns: Math.max(120, Math.min(480, Math.round(this.#plot.clientWidth / 2.2))),
    };
  }

  #specName(): string {
    const { choice, id } = this.chart;
    return choice ? `${id}/${this.#context.store.state[choice.field]}` : id;
  }

  #spec(): Spec {
    return JSON.parse(this.#context.specs[this.#specName()] ?? '{}') as Spec;
  }

  setVisible(visible: boolean): void {
    this.#visible = visible;
    if (visible && this.#stale) this.#context.queue.add(this);
    if (!visible) this.#context.queue.remove(this);
  }

  /** Draws in one of the next frames if on screen, else when it comes there. */
  refresh(): void {
    this.#stale = true;
    if (this.#visible) this.#context.queue.add(this);
  }

  redrawFromScratch(): void {
    this.#specKey = '';
    this.refresh();
  }

  /** A chart that cannot be drawn says so in its place, and the others are drawn all the same. */
  draw(): void {
    this.#stale = false;
    try {
      this.#draw();
    } catch (error) {
      this.#view = null;
      console.error(error);
      const words = `This chart could not be drawn (${error instanceof Error ? error.message : error}). The table below has its numbers.`;
      this.#vega.replaceChildren(element('p', { class: 'empty' }, words));
    }
    this.#plot.classList.add('drawn');
  }

  #draw(): void {
    const { store, mode } = this.#context;
    const key = `${mode()} ${this.#specName()}`;
    if (!this.#view || key !== this.#specKey) {
      this.#view?.finalize();
      this.#vega.replaceChildren();
      this.#view = createView(this.#spec(), mode(), this.#vega);
      this.#view.addEventListener('click', (_event, item) => {
        const row = item?.datum as Record<string, unknown> | undefined;
        if (row) this.#context.picked(this.chart.id, row);
      });
      this.#specKey = key;
    }
    this.#update(this.#view, store.state);
    this.#labelWhich();
    this.#fillTable();
  }

  #update(view: View, state: ViewState): void {
    const { data } = this.#context.store;
    setRows(view, this.chart.rows(data, this.view()));
    if (this.chart.overTime) {
      view.signal('t0', state.fromNs / 1e9 + data.clock.epochS);
      view.signal('t1', state.toNs / 1e9 + data.clock.epochS);
    }
    const width = Math.max(200, this.#context.fixedWidth() ?? this.#plot.clientWidth);
    view.signal('room', plotRoom(width)).width(width).resize().run();
    this.#box = plotBox(view);
    for (const overlay of [this.#line, this.#brush]) {
      overlay.style.top = `${this.#box.top}px`;
      overlay.style.height = `${this.#box.height}px`;
    }
    this.showCursor(state.cursorNs, state.cursorNs !== null);
  }

  #labelWhich(): void {
    const label = this.#card.querySelector('.which');
    const text = whichText(this.chart.id, this.#context.store.data, this.view());
    if (label) label.textContent = text === '' ? '' : `· ${text}`;
  }

  #fillTable(): void {
    const details = this.#card.querySelector<HTMLDetailsElement>('details.table');
    const wrap = details?.querySelector<HTMLElement>('.table-wrap');
    if (!details?.open || !wrap) return;
    fillTable(wrap, this.chart, this.chart.rows(this.#context.store.data, this.view()));
  }

  #timeAt(clientX: number): number {
    const { fromNs, toNs } = this.#context.store.state;
    const x = clientX - this.#plot.getBoundingClientRect().left - this.#box.left;
    const share = Math.max(0, Math.min(1, x / this.#box.width));
    return Math.round(fromNs + share * (toNs - fromNs));
  }

  #xOf(timeNs: number): number {
    const { fromNs, toNs } = this.#context.store.state;
    return this.#box.left + ((timeNs - fromNs) / (toNs - fromNs)) * this.#box.width;
  }

  showCursor(timeNs: number | null, fixed: boolean): void {
    if (!this.chart.overTime || !this.#view) return;
    const { fromNs, toNs } = this.#context.store.state;
    const shown = timeNs !== null && timeNs >= fromNs && timeNs <= toNs;
    this.#line.hidden = !shown;
    this.#line.classList.toggle('fixed', fixed);
    if (shown) this.#line.style.transform = `translateX(${this.#xOf(timeNs)}px)`;
  }

  showBrush(fromNs: number | null, toNs: number): void {
    if (!this.chart.overTime) return;
    this.#brush.hidden = fromNs === null;
    if (fromNs === null) return;
    const left = this.#xOf(Math.min(fromNs, toNs));
    this.#brush.style.left = `${left}px`;
    this.#brush.style.width = `${Math.max(1, this.#xOf(Math.max(fromNs, toNs)) - left)}px`;
  }

  #listen(): void {
    const plot = this.#plot;
    const { store } = this.#context;
    let pressedAt = 0;
    plot.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      pressedAt = event.clientX;
      this.#dragFrom = this.#timeAt(event.clientX);
    });
    plot.addEventListener('pointermove', (event) => {
      const at = this.#timeAt(event.clientX);
      this.#context.hover(at);
      if (this.#dragFrom === null || Math.abs(event.clientX - pressedAt) < CLICK_SLACK) return;
      if (!plot.hasPointerCapture(event.pointerId)) plot.setPointerCapture(event.pointerId);
      this.#context.brush(this.#dragFrom, at);
    });
    plot.addEventListener('pointerup', (event) => {
      const from = this.#dragFrom;
      this.#dragFrom = null;
      this.#context.brush(null, 0);
      if (from === null) return;
      const at = this.#timeAt(event.clientX);
      if (Math.abs(event.clientX - pressedAt) < CLICK_SLACK) store.set({ cursorNs: at });
      else store.zoomTo(Math.min(from, at), Math.max(from, at));
    });
    plot.addEventListener('pointercancel', () => {
      this.#dragFrom = null;
      this.#context.brush(null, 0);
    });
    plot.addEventListener('pointerleave', () => this.#context.hover(null));
    plot.addEventListener('dblclick', () => store.resetZoom());
    plot.addEventListener('keydown', (event) => onKey(event, store));
  }
}

function onKey(event: KeyboardEvent, store: Store): void {
  const { fromNs, toNs, cursorNs } = store.state;
  const width = toNs - fromNs;
  const at = cursorNs ?? (fromNs + toNs) / 2;
  const step = width / (event.shiftKey ? 20 : 200);
  const actions: Record<string, () => void> = {
    ArrowLeft: () =>
      store.set({ cursorNs: Math.max(store.data.span.fromNs, Math.round(at - step)) }),
    ArrowRight: () =>
      store.set({ cursorNs: Math.min(store.data.span.toNs, Math.round(at + step)) }),
    '+': () => store.zoomAround(at, 0.5),
    '=': () => store.zoomAround(at, 0.5),
    '-': () => store.zoomAround(at, 2),
    Home: () => store.resetZoom(),
    Escape: () => store.set({ cursorNs: null }),
  };
  const action = actions[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
}

export function makeCards(charts: readonly Chart[], context: CardContext): ChartCard[] {
  const cards: ChartCard[] = [];
  for (const chart of charts) {
    const section = document.getElementById(`chart-${chart.id}`);
    const plot = section?.querySelector<HTMLElement>('.plot');
    if (section && plot) cards.push(new ChartCard(chart, section, plot, context));
  }
  return cards;
}
