/**
 * gfp request → alloc_flags: which watermark is tested and how far below it the request may go.
 *
 * Kernel: gfp_to_alloc_flags() and prepare_alloc_pages() in mm/page_alloc.c, ALLOC_* in
 * mm/internal.h. The bit values are those of 2.6.32 and later; two bits changed their name and
 * meaning in 6.3 (HARDER → NON_BLOCK, HIGH → MIN_RESERVE), which the profile switch `reserveFlags`
 * tells apart. CPUSET, NOFRAGMENT and KSWAPD never decide whether a zone can serve and are left out.
 *
 * Not modelled: cpusets and memory policies, racing updates, callers with PF_MEMALLOC (kswapd,
 * direct reclaimers) unless the caller says so.
 */
import type { GfpRequest } from './gfp.js';
import type { ProfileSwitches } from './profile-switches.js';

/** ALLOC_* bits that matter to a zone's test. */
export const AllocFlag = {
  /** Test against low instead of min. The kernel's index bits, reduced to one. */
  LOW: 0x01,
  NO_WATERMARKS: 0x04,
  OOM: 0x08,
  /** ALLOC_HARDER up to 6.2, ALLOC_NON_BLOCK from 6.3. */
  NON_BLOCK: 0x10,
  /** ALLOC_HIGH up to 6.2, ALLOC_MIN_RESERVE from 6.3. */
  MIN_RESERVE: 0x20,
  CMA: 0x80,
  HIGHATOMIC: 0x200,
} as const;

/** fast: first scan, against low. slow: after kswapd was woken, against min with reserve rights. */
export type AllocPath = 'fast' | 'slow';

/** What a trace does not tell about the caller. */
export interface CallerContext {
  /** A realtime task outside of interrupts. */
  readonly realtime?: boolean;
  /** A task that the OOM killer chose. */
  readonly oomVictim?: boolean;
  /** PF_MEMALLOC: a task that is reclaiming itself. */
  readonly memalloc?: boolean;
}

const NO_CONTEXT: CallerContext = {};

/** alloc_flags of a request on one of its two paths. */
export function allocFlags(
  request: GfpRequest,
  switches: ProfileSwitches,
  order: number,
  path: AllocPath,
  context: CallerContext = NO_CONTEXT,
): number {
  let flags = switches.watermarkCma && request.movable ? AllocFlag.CMA : 0;
  if (path === 'fast') return flags | AllocFlag.LOW;
  if (request.high) flags |= AllocFlag.MIN_RESERVE;
  flags |= harderFlags(request, switches, order, context);
  const mayReserve = !request.nomemalloc;
  if (mayReserve && (request.memalloc || context.memalloc)) flags |= AllocFlag.NO_WATERMARKS;
  if (mayReserve && context.oomVictim) {
    flags |= switches.oomPartialReserves ? AllocFlag.OOM : AllocFlag.NO_WATERMARKS;
  }
  return flags;
}

function harderFlags(
  request: GfpRequest,
  switches: ProfileSwitches,
  order: number,
  context: CallerContext,
): number {
  const blocking = request.directReclaim;
  const realtime = context.realtime === true;
  switch (switches.reserveFlags) {
    case '2.6':
      return !blocking || realtime ? AllocFlag.NON_BLOCK : 0;
    case '3.10': {
      const atomic = !blocking && request.kswapdReclaim;
      return (atomic && !request.nomemalloc) || realtime ? AllocFlag.NON_BLOCK : 0;
    }
    case '4.4': {
      const harder = (request.atomicBit && !request.nomemalloc) || (realtime && !request.atomicBit);
      if (!harder) return 0;
      return AllocFlag.NON_BLOCK | (order > 0 ? AllocFlag.HIGHATOMIC : 0);
    }
    case '6.3': {
      if (blocking) return realtime ? AllocFlag.MIN_RESERVE : 0;
      if (request.nomemalloc) return 0;
      const reserve = order > 0 && (request.high || !switches.highatomicNeedsHigh);
      return AllocFlag.NON_BLOCK | (reserve ? AllocFlag.HIGHATOMIC : 0);
    }
  }
}

/**
 * Pages of `mark` that must remain for a request with these alloc_flags, before lowmem_reserve is
 * added. Integer arithmetic as the kernel's: 1000 → 375 for GFP_ATOMIC, 500 with NOMEMALLOC.
 */
export function reducedMin(mark: number, flags: number, switches: ProfileSwitches): number {
  if ((flags & AllocFlag.NO_WATERMARKS) !== 0) return 0;
  let min = mark;
  const nonBlock = (flags & AllocFlag.NON_BLOCK) !== 0;
  const oom = (flags & AllocFlag.OOM) !== 0;
  if ((flags & AllocFlag.MIN_RESERVE) !== 0) {
    min -= Math.floor(min / 2);
    if (switches.watermarkRule === 'modern-6.3' && nonBlock) min -= Math.floor(min / 4);
  }
  if (switches.watermarkRule === 'modern-6.3') return oom ? min - Math.floor(min / 2) : min;
  if (switches.watermarkRule === 'modern-4.14' && oom) return min - Math.floor(min / 2);
  return nonBlock ? min - Math.floor(min / 4) : min;
}
