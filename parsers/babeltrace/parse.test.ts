import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collect } from '../event-format/testing.js';
import { damage } from '../event-format/testing-fuzz.js';
import { CAPTURES, haveCaptures, readShared, sayRow } from '../event-format/testing-text.js';
import { perfData } from '../perf-data/parse.js';
import { babeltrace } from './index.js';

const LTTNG = `[23:59:59.999999000] (+?.?????????) box kmem_mm_page_alloc: { cpu_id = 3 }, { procname = "a, b = \\"c\\"", tid = 77 }, { page = 0xFFFFEA0000001000, pfn = 123456, order = 3, gfp_flags = 3264, migratetype = 1 }
[00:00:00.000000001] (+0.000001001) box sched_switch: { cpu_id = 0 }, { prev_comm = "x" }
[00:00:00.000000002] (+0.000000001) box kmem_mm_page_alloc: { cpu_id = 0 }, { page = 0x0, pfn = 18446744073709551615, order = 9, gfp_flags = 0x800, migratetype = 0 }
[00:00:00.000000003] (+0.000000001) box kmem_mm_page_free: { cpu_id = 0 }, { page = 0xFFFFEA0000001000, pfn = 123456, order = 3 }
[warning] Tracer discarded 5 events between [x] and [y]
`;

describe('LTTng kernel traces printed by babeltrace', () => {
  const read = (text: string, chunk?: number): ReturnType<typeof collect> =>
    collect(babeltrace, Buffer.from(text), chunk === undefined ? {} : { chunk });

  it('is recognised', () => {
    expect(babeltrace.detect(Buffer.from(LTTNG), '')?.confidence).toBeGreaterThan(0.8);
    expect(babeltrace.detect(Buffer.from('[1.2] hello: world\n'), '')).toBeNull();
  });

  it.each([undefined, 1, 61])('gives page events over midnight, chunks of %s', (chunk) => {
    const { rows, source } = read(LTTNG, chunk);
    expect(
      rows.map((r) => [r.timeNs, r.cpu, r.pid, r.comm, r.kind, r.pfn, r.order, r.gfp]),
    ).toEqual([
      [86_399_999_999_000, 3, 77, 'a, b = \\"c\\"', 1, 123_456, 3, '0xcc0'],
      [86_400_000_000_002, 0, -1, '', 1, -1, 9, '0x800'],
      [86_400_000_000_003, 0, -1, '', 2, 123_456, 3, ''],
      [86_400_000_000_003, 0, -1, '', 90, -1, 0, ''],
    ]);
    expect([source.lostEvents, source.skippedEvents.sched_switch]).toEqual([5, 1]);
  });

  it('takes seconds and full dates', () => {
    const event = 'kmem:mm_page_free: { cpu_id = 1 }, { pfn = 0x10, order = 0 }';
    const { rows, clock } = read(`[1700000000.000000007] ${event}\n`);
    expect([clock.epochS, rows[0]!.timeNs, rows[0]!.pfn]).toEqual([1_700_000_000, 7, 16]);
    const dated = read(`[2023-11-14 22:13:20.000000007] (+0.1) ${event}\n`);
    expect([dated.clock.epochS, dated.rows[0]!.timeNs]).toEqual([1_700_000_000, 7]);
  });

  it('survives damage', () => {
    damage(babeltrace, Buffer.from(LTTNG), 300, 31);
  });
});

const printed = spawnSync('babeltrace2', ['--clock-seconds', join(CAPTURES, 'perf-ctf')]);

it.skipIf(!haveCaptures || printed.status !== 0)(
  'says the same of a perf recording as perf.data itself',
  () => {
    const text = collect(babeltrace, printed.stdout).rows;
    const file = collect(perfData, readShared(CAPTURES, 'perf.data')).rows;
    const bare = { comm: '', gfp: '' };
    const say = (rows: typeof text): string[] => rows.map((r) => sayRow({ ...r, ...bare }, 9));
    expect(text.length).toBe(64);
    expect(say(text)).toEqual(say(file));
  },
);
