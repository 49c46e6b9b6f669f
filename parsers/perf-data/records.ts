/**
 * perf's records one after another, from the file or out of a decompressed stream.
 *
 * Header: u32 type, u16 misc, u16 size (itself included). A window of the file is kept in memory and
 * slides along; a record is handed out as a place in it. Lengths below 8 or beyond the end stop the
 * walk: without them there is no next record.
 */
import type { RandomAccess } from '../format.js';

export const RecordType = {
  lost: 2,
  comm: 3,
  fork: 7,
  sample: 9,
  lostSamples: 13,
  attr: 64,
  tracingData: 66,
  finishedRound: 68,
  auxtrace: 71,
  feature: 80,
  compressed: 81,
  compressed2: 83,
} as const;

const WINDOW_BYTES = 1 << 20;
const MAX_RECORD = 65_536;

/** Looks at the record at [start, end) of `view`; gives the bytes of payload that follow it. */
export type RecordHandler = (
  view: DataView,
  start: number,
  end: number,
  type: number,
  fileOffset: number,
) => number;

export interface WalkEnd {
  /** Offset where the walk stopped before its end, or -1. */
  readonly stoppedAt: number;
  readonly reason: string;
}

/** Walks the records in [at, end) of a file. */
export function walkFile(
  file: RandomAccess,
  at: number,
  end: number,
  littleEndian: boolean,
  handle: RecordHandler,
): WalkEnd {
  const window = new Uint8Array(Math.min(WINDOW_BYTES + MAX_RECORD, Math.max(8, end - at)));
  let view: DataView = new DataView(window.buffer);
  let windowAt = at;
  let filled = 0;
  let position = at;
  while (position < end) {
    let offset = position - windowAt;
    if (filled - offset < MAX_RECORD && windowAt + filled < end) {
      const bytes = file.read(position, Math.min(window.length, end - position), window);
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      windowAt = position;
      filled = bytes.length;
      offset = 0;
    }
    const left = filled - offset;
    if (left < 8) return { stoppedAt: position, reason: `${left} bytes of a record` };
    const size = view.getUint16(offset + 6, littleEndian);
    if (size < 8 || size > left) {
      return { stoppedAt: position, reason: `a record of ${size} bytes where ${left} are left` };
    }
    const type = view.getUint32(offset, littleEndian);
    const extra = handle(view, offset, offset + size, type, position);
    if (!(extra >= 0 && extra <= end - position - size)) {
      return { stoppedAt: position, reason: `${extra} bytes of payload beyond the end` };
    }
    position += size + extra;
    if (position < windowAt || position > windowAt + filled) filled = 0;
    if (filled === 0) windowAt = position;
  }
  return { stoppedAt: -1, reason: '' };
}

/** Walks records that arrive in pieces; what is incomplete waits for the next piece. */
export class RecordPieces {
  /** Why the walk stopped, or null. */
  stopped: string | null = null;
  readonly #littleEndian: boolean;
  readonly #handle: RecordHandler;
  #rest = new Uint8Array(MAX_RECORD * 2);
  #length = 0;

  constructor(littleEndian: boolean, handle: RecordHandler) {
    this.#littleEndian = littleEndian;
    this.#handle = handle;
  }

  push(bytes: Uint8Array): void {
    if (this.stopped !== null) return;
    const total = this.#length + bytes.length;
    if (total > this.#rest.length) {
      const bigger = new Uint8Array(total * 2);
      bigger.set(this.#rest.subarray(0, this.#length));
      this.#rest = bigger;
    }
    this.#rest.set(bytes, this.#length);
    this.#length = total;
    const used = this.#walk();
    this.#rest.copyWithin(0, used, this.#length);
    this.#length -= used;
  }

  #walk(): number {
    const view = new DataView(this.#rest.buffer, 0, this.#length);
    let at = 0;
    while (this.#length - at >= 8) {
      const size = view.getUint16(at + 6, this.#littleEndian);
      if (size < 8) {
        this.stopped = `a record of ${size} bytes`;
        return this.#length;
      }
      if (size > this.#length - at) break;
      this.#handle(view, at, at + size, view.getUint32(at, this.#littleEndian), -1);
      at += size;
    }
    return at;
  }
}
