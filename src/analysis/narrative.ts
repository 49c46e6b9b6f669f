/**
 * The report in words, written from the figures: a verdict, three facts, an account, and how far to
 * trust it. Nothing here is measured anew; every number also stands in ReportData.
 */
import { formatSeconds } from '../records/time.js';
import { fromCopies, hasNoCopy, unfollowedWords } from './copies-alone.js';
import { atCopies, copiesParagraph } from './copies-words.js';
import { edgeWords } from './edge-words.js';
import { sure } from './failure-totals.js';
import { judgedOrders, onlyJudged } from './judged.js';
import { COMMON_ORDER, goodNews, inputParagraphs } from './narrative-good.js';
import { because, requestWords, wouldHaveFailed } from './narrative-reasons.js';
import {
  type Refused,
  refusalFact,
  refusedAtomic,
  surpriseParagraph,
  surpriseSentence,
  unexplained,
  unexplainedOrders,
} from './narrative-refusals.js';
import type { FailureTotal, Narrative, ReportData } from './report-data.js';
import { PLAIN } from './request-classes.js';
import { zonesAsked } from './state-at.js';
import { trustLines } from './trust.js';
import type { FailureWindow, ZoneReason } from './types.js';
import {
  bytesText,
  capital,
  duration,
  grouped,
  listed,
  ordersText,
  percent,
  plural,
  worded,
} from './words.js';

export type NarrativeInput = Omit<ReportData, 'narrative'>;

export function writeNarrative(data: NarrativeInput): Narrative {
  // Between copies alone nothing is seen: what failed at the last one has no length.
  const copies = fromCopies(data);
  const atomic = data.totals.filter((total) => total.order >= 1 && (copies || total.ns > 0));
  const spanNs = data.span.toNs - data.span.fromNs;
  const trust = trustLines(data);
  const refused = refusedAtomic(data.attempts);
  if (data.zones.length === 0 || hasNoCopy(data)) {
    const side = unfollowedWords(data);
    return {
      verdict: `${refused.total > 0 ? `The kernel refused ${plural(refused.total, 'atomic request')}. ` : ''}Nothing in the input tells how free memory stood, so no verdict can be given.`,
      tone: 'unknown',
      facts: refused.attempts > 0 ? [refusalFact(data, refused)] : [],
      paragraphs: side === null ? [] : [`The trace has ${side}, which cannot tell. ${ADD_COPIES}`],
      trust,
    };
  }
  if (atomic.length === 0) {
    const good = goodNews(data, spanNs, refused, refusalFact(data, refused), trust);
    const order = unexplained(data, refused);
    return order === null
      ? good
      : { ...good, verdict: surpriseSentence(refused, order, spanNs), tone: 'bad' };
  }
  const surprise = unexplained(data, refused);
  if (surprise !== null && surprise < mainTotal(atomic).order) {
    const main = mainTotal(atomic);
    return {
      gfp: main.gfp,
      order: main.order,
      verdict: surpriseSentence(refused, surprise, spanNs),
      tone: 'bad',
      facts: [refusalFact(data, refused), failureFact(data, main), memoryFact(data, main)],
      paragraphs: paragraphs(data, atomic, main, refused),
      trust,
    };
  }
  const met = metTotal(atomic, refused);
  const main = met ?? mainTotal(atomic);
  const alike = atomic.filter((total) => total.gfp === main.gfp);
  return {
    gfp: main.gfp,
    order: main.order,
    verdict: met
      ? metSentence(data, met, refused, spanNs)
      : verdictSentence(data, alike, main, spanNs),
    tone: !met && (main.order > COMMON_ORDER + 1 || main.share < 0.005) ? 'warn' : 'bad',
    facts: [failureFact(data, main), memoryFact(data, main), refusalFact(data, refused)],
    paragraphs: paragraphs(data, atomic, main, refused),
    trust,
  };
}

/** What would have told. */
const ADD_COPIES =
  'All mm_page events of all tasks and CPUs, or a copy of /proc/buddyinfo every second beside the trace, would show what was free.';

/** The lowest order that fails for a noticeable time; else the one that fails longest. */
function mainTotal(totals: readonly FailureTotal[]): FailureTotal {
  const noticeable = totals.filter((total) => total.share >= 0.01);
  const from = noticeable.length > 0 ? noticeable : totals;
  return from.reduce((best, total) =>
    noticeable.length > 0
      ? total.order < best.order
        ? total
        : best
      : total.ns > best.ns
        ? total
        : best,
  );
}

/**
 * If the kernel really refused atomic requests of a small order, that order leads: it hurt somebody,
 * however short its windows were. Null if the windows tell as much on their own.
 */
function metTotal(totals: readonly FailureTotal[], refused: Refused): FailureTotal | null {
  const order = refused.orders.filter((o) => o >= 1 && o <= COMMON_ORDER).sort((a, b) => a - b)[0];
  if (order === undefined || mainTotal(totals).order <= COMMON_ORDER) return null;
  const alike = totals.filter((total) => total.order === order);
  return alike.length === 0 ? null : alike.reduce((a, b) => (b.ns > a.ns ? b : a));
}

function metSentence(
  data: NarrativeInput,
  total: FailureTotal,
  refused: Refused,
  spanNs: number,
): string {
  const count = refused.byOrder.get(total.order) ?? 0;
  const rest = `: such a request fails in ${plural(total.windows, 'window')} of ${worded(duration(total.ns), sure(total))} in all, mostly because ${because(data, total)}`;
  return `The kernel refused ${plural(count, 'atomic request')} for ${pieceOf(data, total.order)} in the ${duration(spanNs)} recorded${rest}.`;
}

function verdictSentence(
  data: NarrativeInput,
  totals: readonly FailureTotal[],
  main: FailureTotal,
  spanNs: number,
): string {
  const highest = Math.max(...totals.map((total) => total.order));
  const which = `${pieceOf(data, main.order)}${highest > main.order ? ' or more' : ''}`;
  const often = fromCopies(data)
    ? atCopies(data, main)
    : main.share >= 0.995
      ? `during the whole recording (${duration(spanNs)})`
      : `for ${worded(duration(main.ns), sure(main))} of the ${duration(spanNs)} recorded (${percent(main.share)})`;
  return `${wouldHaveFailed(main.gfp, which)} ${often}, mostly because ${because(data, main)}.`;
}

function failureFact(data: NarrativeInput, main: FailureTotal) {
  if (fromCopies(data)) {
    const alike = data.totals.filter(
      (total) => total.gfp === main.gfp && atCopies(data, total) === atCopies(data, main),
    );
    return {
      figure: capital(ordersText(alike.map(({ order }) => order).filter((order) => order >= 1))),
      text: `would have failed ${atCopies(data, main)}. How long, copies cannot tell.`,
    };
  }
  const first = data.windows.find(
    (window) => window.order === main.order && window.gfp === main.gfp,
  );
  const when = first ? `; the first began at ${seconds(data, first.fromNs)}` : '';
  const doubt = sure(main) ? '' : ' A best estimate: what was recorded leaves some doubt.';
  const longest = worded(duration(main.longestNs), sure(main));
  return {
    figure: worded(duration(main.ns), sure(main)),
    text: `without ${pieceOf(data, main.order)} to be had, in ${plural(main.windows, 'window')} of time, the longest ${longest}${when}.${doubt}`,
  };
}

function memoryFact(data: NarrativeInput, main: FailureTotal) {
  const zones = zonesAsked(data, main.gfp);
  const pages = freeDuring(data, main, zones);
  const where =
    zones.length === data.zones.length ? 'all zones together' : 'in the zones that it may use';
  return {
    figure: worded(bytesText(pages * data.pageSize), sure(main)),
    text: `of memory was free${main.ns === 0 ? '' : ' on average'}, ${where}, while order ${main.order} failed: ${fragmentationWords(main)}`,
  };
}

function fragmentationWords(main: FailureTotal): string {
  const part = (reason: ZoneReason): number =>
    main.ns === 0 ? Number(reason in main.byReason) : (main.byReason[reason] ?? 0) / main.ns;
  if (part('only-cma') > 0.5) return 'its large blocks were CMA, which such a request may not use.';
  if (part('only-highatomic') > 0.5) {
    return 'its large blocks were kept for others (highatomic reserve).';
  }
  const fragmented = part('fragmented');
  if (fragmented > 0.95) return 'enough, but not in blocks of that size.';
  if (fragmented > 0.05) {
    return `${percent(fragmented)} of the failing time was fragmentation, the rest shortage.`;
  }
  return 'too little for atomic requests, whatever the size of the blocks.';
}

/** Mean free pages of these zones over the buckets that windows of the order overlap, weighted by the overlap. */
function freeDuring(data: NarrativeInput, main: FailureTotal, zones: readonly number[]): number {
  const { timeline } = data;
  let sum = 0;
  let weight = 0;
  for (const window of data.windows) {
    if (window.order !== main.order || window.gfp !== main.gfp) continue;
    const bucket = Math.floor((window.fromNs - timeline.fromNs) / timeline.bucketNs);
    // What the last copy opened begins where the last bucket ends.
    const first = Math.max(0, Math.min(timeline.buckets - 1, bucket));
    for (let b = first; b < timeline.buckets; b++) {
      const startNs = timeline.fromNs + b * timeline.bucketNs;
      if (startNs > window.toNs) break;
      const overlap =
        Math.min(window.toNs, startNs + timeline.bucketNs) - Math.max(window.fromNs, startNs) + 1;
      let pages = 0;
      for (const zone of zones) pages += timeline.zones[zone]!.freePages[b] ?? 0;
      sum += pages * overlap;
      weight += overlap;
    }
  }
  return weight > 0 ? sum / weight : 0;
}

function paragraphs(
  data: NarrativeInput,
  totals: readonly FailureTotal[],
  main: FailureTotal,
  refused: Refused,
): string[] {
  const text = inputParagraphs(data);
  const plain = data.judged === undefined || data.judged.gfps.includes(PLAIN) ? [PLAIN] : [];
  for (const gfp of new Set([main.gfp, ...plain, ...totals.map((total) => total.gfp)])) {
    text.push(
      ordersParagraph(
        data,
        totals.filter((total) => total.gfp === gfp),
        gfp,
        unexplainedOrders(data, totals, refused),
      ),
    );
  }
  const surprise = surpriseParagraph(data, totals, refused);
  if (surprise) text.push(surprise);
  const single = refused.byOrder.get(0) ?? 0;
  if (single > 0) {
    text.push(
      `Even single pages (order 0) were refused, ${grouped(single)} times. Windows are of two pages and more, so they have no row in the chart.`,
    );
  }
  const zones = zonesParagraph(data, main);
  if (zones) text.push(zones);
  const holders = holdersParagraph(data);
  if (holders) text.push(holders);
  if (refused.other > 0) {
    text.push(
      `${plural(refused.other, 'request')} of other kinds failed as well. Those may wait, retry or fall back to single pages, so they are marked on the chart but not counted above.`,
    );
  }
  return text;
}

/** @param unexplained orders of which it cannot be said that they always succeeded. */
function ordersParagraph(
  data: NarrativeInput,
  totals: readonly FailureTotal[],
  gfp: string,
  unexplained: readonly number[],
): string {
  const clean = judgedOrders(data).filter(
    (order) => !totals.some((total) => total.order === order) && !unexplained.includes(order),
  );
  if (fromCopies(data)) return copiesParagraph(data, totals, gfp, clean);
  if (totals.length === 0)
    return `A plain ${gfp} request of ${onlyJudged(data) ?? 'any order'} would always have succeeded.`;
  const parts = sharesByOrder(totals);
  const sureOfAll = totals.every(sure);
  const always = totals.filter((total) => total.share >= 0.9999).map((total) => total.order);
  const tail =
    always.length > 0
      ? ` ${sureOfAll ? capital(ordersText(always)) : `By this estimate ${ordersText(always)}`} could never have been served.`
      : '';
  const good =
    clean.length === 0
      ? ''
      : ` ${sureOfAll ? capital(ordersText(clean)) : `By this estimate ${ordersText(clean)}`} would always have succeeded.`;
  const share = sureOfAll ? 'Share' : 'Best estimate of the share';
  return `${share} of the recording in which ${requestWords(gfp)} would have failed: ${parts.join('; ')}.${tail}${good}`;
}

/** `orders 1 to 8: 19 %`: orders that fail alike are named together. */
function sharesByOrder(totals: readonly FailureTotal[]): string[] {
  const alike = new Map<string, number[]>();
  for (const { order, share } of totals) {
    const text = percent(share);
    alike.set(text, [...(alike.get(text) ?? []), order]);
  }
  return [...alike].map(([text, orders]) => `${ordersText(orders)}: ${text}`);
}

function zonesParagraph(data: NarrativeInput, main: FailureTotal): string {
  const worst = longestWindow(data.windows, main);
  if (!worst || fromCopies(data)) return '';
  const opened = worst.openedBy;
  const who = opened ? ` It began when ${edgeWords(opened)}.` : '';
  const closed = worst.closedBy ? ` It ended when ${edgeWords(worst.closedBy)}.` : '';
  return `The longest window of order ${main.order} ran from ${seconds(data, worst.fromNs)} to ${seconds(data, worst.toNs)}, because ${because(data, main, worst.reason)}.${who}${closed}`;
}

function longestWindow(
  windows: readonly FailureWindow[],
  main: FailureTotal,
): FailureWindow | null {
  let worst: FailureWindow | null = null;
  for (const window of windows) {
    if (window.order !== main.order || window.gfp !== main.gfp) continue;
    if (!worst || window.toNs - window.fromNs > worst.toNs - worst.fromNs) worst = window;
  }
  return worst;
}

function holdersParagraph(data: NarrativeInput): string {
  const byComm = new Map<string, { pages: number; gfp: string }>();
  for (const holder of data.holders?.holders ?? []) {
    if (holder.mixedPages === 0) continue;
    const known = byComm.get(holder.comm);
    if (known) known.pages += holder.mixedPages;
    else byComm.set(holder.comm, { pages: holder.mixedPages, gfp: holder.gfp });
  }
  const top = [...byComm].sort((a, b) => b[1].pages - a[1].pages).slice(0, 3);
  if (top.length === 0) return '';
  const names = top.map(
    ([comm, { pages, gfp }]) => `${comm} (${plural(pages, 'page')}, mostly ${gfp})`,
  );
  return `Most of the immovable pages that sat in pageblocks meant for movable memory at the end of the recording belonged to ${listed(names)}.`;
}

/** `16 KiB in one piece (order 2)`. */
function pieceOf(data: NarrativeInput, order: number): string {
  return `${bytesText(2 ** order * data.pageSize)} in one piece (order\u00a0${order})`;
}

function seconds(data: NarrativeInput, timeNs: number): string {
  const text = formatSeconds(Math.round(timeNs / 1e6) * 1e6, data.clock.epochS);
  return `${text}\u00a0s`;
}
