import { describe, expect, it } from 'vitest';
import { collect } from '../event-format/testing.js';
import { CAPTURES, haveCaptures, readShared } from '../event-format/testing-text.js';
import { detect } from '../registry.js';
import { noEvents } from './index.js';

const FILES: readonly (readonly [file: string, what: RegExp])[] = [
  ['perf-kmem.stat.txt', /perf kmem summary/],
  ['perf-kmem.caller.txt', /perf kmem summary/],
  ['perf.report.txt', /perf report/],
  ['perf.header.txt', /header in words/],
  ['perf.D.txt', /raw dump/],
  ['perf.json', /JSON/],
  ['perf-ctf/metadata', /metadata of a CTF trace/],
  ['perf-ctf/perf_stream_0', /stream of a CTF trace/],
];

describe('files without page events', () => {
  it.skipIf(!haveCaptures).each(FILES)('%s is named', (file, what) => {
    const bytes = readShared(CAPTURES, file);
    expect(detect(bytes.subarray(0, 1 << 16), file)?.format.id).toBe('no-events');
    for (const chunk of [bytes.length, 100]) {
      const { diagnostics } = collect(noEvents, bytes, { name: file, chunk });
      expect(diagnostics.all.map(({ code }) => code)).toEqual(['input-without-events']);
      expect(diagnostics.all[0]!.message).toMatch(what);
    }
  });

  it('kpagecount is told by its name and its small counts', () => {
    const counts = Buffer.alloc(8192);
    for (let at = 0; at < counts.length; at += 8) counts.writeUInt32LE(at % 24 === 0 ? 1 : 0, at);
    expect(detect(counts, 'proc/kpagecount')?.format.id).toBe('no-events');
    expect(collect(noEvents, counts, { name: 'kpagecount' }).diagnostics.all[0]!.message).toContain(
      'copy /proc/kpageflags',
    );
    expect(noEvents.detect(counts, 'counts.bin')).toBeNull();
    counts.writeUInt32LE(0x400, 12);
    expect(noEvents.detect(counts, 'kpagecount')).toBeNull();
  });
});
