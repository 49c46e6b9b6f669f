/**
 * Copies of /proc/buddyinfo as people hold them: undated, over hours, across a reboot, before and after, of other machines.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Narrative } from '../../analysis/report-data.js';
import { runCli } from '../testing/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'buddyscope-copies-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const row = (zone: string, counts: string): string =>
  `Node 0, zone ${zone.padStart(8)} ${counts}\n`;

/** Watermarks so low that only blocks are missed. */
const zoneinfo = (zone: string, startPfn: number, protection: string): string =>
  `Node 0, zone ${zone.padStart(8)}
  pages free     50000
        boost    0
        min      4
        low      5
        high     6
        spanned  200000
        present  200000
        managed  200000
        cma      0
        protection: (${protection})
  start_pfn:           ${startPfn}
`;

interface Said {
  readonly html: string;
  readonly code: number | null;
  readonly stderr: string;
  readonly narrative: Narrative;
  readonly all: string;
}

let reports = 0;

async function report(input: string): Promise<Said> {
  const out = join(folder, `out${reports++}`);
  const { code, stderr } = await runCli(['report', input, '-o', out]);
  expect(code).toBe(0);
  const { narrative } = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as {
    narrative: Narrative;
  };
  const html = readFileSync(join(out, 'report.html'), 'utf8');
  return { html, code, stderr, narrative, all: JSON.stringify(narrative).replace(/\u00a0/g, ' ') };
}

const FULL = '100 50 20 10 5 2 1 1 1 1 1';
const NO_8 = '100 50 20 10 5 2 1 1 0 0 0';
const NO_4 = '9000 50 20 10 0 0 0 0 0 0 0';
const STARTS = 4096;

function folderOf(name: string, copies: readonly string[]): string {
  put(`${name}/zoneinfo`, zoneinfo('Normal', STARTS, '0, 0'));
  return dirname(put(`${name}/buddyinfo.log`, copies.join('\n')));
}

it('counts copies, and speaks of no second between them or of copies that nobody dated', async () => {
  const counts = [FULL, NO_8, NO_4, NO_8, FULL];
  const undated = folderOf(
    'undated',
    counts.map((text) => row('Normal', text)),
  );
  const { all, narrative, html } = await report(undated);
  expect(narrative.verdict).toMatch(
    /order.4\) or more would have failed at 1 of the 5 copies, mostly/,
  );
  expect(all).toContain(
    'orders 4 to 7: 1; orders 8 to 10: 3. Orders 1 to 3 could have been served',
  );
  expect(html).toContain('5 copies without a time, drawn a second apart');
  const { stdout } = await runCli(['report', undated, '--format', 'md', '-q']);
  expect(stdout.replace(/\u00a0/g, ' ')).toContain(
    '| 8 (1 MiB) | at 3 of the 5 copies | fragmented |',
  );
  expect(all).not.toMatch(/\d (?:s|ms|min|h)\b|best estimate/i);

  const hours = counts.map((text, i) => `${1795903200 + i * 7200}\n${row('Normal', text)}`);
  const dated = await report(folderOf('dated', hours));
  expect(dated.narrative.verdict).toContain('at 1 of the 5 copies taken in 8\u00a0h, mostly');
});

it('says how much was free at a last copy that opens a window', async () => {
  const { narrative } = await report(
    folderOf('ends', [`1795903200\n${row('Normal', FULL)}`, `1795903260\n${row('Normal', NO_8)}`]),
  );
  expect(narrative.facts[0]!.text).toMatch(/at the last copy, 60.s after the first/);
  // 696 pages
  expect(narrative.facts[1]!.figure).toBe('2.72 MiB'.replace(' ', '\u00a0'));
});

it('leaves HighMem out of what an atomic request could have had', async () => {
  const zones = row('Normal', NO_4) + row('HighMem', '3000 1000 200 50 30 20 10 5 3 2 10');
  put('highmem/zoneinfo', zoneinfo('Normal', STARTS, '0, 0') + zoneinfo('HighMem', 225280, '0, 0'));
  const { narrative } = await report(dirname(put('highmem/buddyinfo', zones)));
  expect(narrative.facts[1]).toEqual({
    figure: '36.2\u00a0MiB',
    text: 'of memory was free, in the zones that it may use, while order 4 failed: enough, but not in blocks of that size.',
  });
});

it('claims no request served where the watermarks are not known', async () => {
  const file = put('bare', row('DMA32', FULL));
  const { all, html } = await report(file);
  // nothing to move in: no slider
  expect(html).toContain('class="toolbar still"');
  expect(all).toContain('would have found a block, without any page being freed; how many of them');
  expect(all).toContain('Watermarks and lowmem_reserve unknown: verdicts rest on contiguity alone');
  for (const command of [['predict', '--at', '0'], ['failures']]) {
    const { stderr } = await runCli([command[0]!, file, ...command.slice(1)]);
    expect(stderr).toContain('info[marks-unknown]');
  }
  const { stderr } = await runCli(['failures', file]);
  expect(stderr).toContain('No span was found in which such a request fails.');
});

it('does not take the 16 MiB of zone DMA for memory that any request may use', async () => {
  const dma = row('DMA', '0 0 0 0 0 1 1 1 0 1 3');
  const { narrative } = await report(put('dma', dma + row('DMA32', NO_4)));
  expect(narrative.verdict).toMatch(
    /^A free block of every order up to 3 was there when the free lists were copied, but of orders 4 to 10 only in zone DMA,/,
  );
  const large = row('DMA', '9 9 9 9 9 9 9 9 9 9 300');
  const arm = await report(put('large-dma', large + row('Normal', NO_4)));
  expect(arm.narrative.verdict).toMatch(/^A free block of every order up to 10 was there/);
});

it('takes a machine of 64 KiB pages without a zone DMA, and says what bytes rest on', async () => {
  const text =
    row('DMA32', '3 1 0 1 0 1 0 0 0 0 1 0 0 1') + row('Normal', '9 5 0 0 0 0 0 0 0 0 0 0 0 0');
  const { stderr, narrative } = await report(put('arm64', text));
  expect(narrative.verdict).toContain('every order up to 13 was there');
  expect(stderr).toContain('info[page-size-assumed] pages are taken to be of 4 KiB');
});

it('tells of a reboot, or of a clock set back, between two copies', async () => {
  const copies = (stamps: readonly string[]): string =>
    stamps.map((stamp) => `${stamp}\n${row('Normal', FULL)}`).join('');
  const uptime = copies(['44300.12 88000.11', '44301.12 88001.11', '20.12 38.11', '21.12 39.11']);
  const rebooted = await report(put('rebooted', uptime));
  expect(rebooted.stderr).toMatch(/warning\[copies-go-back\] \S+:6: .*the machine was rebooted/);
  const back = await report(put('back', copies(['1795903200', '1795903201', '1795899602'])));
  expect(back.stderr).toMatch(/warning\[copies-go-back\] \S+:6: .*the clock was set back/);
  const forth = await report(put('forth', copies(['1795903200', '1795903201', '1795999602'])));
  expect(forth.stderr).not.toContain('copies-go-back');
});

it('compares a copy before with one after', async () => {
  const [before, after] = [
    put('before.txt', row('Normal', FULL)),
    put('after.txt', row('Normal', NO_8)),
  ];
  const { code, stdout } = await runCli(['compare', before, after, '--format', 'md', '-q']);
  expect(code).toBe(0);
  expect(stdout.replace(/\u00a0/g, ' ')).toContain(
    'Of orders 8 to 10 a free block was there in A, but not in B; 9.72 MiB were free in A and 2.72 MiB in B. How much',
  );
  const dma = row('DMA', '0 0 0 0 0 1 1 1 0 1 3');
  const [a, b] = [FULL, NO_8].map((text, i) => put(`dma${i}.txt`, dma + row('DMA32', text)));
  const beside = await runCli(['compare', a!, b!, '--format', 'md', '-q']);
  expect(beside.stdout).toContain('a free block was there outside zone DMA in A, but not in B');
  // how much memory there is nobody says
  expect(stdout).toContain('Machine, kernel, settings and load are alike');
});

it('knows nothing outside the recording', async () => {
  const file = put(
    'dated.txt',
    `1795903200\n${row('Normal', FULL)}\n1795903201\n${row('Normal', FULL)}`,
  );
  const at = ['--at', '1795903201,1795903300,7'];
  const state = await runCli(['state', file, ...at]);
  expect(state.stdout.match(/certainty=\w+/g)!.slice(1)).toEqual([
    'certainty=unknown',
    'certainty=unknown',
  ]);
  expect(state.stdout).not.toMatch(/t=1795903201 certainty=unknown/);
  expect(state.stderr).toMatch(
    /warning\[instant-outside\] 2 of the instants .* runs from 1795903200 to 1795903201 s/,
  );
  const asked = await runCli(['predict', file, '--order', '2', ...at]);
  expect(asked.stdout.match(/succeeds|undetermined/g)).toEqual([
    'succeeds',
    'undetermined',
    'undetermined',
  ]);
});

it('says what a time is where it is given another', async () => {
  const file = put('clock.txt', `1795903200\n${row('Normal', FULL)}`);
  const { code, stderr } = await runCli(['state', file, '--at', '14:05:03']);
  expect(code).toBe(2);
  expect(stderr).toContain('"14:05:03" is no time in seconds, on the clock of the recording');
});

it('makes no llfree trace of copies', async () => {
  const { code, stdout, stderr } = await runCli([
    'convert',
    put('alone', row('Normal', FULL)),
    '--to',
    'llfree',
  ]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('llfree holds events alone, and none are in the input');
});

it('has nothing to verify without events, and gives no figures for it', async () => {
  const file = put('loop', [1, 2, 3].map((s) => `179590320${s}\n${row('Normal', FULL)}`).join(''));
  const { code, stdout } = await runCli(['verify', file, '-q']);
  expect([code, stdout]).toEqual([
    0,
    'nothing to verify: no events are in the input that free lists can be followed by\n',
  ]);
});

it('does not call all well beside a kernel log that tells of failed allocations', async () => {
  const input = folderOf('sos', [row('Normal', FULL)]);
  put(
    'sos/messages',
    '[ 1.5] smartctl: page allocation failure: order:3, mode:0x820(GFP_ATOMIC), nodemask=(null)\n',
  );
  const { narrative } = await report(input);
  expect(narrative.verdict).toMatch(
    /^The kernel log tells of 1 failed allocation, but when the free/,
  );
  expect(narrative.tone).toBe('warn');
});
