import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { decompress } from 'fzstd';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ReportData } from '../../analysis/report-data.js';
import { unpackJson } from '../../report/pack.js';
import { runCli } from '../testing/run-cli.js';

const CHECKER = join('samples', 'k61-checker');
const TINY = join('samples', 'k61-tiny');
const PNG = '\x89PNG';

const folder = mkdtempSync(join(tmpdir(), 'buddyscope-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let data: ReportData;

beforeAll(async () => {
  const out = join(folder, 'checker');
  const { code, stdout } = await runCli(['report', CHECKER, '-o', out]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  data = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
}, 120_000);

it('names order, zone and reason of the failures in its first sentence', () => {
  expect(data.narrative.verdict).toMatch(
    /16.KiB in one piece \(order.2\) or more.+zone DMA32 was in pieces too small/,
  );
  expect(data.narrative.tone).toBe('bad');
});

it('names its inputs with the hash of their bytes', () => {
  const trace = data.inputs.find(({ format }) => format === 'ftrace-text')!;
  const sha256 = createHash('sha256').update(readFileSync(trace.name)).digest('hex');
  expect(trace.sha256).toBe(sha256);
});

it('says how the state was reconstructed and what each rule rests on', () => {
  expect(data.replay).toMatchObject({ level: 'buddy', seed: 'kpageflags' });
  expect(data.kernel.evidence?.pfnHex?.text).toContain('6.1');
  expect(data.settings?.min_free_kbytes).toMatch(/^\d+$/);
});

it('links the report in the kernel log to the refused request and its window', () => {
  const linked = data.kernelReports?.reports.filter((report) => report.attempt !== null);
  expect(linked?.length).toBe(1);
  const { attempt, window, timeNs, order } = linked![0]!;
  expect(order).toBe(10);
  // the trace's clock is 16 ms behind the log's; the first refusal is the one that printed
  const first = data.attempts.examples.find(({ gfp }) => !gfp.includes('NOWARN'));
  expect(attempt!.timeNs).toBe(first!.timeNs);
  expect(attempt!.timeNs).toBeGreaterThanOrEqual(timeNs!);
  expect(window!.fromNs).toBeLessThanOrEqual(timeNs!);
  expect(window!.toNs).toBeGreaterThan(timeNs!);
});

it('joins a log with dates by copies with dates', async () => {
  const [log, copies, out] = ['dated.log', 'dated-copies.txt', 'dated-report'].map((name) =>
    join(folder, name),
  );
  // 2026-11-29 12:00:00 UTC is the log's 0; the trace's is 16 ms later
  const zeroMs = Date.UTC(2026, 10, 29, 12);
  const system = join(CHECKER, 'system', 'dmesg.txt.zst');
  const lines = Buffer.from(decompress(readFileSync(system)))
    .toString('utf8')
    .split('\n');
  const dated = lines.map((line) => {
    const [, seconds, text] = /^\[\s*([\d.]+)\] (.*)$/.exec(line) ?? [];
    if (seconds === undefined) return '';
    const stamp = new Date(zeroMs + Number(seconds) * 1000).toISOString().slice(11, 19);
    return `Nov 29 ${stamp} host kernel: ${text}\n`;
  });
  writeFileSync(log!, dated.join(''));
  const snapshots = readFileSync(join(CHECKER, 'snapshots', 'buddyinfo.log'), 'utf8');
  writeFileSync(
    copies!,
    snapshots.replace(/^# mono=([\d.]+).*$/gm, (_all, seconds) =>
      ((zeroMs + Number(seconds) * 1000 + 16) / 1000).toFixed(3),
    ),
  );
  const trace = join(CHECKER, 'trace.txt.zst');
  const { code } = await runCli(['report', trace, copies!, log!, '-o', out!, '-q']);
  expect(code).toBe(0);
  const found: ReportData = JSON.parse(readFileSync(join(out!, 'summary.json'), 'utf8'));
  const { clocks, reports } = found.kernelReports!;
  expect(clocks).toHaveLength(1);
  expect(clocks[0]).toMatchObject({ clock: 'wall', method: 'copies', linked: 1 });
  const { offsetNs, uncertaintyNs } = clocks[0]!;
  expect(Math.abs(offsetNs! + (zeroMs + 16) * 1e6)).toBeLessThan(uncertaintyNs + 1e6);
  expect(uncertaintyNs).toBeLessThan(0.05e9);
  // the same refusal as by the log's own stamps
  const same = data.kernelReports!.reports.find(({ attempt }) => attempt !== null);
  expect(reports[0]!.attempt!.timeNs).toBe(same!.attempt!.timeNs);
});

it('tells what stands between a zone and its next block, and whose it is', () => {
  const looked = data.moments.filter((moment) => moment.nearest !== undefined);
  expect(looked.length).toBeGreaterThan(5);
  const blocks = looked.flatMap((moment) => moment.nearest!);
  for (const { taken, movable, immovable, unknown, order, pfn } of blocks) {
    expect(movable + immovable + unknown).toBe(taken);
    expect(taken).toBeLessThanOrEqual(2 ** order);
    expect(pfn % 2 ** order).toBe(0);
  }
  expect(blocks.some(({ holders }) => holders.some(({ comm }) => comm === 'lab'))).toBe(true);
});

it('judges the request classes of the recording, or just those asked for', async () => {
  const net = join(folder, 'net');
  const { code } = await runCli(['report', join('samples', 'k510-net'), '-o', net, '-q']);
  expect(code).toBe(0);
  const found: ReportData = JSON.parse(readFileSync(join(net, 'summary.json'), 'utf8'));
  const classes = new Set(found.totals.map(({ gfp }) => gfp));
  expect([...classes].some((gfp) => gfp.includes('__GFP_NOMEMALLOC'))).toBe(true);
  expect(found.narrative.verdict).toMatch(/__GFP_NOMEMALLOC for 8.KiB in one piece \(order.1\)/);
  const one = await runCli(['report', TINY, '--gfp', 'GFP_KERNEL', '--format', 'md', '-q']);
  expect(one.stdout).toMatch(/^# k61-tiny/);
}, 120_000);

it('writes Markdown without names when redacting, and the charts as pictures', async () => {
  const pictures = join(folder, 'png');
  const args = ['report', CHECKER, '--format', 'md', '--redact', 'key', '--png', pictures, '-q'];
  const { code, stdout } = await runCli(args);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^# report-[0-9a-f]{6}/);
  expect(stdout).not.toMatch(/k61-checker|\blab\b|busybox/);
  expect(stdout).toContain('| 2 (16');
  expect(readdirSync(pictures)).toContain('failures.png');
  expect(readFileSync(join(pictures, 'failures.png'), 'latin1').startsWith(PNG)).toBe(true);
}, 120_000);

/** Every comm, module, marker and input of a report; kernel threads keep their names. */
function namesIn(report: ReportData): string[] {
  const names = new Set([report.title, ...report.timeline.markers.map(({ text }) => text)]);
  JSON.stringify(report, (key, value: unknown) => {
    if (key === 'comm') names.add(String(value));
    const site = key === 'site' || key === 'caller' ? String(value) : '';
    for (const [, module] of site.matchAll(/\[(\w+)\]/g)) names.add(module!);
    return value;
  });
  for (const { name } of report.inputs) names.add(basename(name));
  const kernel = /^(<.*>|swapper.*|k?\w+\/\d+|kswapd\d|kcompactd\d|oom_reaper|khugepaged|.?)$/;
  return [...names].filter((name) => !kernel.test(name));
}

it('keeps no name in any file of a redacted report', async () => {
  const out = join(folder, 'redacted');
  await runCli(['report', CHECKER, '--redact', 'key', '-o', out, '-q']);
  const names = namesIn(data);
  expect(names).toEqual(expect.arrayContaining(['lab', 'busybox', 'atomicprobe', 'phase fill']));
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' });
  expect(files.length).toBeGreaterThan(10);
  for (const file of files.filter((name) => /\.\w+$/.test(name))) {
    const text = readable(readFileSync(join(out, file), 'utf8'));
    const leaked = names.filter((name) => {
      const at = text.indexOf(name);
      return at >= 0 && new RegExp(`(?<!\\w)${escapeRegExp(name)}(?!\\w)`).test(text);
    });
    expect({ file, leaked }).toEqual({ file, leaked: [] });
    for (const [, pid] of text.matchAll(/"pid":(\d+)/g)) {
      expect(pid === '0' || Number(pid) >= 100_000).toBe(true);
    }
  }
}, 120_000);

/** A page as far as it says something: its words, and what it carries compressed; not its program. */
function readable(text: string): string {
  const carried = [...text.matchAll(/id="report-(?:data|charts)">([\w+/=]+)</g)];
  if (carried.length === 0) return text;
  const unpacked = carried.map(([, packed]) => JSON.stringify(unpackJson(packed!)));
  return text.slice(0, carried[0]!.index) + unpacked.join('');
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

it('says of copies alone that nothing between them is known', async () => {
  const copies = join('samples', 'k61-checker', 'snapshots');
  const name = readdirSync(join(process.cwd(), copies)).find((file) => /^buddyinfo/.test(file))!;
  const { code, stdout } = await runCli(['report', join(copies, name), '--format', 'md', '-q']);
  expect(code).toBe(0);
  expect(stdout).toContain('at each of the 74 copies');
  expect(stdout).toContain('is not known');
  expect(stdout).not.toContain('Nothing wrong');
});

it('judges the moment of a single copy that nobody dated', async () => {
  const snapshots = join('samples', 'k61-checker', 'snapshots');
  const undated = (file: string, from: string): string => {
    const bytes = readFileSync(join(snapshots, file));
    const text = Buffer.from(file.endsWith('.zst') ? decompress(bytes) : bytes).toString();
    const lines = text.split('\n');
    const first = lines.findIndex((line) => line.startsWith('# mono=') && line.includes(from));
    const after = lines.findIndex((line, i) => i > first && line.startsWith('# mono='));
    return `${lines.slice(first + 1, after < 0 ? undefined : after).join('\n')}\n`;
  };
  const input = join(folder, 'one-copy');
  mkdirSync(input);
  writeFileSync(join(input, 'buddyinfo'), undated('buddyinfo.log', '=9.4256'));
  writeFileSync(join(input, 'zoneinfo'), undated('zoneinfo.log.zst', '='));
  writeFileSync(join(input, 'version'), 'Linux version 6.1.0-56-amd64\n');
  const out = join(folder, 'one-copy-report');
  const { code, stderr } = await runCli(['report', input, '-o', out]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/order.2\) or more would have failed when the free lists were copied/);
  const { narrative, moments }: ReportData = JSON.parse(
    readFileSync(join(out, 'summary.json'), 'utf8'),
  );
  expect(narrative.facts.map(({ figure }) => figure)[0]).toBe('Orders 2 to 10');
  expect(narrative.facts[1]!.text).toContain('enough, but not in blocks of that size');
  expect(narrative.trust[0]).toBe('The free lists are known exactly, throughout.');
  expect(new Set(moments.map(({ certainty }) => certainty))).toEqual(new Set(['exact']));
  const html = readFileSync(join(out, 'report.html'), 'utf8');
  expect(html).toContain('One copy shows one moment: there is nothing to draw over time.');
  const asked = await runCli(['predict', input, '--at', '0', '--order', '1,2', '-q']);
  expect(asked.stdout.match(/succeeds|fails/g)).toEqual(['succeeds', 'fails']);
});

it('takes copies of a kernel with fewer orders, and what fails from the first one on', async () => {
  const file = join(folder, 'nine-orders.log');
  const copy = (at: number, counts: string): string =>
    `# mono=${at}.0-${at}.0001 snap=${at}\nNode 0, zone   Normal ${counts}\n`;
  writeFileSync(file, copy(1, '100 50 20 10 5 2 1 1 0') + copy(3, '100 50 20 10 0 0 0 0 0'));
  const out = join(folder, 'nine-orders');
  const { code, stderr } = await runCli(['report', file, '-o', out]);
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /1.MiB in one piece \(order.8\) would have failed at each of the 2 copies taken in 2.s/,
  );
  const lines = readFileSync(join(out, 'failures.ndjson'), 'utf8').trim().split('\n');
  const windows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(windows[0]).toMatchObject({ order: 8, from: 1, to: 3 });
  expect(windows.map(({ order }) => order)).toEqual([8, 4, 5, 6, 7]);
});

it('shows between two copies alone what the earlier one says', async () => {
  const file = join('samples', 'k61-checker', 'snapshots', 'buddyinfo.log');
  const out = join(folder, 'copies');
  const { code } = await runCli(['report', file, '-o', out, '-q']);
  expect(code).toBe(0);
  const { timeline, headroom }: ReportData = JSON.parse(
    readFileSync(join(out, 'summary.json'), 'utf8'),
  );
  const copies = [...readFileSync(file, 'utf8').matchAll(/zone\s+DMA32\s+([\d ]+)/g)].map(
    ([, counts]) =>
      counts!
        .trim()
        .split(/\s+/)
        .reduce((sum, n, order) => sum + Number(n) * 2 ** order, 0),
  );
  const shown = timeline.zones[1]!.freePages.filter((n, i, all) => n !== all[i - 1]);
  expect(shown).toEqual(copies.filter((n, i) => n !== copies[i - 1]));
  expect(new Set(headroom.last[3]).size).toBeGreaterThan(10);
}, 60_000);

it('compares two recordings: differences first, in HTML, JSON and Markdown', async () => {
  const out = join(folder, 'compare');
  const { code, stderr } = await runCli(['compare', TINY, CHECKER, '-o', out]);
  expect(code).toBe(0);
  expect(stderr).toContain('B fails more');
  expect(existsSync(join(out, 'charts', 'compare-orders.vl.json'))).toBe(true);
  const html = readFileSync(join(out, 'compare.html'), 'utf8');
  expect(html.indexOf('What differs')).toBeLessThan(html.indexOf('Order by order'));
  expect(html).not.toContain(' style="');
  const same = await runCli(['compare', TINY, TINY, '--format', 'md', '-q']);
  expect(same.stdout).toContain('No order of atomic allocations fails for a noticeably different');
  expect(same.stdout).toContain('Machine, kernel, settings and load are alike');
  const wrong = await runCli(['compare', TINY]);
  expect(wrong.code).toBe(2);
  const flags = await runCli(['compare', TINY, TINY, '--gfp', 'GFP_ATOMIC|__GFP_NO_SUCH', '-q']);
  expect(flags.code).toBe(2);
  expect(flags.stderr).toContain('"__GFP_NO_SUCH"');
}, 120_000);

it('says of a trace of one side that it cannot be followed, and claims nothing that hangs on it', async () => {
  const input = join(folder, 'one-side');
  mkdirSync(input);
  const trace = decompress(readFileSync(join(CHECKER, 'trace.txt.zst')));
  const lines = Buffer.from(trace).toString().split('\n');
  const kept = lines.filter((line) => !/mm_page_(free|pcpu_drain|alloc_zone_locked)/.test(line));
  writeFileSync(join(input, 'trace.txt'), kept.join('\n'));
  const out = join(folder, 'one-side-report');
  const { code, stderr } = await runCli(['report', input, '-o', out]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/refused 628 atomic requests. Nothing in the input tells/);
  const { narrative, totals, holders }: ReportData = JSON.parse(
    readFileSync(join(out, 'summary.json'), 'utf8'),
  );
  expect(narrative.paragraphs[0]).toContain('mm_page_alloc without mm_page_free');
  expect([totals, holders?.holders]).toEqual([[], []]);
  const html = readFileSync(join(out, 'report.html'), 'utf8');
  expect(html).toContain('The trace has mm_page_alloc without mm_page_free: who still held what');
});

it('says what is missing where there is nothing to replay', async () => {
  const file = join('samples', 'k61-checker', 'snapshots', 'zoneinfo.log.zst');
  const { code, stderr } = await runCli(['report', file, '-o', join(folder, 'none')]);
  expect(code).toBe(3);
  expect(stderr).toContain('error[nothing-to-replay]');
});
