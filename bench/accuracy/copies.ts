/**
 * Dated copies of /proc files: `# mono=BEGIN-END snap=N …` and the file's text below.
 */
import type { Range } from './trace-text.js';
import { lineEnd, lineStart, readLine } from './trace-text.js';

export interface DatedCopy {
  /** The whole copy with its header line. */
  readonly text: string;
  readonly header: string;
  readonly beginNs: number;
  readonly endNs: number;
  readonly snap: number;
}

export interface ZoneBlocks {
  readonly zone: string;
  readonly free: readonly number[];
}

const HEADER = /^# mono=(\d+)\.(\d+)-(\d+)\.(\d+) snap=(\d+)/;

function toNs(seconds: string, fraction: string): number {
  return Number(seconds) * 1e9 + Number(fraction.padEnd(9, '0'));
}

export function readCopies(log: string): DatedCopy[] {
  return log
    .split(/^(?=# mono=)/m)
    .map((text): DatedCopy | null => {
      const match = HEADER.exec(text);
      if (!match) return null;
      return {
        text,
        header: text.slice(0, text.indexOf('\n')),
        beginNs: toNs(match[1]!, match[2]!),
        endNs: toNs(match[3]!, match[4]!),
        snap: Number(match[5]),
      };
    })
    .filter((copy) => copy !== null);
}

/** Free blocks by zone (`0/DMA32`) of a buddyinfo copy. */
export function readBlocks(copy: DatedCopy): ZoneBlocks[] {
  return [...copy.text.matchAll(/^Node +(\d+), +zone +(\S+) +([\d ]+)$/gm)].map((match) => ({
    zone: `${match[1]}/${match[2]}`,
    free: match[3]!.trim().split(/ +/).map(Number),
  }));
}

/** The first copy and then each that begins at least this long after the last chosen. */
export function chooseEvery(copies: readonly DatedCopy[], everyNs: number): DatedCopy[] {
  if (everyNs === Number.POSITIVE_INFINITY) return [];
  const chosen: DatedCopy[] = [];
  for (const copy of copies) {
    const last = chosen.at(-1);
    if (!last || copy.beginNs - last.beginNs >= everyNs) chosen.push(copy);
  }
  return chosen;
}

export interface SnapMarkers {
  /** Lines of the markers, by snapshot number. */
  readonly ranges: ReadonlyMap<number, readonly Range[]>;
  /** Begin and end on the trace's clock. */
  readonly times: ReadonlyMap<number, { beginNs: number; endNs: number }>;
}

/** The recorder's `snap N begin` and `snap N end` lines. */
export function findMarkers(text: Buffer): SnapMarkers {
  const ranges = new Map<number, Range[]>();
  const times = new Map<number, { beginNs: number; endNs: number }>();
  const needle = 'tracing_mark_write: snap ';
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    const from = lineStart(text, at);
    const to = lineEnd(text, at);
    const match = /snap (\d+) (begin|end)/.exec(text.toString('latin1', at, to));
    const line = readLine(text, from);
    if (!match || !line) continue;
    const snap = Number(match[1]);
    ranges.set(snap, [...(ranges.get(snap) ?? []), [from, to]]);
    const time = times.get(snap) ?? { beginNs: Number.NaN, endNs: Number.NaN };
    if (match[2] === 'begin') time.beginNs = line.timeNs;
    else time.endNs = line.timeNs;
    times.set(snap, time);
  }
  return { ranges, times };
}

/** Trace clock minus the copies' clock, ns; 0 when they agree to a millisecond. */
export function clockOffset(copies: readonly DatedCopy[], markers: SnapMarkers): number {
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  for (const copy of copies) {
    const time = markers.times.get(copy.snap);
    if (!time || Number.isNaN(time.beginNs + time.endNs)) continue;
    low = Math.max(low, time.beginNs - copy.beginNs);
    high = Math.min(high, time.endNs - copy.endNs);
  }
  if (!Number.isFinite(low) || !Number.isFinite(high)) return 0;
  const offset = Math.round((low + high) / 2);
  return Math.abs(offset) < 1e6 ? 0 : offset;
}
