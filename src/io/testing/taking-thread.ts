/** Where a test's thread starts: does the tasks of a queue by writing them down, until it is to fail. */
import { workerData } from 'node:worker_threads';
import { TaskQueue } from '../task-queue.js';

export interface TakingPlace {
  readonly queue: SharedArrayBuffer;
  readonly seen: SharedArrayBuffer;
  readonly tasks: number;
  /** Number of the task that it fails at, -1 = none. */
  readonly failAt: number;
}

const { tasks, failAt, ...memory } = workerData as TakingPlace;
const queue = new TaskQueue(memory.queue);
const seen = new Int32Array(memory.seen);
const task = new Int32Array(3);
queue.attend();
for (let n = 0; n < tasks; n++) {
  queue.next(task);
  if (n === failAt) {
    queue.fail();
    break;
  }
  seen.set(task, n * 3);
  queue.done();
}
