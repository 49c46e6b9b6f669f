/**
 * Inputs that are broken, hostile or of another machine, each through the built command line as a user
 * would give it: a coded diagnostic that names file and line, whatever can still be computed, the right
 * exit code; never a stack trace, a hang or an unbounded allocation.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from './commands/index.js';
import { type CliResult, makeFolder, runCli, traceText } from './testing/run-cli.js';

const HEAP_MIB = 384;
const BUDDYINFO =
  'Node 0, zone      DMA      1      1      1      0      2      1      1      0      1      1      3 \n';

/** The commands that read any input, as far as they exist. */
const READERS = ['inspect', 'report'].filter((name) =>
  COMMANDS.some(({ syntax }) => syntax.split(' ')[0] === name),
);

function read(command: string, inputs: readonly string[], ...more: string[]): Promise<CliResult> {
  const out = command === 'report' ? ['-o', join(makeFolder(), 'out')] : [];
  return runCli([command, ...inputs, ...out, '--verbose', ...more], { heapMiB: HEAP_MIB });
}

function expectTame(result: CliResult): void {
  expect(result.stderr).not.toMatch(/\n\s+at .+:\d+|a bug:|heap out of memory/);
  expect(result.stdout + result.stderr).not.toMatch(/[\u0000\u001b]/);
  expect([0, 3]).toContain(result.code);
}

/** `code` was reported at this file and, for text, line. */
function expectCode(result: CliResult, code: string, place: string): void {
  expectTame(result);
  const line = result.stderr
    .split('\n')
    .find((each) => each.includes(`[${code}]`) && each.includes(place));
  expect(line, result.stderr).toBeDefined();
}

/** One frame of zstd: a text as it is, then "131072 newlines" again and again in 4 bytes each. */
function zstdBomb(text: string, blocks: number): Uint8Array {
  const word = (last: number, type: number, size: number): number[] => {
    const value = last | (type << 1) | (size << 3);
    return [value & 255, (value >> 8) & 255, (value >> 16) & 255];
  };
  const header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
  const run = [...word(0, 1, 131_072), 10];
  return Buffer.concat([
    Uint8Array.from([...header, ...word(0, 0, text.length)]),
    Buffer.from(text),
    Buffer.alloc(blocks * run.length, Uint8Array.from(run)),
    Uint8Array.from([...word(1, 1, 1), 10]),
  ]);
}

function writeLongLine(path: string, before: string, bytes: number, after: string): void {
  const file = openSync(path, 'w');
  writeSync(file, before);
  const piece = Buffer.alloc(1 << 20, 'x');
  for (let made = 0; made < bytes; made += piece.length) writeSync(file, piece);
  writeSync(file, `\n${after}`);
  closeSync(file);
}

/** The trace with one line in the middle, and the number of that line. */
function withLine(line: string): { text: string; line: number } {
  const before = traceText([1, 2, 3]);
  const after = traceText([4, 5]).split('\n').slice(3).join('\n');
  return { text: `${before}${line}\n${after}`, line: before.split('\n').length };
}

const event = (body: string, comm = 'worker', time = '3.500000'): string =>
  `${comm.padStart(16)}-42      [000] ..... ${time.padStart(12)}: ${body}`;

describe.each(READERS)('%s', (command) => {
  test('an empty file', async () => {
    const result = await read(command, [join(makeFolder({ 'trace.txt': '' }), 'trace.txt')]);
    expectCode(result, 'input-empty', 'trace.txt');
    expect(result.code).toBe(3);
  });

  test('an empty directory', async () => {
    const folder = makeFolder();
    const result = await read(command, [folder]);
    expectCode(result, 'input-directory-empty', folder);
    expect(result.code).toBe(3);
  });

  test('a directory without anything usable', async () => {
    const folder = makeFolder({
      'a/notes.md': '# Notes\n\nNothing here.\n',
      'b.bin': '\u0001\u0002\u0003',
    });
    const result = await read(command, [folder]);
    expectTame(result);
    expect(result.stderr).toMatch(/\[(file-ignored|format-unknown)\] .*notes\.md/);
    expect(result.code).toBe(3);
  });

  test('a file that is not there', async () => {
    const result = await read(command, ['no/such/trace.txt']);
    expectCode(result, 'input-missing', 'no/such/trace.txt');
    expect(result.code).toBe(3);
  });

  test('text in UTF-16, as PowerShell writes it', async () => {
    const utf16 = Buffer.from(`\ufeff${traceText([1, 2])}`, 'utf16le');
    const result = await read(command, [join(makeFolder({ 'trace.txt': utf16 }), 'trace.txt')]);
    expectTame(result);
    expect(result.code).toBe(0);
  });

  test('compressed twice', async () => {
    const twice = gzipSync(gzipSync(traceText([1, 2])));
    const result = await read(command, [makeFolder({ 'trace.txt.gz.gz': twice })]);
    expectCode(result, 'input-nested-compression', 'trace.txt.gz.gz');
    expect(result.code).toBe(3);
  });

  test('a FIFO, links in circles and a file of 100 GB of nothing beside a good trace', async () => {
    const folder = makeFolder({ 'a/trace.txt': traceText([1, 2, 3]), 'b/hole.bin': '' });
    execFileSync('mkfifo', [join(folder, 'a', 'fifo')]);
    symlinkSync('..', join(folder, 'a', 'up'));
    symlinkSync('self', join(folder, 'a', 'self'));
    truncateSync(join(folder, 'b', 'hole.bin'), 100e9);
    const result = await read(command, [folder]);
    expectCode(result, 'input-unreadable', join('a', 'self'));
    expectCode(result, 'file-ignored', 'hole.bin');
    expect(result.code).toBe(0);
    expect(result.seconds).toBeLessThan(60);
  });

  test.skipIf(process.getuid?.() === 0)('a file that may not be read', async () => {
    const path = join(makeFolder({ 'trace.txt': traceText([1, 2]) }), 'trace.txt');
    chmodSync(path, 0);
    const result = await read(command, [path]);
    expectCode(result, 'input-unreadable', 'trace.txt');
    expect(result.code).toBe(3);
  });

  test('more zones than any machine has', async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => BUDDYINFO.replace('Node 0', `Node ${i}`));
    const result = await read(command, [makeFolder({ buddyinfo: rows.join('') })]);
    expectCode(result, 'zones-limit', '');
    expect(result.code).toBe(0);
    expect(result.seconds).toBeLessThan(60);
  });

  test('a wrong format', async () => {
    const jpeg = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, ...new Array(4000).fill(0x5a)]);
    const result = await read(command, [join(makeFolder({ 'photo.jpg': jpeg }), 'photo.jpg')]);
    expectTame(result);
    expect(result.stderr).toMatch(/\[(format-unknown|input-unsupported)\] .*photo\.jpg/);
    expect(result.code).toBe(3);
  });

  test('a trace cut in the middle of a line keeps what stands before', async () => {
    const text = traceText([1, 2, 3]);
    const folder = makeFolder({ 'trace.txt': text.slice(0, -30) });
    const result = await read(command, [folder]);
    expectCode(result, 'trace-cut', 'trace.txt');
    expect(result.code).toBe(0);
  });

  test('a compressed trace cut in the middle keeps what stands before', async () => {
    const times = Array.from({ length: 4000 }, (_, i) => 1 + i / 1000);
    const packed = gzipSync(traceText(times));
    const folder = makeFolder({ 'trace.txt.gz': packed.subarray(0, packed.length * 0.8) });
    const result = await read(command, [folder]);
    expectCode(result, 'input-truncated', 'trace.txt.gz');
    expect(result.code).toBe(0);
  });

  test('kernels mixed up', async () => {
    const version = (release: string) => `Linux version ${release} (gcc) #1 SMP\n`;
    const folder = makeFolder({
      'trace.txt': traceText([1, 2]),
      'a/version': version('6.1.0-56-amd64'),
      'b/version': version('5.10.0-32-amd64'),
    });
    expectCode(await read(command, [folder]), 'mixed-kernels', '5.10.0-32-amd64');
  });

  test('a snapshot from another machine', async () => {
    const other = BUDDYINFO + BUDDYINFO.replace('Node 0', 'Node 1');
    const folder = makeFolder({
      'trace.txt': traceText([1, 2]),
      'a/buddyinfo': BUDDYINFO,
      'b/buddyinfo': other,
    });
    expectCode(await read(command, [folder]), 'mixed-machines', '');
  });

  test('a line of 100 MB', async () => {
    const path = join(makeFolder(), 'trace.txt');
    const before = traceText([1, 2]);
    writeLongLine(path, before, 100e6, traceText([3]).split('\n').slice(3).join('\n'));
    const result = await read(command, [path]);
    expectCode(result, 'line-too-long', `trace.txt:${before.split('\n').length}:`);
    expect(result.code).toBe(0);
    expect(result.seconds).toBeLessThan(120);
  });

  test('a decompression bomb: 2 GB in 64 kB', async () => {
    const folder = makeFolder({ 'trace.txt.zst': zstdBomb(traceText([1, 2, 3]), 16_000) });
    const result = await read(command, [join(folder, 'trace.txt.zst')]);
    expectCode(result, 'input-bomb', 'trace.txt.zst');
    expect(result.code).toBe(0);
    expect(result.seconds).toBeLessThan(120);
  });

  test.each([
    [
      'pfn',
      'mm_page_alloc: page=(____ptrval____) pfn=0x10000000000000 order=0 migratetype=0 gfp_flags=GFP_KERNEL',
    ],
    [
      'order',
      'mm_page_alloc: page=(____ptrval____) pfn=0x10 order=99 migratetype=0 gfp_flags=GFP_KERNEL',
    ],
  ])('an impossible %s', async (field, body) => {
    const { text, line } = withLine(event(body));
    const result = await read(command, [makeFolder({ 'trace.txt': text })]);
    expectCode(result, 'event-value-impossible', `trace.txt:${line}: `);
    expect(result.stderr).toContain(`${field}=`);
    expect(result.code).toBe(0);
  });

  test('time running backwards', async () => {
    const folder = makeFolder({ 'trace.txt': traceText([5, 4, 3, 2, 1]) });
    const result = await read(command, [folder]);
    expectCode(result, 'events-out-of-order', 'trace.txt');
    expect(result.code).toBe(0);
  });

  test('NUL bytes', async () => {
    const { text, line } = withLine('\u0000'.repeat(4096));
    const result = await read(command, [makeFolder({ 'trace.txt': text })]);
    expectCode(result, 'line-unparsed', `trace.txt:${line}:`);
    expect(result.code).toBe(0);
  });

  test.each([
    '</script><script>alert(1)</script>',
    '\u001b]0;owned\u0007',
    '\u202egnp.exe',
    '=cmd|calc',
  ])('a comm of %j', async (comm) => {
    const text = traceText([1, 2, 3], comm);
    const folder = makeFolder({ 'trace.txt': text, buddyinfo: BUDDYINFO });
    const out = join(folder, 'out');
    const where = command === 'report' ? ['-o', out] : [];
    const result = await runCli([command, join(folder, 'trace.txt'), ...where]);
    expectTame(result);
    expect(result.code).toBe(0);
    if (command !== 'report') return;
    const html = readFileSync(join(out, 'report.html'), 'utf8');
    expect(html).not.toContain('<script>alert(1)');
    expect(html).not.toContain('\u001b');
  });
});
