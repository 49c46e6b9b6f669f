/**
 * Why a request class failed, and what sets the class apart, in words.
 */
import { parseGfp } from '../kernel/gfp.js';
import type { FailureTotal, ReportData } from './report-data.js';
import { PLAIN } from './request-classes.js';
import type { ZoneReason } from './types.js';

type Input = Pick<ReportData, 'zones' | 'moments' | 'headroom'>;

/** What a request carries beside GFP_ATOMIC, without flags that decide nothing. */
export function extraFlags(gfp: string): string {
  const idle = /^(GFP_ATOMIC|__GFP_(NOWARN|ZERO|COMP|NORETRY|ACCOUNT|HARDWALL|RECLAIMABLE))$/;
  const flags = gfp.split('|').filter((flag) => !idle.test(flag));
  return flags.length > 0 ? flags.join(' and ') : gfp;
}

/** Whether a request of these flags may wait for memory, so that what it does not get at once it may get later. */
function mayWait(gfp: string): boolean {
  // The names have meant it in every generation.
  return parseGfp(gfp, '6.8').directReclaim;
}

/** A request and what would have become of it, as a sentence begins; `asked` is the size. */
export function wouldHaveFailed(gfp: string, asked: string): string {
  if (gfp === PLAIN) return `An atomic request for ${asked} would have failed`;
  if (!mayWait(gfp))
    return `An atomic request with ${extraFlags(gfp)} for ${asked} would have failed`;
  return `A request with ${gfp} for ${asked} would not have been served at once`;
}

/** The class as a noun. */
export function requestWords(gfp: string): string {
  if (gfp === PLAIN) return 'a plain GFP_ATOMIC request';
  const more = gfp.includes('__GFP_NOMEMALLOC') ? ', which may use less of the reserve' : '';
  return `a request with ${extraFlags(gfp)} (${gfp}${more})`;
}

const BECAUSE: Readonly<Record<ZoneReason, string>> = {
  none: 'nothing stood in the way',
  'below-watermark':
    'too little memory was free@: less than the reserve that even atomic requests must leave (the watermark)',
  'lowmem-reserve': 'the lower zones keep what they have for requests that need them',
  fragmented: 'free memory@ was in pieces too small',
  'only-highatomic': 'the only blocks large enough@ were kept for others (the highatomic reserve)',
  'only-cma': 'the only blocks large enough@ were CMA, which atomic requests may not use',
  isolated: 'the only blocks large enough@ were isolated',
  unknown: 'the reason is not known',
};

/** A zone with less than this share of memory does not name the place. */
const LARGE_ZONE = 0.1;

/** The main reason in words, with the zone that it holds for. */
export function because(data: Input, total: FailureTotal, reason = mainReason(total)): string {
  const zone = deciding(data, total, reason);
  return BECAUSE[reason].replace('@', zone === null ? '' : ` in zone ${zone}`);
}

/** The zone that most often refused for this reason at the moments kept; null if none stands out. */
function deciding(data: Input, total: FailureTotal, reason: ZoneReason): string | null {
  // Without zoneinfo the zones and their sizes are guesses.
  if (!data.headroom.marksKnown) return null;
  const managed = data.zones.reduce((sum, zone) => sum + zone.managed, 0);
  const times = new Map<string, number>();
  const several = data.zones.some((zone) => zone.node !== data.zones[0]!.node);
  for (const { verdict } of data.moments) {
    if (verdict?.order !== total.order || verdict.gfp !== total.gfp) continue;
    for (const zone of verdict.zones) {
      const place = data.zones.find((z) => z.node === zone.node && z.zone === zone.zone);
      if (zone.reason !== reason || !place || place.managed < managed * LARGE_ZONE) continue;
      const name = several ? `${zone.zone} of node ${zone.node}` : zone.zone;
      times.set(name, (times.get(name) ?? 0) + 1);
    }
  }
  const [first, second] = [...times].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return first && (!second || second[1] * 2 <= first[1]) ? first[0] : null;
}

/** The reason that held longest. */
function mainReason(total: FailureTotal): ZoneReason {
  const entries = Object.entries(total.byReason) as [ZoneReason, number][];
  return entries.reduce((best, entry) => (entry[1] > best[1] ? entry : best), entries[0]!)[0];
}
