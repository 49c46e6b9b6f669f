/** Whole recordings: counts by event type against what the recorder counted itself. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decompress } from 'fzstd';
import { describe, expect, it } from 'vitest';
import { EVENT_NAMES } from '../../src/records/events.js';
import type { StreamFormat } from '../format.js';
import { perfScript } from '../perf-script/index.js';
import { traceCmdReport } from '../trace-cmd-report/index.js';
import { ftraceText } from './index.js';
import { readCounts } from './testing/read.js';

const TRACES = join(import.meta.dirname, '../../../shared/traces');
const there = existsSync(TRACES);
const CHUNK = 1 << 16;

interface Meta {
  events_by_type: Record<string, number>;
  lost_events: number;
}

function chunks(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < bytes.length; i += CHUNK) parts.push(bytes.subarray(i, i + CHUNK));
  return parts;
}

function load(set: string, file: string, format: StreamFormat) {
  const bytes = decompress(readFileSync(join(TRACES, set, file)));
  const detection = format.detect(bytes.subarray(0, 1 << 16), '');
  return { ...readCounts(format, chunks(bytes)), detection };
}

function metaOf(set: string): Meta {
  return JSON.parse(readFileSync(join(TRACES, set, 'META.json'), 'utf8')) as Meta;
}

/** The recorder's own names for lines that are no trace events. */
const LINES_OF_OURS = ['[LOST EVENTS] lines', '(stack and other lines)'];

describe.skipIf(!there)('recordings (need ../shared/traces)', () => {
  it.each([
    'k510-tiny',
    'k61-tiny',
    'k612-small',
    'k61-steady',
    'k61-perf',
    'k61-stack',
    'k61-latency',
    'k61-lost',
  ])('%s: every event counted as the recorder did', (set) => {
    const { source, skippedLines, detection } = load(set, 'trace.txt.zst', ftraceText);
    const meta = metaOf(set);
    expect(detection!.confidence).toBeGreaterThan(0.85);
    expect(skippedLines).toBe(0);
    const printed = Object.entries(meta.events_by_type).filter(([name]) =>
      name.startsWith('print'),
    );
    const prints = printed.reduce((sum, [, count]) => sum + count, 0);
    expect(source.events.print ?? 0).toBe(prints);
    for (const [name, count] of Object.entries(meta.events_by_type)) {
      if (LINES_OF_OURS.includes(name) || name.startsWith('print')) continue;
      const full = Object.values(EVENT_NAMES).find((known) => known.replace(/^.*:/, '') === name);
      const seen = full === undefined ? source.skippedEvents[name] : source.events[full];
      expect([name, seen]).toEqual([name, count]);
    }
    expect(source.lostEvents).toBe(meta.lost_events);
    expect(source.facts['stacks of skipped events']).toBeUndefined();
  });

  it('k61-perf: trace-cmd report tells the same', () => {
    const { source, skippedLines, detection } = load(
      'k61-perf',
      'trace-report.txt.zst',
      traceCmdReport,
    );
    const meta = metaOf('k61-perf');
    expect(detection!.confidence).toBeGreaterThan(0.9);
    expect(skippedLines).toBe(0);
    expect(source.events['kmem:mm_page_alloc']).toBe(meta.events_by_type.mm_page_alloc);
    expect(source.events['kmem:mm_page_free']).toBe(meta.events_by_type.mm_page_free);
    expect(source.events.tracing_mark_write).toBe(meta.events_by_type.tracing_mark_write);
    expect(source.events.print).toBe(meta.events_by_type['print (atomicprobe)']);
  });

  it('k61-perf: perf script with 6 and 9 digits tell the same', () => {
    const micro = load('k61-perf', 'perf-script.txt.zst', perfScript);
    const nano = load('k61-perf', 'perf-script-ns.txt.zst', perfScript);
    expect(micro.detection!.confidence).toBeGreaterThan(0.9);
    expect(micro.skippedLines).toBe(0);
    expect(nano.source.events).toEqual(micro.source.events);
    expect(Object.values(micro.source.events).reduce((a, b) => a + b)).toBe(66429);
    expect(nano.source.facts['timestamp digits']).toBe('9');
  });
});
