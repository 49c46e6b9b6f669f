/**
 * Packs the columns of one batch into bytes and back, exactly.
 *
 * Columns are narrowed where every value of the batch allows it (time as a 32-bit distance from the
 * batch's first stamp, pfn and comm ids in fewer bytes, an absent stack column not stored at all),
 * which takes an event from 35 bytes to about 20. The choice stands in `PackedShape`, one per
 * batch. Byte order is the machine's own: packed batches never leave the process.
 */
import { type EventBatch, PFN_NONE, RARE_WIDTH } from '../records/events.js';

/** Columns that a reader needs: all; all but time, comm and stack; time alone. */
export type EventParts = 'all' | 'pages' | 'times';

/** How a packed batch is laid out. */
export interface PackedShape {
  readonly length: number;
  readonly rareLength: number;
  /** Stamp that 32-bit times count from, or NaN if times are stored whole. */
  readonly baseNs: number;
  readonly narrowPfn: boolean;
  /** Some event has no page. */
  readonly pageless: boolean;
  readonly narrowComm: boolean;
  readonly narrowCpu: boolean;
  readonly stacks: boolean;
  readonly bytes: number;
}

const PFN_NONE_U32 = 0xffffffff;

/** Widest a batch of `capacity` events with `rareLength` rare rows can get, in bytes. */
export function maxPackedBytes(capacity: number, rareLength: number): number {
  return capacity * 35 + rareLength * RARE_WIDTH * 8 + 64;
}

/** Looks at the columns once and decides how to store them. */
export function shapeOf(batch: EventBatch): PackedShape {
  const { length, rareLength } = batch;
  const baseNs = length > 0 && timesAreNarrow(batch) ? batch.timeNs[0]! : Number.NaN;
  const pfns = pfnNeeds(batch.pfn, length);
  const shape = {
    length,
    rareLength,
    baseNs,
    narrowPfn: (pfns & WIDE) === 0,
    pageless: (pfns & PAGELESS) !== 0,
    narrowComm: allBits(batch.comm, length) <= 0xffff,
    narrowCpu: allBits(batch.cpu, length) <= 0xff,
    stacks: allBits(batch.stack, length) !== 0,
  };
  return { ...shape, bytes: packedBytes(shape) };
}

/** Distances from the first stamp are whole and fit 32 bits. */
function timesAreNarrow(batch: EventBatch): boolean {
  const base = batch.timeNs[0]!;
  return base === Math.floor(base) && distancesAreNarrow(batch.timeNs, base, batch.length);
}

// The loops stand in functions of their own. A function that loops over a whole batch gets compiled
// while it loops, when what follows the loop has never run yet: the code is thrown away at the loop's
// end, and so at every call.

function distancesAreNarrow(timeNs: Float64Array, base: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const distance = timeNs[i]! - base;
    if (distance >>> 0 !== distance) return false;
  }
  return true;
}

const WIDE = 1;
const PAGELESS = 2;

/** Bits: some pfn does not fit 32 bits, some event has none. */
function pfnNeeds(pfns: Float64Array, length: number): number {
  let needs = 0;
  for (let i = 0; i < length; i++) {
    const pfn = pfns[i]!;
    if (pfn === PFN_NONE) needs |= PAGELESS;
    else if (pfn >>> 0 !== pfn || pfn === PFN_NONE_U32) needs |= WIDE;
  }
  return needs;
}

/** All values, OR-ed. */
function allBits(values: Uint32Array | Uint16Array, length: number): number {
  let bits = 0;
  for (let i = 0; i < length; i++) bits |= values[i]!;
  return bits >>> 0;
}

function narrowTimes(timeNs: Float64Array, base: number, into: Uint32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = timeNs[i]! - base;
}

function widenTimes(distances: Uint32Array, base: number, into: Float64Array): void {
  for (let i = 0; i < distances.length; i++) into[i] = base + distances[i]!;
}

/** PFN_NONE is -1, which becomes PFN_NONE_U32. */
function narrowPfns(pfns: Float64Array, into: Uint32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = pfns[i]!;
}

function widenPfns(pfns: Uint32Array, into: Float64Array): void {
  for (let i = 0; i < pfns.length; i++) into[i] = pfns[i]!;
}

function restorePageless(pfns: Uint32Array, into: Float64Array): void {
  for (let i = 0; i < pfns.length; i++) if (pfns[i] === PFN_NONE_U32) into[i] = PFN_NONE;
}

function packedBytes(shape: Omit<PackedShape, 'bytes'>): number {
  const wide = (Number.isNaN(shape.baseNs) ? 1 : 0) + (shape.narrowPfn ? 0 : 1);
  const words = 1 + (2 - wide) + (shape.narrowComm ? 0 : 1) + (shape.stacks ? 1 : 0);
  const halves = 1 + (shape.narrowComm ? 1 : 0) + (shape.narrowCpu ? 0 : 1);
  const bytes = 3 + (shape.narrowCpu ? 1 : 0);
  const rare = shape.rareLength * RARE_WIDTH * 8;
  return rare + shape.length * (wide * 8 + words * 4 + halves * 2 + bytes);
}

/** Where the columns of a shape lie: widest first, so that every view is aligned. */
class Layout {
  #at: number;
  readonly #buffer: ArrayBufferLike;
  readonly #length: number;

  constructor(bytes: Uint8Array, shape: PackedShape) {
    this.#buffer = bytes.buffer;
    this.#at = bytes.byteOffset;
    this.#length = shape.length;
  }

  f64(length = this.#length): Float64Array {
    return new Float64Array(this.#buffer, this.#take(length * 8), length);
  }
  u32(): Uint32Array {
    return new Uint32Array(this.#buffer, this.#take(this.#length * 4), this.#length);
  }
  i32(): Int32Array {
    return new Int32Array(this.#buffer, this.#take(this.#length * 4), this.#length);
  }
  u16(): Uint16Array {
    return new Uint16Array(this.#buffer, this.#take(this.#length * 2), this.#length);
  }
  u8(): Uint8Array {
    return new Uint8Array(this.#buffer, this.#take(this.#length), this.#length);
  }
  i8(): Int8Array {
    return new Int8Array(this.#buffer, this.#take(this.#length), this.#length);
  }

  #take(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}

/** Writes the batch to `bytes` (at least `shape.bytes` long, 8-byte aligned). */
export function packBatch(batch: EventBatch, shape: PackedShape, bytes: Uint8Array): void {
  const layout = new Layout(bytes, shape);
  const n = shape.length;
  const rare = shape.rareLength * RARE_WIDTH;
  layout.f64(rare).set(batch.rare.subarray(0, rare));
  const wideTime = Number.isNaN(shape.baseNs);
  if (wideTime) layout.f64().set(batch.timeNs.subarray(0, n));
  if (!shape.narrowPfn) layout.f64().set(batch.pfn.subarray(0, n));
  if (!wideTime) narrowTimes(batch.timeNs, shape.baseNs, layout.u32());
  if (shape.narrowPfn) narrowPfns(batch.pfn, layout.u32());
  layout.i32().set(batch.pid.subarray(0, n));
  if (!shape.narrowComm) layout.u32().set(batch.comm.subarray(0, n));
  if (shape.stacks) layout.u32().set(batch.stack.subarray(0, n));
  layout.u16().set(batch.detail.subarray(0, n));
  if (shape.narrowComm) layout.u16().set(batch.comm.subarray(0, n));
  if (!shape.narrowCpu) layout.u16().set(batch.cpu.subarray(0, n));
  if (shape.narrowCpu) layout.u8().set(batch.cpu.subarray(0, n));
  layout.u8().set(batch.kind.subarray(0, n));
  layout.u8().set(batch.order.subarray(0, n));
  layout.i8().set(batch.migratetype.subarray(0, n));
}

/**
 * The reverse: fills `into`, which must have room for `shape.length` events.
 * @param parts the columns wanted; the others may hold anything afterwards.
 */
export function unpackBatch(
  bytes: Uint8Array,
  shape: PackedShape,
  into: EventBatch,
  parts: EventParts = 'all',
): void {
  const layout = new Layout(bytes, shape);
  const n = shape.length;
  const rare = shape.rareLength * RARE_WIDTH;
  into.clear();
  into.length = n;
  into.rareLength = shape.rareLength;
  if (into.rare.length < rare) into.rare = new Float64Array(rare);
  into.rare.set(layout.f64(rare));
  const all = parts === 'all';
  const wideTime = Number.isNaN(shape.baseNs);
  const wideTimes = wideTime ? layout.f64() : null;
  const widePfns = shape.narrowPfn ? null : layout.f64();
  const times = wideTime ? null : layout.u32();
  if (parts !== 'pages') {
    if (wideTimes !== null) into.timeNs.set(wideTimes);
    if (times !== null) widenTimes(times, shape.baseNs, into.timeNs);
    if (parts === 'times') return;
  }
  if (widePfns !== null) into.pfn.set(widePfns);
  else {
    const pfns = layout.u32();
    widenPfns(pfns, into.pfn);
    if (shape.pageless) restorePageless(pfns, into.pfn);
  }
  into.pid.set(layout.i32());
  const wideComms = shape.narrowComm ? null : layout.u32();
  if (all && wideComms !== null) into.comm.set(wideComms);
  const stacks = shape.stacks ? layout.u32() : null;
  if (all && stacks !== null) into.stack.set(stacks);
  else if (all) into.stack.fill(0, 0, n);
  into.detail.set(layout.u16());
  const comms = shape.narrowComm ? layout.u16() : null;
  if (all && comms !== null) into.comm.set(comms);
  if (!shape.narrowCpu) into.cpu.set(layout.u16());
  if (shape.narrowCpu) into.cpu.set(layout.u8());
  into.kind.set(layout.u8());
  into.order.set(layout.u8());
  into.migratetype.set(layout.i8());
}
