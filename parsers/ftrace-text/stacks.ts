/**
 * Call stacks below an event: lines of frames joined into one text, innermost first.
 *
 * ftrace: `<stack trace>` as an event line of its own, then ` => function` lines (options
 * sym-offset, sym-addr add `+0x1b/0x40` and `<address>`, which stay). trace-cmd: `=> function
 * (address)`, of which the address is dropped. perf script: `\taddress function+0x1b (module)`,
 * of which the function is kept. The stack belongs to the latest event of its cpu and pid, unless
 * a skipped event came after that.
 */
import { type BatchWriter, HELD } from './batch-writer.js';
import { EQUALS, GREATER, NEWLINE, PAREN_OPEN, SPACE, skipBlanks, skipToken } from './bytes.js';
import { MAX_STACK_BYTES, type TextKeeper } from './text-keeper.js';

const FOREIGN_SLOTS = 4096;
/** Frames of a skipped event, or of a user stack. */
const NOBODY = -1;

export class Stacks {
  /** True between a stack's first line and the first line that is no frame. */
  open = false;
  /** Stacks that found no event. */
  orphans = 0;
  readonly #writer: BatchWriter;
  readonly #texts: TextKeeper;
  readonly #buffer = new Uint8Array(MAX_STACK_BYTES);
  readonly #foreign = new Float64Array(FOREIGN_SLOTS).fill(-1);
  #length = 0;
  #owner = NOBODY;

  constructor(writer: BatchWriter, texts: TextKeeper) {
    this.#writer = writer;
    this.#texts = texts;
  }

  /** Notes that an event of this cpu was skipped: a stack below is not of an earlier event. */
  skipped(cpu: number): void {
    this.#foreign[cpu % FOREIGN_SLOTS] = this.#writer.flushed + this.#writer.batch.length;
  }

  begin(cpu: number, pid: number, user: boolean): void {
    this.finish();
    this.open = true;
    this.#writer.holdsBack = true;
    this.#length = 0;
    this.#owner = user ? NOBODY : this.#find(cpu, pid);
    if (this.#owner === NOBODY) this.orphans++;
  }

  /** Frames follow the latest line at once; `taken` says whether that was an event kept. */
  beginBelow(taken: boolean): void {
    const { batch, flushed } = this.#writer;
    this.open = true;
    this.#writer.holdsBack = true;
    this.#length = 0;
    this.#owner = taken && batch.length > 0 ? flushed + batch.length - 1 : NOBODY;
    if (this.#owner === NOBODY) this.orphans++;
  }

  #find(cpu: number, pid: number): number {
    const { batch, flushed } = this.#writer;
    const first = Math.max(0, batch.length - HELD);
    for (let i = batch.length - 1; i >= first; i--) {
      if (batch.cpu[i] !== cpu || batch.pid[i] !== pid) continue;
      return this.#foreign[cpu % FOREIGN_SLOTS]! > flushed + i ? NOBODY : flushed + i;
    }
    return NOBODY;
  }

  /** Takes ` => frame`; false if the line is no frame. */
  arrowLine(bytes: Uint8Array, start: number, end: number): boolean {
    const pos = skipBlanks(bytes, start, end);
    if (pos + 1 >= end || bytes[pos] !== EQUALS || bytes[pos + 1] !== GREATER) return false;
    const frame = skipBlanks(bytes, pos + 2, end);
    let frameEnd = end;
    for (let i = frame; i + 1 < end; i++) {
      if (bytes[i] === SPACE && bytes[i + 1] === PAREN_OPEN) frameEnd = Math.min(frameEnd, i);
    }
    this.#push(bytes, frame, frameEnd);
    return true;
  }

  /** Takes `address function+0x1b (module)`. */
  addressLine(bytes: Uint8Array, start: number, end: number): void {
    const address = skipBlanks(bytes, start, end);
    const frame = skipBlanks(bytes, skipToken(bytes, address, end), end);
    this.#push(bytes, frame, skipToken(bytes, frame, end));
  }

  #push(bytes: Uint8Array, start: number, end: number): void {
    if (this.#owner === NOBODY || end <= start) return;
    if (this.#length + end - start + 1 > MAX_STACK_BYTES) return;
    if (this.#length > 0) this.#buffer[this.#length++] = NEWLINE;
    for (let i = start; i < end; i++) this.#buffer[this.#length++] = bytes[i]!;
  }

  /** The stack is complete: stores it with its event. */
  finish(): void {
    if (!this.open) return;
    this.open = false;
    const row = this.#owner - this.#writer.flushed;
    if (this.#owner === NOBODY || row < 0 || this.#length === 0) return;
    this.#writer.batch.stack[row] = this.#texts.keepStack(this.#buffer, 0, this.#length);
  }
}
