/**
 * One sub-buffer ("page") of a ring buffer, event by event.
 *
 * Layout (kernel/trace/ring_buffer.c, 2.6.28 to 7.x; include/linux/ring_buffer.h): u64 time stamp,
 * `local_t commit` (bytes of data; bit 31 = events were missed before, bit 30 = their number stands
 * behind the data), data. Each event starts with a u32 of 5 bits type_len and 27 bits time delta
 * (low bits first on little endian, high bits first on big endian):
 *   1..28 payload of type_len words; 0 = length in the next word, itself included; 29 padding, with
 *   delta 0 the rest of the page; 30 time extend (delta gets 32 more bits above); 31 absolute stamp
 *   (59 bits; the top five come from the page). Events are 4-byte aligned.
 * Nothing is read outside [offset, offset + size); a length that leads there ends the page and
 * counts the bytes not understood.
 */
import type { PageLayout } from '../event-format/formats.js';
import type { TickClock } from './ticks.js';

const MISSED = 0x80000000;
const MISSED_STORED = 0x40000000;
const COMMIT_MASK = 0x3fffffff;
const TWO_27 = 134217728;

export class PageCursor {
  /** The event under the cursor: its payload's offset in `view`, its bytes, its stamp. */
  eventOffset = 0;
  eventLength = 0;
  ticks = 0;
  /** Events missed before this page: -1 none, NaN an unknown number. */
  missed = -1;
  /** Bytes of damaged pages that were skipped, over all pages. */
  damagedBytes = 0;
  view: DataView;
  readonly #layout: PageLayout;
  readonly #littleEndian: boolean;
  readonly #clock: TickClock;
  #position = 0;
  #end = 0;
  #pageHigh = 0;

  constructor(layout: PageLayout, littleEndian: boolean, clock: TickClock) {
    this.#layout = layout;
    this.#littleEndian = littleEndian;
    this.#clock = clock;
    this.view = new DataView(new ArrayBuffer(0));
  }

  /** Opens the page at [offset, offset + size) of `view`; false if its header makes no sense. */
  open(view: DataView, offset: number, size: number): boolean {
    const { commitOffset, commitSize, dataOffset } = this.#layout;
    const le = this.#littleEndian;
    this.missed = -1;
    this.view = view;
    this.#position = 0;
    this.#end = 0;
    if (size < dataOffset) return this.#damaged(size);
    const low = view.getUint32(le ? offset : offset + 4, le);
    this.#pageHigh = view.getUint32(le ? offset + 4 : offset, le);
    this.ticks = this.#clock.relative(this.#pageHigh, low);
    const word = view.getUint32(offset + commitOffset + (le ? 0 : commitSize - 4), le);
    const bytes = word & COMMIT_MASK;
    if (bytes > size - dataOffset) return this.#damaged(size);
    this.#position = offset + dataOffset;
    this.#end = this.#position + bytes;
    if ((word & MISSED) !== 0) {
      this.missed = Number.NaN;
      const stored = (word & MISSED_STORED) !== 0 && bytes + commitSize <= size - dataOffset;
      if (stored) this.missed = this.#storedCount(commitSize);
    }
    return true;
  }

  #storedCount(size: number): number {
    const le = this.#littleEndian;
    const low = this.view.getUint32(this.#end + (le || size === 4 ? 0 : 4), le);
    if (size === 4) return low;
    return this.view.getUint32(this.#end + (le ? 4 : 0), le) * 4294967296 + low;
  }

  #damaged(bytes: number): false {
    this.damagedBytes += bytes;
    return false;
  }

  /** Moves to the next data event of the page; false at its end. */
  next(): boolean {
    const view = this.view;
    const le = this.#littleEndian;
    const end = this.#end;
    let position = this.#position;
    while (position + 4 <= end) {
      const word = view.getUint32(position, le);
      const type = le ? word & 31 : word >>> 27;
      const delta = le ? word >>> 5 : word & 0x7ffffff;
      if (type !== 0 && type <= 28) {
        const length = type * 4;
        if (position + 4 + length > end) break;
        this.ticks += delta;
        this.eventOffset = position + 4;
        this.eventLength = length;
        this.#position = position + 4 + length;
        return true;
      }
      if (type === 29 && delta === 0) {
        this.#position = end;
        return false;
      }
      if (position + 8 > end) break;
      const array = view.getUint32(position + 4, le);
      if (type >= 30) {
        if (type === 30) this.ticks += delta + array * TWO_27;
        else this.#absolute(delta, array);
        position += 8;
        continue;
      }
      // A long event (type 0) or a discarded one (type 29); the length counts its own word.
      if (array < 4 || array > end - position - 4) break;
      this.ticks += delta;
      const next = position + 4 + ((array + 3) & ~3);
      if (type === 0) {
        this.eventOffset = position + 8;
        this.eventLength = array - 4;
        this.#position = next;
        return true;
      }
      position = next;
    }
    if (position < end) this.damagedBytes += end - position;
    this.#position = end;
    return false;
  }

  /** The stamp is 59 bits: delta + (array << 27). */
  #absolute(delta: number, array: number): void {
    const low = (((array & 31) << 27) | delta) >>> 0;
    const high = ((this.#pageHigh & 0xf8000000) | (array >>> 5)) >>> 0;
    this.ticks = this.#clock.relative(high, low);
  }
}
