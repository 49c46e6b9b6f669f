/** perf script text, by real lines of perf 6.1. */
import { describe, expect, it } from 'vitest';
import { PFN_NONE } from '../../src/records/events.js';
import { ftraceText } from '../ftrace-text/index.js';
import { HEADER, MIXED, text } from '../ftrace-text/testing/lines.js';
import { bytesOf, essence, read } from '../ftrace-text/testing/read.js';
import { traceCmdReport } from '../trace-cmd-report/index.js';
import { perfScript } from './index.js';

const PAYLOAD =
  'page=0x1636d5 pfn=0x1636d5 order=0 migratetype=0 gfp_flags=GFP_KERNEL_ACCOUNT|__GFP_ZERO|__GFP_COMP';
const ALLOC = `              dd  4665 [001]  1790.188982:             kmem:mm_page_alloc: ${PAYLOAD}`;
const FREE =
  '         swapper     0 [000]    10.572809:                             kmem:mm_page_free: page=0x87bf pfn=0x87bf order=0';

describe('perf script', () => {
  it.each([
    ['default', ALLOC, 1790188982000],
    ['--ns', ALLOC.replace('1790.188982:', '1790.188982568:'), 1790188982568],
    ['-F pid,tid', ALLOC.replace('  4665 ', '  4660/4665  '), 1790188982000],
    ['-F +period', ALLOC.replace('kmem:', '1 kmem:'), 1790188982000],
    ['without cpu', ALLOC.replace('[001] ', ''), 1790188982000],
    ['unpadded', `dd  4665 [001]  1790.188982: kmem:mm_page_alloc: ${PAYLOAD}`, 1790188982000],
    ['an event modifier', ALLOC.replace('alloc: ', 'alloc:ppp: '), 1790188982000],
  ])('%s is read', (form, line, ns) => {
    const { events, source } = read(perfScript, text([line, line]) + '\n'.repeat(2000));
    expect(events[0]).toEqual({
      event: 'mm_page_alloc',
      ns,
      cpu: form === 'without cpu' ? 0 : 1,
      pid: 4665,
      comm: 'dd',
      pfn: 0x1636d5,
      order: 0,
      type: 0,
      gfp: 'GFP_KERNEL_ACCOUNT|__GFP_ZERO|__GFP_COMP',
    });
    expect(events).toEqual([events[0], events[0]]);
    expect(source.skippedLines).toBe(0);
  });

  it.each([
    [':-1', -1],
    [':4665', 4665],
    ['kworker/0:1-eve', 17],
    ['a 12 [003] 1.5:', 99],
    ['my proc', 5],
  ])('of a task named %j is read', (comm, pid) => {
    const front = `${comm.padStart(16)} ${String(pid).padStart(5)} [001]  1790.188982: `;
    const { events } = read(
      perfScript,
      text([`${front}kmem:mm_page_free: page=0x5 pfn=0x5 order=3`]),
    );
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ comm, pid, cpu: 1, pfn: 5, order: 3 });
  });

  it('gives call graphs to the event above', () => {
    const lines = [
      `dd  4673 [000]  1792.968587: kmem:mm_page_alloc: ${PAYLOAD}`,
      '\tffffffff8161f78b __alloc_frozen_pages_noprof+0x26b ([kernel.kallsyms])',
      '\tffffffff81658d16 alloc_pages_mpol+0x86 ([kernel.kallsyms])',
      '\t    7f5ba80f2ad7 [unknown] ([unknown])',
      '',
      'dd  4673 [000]  1792.968600: sched:sched_switch: prev_comm=dd',
      '\tffffffff81658d16 schedule+0x86 ([kernel.kallsyms])',
      '',
      FREE,
    ];
    const whole = read(perfScript, text(lines));
    expect(whole.events.map((event) => event.stack)).toEqual([
      '__alloc_frozen_pages_noprof+0x26b\nalloc_pages_mpol+0x86\n[unknown]',
      undefined,
    ]);
    expect(whole.source.skippedEvents).toEqual({ 'sched:sched_switch': 1 });
    expect(whole.source.skippedLines).toBe(0);
    for (const chunk of [1, 61]) {
      expect(essence(read(perfScript, text(lines), { chunk }))).toEqual(essence(whole));
    }
  });

  it('tells failures and losses', () => {
    const { events, source } = read(
      perfScript,
      text([
        FREE,
        '            perf   387 [001]    10.516434: PERF_RECORD_LOST lost 123',
        '            perf   387 [001]    10.516500: kmem:mm_page_alloc: page=0x0 pfn=0x0 order=4 migratetype=0 gfp_flags=GFP_ATOMIC',
      ]),
    );
    expect(events[1]).toMatchObject({ event: 'lost', cpu: 1, fields: { count: 123 } });
    expect(events[2]).toMatchObject({ pfn: PFN_NONE, order: 4 });
    expect(source.lostEvents).toBe(123);
  });

  it('is told from the other texts by its content', () => {
    const script = bytesOf(text([ALLOC, FREE, ALLOC]));
    expect(perfScript.detect(script, '')!.confidence).toBeGreaterThan(0.9);
    expect(ftraceText.detect(script, '')).toBeNull();
    expect(traceCmdReport.detect(script, '')).toBeNull();
    expect(perfScript.detect(bytesOf(text(HEADER, MIXED)), '')).toBeNull();
    expect(perfScript.detect(bytesOf(text(MIXED)), '')).toBeNull();
  });
});
