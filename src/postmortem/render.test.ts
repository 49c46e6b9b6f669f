/**
 * What people and programs are shown: text, JSON, page sections, advice, groups.
 */
import { compile, type TopLevelSpec } from 'vega-lite';
import { describe, expect, test } from 'vitest';
import { type Generation, printReport } from '../../parsers/dmesg/testing/generate.js';
import { readLog } from '../../parsers/dmesg/testing/read.js';
import { WRAPPINGS } from '../../parsers/dmesg/testing/wrap.js';
import type { SplatRecord } from '../records/splat.js';
import { explainSplat } from './explain.js';
import { freeBlockRows, freeBlocksChart } from './free-blocks-chart.js';
import { type PostmortemResult, postmortemOf } from './postmortem.js';
import { renderPostmortem } from './render-text.js';
import { postmortemPage } from './sections.js';
import { explained, normalZone, specOf } from './testing/spec.js';
import { wrap } from './text-layout.js';
import { timelineChart, timelineRows } from './timeline-chart.js';
import { postmortemJson } from './to-json.js';
import { minFreeStep } from './tuning-steps.js';

const blocks = (...counts: number[]): number[] =>
  [...counts, ...new Array<number>(11).fill(0)].slice(0, 11);
const FRAGMENTED = normalZone({ min: 400, blocks: blocks(50_000, 900) });
const SHORT = normalZone({ min: 4000, blocks: blocks(900, 20) });

function logOf(
  generation: Generation,
  specs: readonly Parameters<typeof printReport>[0][],
): string {
  return specs
    .map((spec, i) =>
      printReport(spec, generation)
        .map((text, j) => `[ ${100 + i * 30}.${String(j).padStart(6, '0')}] ${text}`)
        .join('\n'),
    )
    .join('\n');
}

function resultOf(text: string, all = false): PostmortemResult {
  return postmortemOf(readLog(`${text}\n`).records, { all });
}

describe('the lists that could serve a request', () => {
  const letters = (generation: Generation, order: number, mode: number, names: string): string => {
    const spec = specOf(generation, 'atomic', order, [FRAGMENTED], { mode, names });
    const { reports } = JSON.parse(
      JSON.stringify(postmortemJson(resultOf(logOf(generation, [spec])), '0')),
    ) as { reports: { lists: string[] }[] };
    return reports[0]!.lists.join('');
  };

  test.each<[string, Generation, number, number, string, string]>([
    ['own type first, then by fallback', '6.6.120', 2, 0xcc0, 'GFP_KERNEL', 'UEM'],
    ['movable takes CMA as well', '6.6.120', 0, 0x100cca, 'GFP_HIGHUSER_MOVABLE', 'MCEU'],
    ['reclaimable', '6.6.120', 0, 0xcd0, 'GFP_KERNEL|__GFP_RECLAIMABLE', 'EUM'],
    ['the reserve first', '5.10.247', 4, 0xa20, 'GFP_ATOMIC', 'HUEM'],
    ['the reserve last, for order 0', '6.12.40', 0, 0x820, 'GFP_ATOMIC', 'UEMH'],
    ['not within the per-cpu gap', '5.15.197', 2, 0xa20, 'GFP_ATOMIC', 'UEM'],
    ['not without rights', '6.12.40', 4, 0x80820, 'GFP_ATOMIC|__GFP_NOMEMALLOC', 'UEM'],
    ['up to 4.3 what init has set aside, last', '3.10.108', 2, 0x20, '', 'UEMR'],
  ])('%s', (_what, generation, order, mode, names, wanted) => {
    expect(letters(generation, order, mode, names)).toBe(wanted);
  });

  test('are told with every step', () => {
    const result = resultOf(logOf('5.10.247', [specOf('5.10.247', 'atomic', 4, [FRAGMENTED])]));
    const told = renderPostmortem(result, { width: 200, colour: false, explain: true });
    expect(told).toContain('  mode     0xa20 = GFP_ATOMIC\n');
    expect(told).toContain(
      '  from     Normal; HighAtomic, Unmovable, Reclaimable and Movable lists, in this order\n',
    );
  });
});

describe('text', () => {
  const result = resultOf(logOf('6.1.40', [specOf('6.1.40', 'atomic', 4, [FRAGMENTED])]));
  const plain = { width: 80, colour: false, explain: false };

  test('the answer stands in about ten lines', () => {
    const lines = renderPostmortem(result, plain).trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(16);
    const text = lines.join('\n');
    for (const word of [
      'order 4 (64 KiB)',
      'GFP_ATOMIC',
      'mydrv_refill [mydrv]',
      'fragmented',
      '6.1.40',
    ])
      expect(text).toContain(word);
  });

  test('what is short adds up: what counts and what is short are what is needed', () => {
    const specs = [SHORT, normalZone({ zone: 'DMA32', min: 900, blocks: blocks(700, 20, 3) })];
    const shown = renderPostmortem(
      resultOf(logOf('6.1.40', [specOf('6.1.40', 'kernel', 3, specs)])),
      { width: 200, colour: false, explain: false },
    );
    // 940 free, 7 for the request; min 4000
    expect(shown).toContain(
      'Normal has 940 pages (3,760 KiB) free, 933 without 7 for the request itself; more than 4,000 pages (16 MiB) must remain: short by 3,068 pages (12 MiB)',
    );
    expect(shown).toContain(
      'DMA32: below-watermark, 752 pages free, 745 count, 901 needed, short 156, 0 usable blocks',
    );
  });

  test('without a trace the caller is unknown; the task is named once', () => {
    const spec = specOf('6.1.40', 'kernel', 4, [FRAGMENTED], { trace: [] });
    const shown = renderPostmortem(resultOf(logOf('6.1.40', [spec])), plain);
    expect(shown).toContain('  by       caller unknown, process, task worker (pid 77)\n');
  });

  test('explain gives every step and a picture with the need marked', () => {
    const text = renderPostmortem(result, { ...plain, explain: true });
    expect(text).toContain('lower it to 150');
    expect(text).toContain('<- needed');
    expect(text).toMatch(/unusable free space at this order 1\.000/);
  });

  test.each([30, 40, 80, 200])('no line is wider than %i columns', (width) => {
    const text = renderPostmortem(result, { width, colour: false, explain: true });
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
  });

  test('colour only when wanted', () => {
    expect(renderPostmortem(result, plain)).not.toContain('\u001b');
    expect(renderPostmortem(result, { ...plain, colour: true })).toContain('\u001b[31m');
  });

  test('a task cannot write to the terminal', () => {
    const spec = { ...specOf('6.1.40', 'atomic', 4, [FRAGMENTED]), comm: 'x\u009b31m\u202ey' };
    const text = renderPostmortem(resultOf(logOf('6.1.40', [spec])), { ...plain, explain: true });
    expect(text).not.toMatch(/[\u0080-\u009f\u202e]/);
    expect(text).toContain('\\x9b31m');
  });

  test('an empty log is said to be empty', () => {
    expect(renderPostmortem(resultOf('nothing'), plain)).toContain('No page allocation failure');
  });

  test('wrapping loses no word', () => {
    const text = 'a bb ccc dddddddddddd e';
    expect(wrap(text, 5).join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
  });
});

describe('groups', () => {
  const specs = [
    specOf('6.1.40', 'atomic', 4, [FRAGMENTED]),
    specOf('6.1.40', 'atomic', 0, [SHORT]),
    specOf('6.1.40', 'atomic', 4, [FRAGMENTED]),
  ];
  const oom = 'x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0';
  const text = `${logOf('6.1.40', specs)}\n[ 500.000000] ${oom}`;

  test('by caller, order and cause, most first, with a timeline', () => {
    const result = resultOf(text);
    expect(result.groups.map((g) => [g.cause, g.order, g.count, g.reports])).toEqual([
      ['fragmented', 4, 2, [0, 2]],
      ['below-watermark', 0, 1, [1]],
    ]);
    expect(result.groups[0]).toMatchObject({ firstNs: 100e9, lastNs: 160e9 });
    expect(result.timeline).toMatchObject({ clock: 'since boot', spanNs: 60e9 });
    expect(result.leftOut).toEqual({ 'oom-kill': 1 });
    expect(resultOf(text, true).reports).toHaveLength(4);
  });

  test('the text names the groups, and says what was left out', () => {
    const shown = renderPostmortem(resultOf(text), { width: 100, colour: false, explain: false });
    expect(shown).toContain('3 reports in 60 s by 2 callers and causes');
    expect(shown).toContain('100 s and 1 more like it, the last at 160 s');
    expect(shown).toContain('1 OOM kill');
  });

  /** Each boot's reports at 100 s, 130 s …, as syslog keeps them: a date in front of every line. */
  const boots = ['Nov 14 20:00:00', 'Nov 16 09:00:00'].map((date) =>
    text.replace(/^/gm, `${date} host kernel: `),
  );

  test('several boots in one log: the wall clock, and nothing of another boot is near', () => {
    const result = resultOf(boots.join('\n'));
    expect(result.timeline).toMatchObject({ clock: 'wall', boots: 2, spanNs: 37 * 3600e9 });
    expect(result.reports.flatMap(({ notes }) => notes).join()).not.toContain('OOM kill');
    const shown = renderPostmortem(result, { width: 200, colour: false, explain: false });
    expect(shown).toContain('6 reports of 2 boots in 37 h by 2 callers and causes');
    expect(shown).toContain(
      ':1, Nov 14 20:00:00, 100 s and 3 more like it, the last at Nov 16 09:00:00, 160 s',
    );
  });

  test('a damaged stamp of journald is no date', () => {
    const lines = logOf('6.1.40', [specOf('6.1.40', 'atomic', 4, [FRAGMENTED])]).split('\n');
    const json = lines.map((MESSAGE) =>
      JSON.stringify({ MESSAGE, __REALTIME_TIMESTAMP: '18446744073709551615000' }),
    );
    const result = resultOf(json.join('\n'));
    expect(result.reports.map(({ splat }) => splat.time.wallNs)).toEqual([null]);
    expect(() => postmortemPage(result)).not.toThrow();
    expect(renderPostmortem(result, { width: 80, colour: false, explain: true })).toContain(
      '100 s',
    );
  });

  test('several boots without dates have no common clock', () => {
    const result = resultOf(`${text}\n${text.replaceAll('Normal free:', 'Normal free:1')}`);
    expect(result.timeline).toMatchObject({ clock: 'none', boots: 2, spanNs: null });
    expect(timelineChart(result)).toBeNull();
  });

  test('the timeline chart has a mark for each report, in the row of its group', () => {
    const result = resultOf(text);
    expect(timelineRows(result)).toEqual([
      { group: '1. mydrv_refill [mydrv], order 4', cause: 'fragmented', time: 100 },
      { group: '1. mydrv_refill [mydrv], order 4', cause: 'fragmented', time: 160 },
      { group: '2. mydrv_refill [mydrv], order 0', cause: 'below-watermark', time: 130 },
    ]);
    for (const one of [result, resultOf(boots.join('\n'))])
      expect(() => compile(timelineChart(one) as unknown as TopLevelSpec)).not.toThrow();
  });
});

describe('JSON', () => {
  test('has the documented fields', () => {
    const json = JSON.parse(
      JSON.stringify(
        postmortemJson(
          resultOf(logOf('6.1.40', [specOf('6.1.40', 'atomic', 4, [FRAGMENTED])])),
          '1',
        ),
      ),
    );
    expect(json.schema).toBe(1);
    expect(json.reports).toHaveLength(1);
    expect(json.reports[0]).toMatchObject({
      order: 4,
      mode: '0xa20',
      gfp: 'GFP_ATOMIC',
      kernel: '6.1.40',
      comm: 'worker',
      pid: 77,
      cause: 'fragmented',
      certainty: 'exact',
      zones: [{ node: 0, zone: 'Normal', reason: 'fragmented', pagesShort: 0, blocksShort: 1 }],
    });
  });
});

describe('advice', () => {
  test('the min_free_kbytes step is enough, and not twice too much', () => {
    const report = explained(specOf('6.1.40', 'atomic', 0, [SHORT]), '6.1.40');
    const step = minFreeStep(report.splat, report.decisive!, 4)!;
    expect(report.advice[0]).toMatchObject({
      id: 'min-free-kbytes',
      command: `sysctl -w vm.min_free_kbytes=${step.wantedKB}`,
    });
    // the same burst, drained as far below the new low mark
    const again = (wantedKB: number): string => {
      const min = Math.floor((SHORT.min * wantedKB) / step.nowKB);
      const drained = Math.floor(SHORT.min * 1.25) - 940;
      const free = Math.floor(min * 1.25) - drained;
      const zone = { ...SHORT, min, free, blocks: blocks(Math.max(0, free)) };
      return explained(specOf('6.1.40', 'atomic', 0, [zone]), '6.1.40').cause;
    };
    expect(again(step.wantedKB)).toBe('should-have-passed');
    expect(again(step.wantedKB - 2048)).toBe('below-watermark');
  });

  test('fits the cause: no watermark knob for fragmentation, no compaction for order 0', () => {
    const pieces = explained(specOf('6.1.40', 'kernel', 4, [FRAGMENTED]), '6.1.40');
    expect(pieces.advice.map((a) => a.id)).toContain('kvmalloc');
    expect(pieces.advice.some((a) => a.command.includes('min_free_kbytes'))).toBe(false);
    expect(pieces.useless.map((u) => u.what)).toContain('vm.min_free_kbytes');
    expect(pieces.advice.find((a) => a.id === 'fall-back')?.why).toContain('order 1 (8 KiB)');
    const short = explained(specOf('6.1.40', 'atomic', 0, [SHORT]), '6.1.40');
    expect(short.advice.some((a) => a.command.includes('compact'))).toBe(false);
    expect(short.useless.some((u) => u.what.startsWith('compaction'))).toBe(true);
  });

  test('defrag_mode only where it exists, an upgrade only where the rule is old', () => {
    const ids = (generation: Generation): string[] =>
      explained(specOf(generation, 'atomic', 4, [FRAGMENTED]), generation).advice.map((a) => a.id);
    expect(ids('6.12.40')).not.toContain('defrag-mode');
    expect(ids('6.18.2')).toContain('defrag-mode');
    const pile = normalZone({ min: 1000, blocks: blocks(900, 300, 20, 3) });
    const old = explained(specOf('3.10.108', 'atomic', 3, [pile]), '3.10.108');
    expect(old.advice[0]?.id).toBe('upgrade-rule');
  });

  test('what a kernel lacks is not advised, nor smaller pieces of a stack', () => {
    const ids = (generation: Generation, trace: string[]): string[] =>
      explained(specOf(generation, 'kernel', 2, [FRAGMENTED], { trace }), generation).advice.map(
        (item) => item.id,
      );
    const driver = ['__alloc_pages', 'mydrv_refill [mydrv]'];
    expect(ids('2.6.32', driver)).not.toContain('compact-memory');
    expect(ids('3.10.108', driver)).toContain('compact-memory');
    const fork = ids('4.4.302', ['copy_process', '_do_fork']);
    expect(fork).toContain('vmap-stack');
    expect(fork).not.toContain('fall-back');
    expect(ids('4.4.302', driver)).toContain('fall-back');
  });

  test('harm: a fallback said by the flags is noise, a failed receive buffer is retried', () => {
    const noretry = {
      ...specOf('6.1.40', 'kernel', 4, [FRAGMENTED]),
      mode: 0x10cc0,
      names: 'GFP_KERNEL|__GFP_NORETRY',
    };
    expect(explained(noretry, '6.1.40').harm.level).toBe('noise');
    const receive = specOf('6.1.40', 'atomic', 0, [SHORT], {
      trace: ['__alloc_pages', 'mydrv_rx_refill [mydrv]', 'net_rx_action'],
    });
    expect(explained(receive, '6.1.40').harm.level).toBe('retried');
  });
});

describe('page', () => {
  test('has the answer, the zones and a chart that Vega-Lite takes', () => {
    const result = resultOf(logOf('6.1.40', [specOf('6.1.40', 'atomic', 4, [FRAGMENTED])]));
    const page = postmortemPage(result);
    expect(page.sections).toHaveLength(1);
    expect(page.sections[0]).toMatchObject({ badge: 'fragmented', id: 'report-1' });
    expect(page.sections[0]!.tables[0]!.rows[0]!.slice(0, 3)).toEqual([
      'Normal',
      'fragmented',
      '51,800',
    ]);
    const spec = page.sections[0]!.charts[0]!.spec as unknown as TopLevelSpec;
    expect(compile(spec).spec.marks?.length).toBeGreaterThan(0);
  });

  test('rows say what the request can do with each size', () => {
    const zone = normalZone({
      min: 400,
      blocks: blocks(50_000, 900, 0, 0, 2, 1),
      letters: ['UM', 'UM', '', '', 'H', 'C'],
    });
    const rows = freeBlockRows(explained(specOf('6.1.40', 'kernel', 3, [zone]), '6.1.40'));
    expect(rows.map((row) => row.use).slice(0, 6)).toEqual([
      'too small',
      'too small',
      'too small',
      'usable',
      'of another type',
      'of another type',
    ]);
    expect(rows[0]).toMatchObject({ size: '4 KiB', blocks: 50_000, mib: 195.3125 });
    expect(
      JSON.stringify(freeBlocksChart(explained(specOf('6.1.40', 'kernel', 3, [zone]), '6.1.40'))),
    ).toContain('needed: 32 KiB');
  });
});

test('explaining never throws, whatever was cut, doubled or mixed', () => {
  const lines = printReport(
    specOf('5.15.197', 'atomic', 3, [FRAGMENTED, { ...SHORT, node: 1 }]),
    '5.15.197',
  );
  const text = WRAPPINGS.dmesg!(lines);
  for (let end = 40; end < text.length; end += 37) {
    for (const start of [0, Math.floor(end / 2)]) {
      for (const splat of readLog(text.slice(start, end)).splats) {
        const report = explainSplat(splat);
        expect(report.summary).not.toMatch(/NaN|undefined|null/);
        expect(report.zones.flatMap((zone) => zone.steps).join()).not.toMatch(/NaN|undefined/);
        const records: SplatRecord[] = [{ record: 'splat', splat }];
        renderPostmortem(postmortemOf(records, { all: true }), {
          width: 60,
          colour: true,
          explain: true,
        });
      }
    }
  }
});
