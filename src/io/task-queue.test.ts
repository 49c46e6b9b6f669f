import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { TaskQueue } from './task-queue.js';
import type { TakingPlace } from './testing/taking-thread.js';
import { attended, usingThread } from './testing/threads.js';

const thread = usingThread(new URL('./testing/taking-thread.ts', import.meta.url));

async function taker(queue: TaskQueue, tasks: number, failAt = -1) {
  const seen = new SharedArrayBuffer(tasks * 12);
  const workerData: TakingPlace = { queue: queue.memory, seen, tasks, failAt };
  const worker = new Worker(thread.url, { workerData, execArgv: [] });
  await attended(queue);
  return { worker, seen: new Int32Array(seen) };
}

it('hands over tasks in order, more than fit into it, across the end of its counts', async () => {
  const queue = new TaskQueue();
  // POSTED and DONE
  new Int32Array(queue.memory).fill(0x7fffff00, 0, 2);
  const { worker, seen } = await taker(queue, 2000);
  for (let n = 0; n < 2000; n++) {
    queue.post(n, n + 1, n * n);
    if (n % 500 !== 0) continue;
    queue.settle();
    expect([...seen.subarray(n * 3, n * 3 + 3)]).toEqual([n, n + 1, n * n]);
  }
  queue.settle();
  expect([...seen]).toEqual(Array.from({ length: 2000 }, (_, n) => [n, n + 1, n * n]).flat());
  expect(queue.posted).toBeLessThan(0);
  await worker.terminate();
});

it('does not wait for a taker that failed', async () => {
  const queue = new TaskQueue();
  const { worker, seen } = await taker(queue, 3, 1);
  queue.post(1, 2, 3);
  queue.post(4, 5, 6);
  expect(() => queue.settle()).toThrow('a thread does not do its tasks');
  expect([...seen.subarray(0, 6)]).toEqual([1, 2, 3, 0, 0, 0]);
  await worker.terminate();
});

it('gives up a taker that never comes', () => {
  const queue = new TaskQueue(undefined, 5);
  expect(queue.attended).toBe(false);
  for (let n = 0; n < 256; n++) queue.post(n, 0, 0);
  expect(() => queue.post(256, 0, 0)).toThrow('a thread does not do its tasks');
});
