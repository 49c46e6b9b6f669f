import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openRecording } from '../../src/recording/open.js';
import { collect } from '../event-format/testing.js';
import { systrace } from './index.js';

const LINES = `# tracer: nop
#
# entries-in-buffer/entries-written: 2/2   #P:2
#
            bash-32107   (  32107) [000] .....  1505.629444: mm_page_alloc: page=00000000404d19b1 pfn=0x285d26 order=0 migratetype=1 gfp_flags=GFP_KERNEL
              dd-2189    (  2189) [001] .....  1599.301942: mm_page_free: page=00000000e8be6ccd pfn=0x2b4529 order=2
`;

const HTML = `<!DOCTYPE html>
<html><head><title>Android System Trace</title>
<script>var viewer = "[001] mm_page_free: pfn=0x1 order=0";</script></head><body>
<script class="trace-data" type="application/text">
{"processes": "dump"}
</script>
<script class="trace-data" type="application/text">
${LINES}</script>
</body></html>
`;

const OLD = `<!DOCTYPE HTML>\n<html><script>\n  var linuxPerfData = "\\\n${LINES.split('\n')
  .map((line) => `${line}\\n\\`)
  .join('\n')}\n";\n</script></html>\n`;

describe('systrace', () => {
  it.each([
    ['HTML', HTML],
    ['HTML of before 2015', OLD],
    ['atrace text', `capturing trace... done\nTRACE:\n${LINES}`],
  ])('reads %s', (_, text) => {
    const bytes = Buffer.from(text);
    expect(systrace.detect(bytes, '')?.confidence).toBeGreaterThan(0.9);
    for (const chunk of [bytes.length, 7]) {
      const { rows } = collect(systrace, bytes, { chunk });
      expect(rows.map((row) => [row.timeNs, row.comm, row.pfn, row.order])).toEqual([
        [1_505_629_444_000, 'bash', 0x285d26, 0],
        [1_599_301_942_000, 'dd', 0x2b4529, 2],
      ]);
    }
  });

  it.each(['TRACE:\n', 'capturing trace... done\nTRACE:\n'])(
    'reads atrace -z behind %j, whole and cut',
    async (front) => {
      const text = `${LINES.slice(0, LINES.indexOf('            bash'))}${LINES.split('\n')[4]}\n`;
      const many = text + `${LINES.split('\n')[5]}\n`.repeat(5000);
      const bytes = Buffer.concat([Buffer.from(front), deflateSync(many)]);
      const read = async (part: Uint8Array): Promise<{ events: number; codes: string[] }> => {
        const stdin = (async function* () {
          yield part.subarray(0, 5);
          yield part.subarray(5);
        })();
        const recording = await openRecording(['-'], { stdin, readerThread: null });
        const codes = recording.diagnostics.counts().map(([code]) => code);
        const events = recording.events.length;
        recording.close();
        return { events, codes };
      };
      expect(await read(bytes)).toEqual({ events: 5001, codes: [] });
      const cut = await read(bytes.subarray(0, bytes.length / 2));
      expect(cut.events).toBeGreaterThan(100);
      expect(cut.codes).toContain('input-truncated');
    },
  );

  it('leaves other pages alone', () => {
    expect(systrace.detect(Buffer.from('<!DOCTYPE html><p>hello'), 'x.html')).toBeNull();
  });
});
