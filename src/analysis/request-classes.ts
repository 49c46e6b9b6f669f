/**
 * Which kinds of atomic request a recording holds, as far as the allocator treats them differently.
 *
 * Drivers rarely ask with plain GFP_ATOMIC: slab and network code add flags. __GFP_NOWARN and the like
 * change nothing; __GFP_NOMEMALLOC, a lone reserve bit, a zone restriction or a migratetype may. One text
 * stands for each class, plain GFP_ATOMIC first.
 */
import { attemptClassOf, type GfpRequest, parseGfp } from '../kernel/gfp.js';
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import type { RecordingStrings } from '../records/strings.js';

/** The request that all others are told apart from. */
export const PLAIN = 'GFP_ATOMIC';

/** Classes judged beside plain GFP_ATOMIC, at most. */
const MAX_OTHERS = 3;
/** gfp texts looked at. */
const MAX_TEXTS = 4096;

/** What of a request decides about zones and watermarks: equal for requests that fare alike. */
export function requestClassKey(request: GfpRequest): string {
  const { high, atomicBit, nomemalloc, memalloc, zoneClass, thisnode, kswapdReclaim } = request;
  return JSON.stringify([
    high,
    atomicBit,
    nomemalloc,
    memalloc,
    zoneClass,
    thisnode,
    kswapdReclaim,
  ]);
}

/** gfp texts to judge windows for. */
export function atomicRequestClasses(
  strings: RecordingStrings,
  switches: ProfileSwitches,
): string[] {
  const era = switches.gfpEra;
  const found = new Map([[requestClassKey(parseGfp(PLAIN, era)), PLAIN]]);
  const { gfps } = strings;
  for (let id = 1; id < Math.min(gfps.size, MAX_TEXTS) && found.size <= MAX_OTHERS; id++) {
    const text = gfps.text(id);
    const request = parseGfp(text, era);
    if (attemptClassOf(request, 1) !== 'atomic') continue;
    const key = requestClassKey(request);
    if (!found.has(key)) found.set(key, text);
  }
  return [...found.values()];
}
