import { describe, expect, it } from 'vitest';
import { collect } from '../event-format/testing.js';
import { damage } from '../event-format/testing-fuzz.js';
import { CAPTURES, haveCaptures, readShared } from '../event-format/testing-text.js';
import { bpftrace } from './index.js';

const printf = (text: string): string => `${JSON.stringify({ type: 'printf', data: text })}\n`;
const read = (text: string): ReturnType<typeof collect> => collect(bpftrace, Buffer.from(text));

describe('bpftrace -f json', () => {
  it.skipIf(!haveCaptures)('reads a real recording', () => {
    const bytes = readShared(CAPTURES, 'bpftrace.ndjson');
    expect(bpftrace.detect(bytes, '')?.confidence).toBeGreaterThan(0.9);
    const { rows, diagnostics, source } = collect(bpftrace, bytes, { chunk: 100 });
    expect(rows.length).toBe(66);
    expect(rows[2]).toMatchObject({
      timeNs: 1_830_073_356_927,
      kind: 1,
      cpu: 1,
      comm: 'dd',
      pfn: 1_994_030,
      order: 0,
      migratetype: 0,
      gfp: '0x2800',
    });
    expect(diagnostics.all).toEqual([]);
    expect(source.skippedEvents).toMatchObject({ 'bpftrace map': 1, 'bpftrace hist': 1 });
  });

  it.skipIf(!haveCaptures)('reads plain output, with maps and stacks in between', () => {
    const bytes = readShared(CAPTURES, 'bpftrace.txt');
    expect(bpftrace.detect(bytes, '')?.confidence).toBeGreaterThan(0.9);
    expect(bpftrace.detect(bytes.subarray(bytes.indexOf(10) + 1), '')?.confidence).toBe(0.6);
    const { rows, diagnostics, source } = collect(bpftrace, bytes, { chunk: 100 });
    const printed = Buffer.from(bytes).toString('latin1').match(/pfn=/g)!;
    expect(rows).toHaveLength(printed.length);
    expect(rows[0]).toMatchObject({ timeNs: 1_830_656_834_357, comm: 'dd', pfn: 2_394_947 });
    expect(diagnostics.all).toEqual([]);
    expect(source.skippedLines).toBe(0);
  });

  it('takes names, pids, event words and failed allocations', () => {
    const { rows } = read(
      printf('12.000000001 3 4711 my prog event=mm_page_free pfn=0x1f order=2\n') +
        printf(
          '13000000000 0 x ev=kmem:mm_page_alloc pfn=ffffffffffffffff order=3 gfp_flags=0x820\n',
        ) +
        printf(
          'kmem:mm_page_pcpu_drain 13000000001 0 pfn=1a2b order=0 mt=1\nnsecs=13000000002 pfn=7\n',
        ),
    );
    expect(
      rows.map((r) => [r.timeNs, r.kind, r.cpu, r.pid, r.comm, r.pfn, r.order, r.gfp]),
    ).toEqual([
      [12_000_000_001, 2, 3, 4711, 'my prog', 31, 2, ''],
      [13_000_000_000, 1, 0, -1, 'x', -1, 3, '0x820'],
      [13_000_000_001, 5, 0, -1, '', 0x1a2b, 0, ''],
      [13_000_000_002, 2, 0, -1, '', 7, 0, ''],
    ]);
  });

  it('counts what it cannot use', () => {
    const { source, rows } = read(
      `${printf('hello\n')}not json\n{"type": "lost_events", "data": {"events": 12}}\n`,
    );
    expect([source.skippedLines, source.lostEvents, rows.length]).toEqual([2, 12, 1]);
  });

  it('survives damage', () => {
    const text = printf('12.5 3 4711 prog event=mm_page_free pfn=0x1f order=2\n').repeat(5);
    damage(bpftrace, Buffer.from(text), 400, 41);
  });
});
