/**
 * The one state all views share; a change is told to every listener once a frame at most.
 */
import type { ReportData } from '../../analysis/report-data.js';
import { decodeState, encodeState, initialState, type ViewState } from '../view-state.js';

type Listener = (state: ViewState, changed: ReadonlySet<keyof ViewState>) => void;

export class Store {
  readonly data: ReportData;
  #state: ViewState;
  readonly #listeners: Listener[] = [];
  #pending = new Set<keyof ViewState>();
  #scheduled = false;

  constructor(data: ReportData) {
    this.data = data;
    this.#state = decodeState(location.hash, data);
    window.addEventListener('hashchange', () => {
      if (location.hash.slice(1) !== encodeState(this.#state, data)) {
        this.set(decodeState(location.hash, data));
      }
    });
  }

  get state(): ViewState {
    return this.#state;
  }

  set(change: Partial<ViewState>): void {
    const next = { ...this.#state, ...change };
    for (const key of Object.keys(change) as (keyof ViewState)[]) {
      if (next[key] !== this.#state[key]) this.#pending.add(key);
    }
    this.#state = next;
    if (this.#pending.size === 0 || this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const changed = this.#pending;
    this.#pending = new Set();
    this.#writeHash();
    for (const listener of this.#listeners) listener(this.#state, changed);
  }

  #writeHash(): void {
    const fragment = encodeState(this.#state, this.data);
    if (fragment === location.hash.slice(1)) return;
    history.replaceState(
      null,
      '',
      fragment === '' ? `${location.pathname}${location.search}` : `#${fragment}`,
    );
  }

  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Shows a span, held inside the recording and at least a microsecond wide. */
  zoomTo(fromNs: number, toNs: number): void {
    const { span } = this.data;
    const width = Math.max(1000, Math.min(toNs - fromNs, span.toNs - span.fromNs));
    const from = Math.max(span.fromNs, Math.min(fromNs, span.toNs - width));
    this.set({ fromNs: Math.round(from), toNs: Math.round(from + width) });
  }

  zoomAround(atNs: number, factor: number): void {
    const { fromNs, toNs } = this.#state;
    this.zoomTo(atNs - (atNs - fromNs) * factor, atNs + (toNs - atNs) * factor);
  }

  resetZoom(): void {
    const { fromNs, toNs } = initialState(this.data);
    this.set({ fromNs, toNs });
  }
}
