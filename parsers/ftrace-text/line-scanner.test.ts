/** Scanning ahead changes nothing but the speed: same records, ids, counts and diagnostics. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decompress } from 'fzstd';
import { describe, expect, it } from 'vitest';
import type { StreamFormat } from '../format.js';
import { perfScript } from '../perf-script/index.js';
import { hasScanner, openScanner } from '../scanners.js';
import { ftraceText } from './index.js';
import { ScannedLines } from './scanned-lines.js';
import { HEADER, MIXED, STACK, text } from './testing/lines.js';
import { bytesOf, essence, type Read, read } from './testing/read.js';

const TRACES = join(import.meta.dirname, '../../../shared/traces');
const SAMPLES = join(import.meta.dirname, '../../samples');
const there = existsSync(TRACES);

function readScanned(format: StreamFormat, bytes: Uint8Array, chunk: number): Read {
  const scanner = openScanner(format.id, {})!;
  return read(format, bytes, { chunk, scanner });
}

function tables({ strings, clock }: Read): unknown {
  const { comms, gfps } = strings;
  const all = (table: typeof comms): string[] =>
    Array.from({ length: table.size }, (_, id) => table.text(id));
  return { comms: all(comms), gfps: all(gfps), epochS: clock.epochS };
}

function expectSame(format: StreamFormat, bytes: Uint8Array, chunk: number): void {
  const plain = read(format, bytes, { chunk });
  const scanned = readScanned(format, bytes, chunk);
  expect(essence(scanned)).toEqual(essence(plain));
  expect(tables(scanned)).toEqual(tables(plain));
}

function firstBytes(path: string, bytes: number): Uint8Array {
  return decompress(readFileSync(path)).subarray(0, bytes);
}

const LOST = ['CPU:1 [LOST 17 EVENTS]'];
const blocks = Array.from({ length: 40 }, (_, i) => text(MIXED, i % 7 === 3 ? LOST : [], STACK));
const mixed = bytesOf(text(HEADER) + blocks.join(''));

describe('a scan ahead', () => {
  it.each([61, 700, 1500, 4096, 1 << 20])('of mixed lines in chunks of %i bytes', (chunk) => {
    expectSame(ftraceText, mixed, chunk);
  });

  it('of stamps that need an epoch', () => {
    const late = text(MIXED).replaceAll(/ {4,5}(\d+\.\d{6}):/g, ' 17000000$1:');
    expectSame(ftraceText, bytesOf(late.repeat(30)), 3000);
  });

  it('finds nearly every line of a recording', () => {
    const bytes = firstBytes(join(SAMPLES, 'k61-checker/trace.txt.zst'), 3 << 20);
    const { take } = ScannedLines.prototype;
    let lines = 0;
    ScannedLines.prototype.take = function count(this: ScannedLines): number {
      const taken = take.call(this);
      lines += taken;
      return taken;
    };
    try {
      expectSame(ftraceText, bytes, 1 << 20);
    } finally {
      ScannedLines.prototype.take = take;
    }
    const { source } = read(ftraceText, bytes, { chunk: 1 << 20 });
    expect(lines).toBeGreaterThan(0.9 * source.lines);
  });

  it.skipIf(!there).each(['k61-lost', 'k61-stack', 'k61-latency'])(
    'of %s (needs ../shared/traces)',
    (set) => {
      expectSame(ftraceText, firstBytes(join(TRACES, set, 'trace.txt.zst'), 2 << 20), 200_000);
    },
  );

  it('is there for the text formats of traces only', () => {
    expect(hasScanner('ftrace-text')).toBe(true);
    expect(hasScanner(perfScript.id)).toBe(true);
    expect(hasScanner('csv')).toBe(false);
  });
});
