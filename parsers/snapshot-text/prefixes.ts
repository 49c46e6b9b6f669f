/**
 * Prefixes that transports put before every row: syslog (RFC 3164, RFC 5424, journal), `ts`,
 * printk, pdsh, kubectl, docker, and `grep .` over several files.
 *
 * One call removes one prefix; a row may carry several. A prefix is only removed by the container
 * if some grammar takes what is left, so a guess that is wrong here does no harm.
 */
import type { SnapshotTime } from '../../src/records/snapshot.js';
import type { WallClock, WallTime } from './dates.js';
import { decimalNs, monoStamp, parseEpoch, wallStamp } from './stamps.js';

export interface Prefix {
  /** Index where the rest begins. */
  readonly rest: number;
  readonly time: SnapshotTime | null;
  readonly assumed: WallTime['assumed'];
  readonly host: string | null;
  /** Path named by `grep .`. */
  readonly path: string | null;
}

const DAY = String.raw`[A-Z][a-z]{2} [ \d]\d(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d{1,9})?`;
const ISO = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?Z| ?[+-]\d\d:?\d\d| UTC)?`;
/** Date, host, tag. */
const SYSLOG = new RegExp(
  `^(?:<\\d{1,3}>)?(${DAY}|${ISO}) ([^\\s:]{1,255}) [^\\s:[\\]]{1,64}(?:\\[\\d+\\])?: ?`,
);
const RFC5424 = new RegExp(
  `^(?:\\d+ )?<\\d{1,3}>1 (${ISO}) (\\S{1,255}) \\S+ \\S+ \\S+ (?:-|(?:\\[[^\\]]{0,255}\\])+) ?(?:\u00ef\u00bb\u00bf)?`,
);
const STAMP = new RegExp(
  `^\\[?(${DAY}|${ISO}|\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?)\\]?[:,|]?[ \\t]`,
);
const EPOCH = /^\[?(\d{9,10}(?:\.\d{1,9})?)\]?[:,|]?[ \t]/;
const PRINTK = /^(?:<\d{1,3}>)?\[ *(\d{1,9})\.(\d{6})\](?:\[ *[TC]\d+\])? ?/;
const LEVEL = /^<\d{1,3}>/;
const KUBECTL = /^\[((?:pod\/)?[\w./-]{1,255})\] /;
const GREP =
  /^((?:[\w.@+-]*\/)*[\w.-]*(?:buddyinfo|pagetypeinfo|zoneinfo|vmstat|unusable_index|extfrag_index|version)(?:\.\w{1,8})?):/;
const COLUMN_HOST = /^([\w][\w.-]{0,254}) +\| ?/;
const HOST = /^([\w][\w.-]{0,254}(?::\d+)?): ?/;

function made(match: RegExpExecArray, fields: Partial<Prefix>): Prefix {
  return { rest: match[0].length, time: null, assumed: [], host: null, path: null, ...fields };
}

/** The prefix a line begins with, or null. */
export function scanPrefix(line: string, wall: WallClock): Prefix | null {
  const first = line.charCodeAt(0);
  if (first === 91 || first === 60) {
    const printk = PRINTK.exec(line);
    if (printk) {
      const ns = decimalNs(printk[1]!, printk[2]);
      return made(printk, { time: monoStamp(ns, ns, 1000) });
    }
    const kubectl = KUBECTL.exec(line);
    if (kubectl && !/^\d/.test(kubectl[1]!)) return made(kubectl, { host: kubectl[1]! });
  }
  return datedPrefix(line, wall) ?? namedPrefix(line);
}

function datedPrefix(line: string, wall: WallClock): Prefix | null {
  const syslog = SYSLOG.exec(line) ?? RFC5424.exec(line);
  if (syslog) return made(syslog, { ...wallTime(syslog[1]!, wall), host: syslog[2]! });
  const epoch = EPOCH.exec(line);
  if (epoch) return made(epoch, { time: parseEpoch(epoch[1]!) });
  const stamp = STAMP.exec(line);
  return stamp && made(stamp, wallTime(stamp[1]!, wall));
}

function wallTime(text: string, wall: WallClock): Pick<Prefix, 'time' | 'assumed'> {
  const time = wall.parse(text);
  return time ? { time: wallStamp(time), assumed: time.assumed } : { time: null, assumed: [] };
}

function namedPrefix(line: string): Prefix | null {
  const grep = GREP.exec(line);
  if (grep) return made(grep, { path: grep[1]! });
  const host = COLUMN_HOST.exec(line) ?? HOST.exec(line);
  if (host) return made(host, { host: host[1]! });
  const level = LEVEL.exec(line);
  return level && made(level, {});
}
