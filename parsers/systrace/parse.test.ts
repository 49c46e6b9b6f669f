import { describe, expect, it } from 'vitest';
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

  it('says that compressed atrace output is not read', () => {
    const bytes = Buffer.concat([Buffer.from('TRACE:\n'), Buffer.from([0x78, 0x9c, 1, 2, 10, 3])]);
    const { rows, diagnostics } = collect(systrace, bytes);
    expect([rows.length, diagnostics.count('compression-unsupported')]).toEqual([0, 1]);
  });

  it('leaves other pages alone', () => {
    expect(systrace.detect(Buffer.from('<!DOCTYPE html><p>hello'), 'x.html')).toBeNull();
  });
});
