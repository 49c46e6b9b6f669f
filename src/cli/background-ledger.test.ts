import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import type { HoldersOptions } from '../analysis/holders.js';
import { createReportObservers } from '../analysis/report-observers.js';
import { TaskQueue } from '../io/task-queue.js';
import { attended, usingThread } from '../io/testing/threads.js';
import { openRecording } from '../recording/open.js';
import type { ReplayState } from '../replay/observer.js';
import { reconstruct } from '../replay/reconstruct.js';
import { BackgroundLedger } from './background-ledger.js';

const thread = usingThread(new URL('./ledger-thread.ts', import.meta.url));

async function findings(sample: string, keepElsewhere?: HoldersOptions['keepElsewhere']) {
  const path = fileURLToPath(new URL(`../../samples/${sample}`, import.meta.url));
  const recording = await openRecording([path], { readerThread: null });
  try {
    const { events, snapshots, strings, diagnostics } = recording;
    const replay = reconstruct({ events, snapshots, strings, diagnostics });
    const { switches } = replay.profile.profile;
    const zoneCount = replay.geometry.zones.length;
    const plan = { ...replay.span(), strings, zoneCount, switches, node: 0 };
    const report = createReportObservers({ ...plan, keepElsewhere });
    // Looks at the nearest blocks every now and then, as openings of failure windows do.
    const looks: unknown[] = [];
    let turn = 0;
    const looker = {
      changed: (state: ReplayState) => {
        if (turn++ % 1000 !== 0) return;
        state.catchUp?.();
        looks.push(report.lookNearest(state, 3));
      },
    };
    replay.run([...report.observers, looker]);
    replay.close();
    const { holders, physicalMap } = report.collect();
    return { holders, physicalMap, looks };
  } finally {
    recording.close();
  }
}

it.each(['k61-checker', 'k72-numa'])(
  'says of %s what a ledger on this thread says',
  async (sample) => {
    const here = await findings(sample);
    const queue = new TaskQueue();
    const ledger = new BackgroundLedger(thread.url, queue);
    await attended(queue);
    const there = await findings(sample, ledger.keep);
    await ledger.close();
    expect(queue.posted).toBeGreaterThan(100);
    expect(there).toEqual(here);
    expect(here.holders?.holders.length).toBeGreaterThan(5);
    expect(here.looks.flat().length).toBeGreaterThan(2);
  },
);

it('is not waited for where it has not begun', async () => {
  const broken = new BackgroundLedger(pathToFileURL(join(thread.dir, 'no-such-thread.mjs')));
  expect(await findings('k61-tiny', broken.keep)).toEqual(await findings('k61-tiny'));
  await broken.close();
});

it('says so where it fails', async () => {
  const queue = new TaskQueue();
  const ledger = new BackgroundLedger(thread.url, queue);
  await attended(queue);
  const failing: HoldersOptions['keepElsewhere'] = (plan, memory) => {
    const { table, ...damaged } = memory;
    return ledger.keep(plan, damaged as typeof memory);
  };
  await expect(findings('k61-tiny', failing)).rejects.toThrow('does not do its tasks');
  await ledger.close();
});
