import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRecording } from '../../src/recording/open.js';
import type { BuddyinfoSnapshot } from '../../src/records/snapshot.js';
import { collectd } from './index.js';

const T = 1732261745;
const SIZES = Array.from({ length: 11 }, (_, order) => 4 * 2 ** order);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddyscope-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the series of one zone; readings 10 s apart, a millisecond later for each size. */
function write(zone: string, sizes: readonly number[], separator = '/'): void {
  for (const kB of sizes) {
    const path = join(
      folder,
      'db1',
      `buddyinfo-Node0${separator}${zone}`,
      `freepages-${kB}KB-2024-11-22`,
    );
    mkdirSync(dirname(path), { recursive: true });
    const rows = [0, 10, 20].map((dt, i) => `${T + dt}.${100 + Math.log2(kB)},${kB + i}.000000\n`);
    writeFileSync(path, `epoch,value\n${rows.join('')}`);
  }
}

async function read(): Promise<{ copies: BuddyinfoSnapshot[]; codes: string[] }> {
  const recording = await openRecording([folder], { readerThread: null });
  const copies = recording.snapshots.filter((s) => s.kind === 'buddyinfo');
  const codes = recording.diagnostics.counts().map(([code]) => code);
  recording.close();
  return { copies, codes };
}

describe('collectd CSV', () => {
  test.each(['/', '_'])('files of all zones and orders become copies (%s)', async (separator) => {
    write('Normal', SIZES, separator);
    write('DMA', SIZES, separator);
    const { copies, codes } = await read();
    expect(copies).toHaveLength(3);
    expect(copies[1]!.zones).toEqual(
      ['DMA', 'Normal'].map((zone) => ({ node: 0, zone, free: SIZES.map((kB) => kB + 1) })),
    );
    // Stamped up to 10 ms after the file was read.
    expect(copies[1]!.time).toMatchObject({ clock: 'wall', resolutionNs: 1e7 });
    expect(Math.round(copies[1]!.time.beginNs / 1e6)).toBe((T + 10) * 1000 + 92);
    expect(codes).toEqual([]);
  });

  test('a zone that lacks a size is left out and said', async () => {
    write('Normal', SIZES);
    write(
      'DMA',
      SIZES.filter((kB) => kB !== 64),
    );
    const { copies, codes } = await read();
    expect(copies[0]!.zones.map(({ zone }) => zone)).toEqual(['Normal']);
    expect(codes).toEqual(['snapshot-cut']);
  });

  test('what collectd wrote every two seconds is a copy each', async () => {
    const recording = await openRecording([join(import.meta.dirname, 'fixtures')], {
      readerThread: null,
    });
    const copies = recording.snapshots.filter((s) => s.kind === 'buddyinfo');
    expect(copies.map(({ time }) => Math.round(time.beginNs / 1e6) + 10)).toEqual(
      [111_590, 113_590, 115_589, 117_589, 119_589, 121_589, 123_589, 125_589].map(
        (ms) => 1_795_955_000_000 + ms,
      ),
    );
    expect(copies[0]!.zones).toHaveLength(1);
    expect(copies[0]!.zones[0]!.free).toHaveLength(11);
    expect(copies.map(({ zones }) => zones[0]!.free[0])).toEqual([
      7631, 7799, 11839, 11706, 10944, 11179, 11179, 11080,
    ]);
    expect(recording.diagnostics.counts()).toEqual([]);
    recording.close();
  });

  test('other CSV of collectd is left alone', () => {
    const head = Buffer.from('epoch,value\n1732261745.1,3\n');
    expect(collectd.detect(head, 'db1/cpu-0/cpu-idle-2024-11-22')).toBeNull();
    expect(
      collectd.detect(head, 'db1/buddyinfo-Node0/Normal/freepages-4KB-2024-11-22'),
    ).not.toBeNull();
  });
});
