/**
 * Is this a kernel log? Judged by the first lines: stamps, levels, and words only a kernel prints.
 */
import type { Detection } from '../format.js';

const MAX_LINES = 400;

const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/^(?:<\d{1,3}>)?\[\s*\d{1,8}\.\d{6}s?\]/, 'lines stamped `[seconds.microseconds]`'],
  [/^\d{1,6},\d{1,12},\d{1,15},[^;\s]{1,80};/, '/dev/kmsg records'],
  [/\bkernel(?:\[\d*\])?: /, 'syslog lines tagged `kernel:`'],
  [/^\[(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} .{1,20}\d{4}\] /, '`dmesg -T` lines'],
  [/^kern\s*:(?:emerg|alert|crit|err|warn|notice|info|debug)/, '`dmesg -x` lines'],
  [/^\{.*"(?:MESSAGE|_TRANSPORT|__REALTIME_TIMESTAMP)"/, 'journald JSON'],
  [/^\s*"dmesg":|^\s*"msg":/, '`dmesg -J` JSON'],
];

/** Quoted, it is a log only as journald, dmesg -J or a container runtime write one: other JSON tells of logs, too. */
const UNQUOTED = '^(?:[^"]*|.*"(?:MESSAGE|message|msg|log)"\\s*:\\s*".*)';

const WORDS: readonly (readonly [RegExp, string])[] = [
  [
    new RegExp(
      `${UNQUOTED}(?:page allocation failure|page allocation stall|order allocation failed)`,
    ),
    'a page allocation failure report',
  ],
  [/ invoked oom-killer: /, 'an OOM report'],
  [/^(?:.{0,80}\s)?Mem-[Ii]nfo:\s*$/, 'a Mem-Info block'],
  [new RegExp(`${UNQUOTED}\\bLinux version \\d+\\.\\d+`), 'a `Linux version` banner'],
  [/SL[UA]B: Unable to allocate memory on/, 'a slab allocation failure'],
];

export function detect(head: Uint8Array, name: string): Detection | null {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  const lines = text.split('\n', MAX_LINES);
  for (const [pattern, what] of WORDS) {
    // The last look is at everything: a report may lie deep in the first bytes.
    const at = lines.findIndex((line) => pattern.test(line.slice(0, 2000)));
    if (at >= 0) return { confidence: 0.85, why: `line ${at + 1} is ${what}` };
  }
  let best = 0;
  let why = '';
  for (const [pattern, what] of SHAPES) {
    const count = lines.filter((line) => pattern.test(line.slice(0, 2000))).length;
    if (count > best) {
      best = count;
      why = `${count} ${what}`;
    }
  }
  const share = best / Math.max(1, lines.filter((line) => line.trim() !== '').length);
  if (best === 0) return null;
  const named = /dmesg|kern|messages|syslog|journal|console|ramoops/i.test(name) ? 0.1 : 0;
  return { confidence: Math.min(0.8, (best >= 3 ? 0.4 : 0.25) + share * 0.3 + named), why };
}
