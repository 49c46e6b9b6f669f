import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { EventKind } from '../../src/records/events.js';
import { type Collected, collect } from '../event-format/testing.js';
import { damage, survive } from '../event-format/testing-fuzz.js';
import {
  CAPTURES,
  haveCaptures,
  haveTraces,
  isPageRow,
  isPageText,
  readShared,
  readSharedHead,
  readSharedText,
  readTextEvents,
  sayRow,
  sayText,
  TRACES,
} from '../event-format/testing-text.js';
import { traceDat } from './parse.js';

function capture(name: string): Collected {
  const bytes = readShared(CAPTURES, name);
  return collect(traceDat, name.endsWith('.gz') ? gunzipSync(bytes) : bytes, { name });
}

function reported(name: string): string[] {
  const events = readTextEvents(readSharedText(CAPTURES, name), 'ftrace');
  return events.filter(isPageText).map(sayText);
}

describe.skipIf(!haveCaptures)('captures of one run', () => {
  const report = haveCaptures ? reported('v7-zstd.report.txt') : [];

  it.each(['v7-zstd.dat', 'v7-none.dat.gz', 'v6.dat.gz'])('%s equals trace-cmd report', (name) => {
    const { rows, diagnostics } = capture(name);
    expect(rows.filter(isPageRow).map((row) => sayRow(row, 6))).toEqual(report);
    expect(diagnostics.all).toEqual([]);
  });

  it('keeps times to the nanosecond', () => {
    const { rows } = capture('v7-zstd.dat');
    const text = readSharedText(CAPTURES, 'v7-zstd.report-t-l.txt');
    const times = [...text.matchAll(/ (\d+)\.(\d{9}): mm_page/g)].map(
      (match) => Number(match[1]) * 1e9 + Number(match[2]),
    );
    expect(times.length).toBeGreaterThan(30);
    expect(rows.slice(0, times.length).map((row) => row.timeNs)).toEqual(times);
  });

  it('says which kernel and clock it was', () => {
    const { snapshots, source, clock } = capture('v6.dat.gz');
    expect(snapshots).toMatchObject([{ kind: 'version', release: '6.18.44-fc-v657' }]);
    expect(source.facts).toMatchObject({ version: '6', cpus: '2', release: '6.18.44-fc-v657' });
    expect(clock.name).toBe('local');
  });

  it('counts cycles of a cycle clock and says so', () => {
    const { rows, diagnostics } = capture('v7-tsc.dat');
    const text = readTextEvents(readSharedText(CAPTURES, 'v7-tsc.report.txt'), 'ftrace');
    expect(text.length).toBeGreaterThan(20);
    const said = rows.map((row) => sayRow(row, 0)).slice(0, text.length);
    expect(said).toEqual(text.map(sayText));
    expect(diagnostics.counts()).toEqual([['clock-not-ns', 1]]);
  });

  it('gives each event its own stack, by function name', () => {
    const { rows } = capture('v7-stack.dat');
    const text = readSharedText(CAPTURES, 'v7-stack.report.txt');
    const stacks = text.split(/<stack trace >\n/).slice(1);
    const wanted = stacks.map((part) =>
      [...part.split(/^ +\S+-\d+ /m)[0]!.matchAll(/^=> (\S+) \(/gm)].map((m) => m[1]).join('\n'),
    );
    expect(wanted.length).toBeGreaterThan(30);
    expect(rows.map((row) => row.stack).slice(0, wanted.length)).toEqual(wanted);
  });
});

describe.skipIf(!haveCaptures)('damage to real files', () => {
  it.each(['v7-zstd.dat', 'v6.dat.gz'])('%s survives it in its first and last 4 KiB', (name) => {
    const packed = readShared(CAPTURES, name);
    const bytes = name.endsWith('.gz') ? gunzipSync(packed) : packed;
    const end = bytes.length;
    damage(traceDat, bytes, 30, 5, { from: 0, to: 4096 });
    damage(traceDat, bytes, 30, 6, { from: end - 4096, to: end });
    for (let cut = 1; cut < 4096; cut += 203) {
      survive(traceDat, bytes.subarray(0, cut), `first ${cut} bytes`);
      survive(traceDat, bytes.subarray(0, end - cut), `without the last ${cut} bytes`);
    }
  });
});

describe.skipIf(!haveTraces)('a recording of many seconds (k61-perf)', () => {
  const v7 = haveTraces ? collect(traceDat, readShared(TRACES, 'k61-perf', 'trace.dat')) : null;

  it('equals trace-cmd report, event by event', () => {
    const text = readSharedText(TRACES, 'k61-perf', 'trace-report.txt.zst');
    const wanted = readTextEvents(text, 'ftrace').filter(isPageText).map(sayText);
    const rows = v7!.rows.filter(isPageRow).map((row) => sayRow(row, 6));
    // trace-cmd 3.1.6 prints fragmenting=10 for fallback_order 10 < pageblock_order 9.
    for (let i = 0; i < wanted.length; i++) wanted[i] = wanted[i]!.replace(/ 10 1 10$/, ' 10 1 0');
    expect(rows.length).toBe(wanted.length);
    const firstOdd = rows.findIndex((row, i) => row !== wanted[i]);
    expect(firstOdd < 0 ? null : [rows[firstOdd], wanted[firstOdd]]).toBeNull();
  });

  it('is the same in version 6', () => {
    const v6 = collect(traceDat, readShared(TRACES, 'k61-perf', 'trace-v6.dat.zst'));
    expect(v6.rows.length).toBe(v7!.rows.length);
    expect(v6.rows.findIndex((row, i) => sayRow(row, 9) !== sayRow(v7!.rows[i]!, 9))).toBe(-1);
  });

  it('keeps the recorder’s markers', () => {
    const markers = v7!.rows.filter((row) => row.kind === EventKind.marker);
    const texts = markers.map((row) => v7!.strings.texts.text(row.rare[0]!));
    expect(texts[0]).toBe('snap 1 begin buddyinfo');
    expect(texts.filter((text) => text.startsWith('phase ')).length).toBeGreaterThan(0);
    const probes = v7!.rows.filter((row) => row.kind === EventKind.printk);
    expect(probes.length).toBe(286);
    expect(v7!.strings.texts.text(probes[0]!.rare[0]!)).toBe(
      'atomicprobe: order=0 ok=1 pfn=0x87d9',
    );
  });
});

describe.skipIf(!haveTraces)('other kernels', () => {
  // 5.10 prints pfn in decimal and has no percpu_refill field; 6.1 with stacks; 7.2 has 64-bit gfp.
  it.each(['k510-fragment', 'k61-stack', 'k61-checker', 'k72-recovery'])(
    '%s begins as its ftrace text does',
    (set) => {
      const text = readSharedHead(3_000_000, TRACES, set, 'trace.txt.zst');
      const wanted = readTextEvents(text, 'ftrace').filter(isPageText).map(sayText);
      expect(wanted.length).toBeGreaterThan(15_000);
      const bytes = readShared(TRACES, set, 'trace.dat');
      const { rows } = collect(traceDat, bytes, { keep: wanted.length + 5000 });
      const said = rows.filter(isPageRow).map((row) => sayRow(row, 6));
      const odd = wanted.findIndex((line, i) => line !== said[i]);
      expect(odd < 0 ? null : [said[odd], wanted[odd]]).toBeNull();
    },
  );
});

describe.skipIf(!haveTraces)('frees in softirqs (k61-steady)', () => {
  it('have the preempt depth that the text prints', () => {
    const { rows } = collect(traceDat, readShared(TRACES, 'k61-steady', 'trace.dat'));
    const text = readSharedText(TRACES, 'k61-steady', 'trace.txt.zst');
    const printed = [...text.matchAll(/\] (\S{5}) +\d+\.\d+: mm_page_free:/g)].map(([, flags]) =>
      flags![2] === 's' && flags![3] !== '.' ? Number.parseInt(flags![3]!, 16) : 0,
    );
    expect(printed.filter((depth) => depth > 0).length).toBeGreaterThan(100);
    const frees = rows.filter((row) => row.kind === EventKind.free);
    expect(frees.map((row) => row.detail)).toEqual(printed);
  });
});
