/**
 * A trace that Perfetto 56 recorded (traced_probes, 6.18, two cpus), beside the text of an ftrace instance that had
 * the same events at the same time; and rare events as it writes them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decompress } from 'fzstd';
import { expect, it } from 'vitest';
import { EventKind, RARE_FIELDS } from '../../src/records/events.js';
import { type Collected, collect, type Row } from '../event-format/testing.js';
import { isPageRow, sayRow } from '../event-format/testing-text.js';
import { ftraceText } from '../ftrace-text/index.js';
import { detect } from '../registry.js';
import { perfetto } from './index.js';

const fixture = (name: string): Uint8Array =>
  decompress(readFileSync(join(import.meta.dirname, 'fixtures', name)));
/** Each of the two buffers stamps an event for itself. */
const APART_NS = 100_000;

function pagesOf({ rows, clock }: Collected, cpu: number): { said: string; timeNs: number }[] {
  // No process tree was recorded, and Perfetto has masks for names of gfp flags.
  const bare = (row: Row): Row => ({ ...row, comm: '', gfp: '', timeNs: 0, detail: 0 });
  return rows
    .filter((row) => row.cpu === cpu && isPageRow(row))
    .map((row) => ({ said: sayRow(bare(row), 9), timeNs: row.timeNs + clock.epochS * 1e9 }));
}

it('gives what ftrace text gives of the same moments, event by event', () => {
  const bytes = fixture('perfetto56.pftrace.zst');
  expect(detect(bytes.subarray(0, 1 << 16), 'x')?.format.id).toBe('perfetto');
  const trace = collect(perfetto, bytes);
  const text = collect(ftraceText, fixture('perfetto56.trace.txt.zst'));
  let compared = 0;
  for (const cpu of [0, 1]) {
    const ours = pagesOf(trace, cpu);
    const theirs = pagesOf(text, cpu);
    const from = theirs.findIndex(
      ({ said, timeNs }) => said === ours[0]!.said && Math.abs(timeNs - ours[0]!.timeNs) < APART_NS,
    );
    ours.forEach(({ said, timeNs }, i) => {
      const other = theirs[from + i];
      expect([i, said]).toEqual([i, other?.said]);
      expect(Math.abs(timeNs - other!.timeNs)).toBeLessThan(APART_NS);
    });
    compared += ours.length;
  }
  expect(compared).toBeGreaterThan(6000);
  expect(trace.diagnostics.all).toEqual([]);
  expect(trace.snapshots.filter(({ kind }) => kind === 'buddyinfo')).not.toHaveLength(0);
  const marks = trace.rows.filter(({ kind }) => kind === EventKind.marker);
  expect(marks.map(({ rare }) => trace.strings.texts.text(rare[0]!))).toEqual([
    'snap 1 begin test',
    'phase test',
  ]);
});

/** One packet with one bundle of one event, its fields as [number, value]. */
function eventBytes(member: number, fields: readonly (readonly [number, bigint])[]): Uint8Array {
  const varint = (value: bigint): number[] => {
    const bytes: number[] = [];
    for (let left = value; ; left >>= 7n) {
      bytes.push(Number(left & 127n) | (left > 127n ? 128 : 0));
      if (left <= 127n) return bytes;
    }
  };
  const block = (number: number, inner: number[]): number[] => [
    ...varint(BigInt((number << 3) | 2)),
    ...varint(BigInt(inner.length)),
    ...inner,
  ];
  const inner = fields.flatMap(([number, value]) => [
    ...varint(BigInt(number << 3)),
    ...varint(value),
  ]);
  const event = [...[8, ...varint(5_000_000_000n)], ...[16, 36], ...block(member, inner)];
  return Uint8Array.from(block(1, block(1, [8, 1, ...block(2, event)])));
}

// As ftrace printed them beside what Perfetto wrote of them.
it.each([
  ['compactionBegin', 99, [1, 1, 3584, 4096, 1], '1 1 3584 4096 sync'],
  ['compactionEnd', 103, [1, 3584, 3584, 4096, 1, 5], '1 3584 3584 4096 sync complete'],
  ['isolateFreepages', 105, [4_783_616, 4_784_024, 408, 34], '4783616 4784024 408 34'],
  ['isolateMigratepages', 106, [1, 512, 511, 0], '1 512 511 0'],
  ['compactionFinished', 104, [0, 0, -1, 4], '0 NaN -1 continue'],
  ['migratepages', 109, [32, 0], '32 0'],
  ['kcompactdSleep', 107, [0], '0'],
] as const)('%s', (name, member, values, said) => {
  const fields = values.map((value, i) => [i + 1, BigInt.asUintN(64, BigInt(value))] as const);
  const { rows, strings, diagnostics } = collect(perfetto, eventBytes(member, fields));
  const names = RARE_FIELDS[EventKind[name]]!;
  const words = rows[0]!.rare
    .slice(0, names.length)
    .map((v, f) => (names[f]!.startsWith('$') && v > 0 ? strings.texts.text(v) : String(v)));
  expect([rows[0]!.kind, rows[0]!.cpu, rows[0]!.pid, words.join(' ')]).toEqual([
    ...[EventKind[name], 1, 36, said],
  ]);
  expect(diagnostics.all).toEqual([]);
});
