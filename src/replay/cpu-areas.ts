/**
 * The places that have per-cpu lists: one number for each cpu and area that a recording has events of.
 *
 * Numbers are given as pairs come up, because cpus and areas are only what the input says: a trace may name cpu 65535 and a
 * copy of zoneinfo a thousand zones.
 */
export class CpuAreas {
  readonly #ids = new Map<number, number>();
  readonly #areas: number;
  #latest = -1;
  #latestId = -1;

  constructor(areas: number) {
    this.#areas = areas;
  }

  id(cpu: number, area: number): number {
    const key = cpu * this.#areas + area;
    if (key === this.#latest) return this.#latestId;
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(key, id);
    }
    this.#latest = key;
    this.#latestId = id;
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
