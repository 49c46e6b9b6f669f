/**
 * Comm names by pid, as a table of interned ids: one array read an event.
 *
 * Pids stop at 2^22 (kernel/pid.c PID_MAX_LIMIT); names of larger ones are not kept. A pid without
 * a name gets `<...>` as in ftrace text, pid 0 `<idle>`.
 */
import type { StringTable } from '../../src/records/strings.js';

const PID_LIMIT = 1 << 22;

export class CommTable {
  /** id + 1 by pid; 0 = no name known. */
  #ids = new Uint32Array(1 << 16);
  readonly #comms: StringTable;
  readonly #unknown: number;

  constructor(comms: StringTable) {
    this.#comms = comms;
    this.#unknown = comms.internText('<...>');
    this.set(0, comms.internText('<idle>'));
  }

  idOf(pid: number): number {
    const known = pid >= 0 && pid < this.#ids.length ? this.#ids[pid]! : 0;
    return known === 0 ? this.#unknown : known - 1;
  }

  set(pid: number, comm: number): void {
    if (!(pid >= 0 && pid < PID_LIMIT)) return;
    if (pid >= this.#ids.length) {
      let length = this.#ids.length;
      while (length <= pid) length *= 2;
      const bigger = new Uint32Array(length);
      bigger.set(this.#ids);
      this.#ids = bigger;
    }
    this.#ids[pid] = comm + 1;
  }

  /** Reads saved_cmdlines: lines `PID COMM`. */
  addCmdlines(text: Uint8Array): void {
    for (let at = 0; at < text.length; ) {
      const found = text.indexOf(10, at);
      const end = found < 0 ? text.length : found;
      let pid = 0;
      let digits = 0;
      for (; at < end && text[at]! >= 48 && text[at]! <= 57 && digits < 10; at++, digits++) {
        pid = pid * 10 + text[at]! - 48;
      }
      if (digits > 0 && text[at] === 32 && at + 1 < end) {
        this.set(pid, this.#comms.intern(text, at + 1, end));
      }
      at = end + 1;
    }
  }
}
