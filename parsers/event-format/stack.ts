/**
 * Call stacks of binary traces: lists of return addresses to interned texts, one frame a line,
 * innermost first.
 *
 * ftrace's kernel_stack record (kernel/trace/trace_entries.h) is `int size; unsigned long caller[]`;
 * before 4.x only `caller[8]`, ended by all ones. perf's callchains mix in context markers (values
 * of -4095 and above, include/uapi/linux/perf_event.h PERF_CONTEXT_MAX), which are left out, and so
 * are the program's own frames, for which there are no names. A frame is the function's name where kallsyms came along, else `0x…`. The same addresses are looked up
 * once: the bytes of the list are the key.
 */
import { type RecordingStrings, StringTable } from '../../src/records/strings.js';
import type { EventFormats } from './formats.js';
import type { EventFormat } from './parse.js';

/** Frames kept of one stack; perf allows 127 by default, the kernel at most 1024. */
const MAX_FRAMES = 256;
const DISTINCT_STACKS = 1 << 17;
/** PERF_CONTEXT_USER (-512), low half: from here on the addresses are the program's own. */
const CONTEXT_USER = 0xfffffe00;
/** Bytes of stack texts made for one input before further new stacks become `(others)`. */
const TEXT_BUDGET = 64 << 20;

export class StackDecoder {
  readonly #strings: RecordingStrings;
  readonly #formats: EventFormats;
  /** Distinct address lists; ids index #texts. */
  readonly #raw = new StringTable(DISTINCT_STACKS);
  #ids = new Uint32Array(1024);
  #known = 1;
  #budget = TEXT_BUDGET;
  #callerAt = 16;
  #sizeAt = 8;

  constructor(strings: RecordingStrings, formats: EventFormats) {
    this.#strings = strings;
    this.#formats = formats;
  }

  /** Takes the places of `size` and `caller` from the format of kernel_stack. */
  use(format: EventFormat): void {
    const caller = format.fields.find((field) => field.name === 'caller');
    const size = format.fields.find((field) => field.name === 'size' && field.size === 4);
    if (caller !== undefined && caller.offset >= 8) this.#callerAt = caller.offset;
    this.#sizeAt = size?.offset ?? -1;
  }

  /** The stack id of a kernel_stack record; 0 if it holds none. */
  fromRecord(view: DataView, offset: number, length: number): number {
    const word = this.#formats.longSize;
    const room = Math.floor((length - this.#callerAt) / word);
    if (room <= 0) return 0;
    let count = room;
    if (this.#sizeAt >= 0) {
      const size = view.getInt32(offset + this.#sizeAt, this.#formats.littleEndian);
      if (size >= 0 && size < room) count = size;
    }
    return this.#intern(view, offset + this.#callerAt, count, word);
  }

  /** The stack id of the kernel part of `count` 64-bit addresses (perf callchain). */
  fromAddresses(view: DataView, offset: number, count: number): number {
    const le = this.#formats.littleEndian;
    let kernel = 0;
    for (; kernel < count; kernel++) {
      const at = offset + kernel * 8;
      const low = view.getUint32(le ? at : at + 4, le);
      if (low === CONTEXT_USER && view.getUint32(le ? at + 4 : at, le) === 0xffffffff) break;
    }
    return this.#intern(view, offset, kernel, 8);
  }

  #intern(view: DataView, offset: number, frames: number, word: number): number {
    const count = Math.min(frames, MAX_FRAMES);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, count * word);
    const raw = this.#raw.intern(bytes, 0, bytes.length);
    if (raw < this.#known) return this.#ids[raw]!;
    const id = this.#make(view, offset, count, word);
    if (raw >= this.#ids.length) {
      const bigger = new Uint32Array(this.#ids.length * 2);
      bigger.set(this.#ids);
      this.#ids = bigger;
    }
    this.#ids[raw] = id;
    this.#known = raw + 1;
    return id;
  }

  #make(view: DataView, offset: number, count: number, word: number): number {
    if (this.#budget <= 0) return this.#strings.stacks.internText('(others)');
    const { littleEndian, symbols } = this.#formats;
    const frames: string[] = [];
    const end = word === 8 ? 0xffffffffffffffffn : 0xffffffffn;
    for (let i = 0; i < count; i++) {
      const at = offset + i * word;
      const address =
        word === 8 ? view.getBigUint64(at, littleEndian) : BigInt(view.getUint32(at, littleEndian));
      if (address === end) break;
      if (word === 8 && address >= end - 4095n) continue;
      frames.push(symbols?.nameOf(address) ?? `0x${address.toString(16)}`);
    }
    const text = frames.join('\n');
    this.#budget -= text.length;
    return this.#strings.stacks.internText(text);
  }
}
