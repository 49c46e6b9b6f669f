/**
 * Reports of our own recordings: what real kernels of three generations printed about failures whose
 * moment was recorded too. The logs are excerpts (banner, reports, one OOM kill) of ours.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readLog } from '../../parsers/dmesg/testing/read.js';
import { openRecording } from '../recording/open.js';
import type { SplatRecord } from '../records/splat.js';
import type { Cause } from './findings.js';
import { postmortemOf } from './postmortem.js';

const FOLDER = join(import.meta.dirname, 'testing', 'recorded');

/** By file: order, cause, margin and blocks of DMA32, largest order it would have served. */
const EXPECTED: Readonly<
  Record<string, readonly (readonly [number, Cause, number, number, number])[]>
> = {
  'k510-fragment.log': [[10, 'fragmented', 887, 0, 9]],
  'k61-bursts.log': [
    [9, 'fragmented', 307, 0, 8],
    [2, 'should-have-passed', 666, 13, 6],
  ],
  'k61-checker.log': [[10, 'below-watermark', -249, 0, 9]],
  'k612-pressure.log': [
    [10, 'fragmented', 1103, 0, 9],
    [10, 'fragmented', 1305, 0, 8],
  ],
};

describe.each(Object.entries(EXPECTED))('%s', (file, expected) => {
  const log = readLog(readFileSync(join(FOLDER, file)), 701, file);
  const result = postmortemOf(log.records);

  test('causes and figures', () => {
    expect(
      result.reports.map((report) => {
        const zone = report.zones.find((z) => z.zone === 'DMA32')!;
        return [report.order, report.cause, zone.marginPages, zone.blocks, zone.servedOrder];
      }),
    ).toEqual(expected);
  });

  test('who asked is the probe module, in softirq, whoever ran', () => {
    for (const { caller } of result.reports)
      expect(caller).toMatchObject({ owner: 'atomicprobe', context: 'softirq' });
  });

  test('the reports are whole, the rules those of the true upstream version', () => {
    for (const report of result.reports) {
      expect(report.missing).toEqual([]);
      expect(report.splat.memory.freeLists.every((list) => list.complete)).toBe(true);
      expect(report.profile.name).toMatch(/^(?:5\.10\.223|6\.1\.192|6\.12\.117)$/);
    }
  });

  test('the OOM kill beside it is left out, and explained with all', () => {
    expect(result.leftOut).toEqual({ 'oom-kill': 1 });
    const all = postmortemOf(log.records, { all: true });
    expect(all.reports.at(-1)).toMatchObject({ cause: 'below-watermark', order: 0 });
  });
});

const TRACES = join('..', 'shared', 'traces');

describe.skipIf(!existsSync(TRACES))('whole logs (../shared/traces)', () => {
  const names = existsSync(TRACES)
    ? readdirSync(TRACES).filter((name) =>
        existsSync(join(TRACES, name, 'system', 'dmesg.txt.zst')),
      )
    : [];

  test.each(names)('%s: every report and OOM kill is found and explained', async (name) => {
    const recording = await openRecording([join(TRACES, name, 'system', 'dmesg.txt.zst')]);
    const records = recording.splats as readonly SplatRecord[];
    const result = postmortemOf(records, { all: true });
    const excerpt = EXPECTED[`${name}.log`] ?? [];
    const failures = result.reports.filter((r) => r.splat.kind === 'page-allocation-failure');
    expect(failures.map((r) => [r.order, r.cause])).toEqual(excerpt.map(([o, c]) => [o, c]));
    for (const report of result.reports) {
      expect(report.kernelKnown).toBe(true);
      expect(report.splat.damage).toEqual({ interleaved: false, rewrapped: false, cut: false });
      expect(report.cause).not.toBe('cannot-be-told');
    }
    expect(recording.snapshots.filter((s) => s.kind === 'version')).toHaveLength(1);
    recording.close();
  });
});
