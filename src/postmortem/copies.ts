/**
 * One report that several logs hold, or one log twice: `dmesg` appended to a file each hour, syslog
 * beside journald beside dmesg in a support archive.
 *
 * Two are the same if everything the kernel printed in them is: task, request, every figure, the
 * trace. Where both have seconds since boot, those agree too; where both have only a date, the dates, and
 * they are of two logs: a task that is refused twice in one second may see the same figures twice. A
 * report of which a part is missing is no copy.
 */
import type { Splat, SplatTime } from '../records/splat.js';

export interface Distinct {
  /** One a report: of several copies the first that has seconds since boot, at the first one's place. */
  readonly splats: readonly Splat[];
  /** How many more copies of it there are. */
  readonly copies: ReadonlyMap<Splat, number>;
}

export function withoutCopies(splats: readonly Splat[]): Distinct {
  const kept: Splat[] = [];
  const copies = new Map<Splat, number>();
  const alike = new Map<string, Alike>();
  for (const splat of splats) {
    // without figures everything may be alike
    if (splat.memory.zones.length === 0) {
      kept.push(splat);
      continue;
    }
    const printed = printedOf(splat);
    const places = alike.get(printed) ?? new Alike();
    alike.set(printed, places);
    const same = places.find(splat, kept);
    if (same === null) {
      places.add(splat, kept.push(splat) - 1);
      continue;
    }
    const before = kept[same]!;
    const better = before.time.monoNs === null && splat.time.monoNs !== null;
    const one = better ? splat : before;
    const count = (copies.get(before) ?? 0) + 1;
    copies.delete(before);
    copies.set(one, count);
    kept[same] = one;
    if (better) places.dated(splat, same);
  }
  return { splats: kept, copies };
}

/** Where the reports are that print the same, by the times that one of them may share. */
class Alike {
  readonly #byMono = new Map<number, number>();
  readonly #byDate = new Map<string, number>();
  #firstMono: number | null = null;
  /** The first without seconds since boot: it may be any that has them. */
  #undated: number | null = null;

  add({ time }: Splat, place: number): void {
    if (time.monoNs !== null) {
      this.#firstMono ??= place;
      if (!this.#byMono.has(time.monoNs)) this.#byMono.set(time.monoNs, place);
      return;
    }
    this.#undated ??= place;
    const date = dateOf(time);
    if (!this.#byDate.has(date)) this.#byDate.set(date, place);
  }

  /** The report at this place turned out to have these seconds since boot. */
  dated(splat: Splat, place: number): void {
    this.#undated = null;
    this.add(splat, place);
  }

  /** The place of the report that this one is, null if it is another. */
  find({ source, time }: Splat, kept: readonly Splat[]): number | null {
    const { monoNs } = time;
    const same = monoNs === null ? this.#byDate.get(dateOf(time)) : this.#byMono.get(monoNs);
    if (same !== undefined) {
      const other = kept[same]!;
      const told = monoNs !== null && dateOf(other.time) === dateOf(time);
      if (told || other.source !== source) return same;
    }
    return monoNs === null ? this.#firstMono : this.#undated;
  }
}

/** In one log the dates of two boots tell them apart. */
function dateOf({ wallText, wallNs }: SplatTime): string {
  return `${wallText} ${wallNs}`;
}

function printedOf({ kind, header, context, memory }: Splat): string {
  const { cpu, pid, frames } = context;
  return JSON.stringify([kind, header, pid, cpu, frames, memory]);
}
