/**
 * Requests that were made to fail, in each way a kernel knows, on kernels of our own: the cause that
 * the report gives against what the kernel's free lists held right before (testing/truth.ts).
 *
 * The logs are excerpts: banner, truth lines, reports without registers, guesses and task tables.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readLog } from '../../parsers/dmesg/testing/read.js';
import type { Cause, PostmortemReport } from './findings.js';
import { postmortemOf } from './postmortem.js';
import { lettersFrom, truthBefore, type ZoneTruth } from './testing/truth.js';

const FOLDER = join(import.meta.dirname, 'testing', 'recorded');

/** By file: order, mask, cause, and `node zone` that decides. */
const EXPECTED: Readonly<
  Record<string, readonly (readonly [number | null, number, Cause, string])[]>
> = {
  'made-510.log': [
    [null, 0xcc0, 'impossible-request', ''],
    [0, 0xa21, 'below-watermark', '0 DMA'],
    [0, 0xa20, 'below-watermark', '0 DMA32'],
    [5, 0x10cc0, 'fragmented', '0 DMA32'],
    [0, 0x800, 'below-watermark', '0 DMA32'],
    [2, 0x80a20, 'below-watermark', '0 DMA32'],
    [3, 0x800, 'only-highatomic', '0 DMA32'],
  ],
  'made-510-isolated.log': [
    [3, 0x40a20, 'only-isolated', '0 DMA32'],
    [0, 0x800, 'below-watermark', '0 DMA32'],
  ],
  'made-510-slab.log': [
    [1, 0x40a20, 'fragmented', '0 DMA32'],
    [0, 0xa20, 'below-watermark', '0 DMA32'],
  ],
  'made-510-three-zones.log': [
    [0, 0xa20, 'lowmem-reserve', '0 DMA32'],
    [2, 0x40a20, 'lowmem-reserve', '0 DMA32'],
  ],
  'made-61.log': [
    [null, 0xcc0, 'impossible-request', ''],
    [0, 0xa21, 'below-watermark', '0 DMA'],
    [3, 0xa20, 'fragmented', '0 DMA32'],
    [5, 0x10cc0, 'fragmented', '0 DMA32'],
    [0, 0x800, 'below-watermark', '0 DMA32'],
    [2, 0x80a20, 'below-watermark', '0 DMA32'],
    [3, 0x800, 'only-highatomic', '0 DMA32'],
  ],
  'made-61-isolated.log': [
    [3, 0x40a20, 'only-isolated', '0 DMA32'],
    [5, 0x10cc0, 'only-isolated', '0 DMA32'],
    [0, 0x800, 'below-watermark', '0 DMA32'],
  ],
  'made-61-three-zones.log': [
    [0, 0xa20, 'lowmem-reserve', '0 DMA32'],
    [2, 0x40a20, 'lowmem-reserve', '0 DMA32'],
  ],
  'made-612.log': [
    [null, 0xcc0, 'impossible-request', ''],
    [0, 0x821, 'below-watermark', '0 DMA'],
    [5, 0x10cc0, 'fragmented', '0 DMA32'],
    [0, 0x800, 'below-watermark', '0 DMA32'],
    [2, 0x80820, 'below-watermark', '0 DMA32'],
    [3, 0x800, 'only-highatomic', '0 DMA32'],
  ],
  'made-612-isolated.log': [
    [3, 0x40820, 'only-isolated', '0 DMA32'],
    [5, 0x10cc0, 'only-isolated', '0 DMA32'],
    [0, 0x800, 'below-watermark', '0 DMA32'],
  ],
  'made-612-three-zones.log': [[2, 0x40820, 'lowmem-reserve', '0 DMA32']],
  'made-612-nodes.log': [
    [0, 0x200820, 'below-watermark', '1 DMA32'],
    [3, 0x200820, 'fragmented', '1 DMA32'],
  ],
  'made-72.log': [
    [null, 0xcc0, 'impossible-request', ''],
    [0, 0x821, 'below-watermark', '0 DMA'],
    [0, 0x820, 'below-watermark', '0 DMA32'],
    [0, 0x800, 'below-watermark', '0 DMA32'],
    [2, 0x80820, 'below-watermark', '0 DMA32'],
    [3, 0x800, 'should-have-passed', '0 DMA32'],
  ],
  'made-72-blocks.log': [
    [3, 0x820, 'fragmented', '0 DMA32'],
    [5, 0x10cc0, 'fragmented', '0 DMA32'],
    [3, 0x800, 'only-highatomic', '0 DMA32'],
  ],
  'made-72-three-zones.log': [
    [2, 0x40820, 'lowmem-reserve', '0 DMA32'],
    [3, 0x820, 'should-have-passed', '0 DMA32'],
  ],
  'made-72-isolated.log': [
    [5, 0x10cc0, 'only-isolated', '0 DMA32'],
    [0, 0x800, 'below-watermark', '0 DMA32'],
  ],
  'made-72-slab.log': [[0, 0x40820, 'below-watermark', '0 DMA32']],
  'made-72-cma.log': [
    [3, 0x800, 'should-have-passed', '0 DMA32'],
    [4, 0x40820, 'only-cma', '0 DMA32'],
  ],
};

/** What the kernel's lists must have looked like for this cause; '' = as they must. */
function contradiction(report: PostmortemReport, truth: ZoneTruth): string {
  const order = report.order ?? 0;
  const letters = lettersFrom(truth, order);
  const counted = truth.free - truth.cma - (2 ** order - 1);
  const reserve = Math.max(0, ...truth.reserve);
  const wrong: Readonly<Partial<Record<Cause, boolean>>> = {
    fragmented: letters !== '',
    'only-highatomic': letters !== 'H',
    'only-cma': letters !== 'C',
    'only-isolated': letters !== 'I',
    'below-watermark': counted > truth.min + truth.boost,
    'lowmem-reserve': counted <= (truth.min * 3) / 8 || counted > truth.min + reserve,
    // the figures came too late: when it was asked, no block that it might take was there
    'should-have-passed': /[UME]/.test(letters),
  };
  return wrong[report.cause] === false ? '' : `${report.cause}: ${letters} ${counted}`;
}

describe.each(Object.entries(EXPECTED))('%s', (file, expected) => {
  const bytes = readFileSync(join(FOLDER, file));
  const lines = bytes.toString('utf8').split('\n');
  const log = readLog(bytes, 997, file);
  const { reports, leftOut } = postmortemOf(log.records);
  const made = reports.filter((report) => report.order !== null);

  test('causes', () => {
    const told = reports.map(({ order, splat, cause, decisive }) => [
      order,
      splat.header.mode,
      cause,
      decisive === null ? '' : `${decisive.node} ${decisive.zone}`,
    ]);
    expect(told).toEqual(expected);
  });

  test('the kernel’s own lists right before do not contradict them', () => {
    for (const report of made) {
      const { decisive } = report;
      const truth = truthBefore(lines, report.splat.line).find(
        (zone) => zone.node === decisive?.node && zone.zone === decisive.zone,
      );
      expect(truth).toBeDefined();
      expect(contradiction(report, truth!)).toBe('');
    }
  });

  test('who asked is the module, in the context that it asked in', () => {
    for (const { caller, splat } of made) {
      const atomic = ((splat.header.mode ?? 0) & 0x20) !== 0;
      expect(caller).toMatchObject({
        owner: 'splatprobe',
        context: atomic ? 'softirq' : 'process',
      });
    }
  });

  test('every line of every report was used, whatever stands between', () => {
    for (const { missing, splat } of made) {
      expect(missing).toEqual([]);
      expect(splat.damage).toEqual({ interleaved: false, rewrapped: false, cut: false });
    }
    expect(log.diagnostics.all).toEqual([]);
    const others = Object.keys(leftOut);
    expect(others).toEqual(others.length === 0 ? [] : ['sysrq-memory', 'oom-kill']);
  });
});

test('isolated pages are on the lists, but not in the counter that the watermarks are held against', () => {
  for (const kernel of ['510', '61', '612', '72']) {
    const file = `made-${kernel}-isolated.log`;
    const text = readFileSync(join(FOLDER, file));
    const lines = text.toString('utf8').split('\n');
    for (const report of postmortemOf(readLog(text).records).reports) {
      const { decisive, splat, notes } = report;
      const truth = truthBefore(lines, splat.line).find(({ zone }) => zone === decisive!.zone)!;
      const pages = (letter: string): number =>
        truth.blocks.reduce((sum, blocks, q) => sum + (blocks[letter] ?? 0) * 2 ** q, 0);
      expect(pages('I')).toBeGreaterThan(32_000);
      expect(Math.abs(pages('U') + pages('M') + pages('E') - truth.free)).toBeLessThan(128);
      const list = splat.memory.freeLists.find(({ zone }) => zone === decisive!.zone)!;
      expect(list.totalKB! / 4 - decisive!.freePages!).toBeGreaterThan(32_000);
      expect(notes.join()).toMatch(/isolated pages are on the lists but do not count as free/);
    }
  }
});

test('the slab cache that asked, in the words of 5.10 and of 7.2', () => {
  const told = ['made-510-slab.log', 'made-72-slab.log'].flatMap((file) =>
    postmortemOf(readLog(readFileSync(join(FOLDER, file))).records).reports.map((report) => [
      report.order,
      report.caller.cache,
      report.splat.slub[0]?.minOrder,
      report.advice.some((advice) => advice.id === 'slab-object'),
    ]),
  );
  expect(told).toEqual([
    [1, 'kmalloc-8k', 1, true],
    [0, 'kmalloc-256', 0, false],
    [0, 'kmalloc-256', 0, false],
  ]);
});

test('advice starts from what vm.min_free_kbytes was', () => {
  const nows = ['made-510.log', 'made-61.log', 'made-612.log', 'made-72.log'].flatMap((file) =>
    postmortemOf(readLog(readFileSync(join(FOLDER, file))).records)
      .reports.flatMap((report) => report.advice)
      .filter((advice) => advice.id === 'min-free-kbytes')
      .map((advice) => Number(/from about ([\d,]+)/.exec(advice.what)?.[1]?.replace(',', ''))),
  );
  expect(nows.length).toBeGreaterThan(6);
  // set to 4000 in all of them; boosts of 8 MiB and unprinted zones are in the way
  for (const now of nows) expect(Math.abs(now - 4000)).toBeLessThan(100);
});
