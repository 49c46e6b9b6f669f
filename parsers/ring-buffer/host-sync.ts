/**
 * A guest's clock counts as the host's nanoseconds: trace-cmd's TIME_SHIFT option.
 *
 * trace-cmd agent measures now and then how far the guest's clock is from the host's, per cpu: time,
 * offset, and a ratio as scaling >> fraction. Between two samples the offset is interpolated if the
 * protocol said so; before the first and after the last the nearest two hold (trace-cmd's reader, lib/
 * trace-cmd/trace-input.c, 3.x; the numbers are those it prints). The count is corrected first, then
 * converted from cycles and moved by the other offsets. 64-bit arithmetic that wraps, so in bigints:
 * slow, but guests' files are few.
 */
import type { CycleScale, EpochClock, TickClock } from './ticks.js';

/** What was measured of one cpu, ascending in time, no time twice. */
export interface SyncSample {
  readonly time: bigint;
  readonly offset: bigint;
  readonly scaling: bigint;
  readonly fraction: bigint;
}

export interface HostSync {
  readonly interpolate: boolean;
  readonly cpus: readonly (readonly SyncSample[])[];
}

const TWO_32 = 4294967296;

/** The host's count for a guest's. */
export function hostCount(count: bigint, samples: readonly SyncSample[], linear: boolean): bigint {
  if (samples.length === 0) return count;
  if (samples.length === 1) return BigInt.asUintN(64, count + samples[0]!.offset);
  let at = 0;
  while (at + 2 < samples.length && count >= samples[at + 1]!.time) at++;
  const from = samples[at]!;
  const to = samples[at + 1]!;
  let offset = from.offset;
  if (linear) {
    const delta = to.time - from.time;
    // Quotients of bigints are cut towards zero, as those of C are.
    offset += ((count - from.time) * (to.offset - from.offset) + delta / 2n) / delta;
  }
  const scaled = BigInt.asUintN(64, count * from.scaling) >> from.fraction;
  return BigInt.asUintN(64, scaled + offset);
}

/** The clock of one cpu of a guest. */
export class SyncedTicks implements TickClock {
  readonly scaled = true;
  readonly #first: bigint;
  readonly #firstHigh: number;
  readonly #firstLow: number;
  readonly #samples: readonly SyncSample[];
  readonly #linear: boolean;
  readonly #offsetNs: bigint;
  readonly #scale: CycleScale | null;
  readonly #epochNs: bigint;

  constructor(
    clock: EpochClock,
    first: bigint,
    offsetNs: bigint,
    scale: CycleScale | null,
    sync: HostSync,
    cpu: number,
  ) {
    this.#first = first;
    this.#firstHigh = Number(first >> 32n);
    this.#firstLow = Number(first & 0xffffffffn);
    this.#samples = sync.cpus[cpu] ?? [];
    this.#linear = sync.interpolate;
    this.#offsetNs = offsetNs;
    this.#scale = scale;
    clock.start(Number(this.#hostNs(first) / 1_000_000_000n));
    this.#epochNs = BigInt(clock.epochS) * 1_000_000_000n;
  }

  #hostNs(count: bigint): bigint {
    const host = hostCount(count, this.#samples, this.#linear);
    const ns =
      this.#scale === null ? host : (host * BigInt(this.#scale.mult)) >> BigInt(this.#scale.shift);
    return ns + this.#offsetNs;
  }

  relative(high: number, low: number): number {
    return (high - this.#firstHigh) * TWO_32 + (low - this.#firstLow);
  }

  toNs(ticks: number): number {
    return Number(this.#hostNs(this.#first + BigInt(Math.round(ticks))) - this.#epochNs);
  }
}
