/**
 * Strips what daemons, consoles and people put in front of a kernel line.
 *
 * One physical line in, the bare message out, with what the prefix told: seconds since boot, wall
 * clock, caller id (CONFIG_PRINTK_CALLER), and whether there was any stamp at all (a line without
 * one, in a log that has them, is the folded rest of the line before). Prefixes nest in any order
 * (`> Nov 14 … host kernel: <4>[ 1.0][T12] `), so the table is applied until nothing matches.
 * Works on lines near a report only; the bulk of a log never comes here.
 */

export interface LogLine {
  /** The message; leading blanks are kept. */
  readonly text: string;
  /** True if a time stamp, level, record number or caller id stood in front. */
  readonly stamped: boolean;
  readonly monoNs: number | null;
  readonly wallNs: number | null;
  readonly wallText: string;
  /** `T12`, `C1`, `p1361`, or '' where the log has no caller ids. */
  readonly caller: string;
}

interface Found {
  stamped: boolean;
  monoNs: number | null;
  wallNs: number | null;
  wallText: string;
  caller: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly apply: (found: Found, match: RegExpExecArray) => void;
}

const MONTHS = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';
const DAYS = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun';
/** Most prefixes ever seen nested is six. */
const MAX_ROUNDS = 12;

function nothing(): void {}

function stamp(found: Found): void {
  found.stamped = true;
}

function wall(found: Found, match: RegExpExecArray): void {
  found.stamped = true;
  if (found.wallText !== '') return;
  found.wallText = match[1]!;
  const iso = match[1]!.replace(',', '.').replace(' ', 'T');
  const parsed = /^\d{4}-/.test(iso) ? Date.parse(zoned(iso)) : humanWall(match[1]!);
  if (Number.isFinite(parsed)) found.wallNs = parsed * 1e6;
}

/** An ISO stamp without a zone is read as UTC: the same log gives the same report everywhere. */
function zoned(iso: string): string {
  const trimmed = iso.replace(/(\.\d{3})\d+/, '$1');
  return /(?:Z|[+-]\d\d:?\d\d)$/.test(trimmed) ? trimmed : `${trimmed}Z`;
}

/** `Mon Mar 25 23:35:17 2019` as UTC ms; NaN where there is no year. */
function humanWall(text: string): number {
  const match = new RegExp(
    `(${MONTHS}) +(\\d+) (\\d\\d):(\\d\\d):(\\d\\d)(\\.\\d{1,9})? (\\d{4})$`,
  ).exec(text);
  if (!match) return Number.NaN;
  const month = MONTHS.split('|').indexOf(match[1]!);
  const [day, hour, minute, second, year] = [2, 3, 4, 5, 7].map((i) => Number(match[i]));
  const ms = Math.floor(Number(match[6] ?? 0) * 1000);
  return Date.UTC(year!, month, day, hour, minute, second) + ms;
}

function mono(found: Found, match: RegExpExecArray): void {
  found.stamped = true;
  found.monoNs ??= Number(match[1]) * 1e9 + Number(match[2]!.padEnd(9, '0'));
}

function caller(found: Found, match: RegExpExecArray): void {
  found.stamped = true;
  if (found.caller === '') found.caller = match[1]!;
}

/** Vendor kernels print the pid where others print a caller id. */
function callerPid(found: Found, match: RegExpExecArray): void {
  found.stamped = true;
  if (found.caller === '') found.caller = `p${match[1]}`;
}

/** `[  123.456789] `, Android's `[123.456789]: `, and `dmesg --show-delta`'s `[123.456789 <  0.000012>] `. */
const KERNEL_STAMP = /^\[\s*(\d{1,9})\.(\d{3,9})s?(?:\s+<\s*[\d.]{1,20}>)?\]:?\s?/;

const RULES: readonly Rule[] = [
  // mail quotes, and a stray `#` before a stamp
  { pattern: /^(?:>\s?)+/, apply: nothing },
  { pattern: /^[#|]\s+(?=\[)/, apply: nothing },
  // `grep -n`, `grep -H`: a file name, a line number, before a stamp or level
  {
    pattern:
      /^(?:[\w./@+-]{1,255}[:-])?(?:\d{1,9}[:-])?(?=\[\s*\d{1,8}\.\d{6}s?\]|<\d{1,3}>|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )/,
    apply: nothing,
  },
  // journalctl -o export, verbose
  { pattern: /^\s{0,8}MESSAGE=/, apply: stamp },
  {
    pattern: /^\s+(?=\[\s*\d{1,8}\.\d{6}s?\]|\[(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s|<\d{1,3}>)/,
    apply: nothing,
  },
  // wall clocks
  {
    pattern:
      /^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)\]?:?(?:\s+|$)/,
    apply: wall,
  },
  {
    pattern: new RegExp(
      `^\\[?((?:(?:${DAYS})\\s+)?(?:${MONTHS})\\s+\\d{1,2}\\s+\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?(?:\\s\\d{4}(?=[\\s\\]]))?)\\]?:?(?:\\s|$)`,
    ),
    apply: wall,
  },
  { pattern: /^(\d\d-\d\d\s+\d\d:\d\d:\d\d\.\d{3})\s+/, apply: wall },
  { pattern: new RegExp(`^\\[((?:${MONTHS})\\d{1,2} \\d\\d:\\d\\d)\\]\\s?`), apply: wall },
  { pattern: /^\[\s*(?:[+<]\s*)\d+\.\d+>?\]\s?/, apply: stamp },
  // klog, as the Kubernetes node problem detector copies
  { pattern: /^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6}\s+\d{1,9} [^\]\s]{1,80}\] /, apply: stamp },
  // record numbers of /dev/kmsg and extended netconsole, the release in front if asked for
  {
    pattern: /^\d+\.\d+[\w.+~-]{0,64},(?=\d{1,6},\d{1,12},\d{1,15},[^;\s]{0,80};)/,
    apply: nothing,
  },
  {
    pattern: /^\d{1,6},\d{1,12},(\d{1,9}?)(\d{6}),[^;\s]{0,80};/,
    apply: mono,
  },
  { pattern: /^\d{1,6},\d{1,12},\d{1,5},[^;\s]{0,80};/, apply: stamp },
  // levels, facilities, tags
  { pattern: /^<\d{1,3}>(?:1 (?=\d{4}-))?/, apply: stamp },
  {
    pattern: /^[a-z]\w{2,8}\s*:\s*(?:emerg|alert|crit|err|warn|notice|info|debug)\s*:\s?/,
    apply: stamp,
  },
  { pattern: /^(?:kern|user|daemon)\.\w{3,7}\s+/, apply: stamp },
  { pattern: /^(?:[\w.:-]{1,255}\s+)?kernel(?:\[\d*\])?:\s?(?::\s?)?/, apply: stamp },
  { pattern: /^[\w.:-]{1,255}\s+kernel\s+-\s+-\s+(?:-\s+)?/, apply: stamp },
  { pattern: /^[\w.-]{1,255}\s+(?=\[\s*\d{1,8}\.\d{6}s?\])/, apply: nothing },
  { pattern: /^\d+\s+\d+\s+[VDIWEF]\s+[^:]{0,40}:\s/, apply: stamp },
  { pattern: /^[VDIWEF]\/[^(:]{0,40}\(\s*\d+\):\s/, apply: stamp },
  // the kernel's own stamp, whole or with its opening bracket folded away
  { pattern: KERNEL_STAMP, apply: mono },
  { pattern: /^(\d{1,8})\.(\d{6})\]\s?/, apply: mono },
  // caller ids
  { pattern: /^\[\s*([TC]\d{1,10})\]\s?/, apply: caller },
  {
    pattern: /^\[pid:(\d+),cpu\d+,[^\]]{0,40}\]/,
    apply: callerPid,
  },
  {
    pattern: /^\s{0,2}\[\d{1,5}:[^\]]{0,40}:\s*(\d+)\]\s/,
    apply: callerPid,
  },
  // MediaTek: `.(0)[1234:kworker/0:1]`
  {
    pattern: /^\s?(?:<\d>)?-?\.?\(\d{1,3}\)\[(\d+):[^\]]{0,40}\]\s?/,
    apply: callerPid,
  },
];

/**
 * After `[seconds]` nearly every line is bare: only a bracket, a level or a tag can follow. Says so
 * without trying every rule.
 */
function isBare(found: Found, text: string): boolean {
  if (found.monoNs === null) return false;
  const opens = /^\s{0,2}[[<:>.(-]/.test(text);
  return !opens && !/kernel(?::|\[| -)/.test(text);
}

/** Takes one physical line apart. Never throws; linear in the length of the prefix. */
export function stripPrefix(line: string): LogLine {
  const found: Found = { stamped: false, monoNs: null, wallNs: null, wallText: '', caller: '' };
  let text = line;
  if (line.charCodeAt(0) === 0x5b) {
    const match = KERNEL_STAMP.exec(line);
    if (match !== null) {
      mono(found, match);
      text = line.slice(match[0].length);
      if (isBare(found, text)) return { ...found, text };
    }
  }
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const before = text.length;
    for (const rule of RULES) {
      const match = rule.pattern.exec(text);
      if (match === null || match[0].length === 0) continue;
      rule.apply(found, match);
      text = text.slice(match[0].length);
    }
    if (text.length === before || isBare(found, text)) break;
  }
  return { ...found, text };
}

const INNER_STAMP = /\s(?=\[\s*\d{1,8}\.\d{6}\]\s)/g;

/** Cuts a line that a mailer glued together from several before each inner `[ seconds]` stamp. */
export function splitGlued(line: string): string[] {
  return line.includes('] ') ? line.split(INNER_STAMP) : [line];
}
