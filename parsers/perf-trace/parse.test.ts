import { describe, expect, it } from 'vitest';
import { collect } from '../event-format/testing.js';
import { damage } from '../event-format/testing-fuzz.js';
import {
  CAPTURES,
  haveCaptures,
  readShared,
  readSharedText,
  readTextEvents,
} from '../event-format/testing-text.js';
import { perfTrace } from './index.js';

const TEXT = `     0.000 dd/4910 kmem:mm_page_alloc(pfn: 1066373, gfp_flags: 4459968)
     1.024 (         ): my prog/7 kmem:mm_page_free(pfn: 31, order: 3)
LOST 12 events!
     2.039 a/b/9 kmem:mm_page_alloc_zone_locked(pfn: 32, migratetype: 1, percpu_refill: 1)
  3000.500 dd/4910 kmem:mm_page_alloc(pfn: 18446744073709551615, order: 4, gfp_flags: 2080)
  3000.501 dd/4910 sched:sched_switch(prev_comm: "dd")
no line of perf trace
`;

describe('perf trace', () => {
  it('reads what is printed, and takes what is not for 0', () => {
    const bytes = Buffer.from(TEXT);
    expect(perfTrace.detect(bytes, '')?.confidence).toBeGreaterThan(0.8);
    const { rows, source, diagnostics } = collect(perfTrace, bytes, { chunk: 50 });
    const said = rows.map((r) => [r.timeNs, r.kind, r.pid, r.comm, r.pfn, r.order, r.gfp]);
    expect(said.filter(([, kind]) => (kind as number) <= 6)).toEqual([
      [0, 1, 4910, 'dd', 1066373, 0, '0x440dc0'],
      [1_024_000, 2, 7, 'my prog', 31, 3, ''],
      [2_039_000, 4, 9, 'a/b', 32, 0, ''],
      [3_000_500_000, 1, 4910, 'dd', -1, 4, '0x820'],
    ]);
    expect([source.lostEvents, source.skippedLines]).toEqual([12, 1]);
    expect(source.skippedEvents).toEqual({ 'sched:sched_switch': 1 });
    expect(diagnostics.counts().map(([code]) => code)).toEqual(['events-lost', 'line-unparsed']);
  });

  it.skipIf(!haveCaptures)('reads a real run whole', () => {
    const { rows, diagnostics } = collect(perfTrace, readShared(CAPTURES, 'perf.trace.txt'));
    expect(diagnostics.all).toEqual([]);
    const lines = readSharedText(CAPTURES, 'perf.trace.txt').trim().split('\n');
    expect(rows).toHaveLength(lines.length);
    // The same workload recorded a little later allocates in the same pattern of masks and orders.
    const script = readTextEvents(readSharedText(CAPTURES, 'perf.script.txt'), 'perf');
    const orders = new Set(script.map(({ fields }) => Number(fields.order)));
    for (const { order } of rows) expect(orders.has(order)).toBe(true);
  });

  it('survives damage', () => {
    damage(perfTrace, Buffer.from(TEXT), 300, 17);
  });
});
