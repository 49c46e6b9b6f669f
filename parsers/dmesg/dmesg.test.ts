/**
 * Every generation's report in every container reads the same; damage costs only what it destroys.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Splat } from '../../src/records/splat.js';
import { detect } from './detect.js';
import { codeOf, freeOf, GENERATIONS, printReport, type ReportSpec } from './testing/generate.js';
import { readLog } from './testing/read.js';
import { fold, WRAPPINGS } from './testing/wrap.js';

const SPEC: ReportSpec = {
  comm: 'kworker/1: 0',
  pid: 812,
  cpu: 3,
  order: 3,
  mode: 0x40a20,
  names: 'GFP_ATOMIC|__GFP_COMP',
  irq: true,
  trace: ['__alloc_pages', 'mydrv_refill [mydrv]', 'net_rx_action', '__do_softirq'],
  zones: [
    zone(0, 'DMA', 40, 3840, [0, 2900, 15000, 15000], [1, 2, 0, 3, 0, 1, 1, 0, 1, 1, 3]),
    zone(0, 'DMA32', 3067, 732854, [0, 0, 12100, 12100], [900, 300, 20, 3, 0, 0, 0, 0, 0, 0, 0]),
    zone(0, 'Normal', 13812, 3300000, [0, 0, 0, 0], [60000, 8000, 12, 0, 0, 0, 0, 0, 0, 0, 0]),
    zone(1, 'Normal', 13812, 3300000, [0, 0, 0, 0], [70000, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  ],
};

function zone(
  node: number,
  name: string,
  min: number,
  managed: number,
  reserve: number[],
  blocks: number[],
) {
  return { node, zone: name, min, managed, reserve, blocks };
}

/** What every reading of SPEC must hold. */
function expectSpec(splat: Splat, code: number): void {
  expect(splat.kind).toBe('page-allocation-failure');
  expect(splat.header.comm).toBe(SPEC.comm);
  expect(splat.header.order).toBe(3);
  expect(splat.header.mode).toBe(0x40a20);
  expect(splat.header.gfpNames).toBe(code >= 4006 ? SPEC.names : '');
  expect(splat.context.pid).toBe(812);
  expect(splat.context.cpu).toBe(code >= 3009 ? 3 : null);
  const got = splat.memory.zones.map((z) => [
    z.node,
    z.zone,
    z.freeKB,
    z.minKB,
    z.lowmemReservePages,
  ]);
  const want = SPEC.zones.map((z) => [z.node, z.zone, freeOf(z) * 4, z.min * 4, z.reserve]);
  expect(got).toEqual(want);
  expect(splat.memory.freeLists.map((l) => l.blocks)).toEqual(SPEC.zones.map((z) => z.blocks));
  expect(splat.memory.freeLists.every((list) => list.complete)).toBe(true);
  expect(splat.memory.freeLists[2]!.letters[0]).toBe(code >= 3010 ? 'UM' : '');
  expect(splat.memory.counterPages.free).toBe(SPEC.zones.reduce((sum, z) => sum + freeOf(z), 0));
  expect(splat.context.frames.map((frame) => frame.fn)).toContain('mydrv_refill');
  expect(splat.context.frames.find((frame) => frame.fn === 'mydrv_refill')?.module).toBe('mydrv');
  expect(splat.context.frames.find((frame) => frame.fn === 'mydrv_refill')?.irq).toBe(true);
  expect(splat.damage.cut).toBe(false);
}

describe('every generation', () => {
  test.each(GENERATIONS)('%s is read whole', (generation) => {
    const { splats } = readLog(WRAPPINGS.dmesg!(printReport(SPEC, generation)));
    expect(splats).toHaveLength(1);
    expectSpec(splats[0]!, codeOf(generation));
    expect(splats[0]!.context.release).toBe(generation);
    expect(splats[0]!.line).toBe(1);
  });
});

describe('every container', () => {
  for (const [name, wrap] of Object.entries(WRAPPINGS)) {
    test.each(['2.6.32', '4.14.336', '6.12.40'] as const)(`${name}, %s`, (generation) => {
      const { splats, diagnostics } = readLog(wrap(printReport(SPEC, generation)));
      expect(splats).toHaveLength(1);
      expectSpec(splats[0]!, codeOf(generation));
      expect(diagnostics.all).toEqual([]);
    });
  }

  test('chunks may break anywhere', () => {
    const text = WRAPPINGS.syslog!(printReport(SPEC, '5.15.197'));
    const whole = readLog(text).splats;
    for (const bytes of [1, 7, 61, 4096]) expect(readLog(text, bytes).splats).toEqual(whole);
  });

  test('the time of the first line is kept', () => {
    const lines = printReport(SPEC, '6.1.40');
    expect(readLog(WRAPPINGS.dmesg!(lines)).splats[0]!.time.monoNs).toBe(1_000_000_000_000);
    expect(readLog(WRAPPINGS.logread!(lines)).splats[0]!.time.wallNs).toBe(
      Date.UTC(2016, 9, 1, 3, 31, 30) * 1e6,
    );
    expect(readLog(WRAPPINGS['/dev/kmsg']!(lines)).splats[0]!.time.monoNs).toBe(1_000_000_000_000);
  });
});

describe('odd machines', () => {
  test('without Node prefixes', () => {
    const spec = { ...SPEC, numa: false, zones: SPEC.zones.slice(0, 3) };
    const { splats } = readLog(WRAPPINGS.dmesg!(printReport(spec, '5.10.247')));
    expect(splats[0]!.memory.zones.map((z) => z.zone)).toEqual(['DMA', 'DMA32', 'Normal']);
    expect(splats[0]!.memory.freeLists.map((l) => l.node)).toEqual([0, 0, 0]);
  });

  test('64 kB pages and fourteen orders', () => {
    const blocks = [5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    const spec = { ...SPEC, pageKB: 64, zones: [{ ...SPEC.zones[2]!, blocks }] };
    const list = readLog(WRAPPINGS.dmesg!(printReport(spec, '6.6.120'))).splats[0]!.memory
      .freeLists[0]!;
    expect(list.pageKB).toBe(64);
    expect(list.blocks).toEqual(blocks);
  });

  test('unknown fields are kept, known ones still read', () => {
    const text = WRAPPINGS.dmesg!(printReport(SPEC, '7.2.3')).replaceAll(
      'unevictable:0kB',
      'quantum_pages:77kB unevictable:0kB',
    );
    const { splats } = readLog(text);
    expect(splats[0]!.memory.zones[0]!.other.quantum_pages).toBe(77);
    expect(splats[0]!.memory.zones[0]!.managedKB).toBe(3840 * 4);
  });

  test('a task name that looks like a report', () => {
    const comm = 'a: order:9, b';
    const { splats } = readLog(WRAPPINGS.dmesg!(printReport({ ...SPEC, comm }, '5.4.302')));
    expect(splats[0]!.header.comm).toBe(comm);
    expect(splats[0]!.header.order).toBe(3);
  });
});

describe('what else a log says', () => {
  test('version banners become snapshots and give the release to cut reports', () => {
    const log = readLog(
      '[    0.000000] Linux version 5.10.0-32-amd64 (a@b) (gcc) #1 SMP Debian 5.10.223-1\n[    9.000000] foo: page allocation failure: order:2, mode:0xa20(GFP_ATOMIC)\n',
    );
    expect(log.snapshots).toMatchObject([{ kind: 'version', release: '5.10.0-32-amd64', line: 1 }]);
    expect(log.splats[0]!.context.release).toBe('5.10.0-32-amd64');
    expect(log.splats[0]!.damage.cut).toBe(true);
  });

  test('suppressed reports, CMA areas and slab lines', () => {
    const report = printReport(SPEC, '6.1.40');
    const log = readLog(
      WRAPPINGS.dmesg!([
        'cma: Reserved 48 MiB at 0x0000000017800000',
        'warn_alloc: 59 callbacks suppressed',
        ...report,
        'SLUB: Unable to allocate memory on node -1, gfp=0xa20(GFP_ATOMIC)',
        '  cache: kmalloc-8k, object size: 8192, buffer size: 8192, default order: 3, min order: 1',
        '  node 0: slabs: 11, objs: 44, free: 0',
      ]),
    );
    expect(log.facts.map((fact) => [fact.what, fact.amount])).toEqual([
      ['cma-reserved', 48 * 1024],
      ['suppressed', 59],
    ]);
    expect(log.splats[0]!.suppressed).toBe(59);
    expect(log.splats[0]!.slub).toMatchObject([
      { cache: 'kmalloc-8k', minOrder: 1, defaultOrder: 3 },
    ]);
  });

  test('OOM kills, stalls and SysRq-m carry the same block', () => {
    const body = printReport(SPEC, '5.15.197').slice(1);
    const heads: [string, string][] = [
      [
        'lab invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-1000',
        'oom-kill',
      ],
      [
        'cat: page allocation stalls for 10004ms, order:0, mode:0xcc0(GFP_KERNEL)',
        'allocation-stall',
      ],
      ['sysrq: Show Memory', 'sysrq-memory'],
    ];
    for (const [head, kind] of heads) {
      const { splats } = readLog(WRAPPINGS.dmesg!([head, ...body]));
      expect(splats.map((splat) => splat.kind)).toEqual([kind]);
      expect(splats[0]!.memory.zones).toHaveLength(4);
    }
  });

  test('a log without a report costs no line of work and counts its lines', () => {
    const text = 'one line of a log\nanother with page and allocation apart\n'.repeat(5000);
    for (const bytes of [61, 1 << 16]) {
      const log = readLog(text, bytes);
      expect(log.records).toEqual([]);
      expect(log.source.lines).toBe(10_000);
    }
  });

  test('line numbers hold behind non-ASCII text', () => {
    const before = 'größe æøå 日本語\n'.repeat(1234);
    const log = readLog(before + WRAPPINGS.dmesg!(printReport(SPEC, '6.1.40')), 4099);
    expect(log.splats[0]!.line).toBe(1235);
  });
});

describe('two reports at once', () => {
  const other: ReportSpec = {
    ...SPEC,
    comm: 'other',
    pid: 9,
    order: 1,
    zones: SPEC.zones.map((z) => ({ ...z, blocks: z.blocks.map((n) => n + 7) })),
  };

  function mixed(a: readonly string[], b: readonly string[]): string[] {
    const lines: string[] = [];
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      if (a[i] !== undefined) lines.push(a[i]!);
      if (b[i] !== undefined) lines.push(b[i]!);
    }
    return lines;
  }

  test('caller ids keep them apart', () => {
    const a = printReport(SPEC, '6.12.40').map((text, i) => `[ 10.${100000 + i}][  T812] ${text}`);
    const b = printReport(other, '6.12.40').map((text, i) => `[ 10.${100000 + i}][    C3] ${text}`);
    const { splats } = readLog(`${mixed(a, b).join('\n')}\n`);
    expect(splats).toHaveLength(2);
    const [first, second] = splats;
    expectSpec(first!, 6012);
    expect(second!.memory.freeLists.map((l) => l.blocks)).toEqual(other.zones.map((z) => z.blocks));
    expect(splats.some((splat) => splat.damage.interleaved)).toBe(false);
  });

  test('without them both are found, and said to be mixed', () => {
    const lines = mixed(printReport(SPEC, '5.10.247'), printReport(other, '5.10.247'));
    const { splats } = readLog(WRAPPINGS.dmesg!(lines));
    expect(splats.map((splat) => [splat.header.comm, splat.header.order])).toEqual([
      [SPEC.comm, 3],
      ['other', 1],
    ]);
    expect(splats.every((splat) => splat.damage.interleaved)).toBe(true);
    expect(splats.map((splat) => splat.memory.zones.length)).toEqual([4, 4]);
  });

  test('one after the other are two whole reports', () => {
    const lines = [...printReport(SPEC, '5.10.247'), ...printReport(other, '5.10.247')];
    const { splats } = readLog(WRAPPINGS.dmesg!(lines));
    expectSpec(splats[0]!, 5010);
    expect(splats[1]!.damage).toEqual({ interleaved: false, rewrapped: false, cut: false });
  });
});

describe('damage', () => {
  const lines = printReport(SPEC, '6.1.40');
  const known = new Set(SPEC.zones.map((z) => freeOf(z) * 4));

  /** A damaged report may hold less, never other figures. */
  function expectNothingInvented(text: string): void {
    const { splats, source } = readLog(text, 509);
    for (const splat of splats) {
      for (const z of splat.memory.zones) expect(known.has(z.freeKB)).toBe(true);
      if (splat.header.order !== null) expect(splat.header.order).toBe(3);
    }
    expect(source.lines).toBeGreaterThanOrEqual(text.split('\n').length - 1);
  }

  test('cut at any byte: never throws, keeps what is there', () => {
    const text = WRAPPINGS.dmesg!(lines);
    const headEnd = text.indexOf('\n');
    const listsEnd = text.lastIndexOf('kB', text.indexOf('4300 total')) + 2;
    for (let end = 1; end < text.length; end += 13) {
      const { splats } = readLog(text.slice(0, end));
      if (end > headEnd) expect(splats[0]?.header.order).toBe(3);
      if (end < listsEnd - 2 || end > listsEnd)
        for (const splat of splats) expect(splat.damage.cut).toBe(end < listsEnd);
    }
  });

  test('a beginning cut off leaves a report without header', () => {
    const { splats } = readLog(WRAPPINGS.dmesg!(lines.slice(lines.indexOf('Mem-Info:'))));
    expect(splats.map((s) => s.kind)).toEqual(['meminfo']);
    expect(splats[0]!.memory.zones).toHaveLength(4);
  });

  test('lines lost, doubled, swapped, folded or foreign', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            at: fc.nat(60),
            what: fc.constantFrom('drop', 'double', 'swap', 'fold', 'noise'),
          }),
          { maxLength: 12 },
        ),
        fc.constantFrom(...Object.keys(WRAPPINGS)),
        (edits, wrapping) => {
          const all = [...lines];
          for (const { at, what } of edits) {
            const i = at % all.length;
            if (what === 'drop') all.splice(i, 1);
            else if (what === 'double') all.splice(i, 0, all[i]!);
            else if (what === 'swap') all.push(...all.splice(i, 1));
            else if (what === 'fold') all.splice(i, 1, ...fold(all[i]!, 40).split('\n'));
            else all.splice(i, 0, 'usb 1-1: new high-speed USB device number 7');
            if (all.length === 0) return;
          }
          expectNothingInvented(WRAPPINGS[wrapping]!(all));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('arbitrary bytes around the words', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (parts) => {
        const words = [
          'page allocation failure: order:',
          'Mem-Info:\n',
          'Node 0 DMA free:',
          ' 5*4kB',
        ];
        const bytes = Buffer.concat(
          parts.flatMap((part, i) => [Buffer.from(part), Buffer.from(words[i % words.length]!)]),
        );
        readLog(new Uint8Array(bytes), 37);
      }),
      { numRuns: 200 },
    );
  });

  test('hostile lines end in bounded time', () => {
    const hostile = [
      `x: page allocation failure: order:${'9'.repeat(60_000)}`,
      `Node 0 DMA free:${'1'.repeat(60_000)}`,
      `Node 0 Normal: ${'1*4kB '.repeat(9_000)}`,
      `${'['.repeat(60_000)}`,
      `Mem-Info: ${' '.repeat(60_000)}x`,
      `lowmem_reserve[]:${' 1'.repeat(30_000)}`,
      `CPU: 0 PID: 1 Comm: ${'Comm: '.repeat(10_000)}`,
      `${'a:1 '.repeat(15_000)}`,
      `{"MESSAGE":${'['.repeat(30_000)}`,
    ];
    const started = process.cpuUsage();
    readLog(`x: page allocation failure: order:1, mode:0x20\n${hostile.join('\n')}\n`.repeat(3));
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(5000);
  });

  test('an endless line is skipped and counted', () => {
    const log = readLog(`${'x'.repeat(3 << 20)}\nMem\n`, 1 << 16);
    expect(log.diagnostics.count('line-too-long')).toBe(1);
    expect(log.source.lines).toBe(2);
    expect(log.source.skippedLines).toBe(1);
  });

  test('thousands of headers stay bounded', () => {
    const text = 'a: page allocation failure: order:1, mode:0x20\n'.repeat(20_000);
    expect(readLog(text).splats).toHaveLength(20_000);
  });
});

test('more reports than the limit are counted, not kept', () => {
  const text = 'a: page allocation failure: order:1, mode:0x20\n'.repeat(50);
  const log = readLog(text, 4096, 'log', { reports: 20 });
  expect(log.splats).toHaveLength(20);
  expect(log.diagnostics.all[0]?.message).toContain('30 reports');
});

describe('detection', () => {
  test('JSON that names a kernel is no log; a banner in journald or dmesg -J JSON is one', () => {
    const banner = 'Linux version 6.1.0-56-amd64 (gcc-12) #1 SMP';
    const meta = `{\n "name": "k61",\n "kernel_version_text": "${banner}"\n}\n`;
    expect(detect(bytes(meta), 'META.json')).toBeNull();
    const list = '{\n "failures": [\n  "lab: page allocation failure: order:10"\n ]\n}\n';
    expect(detect(bytes(list), 'META.json')).toBeNull();
    expect(detect(bytes(`{"PRIORITY":"5","MESSAGE":"${banner}"}\n`), 'x')).not.toBeNull();
    expect(detect(bytes(`  "msg": "${banner}"\n`), 'x')).not.toBeNull();
    expect(detect(bytes(`<5>[    0.000000] ${banner}\n`), 'x')).not.toBeNull();
  });

  const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

  test('knows logs by their content', () => {
    for (const wrap of Object.values(WRAPPINGS)) {
      const found = detect(bytes(wrap(printReport(SPEC, '5.15.197'))), 'x');
      expect(found?.confidence ?? 0).toBeGreaterThan(0.3);
    }
    const boot = WRAPPINGS.dmesg!(['usb 1-1: new device', 'eth0: link up', 'ext4 mounted']);
    expect(detect(bytes(boot), 'x')?.confidence).toBeGreaterThan(0.5);
  });

  test('leaves traces and tables alone', () => {
    const trace =
      '          lab-383   [001] d..2.   1.234567: mm_page_alloc: page=0x1 pfn=0x1 order=0 migratetype=1 gfp_flags=GFP_KERNEL\n';
    expect(detect(bytes(trace.repeat(50)), 'trace')).toBeNull();
    expect(detect(bytes('Node 0, zone      DMA      0      0      1\n'), 'buddyinfo')).toBeNull();
  });
});
