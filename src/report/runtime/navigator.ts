/**
 * The strip under the header: the whole recording, how many orders fail at each moment, where events were
 * lost, and the part the charts show. Drag on it to choose another part.
 */
import { INK, LOST_INK, type Mode, REASON_COLORS } from '../../charts/theme.js';
import type { Store } from './store.js';

const EDGE = 6;
const CELLS = 600;
/** Pixels of the marks where events were lost. */
const LOST_HEIGHT = 4;

export class Navigator {
  readonly #canvas: HTMLCanvasElement;
  readonly #store: Store;
  #density: Float32Array;
  #gfp = '';
  #dragFrom: number | null = null;

  constructor(canvas: HTMLCanvasElement, store: Store) {
    this.#canvas = canvas;
    this.#store = store;
    this.#density = new Float32Array(CELLS);
    canvas.addEventListener('pointerdown', (event) => {
      this.#dragFrom = this.#timeAt(event.clientX);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (this.#dragFrom === null) return;
      this.#shade(this.#dragFrom, this.#timeAt(event.clientX));
    });
    canvas.addEventListener('pointerup', (event) => {
      const from = this.#dragFrom;
      this.#dragFrom = null;
      if (from === null) return;
      const to = this.#timeAt(event.clientX);
      const { span } = store.data;
      const far = Math.abs(to - from) > ((span.toNs - span.fromNs) * EDGE) / canvas.clientWidth;
      if (far) store.zoomTo(Math.min(from, to), Math.max(from, to));
      else {
        const half = (store.state.toNs - store.state.fromNs) / 2;
        store.zoomTo(to - half, to + half);
      }
    });
    canvas.addEventListener('dblclick', () => store.resetZoom());
  }

  #timeAt(clientX: number): number {
    const { left, width } = this.#canvas.getBoundingClientRect();
    const { fromNs, toNs } = this.#store.data.span;
    return fromNs + Math.max(0, Math.min(1, (clientX - left) / width)) * (toNs - fromNs);
  }

  #mode: Mode = 'light';

  draw(mode: Mode): void {
    this.#mode = mode;
    if (this.#gfp !== this.#store.state.gfp) {
      this.#gfp = this.#store.state.gfp;
      this.#density = failingOrders(this.#store, CELLS);
    }
    this.#shade(this.#store.state.fromNs, this.#store.state.toNs);
  }

  #shade(fromNs: number, toNs: number): void {
    const canvas = this.#canvas;
    const scale = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const context = canvas.getContext('2d');
    if (!context) return;
    context.scale(scale, scale);
    context.fillStyle = INK[this.#mode].grid;
    context.fillRect(0, 0, width, height);
    this.#drawDensity(context, width, height);
    const { span, timeline } = this.#store.data;
    const x = (ns: number): number => ((ns - span.fromNs) / (span.toNs - span.fromNs)) * width;
    const left = x(Math.min(fromNs, toNs));
    const right = x(Math.max(fromNs, toNs));
    context.fillStyle = this.#mode === 'light' ? 'rgba(255,255,255,.72)' : 'rgba(10,13,17,.72)';
    context.fillRect(0, 0, left, height);
    context.fillRect(right, 0, width - right, height);
    context.strokeStyle = INK[this.#mode].faint;
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.75, 0.75, Math.max(1, right - left - 1.5), height - 1.5);
    context.fillStyle = LOST_INK;
    for (const lost of timeline.lost) {
      context.fillRect(x(lost.fromNs), 0, Math.max(1, x(lost.toNs) - x(lost.fromNs)), LOST_HEIGHT);
    }
    const { cursorNs } = this.#store.state;
    if (cursorNs !== null) {
      context.fillStyle = INK[this.#mode].ink;
      context.fillRect(x(cursorNs) - 1, 0, 2, height);
    }
  }

  #drawDensity(context: CanvasRenderingContext2D, width: number, height: number): void {
    const orders = Math.max(1, this.#store.data.orders - 1);
    context.fillStyle = REASON_COLORS.fragmented;
    const step = width / this.#density.length;
    this.#density.forEach((failing, i) => {
      if (failing <= 0) return;
      const h = Math.max(2, (failing / orders) * (height - 2));
      context.fillRect(i * step, height - h, step + 0.5, h);
    });
  }
}

/** Mean number of orders failing in each of `cells` parts of the span. */
function failingOrders(store: Store, cells: number): Float32Array {
  const { windows, span } = store.data;
  const density = new Float32Array(cells);
  const width = (span.toNs - span.fromNs) / cells;
  for (const window of windows) {
    if (window.gfp !== store.state.gfp) continue;
    const first = Math.max(0, Math.floor((window.fromNs - span.fromNs) / width));
    const last = Math.min(cells - 1, Math.floor((window.toNs - span.fromNs) / width));
    for (let c = first; c <= last; c++) {
      const from = Math.max(window.fromNs, span.fromNs + c * width);
      const to = Math.min(window.toNs, span.fromNs + (c + 1) * width);
      density[c]! += Math.max(0, to - from) / width;
    }
  }
  return density;
}
