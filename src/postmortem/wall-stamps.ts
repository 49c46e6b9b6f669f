/**
 * Wall-clock stamps of reports as numbers that can be subtracted: syslog prints no year, most logs
 * print whole seconds, and few say which time zone they mean.
 *
 * Stamps without a year are put into the year given; one that lies half a year before the one above
 * it is of the next year (a log over New Year).
 */
import type { SplatTime } from '../records/splat.js';

export interface WallStamp {
  /** Start of what the stamp cannot tell apart, ns. */
  readonly ns: number;
  /** Its length, ns: a second where whole seconds are printed. */
  readonly roomNs: number;
  /** False if the stamp is local time of an unknown zone. */
  readonly zoned: boolean;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const NAMED = new RegExp(
  `(${MONTHS.join('|')})\\s+(\\d{1,2})\\s+(\\d\\d):(\\d\\d):(\\d\\d)(?:\\.(\\d{1,9}))?$`,
);
/** Android: `11-14 20:52:44.123`. */
const NUMBERED = /^(\d\d)-(\d\d)\s+(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/;
const HALF_YEAR_NS = 183 * 86_400e9;

/** Stamps of one log in its order; null where a report has none that tells seconds. */
export function wallStamps(times: readonly SplatTime[], year: number): (WallStamp | null)[] {
  let last = Number.NEGATIVE_INFINITY;
  let current = year;
  return times.map((time) => {
    let stamp = stampOf(time, current);
    if (stamp === null) return null;
    if (time.wallNs === null && stamp.ns < last - HALF_YEAR_NS) {
      current++;
      stamp = stampOf(time, current)!;
    }
    last = stamp.ns;
    return stamp;
  });
}

function stampOf({ wallNs, wallText }: SplatTime, year: number): WallStamp | null {
  if (wallNs !== null) {
    // journald's own stamps have no text: microseconds since 1970
    const zoned = wallText === '' || /(?:Z|[+-]\d\d:?\d\d)$/.test(wallText);
    return { ns: wallNs, roomNs: wallText === '' ? 1000 : roomOf(wallText), zoned };
  }
  const named = NAMED.exec(wallText);
  const match = named ?? NUMBERED.exec(wallText);
  if (match === null) return null;
  const month = named === null ? Number(match[1]) - 1 : MONTHS.indexOf(match[1]!);
  const [day, hour, minute, second] = [2, 3, 4, 5].map((i) => Number(match[i]));
  const ms = Date.UTC(year, month, day!, hour!, minute!, second!);
  const fraction = Number((match[6] ?? '').padEnd(9, '0'));
  return { ns: ms * 1e6 + fraction, roomNs: roomOf(wallText), zoned: false };
}

/** One unit of the last digit that is printed. */
function roomOf(text: string): number {
  const digits = /:\d\d[.,](\d{1,9})/.exec(text)?.[1]?.length ?? 0;
  // parsed stamps are kept to the millisecond
  return 10 ** (9 - Math.min(digits, 3));
}
