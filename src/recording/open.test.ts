import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Format } from '../../parsers/format.js';
import { EventBatch, EventKind } from '../records/events.js';
import { type BuddyinfoSnapshot, NO_TIME } from '../records/snapshot.js';
import { openRecording } from './open.js';
import type { OpenOptions, Progress, Recording } from './recording.js';
import { allEvents } from './testing/batches.js';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'buddyscope-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function put(name: string, content: string | Uint8Array): string {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

interface Line {
  readonly t: number;
  readonly event?: string;
  readonly pid?: number;
  readonly cpu?: number;
  readonly args?: object;
}

/** NDJSON of page frees (or what is given) at these seconds. */
function lines(events: readonly Line[]): string {
  return events
    .map((event) => `${JSON.stringify({ event: 'free', pfn: 7, order: 0, ...event })}\n`)
    .join('');
}

function marker(t: number, text: string): Line {
  return { t, event: 'tracing_mark_write', args: { text } };
}

function buddyinfo(snap: number | null, begin: number, end: number, clock = 'mono'): string {
  const data = { zones: [{ node: 0, zone: 'DMA32', free: [1, 2, 3] }] };
  return `${JSON.stringify({ snapshot: 'buddyinfo', clock, begin, end, snap, resolution: 1, data })}\n`;
}

function codes(recording: Recording): string[] {
  return recording.diagnostics.all.map(({ code }) => code);
}

function pids(recording: Recording): number[] {
  return allEvents(recording.events, recording.strings).map(({ pid }) => pid);
}

describe('openRecording with inputs that are no good', () => {
  it('says what is wrong with each and opens the rest', async () => {
    mkdirSync(join(dir, 'empty-dir'));
    const good = put('good', lines([{ t: 1, pid: 1 }]));
    const recording = await openRecording([
      join(dir, 'missing'),
      put('empty', ''),
      put('empty.gz', gzipSync('')),
      join(dir, 'empty-dir'),
      put('prose', 'It was a dark and stormy night.\n'),
      put('image.zip', Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0])),
      put('cut.gz', gzipSync(lines([{ t: 2 }])).subarray(0, 12)),
      put('twice.gz', gzipSync(gzipSync('x'))),
      good,
    ]);
    expect(
      recording.diagnostics.all.map(({ code, source }) => [code, source.replace(`${dir}/`, '')]),
    ).toEqual([
      ['input-missing', 'missing'],
      ['input-directory-empty', 'empty-dir'],
      ['input-empty', 'empty'],
      ['input-empty', 'empty.gz'],
      ['format-unknown', 'prose'],
      ['input-unsupported', 'image.zip'],
      ['format-unknown', 'cut.gz'],
      ['input-truncated', 'cut.gz'],
      ['input-nested-compression', 'twice.gz'],
    ]);
    expect(recording.events.length).toBe(1);
    recording.close();
  });

  it('passes over files of a directory that are no input', async () => {
    put('a/notes.txt', 'nothing here\n');
    put('a/trace.json', lines([{ t: 1 }]));
    for (let i = 1; i <= 30; i++) put(`b/${i}.md`, '# nothing\n');
    const recording = await openRecording([dir]);
    expect(codes(recording)).toEqual(['file-ignored']);
    expect(recording.diagnostics.all[0]!.message).toMatch(/notes\.txt, .*1\.md, .* and 28 more$/);
    expect(recording.sources.slice(0, 2).map(({ format }) => format)).toEqual([
      'unknown',
      'ndjson',
    ]);
    recording.close();
  });

  it('uses what came before the damage', async () => {
    const all = lines(Array.from({ length: 5000 }, (_, i) => ({ t: i, pid: i * 7919 })));
    const packed = gzipSync(all);
    const recording = await openRecording([put('x.gz', packed.subarray(0, packed.length - 2000))]);
    expect(codes(recording)).toContain('input-truncated');
    expect(recording.events.length).toBeGreaterThan(3000);
    expect(recording.events.length).toBeLessThan(5000);
    recording.close();
  });

  it('refuses a format that does not exist, and stops when told', async () => {
    const path = put('x', lines([{ t: 1 }]));
    await expect(openRecording([path], { format: 'nope' })).rejects.toThrow(/nope/);
    const signal = AbortSignal.abort();
    await expect(openRecording([path], { signal })).rejects.toThrow();
  });
});

describe('openRecording with several traces', () => {
  it('merges them by time', async () => {
    const recording = await openRecording([
      put(
        'cpu0',
        lines([
          { t: 1, pid: 1 },
          { t: 4, pid: 4 },
          { t: 5, pid: 5 },
        ]),
      ),
      put(
        'cpu1',
        lines([
          { t: 2, pid: 2 },
          { t: 4, pid: 44 },
        ]),
      ),
    ]);
    expect(pids(recording)).toEqual([1, 2, 4, 44, 5]);
    expect(codes(recording)).toEqual(['events-merged']);
    recording.close();
  });

  it.each([
    ['one trace', [[1, 2, 3]]],
    [
      'two traces',
      [
        [1, 3],
        [2, 4],
      ],
    ],
    ['a trace that goes backwards', [[2, 1, 3]]],
  ])('shows a watch the events as they end up: %s', async (_name, traces) => {
    const seen = (): { times: number[]; see(batch: EventBatch, offset: number): void } => {
      const times: number[] = [];
      const see = (batch: EventBatch, offset: number): void => {
        expect(offset).toBe(times.length);
        times.push(...batch.timeNs.subarray(0, batch.length));
      };
      return { times, see };
    };
    const paths = traces.map((times, i) => put(`trace${i}`, lines(times.map((t) => ({ t })))));
    const recording = await openRecording(paths, { watch: seen });
    const { times } = recording.watch as ReturnType<typeof seen>;
    expect(times).toEqual(
      traces
        .flat()
        .sort()
        .map((t) => t * 1e9),
    );
    recording.close();
  });

  it('sorts one that goes backwards, and finds markers where they end up', async () => {
    const recording = await openRecording([
      put('pipe', lines([{ t: 3, pid: 3 }, marker(5, 'snap 9 begin buddyinfo'), { t: 1, pid: 1 }])),
      put('more', lines([{ t: 2, pid: 2 }, marker(6, 'snap 9 end buddyinfo')])),
      put('log', buddyinfo(9, 100, 100.5)),
    ]);
    expect(pids(recording)).toEqual([1, 2, 3, 0, 0]);
    expect(codes(recording)).toEqual(['events-out-of-order', 'events-merged', 'clock-aligned']);
    expect(recording.snapshots[0]!.time).toMatchObject({ beginEvent: 3, endEvent: 4 });
    recording.close();
  });

  it('takes one of two forms of the same recording, the finer', async () => {
    const stamps = Array.from({ length: 40 }, (_, i) => 10 + i * 0.001 + (i % 7) * 1.3e-8);
    const rounded = stamps.map((t) => Math.round(t * 1e6) / 1e6);
    const recording = await openRecording([
      put('a-text', lines(rounded.map((t) => ({ t, pid: 1 })))),
      put('b-binary', lines(stamps.map((t) => ({ t, pid: 2 })))),
    ]);
    expect(recording.events.length).toBe(40);
    expect(new Set(pids(recording))).toEqual(new Set([2]));
    expect(recording.diagnostics.all[0]).toMatchObject({
      code: 'input-duplicate',
      source: join(dir, 'a-text'),
    });
    recording.close();
  });

  it('takes a recording made by two tools at once only once, the one that says more', async () => {
    const events = Array.from({ length: 400 }, (_, i) => ({
      t: i / 1000,
      pfn: (i * 7919) % 1000,
      cpu: i % 2,
    }));
    const later = events.map((event) => ({ ...event, t: event.t + 3e-6 }));
    const perf = put('perf', lines(later.slice(3).map((event) => ({ ...event, pid: 1 }))));
    const mark = marker(0.1, 'phase one');
    const whole = lines([mark, ...events.slice(0, -7)].map((event) => ({ ...event, pid: 2 })));
    const cpu1 = lines(events.filter(({ cpu }) => cpu === 1).map((e) => ({ ...e, pid: 3 })));
    const recording = await openRecording([perf, put('trace', whole), put('cpu1', cpu1)]);
    expect(new Set(pids(recording))).toEqual(new Set([2]));
    expect(codes(recording).filter((code) => code === 'input-duplicate')).toHaveLength(2);
    recording.close();
    const cpu0 = lines(events.filter(({ cpu }) => cpu === 0).map((e) => ({ ...e, pid: 4 })));
    const both = await openRecording([join(dir, 'cpu1'), put('cpu0', cpu0)]);
    expect(both.events.length).toBe(400);
    both.close();
  });

  it('keeps traces that are merely alike', async () => {
    const one = Array.from({ length: 40 }, (_, i) => ({ t: i, pfn: 1000 + i }));
    const recording = await openRecording([
      put('a', lines(one)),
      put('b', lines(one.map(({ t, pfn }) => ({ t, pfn: pfn + 100 })))),
    ]);
    expect(recording.events.length).toBe(80);
    recording.close();
  });
});

describe('openRecording with snapshots', () => {
  const trace = [
    { t: 0.5 },
    marker(1, 'snap 1 begin buddyinfo'),
    { t: 1.05 },
    marker(1.1, 'snap 1 end buddyinfo'),
    marker(2, 'snap 2 begin buddyinfo'),
    marker(2.001, 'snap 2 end buddyinfo'),
    { t: 3 },
  ];

  it('places them by their markers, and others by the clock these reveal', async () => {
    const recording = await openRecording([
      put('trace', lines(trace)),
      put(
        'log',
        buddyinfo(1, 101.02, 101.08) +
          buddyinfo(2, 102.0002, 102.0008) +
          buddyinfo(3, 102.5, 102.6),
      ),
    ]);
    const [first, second, third] = recording.snapshots.map(({ time }) => time);
    expect(first).toMatchObject({
      clock: 'trace',
      beginNs: 1e9,
      endNs: 1.1e9,
      beginEvent: 1,
      endEvent: 3,
    });
    expect(second).toMatchObject({ beginNs: 2e9, endNs: 2.001e9, beginEvent: 4, endEvent: 5 });
    expect(third!.beginEvent).toBeUndefined();
    expect(Math.abs(third!.beginNs - 2.5e9)).toBeLessThan(0.4e6);
    expect(recording.alignment).toMatchObject({ method: 'markers', byMarkers: 2, byClock: 1 });
    expect(recording.alignment.offsetNs).toBeCloseTo(-100e9, -6);
    expect(codes(recording)).toEqual(['clock-aligned']);
    recording.close();
  });

  it('names the clock mono when markers and monotonic stamps agree closely', async () => {
    // The copy's own stamps lie this far inside the markers: so wide are the bounds, twice.
    const log = (shift: number, margin: number): string =>
      buddyinfo(2, 2 + margin + shift, 2.001 - margin + shift);
    const nameOf = async (name: string, shift: number, margin: number): Promise<string> => {
      const inputs = [put('trace', lines(trace)), put(name, log(shift, margin))];
      const recording = await openRecording(inputs);
      recording.close();
      return recording.clock.name;
    };
    expect(await nameOf('agree', 0, 0.000001)).toBe('mono');
    expect(await nameOf('apart', 0.01, 0.000001)).toBe('unknown');
    expect(await nameOf('wide', 0, -0.005)).toBe('unknown');
  });

  it('assumes one clock where spans overlap and says so; else leaves them apart', async () => {
    const path = put('trace', lines([{ t: 10 }, { t: 20 }]));
    const overlapping = await openRecording([path, put('a', buddyinfo(null, 15, 15.1))]);
    expect(overlapping.snapshots[0]!.time).toMatchObject({ clock: 'trace', beginNs: 15e9 });
    expect(codes(overlapping)).toEqual(['clock-assumed-same']);
    const apart = await openRecording([path, put('b', buddyinfo(null, 500, 501))]);
    expect(apart.snapshots[0]!.time.clock).toBe('mono');
    expect(apart.alignment).toMatchObject({ method: 'none', unplaced: 1 });
    expect(codes(apart)).toEqual(['clock-not-aligned']);
    const wall = await openRecording([path, put('c', buddyinfo(null, 1.7e9, 1.7e9, 'wall'))]);
    expect(codes(wall)).toEqual(['clock-not-aligned']);
    for (const recording of [overlapping, apart, wall]) recording.close();
  });

  it('leaves a copy from before an overwritten beginning apart', async () => {
    const traceText = (written: number): string =>
      `# tracer: nop\n#\n# entries-in-buffer/entries-written: 2/${written}   #P:1\n#\n${[10, 20]
        .map((t) => `  sh-7 [000] .... ${t}.000000: mm_page_free: page=0 pfn=0x7 order=0\n`)
        .join('')}`;
    const log = put('log', buddyinfo(null, 5, 6) + buddyinfo(null, 15, 16));
    const clocksOf = async (written: number): Promise<string[]> => {
      const recording = await openRecording([put('trace', traceText(written)), log]);
      const said = codes(recording).includes('snapshots-before-trace');
      expect(said).toBe(written > 2);
      recording.close();
      return recording.snapshots.map(({ time }) => time.clock);
    };
    expect(await clocksOf(2)).toEqual(['trace', 'trace']);
    expect(await clocksOf(900)).toEqual(['trace', 'mono']);
  });

  it('keeps at most the limit, evenly spread', async () => {
    let text = '';
    for (let i = 0; i < 1000; i++) text += buddyinfo(null, i, i);
    const recording = await openRecording([put('log', text)], { limits: { snapshots: 100 } });
    const times = recording.snapshots.map(({ time }) => time.beginNs / 1e9);
    expect(times.length).toBeGreaterThan(50);
    expect(times.length).toBeLessThanOrEqual(100);
    const gaps = new Set(times.slice(1).map((time, i) => time - times[i]!));
    expect(gaps.size).toBe(1);
    expect(codes(recording)).toEqual(['snapshots-thinned']);
    recording.close();
  });

  it('keeps at most as many zones as the limit, and says what was left out', async () => {
    const rows = Array.from(
      { length: 40 },
      (_, i) => `Node ${i}, zone   Normal ${'1 '.repeat(11)}\n`,
    );
    const recording = await openRecording([put('log', rows.join(''))], { limits: { zones: 8 } });
    expect(recording.snapshots).toHaveLength(1);
    expect(recording.snapshots[0]).toMatchObject({ kind: 'buddyinfo' });
    expect((recording.snapshots[0] as BuddyinfoSnapshot).zones.map(({ node }) => node)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7,
    ]);
    const said = recording.diagnostics.all.map(({ code, message }) => `${code}: ${message}`);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^zones-limit: .* more than 8 zones: 32 rows /);
    recording.close();
  });

  it('dates binary copies from the index beside them, compressed or not', async () => {
    const time = { clock: 'mono' as const, beginNs: 5e9, endNs: 6e9, snap: 13, resolutionNs: 1 };
    const fake: Format = {
      id: 'fake',
      title: 'fake',
      mode: 'stream',
      detect: () => ({ confidence: 1, why: '' }),
      open: ({ source, sink }) => ({
        push: () => undefined,
        end: () => {
          const base = { source: source.name, line: 0 };
          if (source.name.endsWith('.log')) {
            sink.snapshot({ ...base, time, kind: 'index', file: 'k-13.bin', bytes: 1 });
          } else {
            const classes = new Uint8Array(1);
            sink.snapshot({
              ...base,
              time: NO_TIME,
              kind: 'kpageflags',
              classes,
              buddyHeadsOnly: false,
            });
          }
        },
      }),
    };
    put('a/k-13.bin.gz', gzipSync('x'));
    put('a/k.log', 'x');
    put('b/k-13.bin', 'x');
    const recording = await openRecording([dir], {}, [fake]);
    expect(
      recording.snapshots.map((one) => [one.source.replace(`${dir}/`, ''), one.time.beginNs]),
    ).toEqual([
      ['a/k-13.bin.gz', 5e9],
      ['b/k-13.bin', Number.NaN],
    ]);
    expect(codes(recording)).toContain('snapshot-undated');
    recording.close();
  });

  it('notices other kernels and other machines', async () => {
    const version = (release: string): string =>
      `${JSON.stringify({ snapshot: 'version', clock: 'none', data: { release, text: release } })}\n`;
    const recording = await openRecording([
      put('a', version('6.1.0') + buddyinfo(null, 1, 1)),
      put('b', version('5.10.0') + buddyinfo(null, 1, 1).replace('DMA32', 'Normal')),
    ]);
    expect(codes(recording)).toEqual(['mixed-kernels', 'mixed-machines']);
    expect(recording.diagnostics.all[0]!.message).toContain('5.10.0, 6.1.0');
    recording.close();
  });
});

describe('openRecording on long input', () => {
  /** Frees one every 100 ns, made up as they are asked for. */
  const counting: Format = {
    id: 'counting',
    title: 'counting',
    mode: 'stream',
    detect: () => ({ confidence: 1, why: '' }),
    open: ({ sink }) => {
      const batch = new EventBatch();
      let n = 0;
      return {
        push: (chunk) => {
          for (let i = 0; i < chunk.length; i += 128) {
            batch.timeNs[batch.length] = n++ * 100;
            batch.pfn[batch.length] = n % 100_000;
            batch.kind[batch.length++] = EventKind.free;
            if (!batch.full) continue;
            sink.events(batch);
            batch.clear();
          }
        },
        end: () => sink.events(batch),
      };
    },
  };

  it('holds a gigabyte in bounded memory', async () => {
    async function* gigabyte(): AsyncGenerator<Uint8Array> {
      const chunk = new Uint8Array(1 << 20);
      for (let i = 0; i < 1024; i++) yield chunk;
    }
    const before = process.memoryUsage();
    let peak = 0;
    const seen: Progress[] = [];
    let clock = 0;
    const options: OpenOptions = {
      stdin: gigabyte(),
      limits: { spoolBytes: 16 << 20 },
      progress: {
        now: () => {
          const { rss } = process.memoryUsage();
          peak = Math.max(peak, rss - before.rss);
          clock += 7;
          return clock;
        },
        report: (progress) => seen.push(progress),
      },
    };
    const recording = await openRecording(['-'], options, [counting]);
    expect(recording.events.length).toBe(2 ** 23);
    expect(recording.events.onDisk).toBe(true);
    expect(peak).toBeLessThan(120 << 20);
    expect(seen.length).toBeLessThanOrEqual(1 + (1026 * 7) / 100);
    expect(seen.length).toBeGreaterThan(50);
    expect(seen.at(-1)!.bytesDone).toBeGreaterThan(1000 << 20);
    recording.close();
  });
});

const traces = fileURLToPath(new URL('../../../shared/traces/', import.meta.url));

describe.skipIf(!existsSync(traces))('recordings of real kernels', () => {
  it('with relative stamps are aligned by their markers (k61-latency)', async () => {
    const recording = await openRecording([join(traces, 'k61-latency')], { hash: true });
    expect(recording.events.backwards).toBe(0);
    expect(recording.events.length).toBeGreaterThan(100_000);
    const { alignment, snapshots } = recording;
    expect(alignment.method).toBe('markers');
    expect(alignment.unplaced).toBe(0);
    expect(alignment.spreadNs).toBeLessThan(1e6);
    const dumps = snapshots.filter(({ kind }) => kind === 'kpageflags');
    expect(dumps).toHaveLength(5);
    for (const { time } of dumps) expect(time.beginEvent).toBeGreaterThan(0);
    const formats = recording.sources.filter(({ name }) => name.includes('/formats/'));
    expect(formats.length).toBeGreaterThan(50);
    for (const source of formats) {
      expect([source.events, source.snapshots]).toEqual([{}, {}]);
    }
    const copies = recording.diagnostics.all.filter(({ code }) => code === 'input-duplicate');
    expect(copies.map(({ source }) => source)).toEqual([join(traces, 'k61-latency/trace.txt.zst')]);
    recording.close();
  });
});
