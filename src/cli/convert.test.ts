import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, runCli, traceText } from './testing/run-cli.js';

const COPIES = [
  '# mono=1.000000001-1.000100002 snap=1',
  'Node 0, zone      DMA      1      0      2      1      1      0      1      0      1      1      3 ',
  '# mono=2.000000001-2.000100002 snap=2',
  'Node 0, zone      DMA      0      1      2      1      1      0      1      0      1      1      3 ',
  '',
].join('\n');

function recording(): string {
  return makeFolder({ 'trace.txt': traceText([1.25, 1.5, 2.75]), 'buddyinfo.log': COPIES });
}

test('both formats into a folder, and what was written reads back to the same', async () => {
  const folder = recording();
  const out = join(folder, 'out');
  const first = await runCli([
    'convert',
    join(folder, 'trace.txt'),
    join(folder, 'buddyinfo.log'),
    '--to',
    'ndjson,csv',
    '-o',
    out,
  ]);
  expect(first.code).toBe(0);
  expect(first.stdout).toBe('');
  expect(readdirSync(out).sort()).toEqual([
    'events.csv',
    'events.ndjson',
    'snapshots.csv',
    'snapshots.ndjson',
  ]);
  const events = readFileSync(join(out, 'events.ndjson'), 'utf8');
  expect(events.trimEnd().split('\n')).toHaveLength(6);
  expect(JSON.parse(events.split('\n')[0]!)).toMatchObject({
    t: 1.25,
    pfn: 0x1000,
    order: 0,
    comm: 'worker',
  });
  for (const name of ['events.csv', 'events.ndjson']) {
    const again = await runCli(['convert', join(out, name), '--what', 'events']);
    expect(again.stdout).toBe(events);
  }
});

test('an LLFree replay trace holds the allocations and frees, and reads back as such', async () => {
  const folder = recording();
  const out = join(folder, 'out');
  const result = await runCli(['convert', join(folder, 'trace.txt'), '--to', 'llfree', '-o', out]);
  expect({ code: result.code, stdout: result.stdout }).toEqual({ code: 0, stdout: '' });
  const back = await runCli(['convert', join(out, 'events.llfree'), '--what', 'events']);
  const pick = (text: string): unknown[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ event }) => /mm_page_(alloc|free)$/.test(event))
      .map(({ t, event, cpu, pfn, order }) => ({ t, event, cpu, pfn, order }));
  const plain = await runCli(['convert', join(folder, 'trace.txt'), '--what', 'events']);
  expect(pick(back.stdout)).toEqual(pick(plain.stdout));
  expect(pick(back.stdout).length).toBeGreaterThan(3);
  expect(back.stdout).toMatch(/"gfp_flags":"0x/);
});

test('an existing file is kept unless --force', async () => {
  const folder = recording();
  const args = ['convert', join(folder, 'buddyinfo.log'), '-o', join(folder, 'out')];
  expect((await runCli(args)).code).toBe(0);
  const second = await runCli(args);
  expect(second.code).toBe(2);
  expect(second.stderr).toContain('exists; --force overwrites it');
  expect((await runCli([...args, '--force'])).code).toBe(0);
});

test('an output that cannot be written is no bug of ours', async () => {
  const folder = recording();
  const result = await runCli(['convert', folder, '-o', join(folder, 'trace.txt', 'below')]);
  expect(result.code).toBe(2);
  expect(result.stderr).toMatch(/cannot write|not a directory/);
});

test('CSV on stdout has one table and says so', async () => {
  const { stdout, stderr } = await runCli(['convert', recording(), '--to', 'csv']);
  expect(stdout.split('\n')[0]).toMatch(/^t,event,/);
  expect(stdout).not.toContain('buddyinfo');
  expect(stderr).toContain('--what snapshots');
});

test.each([
  ['--to', 'xml'],
  ['--to', 'ndjson,csv'],
  ['--to', 'csv', '--what', 'all'],
])('what cannot be is a usage error: %s %s', async (...args) => {
  const { code, stdout } = await runCli(['convert', recording(), ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('nothing usable: code 3 and nothing on stdout', async () => {
  const { code, stdout } = await runCli(['convert', makeFolder({ 'a.txt': 'hello\n' })]);
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
});
