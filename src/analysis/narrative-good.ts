/**
 * The report in words where no order would have failed, and what every reader of a thin input must know.
 */

import { fromCopies, isOneCopy, neverKnown, unfollowedWords } from './copies-alone.js';
import { copiesTaken } from './copies-words.js';
import { judgedOrders } from './judged.js';
import type { NarrativeInput } from './narrative.js';
import type { Refused } from './narrative-refusals.js';
import type { Narrative } from './report-data.js';
import { PLAIN } from './request-classes.js';
import { zonesAsked } from './state-at.js';
import { bytesText, duration, grouped, ordersText, plural, worded } from './words.js';

/** Orders drivers ask for atomically: page-sized buffers, jumbo frames, slabs. */
export const COMMON_ORDER = 3;

/** What the reader should add to the input, or know of it, before believing the sentence above. */
export function inputParagraphs(data: NarrativeInput): string[] {
  const text: string[] = [];
  if (neverKnown(data)) {
    text.push(
      'How much memory was free is an estimate throughout: nothing in the input tells the level that the events start from. One copy of /proc/buddyinfo or /proc/kpageflags within the recording would.',
    );
  }
  if (!data.headroom.marksKnown) {
    text.push(
      'The watermarks are not in the input, so only fragmentation is judged here, not shortage, and a small zone counts although the kernel may keep it for others. Add a copy of /proc/zoneinfo.',
    );
  }
  if (isOneCopy(data)) {
    text.push(
      'There is one copy of the free lists: what it says holds for that moment. A copy every second would show how long it lasts, a trace of the kmem events how it came about.',
    );
  } else if (unfollowedWords(data) !== null) {
    text.push(
      `The trace has ${unfollowedWords(data)}, so the free lists cannot be followed by it: they are known at the copies of /proc/buddyinfo, and what happened between two copies is not seen. All mm_page events of all tasks and CPUs would show it.`,
    );
  } else if (fromCopies(data)) {
    text.push(
      'There are copies of /proc/buddyinfo only: each window begins and ends at a copy, and whatever happened between two copies is not seen. A trace of the kmem events would show it.',
    );
  }
  return text;
}

/** @param refusals the fact about the kernel's own refusals. */
export function goodNews(
  data: NarrativeInput,
  spanNs: number,
  refused: Refused,
  refusals: Narrative['facts'][number],
  trust: readonly string[],
): Narrative {
  const least = leastFree(data);
  const sure = data.timeline.zones.every(({ certainty }) => certainty[least.bucket] === 'e');
  const top = judgedOrders(data).at(-1) ?? data.orders - 1;
  const margin = leastHeadroom(data, COMMON_ORDER);
  return {
    verdict: goodVerdict(data, spanNs, top),
    tone:
      !data.headroom.marksKnown || neverKnown(data)
        ? 'unknown'
        : refused.total > 0 || loggedFailures(data) > 0
          ? 'warn'
          : 'good',
    facts: [
      {
        figure: worded(bytesText(least.pages * data.pageSize), sure),
        text: data.headroom.marksKnown
          ? `was free${isOneCopy(data) ? '' : ' even at the tightest moment'}.`
          : `was free${isOneCopy(data) ? '' : ' at the tightest moment'}; how much of it had to stay free is not known.`,
      },
      {
        figure: worded(grouped(margin.requests), margin.sure),
        text: `requests for ${bytesText(2 ** COMMON_ORDER * data.pageSize)} (order\u00a0${COMMON_ORDER}) one after another ${
          data.headroom.marksKnown ? 'could have been served' : 'would have found a block'
        }${isOneCopy(data) ? '' : ' at the worst moment'}, without any page being freed${
          data.headroom.marksKnown ? '' : '; how many of them the watermarks allow is not known'
        }.`,
      },
      refusals,
    ],
    paragraphs: goodParagraphs(data, refused),
    trust,
  };
}

function goodVerdict(data: NarrativeInput, spanNs: number, top: number): string {
  const when = isOneCopy(data)
    ? 'when the free lists were copied'
    : fromCopies(data)
      ? `at each of ${copiesTaken(data)}`
      : `at every moment of the ${duration(spanNs)} recorded`;
  if (neverKnown(data)) {
    return `No order was found failing in the ${duration(spanNs)} recorded, but how free memory stood is not known for sure at any moment: a copy of /proc/buddyinfo would tell.`;
  }
  if (!data.headroom.marksKnown) {
    return `${blocksThere(data, top, when)}. How much memory must stay free is not in the input, so whether atomic requests could have had it is not known.`;
  }
  const size = bytesText(2 ** top * data.pageSize);
  const bounds = servedWhateverTheBounds(data, top) ? '' : ' by the best estimate';
  const logged = loggedFailures(data);
  const good = `an atomic request for up to ${size} in one piece (order\u00a0${top}) would have succeeded`;
  if (logged === 0) return `Nothing wrong${bounds}: ${when}, ${good}.`;
  return `The kernel log tells of ${plural(logged, 'failed allocation')}, but ${when} ${good}${bounds}.`;
}

/** Failed allocations that the kernel log beside reports. */
function loggedFailures({ kernelReports }: NarrativeInput): number {
  const reports = kernelReports?.reports ?? [];
  return reports.filter(({ kind }) => kind === 'page-allocation-failure').length;
}

/** Where a free block was, when nothing tells what must stay free. */
function blocksThere(data: NarrativeInput, top: number, when: string): string {
  const inDma = onlyInDma(data);
  const least = (inDma[0] ?? top + 1) - 1;
  const there =
    least > 0
      ? `A free block of every order up to ${least} was there ${when}`
      : `Free memory was there ${when}`;
  if (inDma.length === 0) return there;
  const times = isOneCopy(data) ? '' : ' at times';
  return `${there}, but of ${ordersText(inDma)}${times} only in zone DMA, which on most machines is kept for requests that can use no other`;
}

/** Pages of zone DMA on x86. Where it is larger, as on arm64, most of it may be used by all. */
const DMA_PAGES = 4096;

/** Orders of which at some moment no zone but a small DMA had a block. */
export function onlyInDma(data: NarrativeInput): number[] {
  const { zoneMin = [] } = data.headroom;
  const isSmallDma = (z: number): boolean =>
    data.zones[z]!.zone === 'DMA' &&
    data.timeline.zones[z]!.freePagesMax.every((pages) => pages <= DMA_PAGES);
  const asked = zonesAsked(data, PLAIN);
  const others = asked.filter((z) => !isSmallDma(z));
  if (others.length === 0 || others.length === asked.length) return [];
  return judgedOrders(data).filter((order) => {
    const planes = others.map((z) => zoneMin[z]?.[order] ?? []);
    return planes[0]!.some((_, b) => planes.every((plane) => plane[b] === 0));
  });
}

function goodParagraphs(data: NarrativeInput, refused: Refused): string[] {
  const text = inputParagraphs(data);
  if (loggedFailures(data) > 0) {
    text.push(
      'What the kernel log reports happened at other moments than those shown, or to other requests: `buddyscope postmortem` explains each report from its own figures.',
    );
  }
  if (refused.total > 0) {
    text.push(
      'The kernel did refuse atomic requests that the replay holds possible. Either their gfp flags or cpuset confined them to fewer zones, or the replay is off there: see how far to trust it.',
    );
  }
  return text;
}

/** The fewest free pages of all zones together, and the bucket in which they were that few. */
function leastFree(data: NarrativeInput): { pages: number; bucket: number } {
  let least = { pages: Number.POSITIVE_INFINITY, bucket: 0 };
  for (let bucket = 0; bucket < data.timeline.buckets; bucket++) {
    let pages = 0;
    for (const zone of data.timeline.zones) pages += zone.freePagesMin[bucket] ?? 0;
    if (pages < least.pages) least = { pages, bucket };
  }
  return Number.isFinite(least.pages) ? least : { pages: 0, bucket: 0 };
}

/** The fewest requests in a row, and whether the bounds leave it at that. */
function leastHeadroom(data: NarrativeInput, order: number): { requests: number; sure: boolean } {
  const { min, low, last } = data.headroom;
  const requests = (min[order] ?? []).reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER);
  const bucket = (min[order] ?? []).indexOf(requests);
  return { requests, sure: !low || low[order]?.[bucket] === last[order]?.[bucket] };
}

/** True where the bounds hold a block of the order at every moment, and enough beside it. */
function servedWhateverTheBounds(data: NarrativeInput, order: number): boolean {
  const { low, min } = data.headroom;
  return [low?.[order], min[order]].every((plane) => plane?.every((n) => n > 0) ?? true);
}
