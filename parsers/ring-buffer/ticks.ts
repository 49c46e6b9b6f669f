/**
 * Clock counts of a ring buffer to nanoseconds since the recording's epoch, exact.
 *
 * Counts are 64 bit; a double holds differences of up to 2^53. So every count is taken relative to a
 * base (the epoch, or the first count of a cycle counter), which is exact for 104 days. A trace.dat
 * of a cycle counter may say how to convert: ns = (cycles * mult) >> shift (trace-cmd TSC2NSEC).
 */
import type { RecordingClock } from '../../src/records/time.js';

export interface CycleScale {
  readonly mult: number;
  readonly shift: number;
}

/** What of RecordingClock is needed here. */
export type EpochClock = Pick<RecordingClock, 'start' | 'epochS'>;

/** What a stream needs of a clock. */
export type TickClock = Pick<Ticks, 'scaled' | 'toNs' | 'relative'>;

const TWO_32 = 4294967296;

export class Ticks {
  /** Halves of the 64-bit count that is 0 here (the high one signed). */
  readonly baseHigh: number;
  readonly baseLow: number;
  readonly #scale: CycleScale | null;
  /** Nanoseconds since the epoch at the base, and the part below one nanosecond times 2^shift. */
  readonly #baseNs: number;
  readonly #rest: number;

  /**
   * @param first the smallest count of the input; it starts the clock.
   * @param offsetNs added to every stamp (trace-cmd OFFSET and DATE options).
   */
  constructor(clock: EpochClock, first: bigint, offsetNs: bigint, scale: CycleScale | null) {
    const usable = scale !== null && scale.mult > 0 && scale.shift >= 0 && scale.shift <= 32;
    this.#scale = usable ? scale : null;
    const product = usable ? first * BigInt(scale.mult) : first;
    const shift = usable ? BigInt(scale.shift) : 0n;
    const firstNs = (product >> shift) + offsetNs;
    clock.start(Number(firstNs / 1_000_000_000n));
    const epochNs = BigInt(clock.epochS) * 1_000_000_000n;
    const base = usable ? first : epochNs - offsetNs;
    this.baseHigh = Number(base >> 32n);
    this.baseLow = Number(base & 0xffffffffn);
    this.#baseNs = usable ? Number(firstNs - epochNs) : 0;
    this.#rest = usable ? Number(product & ((1n << shift) - 1n)) : 0;
  }

  /** True if counts need toNs; else they are nanoseconds since the epoch already. */
  get scaled(): boolean {
    return this.#scale !== null;
  }

  /** Nanoseconds since the epoch for a count relative to the base. Products stay below 2^53. */
  toNs(ticks: number): number {
    if (this.#scale === null) return ticks;
    const { mult, shift } = this.#scale;
    const unit = 2 ** shift;
    const whole = Math.floor(ticks / unit);
    const part = ticks - whole * unit;
    const high = Math.floor(part / 65_536) * mult;
    const low = (part % 65_536) * mult + this.#rest;
    const cut = 2 ** Math.max(0, shift - 16);
    const quotient = Math.floor(high / cut);
    const tail = (high - quotient * cut) * 65_536 + low;
    const ns = shift >= 16 ? quotient : high * 2 ** (16 - shift);
    return this.#baseNs + whole * mult + ns + Math.floor((shift >= 16 ? tail : low) / unit);
  }

  /** A count given by its halves, relative to the base. */
  relative(high: number, low: number): number {
    return (high - this.baseHigh) * TWO_32 + (low - this.baseLow);
  }
}
