/**
 * Did the failure hurt: what the caller most likely does when it gets nothing.
 *
 * Judged by flags (NORETRY says "I have another way"), by the functions on the trace that are known
 * to fall back, and by context. A log cannot prove that a caller coped; the wording says so.
 */
import type { GfpRequest } from '../kernel/gfp.js';
import type { Splat } from '../records/splat.js';
import type { CallerFinding, Harm } from './findings.js';
import { grouped } from './words.js';

/** Functions with an order-0 way behind their high-order attempt. */
const FALLBACK: readonly (readonly [RegExp, string])[] = [
  [/^skb_page_frag_refill|^sk_page_frag/, 'page fragments fall back to order 0'],
  [
    /^__?page_frag_(?:cache_)?(?:alloc|refill)|^__alloc_page_frag/,
    'page fragments fall back to order 0',
  ],
  [/^(?:alloc_rx_agg|r8152)/, 'the driver drops receive aggregation for this buffer and goes on'],
  [/^(?:kvmalloc|__kvmalloc)/, 'kvmalloc falls back to vmalloc'],
  [/^(?:alloc_thp|do_huge_pmd|khugepaged|thp_)/, 'huge pages fall back to small ones'],
  [/^alloc_skb_with_frags/, 'the socket buffer is built of smaller pieces'],
];

const RECEIVE =
  /(?:_rx|rx_|_poll|napi|netif_receive|process_rx|fill_recv|refill|receive_|clean_rx|rx_submit)/;

export function harmOf(
  splat: Splat,
  request: GfpRequest | null,
  order: number | null,
  caller: CallerFinding,
): Harm {
  const frames = splat.context.frames.filter((frame) => !frame.guess);
  for (const [pattern, why] of (order ?? 0) > 0 ? FALLBACK : []) {
    if (frames.some((frame) => pattern.test(frame.fn))) return { level: 'likely-handled', why };
  }
  if (splat.kind === 'sysrq-memory') return { level: 'noise', why: 'nothing failed' };
  if (splat.kind === 'oom-kill')
    return { level: 'retried', why: 'the request goes on: another task was killed to make room' };
  if (splat.kind === 'allocation-stall') {
    const waited = splat.header.stallMs === null ? '' : ` ${grouped(splat.header.stallMs)} ms`;
    return {
      level: 'retried',
      why: `the request waited${waited} for reclaim, and goes on waiting`,
    };
  }
  if (order === null && splat.header.vmallocBytes !== null) {
    return { level: 'request-failed', why: 'vmalloc gave nothing; the caller most likely gave up' };
  }
  if (request === null || order === null) {
    return { level: 'unknown', why: 'order or flags are missing' };
  }
  if (order > 0 && request.noretry) {
    const why = request.nowarn
      ? '__GFP_NORETRY|__GFP_NOWARN: the caller said it has another way'
      : '__GFP_NORETRY: the caller expects to fail; without __GFP_NOWARN the kernel still prints';
    return { level: 'noise', why };
  }
  if (caller.cache !== '' && order > 0) {
    return {
      level: 'request-failed',
      why: `slab cache ${caller.cache} failed at its smallest order ${order}: its first, larger attempt prints nothing`,
    };
  }
  if (!request.directReclaim) return atomicHarm(frames, caller);
  if (caller.reclaiming) {
    return {
      level: 'retried',
      why: 'the task was reclaiming memory itself: this page of reclaim work failed, reclaim goes on',
    };
  }
  return {
    level: 'request-failed',
    why: 'the request may sleep and was given up: the caller got no memory (usually -ENOMEM)',
  };
}

function atomicHarm(frames: readonly { readonly fn: string }[], caller: CallerFinding): Harm {
  const receive = frames.some((frame) => RECEIVE.test(frame.fn));
  if (caller.context === 'softirq' && receive) {
    return {
      level: 'retried',
      why: 'receive path: a packet is dropped or a ring slot stays empty until the next poll; harmful if it repeats',
    };
  }
  if (caller.context === 'unknown') {
    return {
      level: 'unknown',
      why: 'the call trace is missing: whether the caller copes is not known',
    };
  }
  return {
    level: 'request-failed',
    why: 'the caller could not wait and got no memory; whether it copes is in its code',
  };
}
