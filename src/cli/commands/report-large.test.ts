/**
 * A report about a machine of 1 TiB of which a recording touches a few MiB.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ReportData } from '../../analysis/report-data.js';
import { MapColumn } from '../../charts/map-column.js';
import { openRecording } from '../../recording/open.js';
import { reconstruct } from '../../replay/reconstruct.js';
import { makeFolder, runCli } from '../testing/run-cli.js';

const TIB_PAGES = 2 ** 28;
const NORMAL = 2 ** 20;
/** Where the recording's pages lie: every 64 GiB, one largest block each. */
const PLACES = Array.from({ length: 15 }, (_, i) => (i + 1) * 2 ** 24);

function zoneinfo(): string {
  const zone = (name: string, start: number, end: number, min: number): string[] => [
    `Node 0, zone ${name.padStart(8)}`,
    `  pages free     ${min * 8}`,
    `        boost    0`,
    `        min      ${min}`,
    `        low      ${min + (min >> 2)}`,
    `        high     ${min + (min >> 1)}`,
    `        spanned  ${end - start}`,
    `        present  ${end - start}`,
    `        managed  ${end - start}`,
    '        cma      0',
    '        protection: (0, 0, 0, 0)',
    `  start_pfn:           ${start}`,
  ];
  return [
    '# mono=100.00-100.00 snap=1',
    ...zone('DMA32', 4096, NORMAL, 100),
    ...zone('Normal', NORMAL, TIB_PAGES, 20_000),
    '',
  ].join('\n');
}

/** Largest blocks become free, one after another, and of each a page is taken at once. */
function trace(): string {
  const lines = ['# tracer: nop', '#'];
  let us = 100_000_000;
  const line = (comm: string, text: string): void => {
    us += 25;
    lines.push(`${comm.padStart(16)}-42      [000] ..... ${(us / 1e6).toFixed(6)}: ${text}`);
  };
  const marker = (text: string): void => line('sh', `tracing_mark_write: ${text}`);
  for (const [snap, what] of [
    [1, 'zoneinfo'],
    [2, 'buddyinfo'],
  ] as const) {
    marker(`snap ${snap} begin ${what}`);
    marker(`snap ${snap} end ${what}`);
  }
  const page = (event: string, pfn: number, rest = ''): void =>
    line('worker', `${event}: page=(____ptrval____) pfn=0x${pfn.toString(16)} order=0${rest}`);
  const gfp = ' migratetype=0 gfp_flags=GFP_KERNEL';
  for (const place of PLACES) {
    for (let p = 0; p < 1024; p++) page('mm_page_free', place + p);
    page('mm_page_alloc', place + 5, gfp);
  }
  return `${lines.join('\n')}\n`;
}

const BUDDYINFO = [
  '# mono=100.00-100.00 snap=2',
  'Node 0, zone    DMA32   900   10    0    0    0    0    0    0    0    0    0',
  'Node 0, zone   Normal 90000 9000  900   90    0    0    0    0    0    0    0',
  '',
].join('\n');

it('knows what stands in the way, draws all of memory, and simulates only what it was shown', async () => {
  const folder = makeFolder({
    'trace.txt': trace(),
    'zoneinfo.txt': zoneinfo(),
    'buddyinfo.txt': BUDDYINFO,
  });
  const out = join(folder, 'out');
  const recording = await openRecording([folder]);
  const replay = reconstruct(recording);
  expect(replay.geometry.space.size).toBe(PLACES.length * 1024);
  replay.close();
  recording.close();
  const { code, stderr } = await runCli(['report', folder, '-o', out, '-q']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const data: ReportData = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
  const found = data.moments.flatMap(({ nearest }) => nearest ?? []);
  const largest = found.filter(({ order }) => order === 10);
  expect(largest.length).toBeGreaterThan(5);
  for (const { pfn, zone, ...block } of largest) {
    expect(data.zones[zone]!.zone).toBe('Normal');
    expect(PLACES).toContain(pfn);
    expect(block).toMatchObject({ taken: 1, immovable: 1, holders: [{ comm: 'worker' }] });
  }
  const map = data.physicalMap!;
  const pages = map.rows.reduce((sum, row) => sum + row.pages, 0);
  expect(pages).toBe(TIB_PAGES - 4096);
  const end = new MapColumn(map, 'free', map.timesNs.length - 1);
  const drawn = map.rows.filter((_, row) => end.value(row) !== null).map(({ pfn }) => pfn);
  expect(drawn).toEqual(PLACES.map((place) => map.rows.findLast(({ pfn }) => pfn <= place)!.pfn));
}, 60_000);
