/**
 * Masks to interned texts, by number: no string is made or hashed for a mask seen before.
 *
 * Open addressing over two u32 halves. At most `limit` distinct masks are kept; a hostile file with
 * more gets the id of the last text made for the rest.
 */
export class MaskCache {
  #low = new Uint32Array(256);
  #high = new Uint32Array(256);
  /** id + 1; 0 = free slot. */
  #ids = new Uint32Array(256);
  #used = 0;
  #last = 0;
  readonly #limit: number;
  readonly #make: (low: number, high: number) => number;

  /** @param make gives the id of a mask's text; called once a distinct mask. */
  constructor(make: (low: number, high: number) => number, limit = 1 << 15) {
    this.#make = make;
    this.#limit = limit;
  }

  id(low: number, high: number): number {
    const mask = this.#ids.length - 1;
    let slot = (Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> 15) & mask;
    for (;;) {
      const id = this.#ids[slot]!;
      if (id === 0) return this.#add(slot, low, high);
      if (this.#low[slot] === low && this.#high[slot] === high) return id - 1;
      slot = (slot + 1) & mask;
    }
  }

  #add(slot: number, low: number, high: number): number {
    if (this.#used >= this.#limit) return this.#last;
    const id = this.#make(low, high);
    this.#last = id;
    this.#low[slot] = low;
    this.#high[slot] = high;
    this.#ids[slot] = id + 1;
    if (++this.#used * 2 > this.#ids.length) this.#grow();
    return id;
  }

  #grow(): void {
    const { 0: low, 1: high, 2: ids } = [this.#low, this.#high, this.#ids] as const;
    const mask = ids.length * 2 - 1;
    this.#low = new Uint32Array(mask + 1);
    this.#high = new Uint32Array(mask + 1);
    this.#ids = new Uint32Array(mask + 1);
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] === 0) continue;
      const hash = Math.imul(low[i]! ^ Math.imul(high[i]!, 0x85ebca6b), 0x9e3779b1) >>> 15;
      let slot = hash & mask;
      while (this.#ids[slot] !== 0) slot = (slot + 1) & mask;
      this.#low[slot] = low[i]!;
      this.#high[slot] = high[i]!;
      this.#ids[slot] = ids[i]!;
    }
  }
}
