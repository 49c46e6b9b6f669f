/**
 * Which free lists could serve a request: its own migratetype first, then those it may fall back to.
 *
 * Kernel: the fallbacks table and rmqueue() in mm/page_alloc.c. Unmovable falls back to reclaimable, then
 * movable; movable to reclaimable, then unmovable; reclaimable to unmovable, then movable. CMA serves
 * movable requests alone, HIGHATOMIC those with the right, RESERVE (up to 4.3) all, last.
 */
import { AllocFlag, allocFlags } from '../kernel/alloc-flags.js';
import type { GfpRequest } from '../kernel/gfp.js';
import { MIGRATETYPE_LETTERS, MIGRATETYPE_NAMES, MigrateType } from '../kernel/migratetype.js';
import type { KernelProfile } from '../kernel/profile.js';
import { planTest } from '../kernel/watermark.js';
import type { PostmortemReport } from './findings.js';
import { listed } from './words.js';

const { unmovable, movable, reclaimable, highatomic, cma, reserve } = MigrateType;

const FALLBACKS: Readonly<Record<number, readonly number[]>> = {
  [unmovable]: [unmovable, reclaimable, movable],
  [movable]: [movable, reclaimable, unmovable],
  [reclaimable]: [reclaimable, unmovable, movable],
};

export interface ListsOptions {
  readonly request: GfpRequest;
  readonly profile: KernelProfile;
  readonly order: number;
  readonly pageblockOrder: number;
  readonly memalloc: boolean;
}

const NO_MARKS = { min: 0, low: 0, boost: 0, protection: [] };

/** Canonical migratetypes in the order in which they are tried. */
export function listsOf(options: ListsOptions): number[] {
  const { request, profile, order, memalloc, pageblockOrder } = options;
  const { switches } = profile;
  const flags = allocFlags(request, switches, order, 'slow', { memalloc });
  const test = planTest(request, switches, order, 'slow', flags, NO_MARKS, 0, { pageblockOrder });
  const own = FALLBACKS[request.migratetype] ?? FALLBACKS[unmovable]!;
  const right = order > 0 && (flags & AllocFlag.HIGHATOMIC) !== 0;
  const first = test.takesHighatomic && right ? [highatomic] : [];
  const last = test.takesHighatomic && !right ? [highatomic] : [];
  const area = test.countsCma && request.movable ? [cma] : [];
  const kept = switches.watermarkRule === 'halving' ? [reserve] : [];
  return [...first, own[0]!, ...area, ...own.slice(1), ...last, ...kept];
}

export function lettersOf(lists: readonly number[]): string[] {
  return lists.map((type) => MIGRATETYPE_LETTERS[type]!);
}

/** The zones and lists that could serve the request. */
export function servedBy(report: PostmortemReport): string {
  const zones = [...new Set(report.zones.filter((z) => z.eligible).map((z) => z.zone))];
  const where = zones.length === 0 ? 'no zone of this report' : listed(zones);
  const lists = report.lists.map((type) => MIGRATETYPE_NAMES[type]!);
  return `${where}; ${listed(lists)} lists, in this order`;
}
