/**
 * Time stamps: from digits to exact nanoseconds, and what they tell about the clock.
 *
 * kernel/trace/trace_output.c (v6.12) prints `secs.usecs` for clocks in nanoseconds, a plain integer
 * for the others (counter, uptime, x86-tsc), `…us` in latency format. trace-cmd can print 9 digits.
 * Which nanosecond clock it was does not stand in the text. Integers are taken as nanoseconds
 * unless the user gives `time-unit`; the file's own order and differences stay exact either way.
 */
import { NS_PER_S, type RecordingClock } from '../../src/records/time.js';

export const StampForm = { none: 0, seconds: 1, latency: 2, integer: 3 } as const;
export type StampForm = (typeof StampForm)[keyof typeof StampForm];

const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };
/** Seconds since 1970 in 2001: no uptime is that long. */
const WALL_SECONDS = 1e9;
/** An integer stamp above this counts processor cycles. */
const TSC_LIMIT = 1e11;
export const MAX_SECONDS = 1e12;

/** Multipliers that bring a fraction of n digits to nanoseconds. */
export const FRACTION_NS = Float64Array.from({ length: 10 }, (_, digits) => 10 ** (9 - digits));

export class Stamps {
  /** Form of the latest stamp, and digits of its fraction. */
  form: StampForm = StampForm.none;
  digits = 0;
  /** How many units an integer stamp counts in a second. */
  readonly unitsPerSecond: number;
  readonly #clock: RecordingClock;
  #baseSecond = -1;
  #baseNs = 0;

  constructor(clock: RecordingClock, unit: string | undefined) {
    this.#clock = clock;
    this.unitsPerSecond = NS_PER_S / (UNIT_NS[unit ?? 'ns'] ?? 1);
  }

  /** Seconds that the clock's epoch takes off. */
  get epochS(): number {
    return this.#clock.epochS;
  }

  /** Lines were taken by others: the last one's time by an epoch, and the form and digits of its stamp. */
  passed(lastNs: number, epochS: number, form: number, digits: number): void {
    this.seconds(Math.floor(lastNs / NS_PER_S) + epochS, 0);
    this.form = form as StampForm;
    this.digits = digits;
  }

  /** Nanoseconds since the epoch. */
  seconds(seconds: number, nanoseconds: number): number {
    if (seconds !== this.#baseSecond) {
      this.#baseNs = this.#clock.toNs(seconds, 0);
      this.#baseSecond = seconds;
    }
    return this.#baseNs + nanoseconds;
  }

  latency(microseconds: number): number {
    const whole = Math.floor(microseconds / 1e6);
    return this.seconds(whole, (microseconds - whole * 1e6) * 1e3);
  }

  integer(value: number): number {
    const perSecond = this.unitsPerSecond;
    const whole = Math.floor(value / perSecond);
    return this.seconds(whole, (value - whole * perSecond) * (NS_PER_S / perSecond));
  }

  /**
   * The clock's name if the stamps betray it, else `unknown`.
   * @param largestNs the largest time seen
   * @param tieShare share of events with the same time as the one before
   */
  clockName(largestNs: number, tieShare: number): string {
    if (this.form === StampForm.none) return 'none';
    if (this.form === StampForm.latency) return 'latency';
    if (this.form === StampForm.seconds) {
      return this.#baseSecond > WALL_SECONDS ? 'tai' : 'unknown';
    }
    if (largestNs > TSC_LIMIT) return 'x86-tsc';
    return tieShare > 0.01 ? 'uptime' : 'counter';
  }
}
