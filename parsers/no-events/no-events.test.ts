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

  it.each([2, 3])('a PCP archive of version %s is named, with what to run', (version) => {
    const label = Buffer.alloc(400);
    label.writeUInt32BE(132, 0);
    label.writeUInt32BE(0x50052600 + version, 4);
    label.write('vm', 24);
    expect(detect(label, 'archive.0')?.format.id).toBe('no-events');
    const { diagnostics } = collect(noEvents, label);
    expect(diagnostics.all[0]!.message).toContain('pmrep -a ARCHIVE');
  });

  it('a CTF trace is named, with the command that prints it', () => {
    const { diagnostics } = collect(noEvents, Buffer.from('/* CTF 1.8 */\ntrace {\n'));
    expect(diagnostics.all[0]!.message).toContain('babeltrace2 FOLDER');
  });
});
