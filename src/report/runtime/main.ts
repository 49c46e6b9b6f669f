/**
 * The browser side of the report: reads the data in the page, brings the charts to life and links
 * them by one state (span, cursor, zone, order, map plane, theme), which the URL fragment carries.
 */
import { CHARTS } from '../../charts/index.js';
import type { Mode } from '../../charts/theme.js';
import { rangeText, timeText } from '../../charts/which.js';
import { formatSeconds } from '../../records/time.js';
import type { ViewState } from '../view-state.js';
import { type ChartCard, makeCards } from './chart-card.js';
import { byId, element } from './dom.js';
import { DrawQueue } from './draw-queue.js';
import { type Carried, loadCarried } from './load.js';
import { Navigator } from './navigator.js';
import { PagesPanel } from './pages-panel.js';
import { StatePanel } from './state-panel.js';
import { Store } from './store.js';
import { offerCsv } from './table-export.js';
import { hideTooltip } from './tooltip.js';

const SLIDER_STEPS = 10_000;
/** What fits between the margins of a sheet, CSS pixels. */
const PRINT_WIDTH = 660;
/** A window narrower than this share of the view is meant as a whole: its beginning is shown. */
const NARROW = 0.01;

function choiceButtons(): NodeListOf<HTMLElement> {
  return document.querySelectorAll<HTMLElement>('[data-choice]');
}

class Page {
  readonly #store: Store;
  readonly #cards: readonly ChartCard[];
  readonly #navigator: Navigator;
  readonly #panel: StatePanel;
  readonly #pages: PagesPanel;
  #printing = false;
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');

  constructor({ data, charts }: Carried) {
    this.#store = new Store(data);
    this.#pages = new PagesPanel(this.#store, () => this.mode());
    this.#panel = new StatePanel(this.#store, (pfn) => this.#pages.reveal(pfn));
    this.#cards = makeCards(CHARTS, {
      store: this.#store,
      specs: charts,
      queue: new DrawQueue(),
      mode: () => this.mode(),
      fixedWidth: () => (this.#printing ? PRINT_WIDTH : null),
      hover: (timeNs) => this.#hover(timeNs),
      brush: (fromNs, toNs) => {
        for (const card of this.#cards) card.showBrush(fromNs, toNs);
      },
      picked: (chart, row) => this.#picked(chart, row),
    });
    document.querySelector('.toolbar')?.removeAttribute('hidden');
    this.#navigator = new Navigator(byId('navigator', HTMLCanvasElement), this.#store);
    this.#wireControls();
    for (const wrap of document.querySelectorAll<HTMLElement>('.table-wrap')) {
      if (!wrap.closest('details.table')) offerCsv(wrap);
    }
    this.#store.onChange((state, changed) => this.#changed(state, changed));
    this.#watch();
    this.#applyTheme(this.#store.state);
    this.#showControls(this.#store.state);
    this.#panel.show(this.#store.state);
    this.#navigator.draw(this.mode());
    document.documentElement.dataset.ready = 'true';
  }

  mode(): Mode {
    if (this.#printing) return 'light';
    return this.#store.state.theme ?? (this.#dark.matches ? 'dark' : 'light');
  }

  #picked(chart: string, row: Readonly<Record<string, unknown>>): void {
    const { fromNs, toNs, cursorNs } = this.#store.state;
    if (chart === 'failures' && typeof row.order === 'number') {
      const width = (Number(row.to) - Number(row.from)) * 1e9;
      const narrow = typeof row.fromNs === 'number' && width < (toNs - fromNs) * NARROW;
      const atNs = narrow ? Number(row.fromNs) : cursorNs;
      if (atNs === null) return;
      this.#panel.choose(atNs, row.order);
      this.#store.set({ cursorNs: atNs });
      this.#panel.show(this.#store.state);
    }
    if (chart === 'physical-map' && typeof row.pfn === 'number') {
      this.#store.set({ block: row.pfn });
    }
  }

  #hover(timeNs: number | null): void {
    const { cursorNs } = this.#store.state;
    for (const card of this.#cards) {
      card.showCursor(timeNs ?? cursorNs, timeNs === null && cursorNs !== null);
    }
    this.#showRange(timeNs);
    if (timeNs === null) hideTooltip();
  }

  #changed(state: ViewState, changed: ReadonlySet<keyof ViewState>): void {
    const has = (...keys: (keyof ViewState)[]): boolean => keys.some((key) => changed.has(key));
    if (has('theme')) {
      this.#applyTheme(state);
      for (const card of this.#cards) card.redrawFromScratch();
      this.#pages.draw();
    } else if (has('fromNs', 'toNs', 'zone', 'order', 'gfp')) {
      for (const card of this.#cards) card.refresh();
    } else if (has('plane', 'by')) {
      for (const card of this.#cards) if (card.chart.choice) card.refresh();
    }
    if (has('cursorNs')) {
      for (const card of this.#cards) card.showCursor(state.cursorNs, true);
    }
    if (has('cursorNs', 'zone', 'order', 'gfp')) this.#panel.show(state);
    if (has('cursorNs', 'zone', 'order', 'block')) this.#pages.draw();
    this.#showControls(state);
    this.#navigator.draw(this.mode());
  }

  #applyTheme(state: ViewState): void {
    const root = document.documentElement;
    if (state.theme) root.dataset.theme = state.theme;
    else delete root.dataset.theme;
    byId('theme', HTMLButtonElement).textContent = this.mode() === 'dark' ? 'Light' : 'Dark';
  }

  #showRange(hoverNs: number | null): void {
    const { state, data } = this.#store;
    const { epochS } = data.clock;
    const at = hoverNs ?? state.cursorNs;
    byId('range', HTMLOutputElement).textContent =
      `${rangeText(state, epochS)}${at === null ? '' : ` · at ${timeText(state, epochS)(at)} s`}`;
  }

  #showControls(state: ViewState): void {
    byId('zone', HTMLSelectElement).value = state.zone === null ? '' : String(state.zone);
    byId('order', HTMLSelectElement).value = state.order === null ? '' : String(state.order);
    const gfp = document.querySelector<HTMLSelectElement>('#gfp');
    if (gfp) gfp.value = state.gfp;
    const { span } = this.#store.data;
    const slider = byId('cursor', HTMLInputElement);
    const at = state.cursorNs ?? span.fromNs;
    slider.value = String(
      Math.round(((at - span.fromNs) / (span.toNs - span.fromNs)) * SLIDER_STEPS),
    );
    slider.setAttribute('aria-valuetext', `${formatSeconds(at, this.#store.data.clock.epochS)} s`);
    for (const button of choiceButtons()) {
      const { choice, value } = button.dataset;
      button.setAttribute('aria-pressed', String(state[choice as 'plane' | 'by'] === value));
    }
    this.#showRange(null);
  }

  #wireControls(): void {
    const store = this.#store;
    const { span } = store.data;
    const choice = (id: 'zone' | 'order'): void => {
      const select = byId(id, HTMLSelectElement);
      select.addEventListener('change', () => {
        store.set({ [id]: select.value === '' ? null : Number(select.value) });
      });
    };
    const gfp = document.querySelector<HTMLSelectElement>('#gfp');
    gfp?.addEventListener('change', () => store.set({ gfp: gfp.value }));
    choice('zone');
    choice('order');
    const slider = byId('cursor', HTMLInputElement);
    slider.addEventListener('input', () => {
      const share = Number(slider.value) / SLIDER_STEPS;
      store.set({ cursorNs: Math.round(span.fromNs + share * (span.toNs - span.fromNs)) });
    });
    byId('reset', HTMLButtonElement).addEventListener('click', () => store.resetZoom());
    byId('zoom-in', HTMLButtonElement).addEventListener('click', () => {
      const { cursorNs, fromNs, toNs } = store.state;
      store.zoomAround(cursorNs ?? (fromNs + toNs) / 2, 0.4);
    });
    byId('theme', HTMLButtonElement).addEventListener('click', () => {
      store.set({ theme: this.mode() === 'dark' ? 'light' : 'dark' });
    });
    // The fragment is the view's: following this link as a link would lose what is shown.
    document.querySelector('a.skip')?.addEventListener('click', (event) => {
      event.preventDefault();
      document.getElementById('main')?.focus();
    });
    for (const button of choiceButtons()) {
      const { choice, value } = button.dataset;
      button.addEventListener('click', () => store.set({ [choice!]: value }));
    }
    this.#dark.addEventListener('change', () => {
      this.#applyTheme(store.state);
      for (const card of this.#cards) card.redrawFromScratch();
    });
  }

  /** Charts draw when they come near the screen; all of them before printing. */
  #watch(): void {
    const byElement = new Map<Element, ChartCard>();
    const observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) byElement.get(entry.target)?.setVisible(entry.isIntersecting);
      },
      { rootMargin: '600px 0px' },
    );
    for (const card of this.#cards) {
      const section = document.getElementById(`chart-${card.chart.id}`);
      if (!section) continue;
      byElement.set(section, card);
      observer.observe(section);
    }
    // On paper nothing can be opened: what the reader may need to check stands open.
    const opened: HTMLDetailsElement[] = [];
    const closed = (): HTMLDetailsElement[] => [
      ...document.querySelectorAll<HTMLDetailsElement>('footer .provenance:not([open])'),
    ];
    window.addEventListener('beforeprint', () => {
      this.#printing = true;
      for (const details of closed()) {
        details.open = true;
        opened.push(details);
      }
      for (const card of this.#cards) card.draw();
    });
    window.addEventListener('afterprint', () => {
      this.#printing = false;
      for (const details of opened.splice(0)) details.open = false;
      for (const card of this.#cards) card.redrawFromScratch();
    });
    let width = innerWidth;
    window.addEventListener('resize', () => {
      if (innerWidth === width) return;
      width = innerWidth;
      for (const card of this.#cards) card.refresh();
      this.#navigator.draw(this.mode());
    });
  }
}

/** In words where the charts would be: an old browser, or a file cut off on its way. */
function sayBroken(error: unknown): void {
  const why = error instanceof Error ? error.message : String(error);
  const words = `The charts of this page could not be read (${why}). The words and figures stand by themselves; the files that buddyscope wrote beside this page hold the rest.`;
  document.querySelector('main')?.prepend(element('p', { class: 'note', role: 'alert' }, words));
  for (const plot of document.querySelectorAll('.plot')) plot.classList.add('drawn');
  console.error(error);
}

loadCarried()
  .then((carried) => new Page(carried))
  .catch(sayBroken);
