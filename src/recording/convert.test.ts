import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventKind, PFN_NONE } from '../records/events.js';
import { NO_TIME, type Snapshot } from '../records/snapshot.js';
import { RecordingStrings } from '../records/strings.js';
import { type ConvertFormat, convertEvents, convertSnapshots } from './convert.js';
import { openRecording } from './open.js';
import type { Recording } from './recording.js';
import { allEvents, anyEvent, anyText, type PlainEvent, spoolOf } from './testing/batches.js';
import { bytesOf, chunksOf } from './testing/chunks.js';

const FORMATS: readonly ConvertFormat[] = ['ndjson', 'csv'];
/** kernel/trace/trace.c trace_clocks, those of perf, and what readers call stamps of none of them. */
const TRACE_CLOCKS = [
  ...['local', 'global', 'counter', 'uptime', 'perf', 'mono', 'mono_raw', 'boot', 'tai'],
  ...['x86-tsc', 'ppc-tb', 's390-tod', 'unknown', 'order', 'since the first event'],
];

/** Reads text as the only input. */
function reopen(text: string, chunkBytes = 1 << 20, options = {}): Promise<Recording> {
  return openRecording(['-'], { stdin: chunksOf(bytesOf(text), chunkBytes), ...options });
}

function written(
  events: readonly PlainEvent[],
  format: ConvertFormat,
  epochS = 0,
  name = 'unknown',
): string {
  const strings = new RecordingStrings();
  const recording = {
    events: spoolOf(events, strings),
    snapshots: [],
    strings,
    clock: { epochS, name },
  };
  return [...convertEvents(recording, format)].join('');
}

describe('convert and import of events', () => {
  for (const format of FORMATS) {
    it(`are inverse to each other (${format})`, async () => {
      // In time order, beginning with a stamp, as recordings do.
      const ordered = fc.array(anyEvent, { minLength: 1, maxLength: 30 }).map((events) => {
        let timeNs = 0;
        return events.map((event, i) => {
          const keep = i > 0 && Number.isNaN(event.timeNs);
          timeNs += keep ? 0 : (i === 0 ? 1 : event.timeNs || 0) % 1e12;
          return { ...event, timeNs: keep ? Number.NaN : timeNs };
        });
      });
      await fc.assert(
        fc.asyncProperty(ordered, async (events) => {
          const back = await reopen(written(events, format));
          expect(back.diagnostics.all).toEqual([]);
          expect(allEvents(back.events, back.strings)).toEqual(events);
          back.close();
        }),
        { numRuns: 60 },
      );
    });

    it(`keep nanoseconds of wall-clock stamps (${format})`, async () => {
      const [sample] = fc.sample(
        anyEvent.filter((event) => event.kind === EventKind.free),
        { numRuns: 1, seed: 3 },
      );
      const text = written([{ ...sample!, timeNs: 123_456_789 }], format, 1_795_333_438);
      expect(text).toContain('1795333438.123456789');
      const back = await reopen(text);
      expect(back.clock.epochS).toBe(1_795_333_438);
      expect(allEvents(back.events, back.strings)[0]!.timeNs).toBe(123_456_789);
      back.close();
    });

    it.each([...TRACE_CLOCKS])(`keep the name of the clock (${format}, %s)`, async (name) => {
      const events = fc
        .sample(anyEvent, { numRuns: 3, seed: 9 })
        .map((event, i) => ({ ...event, timeNs: 1e9 + i }));
      const text = written(events, format, 0, name);
      const back = await reopen(text);
      expect(back.clock.name).toBe(name);
      expect(back.sources[0]!.clock).toBe(name);
      expect(back.diagnostics.all).toEqual([]);
      expect(allEvents(back.events, back.strings)).toEqual(events);
      expect([...convertEvents(back, format)].join('')).toBe(text);
      back.close();
    });

    it(`do not depend on how the bytes are cut (${format})`, async () => {
      const events = fc.sample(anyEvent, { numRuns: 40, seed: 5 }).map((event, i) => ({
        ...event,
        timeNs: i * 1000 + 1,
      }));
      const text = written(events, format);
      const back = await reopen(text, 61);
      expect(allEvents(back.events, back.strings)).toEqual(events);
      expect(back.sources[0]!.bytes).toBe(bytesOf(text).length);
      back.close();
    });
  }

  it('protects spreadsheets from formulas', () => {
    const [sample] = fc.sample(anyEvent, { numRuns: 1, seed: 3 });
    for (const comm of ['=1+1', '+1', '-1+1', '@sum', '\t=1', '\r=1']) {
      const line = written([{ ...sample!, comm }], 'csv')
        .split('\n')
        .slice(1)
        .join('\n');
      expect(line).toContain(`'${comm}`);
    }
  });
});

const time = { clock: 'trace', beginNs: 8_441_568_013, endNs: 8_441_820_079 } as const;
const at = { time: { ...time, snap: 4, resolutionNs: 1 }, source: 'a/b.log', line: 17 };
const mono = { ...at, time: { ...at.time, clock: 'mono' as const, snap: null } };
const zone = { node: 0, zone: 'DMA32' };

/** One of every kind, with odd values. */
const SNAPSHOTS: readonly Snapshot[] = [
  { ...at, kind: 'buddyinfo', zones: [{ ...zone, free: [1, 2, 0, 2 ** 40] }] },
  { ...at, time: { ...at.time, beginEvent: 3, endEvent: 9 }, kind: 'buddyinfo', zones: [] },
  {
    ...at,
    kind: 'pagetypeinfo',
    pageblockOrder: 9,
    free: [{ ...zone, type: 'Movable', free: [100000, 1], cappedOrders: [0] }],
    blocks: [{ ...zone, counts: { Unmovable: 3, CMA: 0 } }],
    mixed: null,
  },
  {
    ...mono,
    kind: 'zoneinfo',
    zones: [
      {
        ...zone,
        freePages: 5,
        boost: null,
        min: 1,
        low: 2,
        high: 3,
        promo: null,
        spanned: 4,
        present: 4,
        managed: 3,
        cma: 0,
        protection: [0, 0, 1000],
        startPfn: 4096,
        nrFreeCma: null,
        reservedHighatomic: 0,
        freeHighatomic: null,
        pcp: [{ cpu: 0, count: 1, high: 2, batch: 3, highMin: null, highMax: 4 }],
        vmStatsThreshold: 16,
      },
    ],
  },
  { ...at, kind: 'vmstat', counters: new Map([['nr_free_pages', 2 ** 45]]) },
  { ...at, kind: 'sysctl', values: new Map([['min_free_kbytes', '3000']]), time: NO_TIME },
  { ...at, kind: 'version', release: '6.1', text: '=Linux "6.1", #1\n', time: NO_TIME },
  {
    ...at,
    kind: 'extfrag_index',
    zones: [{ ...zone, values: [-1, 0.5, 0.999] }],
    time: { clock: 'wall', beginNs: 1.7e18, endNs: 1.7e18, snap: null, resolutionNs: 1e9 },
  },
  {
    ...at,
    kind: 'kpageflags',
    classes: Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 250),
    buddyHeadsOnly: true,
  },
  { ...at, kind: 'kpageflags', classes: new Uint8Array(0), buddyHeadsOnly: false },
];

const anyOwner = fc.record({
  pfn: fc.integer({ min: 0, max: 2 ** 40 - 1 }),
  order: fc.integer({ min: 0, max: 32 }),
  pid: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  allocNs: fc.oneof(
    fc.constant(Number.NaN),
    fc.maxSafeNat(),
    fc.constant(Number('9876543210123456789')),
  ),
  gfp: fc.oneof(fc.constant(''), anyText),
  comm: fc.oneof(fc.constant(''), anyText),
  type: fc.constantFrom<string>('', 'Movable', 'Unmovable'),
  stack: fc.array(anyText, { maxLength: 4 }).map((frames) => frames.join('\n')),
});
type PlainOwner = typeof anyOwner extends fc.Arbitrary<infer T> ? T : never;

function dumpOf(owners: readonly PlainOwner[], strings: RecordingStrings): Snapshot {
  const { gfps, comms, texts, stacks } = strings;
  return {
    ...at,
    time: NO_TIME,
    kind: 'page_owner',
    length: owners.length,
    pfn: Float64Array.from(owners, ({ pfn }) => pfn),
    order: Uint8Array.from(owners, ({ order }) => order),
    pid: Int32Array.from(owners, ({ pid }) => pid),
    allocNs: Float64Array.from(owners, ({ allocNs }) => allocNs),
    gfp: Uint32Array.from(owners, ({ gfp }) => gfps.internText(gfp)),
    comm: Uint32Array.from(owners, ({ comm }) => comms.internText(comm)),
    type: Uint32Array.from(owners, ({ type }) => texts.internText(type)),
    stack: Uint32Array.from(owners, ({ stack }) => stacks.internText(stack)),
  };
}

function ownersOf(dump: Snapshot, { gfps, comms, texts, stacks }: RecordingStrings): PlainOwner[] {
  if (dump.kind !== 'page_owner') return [];
  return Array.from({ length: dump.length }, (_, i) => ({
    pfn: dump.pfn[i]!,
    order: dump.order[i]!,
    pid: dump.pid[i]!,
    allocNs: dump.allocNs[i]!,
    gfp: gfps.text(dump.gfp[i]!),
    comm: comms.text(dump.comm[i]!),
    type: texts.text(dump.type[i]!),
    stack: stacks.text(dump.stack[i]!),
  }));
}

describe('convert and import of snapshots', () => {
  for (const format of FORMATS) {
    it(`give back every kind (${format})`, async () => {
      for (const snapshot of SNAPSHOTS) {
        const recording = {
          events: spoolOf([], new RecordingStrings()),
          snapshots: [snapshot],
          strings: new RecordingStrings(),
          clock: { epochS: 0, name: 'mono' },
        };
        const text = [...convertSnapshots(recording, format)].join('');
        const back = await reopen(text);
        // A monotonic stamp with no trace beside it is taken for trace time.
        const expected =
          snapshot.time.clock === 'mono'
            ? { ...snapshot, time: { ...snapshot.time, clock: 'trace' } }
            : snapshot;
        expect(back.snapshots).toEqual([expected]);
        back.close();
      }
    });
  }

  it('are inverse to each other for page_owner dumps; CSV has none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyOwner, { minLength: 1, maxLength: 20 }), async (owners) => {
        const strings = new RecordingStrings();
        const events = spoolOf([], strings);
        const recording = {
          events,
          snapshots: [dumpOf(owners, strings)],
          strings,
          clock: { epochS: 7, name: 'mono' },
        };
        const back = await reopen([...convertSnapshots(recording, 'ndjson')].join(''), 61);
        expect(back.snapshots).toHaveLength(1);
        expect(back.snapshots[0]).toMatchObject({ time: NO_TIME, source: 'a/b.log', line: 17 });
        expect(ownersOf(back.snapshots[0]!, back.strings)).toEqual(owners);
        expect([...convertSnapshots(recording, 'csv')].join('').split('\n')).toHaveLength(2);
        back.close();
        events.close();
      }),
      { numRuns: 60 },
    );
  });

  it('takes tables of free blocks', async () => {
    const table =
      't,node,zone,order0,order1,order2\n1.5,0,DMA,1,2,3\n1.5,0,DMA32,4,5,6\n2,0,DMA,7,8,9\n';
    const lines =
      '{"t":1.5,"node":0,"zone":"DMA","free":[1,2,3]}\n{"t":1.5,"node":0,"zone":"DMA32","free":[4,5,6]}\n{"t":2,"node":0,"zone":"DMA","free":[7,8,9]}\n';
    for (const text of [table, lines]) {
      const { snapshots, diagnostics } = await reopen(text);
      expect(diagnostics.all).toEqual([]);
      expect(snapshots.map(({ time, ...rest }) => [time.beginNs, rest.kind])).toEqual([
        [1.5e9, 'buddyinfo'],
        [2e9, 'buddyinfo'],
      ]);
      expect(snapshots[0]).toMatchObject({
        zones: [
          { node: 0, zone: 'DMA', free: [1, 2, 3] },
          { node: 0, zone: 'DMA32', free: [4, 5, 6] },
        ],
      });
    }
  });
});

describe("other people's tables", () => {
  const expected = { timeNs: 1_830_073_307_474, pfn: 2003409, order: 3, pid: 7, comm: 'dd' };

  it('have other names and units', async () => {
    const texts = [
      'nsecs,cpu,tid,process,type,pfn,order\n1830073307474,1,7,dd,mm_page_alloc,0x1e91d1,3\n',
      'cpu;pid;comm;name;frame;order;timestamp\n1;7;dd;kmem:mm_page_alloc;2003409;3;1830.073307474\n',
      '{"ts":1830073307474,"pid":7,"comm":"dd","event":"alloc","pfn":"0x1e91d1","size":32768}\n',
      '{"@t":"x","_source":{"time":"1830.073307474","tid":7,"comm":"dd","event":"alloc","pfn":2003409,"order":3}}\n',
    ];
    for (const text of texts) {
      const { events, strings } = await reopen(text);
      expect(allEvents(events, strings)[0]).toMatchObject(expected);
    }
  });

  it('are read by --map and --time-unit', async () => {
    const text = 'when,what,page_frame,o,pid,who\n1830073307474,alloc,2003409,3,7,dd\n';
    const { events, strings } = await reopen(text, 1 << 20, {
      formatOptions: {
        map: 't=when,event=what,pfn=page_frame,order=o,comm=who',
        'time-unit': 'ns',
      },
    });
    expect(allEvents(events, strings)[0]).toMatchObject(expected);
  });

  it('have dates as Elastic, Loki and Vector write them, and wrappers', async () => {
    const text = [
      '{"@timestamp":"2024-11-22T07:49:05.123456789Z","fields":{"event":"mm_page_alloc","pfn":"0x10","gfp":"0x820"}}',
      '{"@timestamp":"2024-11-22T08:49:05.2+01:00","_source":{"event":"mm_page_free","pfn":16}}',
      '{"date_time":"2024-11-22 07:49:06","event":"free","pfn":17}',
      '{"@timestamp":"2024-13-45T99:99:99","event":"free","pfn":18}',
      '',
    ].join('\n');
    const { events, strings, clock, diagnostics } = await reopen(text);
    expect(clock.epochS).toBe(1_732_261_745);
    expect(allEvents(events, strings).map(({ timeNs, pfn }) => [timeNs, pfn])).toEqual([
      [123_456_789, 16],
      [200_000_000, 16],
      [1_000_000_000, 17],
    ]);
    const codes = diagnostics.counts().map(([code]) => code);
    expect(codes.sort()).toEqual(['line-unparsed', 'time-unit-guessed']);
  });

  it('tables of free blocks with dates are copies on the wall clock', async () => {
    const text = `date_time,zone,${Array.from({ length: 8 }, (_, q) => `order${q}`).join(',')}
2024-11-22 07:49:05,DMA,1,2,3,4,5,6,7,8
2024-11-22 07:49:06.5,DMA,1,2,3,4,5,6,7,9
`;
    const { snapshots } = await reopen(text);
    expect(snapshots.map(({ time }) => [time.clock, time.beginNs, time.resolutionNs])).toEqual([
      ['wall', 1_732_261_745e9, 1e9],
      ['wall', 1_732_261_746.5e9, 1e6],
    ]);
  });

  it('say where they are wrong and go on', async () => {
    const text = [
      't,event,pfn,order,comm',
      '1,alloc,5,0,a',
      '2,alloc,99999999999999999999,0,a',
      '3,alloc,5,99,a',
      'x,alloc,6,0,a',
      '5,sched_switch,6,0,a',
      '6,free,(null),0,a',
      '7,alloc,(null),0,a',
      '8,free,5,0,"open quote',
      '',
    ].join('\n');
    const { events, strings, diagnostics, sources } = await reopen(text);
    expect(allEvents(events, strings).map(({ timeNs, pfn }) => [timeNs, pfn])).toEqual([
      [1e9, 5],
      [7e9, PFN_NONE],
    ]);
    expect(diagnostics.all.map(({ code, line }) => [code, line])).toEqual([
      ['line-unparsed', 3],
      ['line-unparsed', 4],
      ['line-unparsed', 5],
      ['line-unparsed', 7],
      ['csv-record-lost', 9],
    ]);
    expect(sources[0]!.skippedEvents).toEqual({ sched_switch: 1 });
  });

  it('survive hostile JSON lines', async () => {
    const good = '{"t":1,"event":"alloc","pfn":5,"order":0,"comm":"a"}';
    const lines = [good, 'null', '[1]', '{"t":', '', '  ', '"x"', '{}', '{"event":{}}', good];
    lines.push(`{"t":2,"event":"alloc","pfn":5,"comm":"${'x'.repeat(1 << 20)}"}`);
    lines.push(good, '{"snapshot":"buddyinfo","clock":"mono","data":{"zones":7}}');
    lines.push(
      '{"snapshot":"__proto__","clock":"mono"}',
      '{"event":"tracing_mark_write","args":[1]}',
    );
    const { events, diagnostics } = await reopen(`${lines.join('\n')}`, 1 << 20, {
      format: 'ndjson',
      limits: { lineBytes: 4096 },
    });
    expect(events.length).toBe(3);
    expect(diagnostics.count('line-too-long')).toBe(1);
    expect(new Set(diagnostics.all.map(({ line }) => line))).toEqual(
      new Set([2, 3, 4, 7, 8, 9, 11, 13, 14, 15]),
    );
  });

  it('with any text for a comm come back', () => {
    fc.assert(
      fc.property(anyText, (comm) => {
        const strings = new RecordingStrings();
        expect(strings.comms.text(strings.comms.internText(comm))).toBe(comm);
      }),
    );
  });
});
