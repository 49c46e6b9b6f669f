/**
 * Guests' recordings: times are those of the host, as trace-cmd report prints them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { collect } from '../event-format/testing.js';
import { hostCount } from '../ring-buffer/host-sync.js';
import { traceDat } from './parse.js';
import { Bytes, event, type Machine, page, record, writeV6, writeV7 } from './testing.js';

const X86: Machine = { littleEndian: true, longSize: 8 };

type Sample = readonly [time: number, offset: number, scaling: number, fraction: number];

/** The option's data; without fractions as before trace-cmd 3.0. */
function timeShift(flags: number, cpus: readonly (readonly Sample[])[], fractions = true) {
  const bytes = new Bytes(true).uint(77n, 8).uint(flags, 4).uint(cpus.length, 4);
  for (const samples of cpus) {
    bytes.uint(samples.length, 4);
    for (const field of [0, 1, 2] as const) {
      for (const sample of samples) bytes.uint(BigInt.asUintN(64, BigInt(sample[field])), 8);
    }
  }
  if (fractions) for (const samples of cpus) for (const s of samples) bytes.uint(BigInt(s[3]), 8);
  return bytes.done();
}

/** Two cpus, events every 1000 counts from 10^6 on. */
function cpuPages(): Uint8Array[] {
  return [0, 1].map((cpu) => {
    const events = Array.from({ length: 8 }, (_, i) =>
      event(X86, 1000, record(X86, 7, BigInt(0x1000 + cpu * 64 + i), 0, 0xcc0)),
    );
    return page(X86, 1_000_000n + BigInt(cpu), events);
  });
}

const GUESTS: readonly (readonly [string, Uint8Array])[] = [
  ['one sample', timeShift(0, [[[5, 250_000, 1, 0]], [[5, -250_000, 1, 0]]])],
  [
    'two samples, interpolated',
    timeShift(1, [
      [
        [1_000_000, 1000, 1, 0],
        [1_008_000, 9001, 1, 0],
      ],
      [
        [900_000, -4000, 1, 0],
        [1_100_000, -2000, 1, 0],
      ],
    ]),
  ],
  [
    'many samples, in no order, with a ratio',
    timeShift(1, [
      [
        [1_004_500, 700, 3, 1],
        [1_002_500, 500, 3, 1],
        [1_002_500, 999, 3, 1],
        [1_001_000, 100, 3, 1],
      ],
      [
        [1_001_000, 10, 1, 0],
        [1_003_000, 20, 1, 0],
        [1_006_000, 50, 1, 0],
      ],
    ]),
  ],
  [
    'steps',
    timeShift(0, [
      [
        [1, 5, 1, 0],
        [1_003_000, 70_000, 1, 0],
        [1_005_000, 90_000, 1, 0],
      ],
      [[1, 0, 1, 0]],
    ]),
  ],
];

const traceCmd = spawnSync('trace-cmd', ['--help']).error === undefined;

describe('recordings of guests', () => {
  test.skipIf(!traceCmd).each(GUESTS)(
    'have the times that trace-cmd report prints: %s (needs trace-cmd)',
    (_, option) => {
      const folder = mkdtempSync(join(tmpdir(), 'buddyscope-test-'));
      const path = join(folder, 'guest.dat');
      const bytes = writeV6(X86, cpuPages(), { options: [[12, option]] });
      writeFileSync(path, bytes);
      const text = spawnSync('trace-cmd', ['report', '-t', path], { encoding: 'latin1' }).stdout;
      rmSync(folder, { recursive: true });
      const theirs = [...text.matchAll(/\[(\d+)\] +(\d+)\.(\d{9}): mm_page_alloc/g)].map(
        ([, cpu, s, ns]) => `${Number(cpu)} ${Number(s) * 1e9 + Number(ns)}`,
      );
      expect(theirs).toHaveLength(16);
      const { rows, diagnostics } = collect(traceDat, bytes);
      expect(rows.map((row) => `${row.cpu} ${row.timeNs}`).sort()).toEqual(theirs.sort());
      expect(diagnostics.counts()).toEqual([['clock-shifted', 1]]);
    },
  );

  test('keep order within and across cpus, in both versions of the file', () => {
    for (const write of [
      writeV6,
      (...[m, c, o]: Parameters<typeof writeV6>) => writeV7(m, c, 'none', o),
    ]) {
      const { rows } = collect(
        traceDat,
        write(X86, cpuPages(), { options: [[12, GUESTS[1]![1]]] }),
      );
      const times = rows.map(({ timeNs }) => timeNs);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(times).toHaveLength(16);
    }
  });

  test('an option cut short, or of impossible counts, leaves the guest’s own times', () => {
    const whole = GUESTS[1]![1];
    const plain = collect(traceDat, writeV6(X86, cpuPages())).rows;
    for (const length of [0, 8, 15, 18, 40, 60]) {
      const options = [[12, whole.subarray(0, length)]] as const;
      expect(collect(traceDat, writeV6(X86, cpuPages(), { options })).rows).toEqual(plain);
    }
    const huge = Uint8Array.from(whole);
    huge.fill(0xff, 12, 20);
    const rows = collect(traceDat, writeV6(X86, cpuPages(), { options: [[12, huge]] })).rows;
    expect(rows).toEqual(plain);
  });

  test('counts before the first and after the last sample go by the nearest two', () => {
    const samples = [100n, 200n, 300n].map((time, i) => ({
      ...{ time, offset: BigInt(100 + i * 10), scaling: 1n, fraction: 0n },
    }));
    const shift = (linear: boolean): number[] =>
      [0n, 150n, 250n, 400n].map((count) => Number(hostCount(count, samples, linear) - count));
    expect(shift(true)).toEqual([91, 105, 115, 130]);
    expect(shift(false)).toEqual([100, 100, 110, 110]);
    expect(hostCount(5n, [], true)).toBe(5n);
  });
});
