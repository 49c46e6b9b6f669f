/**
 * Interns marker texts and stacks within a budget, so that hostile input cannot fill the memory.
 *
 * A text longer than its limit is cut; once the distinct texts of one source exceed BUDGET_BYTES
 * (messages: MESSAGE_BUDGET_BYTES), new and known ones alike become `(others)` and a diagnostic says so.
 */
import type { Diagnostics } from '../../src/records/diagnostics.js';
import type { RecordingStrings, StringTable } from '../../src/records/strings.js';
import { ascii } from './bytes.js';

/** A marker's longest text kept (the kernel cuts them at 1 to 4 KiB). */
export const MAX_TEXT_BYTES = 1024;
export const MAX_STACK_BYTES = 8192;
const BUDGET_BYTES = 64 << 20;
/** trace_printk texts, which often have a number in each, must not crowd out the markers. */
const MESSAGE_BUDGET_BYTES = 8 << 20;
const OTHERS = ascii('(others)');

export class TextKeeper {
  readonly #strings: RecordingStrings;
  readonly #diagnostics: Diagnostics;
  readonly #source: string;
  #left = BUDGET_BYTES;
  #messagesLeft = MESSAGE_BUDGET_BYTES;

  constructor(strings: RecordingStrings, diagnostics: Diagnostics, source: string) {
    this.#strings = strings;
    this.#diagnostics = diagnostics;
    this.#source = source;
  }

  keepText(bytes: Uint8Array, start: number, end: number): number {
    return this.#keep(this.#strings.texts, bytes, start, Math.min(end, start + MAX_TEXT_BYTES));
  }

  /** A trace_printk text; over a budget of its own it becomes `(others)`. */
  keepMessage(bytes: Uint8Array, start: number, end: number): number {
    const table = this.#strings.texts;
    if (this.#messagesLeft < 0) return table.intern(OTHERS, 0, OTHERS.length);
    const { size } = table;
    const id = table.intern(bytes, start, Math.min(end, start + MAX_TEXT_BYTES));
    if (table.size > size) this.#messagesLeft -= Math.min(end - start, MAX_TEXT_BYTES) + 64;
    if (this.#messagesLeft < 0) this.#tell(MESSAGE_BUDGET_BYTES);
    return id;
  }

  keepStack(bytes: Uint8Array, start: number, end: number): number {
    return this.#keep(this.#strings.stacks, bytes, start, Math.min(end, start + MAX_STACK_BYTES));
  }

  #keep(table: StringTable, bytes: Uint8Array, start: number, end: number): number {
    if (this.#left < 0) return table.intern(OTHERS, 0, OTHERS.length);
    const size = table.size;
    const id = table.intern(bytes, start, end);
    if (table.size > size) this.#left -= end - start + 64;
    if (this.#left < 0) this.#tell(BUDGET_BYTES);
    return id;
  }

  #tell(bytes: number): void {
    const place = { source: this.#source };
    this.#diagnostics.report('text-budget', place, { limit: bytes >> 20 });
  }
}
