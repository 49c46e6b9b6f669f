/**
 * Where the ledger's thread starts: does what BackgroundLedger posts, until that is told to finish.
 *
 * It waits without its event loop, so a message is fetched where a task says that there is one.
 */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { HolderLedger } from '../analysis/holder-ledger.js';
import { TaskQueue } from '../io/task-queue.js';
import {
  FINISH,
  type LedgerColumns,
  type LedgerPlace,
  type LedgerStart,
} from './background-ledger.js';

const { port, queue: memory } = workerData as LedgerPlace;

function fetchFrom<T>(from: MessagePort): T {
  return receiveMessageOnPort(from)!.message as T;
}

function serve(queue: TaskQueue): void {
  const batches: LedgerColumns[] = [];
  const task = new Int32Array(3);
  queue.attend();
  queue.next(task);
  const start = fetchFrom<LedgerStart>(port);
  const ledger = new HolderLedger(start.plan, start.memory);
  for (; task[0] !== FINISH; queue.next(task)) {
    if (task[0] === batches.length) batches.push(fetchFrom(port));
    const columns = batches[task[0]!]!;
    ledger.take(columns, task[1]!, task[2]!, columns.pages);
    queue.done();
  }
  port.postMessage(ledger.finish(fetchFrom(port)));
  queue.done();
}

const queue = new TaskQueue(memory);
try {
  serve(queue);
} catch (error) {
  queue.fail();
  throw error;
}
