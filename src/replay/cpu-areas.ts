/**
 * The places that have per-cpu lists: one number for each cpu and area that a recording has events of.
 *
 * Numbers are given as pairs come up, because cpus and areas are only what the input says: a trace may name cpu 65535 and a
 * copy of zoneinfo a thousand zones.
 */

/** Cpus times areas that are looked up in a table. */
const NEAR = 1 << 14;

export class CpuAreas {
  readonly #areas: number;
  /** Of the pairs that machines have; -1 none yet. */
  readonly #near = new Int32Array(NEAR).fill(-1);
  /** Of all others. */
  readonly #far = new Map<number, number>();
  #count = 0;

  constructor(areas: number) {
    this.#areas = areas;
  }

  id(cpu: number, area: number): number {
    const key = cpu * this.#areas + area;
    if (key >= NEAR) return this.#farId(key);
    const id = this.#near[key]!;
    if (id >= 0) return id;
    this.#near[key] = this.#count;
    return this.#count++;
  }

  #farId(key: number): number {
    let id = this.#far.get(key);
    if (id === undefined) {
      id = this.#count++;
      this.#far.set(key, id);
    }
    return id;
  }
}

/** The array, or a copy twice as long (or more) with `value` behind what there was, if it is shorter than `length`. */
export function grown<T extends Uint8Array | Int32Array | Float64Array>(
  array: T,
  length: number,
  value: number,
): T {
  if (length <= array.length) return array;
  const make = array.constructor as new (length: number) => T;
  const bigger = new make(Math.max(length, array.length * 2));
  bigger.set(array);
  bigger.fill(value, array.length);
  return bigger;
}
