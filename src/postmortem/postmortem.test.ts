/**
 * Causes: each one made in each generation that knows it, the watermark vectors of the kernel model,
 * and real reports where they are at hand.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GENERATIONS, type Generation, printReport } from '../../parsers/dmesg/testing/generate.js';
import { readLog } from '../../parsers/dmesg/testing/read.js';
import { explainSplat } from './explain.js';
import type { Cause } from './findings.js';
import { explained, normalZone, specOf } from './testing/spec.js';
import { CUT_FACTS, SPLAT_FACTS } from './testing/splat-facts.js';

const OLD: readonly Generation[] = ['2.6.32', '3.0.101', '3.10.108', '4.1.52'];
const MODERN: readonly Generation[] = [
  '4.4.302',
  '4.9.337',
  '4.14.336',
  '5.10.247',
  '6.1.40',
  '6.12.40',
  '7.2.3',
];
const blocks = (...counts: number[]): number[] =>
  [...counts, ...new Array<number>(11).fill(0)].slice(0, 11);

describe('watermark vectors', () => {
  // free 1604 pages, min 1000: E1 of the kernel model
  const e1 = normalZone({ min: 1000, blocks: blocks(900, 300, 20, 3) });

  test.each(OLD)(
    'E1 on %s: the halving rule refuses order 3 although blocks exist',
    (generation) => {
      const two = explained(specOf(generation, 'atomic', 2, [e1]), generation);
      const three = explained(specOf(generation, 'atomic', 3, [e1]), generation);
      expect(two.cause).toBe('should-have-passed');
      expect(three.cause).toBe('old-halving-rule');
      expect(three.decisive).toMatchObject({ blocks: 3, reducedPages: 375, pagesShort: 0 });
    },
  );

  test.each(MODERN)('E1 on %s: one suitable block is enough', (generation) => {
    const three = explained(specOf(generation, 'atomic', 3, [e1]), generation);
    const four = explained(specOf(generation, 'atomic', 4, [e1]), generation);
    expect(three.cause).toBe('should-have-passed');
    expect(three.decisive?.marginPages).toBe(1604 - 7 - 375 - 1);
    expect(four.cause).toBe('fragmented');
    expect(four.decisive).toMatchObject({ blocks: 0, blocksShort: 1, servedOrder: 3 });
    expect(four.decisive?.fragmentationIndex).toBe(918);
  });

  test('E2: old kernels accept orders 1 to 5 of a well-formed zone', () => {
    const zone = normalZone({ min: 1000, blocks: blocks(200, 150, 60, 30, 10, 3) });
    for (const order of [1, 2, 3, 4, 5])
      expect(explained(specOf('3.10.108', 'atomic', order, [zone]), '3.10.108').cause).toBe(
        'should-have-passed',
      );
  });

  test.each<[string, number[], string[]]>([
    ['its lowmem_reserve[] and free list', [0, 0, 0, 0], ['lowmem_reserve', 'Normal', 'DMA32: ']],
    ['the lines of the zones above DMA32', [0, 0, 12_890, 12_890], ['Normal', 'DMA32: ']],
  ])('a log cut inside the zones does not hold %s', (what, reserve, cutFrom) => {
    const dma32 = normalZone({
      zone: 'DMA32',
      min: 900,
      managed: 99_000,
      blocks: blocks(9000),
      reserve,
    });
    const normal = normalZone({ min: 1000, managed: 3_299_840, blocks: blocks(300) });
    const lines = printReport(specOf('5.10.247', 'atomic', 4, [dma32, normal]), '5.10.247');
    const zone = lines.findIndex((line) => line.includes('DMA32 free:'));
    const end = lines.findIndex((line, i) => i > zone && line.includes(cutFrom[0]!));
    const report = explainSplat(readLog(`${lines.slice(0, end).join('\n')}\n`).splats[0]!);
    expect(report).toMatchObject({ cause: 'cannot-be-told', certainty: 'unknown' });
    expect(report.summary).toContain(what);
  });

  test.each<[Generation, number]>([
    ['5.10.247', 4],
    ['6.12.40', 4],
    ['3.10.108', 4],
    ['6.12.40', 0],
  ])('%s, order %i: cut anywhere, a report is told as it is or not at all', (generation, order) => {
    const reserves = [
      [0, 3000, 16_000, 16_000],
      [0, 0, 12_890, 12_890],
      [0, 0, 0, 0],
    ];
    const zones = [
      normalZone({ zone: 'DMA', min: 10, managed: 3_840, blocks: blocks(0, 2, 2, 1, 3) }),
      normalZone({ zone: 'DMA32', min: 900, managed: 760_000, blocks: blocks(9000, 5, 0, 0, 7) }),
      normalZone({ min: 1000, managed: 3_299_840, blocks: blocks(order === 0 ? 300 : 9000) }),
    ].map((zone, i) => ({ ...zone, reserve: reserves[i]! }));
    const text = printReport(specOf(generation, 'kernel', order, zones), generation).join('\n');
    const whole = explainSplat(readLog(`${text}\n`).splats[0]!).cause;
    const told = new Set<string>();
    for (let to = text.indexOf('Mem-Info'); to < text.length; to += 3) {
      const [splat] = readLog(text.slice(0, to)).splats;
      told.add(explainSplat(splat!).cause);
    }
    expect([...told].sort()).toEqual(['cannot-be-told', whole].sort());
  });

  test('HighMem that is not printed, but counted, has a place in lowmem_reserve[]', () => {
    const zone = normalZone({
      zone: 'DMA',
      min: 841,
      managed: 177_357,
      blocks: blocks(0),
      reserve: [0, 0, 1280, 1280],
    });
    const lines = printReport(specOf('6.12.40', 'atomic', 0, [zone]), '6.12.40').map((line) =>
      line.replace(/\b0 pages HighMem/, '327680 pages HighMem'),
    );
    const report = explainSplat(readLog(`${lines.join('\n')}\n`).splats[0]!);
    expect(report.splat.memory.highmemPages).toBe(327_680);
    expect(report.decisive).toMatchObject({ reason: 'below-watermark', reservePages: 0 });
  });

  test('E3: DMA32 is closed by its reserve', () => {
    const zone = normalZone({
      zone: 'DMA32',
      min: 3067,
      managed: 732_854,
      blocks: blocks(12_000),
      reserve: [0, 0, 12_890, 12_890],
    });
    const normal = normalZone({ min: 1000, managed: 3_299_840, blocks: blocks(300) });
    const report = explained(specOf('5.10.247', 'atomic', 0, [zone, normal]), '5.10.247');
    expect(report.cause).toBe('lowmem-reserve');
    expect(report.decisive).toMatchObject({
      reducedPages: 1151,
      reservePages: 12_890,
      pagesShort: 14_041 - 12_000 + 1,
    });
  });

  test('E4: the highatomic reserve counts against GFP_KERNEL, not against GFP_ATOMIC', () => {
    const zone = normalZone({ min: 1000, blocks: blocks(2000), reservedHighatomic: 1024 });
    const kernel = explained(specOf('5.10.247', 'kernel', 0, [zone]), '5.10.247');
    expect(kernel.cause).toBe('below-watermark');
    expect(kernel.decisive).toMatchObject({ because: 'highatomic', pagesShort: 25 });
    const atomic = explained(specOf('5.10.247', 'atomic', 0, [zone]), '5.10.247');
    expect(atomic.cause).toBe('should-have-passed');
  });

  test('E5: what is CMA does not count, and its blocks do not serve', () => {
    const zone = normalZone({
      min: 1000,
      freeCma: 29_500,
      blocks: blocks(500, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28).map((n, q) => (q === 2 ? 207 : n)),
      free: 30_000,
      letters: ['U', '', 'C', '', '', '', '', '', '', '', 'C'],
    });
    expect(explained(specOf('5.10.247', 'atomic', 0, [zone]), '5.10.247').cause).toBe(
      'should-have-passed',
    );
    const three = explained(specOf('5.10.247', 'atomic', 3, [zone]), '5.10.247');
    expect(three.cause).toBe('only-cma');
    expect(three.decisive?.marginPages).toBe(493 - 375 - 1);
    expect(three.decisive?.reachablePages).toBe(0);
  });

  test('E6: the boost is part of min, for high orders', () => {
    const zone = normalZone({ min: 12_909, boost: 7168, free: 19_848, blocks: blocks(19_848) });
    const report = explained(specOf('6.18.2', 'atomic', 2, [zone]), '6.18.2');
    expect(report.decisive).toMatchObject({ minPages: 20_077, reducedPages: 7529 + 1 });
    expect(report.cause).toBe('fragmented');
  });
});

describe('causes', () => {
  const wanted: [
    Cause,
    Parameters<typeof specOf>[3],
    number,
    'atomic' | 'kernel',
    readonly Generation[],
  ][] = [
    [
      'below-watermark',
      [normalZone({ min: 4000, blocks: blocks(900, 20) })],
      0,
      'atomic',
      GENERATIONS,
    ],
    [
      'below-watermark',
      [normalZone({ min: 4000, blocks: blocks(3000, 20) })],
      0,
      'kernel',
      GENERATIONS,
    ],
    [
      'fragmented',
      [normalZone({ min: 400, blocks: blocks(50_000, 900) })],
      4,
      'kernel',
      GENERATIONS,
    ],
    [
      'fragmented',
      [normalZone({ min: 400, blocks: blocks(50_000, 900) })],
      4,
      'atomic',
      GENERATIONS,
    ],
    [
      'only-highatomic',
      [
        normalZone({
          min: 400,
          blocks: blocks(50_000, 900, 0, 0, 2),
          letters: ['UM', 'UM', '', '', 'H'],
          reservedHighatomic: 512,
          freeHighatomic: 32,
        }),
      ],
      4,
      'kernel',
      MODERN,
    ],
    [
      'only-isolated',
      [
        normalZone({
          min: 400,
          blocks: blocks(50_000, 9, 0, 0, 0, 7),
          letters: ['U', 'U', '', '', '', 'I'],
        }),
      ],
      4,
      'kernel',
      MODERN,
    ],
    [
      'impossible-request',
      [normalZone({ min: 4, managed: 200, blocks: blocks(90, 2) })],
      9,
      'kernel',
      GENERATIONS,
    ],
  ];

  for (const [cause, zones, order, kind, generations] of wanted) {
    test.each(generations)(`${cause}, ${kind} order ${order}, %s`, (generation) => {
      const report = explained(specOf(generation, kind, order, zones), generation);
      expect(report.cause).toBe(cause);
      expect(report.kernelKnown).toBe(true);
      expect(report.caller).toMatchObject({ fn: 'mydrv_refill', owner: 'mydrv' });
      expect(report.caller.context).toBe(kind === 'atomic' ? 'softirq' : 'process');
      expect(report.summary.length).toBeGreaterThan(20);
      expect(report.advice.length).toBeGreaterThan(0);
    });
  }

  test('order 0 with only HIGHATOMIC pages: the per-cpu gap', () => {
    const zone = normalZone({
      min: 241,
      blocks: blocks(7, 5, 7, 5, 6, 2, 2),
      letters: Array(7).fill('H'),
    });
    const old = explained(specOf('4.9.337', 'atomic', 0, [zone]), '4.9.337');
    expect(old.cause).toBe('only-highatomic');
    expect(old.advice.map(({ id }) => id)).toEqual(['min-free-kbytes', 'upgrade-pcp-gap']);
    // any page outside the reserve would do: a larger min is of use
    expect(old.useless.map(({ what }) => what)).not.toContain('vm.min_free_kbytes');
    expect(explained(specOf('6.12.40', 'atomic', 0, [zone]), '6.12.40').cause).toBe(
      'should-have-passed',
    );
  });

  test('orders 1 to 3 on 5.15 cannot reach the reserve made for them', () => {
    const zone = normalZone({
      min: 241,
      blocks: blocks(900, 5, 7, 5),
      letters: ['U', 'H', 'H', 'H'],
      reservedHighatomic: 512,
    });
    const gap = explained(specOf('5.15.197', 'atomic', 2, [zone]), '5.15.197');
    expect(gap.cause).toBe('only-highatomic');
    expect(explained(specOf('5.10.247', 'atomic', 2, [zone]), '5.10.247').cause).toBe(
      'should-have-passed',
    );
  });

  test('an unprinted reserve makes the answer bounded', () => {
    const zone = normalZone({
      min: 1000,
      blocks: blocks(1800, 0, 0, 40),
      letters: ['UMH', '', '', 'M'],
    });
    const report = explained(specOf('4.14.336', 'kernel', 2, [zone]), '4.14.336');
    expect(report.decisive?.unusable).toContainEqual({
      what: 'HIGHATOMIC reserve',
      pages: 512,
      estimated: true,
    });
    expect(report.certainty).toBe('bounded');
  });

  test('a DMA zone that would serve but for its reserve explains nothing', () => {
    const dma = normalZone({
      zone: 'DMA',
      min: 3,
      managed: 3840,
      reserve: [0, 0, 15_000, 15_000],
      blocks: blocks(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2),
    });
    const normal = normalZone({ min: 4000, blocks: blocks(800) });
    const report = explained(specOf('5.10.247', 'atomic', 1, [dma, normal]), '5.10.247');
    expect(report.zones.map((zone) => zone.reason)).toEqual(['lowmem-reserve', 'below-watermark']);
    expect(report.cause).toBe('below-watermark');
  });

  test('a blocking request is held to its nodes, an atomic one is not', () => {
    const here = normalZone({ min: 400, blocks: blocks(200) });
    const there = { ...normalZone({ min: 400, blocks: blocks(9000) }), node: 1 };
    const causeOf = (kind: 'kernel' | 'atomic'): Cause => {
      const lines = printReport(specOf('5.10.247', kind, 0, [here, there]), '5.10.247');
      const text = lines.join('\n').replace('mems_allowed=0-1', 'mems_allowed=0');
      return explainSplat(readLog(`${text}\n`).splats[0]!).cause;
    };
    expect(causeOf('kernel')).toBe('below-watermark');
    expect(causeOf('atomic')).toBe('should-have-passed');
  });
});

describe('what real kernels taught', () => {
  test.each(['6.1.192', '6.12.117', '7.2.3'] as const)(
    'GFP_NOWAIT beyond order 0 on %s: blocks of the reserve are out of reach',
    (release) => {
      const zone = normalZone({
        min: 1000,
        blocks: blocks(9000, 3, 2, 1, 1),
        letters: ['U', 'UM', 'U', 'H', 'H'],
        reservedHighatomic: 1024,
      });
      const spec = { ...specOf('6.1.40', 'atomic', 3, [zone]), mode: 0x800, names: 'GFP_NOWAIT' };
      const { splats } = readLog(printReport(spec, '6.1.40').join('\n'));
      const report = explainSplat(splats[0]!, { release });
      expect(report.cause).toBe('only-highatomic');
      expect(report.decisive).toMatchObject({ blocks: 0, pagesShort: 0, servedOrder: 2 });
      expect(report.advice.map((a) => a.id)).not.toContain('upgrade-pcp-gap');
    },
  );

  test('HighMem that 6.1 and later do not print shows in the reserves', () => {
    // i386: DMA, Normal, HighMem, Movable; GFP_KERNEL may use no more than Normal
    const zone = normalZone({ min: 700, blocks: blocks(3000), reserve: [0, 0, 18_587, 18_587] });
    const dma: typeof zone = {
      ...normalZone({ min: 20, blocks: blocks(576), reserve: [0, 544, 2867, 2867] }),
      zone: 'DMA',
      managed: 3900,
    };
    const report = explained(specOf('6.12.40', 'kernel', 3, [dma, zone]), '6.12.40');
    expect(report.cause).toBe('fragmented');
    expect(report.decisive).toMatchObject({ zone: 'Normal', reservePages: 0 });
    expect(report.zones[0]).toMatchObject({ reason: 'fragmented', reservePages: 544 });
    const shown = { ...zone, zone: 'HighMem', min: 128, reserve: [0, 0, 0, 0] };
    const old = explained(specOf('5.10.247', 'kernel', 3, [dma, zone, shown]), '5.10.247');
    expect(old.zones.map((z) => z.reservePages)).toEqual([544, 0, 0]);
    expect(old.zones[2]!.reason).toBe('not-eligible');
  });

  test('__GFP_THISNODE: a node that could have served it was not the one that was asked', () => {
    const full = normalZone({ node: 1, min: 1000, blocks: blocks(120) });
    const roomy = normalZone({ min: 1000, blocks: blocks(90_000, 4000, 300, 20) });
    const spec = {
      ...specOf('6.1.40', 'atomic', 0, [roomy, full]),
      mode: 0x200a20,
      names: 'GFP_ATOMIC|__GFP_THISNODE',
    };
    const report = explained(spec, '6.1.40');
    expect(report).toMatchObject({ cause: 'below-watermark', certainty: 'bounded' });
    expect(report.decisive).toMatchObject({ node: 1, pagesShort: 256 });
    expect(report.notes.join()).toContain('__GFP_THISNODE');
    const anyNode = explained(specOf('6.1.40', 'atomic', 0, [roomy, full]), '6.1.40');
    expect(anyNode.cause).toBe('should-have-passed');
    const bothPass = explained({ ...spec, zones: [roomy] }, '6.1.40');
    expect(bothPass.cause).toBe('should-have-passed');
  });

  test('the boost that 5.0 to 5.18 do not print is seen in the distance of the marks', () => {
    const zone = normalZone({ min: 1000, boost: 2000, blocks: blocks(400), managed: 76_000 });
    const report = explained(specOf('5.10.247', 'atomic', 0, [zone]), '5.10.247');
    // min without boost is at most 4 * 250 + 3
    expect(report.decisive?.hiddenBoostPages).toBe(1997);
    expect(report.cause).toBe('below-watermark');
    // without the boost 376 would be enough: whether 400 pages pass hangs on it
    expect(report.certainty).toBe('bounded');
    const step = report.advice.find((a) => a.id === 'min-free-kbytes');
    expect(step?.what).toMatch(/from about 4,0\d\d to /);
  });
});

describe('reports that are no failures', () => {
  const zone = normalZone({ min: 4000, boost: 2000, blocks: blocks(5000) });
  const told = (header: string) => {
    const lines = printReport(specOf('6.1.40', 'kernel', 0, [zone]), '6.1.40').slice(1);
    return explainSplat(readLog([header, ...lines].join('\n')).splats[0]!);
  };

  test('an OOM kill: the request goes on, and the boost alone kills nobody', () => {
    const report = told(
      'a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0',
    );
    expect([report.splat.kind, report.cause]).toEqual(['oom-kill', 'below-watermark']);
    expect(report.harm).toMatchObject({ level: 'retried', why: expect.stringContaining('killed') });
    expect(report.advice.map(({ id }) => id)).toEqual(['less-demand']);
  });

  test('a stall says how long the request waited', () => {
    const report = told('a: page allocation stalls for 12034ms, order:0, mode:0xcc0(GFP_KERNEL)');
    expect(report.splat.kind).toBe('allocation-stall');
    expect(report.harm).toMatchObject({
      level: 'retried',
      why: expect.stringContaining('12,034 ms'),
    });
  });
});

describe('what cannot be told', () => {
  test('without Mem-Info the log says too little, and the report says what is missing', () => {
    const { splats } = readLog('x: page allocation failure: order:3, mode:0xa20(GFP_ATOMIC)\n');
    const report = explainSplat(splats[0]!);
    expect(report).toMatchObject({ cause: 'cannot-be-told', certainty: 'unknown', order: 3 });
    expect(report.missing.join()).toContain('Mem-Info');
    expect(report.missing.join()).toContain('kernel release');
    expect(report.advice[0]?.id).toBe('capture-more');
  });

  test('pages without free lists leave contiguity open', () => {
    const { splats } = readLog(
      'x: page allocation failure: order:3, mode:0xa20(GFP_ATOMIC)\nMem-Info:\nNormal free:90000kB min:400kB low:500kB high:600kB managed:900000kB\nlowmem_reserve[]: 0 0\n',
    );
    const report = explainSplat(splats[0]!);
    expect(report.cause).toBe('cannot-be-told');
    expect(report.summary).toContain('fragmentation, most likely');
  });

  test('lists without marks still show that no block was there', () => {
    const { splats } = readLog(
      'x: page allocation failure: order:3, mode:0xa20(GFP_ATOMIC)\nMem-Info:\nNormal: 100*4kB (U) 20*8kB (U) 0*16kB 0*32kB 0*64kB = 560kB\n',
    );
    expect(explainSplat(splats[0]!)).toMatchObject({ cause: 'fragmented', certainty: 'bounded' });
  });

  test('the kernel is guessed from what it prints', () => {
    const zone =
      'Normal free:900kB boost:0kB min:400kB low:500kB high:600kB reserved_highatomic:0KB managed:900000kB\n';
    const head = 'x: page allocation failure: order:0, mode:0x820(GFP_ATOMIC)\nMem-Info:\n';
    const report = explainSplat(readLog(head + zone).splats[0]!);
    expect(report.kernelKnown).toBe(false);
    expect(report.request?.text).toBe('GFP_ATOMIC');
    expect(Number(report.profile.name.split('.')[0])).toBeGreaterThanOrEqual(6);
    const told = explainSplat(readLog(head + zone).splats[0]!, { release: '6.8.1' });
    expect(told).toMatchObject({ kernelKnown: true, kernelEvidence: '--kernel 6.8.1' });
  });

  test.each([
    'init: vmalloc: allocation failure: 1099511627776 bytes, mode:0xcc0(GFP_KERNEL), nodemask=(null)',
    'init: vmalloc error: size 1099511627776, exceeds total pages, mode:0xcc0(GFP_KERNEL), nodemask=(null)',
  ])('the header of vmalloc alone: %s', (header) => {
    const { splats } = readLog(`${header}\nMem-Info:\n98162 pages RAM\n`);
    expect(splats).toHaveLength(1);
    expect(splats[0]!.header).toMatchObject({ comm: 'init', mode: 0xcc0, order: null });
    expect(explainSplat(splats[0]!).cause).toBe('impossible-request');
  });

  test('vmalloc that runs out of single pages asked for order 0', () => {
    const { splats } = readLog(
      'x: vmalloc error: size 409600, page order 0, failed to allocate pages, mode:0xcc2(GFP_KERNEL|__GFP_HIGHMEM)\n' +
        'y: vmalloc: allocation failure, allocated 8192 of 16384 bytes, mode:0xcc2(GFP_KERNEL|__GFP_HIGHMEM)\n',
    );
    expect(splats.map((s) => [s.header.comm, s.header.order, s.header.vmallocBytes])).toEqual([
      ['x', 0, 409600],
      ['y', 0, 16384],
    ]);
  });

  test('SysRq m: nobody asked, nothing is missing, the largest free blocks are said', () => {
    const { splats } = readLog(
      'sysrq: Show Memory\nMem-Info:\nNormal: 100*4kB (U) 20*8kB (U) 0*16kB 1*32kB (U) = 592kB\n',
    );
    const report = explainSplat(splats[0]!);
    expect(splats[0]!.header.comm).toBe('');
    expect(report.summary).toBe('nobody asked for memory; largest free block: Normal 32 KiB');
    expect(report).toMatchObject({ cause: 'cannot-be-told', advice: [] });
    expect(report.harm.level).toBe('noise');
  });

  test('sizes no machine has are told from memory that is short', () => {
    const { splats } = readLog(
      'vmalloc: allocation failure: 17178820608 bytes\nx: page allocation failure: order:0, mode:0x24000c2\nMem-Info:\n1965969 pages RAM\n',
    );
    expect(explainSplat(splats[0]!).cause).toBe('impossible-request');
  });
});

const SPLATS = join('..', 'shared', 'splats');
const present = existsSync(SPLATS);

function splatText(number: string): Uint8Array {
  const name = readdirSync(SPLATS).find((file) => file.startsWith(`${number}-`))!;
  return readFileSync(join(SPLATS, name));
}

describe.skipIf(!present)('real reports (../shared/splats)', () => {
  test.each(SPLAT_FACTS.map((fact) => [fact.file, fact] as const))('%s', (file, fact) => {
    const { splats } = readLog(splatText(file), 4096);
    const splat = splats.find((s) => s.kind === 'page-allocation-failure')!;
    const report = explainSplat(splat);
    expect({
      order: report.order,
      mode: splat.header.modeText,
      release: splat.context.release,
      comm: splat.header.comm,
      pid: splat.context.pid,
      cause: report.cause,
      zones: report.zones
        .filter((z) => z.eligible)
        .map((z) => [z.node, z.zone, z.freePages, z.minPages, z.reason, z.pagesShort]),
    }).toEqual({
      order: fact.order,
      mode: fact.mode,
      release: fact.release,
      comm: fact.comm,
      pid: fact.pid,
      cause: fact.cause,
      zones: fact.zones,
    });
  });

  test.each(CUT_FACTS)('%s, cut', (file, order, mode, release, comm, pid) => {
    const { splats } = readLog(splatText(file));
    const splat = splats.find((s) => s.header.comm === comm)!;
    expect([
      splat.header.order,
      splat.header.modeText,
      splat.context.release,
      splat.context.pid,
    ]).toEqual([order, mode, release, pid]);
    expect(explainSplat(splat)).toMatchObject({ cause: 'cannot-be-told', certainty: 'unknown' });
  });

  test('every report of the folder is covered', () => {
    const files = readdirSync(SPLATS).filter((file) => file.endsWith('.txt'));
    const covered = new Set([...SPLAT_FACTS.map((f) => f.file), ...CUT_FACTS.map((f) => f[0])]);
    expect(files.map((file) => file.slice(0, 2)).filter((number) => !covered.has(number))).toEqual(
      [],
    );
  });
});
