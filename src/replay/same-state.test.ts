/**
 * One recording in six forms (../shared/traces/k61-perf) gives the same free lists at every instant.
 *
 * ftrace text rounds to microseconds, and perf stamps the same events a little apart from ftrace, so
 * the instants compared lie in gaps between events: of 20 µs within ftrace's forms, of 2.5 ms with perf's.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { openRecording } from '../recording/open.js';
import type { Recording } from '../recording/recording.js';
import { EventBatch } from '../records/events.js';
import { TimeIndex } from './place.js';
import { reconstruct } from './reconstruct.js';

const FOLDER = fileURLToPath(new URL('../../../shared/traces/k61-perf/', import.meta.url));

function open(file: string): Promise<Recording> {
  return openRecording([`${FOLDER}${file}`, `${FOLDER}snapshots`, `${FOLDER}system`]);
}

/** The middle of every gap between events that is longer than `gapNs`. */
function gaps({ events }: Recording, gapNs: number): number[] {
  const times: number[] = [];
  const batch = new EventBatch();
  let last = Number.NaN;
  for (let b = 0; b < events.batches; b++) {
    events.read(b, batch);
    for (let i = 0; i < batch.length; i++) {
      const time = batch.timeNs[i]!;
      if (time - last > gapNs) times.push(Math.round((time + last) / 2));
      last = time;
    }
  }
  return times;
}

/** Free blocks and bounds of every zone at each instant. */
function statesAt(recording: Recording, times: readonly number[]): string[] {
  const replay = reconstruct(recording);
  const finder = new TimeIndex(recording.events);
  const states: string[] = [];
  const stops = times.map((timeNs) => ({
    index: finder.indexAt(timeNs),
    timeNs,
    run: ({ zones }: { zones: readonly { zone: string; free: Int32Array }[] }) => {
      states.push(zones.map(({ zone, free }) => `${zone} ${free.join(' ')}`).join(', '));
    },
  }));
  replay.run([], stops);
  replay.close();
  return states;
}

describe.skipIf(!existsSync(FOLDER))('k61-perf (needs ../shared/traces)', () => {
  let text: { fine: number[]; coarse: number[]; fineStates: string[]; coarseStates: string[] };

  beforeAll(async () => {
    const recording = await open('trace.txt.zst');
    const fine = gaps(recording, 20_000);
    const coarse = gaps(recording, 2_500_000);
    const fineStates = statesAt(recording, fine);
    const coarseStates = statesAt(recording, coarse);
    text = { fine, coarse, fineStates, coarseStates };
    recording.close();
  });

  test('moves enough for the comparison to mean something', () => {
    expect(text.fine.length).toBeGreaterThan(5000);
    expect(text.coarse.length).toBeGreaterThan(300);
    expect(new Set(text.coarseStates).size).toBeGreaterThan(100);
  });

  test.each(['trace.dat', 'trace-v6.dat.zst', 'trace-report.txt.zst'])(
    '%s is the same as ftrace text',
    async (file) => {
      const recording = await open(file);
      const states = statesAt(recording, text.fine);
      const odd = states.findIndex((state, i) => state !== text.fineStates[i]);
      expect(odd < 0 ? null : [text.fine[odd], states[odd], text.fineStates[odd]]).toBeNull();
      expect(states).toHaveLength(text.fine.length);
      recording.close();
    },
  );

  test.each(['perf.data.zst', 'perf-script-ns.txt.zst'])('%s is the same', async (file) => {
    const recording = await open(file);
    const states = statesAt(recording, text.coarse);
    const odd = states.findIndex((state, i) => state !== text.coarseStates[i]);
    expect(odd < 0 ? null : [text.coarse[odd], states[odd], text.coarseStates[odd]]).toBeNull();
    expect(states).toHaveLength(text.coarse.length);
    recording.close();
  });
});
