/**
 * Copies on another clock than the trace: found by agreement on real recordings, refused where
 * nothing agrees.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Diagnostics } from '../records/diagnostics.js';
import type { Snapshot } from '../records/snapshot.js';
import { RecordingStrings } from '../records/strings.js';
import { alignSnapshots, MarkerIndex } from './align.js';
import { openRecording } from './open.js';
import type { Recording } from './recording.js';
import { restamped, WALL_AT_ZERO_NS } from './testing/restamped.js';

const samples = fileURLToPath(new URL('../../samples/', import.meta.url));
const opened = new Map<string, Recording>();

beforeAll(async () => {
  for (const name of ['k510-net', 'k61-checker', 'k61-tiny']) {
    opened.set(name, await openRecording([`${samples}${name}`]));
  }
});
afterAll(() => {
  for (const recording of opened.values()) recording.close();
});

function align(recording: Recording, snapshots: readonly Snapshot[]) {
  const diagnostics = new Diagnostics();
  const trace = { events: recording.events, epochS: 0, clockName: 'local', overwritten: false };
  const markers = new MarkerIndex(new RecordingStrings().texts);
  return { ...alignSnapshots(snapshots, markers, trace, diagnostics), diagnostics };
}

/** [sample, resolution of the stamps, period of the copies, widest uncertainty allowed], ns. */
const CASES: readonly (readonly [string, number, number, number])[] = [
  ['k61-tiny', 256, 0, 10e6],
  ['k61-checker', 1e6, 0, 20e6],
  ['k61-checker', 1e6, 1e9, 50e6],
  ['k510-net', 1e6, 1e9, 50e6],
  ['k510-net', 1e9, 1e9, 700e6],
  ['k61-checker', 1e9, 0, 700e6],
];

describe('copies on the wall clock', () => {
  test.each(CASES)('%s, stamps of %d ns every %d ns', (name, resolution, period, widest) => {
    const recording = opened.get(name)!;
    const { stamped, truth } = restamped(recording.snapshots, resolution, period);
    const { alignment, snapshots, diagnostics } = align(recording, stamped);
    expect(alignment.method).toBe('agreement');
    expect(alignment.byAgreement).toBe(stamped.length);
    const { offsetNs, uncertaintyNs, agreement } = alignment.estimate!;
    expect(uncertaintyNs).toBeLessThan(widest);
    expect(Math.abs(offsetNs + WALL_AT_ZERO_NS)).toBeLessThan(uncertaintyNs);
    expect(agreement).toBeGreaterThan(0.9);
    snapshots.forEach(({ time }, i) => {
      expect(time.clock).toBe('trace');
      expect(time.beginNs).toBeLessThan(truth[i]!.endNs);
      expect(time.endNs).toBeGreaterThan(truth[i]!.beginNs);
    });
    expect(diagnostics.all.map(({ code }) => code)).toEqual(['clock-estimated']);
  });

  test('copies of other kinds go where those of buddyinfo belong', () => {
    const recording = opened.get('k61-checker')!;
    const kinds = ['buddyinfo', 'zoneinfo', 'vmstat', 'pagetypeinfo', 'kpageflags'] as const;
    const { stamped, truth } = restamped(recording.snapshots, 1e6, 0, kinds);
    const { alignment, snapshots } = align(recording, stamped);
    expect(alignment.byAgreement).toBe(stamped.length);
    snapshots.forEach(({ time }, i) => {
      expect(time.beginNs).toBeLessThan(truth[i]!.endNs);
      expect(time.endNs).toBeGreaterThan(truth[i]!.beginNs);
    });
  });

  test('copies of another run agree nowhere and stay apart', () => {
    const foreign = restamped(opened.get('k510-net')!.snapshots, 1e6, 0).stamped;
    const { alignment, snapshots, diagnostics } = align(opened.get('k61-checker')!, foreign);
    expect(alignment).toMatchObject({ method: 'none', unplaced: foreign.length, estimate: null });
    for (const { time } of snapshots) expect(time.clock).toBe('wall');
    expect(diagnostics.all.map(({ code }) => code)).toEqual(['clock-not-aligned']);
  });

  test('two copies are too few to tell', () => {
    const recording = opened.get('k61-checker')!;
    const few = restamped(recording.snapshots, 1e6, 0).stamped.slice(10, 12);
    expect(align(recording, few).alignment.method).toBe('none');
  });

  test('copies from before and after the trace are placed there too', () => {
    const recording = opened.get('k61-checker')!;
    const { stamped } = restamped(recording.snapshots, 1e6, 0);
    const far = [-3600e9, 3600e9].map((by): Snapshot => {
      const { time } = stamped[0]!;
      return {
        ...stamped[0]!,
        time: { ...time, beginNs: time.beginNs + by, endNs: time.endNs + by },
      };
    });
    const { alignment, snapshots } = align(recording, [...far, ...stamped]);
    expect(Math.abs(alignment.offsetNs + WALL_AT_ZERO_NS)).toBeLessThan(20e6);
    expect(snapshots[0]!.time.endNs).toBeLessThan(recording.events.firstNs);
    expect(snapshots.at(-1)!.time.beginNs).toBeGreaterThan(recording.events.lastNs);
  });
});

describe('monotonic copies', () => {
  test('of a clock that is some seconds off are put right although the spans overlap', () => {
    const recording = opened.get('k510-net')!;
    const { stamped } = restamped(recording.snapshots, 1000, 0);
    const off = (by: number): Snapshot[] =>
      stamped.map((copy) => {
        const ns = copy.time.beginNs - WALL_AT_ZERO_NS + by;
        return { ...copy, time: { ...copy.time, clock: 'mono', beginNs: ns, endNs: ns } };
      });
    const apart = align(recording, off(2e9)).alignment;
    expect(apart.method).toBe('agreement');
    expect(Math.abs(apart.offsetNs + 2e9)).toBeLessThan(10e6);
    expect(align(recording, off(0)).alignment.method).toBe('same-clock');
  });
});
