/**
 * Time: nanoseconds since a recording's epoch, on the trace's clock.
 *
 * Never rounded through float seconds: seconds and fraction are parsed and printed apart. The epoch
 * is a whole number of seconds, 0 unless the stamps are so large (tai, wall time) that nanoseconds
 * would not fit a double exactly.
 */
export const NS_PER_S = 1e9;

/** Seconds above which an epoch is needed: 2^53 ns is 104 days; half of that leaves room to grow. */
export const EPOCH_THRESHOLD_S = 4_500_000;

/** Stamps from here on are of a clock that counts from 1970, s. */
export const EPOCH_CLOCK_S = 631_152_000;

/** Which clock a stamp belongs to. `trace` is whatever the trace used. */
export type ClockName = 'trace' | 'mono' | 'wall' | 'none';

/** The clock all events of a recording share. The first stamp read fixes the epoch. */
export class RecordingClock {
  #epochS: number | null = null;
  /** As found in the input (`mono`, `local`, `latency` …) or `unknown`. */
  name = 'unknown';

  /** Whole seconds subtracted from every stamp. */
  get epochS(): number {
    return this.#epochS ?? 0;
  }

  get started(): boolean {
    return this.#epochS !== null;
  }

  /** Fixes the epoch from the first stamp, in whole seconds; later calls change nothing. */
  start(firstSeconds: number): void {
    this.#epochS ??= firstSeconds > EPOCH_THRESHOLD_S ? firstSeconds : 0;
  }

  /** Nanoseconds since the epoch for a stamp given as whole seconds and nanoseconds. */
  toNs(seconds: number, nanoseconds: number): number {
    this.start(seconds);
    return (seconds - this.epochS) * NS_PER_S + nanoseconds;
  }
}

/** `12.345` for 12345000000 ns: seconds with up to 9 decimals, no trailing zeros. */
export function formatSeconds(timeNs: number, epochS = 0): string {
  const negative = timeNs < 0 && epochS === 0;
  const absolute = negative ? -timeNs : timeNs;
  const whole = Math.floor(absolute / NS_PER_S);
  // A double holds whole nanoseconds up to 2^53; stamps since 1970 are beyond it and good to a microsecond.
  const grain = absolute > Number.MAX_SAFE_INTEGER ? 1000 : 1;
  const fraction = Math.round((absolute - whole * NS_PER_S) / grain) * grain;
  const text = String(whole + epochS);
  const decimals = fraction === 0 ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
  return (negative ? '-' : '') + text + decimals;
}

/** Nanoseconds since the epoch of a decimal seconds text, or null if it is not one. */
export function parseSeconds(text: string, epochS = 0): number | null {
  const match = /^([+-]?)(\d{1,15})(?:\.(\d{1,9})\d*)?$/.exec(text.trim());
  if (!match) return null;
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? '').padEnd(9, '0'));
  const sign = match[1] === '-' ? -1 : 1;
  return sign * (seconds * NS_PER_S + nanoseconds) - epochS * NS_PER_S;
}

/** Dates end here (ECMA-262), ms since 1970. */
const LAST_DATE_MS = 8.64e15;

/** A reading of some clock in words: a date if it counts from 1970, else seconds. */
export function clockReading(ns: number): string {
  if (ns < EPOCH_CLOCK_S * NS_PER_S || ns / 1e6 > LAST_DATE_MS)
    return `${formatSeconds(Math.round(ns))} s`;
  return new Date(Math.round(ns / 1e6)).toISOString();
}

/** The next number of nanoseconds that has two digits, for a doubt that must not look smaller. */
export function roundUpNs(ns: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, ns))) - 1);
  return Math.ceil(ns / unit) * unit;
}
