/** trace-cmd report text, by real lines of trace-cmd 3.1.6. */
import { describe, expect, it } from 'vitest';
import { PFN_NONE } from '../../src/records/events.js';
import { ftraceText } from '../ftrace-text/index.js';
import { HEADER, MIXED, text } from '../ftrace-text/testing/lines.js';
import { bytesOf, read } from '../ftrace-text/testing/read.js';
import { traceCmdReport } from './index.js';

const ALLOC =
  '              dd-4610  [000]  1785.444226: mm_page_alloc:        page=0x29e1b2 pfn=0x29e1b2 order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP';
const FREE =
  '              dd-4610  [000]  1785.444300: mm_page_free:         page=0x29e1b5 pfn=0x29e1b5 order=0';
const LOCKED =
  '            init-1     [001]    11.824874: mm_page_alloc_zone_locked: page=0xffffffffb3e1def0 pfn=0x87c0 order=0 migratetype=0 percpu_refill=1';

describe('trace-cmd report', () => {
  it('is read like the trace it was made of', () => {
    const { events, source } = read(
      traceCmdReport,
      text(['version = 7', 'CPU 1 is empty', 'cpus=2', ALLOC, ALLOC, FREE, LOCKED]),
    );
    expect(events[0]).toEqual({
      event: 'mm_page_alloc',
      ns: 1785444226000,
      cpu: 0,
      pid: 4610,
      comm: 'dd',
      pfn: 0x29e1b2,
      order: 0,
      type: 1,
      gfp: 'GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP',
    });
    expect(events[1]).toEqual(events[0]);
    expect(events[2]).toMatchObject({ event: 'mm_page_free', pfn: 0x29e1b5 });
    expect(events[3]).toMatchObject({ pid: 1, refill: 1, ns: 11824874000 });
    expect(source.facts).toMatchObject({ cpus: '2', 'trace.dat version': '7' });
    expect(source.skippedLines).toBe(0);
  });

  it.each([
    [
      'option -R',
      '              dd-4610  [000]  1785.444226: mm_page_alloc:         pfn=0x29e1b2 order=3 gfp_flags=0x140dca migratetype=1',
      '0x140dca',
    ],
    [
      'option -R, decimal mask',
      '              dd-4610  [000]  1785.444226: mm_page_alloc: pfn=0x29e1b2 order=3 gfp_flags=24150208 migratetype=1',
      '0x17080c0',
    ],
    [
      'options -t -l',
      '      dd-4610    0...1.  1785.444226485: mm_page_alloc:        page=0x29e1b2 pfn=0x29e1b2 order=3 migratetype=1 gfp_flags=GFP_NOWAIT',
      'GFP_NOWAIT',
    ],
    [
      'flags of newer versions',
      '              dd-4610  [000] .....  1785.444226: mm_page_alloc:        page=0x29e1b2 pfn=0x29e1b2 order=3 migratetype=1 gfp_flags=GFP_NOWAIT',
      'GFP_NOWAIT',
    ],
    [
      'option --ts-diff',
      '              dd-4610  [000]  1785.444226: (+12) mm_page_alloc:        page=0x29e1b2 pfn=0x29e1b2 order=3 migratetype=1 gfp_flags=GFP_NOWAIT',
      'GFP_NOWAIT',
    ],
    [
      'the name of a file in front',
      'trace.dat:               dd-4610  [000]  1785.444226: mm_page_alloc:        page=0x29e1b2 pfn=0x29e1b2 order=3 migratetype=1 gfp_flags=GFP_NOWAIT',
      'GFP_NOWAIT',
    ],
    [
      'cycles for time',
      '              dd-4610  [000]1785444226: mm_page_alloc:        page=0x29e1b2 pfn=0x29e1b2 order=3 migratetype=1 gfp_flags=GFP_NOWAIT',
      'GFP_NOWAIT',
    ],
  ])('of %s is read', (_, line, gfp) => {
    const { events } = read(traceCmdReport, text([line, line]));
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({
      comm: 'dd',
      pid: 4610,
      cpu: 0,
      pfn: 0x29e1b2,
      order: 3,
      gfp,
    });
    expect(events[1]).toEqual(events[0]);
  });

  it('tells failures, losses, markers and stacks', () => {
    const { events, source } = read(
      traceCmdReport,
      text([
        'cpus=2',
        '             lab-391   [001]    11.950592: print:                tracing_mark_write: snap 1 begin buddyinfo',
        '             lab-394   [001]    12.012147: bprint:               probe_tick: atomicprobe: order=0 ok=1 pfn=0x87d9',
        '              dd-4610  [000]  1785.444226: mm_page_alloc:        page=0 pfn=0x0 order=9 migratetype=0 gfp_flags=GFP_ATOMIC',
        'CPU:0 [144 EVENTS DROPPED]',
        '              dd-4622  [000]  1786.388318: mm_page_alloc:        page=0x1584de pfn=0x1584de order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE',
        '              dd-4622  [000]  1786.388404: kernel_stack:         <stack trace >',
        '=> __alloc_frozen_pages_noprof (ffffffff8161f78b)',
        '=> alloc_pages_mpol (ffffffff81658d16)',
        FREE,
      ]),
    );
    expect(events.map((event) => event.event)).toEqual([
      'tracing_mark_write',
      'print',
      'mm_page_alloc',
      'lost',
      'mm_page_alloc',
      'mm_page_free',
    ]);
    expect(events[0]!.fields).toEqual({ text: 'snap 1 begin buddyinfo' });
    expect(events[1]!.fields).toEqual({ text: 'probe_tick: atomicprobe: order=0 ok=1 pfn=0x87d9' });
    expect(events[2]!.pfn).toBe(PFN_NONE);
    expect(events[3]!.fields).toEqual({ count: 144 });
    expect(events[4]!.stack).toBe('__alloc_frozen_pages_noprof\nalloc_pages_mpol');
    expect(source.skippedLines).toBe(0);
    expect(source.lostEvents).toBe(144);
  });

  it('is told from ftrace text by its content', () => {
    const report = bytesOf(text(['cpus=2', ALLOC, FREE, LOCKED]));
    expect(traceCmdReport.detect(report, '')!.confidence).toBeGreaterThan(0.9);
    expect(ftraceText.detect(report, '')).toBeNull();
    expect(traceCmdReport.detect(bytesOf(text([ALLOC, FREE])), '')!.confidence).toBeGreaterThan(
      0.9,
    );
    expect(traceCmdReport.detect(bytesOf(text(HEADER, MIXED)), '')).toBeNull();
    expect(traceCmdReport.detect(bytesOf(text(MIXED)), '')).toBeNull();
    expect(traceCmdReport.detect(bytesOf('cpus=2\nhello\n'), '')).toBeNull();
  });
});
