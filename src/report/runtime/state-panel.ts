/**
 * The state at a moment: what a request would have been answered there and why, zone by zone with
 * the arithmetic, the free lists, who held memory, and what happened around it.
 */

import { edgeWords } from '../../analysis/edge-words.js';
import { isJudged, onlyJudged } from '../../analysis/judged.js';
import type { ReportData } from '../../analysis/report-data.js';
import type { FailureWindow } from '../../analysis/types.js';
import { bytesText, duration, grouped, worded } from '../../analysis/words.js';
import { zoneName } from '../../charts/chart.js';
import { holderSamples } from '../../charts/holders-over-time.js';
import { REASON_WORDS } from '../../charts/theme.js';
import { formatSeconds } from '../../records/time.js';
import { answerAt, leadingMoment, type MomentAnswer, type ZoneAnswer } from '../moment.js';
import type { ViewState } from '../view-state.js';
import { around } from './around-panel.js';
import { announce, byId, element } from './dom.js';
import { freeListTable } from './free-lists.js';
import { memoryStrips } from './memory-strip.js';
import { nearestBlocks } from './nearest-panel.js';
import type { Store } from './store.js';
import { offerCsv } from './table-export.js';

const DEFAULT_ORDER = 3;

export class StatePanel {
  readonly #store: Store;
  readonly #body = byId('state-body', HTMLDivElement);
  #chosen: { atNs: number; order: number } | null = null;

  readonly #pick: (pfn: number) => void;

  /** @param pick is told the pfn whose pages the reader wants to see. */
  constructor(store: Store, pick: (pfn: number) => void) {
    this.#store = store;
    this.#pick = pick;
  }

  /** Something of an order was clicked: explain that order while the cursor stays there. */
  choose(atNs: number, order: number): void {
    this.#chosen = { atNs, order };
  }

  show(state: ViewState): void {
    const { data } = this.#store;
    if (state.cursorNs === null) return;
    const chosen = this.#chosen?.atNs === state.cursorNs ? this.#chosen : null;
    const order = state.order ?? chosen?.order ?? leadingOrder(data);
    const window = windowAt(data, state.cursorNs, order, state.gfp);
    const answer = answerAt(data, state.cursorNs, { order, gfp: state.gfp }, window);
    if (!answer) return;
    const { moment } = answer;
    this.#body.replaceChildren(
      this.#steps(state.cursorNs, order),
      this.#answer(state.cursorNs, answer, order),
      zoneList(data, answer.zones, state.zone),
      zonesHow(this.#body.querySelector('details.how')?.hasAttribute('open') ?? false),
      ...(window ? [windowFacts(data, window)] : []),
      freeListTable(data, moment.zones, order, state.zone),
      ...memoryStrips(data, state.cursorNs, state.zone, this.#pick),
      ...nearestBlocks(data, state.cursorNs, order, state.zone, this.#pick),
      ...holdersThen(data, state.cursorNs, state.zone),
      ...around(data, state.cursorNs, moment.around),
    );
    for (const wrap of this.#body.querySelectorAll<HTMLElement>('.table-wrap')) offerCsv(wrap);
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
      button('◂ Previous', previous),
      button('Next window ▸', next),
      zoom,
    );
  }

  #answer(atNs: number, { word, reason, moment, shows }: MomentAnswer, order: number): HTMLElement {
    const { data } = this.#store;
    const label = { fails: 'refused', succeeds: 'served', undetermined: 'not certain' }[word];
    const at = formatSeconds(Math.round(atNs / 1e3) * 1e3, data.clock.epochS);
    const size = bytesText(2 ** order * data.pageSize);
    announce(`At ${at} seconds: order ${order} ${label}`);
    const why = word === 'fails' && reason !== 'none' ? ` ${REASON_WORDS[reason]}.` : null;
    return element(
      'div',
      {},
      element(
        'p',
        { class: 'answer' },
        element('strong', {}, `${at} s`),
        `: ${this.#store.state.gfp} of order ${order} (${size}) `,
        element('span', { class: `badge ${word}` }, label),
        why,
      ),
      element(
        'p',
        { class: 'quiet' },
        isTightest(data, atNs) ? 'The tightest moment: least memory was free. ' : '',
        stateWords(data, atNs, moment.timeNs, shows),
        ' ',
        element('span', { class: `badge ${moment.certainty}` }, moment.certainty),
        notJudged(data, order),
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

/** Where windows of the order were not looked for, the answer is less than it looks. */
function notJudged(data: ReportData, order: number): string {
  const only = onlyJudged(data);
  if (only === null || isJudged(data, order)) return '';
  return ` Only requests of ${only} were judged event by event when this report was made; for this one the answer is worked out here, from the free lists below.`;
}

/** Of which instant the free lists below are. */
function stateWords(
  data: ReportData,
  atNs: number,
  stateNs: number,
  shows: MomentAnswer['shows'],
): string {
  const column = `its column of the timeline (${duration(data.timeline.bucketNs)} wide)`;
  switch (shows) {
    case 'event':
      return 'The state at the very event.';
    case 'opening':
      return `The state when this window opened, ${duration(atNs - stateNs)} before.`;
    case 'closed':
      return `The state at the end of ${column}: the window had closed by then.`;
    case 'not-yet':
      return `The state at the end of ${column}: a window opens before that.`;
    case 'column':
      return `The state at the end of ${column}.`;
  }
}

/** The whole path through the zonelist, the chosen zone set off. */
function zoneList(
  data: ReportData,
  answers: readonly ZoneAnswer[],
  chosen: number | null,
): HTMLElement {
  const list = element('ol', { class: 'zones', 'aria-label': 'Zones in the order they are tried' });
  for (const answer of answers) {
    list.append(
      element(
        'li',
        answer.zone === chosen ? { class: 'chosen' } : {},
        element('strong', {}, zoneName(data, answer.zone)),
        ` `,
        element(
          'span',
          { class: `badge ${answer.ok ? 'succeeds' : 'fails'}` },
          answer.ok ? 'can serve' : answer.reason.replaceAll('-', ' '),
        ),
        element('br'),
        element('span', { class: 'quiet' }, answer.arithmetic),
      ),
    );
  }
  return list;
}

/** @param open as the reader left it at the moment before. */
function zonesHow(open: boolean): HTMLElement {
  return element(
    'details',
    open ? { class: 'how', open: '' } : { class: 'how' },
    element('summary', {}, 'How to read this'),
    element(
      'p',
      {},
      'The kernel tries the zones in this order and takes the first that can serve. In each it subtracts from the pages that are free those that this request may not use (reserved or CMA) and the rest of the block it wants (2ⁿ − 1 pages). What is left must be more than must stay free: the watermark min, lowered for atomic requests, and, in zones that others fall back on, the reserve kept for requests that can use no other. Then a block of the order wanted, or a larger one, must be free.',
    ),
  );
}

function windowFacts(data: ReportData, window: FailureWindow): HTMLElement {
  const seconds = (ns: number): string => formatSeconds(roundedTo(ns, window), data.clock.epochS);
  const edge = (event: FailureWindow['openedBy']): string =>
    event ? `when ${edgeWords(event)}` : 'at an instant not recorded as an event';
  const longest = leadingMoment(data) === window.fromNs && data.narrative.order === window.order;
  const mostly = window.reason === 'none' ? '' : `, mostly ${window.reason.replaceAll('-', ' ')}`;
  return element(
    'p',
    {},
    `${longest ? 'The longest window of this order: ' : 'This window: '}${worded(duration(window.toNs - window.fromNs), window.certainty === 'exact')}, ${seconds(window.fromNs)} to ${seconds(window.toNs)} s${mostly}. `,
    element('span', { class: `badge ${window.certainty}` }, window.certainty),
    ` It opened ${edge(window.openedBy)}. It closed ${edge(window.closedBy)}.`,
  );
}

/** Times of a window to a thousandth of its length. */
function roundedTo(ns: number, window: FailureWindow): number {
  const length = Math.max(1, window.toNs - window.fromNs);
  const step = 10 ** Math.max(0, Math.floor(Math.log10(length)) - 3);
  return Math.round(ns / step) * step;
}

/** The verdict speaks of no order: the moment shown at first is the one with least free memory. */
function isTightest(data: ReportData, atNs: number): boolean {
  return data.narrative.order === undefined && leadingMoment(data) === atNs;
}

/** The order explained where none is chosen: the one the verdict speaks of. */
function leadingOrder(data: ReportData): number {
  return Math.min(data.narrative.order ?? DEFAULT_ORDER, data.orders - 1);
}

/** Who held pages that cannot be moved, as last sampled. */
function holdersThen(data: ReportData, atNs: number, zone: number | null): HTMLElement[] {
  const held = holderSamples(data, zone).findLast(
    (sample) => sample.timeNs <= atNs + data.timeline.bucketNs,
  );
  const top = (held?.top ?? []).filter(([index]) => index >= 0).slice(0, 4);
  if (top.length === 0) return [];
  const list = element('ul');
  for (const [index, pages] of top) {
    const { comm, gfp, site } = data.holders!.holders[index]!;
    const size = bytesText(pages * data.pageSize);
    list.append(
      element(
        'li',
        {},
        element('strong', {}, comm || '?'),
        `: ${grouped(pages)} pages (${size}) `,
        element('span', { class: 'quiet' }, [gfp, site].filter(Boolean).join(' · ')),
      ),
    );
  }
  const doubt =
    held!.doubtful > 0
      ? `Events had been lost before: of ${grouped(held!.total)} such pages ${grouped(held!.doubtful)} may have been freed unseen.`
      : null;
  return [
    element('h3', {}, 'Who held pages that cannot move'),
    list,
    ...(doubt === null ? [] : [element('p', { class: 'quiet' }, doubt)]),
  ];
}
