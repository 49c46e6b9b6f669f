/**
 * What a scan on another thread found in one chunk, and the columns it stands in.
 *
 * A run is a stretch of bytes [start, end) of the chunk that consists of lines of the frequent page
 * events only, one row each. Ids of comms and gfp texts are the scanner's own; `comms` and `gfps` bring
 * the bytes of those that the messages before did not bring. The columns stand in the scanner's memory.
 */

import type { ScannedPart } from '../format.js';

/** Numbers a run takes in `runs`: start, end, rows, and what its last stamp looked like. */
export const RUN_WIDTH = 4;
/** Rows one chunk may have; what does not fit is left to the parser. As assembly/fast-lines.ts has it. */
export const ROWS = 1 << 14;
export const BYTES_PER_ROW = 31;

export interface ScannedChunk extends ScannedPart {
  /** Where its columns begin in the memory. */
  readonly rowsAt: number;
  /** RUN_WIDTH numbers a run, by position. */
  readonly runs: Int32Array;
  /** Seconds that the scanner subtracted from all stamps. */
  readonly epochS: number;
  readonly comms: readonly Uint8Array[];
  readonly gfps: readonly Uint8Array[];
}

/** The columns of an EventBatch without stacks, one after the other in a memory (assembly/fast-lines.ts fills them). */
export class ScannedRows {
  readonly at: number;
  readonly timeNs: Float64Array;
  readonly pfn: Float64Array;
  readonly pid: Int32Array;
  readonly comm: Uint32Array;
  readonly cpu: Uint16Array;
  readonly detail: Uint16Array;
  readonly kind: Uint8Array;
  readonly order: Uint8Array;
  readonly migratetype: Int8Array;

  /** @param at where the columns begin. */
  constructor(memory: SharedArrayBuffer, at: number) {
    this.at = at;
    let from = at;
    const next = (bytes: number): number => {
      const place = from;
      from += ROWS * bytes;
      return place;
    };
    this.timeNs = new Float64Array(memory, next(8), ROWS);
    this.pfn = new Float64Array(memory, next(8), ROWS);
    this.pid = new Int32Array(memory, next(4), ROWS);
    this.comm = new Uint32Array(memory, next(4), ROWS);
    this.cpu = new Uint16Array(memory, next(2), ROWS);
    this.detail = new Uint16Array(memory, next(2), ROWS);
    this.kind = new Uint8Array(memory, next(1), ROWS);
    this.order = new Uint8Array(memory, next(1), ROWS);
    this.migratetype = new Int8Array(memory, next(1), ROWS);
  }
}

/** The look of a run's last stamp in one number. */
export function packLook(form: number, digits: number): number {
  return form | (digits << 4);
}
export const formOf = (look: number): number => look & 15;
export const digitsOf = (look: number): number => look >> 4;
