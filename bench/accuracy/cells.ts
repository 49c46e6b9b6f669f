/**
 * Where the answer differs from the kernel, copy by copy: for finding out what is wrong.
 */
import type { Judgement } from './judge.js';
import type { Level } from './levels.js';
import type { RecordedSet } from './recording-set.js';

/** What happened between two instants of the trace, in a few words. */
function activity(events: readonly RareLine[], from: number, to: number): string {
  const names = new Map<string, number>();
  for (const { timeNs, name } of events) {
    if (timeNs > from && timeNs <= to) names.set(name, (names.get(name) ?? 0) + 1);
  }
  return [...names].map(([name, count]) => `${name} x${count}`).join(', ');
}

interface RareLine {
  readonly timeNs: number;
  readonly name: string;
}

const WATCHED = [
  'mm_compaction_isolate_freepages',
  'mm_compaction_migratepages',
  'tracing_mark_write: phase',
  '[LOST',
];

/** Stamps of the rare lines that usually explain a difference. */
function rareLines(set: RecordedSet): RareLine[] {
  const { text } = set;
  const found: RareLine[] = [];
  for (const name of WATCHED) {
    for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
      const from = text.lastIndexOf(10, at) + 1;
      const end = text.indexOf(10, at);
      // A loss has no stamp of its own: that of the next line.
      const raw = text.toString('latin1', from, name === '[LOST' ? end + 200 : end);
      const stamp = /\s(\d+)\.(\d{6}): /.exec(raw);
      const micro = stamp ? null : /\s(\d+)us/.exec(raw);
      const timeNs = stamp
        ? Number(stamp[1]) * 1e9 + Number(stamp[2]) * 1000
        : Number(micro?.[1] ?? Number.NaN) * 1000;
      const label = name.startsWith('tracing') ? raw.slice(raw.indexOf('phase')) : name;
      found.push({ timeNs, name: label.replace('mm_compaction_', '') });
    }
  }
  return found;
}

export function describeCells(set: RecordedSet, level: Level, { score }: Judgement): string[] {
  const lines = [`-- ${set.name} ${level.name}: cells that differ (answer - truth, with bounds)`];
  const rare = rareLines(set);
  let last = Number.NEGATIVE_INFINITY;
  for (const copy of score.copies) {
    const now = copy.timeNs + set.offsetNs;
    const between = activity(rare, last, now);
    last = now;
    const share = ((100 * copy.l1Pages) / Math.max(1, copy.freePages)).toFixed(2);
    lines.push(
      `${(copy.timeNs / 1e9).toFixed(6)} L1 ${copy.l1Pages} of ${copy.freePages} = ${share} %${between ? ` | ${between}` : ''}`,
    );
    for (const { zone, truth, answer } of copy.zones) {
      const cells = truth.flatMap((count, q) => {
        const free = answer.free[q] ?? 0;
        const low = answer.low[q] ?? 0;
        const high = answer.high[q] ?? 0;
        const outside = count < low || count > high;
        if (free === count && !outside) return [];
        const sign = free > count ? '+' : '';
        return [
          `o${q}:${sign}${free - count} (${count} in ${low}..${high}${outside ? ' OUT' : ''})`,
        ];
      });
      if (cells.length > 0) lines.push(`    ${zone} ${cells.join('  ')}`);
    }
  }
  return lines;
}
