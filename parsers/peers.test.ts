/**
 * Our readers against trace-cmd and perf as they are on this machine: the same files, and recordings
 * made for the purpose, field by field. Where a tool, the shared recordings or the right to trace are
 * missing, the tests that need them are skipped, and their titles say what they need.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect, type Row } from './event-format/testing.js';
import {
  CAPTURES,
  haveCaptures,
  haveTraces,
  isPageRow,
  isPageText,
  readShared,
  readTextEvents,
  sayRow,
  sayText,
  TRACES,
} from './event-format/testing-text.js';
import { ftraceText } from './ftrace-text/index.js';
import { perfData } from './perf-data/parse.js';
import { traceDat } from './trace-dat/parse.js';

const has = (tool: string): boolean => spawnSync(tool, ['--help']).error === undefined;
const traceCmd = has('trace-cmd');
const perf = has('perf');
const TRACING = '/sys/kernel/tracing';
const INSTANCE = `buddyscope-test-${process.pid}`;
/** Lines compared of long recordings. */
const LINES = 12_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'buddyscope-peers-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** stdout of a tool; it may fail late (perf has no symbols here), but must print. */
function output(tool: string, ...args: string[]): string {
  const { stdout } = spawnSync(tool, args, { maxBuffer: 1 << 28, encoding: 'latin1' });
  return stdout;
}

/** libtraceevent prints fragmenting=10 for fallback_order 10 < pageblock_order 9, meaning 0. */
function said(text: string, form: 'ftrace' | 'perf'): string[] {
  const events = readTextEvents(text.replace(/^\S+: {2,}/gm, ' '), form).filter(isPageText);
  return events.map((event) => sayText(event).replace(/ 10 1 10$/, ' 10 1 0'));
}

function expectSame(rows: readonly Row[], wanted: readonly string[], atLeast: number): void {
  expect(wanted.length).toBeGreaterThanOrEqual(atLeast);
  const ours = rows.filter(isPageRow).map((row) => sayRow(row, 9));
  const odd = wanted.findIndex((line, i) => line !== ours[i]);
  expect(odd < 0 ? null : { at: odd, ours: ours[odd], theirs: wanted[odd] }).toBeNull();
}

const SETS = ['k510-fragment', 'k61-alloc-free-only', 'k61-checker', 'k61-fragment', 'k61-latency'];
const MORE_SETS = ['k61-perf', 'k61-stack', 'k61-steady', 'k72-recovery'];

describe.skipIf(!traceCmd || !haveTraces)(
  'trace-cmd report (needs it and ../shared/traces)',
  () => {
    test.each([...SETS, ...MORE_SETS])('%s', (set) => {
      const path = join(TRACES, set, 'trace.dat');
      const text = output('sh', '-c', `trace-cmd report -t ${path} 2>&- | head -n ${LINES}`);
      const { rows } = collect(traceDat, readShared(path), { keep: LINES + 5000 });
      // Recordings with stacks print many lines for an event.
      expectSame(rows, said(text, 'ftrace'), set === 'k61-stack' ? 500 : LINES / 2);
    });
  },
);

describe.skipIf(!traceCmd || !haveCaptures)(
  'trace-cmd report and convert (needs it and ../shared/captures)',
  () => {
    test.each(['v7-zstd.dat', 'v7-stack.dat', 'v7-mono.dat'])('%s', (name) => {
      const path = join(CAPTURES, name);
      const { rows } = collect(traceDat, readShared(path));
      const wanted = said(output('trace-cmd', 'report', '-t', path), 'ftrace');
      expect(rows.filter(isPageRow)).toHaveLength(wanted.length);
      expectSame(rows, wanted, 60);
    });

    test.for([
      ['--compression', 'none'],
      ['--compression', 'zlib'],
      ['--compression', 'zstd'],
      ['--file-version', '6'],
    ] as const)('what convert %s %s writes', ([option, value], { skip }) => {
      const input = join(CAPTURES, 'v7-zstd.dat');
      const path = join(folder, `${value}.dat`);
      spawnSync('trace-cmd', ['convert', option, value, '-i', input, '-o', path]);
      if (value === 'zlib' && !existsSync(path)) skip('this trace-cmd is built without zlib');
      const { rows, diagnostics } = collect(traceDat, readFileSync(path));
      expect(diagnostics.all).toEqual([]);
      expect(rows).toEqual(collect(traceDat, readShared(input)).rows);
    });
  },
);

/** Totals of `perf kmem --page stat`: requests and kilobytes. */
function kmemTotals(text: string, what: string): number[] {
  const match = new RegExp(`Total ${what} +: +(\\d+) +\\[ +(\\d+) KB`).exec(text);
  return match === null ? [] : [Number(match[1]), Number(match[2])];
}

function totalsOf(rows: readonly Row[]): number[] {
  return [rows.length, rows.reduce((sum, row) => sum + 4 * 2 ** row.order, 0)];
}

const SCRIPT = ['script', '-f', '--ns', '-F', 'comm,tid,cpu,time,event,trace', '-i'];

describe.skipIf(!perf || !haveCaptures || !haveTraces)(
  'perf script and perf kmem (needs perf and ../shared)',
  () => {
    /** perf wants a plain file. */
    function plain(name: string): string {
      if (name !== 'k61-perf') return join(CAPTURES, name);
      const path = join(folder, 'k61-perf.data');
      if (!existsSync(path)) writeFileSync(path, readShared(TRACES, name, 'perf.data.zst'));
      return path;
    }

    test.each(['perf.data', 'perf-zstd.data', 'perf-g.data', 'perf-kmem.data'])(
      'perf script of %s',
      (name) => {
        const { rows, diagnostics } = collect(perfData, readShared(CAPTURES, name));
        const wanted = said(output('perf', ...SCRIPT, plain(name)), 'perf');
        expect(rows.filter(isPageRow)).toHaveLength(wanted.length);
        expectSame(rows, wanted, 60);
        expect(diagnostics.all).toEqual([]);
      },
    );

    test.each(['perf.data', 'perf-kmem.data', 'k61-perf'])(
      'perf kmem --page stat of %s',
      (name) => {
        const text = output('perf', 'kmem', '-f', '-i', plain(name), '--page', 'stat');
        const { rows } = collect(perfData, readFileSync(plain(name)));
        const page = rows.filter(({ kind }) => kind === 1 || kind === 2);
        const of = (kind: number, failed = false): Row[] =>
          page.filter((row) => row.kind === kind && (failed ? row.pfn < 0 : row.pfn >= 0));
        expect(kmemTotals(text, 'free requests')).toEqual(totalsOf(of(2)));
        expect(kmemTotals(text, 'allocation requests')).toEqual(
          totalsOf(page.filter((r) => r.kind === 1)),
        );
        expect(kmemTotals(text, 'allocation failures')).toEqual(totalsOf(of(1, true)));
      },
    );
  },
);

/** Events of a short workload of ours, in an instance of our own: its text, and what trace-cmd makes of it. */
function recordInstance(): { text: string; dat: string } {
  const instance = join(TRACING, 'instances', INSTANCE);
  mkdirSync(instance);
  const set = (file: string, value: string): void => writeFileSync(join(instance, file), value);
  try {
    for (const event of ['alloc', 'free', 'free_batched', 'alloc_zone_locked', 'pcpu_drain']) {
      set(`events/kmem/mm_page_${event}/enable`, '1');
    }
    execFileSync('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=4M', 'count=2'], { stdio: 'ignore' });
    set('tracing_on', '0');
    const text = readFileSync(join(instance, 'trace'), 'latin1');
    const dat = join(folder, 'live.dat');
    spawnSync('trace-cmd', ['extract', '-B', INSTANCE, '-o', dat]);
    return { text, dat };
  } finally {
    spawnSync('rmdir', [instance], { stdio: 'ignore' });
  }
}

/** trace-cmd prints plain nanoseconds where another tracer has set the machine to a clock such as boot. */
function inSeconds(line: string): string {
  return line.replace(/^(\d+)(\d{9})(?= )/, '$1.$2');
}

/** Whether events may be recorded here: root, tracefs, and a kernel that lets us. */
function mayTrace(): boolean {
  const probe = join(TRACING, 'instances', `${INSTANCE}-probe`);
  try {
    mkdirSync(probe);
    writeFileSync(join(probe, 'events/kmem/mm_page_alloc/enable'), '0');
    return true;
  } catch {
    return false;
  } finally {
    spawnSync('rmdir', [probe], { stdio: 'ignore' });
  }
}

const tracing = mayTrace();

describe.skipIf(!tracing || !traceCmd)(
  'a recording made now (needs root, tracefs, trace-cmd)',
  () => {
    test('reads the same as ftrace text, as trace.dat, and by trace-cmd report', () => {
      const { text, dat } = recordInstance();
      const { rows, diagnostics } = collect(traceDat, readFileSync(dat));
      expect(diagnostics.all).toEqual([]);
      const wanted = said(output('trace-cmd', 'report', '-t', dat), 'ftrace').map(inSeconds);
      expectSame(rows, wanted, 200);
      expect(rows.filter(isPageRow)).toHaveLength(wanted.length);
      // Names of processes are looked up when the text is read, and again when the file is written.
      const strip = (row: Row): string => sayRow({ ...row, comm: '' }, 6);
      const lines = collect(ftraceText, Buffer.from(text, 'latin1'));
      expect(rows.filter(isPageRow).map(strip)).toEqual(lines.rows.filter(isPageRow).map(strip));
    });
  },
);

const PERF_EVENTS = ['alloc', 'free', 'alloc_zone_locked', 'pcpu_drain'].flatMap((name) => [
  '-e',
  `kmem:mm_page_${name}`,
]);

describe.skipIf(!tracing || !perf)('a recording made now (needs root, tracefs, perf)', () => {
  test.each([
    ['as it is', []],
    ['of all cpus', ['-a']],
    ['compressed', ['-z']],
    ['with callchains', ['-g']],
    ['with other sample fields', ['-d', '--phys-data', '-W', '-R', '--sample-cpu', '-P']],
  ] as const)('%s reads as perf script prints it', (title, options) => {
    const path = join(folder, `${title}.data`);
    const workload = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=4M', 'count=2'];
    const args = ['record', '-q', ...options, ...PERF_EVENTS, '-o', path, '--', ...workload];
    expect(spawnSync('perf', args, { encoding: 'utf8' }).status).toBe(0);
    const { rows, diagnostics } = collect(perfData, readFileSync(path));
    // perf knows no pid of a task that is exiting (-1), the tracepoint's record does.
    const events = readTextEvents(output('perf', ...SCRIPT, path), 'perf').filter(isPageText);
    const known = rows.map((row, i) =>
      events[i]?.pid === -1 ? { ...row, pid: -1, comm: ':-1' } : row,
    );
    expectSame(known, events.map(sayText), 50);
    expect(rows.filter(isPageRow)).toHaveLength(events.length);
    // A busy machine may outrun perf; what is lost is said, what is left must be right.
    const codes = diagnostics.counts().map(([code]) => code);
    expect(codes.filter((code) => code !== 'events-lost')).toEqual([]);
  });

  test('written to a pipe reads as perf script prints it', () => {
    const path = join(folder, 'pipe.data');
    const events = PERF_EVENTS.join(' ');
    const command = `perf record -q ${events} -o - -- dd if=/dev/zero of=/dev/null bs=4M count=2 > '${path}' 2>/dev/null`;
    execFileSync('sh', ['-c', command]);
    const { rows } = collect(perfData, readFileSync(path));
    expectSame(rows, said(output('perf', ...SCRIPT, path), 'perf'), 50);
  });
});
