/**
 * What a scan on another thread found in one chunk, and the columns it travels in.
 *
 * A run is a stretch of bytes [start, end) of the chunk that consists of lines of the frequent page
 * events only, one row each. Ids of comms and gfp texts are the scanner's own; `comms` and `gfps` bring
 * the bytes of those that the messages before did not bring. One buffer holds all columns: it goes to
 * the parser's thread and back without being copied.
 */

import type { ScannedPart } from '../format.js';

/** Numbers a run takes in `runs`: start, end, rows, and what its last stamp and pfn looked like. */
export const RUN_WIDTH = 4;
/** Rows one chunk may have; what does not fit is left to the parser. */
const ROWS = 1 << 14;
const BYTES_PER_ROW = 31;

export interface ScannedChunk extends ScannedPart {
  readonly rows: number;
  /** RUN_WIDTH numbers a run, by position. */
  readonly runs: Int32Array;
  /** Seconds that the scanner subtracted from all stamps. */
  readonly epochS: number;
  readonly comms: readonly Uint8Array[];
  readonly gfps: readonly Uint8Array[];
}

/** The columns of an EventBatch without stacks, over one buffer. */
export class ScannedRows {
  readonly buffer: SharedArrayBuffer;
  readonly capacity = ROWS;
  /** Rows written; of those that another thread wrote it tells itself. */
  length = 0;
  readonly timeNs: Float64Array;
  readonly pfn: Float64Array;
  readonly pid: Int32Array;
  readonly comm: Uint32Array;
  readonly cpu: Uint16Array;
  readonly detail: Uint16Array;
  readonly kind: Uint8Array;
  readonly order: Uint8Array;
  readonly migratetype: Int8Array;

  /** @param buffer one that came back, or null for a new one. */
  constructor(buffer: SharedArrayBuffer | null) {
    this.buffer = buffer ?? new SharedArrayBuffer(ROWS * BYTES_PER_ROW);
    let at = 0;
    const next = (bytes: number): number => {
      const from = at;
      at += ROWS * bytes;
      return from;
    };
    this.timeNs = new Float64Array(this.buffer, next(8), ROWS);
    this.pfn = new Float64Array(this.buffer, next(8), ROWS);
    this.pid = new Int32Array(this.buffer, next(4), ROWS);
    this.comm = new Uint32Array(this.buffer, next(4), ROWS);
    this.cpu = new Uint16Array(this.buffer, next(2), ROWS);
    this.detail = new Uint16Array(this.buffer, next(2), ROWS);
    this.kind = new Uint8Array(this.buffer, next(1), ROWS);
    this.order = new Uint8Array(this.buffer, next(1), ROWS);
    this.migratetype = new Int8Array(this.buffer, next(1), ROWS);
  }
}

/** The look of a run's last line in one number. */
export function packLook(form: number, digits: number, hexadecimal: boolean): number {
  return form | (digits << 4) | (hexadecimal ? 1 << 8 : 0);
}
export const formOf = (look: number): number => look & 15;
export const digitsOf = (look: number): number => (look >> 4) & 15;
export const isHexadecimal = (look: number): boolean => (look & (1 << 8)) !== 0;
