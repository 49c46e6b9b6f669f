/**
 * Time headers: the lines between copies that say when the next copy was taken.
 *
 * Ours (`# mono=BEGIN-END snap=N`), `date` output, epoch numbers, ISO 8601, OSWatcher's `zzz ***`,
 * `===== sample … =====`, `Timestamp: …`, `Every 1.0s: …` of watch, and a line of /proc/uptime.
 * Wall time in nanoseconds since 1970 needs more than 53 bits: stamps on the wall clock are exact
 * to 256 ns, which their resolution says.
 */
import type { SnapshotTime } from '../../src/records/snapshot.js';
import { NS_PER_S } from '../../src/records/time.js';
import type { WallClock, WallTime } from './dates.js';

export interface TimeHeader {
  readonly time: SnapshotTime;
  /** Set if the line dates another file (`file=kpageflags-13.bin bytes=524288`). */
  readonly file: string | null;
  readonly bytes: number | null;
  readonly assumed: WallTime['assumed'];
}

const OURS =
  /^# mono=(\d{1,9})\.(\d{1,9})-(\d{1,9})\.(\d{1,9})(?: snap=(\d{1,9}))?(?: file=(\S{1,255}))?(?: bytes=(\d{1,15}))?\s*$/;
const SAMPLE_MONO = /\bmonotonic_ns=(\d{1,18})\b/;
const SAMPLE_WALL = /\bwall=(\S{8,40})/;
const UPTIME = /^(\d{1,9})\.(\d{2}) \d{1,12}\.\d{2}$/;
const WATCH = /^Every \d+[.,]\d+s: (.*)$/;
/** `zzz <07/02/2018 00:00:00> subcount: 0`. */
const EXAWATCHER = /^zzz\s*<([^>]{8,40})>/;
/** OSWatcher's newer archives go on after the date. */
const INTERVAL = /\s+sample interval:? \d+ ?\w*\s*$/i;
/** `uptime`, `w`, and the first line of `top -b`: the time of day, then what is no date. */
const UP = /^(?:top - )?\s*(\d{1,2}:\d{2}:\d{2})(?: [AP]M)? +up .*load average/;
/** `ATOP - host   2024/11/22  07:49:05   ----   10s elapsed`. */
const ATOP = /^ATOP - \S+\s+(\d{4}\/\d{2}\/\d{2}\s+\d{2}:\d{2}:\d{2})\s/;
/** `2024-11-22_07-49-05`, `20241122T074905`, `20241122.0749` or an epoch in the name of a file. */
const NAMED =
  /(?<!\d)(20\d{2})-?(\d{2})-?(\d{2})[-_.T ]?(\d{2})[-:._h]?(\d{2})(?:[-:._m]?(\d{2}))?(?!\d)/;
const NAMED_EPOCH = /(?<!\d)1\d{9}(?!\d)/;
const EPOCH = /^@?(\d{9,10})(?:[.,](\d{1,9}))?$/;
const EPOCH_FINE = /^(\d{10})(\d{3}|\d{6}|\d{9})$/;
/** Rules, quotes and comment marks around a stamp, and a word that introduces it. */
const DECORATION = /^[\s#=*+~>|"'[(-]+|[\s#=*+~<|"'\]:-]+$/g;
const LABEL =
  /^(?:zzz\b[\s*]*|(?:sample|snapshot|iteration|round)\s*#?\d{1,9}\s*[:=#*,]+[\s=:*#,-]*|(?:time|timestamp|time ?stamp|date|datetime|sample|at|on|snapshot|sample time|current time|taken at|collected(?: at)?|wall|epoch|ts)\s*[:=]?\s+|(?:time|timestamp|date|epoch|ts|wall)[:=]|\d{1,6}[:)]\s+)/i;
const MIN_EPOCH_S = 631_152_000;
const MAX_EPOCH_S = 4_102_444_800;
/** Nanoseconds since 1970 have this grain in a double. */
const WALL_GRAIN_NS = 256;

export function wallStamp(wall: WallTime): SnapshotTime {
  const ns = wall.seconds * NS_PER_S + wall.nanoseconds;
  const resolutionNs = Math.max(wall.resolutionNs, WALL_GRAIN_NS);
  return { clock: 'wall', beginNs: ns, endNs: ns, snap: null, resolutionNs };
}

export function monoStamp(beginNs: number, endNs: number, resolutionNs: number): SnapshotTime {
  return { clock: 'mono', beginNs, endNs, snap: null, resolutionNs };
}

function plain(time: SnapshotTime, assumed: WallTime['assumed'] = []): TimeHeader {
  return { time, file: null, bytes: null, assumed };
}

/** Nanoseconds of `seconds.fraction`, digit by digit. */
export function decimalNs(seconds: string, fraction: string | undefined): number {
  return Number(seconds) * NS_PER_S + Number((fraction ?? '').slice(0, 9).padEnd(9, '0'));
}

function grain(fraction: string | undefined): number {
  return 10 ** (9 - (fraction ?? '').length);
}

function ours(line: string): TimeHeader | null {
  const m = OURS.exec(line);
  if (!m) return null;
  const begin = decimalNs(m[1]!, m[2]);
  const end = decimalNs(m[3]!, m[4]);
  const snap = m[5] === undefined ? null : Number(m[5]);
  return {
    time: { ...monoStamp(begin, Math.max(begin, end), grain(m[2])), snap },
    file: m[6] ?? null,
    bytes: m[7] === undefined ? null : Number(m[7]),
    assumed: [],
  };
}

/** An epoch number in s, ms, us or ns since 1970. */
export function parseEpoch(text: string): SnapshotTime | null {
  const fine = EPOCH_FINE.exec(text);
  const m = fine ?? EPOCH.exec(text);
  if (!m) return null;
  const seconds = Number(m[1]);
  if (seconds < MIN_EPOCH_S || seconds > MAX_EPOCH_S) return null;
  const nanoseconds = Number((m[2] ?? '').padEnd(9, '0'));
  return wallStamp({ seconds, nanoseconds, resolutionNs: grain(m[2]), assumed: [] });
}

function sample(line: string, wall: WallClock): TimeHeader | null {
  const mono = SAMPLE_MONO.exec(line);
  if (mono) {
    const ns = Number(mono[1]);
    return plain(monoStamp(ns, ns, 1));
  }
  const stamp = SAMPLE_WALL.exec(line);
  const time = stamp && wall.parse(stamp[1]!);
  return time ? plain(wallStamp(time), time.assumed) : null;
}

/** The header a line is, or null. */
export function parseTimeHeader(line: string, wall: WallClock): TimeHeader | null {
  if (line.length < 5 || line.length > 300) return null;
  const known = ours(line);
  if (known) return known;
  if (line.includes('wall=') || line.includes('monotonic_ns=')) {
    const found = sample(line, wall);
    if (found) return found;
  }
  const watch = WATCH.exec(line);
  const text = watch ? (/: (\S.*\d.*)$/.exec(watch[1]!)?.[1] ?? '') : line;
  return dated(text, wall);
}

function dated(line: string, wall: WallClock): TimeHeader | null {
  if (!/\d/.test(line) || line.length > 120) return null;
  const uptime = UPTIME.exec(line);
  if (uptime) {
    const ns = decimalNs(uptime[1]!, uptime[2]);
    return plain(monoStamp(ns, ns, grain(uptime[2])));
  }
  const framed = EXAWATCHER.exec(line) ?? UP.exec(line) ?? ATOP.exec(line);
  const text = (framed?.[1] ?? line)
    .replace(INTERVAL, '')
    .replace(DECORATION, '')
    .replace(LABEL, '')
    .replace(DECORATION, '');
  const epoch = parseEpoch(text);
  if (epoch) return plain(epoch);
  const time = wall.parse(text);
  return time ? plain(wallStamp(time), time.assumed) : null;
}

/** When a copy was taken by the name of its file, or null. The name says no zone: UTC. */
export function timeOfName(source: string): SnapshotTime | null {
  const name = source.slice(source.lastIndexOf('/') + 1);
  const epoch = NAMED_EPOCH.exec(name);
  if (epoch) return parseEpoch(epoch[0]);
  const match = NAMED.exec(name);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  const inRange = month! >= 1 && month! <= 12 && day! >= 1 && day! <= 31;
  if (!inRange || hour! > 23 || minute! > 59 || second! > 59) return null;
  const seconds = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) / 1000;
  const resolutionNs = match[6] === undefined ? 60 * NS_PER_S : NS_PER_S;
  return wallStamp({ seconds, nanoseconds: 0, resolutionNs, assumed: [] });
}
