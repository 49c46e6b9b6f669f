/**
 * Writes events as an LLFree replay trace: allocations that succeeded and frees, in time order.
 *
 * Pages are filled per cpu. What the layout cannot hold (pfn above 24 bits or 0, orders above 15,
 * failed allocations) is left out and counted.
 */
import { type EventBatch, EventKind } from '../../src/records/events.js';
import { ENTRIES, ENTRY_BYTES, FIRST_ENTRY, PAGE_BYTES, PFN_BITS, writeEntry } from './layout.js';

interface OpenPage {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  entries: number;
}

export class LlfreeWriter {
  /** Events that could not be written. */
  leftOut = 0;
  readonly #maskOf: (gfpId: number) => number;
  readonly #write: (page: Uint8Array) => void;
  readonly #open = new Map<number, OpenPage>();
  #pages = 0;
  #maxPfn = 0;
  #maxCpu = 0;

  /**
   * @param maskOf the numeric mask of a gfp id of the recording.
   * @param write takes finished pages; the header page comes from `finish` and belongs in front.
   */
  constructor(maskOf: (gfpId: number) => number, write: (page: Uint8Array) => void) {
    this.#maskOf = maskOf;
    this.#write = write;
  }

  push(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i]!;
      if (kind === EventKind.alloc || kind === EventKind.free) this.#event(batch, i, kind);
    }
  }

  #event(batch: EventBatch, i: number, kind: number): void {
    const pfn = batch.pfn[i]!;
    const order = batch.order[i]!;
    if (pfn <= 0 || pfn >= 2 ** PFN_BITS || order > 15) {
      this.leftOut++;
      return;
    }
    const cpu = batch.cpu[i]!;
    const page = this.#page(cpu);
    const alloc = kind === EventKind.alloc;
    writeEntry(page.view, FIRST_ENTRY + page.entries * ENTRY_BYTES, {
      timeUs: Math.max(0, Math.floor(batch.timeNs[i]! / 1000)),
      pfn,
      alloc,
      order,
      gfp: alloc ? this.#maskOf(batch.detail[i]!) : 0,
      pid: batch.pid[i]!,
    });
    if (pfn > this.#maxPfn) this.#maxPfn = pfn;
    if (++page.entries === ENTRIES) this.#close(cpu, page);
  }

  #page(cpu: number): OpenPage {
    let page = this.#open.get(cpu);
    if (page === undefined) {
      const bytes = new Uint8Array(PAGE_BYTES);
      page = { bytes, view: new DataView(bytes.buffer), entries: 0 };
      page.view.setUint32(0, cpu, true);
      this.#open.set(cpu, page);
      if (cpu > this.#maxCpu) this.#maxCpu = cpu;
    }
    return page;
  }

  #close(cpu: number, page: OpenPage): void {
    this.#open.delete(cpu);
    this.#pages++;
    this.#write(page.bytes);
  }

  /** Writes the pages still open; gives the header page. */
  finish(): Uint8Array {
    for (const [cpu, page] of [...this.#open]) this.#close(cpu, page);
    const header = new Uint8Array(PAGE_BYTES);
    const view = new DataView(header.buffer);
    view.setUint32(0, this.#pages, true);
    view.setUint32(4, this.#maxCpu + 1, true);
    view.setUint32(8, this.#maxPfn, true);
    return header;
  }
}
