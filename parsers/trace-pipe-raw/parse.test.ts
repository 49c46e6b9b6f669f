import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRecording } from '../../src/recording/open.js';
import { allEvents } from '../../src/recording/testing/batches.js';
import { RecordingStrings } from '../../src/records/strings.js';
import { eventFormat } from '../event-format/index.js';
import { collect } from '../event-format/testing.js';
import { damage } from '../event-format/testing-fuzz.js';
import {
  CAPTURES,
  haveCaptures,
  isPageText,
  readShared,
  readSharedText,
  readTextEvents,
  sayRow,
  sayText,
} from '../event-format/testing-text.js';
import { tracePipeRaw } from './index.js';

function withFormats(): RecordingStrings {
  const strings = new RecordingStrings();
  for (const name of readdirSync(CAPTURES)) {
    if (!/^(format-6\.18-.*|header_page)\.txt$/.test(name)) continue;
    const bytes = readShared(CAPTURES, name);
    expect(eventFormat.detect(bytes.subarray(0, 65_536), name)?.confidence).toBe(1);
    collect(eventFormat, bytes, { name: `events/kmem/${name}`, strings, chunk: 100 });
  }
  return strings;
}

describe.skipIf(!haveCaptures)('trace_pipe_raw of one cpu', () => {
  const name = 'per_cpu/cpu1/trace_pipe_raw';
  const bytes = haveCaptures ? readShared(CAPTURES, 'trace_pipe_raw-6.18-cpu1.bin') : null;

  it('is recognised by its pages', () => {
    expect(tracePipeRaw.detect(bytes!, 'x.bin')?.confidence).toBeGreaterThan(0.7);
    expect(tracePipeRaw.detect(new Uint8Array(16_384), name)).toBeNull();
    expect(tracePipeRaw.detect(Buffer.from('text '.repeat(4000)), name)).toBeNull();
  });

  it('holds what the text of the same run says', () => {
    const { rows, diagnostics } = collect(tracePipeRaw, bytes!, { name, strings: withFormats() });
    const text = readSharedText(CAPTURES, 'trace-6.18-same-run-as-raw.txt');
    const strip = (line: string): string => line.replace(/^(\S+ \S+ \S+) .+? (mm_page)/, '$1 $2');
    const wanted = readTextEvents(text, 'ftrace').filter(isPageText).map(sayText).map(strip);
    const said = rows.map((row) => strip(sayRow(row, 6)));
    expect(said.length).toBeGreaterThan(200);
    const there = new Set(wanted);
    const missing = said.filter((line) => !there.has(line));
    expect(missing).toEqual([]);
    expect(diagnostics.counts().map(([code]) => code)).toEqual([]);
  });

  it('asks for the formats when there are none', () => {
    const { rows, diagnostics } = collect(tracePipeRaw, bytes!, { name });
    expect([rows.length, diagnostics.count('formats-missing')]).toEqual([0, 1]);
  });

  it('is read after its formats, wherever these stand, with the names of saved_cmdlines', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'buddyscope-test-'));
    const put = (path: string, content: Uint8Array | string): void => {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), content);
    };
    put('a/cpu1/trace_pipe_raw', bytes!);
    put('header_event', '# compressed entry header\n\ttype_len    :    5 bits\n');
    put('saved_cmdlines', '1 init\n2189 dd copy\n');
    for (const event of ['mm_page_alloc', 'mm_page_free', 'mm_page_alloc_zone_locked']) {
      const text = readShared(CAPTURES, `format-6.18-${event}.txt`);
      put(`${event === 'mm_page_free' ? 'a/b' : 'z'}/kmem/${event}/format`, text);
    }
    const recording = await openRecording([folder], { readerThread: null });
    rmSync(folder, { recursive: true });
    const rows = allEvents(recording.events, recording.strings);
    expect(rows).toHaveLength(503 - 165);
    expect(new Set(rows.filter(({ pid }) => pid === 2189).map(({ comm }) => comm))).toEqual(
      new Set(['dd copy']),
    );
    // The format of mm_page_free_batched was not given.
    const skipped = recording.sources.map(({ skippedEvents }) => Object.values(skippedEvents));
    expect(skipped.flat()).toEqual([165]);
    expect(recording.diagnostics.counts()).toEqual([]);
    recording.close();
  });

  it('survives damage', () => {
    damage(tracePipeRaw, bytes!, 150, 21, undefined, { strings: withFormats() });
  });
});
