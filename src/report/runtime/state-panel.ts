/**
 * The state at a moment: what a request would have been answered there and why, zone by zone with
 * the arithmetic, the free lists, who held memory, and what happened around it.
 */
import type { Moment, ReportData } from '../../analysis/report-data.js';
import type { FailureWindow } from '../../analysis/types.js';
import { bytesText, duration, grouped } from '../../analysis/words.js';
import { zoneName } from '../../charts/chart.js';
import { REASON_WORDS } from '../../charts/theme.js';
import { formatSeconds } from '../../records/time.js';
import { isJudged, judgeMoment, type MomentState, momentAt, type ZoneAnswer } from '../moment.js';
import type { ViewState } from '../view-state.js';
import { announce, byId, element } from './dom.js';
import { nearestBlocks } from './nearest-panel.js';
import type { Store } from './store.js';

const DEFAULT_ORDER = 3;
const NEARBY = 6;

export class StatePanel {
  readonly #store: Store;
  readonly #body = byId('state-body', HTMLDivElement);
  #chosen: { atNs: number; order: number } | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Something of an order was clicked: explain that order while the cursor stays there. */
  choose(atNs: number, order: number): void {
    this.#chosen = { atNs, order };
  }

  show(state: ViewState): void {
    const { data } = this.#store;
    if (state.cursorNs === null) return;
    const chosen = this.#chosen?.atNs === state.cursorNs ? this.#chosen : null;
    const order = state.order ?? chosen?.order ?? Math.min(DEFAULT_ORDER, data.orders - 1);
    const window = windowAt(data, state.cursorNs, order, state.gfp);
    const moment = momentAt(data, state.cursorNs, order, state.gfp);
    if (!moment) return;
    const answers = judgeMoment(data, moment, order, state.gfp);
    this.#body.replaceChildren(
      this.#steps(state.cursorNs, order),
      this.#answer(moment, answers, order, window),
      zoneList(data, answers),
      ...(window ? [windowFacts(data, window)] : []),
      freeLists(data, moment, state.zone),
      ...nearestBlocks(data, state.cursorNs, order, state.zone),
      ...around(data, state.cursorNs),
    );
  }

  #steps(atNs: number, order: number): HTMLElement {
    const { data } = this.#store;
    const windows = data.windows.filter(
      (window) => window.order === order && window.gfp === this.#store.state.gfp,
    );
    const previous = windows.findLast((window) => window.fromNs < atNs);
    const next = windows.find((window) => window.fromNs > atNs);
    const button = (text: string, target: FailureWindow | undefined): HTMLElement => {
      const node = element('button', { type: 'button' }, text);
      node.toggleAttribute('disabled', target === undefined);
      node.addEventListener('click', () => {
        if (!target) return;
        this.choose(target.fromNs, order);
        this.#store.set({ cursorNs: target.fromNs });
      });
      return node;
    };
    const zoom = element('button', { type: 'button' }, 'Zoom to it');
    const inside = windowAt(data, atNs, order, this.#store.state.gfp);
    zoom.toggleAttribute('disabled', inside === null);
    zoom.addEventListener('click', () => {
      if (!inside) return;
      const margin = Math.max(2000, (inside.toNs - inside.fromNs) * 0.25);
      this.#store.zoomTo(inside.fromNs - margin, inside.toNs + margin);
    });
    return element(
      'div',
      { class: 'step' },
      button('◂ Previous window', previous),
      button('Next window ▸', next),
      zoom,
    );
  }

  #answer(
    moment: MomentState,
    answers: readonly ZoneAnswer[],
    order: number,
    window: FailureWindow | null,
  ): HTMLElement {
    const { data } = this.#store;
    const word = window ? 'fails' : answers.some(({ ok }) => ok) ? 'succeeds' : 'undetermined';
    const label = { fails: 'refused', succeeds: 'served', undetermined: 'not certain' }[word];
    const at = formatSeconds(Math.round(moment.timeNs), data.clock.epochS);
    const size = bytesText(2 ** order * data.pageSize);
    announce(`At ${at} seconds: order ${order} ${label}`);
    const reason = window && window.reason !== 'none' ? REASON_WORDS[window.reason] : '';
    return element(
      'div',
      {},
      element(
        'p',
        { class: 'answer' },
        element('strong', {}, `${at} s`),
        `: ${this.#store.state.gfp} of order ${order} (${size}) `,
        element('span', { class: `badge ${word}` }, label),
        reason ? ` ${reason}.` : null,
      ),
      element(
        'p',
        { class: 'quiet' },
        moment.exactTime
          ? 'The state at the very event. '
          : `The state at the end of its column of the timeline (${duration(data.timeline.bucketNs)} wide). `,
        element('span', { class: `badge ${moment.certainty}` }, moment.certainty),
        this.#store.state.gfp === 'GFP_ATOMIC' || isJudged(moment, order, this.#store.state.gfp)
          ? null
          : ' What the zones would have answered is reckoned for plain GFP_ATOMIC.',
      ),
    );
  }
}

function windowAt(
  data: ReportData,
  atNs: number,
  order: number,
  gfp: string,
): FailureWindow | null {
  return (
    data.windows.find(
      (w) => w.order === order && w.gfp === gfp && w.fromNs <= atNs && atNs < w.toNs,
    ) ?? null
  );
}

function zoneList(data: ReportData, answers: readonly ZoneAnswer[]): HTMLElement {
  const list = element('ol', { 'aria-label': 'Zones in the order they are tried' });
  for (const answer of answers) {
    list.append(
      element(
        'li',
        {},
        element('strong', {}, zoneName(data, answer.zone)),
        ` `,
        element(
          'span',
          { class: `badge ${answer.ok ? 'succeeds' : 'fails'}` },
          answer.ok ? 'can serve' : answer.reason,
        ),
        element('br'),
        element('span', { class: 'quiet' }, answer.arithmetic),
      ),
    );
  }
  return list;
}

function windowFacts(data: ReportData, window: FailureWindow): HTMLElement {
  const seconds = (ns: number): string => formatSeconds(Math.round(ns), data.clock.epochS);
  const edge = (event: FailureWindow['openedBy']): string =>
    event
      ? `${event.event} by ${event.comm || '?'} (pid ${event.pid}, order ${event.order})`
      : 'not known';
  return element(
    'p',
    {},
    `This window lasts ${duration(window.toNs - window.fromNs)}, from ${seconds(window.fromNs)} to ${seconds(window.toNs)} s. Opened by: ${edge(window.openedBy)}. Closed by: ${edge(window.closedBy)}. `,
    element('span', { class: `badge ${window.certainty}` }, window.certainty),
  );
}

function freeLists(data: ReportData, moment: MomentState, zone: number | null): HTMLElement {
  const table = element('table', { class: 'bars' });
  table.append(
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('th', { scope: 'col', class: 'n' }, 'order'),
        element('th', { scope: 'col', class: 'n' }, 'free blocks'),
        element('th', { scope: 'col' }, 'share of free memory'),
      ),
    ),
  );
  const body = element('tbody');
  const zones = moment.zones.filter((_, i) => zone === null || zone === i);
  const sum = (q: number, plane: Exclude<keyof Moment['zones'][number], 'freePages'>): number =>
    zones.reduce((total, z) => total + (z[plane][q] ?? 0), 0);
  const pages = zones.reduce((total, z) => total + z.freePages, 0);
  for (let q = data.orders - 1; q >= 0; q--) {
    const [low, free, high] = [sum(q, 'low'), sum(q, 'free'), sum(q, 'high')];
    const bar = element('span');
    bar.style.width = `${pages > 0 ? ((free * 2 ** q) / pages) * 100 : 0}%`;
    const range =
      low === high ? grouped(free) : `${grouped(free)} (${grouped(low)}–${grouped(high)})`;
    body.append(
      element(
        'tr',
        {},
        element('td', { class: 'n' }, String(q)),
        element('td', { class: 'n' }, range),
        element('td', { class: 'bar' }, bar),
      ),
    );
  }
  table.append(body);
  const where = zone === null ? 'all zones' : `zone ${zoneName(data, zone)}`;
  return element(
    'div',
    {},
    element('h3', {}, `Free lists, ${where}: ${bytesText(pages * data.pageSize)}`),
    table,
  );
}

function around(data: ReportData, atNs: number): HTMLElement[] {
  const nodes: HTMLElement[] = [];
  const held = data.holders?.samples.findLast(
    (sample) => sample.timeNs <= atNs + data.timeline.bucketNs,
  );
  const top = (held?.top ?? []).filter(([index]) => index >= 0).slice(0, 4);
  if (top.length > 0) {
    const list = element('ol');
    for (const [index, pages] of top) {
      const holder = data.holders!.holders[index]!;
      list.append(element('li', {}, `${holder.comm}: ${grouped(pages)} pages, ${holder.gfp}`));
    }
    nodes.push(element('h3', {}, 'Who held immovable memory'), list);
  }
  const near = data.attempts.examples
    .filter((attempt) => attempt.order > 0)
    .map((attempt) => ({ attempt, off: Math.abs(attempt.timeNs - atNs) }))
    .filter(({ off }) => off < data.timeline.bucketNs * 20)
    .sort((a, b) => a.off - b.off)
    .slice(0, NEARBY)
    .sort((a, b) => a.attempt.timeNs - b.attempt.timeNs);
  if (near.length > 0) {
    const list = element('ol');
    for (const { attempt } of near) {
      const sign = attempt.timeNs < atNs ? '−' : '+';
      const off = duration(Math.abs(attempt.timeNs - atNs));
      list.append(
        element(
          'li',
          {},
          `${sign}${off} ${attempt.comm}: order ${attempt.order} refused (${attempt.class})`,
        ),
      );
    }
    nodes.push(element('h3', {}, 'Refused by the kernel around this moment'), list);
  }
  const marker = data.timeline.markers.findLast((m) => m.timeNs <= atNs);
  if (marker) nodes.push(element('p', { class: 'quiet' }, `Last marker before: ${marker.text}`));
  return nodes;
}
