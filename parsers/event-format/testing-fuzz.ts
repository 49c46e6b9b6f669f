/**
 * For tests only: damages inputs in fixed, repeatable ways and checks that a reader survives.
 *
 * Surviving means: no exception, an end within the time limit, no more rows than the bytes could
 * hold, and every row within the record's ranges.
 */
import { ORDER_LIMIT, PFN_LIMIT } from '../../src/records/events.js';
import type { Format } from '../format.js';
import { type CollectOptions, collect } from './testing.js';

/** A small generator with a fixed seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface SurviveOptions extends CollectOptions {
  /** The format has tables without times: their events have none. */
  readonly timeless?: boolean;
}

const MAX_MS = 4000;

/** Reads damaged bytes; throws with a description if the reader does not survive. */
export function survive(
  format: Format,
  bytes: Uint8Array,
  what: string,
  how: SurviveOptions = {},
): number {
  const start = process.cpuUsage();
  const { rows } = collect(format, bytes, how);
  // Of the processor, not the wall: a busy machine is no fault.
  const took = process.cpuUsage(start).user / 1000;
  if (took > MAX_MS) throw new Error(`${what}: took ${took} ms`);
  if (rows.length > 1000 + bytes.length * 8) throw new Error(`${what}: ${rows.length} rows`);
  for (const row of rows) {
    const pfnFits = row.pfn >= -1 && row.pfn < PFN_LIMIT && Number.isInteger(row.pfn);
    const timed = how.timeless || !Number.isNaN(row.timeNs);
    if (!pfnFits || row.order >= ORDER_LIMIT || !timed) {
      throw new Error(`${what}: impossible row ${JSON.stringify(row)}`);
    }
  }
  return rows.length;
}

/** Cuts at every `step`-th byte. */
export function cutEverywhere(
  format: Format,
  bytes: Uint8Array,
  step = 1,
  how: SurviveOptions = {},
): void {
  for (let length = 0; length < bytes.length; length += step) {
    survive(format, bytes.subarray(0, length), `cut to ${length} bytes`, how);
  }
}

/** Flips bits, sets bytes and words to extremes, at places drawn from [from, to). */
export function damage(
  format: Format,
  bytes: Uint8Array,
  rounds: number,
  seed: number,
  range: { from: number; to: number } = { from: 0, to: bytes.length },
  how: SurviveOptions = {},
): void {
  const next = random(seed);
  const extremes = [0, 1, 0x7f, 0x80, 0xff];
  for (let round = 0; round < rounds; round++) {
    const copy = Uint8Array.from(bytes);
    const count = 1 + Math.floor(next() * 4);
    for (let i = 0; i < count; i++) {
      const at = range.from + Math.floor(next() * (range.to - range.from));
      const mode = next();
      if (mode < 0.4) copy[at] = copy[at]! ^ (1 << Math.floor(next() * 8));
      else if (mode < 0.7) copy[at] = extremes[Math.floor(next() * extremes.length)]!;
      else copy.fill(next() < 0.5 ? 0xff : 0, at, at + (next() < 0.5 ? 4 : 8));
    }
    survive(format, copy, `seed ${seed} round ${round}`, how);
  }
}
