/** Columns of a page_owner dump, doubled as they fill. */
import type { PageOwnerSnapshot } from '../../src/records/snapshot.js';

type Columns = Pick<
  PageOwnerSnapshot,
  'pfn' | 'order' | 'gfp' | 'comm' | 'stack' | 'pid' | 'allocNs' | 'type'
>;
export type OwnerRecord = { readonly [K in keyof Columns]: number };

function columnsOf(size: number): Columns {
  return {
    pfn: new Float64Array(size),
    order: new Uint8Array(size),
    gfp: new Uint32Array(size),
    comm: new Uint32Array(size),
    stack: new Uint32Array(size),
    pid: new Int32Array(size),
    allocNs: new Float64Array(size),
    type: new Uint32Array(size),
  };
}

export class OwnerColumns {
  #columns: Columns;
  length = 0;

  /** @param size records there is room for at first, at least 1. */
  constructor(size = 1024) {
    this.#columns = columnsOf(size);
  }

  add(record: OwnerRecord): void {
    if (this.length === this.#columns.pfn.length) this.#grow();
    const at = this.length++;
    const columns = this.#columns;
    columns.pfn[at] = record.pfn;
    columns.order[at] = record.order;
    columns.gfp[at] = record.gfp;
    columns.comm[at] = record.comm;
    columns.stack[at] = record.stack;
    columns.pid[at] = record.pid;
    columns.allocNs[at] = record.allocNs;
    columns.type[at] = record.type;
  }

  take(): Columns & { readonly length: number } {
    return { ...this.#columns, length: this.length };
  }

  #grow(): void {
    const old = this.#columns;
    const bigger = columnsOf(old.pfn.length * 2);
    bigger.pfn.set(old.pfn);
    bigger.order.set(old.order);
    bigger.gfp.set(old.gfp);
    bigger.comm.set(old.comm);
    bigger.stack.set(old.stack);
    bigger.pid.set(old.pid);
    bigger.allocNs.set(old.allocNs);
    bigger.type.set(old.type);
    this.#columns = bigger;
  }
}
