/**
 * Copies with coarse stamps, found again within their second on real recordings.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alignSnapshots, MarkerIndex } from '../recording/align.js';
import { openRecording } from '../recording/open.js';
import type { Recording } from '../recording/recording.js';
import { restamped } from '../recording/testing/restamped.js';
import { Diagnostics } from '../records/diagnostics.js';
import { RecordingStrings } from '../records/strings.js';
import { reconstruct } from './reconstruct.js';

const samples = fileURLToPath(new URL('../../samples/', import.meta.url));

let recording: Recording;
beforeAll(async () => {
  recording = await openRecording([`${samples}k510-net`]);
});
afterAll(() => recording.close());

/** Distances of the replay's places from the true ones, ascending, ns. */
function misplacedBy(resolutionNs: number, periodNs: number): number[] {
  const { stamped, truth } = restamped(recording.snapshots, resolutionNs, periodNs);
  const trace = { events: recording.events, epochS: 0, clockName: 'local', overwritten: false };
  const markers = new MarkerIndex(new RecordingStrings().texts);
  const { snapshots } = alignSnapshots(stamped, markers, trace, new Diagnostics());
  const replay = reconstruct({ ...recording, snapshots });
  const found = replay.placed.map(({ timeNs }, i) => Math.abs(timeNs - truth[i]!.beginNs));
  replay.close();
  return found.sort((a, b) => a - b);
}

describe('the replay finds when the copies of k510-net were taken, one a second', () => {
  test('by stamps of milliseconds', () => {
    expect(misplacedBy(1e6, 1e9).at(-1)).toBeLessThan(5e6);
  });

  test('by stamps of whole seconds', () => {
    const found = misplacedBy(1e9, 1e9);
    expect(found).toHaveLength(11);
    expect(found[5]).toBeLessThan(20e6);
    expect(found[8]).toBeLessThan(100e6);
  });
});
