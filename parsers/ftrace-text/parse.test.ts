/** Every form of ftrace text, by real lines. */
import { describe, expect, it } from 'vitest';
import { PFN_NONE } from '../../src/records/events.js';
import { ftraceText } from './index.js';
import { HEADER, MIXED, STACK, text } from './testing/lines.js';
import { bytesOf, type PlainEvent, read } from './testing/read.js';

const PAYLOAD =
  'mm_page_alloc: page=000000003b1cc728 pfn=0x1584de order=2 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP';

/** The one event of one line, read twice: alone, and the fast way after itself. */
function one(line: string): PlainEvent {
  const alone = read(ftraceText, `${line}\n`).events;
  const twice = read(ftraceText, `${line}\n${line}\n${'#\n'.repeat(600)}`).events;
  expect(alone).toHaveLength(1);
  expect(twice).toEqual([alone[0], alone[0]]);
  return alone[0]!;
}

describe('the header', () => {
  it('tells tracer, cpus and how many entries were overwritten', () => {
    const header = '# tracer: nop\n#\n# entries-in-buffer/entries-written: 564/20226   #P:12\n';
    const { source, diagnostics } = read(ftraceText, header);
    expect(source.facts).toMatchObject({ tracer: 'nop', cpus: '12' });
    expect(source.overwritten).toBe(19662);
    expect(diagnostics.count('trace-overwritten')).toBe(1);
    expect(source.lines).toBe(3);
    expect(source.skippedLines).toBe(0);
  });

  it('of latency format tells the release', () => {
    const header =
      '# tracer: nop\n# nop latency trace v1.1.5 on 6.1.0-56-amd64\n' +
      '# latency: 0 us, #132868/132870, CPU#0 | (M:desktop VP:0, KP:0, SP:0 HP:0 #P:2)\n';
    const { source } = read(ftraceText, header);
    expect(source.facts).toMatchObject({ release: '6.1.0-56-amd64', cpus: '2' });
    expect(source.overwritten).toBe(2);
  });
});

describe('a line', () => {
  it.each([
    ['5 flags', '              dd-2089    [001] d..3.  1594.497452: '],
    ['4 flags', '              dd-2089  [001] d..3  1594.497452: '],
    ['7 flags (PREEMPT_RT)', '              dd-2089    [001] d..3.1.  1594.497452: '],
    ['no flags', '              dd-2089    [001]   1594.497452: '],
    ['tgid', '              dd-2089    (   2091) [001] .....  1594.497452: '],
    ['unknown tgid', '              dd-2089    (-------) [001] .....  1594.497452: '],
    ['leading blanks lost', 'dd-2089 [001] d..3. 1594.497452: '],
    ['a log prefix', '[  123.456789] kernel:               dd-2089    [001] d..3.  1594.497452: '],
  ])('with %s', (_, front) => {
    expect(one(front + PAYLOAD)).toEqual({
      event: 'mm_page_alloc',
      ns: 1594497452000,
      cpu: 1,
      pid: 2089,
      comm: 'dd',
      pfn: 0x1584de,
      order: 2,
      type: 1,
      gfp: 'GFP_HIGHUSER_MOVABLE|__GFP_COMP',
    });
  });

  it.each([
    ['microseconds', '  1594.497452', 1594497452000],
    ['nanoseconds', '  1594.497452123', 1594497452123],
    ['a counter', '        23251', 23251],
    ['cycles', ' 4142036003742', 4142036003742],
  ])('with %s', (_, stamp, ns) => {
    expect(one(`              dd-2089    [001] .....${stamp}: ${PAYLOAD}`).ns).toBe(ns);
  });

  it.each([
    ['+', 16395000],
    [' ', 16395000],
    ['!', 16395000],
  ])('of latency format with delay mark %j', (mark, ns) => {
    const event = one(`      dd-2097      1d..3. 16395us${mark}: ${PAYLOAD}`);
    expect(event).toMatchObject({ comm: 'dd', pid: 2097, cpu: 1, ns });
  });

  it.each([
    ['[001] ..s3.  1594.497452: ', 3],
    ['[001] d.sa  1594.497452: ', 10],
    ['[001] dNs4.1.  1594.497452: ', 4],
    ['[001] ..s..  1594.497452: ', undefined],
    ['[001] ..H3.  1594.497452: ', undefined],
    ['[001] ....3  1594.497452: ', undefined],
    ['[001]  1594.497452: ', undefined],
    ['  1..s2. 16395us : ', 2],
  ])('of a free in a softirq tells its preempt depth: %s', (front, depth) => {
    const line = `              dd-2089    ${front}mm_page_free: page=000000003b1cc728 pfn=0x1584de order=0`;
    expect(one(line).softirqDepth).toBe(depth);
  });

  it('of latency format with verbose', () => {
    const front =
      '              dd    2100   1 0 00000000 00000001 [5f10fe61] 10.497ms (+0.012ms): ';
    expect(one(front + PAYLOAD)).toMatchObject({ comm: 'dd', pid: 2100, cpu: 1, ns: 10497000 });
  });

  it.each([
    ['my proc', '         my proc-3144    '],
    ['a-b-c:0', '         a-b-c:0-3144    '],
    ['x[1]', '            x[1]-3144    '],
    ['(sd-pam)', '        (sd-pam)-3144    '],
    ['foo => bar', '      foo => bar-3144    '],
    ['tab\tname', '        tab\tname-3144    '],
    ['1234', '            1234-3144    '],
    ['a b-77 [003]', '    a b-77 [003]-3144    '],
    ['trail-', '          trail--3144    '],
    ['mm_page_alloc:', '  mm_page_alloc:-3144    '],
    ['-1 [000] 1: x:', '  -1 [000] 1: x:-3144    '],
    ['<...>', '           <...>-3144    '],
    ['ünïcode', '       \u00c3\u00bcn\u00c3\u00afcode-3144    '],
    ['\u00ff\u00fe', '              \u00ff\u00fe-3144    '],
    ['</script><scri', '  </script><scri-3144    '],
  ])('of a task named %j', (comm, front) => {
    expect(one(`${front}[001] .....  1675.157814: ${PAYLOAD}`)).toMatchObject({ comm, pid: 3144 });
  });

  it('with CRLF or terminal colours reads the same', () => {
    const line = `              dd-2089    [001] .....  1594.497452: ${PAYLOAD}`;
    const plain = read(ftraceText, `${line}\n`).events;
    const crlf = `${line}\r\n`.repeat(2) + '#\r\n'.repeat(600);
    expect(read(ftraceText, crlf).events).toEqual([plain[0], plain[0]]);
    const coloured = line.replace(
      'mm_page_alloc',
      '\u001b[01;31m\u001b[Kmm_page_alloc\u001b[m\u001b[K',
    );
    expect(read(ftraceText, `${coloured}\n`).events).toEqual(plain);
  });
});

describe('a payload', () => {
  const front = '              dd-2089    [001] .....  1594.497452: ';

  it.each([
    ['hexadecimal', 'mm_page_free: page=(____ptrval____) pfn=0x1ae83 order=0', 0x1ae83],
    ['decimal', 'mm_page_free: page=fffff6f9400d1e40 pfn=13433 order=0', 13433],
    [
      'long hexadecimal',
      'mm_page_free: page=fffff6f9400d1e40 pfn=0xfffffffff order=0',
      0xfffffffff,
    ],
    ['short', 'mm_page_free: page=fffff6f9400d1e40 pfn=0x7 order=0', 7],
    ['with cold', 'mm_page_free_batched: page=ffffea0000000000 pfn=13433 order=0 cold=0', 13433],
    ['by its older name', 'mm_page_free_direct: page=ffffea0000000000 pfn=13433 order=0', 13433],
    [
      'by its oldest name',
      'mm_pagevec_free: page=ffffea0000000000 pfn=13433 order=0 cold=1',
      13433,
    ],
    ['of option fields', 'mm_page_free: pfn=0x2514b8 (2430136) order=0x0 (0)', 0x2514b8],
  ])('with pfn %s', (_, payload, pfn) => {
    expect(one(front + payload)).toMatchObject({ pfn, order: 0, type: -1 });
  });

  it('of option fields has its own order and a numeric mask', () => {
    const payload =
      'mm_page_alloc: pfn=0x2514b8 (2430136) order=0x1 (1) gfp_flags=0x140dca (1314250) migratetype=0x1 (1)';
    expect(one(front + payload)).toMatchObject({ order: 1, type: 1, gfp: '0x140dca' });
  });

  it.each([
    ['page=0000000000000000 pfn=0x0'],
    ['page=          (null) pfn=0'],
    ['page=(null) pfn=0'],
    ['page=          (null) pfn=439804651110'],
    ['pfn=0xffffffffffffffff'],
  ])('of a failed allocation: %s', (page) => {
    const event = one(`${front}mm_page_alloc: ${page} order=3 migratetype=0 gfp_flags=GFP_ATOMIC`);
    expect(event).toMatchObject({ pfn: PFN_NONE, order: 3, gfp: 'GFP_ATOMIC' });
  });

  it('with a page and pfn 0 is no failure', () => {
    const payload =
      'mm_page_alloc: page=ffffea0000000000 pfn=0x0 order=0 migratetype=0 gfp_flags=none';
    expect(one(front + payload)).toMatchObject({ pfn: 0, gfp: 'none' });
  });

  it('of a zone_locked without page is counted, not an event', () => {
    const payload =
      'mm_page_alloc_zone_locked: page=          (null) pfn=0 order=3 migratetype=0 percpu_refill=0';
    const { events, source } = read(ftraceText, `${front}${payload}\n`);
    expect(events).toEqual([]);
    expect(source.skippedEvents).toEqual({ '(page event without a page)': 1 });
  });

  it.each([
    ['pfn=0x10000000000000 order=0 migratetype=0 gfp_flags=none', 'pfn'],
    ['pfn=99999999999999999999 order=0 migratetype=0 gfp_flags=none', 'pfn'],
    ['pfn=-5 order=0 migratetype=0 gfp_flags=none', 'pfn'],
    ['pfn=0x5 order=99 migratetype=0 gfp_flags=none', 'order'],
    ['pfn=0x5 order=-1 migratetype=0 gfp_flags=none', 'order'],
    ['pfn=0x5 order=0 migratetype=77 gfp_flags=none', 'migratetype'],
  ])('that cannot be true is refused: %s', (fields, field) => {
    const line = `${front}mm_page_alloc: page=ffffea0000000000 ${fields}\n`;
    const { events, source, diagnostics } = read(ftraceText, line);
    expect(events).toEqual([]);
    expect(source.skippedLines).toBe(1);
    expect(diagnostics.all[0]).toMatchObject({ code: 'event-value-impossible', line: 1 });
    expect(diagnostics.all[0]!.message).toContain(`${field}=`);
  });

  it.each([
    ['pfn=0x5'],
    ['pfn=zz order=0'],
    ['order=0'],
    [''],
    ['pfn=0x order=0'],
    ['pfn=0x5 order=0x'],
  ])('that is cut is a skipped line: %j', (fields) => {
    const { events, source } = read(ftraceText, `${front}mm_page_free: page=x ${fields}\n`);
    expect(events).toEqual([]);
    expect(source.skippedLines).toBe(1);
  });
});

describe('a trace', () => {
  const { events, source, diagnostics } = read(ftraceText, text(HEADER, MIXED));

  it('gives its page events', () => {
    expect(events.map((event) => event.event)).toEqual([
      'mm_page_alloc',
      'mm_page_alloc_zone_locked',
      'mm_page_alloc',
      'print',
      'tracing_mark_write',
      'mm_page_free_batched',
      'mm_page_free',
      'mm_page_pcpu_drain',
      'mm_page_alloc_extfrag',
      'mm_vmscan_wakeup_kswapd',
      'mm_compaction_isolate_migratepages',
      'mm_compaction_kcompactd_wake',
      'mm_page_alloc',
    ]);
    expect(events[1]).toMatchObject({ pfn: 0x3b7e, refill: 1 });
    expect(events[7]).toMatchObject({ pfn: 0x190c9, order: 0, type: 4, cpu: 0 });
    expect(events[12]).toMatchObject({ pfn: PFN_NONE, order: 10 });
    expect(events[8]).toMatchObject({ pfn: 0xf930, order: 2, type: 0 });
    expect(events[8]!.extfrag).toEqual({
      fallbackOrder: 3,
      pageblockOrder: 9,
      fallbackMigratetype: 1,
      fragmenting: true,
      changeOwnership: false,
    });
  });

  it('gives its rare events field by field', () => {
    expect(events[3]!.fields).toEqual({
      text: 'probe_tick: atomicprobe: order=0 ok=1 pfn=0x2de4',
    });
    expect(events[4]!.fields).toEqual({ text: 'snap 1 begin buddyinfo' });
    expect(events[9]!.fields).toEqual({
      nid: 0,
      order: 10,
      gfp_flags: 'GFP_ATOMIC|__GFP_NOWARN',
      zid: Number.NaN,
    });
    expect(events[10]!.fields).toEqual({
      start: 0x4400,
      end: 0x4600,
      nr_scanned: 512,
      nr_taken: 7,
    });
    expect(events[11]!.fields).toEqual({ nid: 0, order: 10, classzone_idx: 'DMA32' });
  });

  it('accounts for every line', () => {
    expect(source.skippedEvents).toEqual({ oom_score_adj_update: 1 });
    expect(source.events['kmem:mm_page_alloc']).toBe(3);
    expect(source.lines).toBe(HEADER.length + MIXED.length);
    expect(source.skippedLines).toBe(0);
    expect(source.firstNs).toBe(5578886000);
    expect(source.lastNs).toBe(18990000000);
    expect(source.facts['pfn base']).toBe('hexadecimal');
    expect(diagnostics.all).toEqual([]);
  });

  it('joins a stack to the event of its cpu and pid', () => {
    const stacked = read(ftraceText, text(STACK, MIXED)).events;
    expect(stacked[0]!.stack).toBe('trace_event_raw_event_mm_page_alloc\n__alloc_pages\npgd_alloc');
    expect(stacked[1]!.stack).toBeUndefined();
    expect(stacked).toHaveLength(15);
  });

  it('does not give a skipped event’s stack to an older event', () => {
    const foreign =
      '            init-1       [001] .....     9.000002: sched_waking: comm=lab pid=3 prio=120 target_cpu=000';
    const lines = text([STACK[0]!, foreign], STACK.slice(2));
    const { events: stacked, source: summary } = read(ftraceText, lines);
    expect(stacked.map((event) => event.stack)).toEqual([undefined]);
    expect(summary.facts['stacks of skipped events']).toBe('1');
    expect(summary.skippedEvents).toEqual({ sched_waking: 1 });
  });

  it('marks lost events and buffer starts at the next line', () => {
    const lines = [
      MIXED[0]!,
      'CPU:1 [LOST 641 EVENTS]',
      MIXED[1]!,
      'CPU:0 [LOST EVENTS]',
      MIXED[2]!,
      '##### CPU 1 buffer started ####',
      MIXED[6]!,
      'CPU:3 [144 EVENTS DROPPED]',
    ];
    const lossy = read(ftraceText, text(lines));
    const marks = lossy.events.filter((event) => !event.event.startsWith('mm_'));
    expect(marks).toEqual([
      { event: 'lost', ns: 5579583000, cpu: 1, pid: 0, comm: '', fields: { count: 641 } },
      { event: 'lost', ns: 5580604000, cpu: 0, pid: 0, comm: '', fields: { count: Number.NaN } },
      { event: 'buffer_started', ns: 8308914000, cpu: 1, pid: 0, comm: '', fields: {} },
      { event: 'lost', ns: 8308914000, cpu: 3, pid: 0, comm: '', fields: { count: 144 } },
    ]);
    expect(lossy.events.map((event) => event.event)[1]).toBe('lost');
    expect(lossy.source.lostEvents).toBe(785);
    expect(lossy.source.facts['losses of unknown size']).toBe('1');
    expect(lossy.diagnostics.count('events-lost')).toBe(3);
  });

  it('keeps stamps of an epoch clock exact', () => {
    const line = `              dd-2118    [001] ..... 1795333523.946436123: ${PAYLOAD}\n`;
    const { events: tai, clock, source: summary } = read(ftraceText, line.repeat(2));
    expect(clock.epochS).toBe(1795333523);
    expect(tai[0]!.ns).toBe(946436123);
    expect(summary.clock).toBe('tai');
  });

  it('counts integer stamps in the unit the user gives', () => {
    const line = `              dd-2118    [001] .....       159497: ${PAYLOAD}\n`;
    const ns = (unit: string) =>
      read(ftraceText, line, { options: { 'time-unit': unit } }).events[0]!.ns;
    expect(ns('ms')).toBe(159497e6);
    expect(ns('us')).toBe(159497e3);
    expect(ns('s')).toBe(159497e9);
  });

  it('without context takes the order for time and says so', () => {
    const {
      events: bare,
      source: summary,
      diagnostics: said,
    } = read(ftraceText, `# tracer: nop\n#\n${PAYLOAD}\n${PAYLOAD}\n`);
    expect(bare.map((event) => event.ns)).toEqual([1, 2]);
    expect(summary.clock).toBe('order');
    expect(said.count('trace-without-context')).toBe(1);
  });

  it('of option raw is explained', () => {
    const raw = `# tracer: nop\n#\n${'2127 1 1596265212387 type: 653\n'.repeat(30)}`;
    const { events: none, source: summary, diagnostics: said } = read(ftraceText, raw);
    expect(none).toEqual([]);
    expect(summary.skippedLines).toBe(30);
    expect(said.count('trace-form-unusable')).toBe(1);
    expect(said.all[0]!.message).toContain('option raw');
  });

  it('full of other events names 256 of them', () => {
    const lines = Array.from(
      { length: 400 },
      (_, i) => `              dd-2118    [001] .....  1594.497452: foreign_${i}: a=${i}`,
    );
    const { source: summary } = read(ftraceText, text(lines));
    const names = Object.keys(summary.skippedEvents);
    expect(names).toHaveLength(257);
    expect(summary.skippedEvents['(other)']).toBe(144);
    expect(summary.skippedLines).toBe(0);
  });

  it('tells trace_printk from events', () => {
    const front = '              dd-2118    [001] .....  1594.497452: ';
    const lines = [
      `${front}0xffffffffc061514e: atomicprobe: order=3 ok=0`,
      `${front}my_function: value 3`,
      `${front}sys_enter: NR 0 (3, 7f, 20, 0, 0, 0)`,
      `${front}do_IRQ <-common_interrupt`,
      `${front}probe_tick [atomicprobe]: hello`,
    ];
    const { events: texts, source: summary } = read(ftraceText, text(lines));
    expect(texts.map((event) => event.fields!.text)).toEqual([
      '0xffffffffc061514e: atomicprobe: order=3 ok=0',
      'my_function: value 3',
      'probe_tick [atomicprobe]: hello',
    ]);
    expect(summary.skippedEvents).toEqual({ sys_enter: 1, '(function)': 1 });
  });

  it('is not misled by a marker that quotes a trace line', () => {
    const quote = `             lab-391   [001] .....     5.950592: tracing_mark_write: evil-7 [000] .....  1.000000: ${PAYLOAD}`;
    const { events: quoted } = read(ftraceText, `${quote}\n`);
    expect(quoted).toHaveLength(1);
    expect(quoted[0]).toMatchObject({ event: 'tracing_mark_write', comm: 'lab' });
  });
});

describe('detection', () => {
  const detect = (input: string) => ftraceText.detect(bytesOf(input), 'x');

  it('takes a header, or lines alone', () => {
    expect(detect(text(HEADER))!.confidence).toBeGreaterThan(0.9);
    expect(detect(text(HEADER, MIXED))!.confidence).toBeGreaterThan(0.9);
    expect(detect(text(MIXED))!.confidence).toBeGreaterThan(0.8);
    expect(detect(text(STACK))!.confidence).toBeGreaterThan(0.8);
    expect(detect(MIXED[0]!)!.confidence).toBeGreaterThan(0.8);
  });

  it('leaves other texts alone', () => {
    expect(detect('')).toBeNull();
    expect(detect('Node 0, zone DMA 1 2 3\n'.repeat(5))).toBeNull();
    expect(detect('[    1.234567] init-1 [000] hello: world\n'.repeat(5))).toBeNull();
    expect(detect('\u0000\u0001\u0002'.repeat(500))).toBeNull();
  });
});
