/**
 * Keeps the ledger of holders on a thread of its own, a little behind the walk that reads the events.
 *
 * It is the dearest of a report's observers, and while a recording is replayed the second processor has nothing else to
 * do. Batches lie in memory that both threads have, so nothing is copied: the walk names stretches of them, and waits
 * where somebody asks for the ledger, or before it reads into a batch that is not done.
 */
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import type {
  LedgerEvents,
  LedgerKeeper,
  LedgerMemory,
  LedgerPlan,
  LedgerSamples,
} from '../analysis/holder-ledger.js';
import { TaskQueue } from '../io/task-queue.js';
import { compiledThread, threadsHelp } from '../io/threads.js';

/** With fewer events the thread costs as much as it spares. */
const WORTH_EVENTS = 1 << 19;

/** The first number of a task: that of a batch, whose events [from, to) the others are, or this. */
export const FINISH = -1;

/** What the thread is given to begin with. */
export interface LedgerPlace {
  readonly port: MessagePort;
  readonly queue: SharedArrayBuffer;
}

/** What it is sent before the first task; before the first one of each batch, its columns; before the last, the end in ns. */
export interface LedgerStart {
  readonly plan: LedgerPlan;
  readonly memory: LedgerMemory;
}
export type LedgerColumns = LedgerEvents & { readonly pages: Int32Array };

export class BackgroundLedger {
  readonly #worker: Worker;
  readonly #queue: TaskQueue;
  readonly #port: MessagePort;
  readonly #batches: LedgerEvents[] = [];
  /** Tasks given when the latest batch began. */
  #begun = 0;

  constructor(url: URL, queue = new TaskQueue()) {
    const { port1, port2 } = new MessageChannel();
    this.#queue = queue;
    this.#port = port1;
    const workerData: LedgerPlace = { port: port2, queue: queue.memory };
    this.#worker = new Worker(url, { workerData, transferList: [port2], execArgv: [] });
    // Who waits for it sees that it failed.
    this.#worker.on('error', () => {});
    this.#worker.unref();
    port1.unref();
  }

  /** Takes the ledger over, to be asked once; null if the thread is not there: it is not worth waiting for. */
  readonly keep = (plan: LedgerPlan, memory: LedgerMemory): LedgerKeeper | null => {
    const queue = this.#queue;
    if (!queue.attended) return null;
    this.#port.postMessage({ plan, memory } satisfies LedgerStart);
    return {
      take: (events, from, to, pages) => queue.post(this.#numberOf(events, pages), from, to),
      settle: () => queue.settle(),
      release: () => {
        queue.settle(this.#begun);
        this.#begun = queue.posted;
      },
      finish: (endNs) => {
        this.#port.postMessage(endNs);
        queue.post(FINISH, 0, 0);
        queue.settle();
        return receiveMessageOnPort(this.#port)!.message as LedgerSamples;
      },
    };
  };

  #numberOf(events: LedgerEvents, pages: Int32Array): number {
    const known = this.#batches.indexOf(events);
    if (known >= 0) return known;
    const { kind, timeNs, order, comm, detail, stack, migratetype } = events;
    const columns = { kind, timeNs, order, comm, detail, stack, migratetype, pages };
    this.#port.postMessage(columns satisfies LedgerColumns);
    return this.#batches.push(events) - 1;
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#port.close();
    await this.#worker.terminate();
  }
}

/** A thread for the ledger of so many events, or null where it cannot run or would not help. */
export function ledgerThread(events: number): BackgroundLedger | null {
  if (events < WORTH_EVENTS || !threadsHelp()) return null;
  const url = compiledThread('./ledger-thread.js', import.meta.url);
  return url === null ? null : new BackgroundLedger(url);
}
