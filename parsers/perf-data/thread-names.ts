/**
 * Names of threads as perf follows them: COMM records name, FORK records pass names on.
 *
 * A thread nobody named is called `:TID`, as perf script does; tid 0 is `swapper`.
 */
import type { StringTable } from '../../src/records/strings.js';

const TID_LIMIT = 1 << 22;
const UNKNOWN_LIMIT = 65_536;

export class ThreadNames {
  readonly #comms: StringTable;
  /** id + 1 by tid; 0 = no name. */
  #ids = new Uint32Array(1 << 16);
  #made = 0;

  constructor(comms: StringTable) {
    this.#comms = comms;
    this.set(0, comms.internText('swapper'));
  }

  set(tid: number, comm: number): void {
    if (!(tid >= 0 && tid < TID_LIMIT)) return;
    if (tid >= this.#ids.length) {
      let length = this.#ids.length;
      while (length <= tid) length *= 2;
      const bigger = new Uint32Array(length);
      bigger.set(this.#ids);
      this.#ids = bigger;
    }
    this.#ids[tid] = comm + 1;
  }

  inherit(tid: number, parent: number): void {
    const known = parent >= 0 && parent < this.#ids.length ? this.#ids[parent]! : 0;
    if (known > 0 && tid !== 0) this.set(tid, known - 1);
  }

  idOf(tid: number): number {
    const known = tid >= 0 && tid < this.#ids.length ? this.#ids[tid]! : 0;
    return known > 0 ? known - 1 : this.#unnamed(tid);
  }

  #unnamed(tid: number): number {
    if (++this.#made > UNKNOWN_LIMIT) return 0;
    const id = this.#comms.internText(`:${tid}`);
    this.set(tid, id);
    return id;
  }
}
