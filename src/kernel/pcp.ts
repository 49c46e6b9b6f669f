/**
 * Per-cpu page lists: their batch, their high mark, and how many blocks one refill takes.
 *
 * Kernel: zone_batchsize(), zone_highsize(), nr_pcp_alloc() in mm/page_alloc.c. Which orders are
 * kept on the lists is `pcpOrderMask` in profile.ts. zoneinfo prints the machine's real values.
 */
import type { ProfileSwitches } from './profile-switches.js';

/** Batch as the formula gives it; the kernel uses 1 where this is 0. */
export function pcpBatch(
  managed: number,
  rule: ProfileSwitches['pcpBatch'],
  pageSize = 4096,
): number {
  if (rule === 'shift12') {
    const batch = Math.min(Math.floor(managed / 4096), Math.max(1, Math.floor(262144 / pageSize)));
    return batch <= 1 ? 1 : powerOfTwoBelow(batch) - 1;
  }
  const cap = Math.floor((rule === 'cap128' ? 524288 : 1048576) / pageSize);
  const batch = Math.max(1, Math.floor(Math.min(Math.floor(managed / 1024), cap) / 4));
  return powerOfTwoBelow(batch) - 1;
}

/** Largest power of two that is not above one and a half times n. */
function powerOfTwoBelow(n: number): number {
  const most = n + Math.floor(n / 2);
  let power = 1;
  while (power * 2 <= most) power *= 2;
  return power;
}

export interface PcpHigh {
  /** Pages at which frees start to drain, lower and upper end of the range it moves in. */
  readonly min: number;
  readonly max: number;
}

/** `lowMark`: the zone's low watermark without boost; `cpus`: CPUs local to the node. */
export function pcpHigh(
  managed: number,
  lowMark: number,
  cpus: number,
  switches: Pick<ProfileSwitches, 'pcpBatch' | 'pcpHigh'>,
  pageSize = 4096,
): PcpHigh {
  const computed = pcpBatch(managed, switches.pcpBatch, pageSize);
  if (switches.pcpHigh === '6batch') return { min: 6 * computed, max: 6 * computed };
  const batch = Math.max(1, computed);
  const local = Math.max(1, cpus);
  const min = Math.max(Math.floor(lowMark / local), 4 * batch);
  if (switches.pcpHigh === 'low-per-cpu') return { min, max: min };
  return { min, max: Math.max(Math.floor(Math.floor(managed / 8) / local), 4 * batch) };
}

/**
 * Blocks one refill of a list takes from the buddy lists. From 6.7/6.8 order-0 refills grow with each
 * one in a row (`allocFactor`, 0 to 5); older kernels ignore it.
 */
export function pcpRefillBlocks(
  order: number,
  batch: number,
  switches: Pick<ProfileSwitches, 'pcpOrders' | 'pcpHigh'>,
  allocFactor = 0,
): number {
  if (switches.pcpOrders === '0') return Math.max(1, batch);
  if (order === 0 && switches.pcpHigh === 'auto') return batch * 2 ** allocFactor;
  return batch > 1 ? Math.max(Math.floor(batch / 2 ** order), 2) : batch;
}
