/**
 * Packs the columns of one batch into bytes and back, exactly.
 *
 * Columns are narrowed where every value of the batch allows it (time as a 32-bit distance from the
 * batch's first stamp, pfn and comm ids in fewer bytes, an absent stack column not stored at all),
 * which takes an event from 35 bytes to about 20. The choice stands in `PackedShape`, one per
 * batch. Byte order is the machine's own: packed batches never leave the process.
 */
import { type EventBatch, PFN_NONE, RARE_WIDTH } from '../records/events.js';

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
  const { pfn: pfns, comm: comms, cpu: cpus, stack: stacks } = batch;
  let pfnFits = true;
  let pageless = false;
  let maxComm = 0;
  let maxCpu = 0;
  let anyStack = 0;
  for (let i = 0; i < length; i++) {
    const pfn = pfns[i]!;
    if (pfn === PFN_NONE) pageless = true;
    else if (pfn >>> 0 !== pfn || pfn === PFN_NONE_U32) pfnFits = false;
    const comm = comms[i]!;
    if (comm > maxComm) maxComm = comm;
    const cpu = cpus[i]!;
    if (cpu > maxCpu) maxCpu = cpu;
    anyStack |= stacks[i]!;
  }
  const shape = {
    length,
    rareLength,
    baseNs,
    narrowPfn: pfnFits,
    pageless,
    narrowComm: maxComm <= 0xffff,
    narrowCpu: maxCpu <= 0xff,
    stacks: anyStack !== 0,
  };
  return { ...shape, bytes: packedBytes(shape) };
}

/** Distances from the first stamp are whole and fit 32 bits. */
function timesAreNarrow(batch: EventBatch): boolean {
  const { timeNs, length } = batch;
  const base = timeNs[0]!;
  for (let i = 0; i < length; i++) {
    const distance = timeNs[i]! - base;
    if (distance >>> 0 !== distance) return false;
  }
  return base === Math.floor(base);
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
  if (!wideTime) {
    const distances = layout.u32();
    const { timeNs } = batch;
    const base = shape.baseNs;
    for (let i = 0; i < n; i++) distances[i] = timeNs[i]! - base;
  }
  if (shape.narrowPfn) {
    const pfns = layout.u32();
    const { pfn } = batch;
    // PFN_NONE is -1, which becomes PFN_NONE_U32.
    for (let i = 0; i < n; i++) pfns[i] = pfn[i]!;
  }
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

/** The reverse: fills `into`, which must have room for `shape.length` events. */
export function unpackBatch(bytes: Uint8Array, shape: PackedShape, into: EventBatch): void {
  const layout = new Layout(bytes, shape);
  const n = shape.length;
  const rare = shape.rareLength * RARE_WIDTH;
  into.clear();
  into.length = n;
  into.rareLength = shape.rareLength;
  if (into.rare.length < rare) into.rare = new Float64Array(rare);
  into.rare.set(layout.f64(rare));
  const wideTime = Number.isNaN(shape.baseNs);
  if (wideTime) into.timeNs.set(layout.f64());
  if (!shape.narrowPfn) into.pfn.set(layout.f64());
  if (!wideTime) {
    const distances = layout.u32();
    const { timeNs } = into;
    const base = shape.baseNs;
    for (let i = 0; i < n; i++) timeNs[i] = base + distances[i]!;
  }
  if (shape.narrowPfn) {
    const pfns = layout.u32();
    const { pfn } = into;
    if (shape.pageless) {
      for (let i = 0; i < n; i++) pfn[i] = pfns[i] === PFN_NONE_U32 ? PFN_NONE : pfns[i]!;
    } else for (let i = 0; i < n; i++) pfn[i] = pfns[i]!;
  }
  into.pid.set(layout.i32());
  if (!shape.narrowComm) into.comm.set(layout.u32());
  if (shape.stacks) into.stack.set(layout.u32());
  else into.stack.fill(0, 0, n);
  into.detail.set(layout.u16());
  if (shape.narrowComm) into.comm.set(layout.u16());
  if (!shape.narrowCpu) into.cpu.set(layout.u16());
  if (shape.narrowCpu) into.cpu.set(layout.u8());
  into.kind.set(layout.u8());
  into.order.set(layout.u8());
  into.migratetype.set(layout.i8());
}
