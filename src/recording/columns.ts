/**
 * The columns of one batch as bytes, as they lie in memory: how a spool keeps them.
 *
 * Nothing is narrowed: a system copies thirty bytes of an event faster than a loop makes twenty of them, and
 * makes thirty of those again at every pass. Columns stand in the order in which fewer and fewer passes need
 * them, so that the part which is needed is one stretch. Byte order is the machine's own: these bytes never
 * leave the process.
 */
import { type EventBatch, RARE_WIDTH } from '../records/events.js';

/** Columns that a reader needs: all; all but time, comm and stack; time alone. */
export type EventParts = 'all' | 'pages' | 'times';

/** What must be known of a batch to read it again. */
export interface BatchShape {
  readonly length: number;
  readonly rareLength: number;
  /** Whether any event has a stack; else that column is left out. */
  readonly stacks: boolean;
}

const STACK_BYTES = 4;
/** Of time and comm, which stand first. */
const LEADING_BYTES = 12;
/** Of everything but stacks. */
const EVENT_BYTES = 31;

export function shapeOf(batch: EventBatch): BatchShape {
  const { length, rareLength } = batch;
  return { length, rareLength, stacks: batch.tally === null && anyStack(batch.stack, length) };
}

// In a function of its own: one that loops over a whole batch gets compiled while it loops, when what follows
// the loop has never run yet; the code is thrown away at the loop's end, and so at every call.
function anyStack(stack: Uint32Array, length: number): boolean {
  for (let i = 0; i < length; i++) if (stack[i] !== 0) return true;
  return false;
}

export function bytesOf(shape: BatchShape): number {
  return offsetOf(shape, 'pages') + shape.length * (EVENT_BYTES - LEADING_BYTES) + rareBytes(shape);
}

/** Where the columns of `parts` begin. */
export function offsetOf({ length, stacks }: BatchShape, parts: EventParts): number {
  return parts === 'pages' ? length * (LEADING_BYTES + (stacks ? STACK_BYTES : 0)) : 0;
}

function rareBytes(shape: BatchShape): number {
  return shape.rareLength * RARE_WIDTH * 8;
}

/** The memory of those columns of a batch, one after the other. `batch` must have room for them. */
export function columnsOf(batch: EventBatch, shape: BatchShape, parts: EventParts): Uint8Array[] {
  const { length, stacks } = shape;
  const bytes = (column: Column): Uint8Array =>
    new Uint8Array(column.buffer, column.byteOffset, length * column.BYTES_PER_ELEMENT);
  const times = [bytes(batch.timeNs)];
  if (parts === 'times') return times;
  const leading = [...times, bytes(batch.comm), ...(stacks ? [bytes(batch.stack)] : [])];
  const pages = [
    bytes(batch.pfn),
    bytes(batch.pid),
    bytes(batch.cpu),
    bytes(batch.detail),
    bytes(batch.kind),
    bytes(batch.order),
    bytes(batch.migratetype),
    new Uint8Array(batch.rare.buffer, batch.rare.byteOffset, rareBytes(shape)),
  ];
  return parts === 'pages' ? pages : [...leading, ...pages];
}

type Column = Float64Array | Uint32Array | Int32Array | Uint16Array | Uint8Array | Int8Array;

/** Makes `batch` ready to be filled through `columnsOf`. */
export function makeRoom(batch: EventBatch, shape: BatchShape, parts: EventParts): void {
  batch.clear();
  batch.length = shape.length;
  batch.rareLength = shape.rareLength;
  const rare = shape.rareLength * RARE_WIDTH;
  if (batch.rare.length < rare) batch.rare = new Float64Array(rare);
  if (parts === 'all' && !shape.stacks) batch.stack.fill(0, 0, shape.length);
}
