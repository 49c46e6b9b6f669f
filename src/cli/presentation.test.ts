import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Diagnostics } from '../records/diagnostics.js';
import { NO_TIME, type Snapshot } from '../records/snapshot.js';
import { newSourceSummary, type SourceSummary } from '../records/source.js';
import { printDiagnostics } from './diagnostics-printer.js';
import { advise, sumHoldings, undatedCopies } from './inspect-advice.js';
import { Output } from './output.js';
import { amount, clockTime, progressLine } from './progress.js';
import { Talk, wantsColour } from './talk.js';
import { groupDigits, textTable } from './text-table.js';

function spoken(diagnostics: Diagnostics, quiet = false, verbose = false): string {
  const stream = new PassThrough();
  printDiagnostics(diagnostics, new Talk(stream, quiet, false), verbose);
  return (stream.read() as Buffer | null)?.toString() ?? '';
}

test('diagnostics: errors first, a few of each code, the rest counted, the hint once', () => {
  const diagnostics = new Diagnostics();
  for (let line = 1; line <= 50; line++) {
    const place = { source: 'trace.txt', line, excerpt: `odd ${line}` };
    diagnostics.report('events-lost', place, { count: 3, cpu: 1 });
  }
  diagnostics.report('input-missing', { source: 'gone' });
  const lines = spoken(diagnostics).trimEnd().split('\n');
  expect(lines[0]).toBe('error[input-missing] gone: no such file or directory');
  expect(lines[1]).toBe('warning[events-lost] trace.txt:1: 3 events were lost on CPU 1');
  expect(lines[2]).toBe('    | odd 1');
  expect(lines.filter((line) => line.startsWith('warning'))).toHaveLength(3);
  expect(lines).toContain('    … and 47 more of events-lost');
  expect(lines.filter((line) => line.startsWith('    ='))).toHaveLength(1);
  expect(spoken(diagnostics, true)).toBe(`${lines[0]}\n`);
  expect(spoken(diagnostics, false, true).match(/^warning/gm)).toHaveLength(20);
});

test('diagnostics: binary places are offsets', () => {
  const diagnostics = new Diagnostics();
  diagnostics.report('input-unreadable', { source: 'a.bin', offset: 496 }, { reason: 'EIO' });
  expect(spoken(diagnostics)).toContain('a.bin@0x1f0: cannot be read: EIO');
});

test('colours: NO_COLOR beats everything, a pipe gets none', () => {
  expect(wantsColour({ isTTY: true }, {})).toBe(true);
  expect(wantsColour({}, {})).toBe(false);
  expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
  expect(wantsColour({}, { FORCE_COLOR: '1' })).toBe(true);
  expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
});

test('progress: share, rate and time left', () => {
  expect(progressLine('reading', 'B', 52.1e6, 104.2e6, 1)).toBe(
    'reading  50 %  52.1 MB/s  0:01 left',
  );
  expect(progressLine('replay', 'events', 2.5e6, 0, 2)).toBe(
    'replay  2.50 M events  1.25 M events/s',
  );
  expect(progressLine('x', 'B', 0, 100, 0)).toBe('x  0 %  0 B/s  ? left');
  expect(amount(999.4, 'B')).toBe('999 B');
  expect(amount(999_600, 'B')).toBe('1.00 MB');
  expect(clockTime(3787)).toBe('1:03:07');
});

test('tables line up, numbers to the right', () => {
  const columns = [{ title: 'zone' }, { title: 'free', right: true }];
  expect(
    textTable(columns, [
      ['DMA', '3'],
      ['Normal', '4096'],
    ]),
  ).toEqual(['zone    free', 'DMA        3', 'Normal  4096']);
  expect([groupDigits(0), groupDigits(1234), groupDigits(717698)]).toEqual([
    '0',
    '1 234',
    '717 698',
  ]);
});

test('output waits for a slow reader and keeps quiet when it has gone', async () => {
  const stream = new PassThrough({ highWaterMark: 4 });
  const out = new Output(stream);
  let written = false;
  const writing = out.write('longer than four').then(() => {
    written = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(written).toBe(false);
  stream.resume();
  await writing;
  stream.emit('error', Object.assign(new Error('gone'), { code: 'EPIPE' }));
  await out.write('nobody hears this');
  expect(out.closed).toBe(true);
});

function source(changes: Partial<SourceSummary>): SourceSummary {
  return Object.assign(newSourceSummary('x'), changes);
}

const FULL = source({
  events: {
    'kmem:mm_page_alloc': 9,
    'kmem:mm_page_free': 9,
    'kmem:mm_page_alloc_zone_locked': 9,
    'kmem:mm_page_pcpu_drain': 9,
    'kmem:mm_page_alloc_extfrag': 1,
    'compaction:mm_compaction_begin': 1,
  },
  snapshots: { buddyinfo: 8, kpageflags: 2, zoneinfo: 2, pagetypeinfo: 2, version: 1 },
  clock: 'mono',
  firstNs: 0,
  lastNs: 8e9,
});

const advised = (...sources: SourceSummary[]): string[] =>
  advise(sumHoldings(sources, 0)).map(({ id }) => id);

test('advice: a full recording lacks nothing', () => {
  expect(advised(FULL)).toEqual([]);
});

test('advice: each thing that is missing is named', () => {
  expect(advised(source({ snapshots: { buddyinfo: 3 } }))).toEqual([
    'no-events',
    'no-watermarks',
    'no-types',
    'no-version',
  ]);
  const two = source({
    events: { 'kmem:mm_page_alloc': 1, 'kmem:mm_page_free': 1 },
    firstNs: 0,
    lastNs: 1,
  });
  expect(advised(two)).toContain('no-buddy-events');
  expect(advised(two)).toContain('no-level');
  expect(advised(two)).not.toContain('no-frees');
  expect(advised(source({ events: { 'kmem:mm_page_free': 1 } }))).toContain('no-frees');
});

test('advice: losses, sparse copies and copies without a time', () => {
  expect(advised({ ...FULL, lostEvents: 3, overwritten: 5 })).toEqual([
    'events-lost',
    'overwritten',
  ]);
  expect(advised({ ...FULL, lastNs: 60e9 })).toEqual(['few-buddyinfo']);
  expect(advise(sumHoldings([FULL], 1)).map(({ id }) => id)).toEqual(['undated-snapshots']);
});

test('one more copy without a time costs nothing; having no other does', () => {
  const copy = (clock: 'trace' | 'none'): Snapshot => ({
    kind: 'buddyinfo',
    time: { ...NO_TIME, clock },
    source: 'x',
    line: 1,
    zones: [],
  });
  const version: Snapshot = { ...copy('none'), kind: 'version', release: '6.1', text: '' };
  expect(undatedCopies([copy('none'), copy('trace'), version])).toBe(0);
  expect(undatedCopies([copy('none'), copy('none'), version])).toBe(2);
});
