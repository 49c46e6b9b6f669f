/**
 * Logs that pstore kept in parts are read in the order of time, whatever the order of the parts.
 */
import { expect, test } from 'vitest';
import { normalZone, specOf } from '../../src/postmortem/testing/spec.js';
import { printReport } from './testing/generate.js';
import { readLog } from './testing/read.js';

const ZONE = normalZone({ min: 400, blocks: [50_000, 900, 0, 0, 0, 0, 0, 0, 0, 0, 0] });
const LINES = printReport(specOf('6.1.40', 'atomic', 4, [ZONE]), '6.1.40').map(
  (text, i) => `<4>[  100.${String(i).padStart(6, '0')}] ${text}`,
);
const third = Math.ceil(LINES.length / 3);
const OLDEST_FIRST = [0, 1, 2].map((i) => LINES.slice(i * third, (i + 1) * third));

/** Part 1 is the newest. */
const part = (number: number, dump = 'Oops#1'): string[] => [
  `${dump} Part${number}`,
  ...OLDEST_FIRST[3 - number]!,
];
const read = (lines: readonly string[], chunkBytes = 4096) =>
  readLog(`${lines.join('\n')}\n`, chunkBytes).splats;

test.each([7, 100, 4096])('newest part first, in chunks of %i bytes', (chunkBytes) => {
  const splats = read([...part(1), ...part(2), ...part(3)], chunkBytes);
  expect(splats).toHaveLength(1);
  const [splat] = splats;
  expect(splat).toMatchObject({ kind: 'page-allocation-failure', header: { order: 4 } });
  expect(splat?.memory.freeLists[0]).toMatchObject({ complete: true });
  // where the header stands in the file: behind two parts and its own name
  expect(splat?.line).toBe(2 * (third + 1) - (3 * third - LINES.length) + 2);
});

test('oldest part first, under a file name, and two dumps in one file', () => {
  const ordered = ['==> dmesg <==', ...part(3), ...part(2), ...part(1)];
  expect(read(ordered)[0]?.memory.freeLists[0]?.complete).toBe(true);
  const both = [1, 2, 3].flatMap((n) => part(n, 'Panic#2'));
  const splats = read([...[1, 2, 3].flatMap((n) => part(n)), ...both]);
  expect(splats.map(({ memory }) => memory.freeLists[0]?.complete)).toEqual([true, true]);
});

test('other logs that speak of parts are read as they stand', () => {
  const splats = read([...LINES, ...part(1)]);
  expect(splats[0]).toMatchObject({ line: 1, memory: { freeLists: [{ complete: true }] } });
});
