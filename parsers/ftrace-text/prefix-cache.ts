/**
 * Remembers the fronts of lines: `            init-1       [000] .....` → comm, pid, cpu, softirq depth.
 *
 * A front repeats thousands of times, and comparing 37 bytes as five float64 is far cheaper than
 * parsing them. What follows must fit the stamp's grammar, so a comm made to look like a front
 * cannot pass for one. A hit is verified whole; fronts with a NUL byte are never kept (+0 and -0
 * would compare equal, see gfp-cache.ts).
 */
import type { LineFront } from './event-body.js';

const SLOTS = 1024;
const SLOT_BYTES = 64;
/** Fronts are this short and this long: 8 bytes are compared at a time. */
const MIN_LENGTH = 16;
const MAX_LENGTH = SLOT_BYTES;

export class PrefixCache {
  readonly #texts = new Uint8Array(SLOTS * SLOT_BYTES);
  readonly #view = new DataView(this.#texts.buffer);
  readonly #lengths = new Int32Array(SLOTS);
  readonly pids = new Int32Array(SLOTS);
  readonly cpus = new Uint16Array(SLOTS);
  readonly comms = new Uint32Array(SLOTS);
  /** Preempt depth if these events run in a softirq, else 0. */
  readonly softirqDepths = new Uint8Array(SLOTS);
  readonly #scratch = new Uint8Array(SLOT_BYTES);
  readonly #scratchView = new DataView(this.#scratch.buffer);
  #latest = 0;
  /** Length of the front learnt last: lines of one file share it. */
  length = MIN_LENGTH;

  /** The slot whose front stands at `pos`, or -1. MAX_LENGTH bytes must be readable there. */
  match(view: DataView, pos: number): number {
    if (this.#same(view, pos, this.#latest)) return this.#latest;
    const slot = slotOf(view, pos, this.length);
    if (!this.#same(view, pos, slot)) return -1;
    this.#latest = slot;
    return slot;
  }

  #same(view: DataView, pos: number, slot: number): boolean {
    const { length } = this;
    if (this.#lengths[slot] !== length) return false;
    const cached = this.#view;
    const at = slot * SLOT_BYTES;
    const last = length - 8;
    // The end first: cpu and flags differ oftener than comm and pid.
    if (view.getFloat64(pos + last, true) !== cached.getFloat64(at + last, true)) return false;
    for (let i = 0; i < last; i += 8) {
      if (view.getFloat64(pos + i, true) !== cached.getFloat64(at + i, true)) return false;
    }
    return true;
  }

  learn(bytes: Uint8Array, start: number, front: LineFront, comm: number): void {
    const length = front.prefixEnd - start;
    if (length < MIN_LENGTH || length > MAX_LENGTH) return;
    const text = this.#scratch;
    for (let i = 0; i < length; i++) {
      const byte = bytes[start + i]!;
      if (byte === 0) return;
      text[i] = byte;
    }
    this.length = length;
    const slot = slotOf(this.#scratchView, 0, length);
    if (this.#same(this.#scratchView, 0, slot)) return;
    this.#texts.set(text, slot * SLOT_BYTES);
    this.#lengths[slot] = length;
    this.pids[slot] = front.pid;
    this.cpus[slot] = front.cpu;
    this.softirqDepths[slot] = front.softirqDepth;
    this.comms[slot] = comm;
  }
}

/** Mixes the end (cpu, flags) with the middle (comm, pid), where fronts differ. */
function slotOf(view: DataView, pos: number, length: number): number {
  const back =
    view.getUint32(pos + length - 4, true) ^ (view.getUint32(pos + length - 8, true) * 5);
  const middle = view.getUint32(pos + 12, true);
  const mixed =
    Math.imul(back, 0x9e3779b1) ^
    Math.imul(middle, 0x85ebca6b) ^
    Math.imul(view.getUint32(pos + (length >> 1), true), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 15)) >>> 22;
}
