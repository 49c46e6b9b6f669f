/** Other tools' notes of buddyinfo, read as buddyinfo snapshots. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { detect } from '../registry.js';
import { snapshotText } from '../snapshot-text/index.js';
import { bytesOf, ofKind, parseWith } from '../snapshot-text/testing.js';

const COUNTS = [4419, 1978, 915, 552, 278, 127, 57, 12, 13, 8, 174];
const ORDERS = COUNTS.map((_, order) => order);
const FRI = Date.UTC(2024, 10, 22, 7, 49, 5) * 1e6;

function parse(text: string) {
  const parsed = parseWith(snapshotText, text);
  return { parsed, found: ofKind(parsed, 'buddyinfo') };
}

function scrape(stamp: string): string {
  const heads =
    '# HELP node_buddyinfo_blocks Count of free blocks.\n# TYPE node_buddyinfo_blocks gauge\n';
  const rows = [...ORDERS]
    .reverse()
    .flatMap((order) =>
      ['DMA', 'Normal'].map(
        (zone) =>
          `node_buddyinfo_blocks{node="0",size="${order}",zone="${zone}"} ${COUNTS[order]}${stamp}\n`,
      ),
    );
  return heads + rows.join('');
}

describe('collectors', () => {
  test('node_exporter: size is the order, in any order of lines', () => {
    const { found } = parse(`1732261745\n${scrape('')}1732261746\n${scrape('')}`);
    expect(found).toHaveLength(2);
    expect(found[0]!.zones).toEqual([
      { node: 0, zone: 'DMA', free: COUNTS },
      { node: 0, zone: 'Normal', free: COUNTS },
    ]);
    expect(found.map(({ time }) => time.beginNs)).toEqual([FRI, FRI + 1e9]);
    expect(snapshotText.detect(bytesOf(scrape('')), 'metrics')?.confidence).toBeGreaterThan(0.8);
  });

  test('node_exporter with stamps of its own, scraped twice', () => {
    const { found } = parse(scrape(' 1732261745000') + scrape(' 1732261760000'));
    expect(found.map(({ time }) => time.beginNs)).toEqual([FRI, FRI + 15e9]);
  });

  test('a zone that lacks an order is dropped and said so', () => {
    const text = scrape('').replace(/^.*size="4",zone="DMA".*\n/m, '');
    const { found, parsed } = parse(text);
    expect(found[0]!.zones.map(({ zone }) => zone)).toEqual(['Normal']);
    expect(parsed.codes).toContain('snapshot-cut');
  });

  test('collectl -sB -oT', () => {
    const text = `# MEMORY FRAGMENTATION (4K pages)
#         Node    Zone        1       2       4       8      16      32      64     128     256     512    1024
16:13:33     0   DMA32 ${COUNTS.join('  ')}
16:13:33     0  Normal ${COUNTS.join('  ')}
16:13:34     0   DMA32 ${COUNTS.join('  ')}
16:13:34     0  Normal ${COUNTS.join('  ')}
`;
    const { found, parsed } = parse(text);
    expect(found.map(({ zones }) => zones.map(({ zone }) => zone))).toEqual([
      ['DMA32', 'Normal'],
      ['DMA32', 'Normal'],
    ]);
    expect(found[1]!.time.beginNs - found[0]!.time.beginNs).toBe(1e9);
    expect(found[1]!.zones[1]!.free).toEqual(COUNTS);
    expect(parsed.source.skippedLines).toBe(0);
  });

  test('pcp buddyinfo table', () => {
    const text = `TimeStamp  Normal  Nodes  ${ORDERS.map((o) => `Order${o}`).join(' ')}
16:13:33  DMA32  node1  ${COUNTS.join('  ')}
`;
    expect(parse(text).found[0]!.zones).toEqual([{ node: 1, zone: 'DMA32', free: COUNTS }]);
  });

  test('pmrep CSV', () => {
    const header = ORDERS.map((o) => `"mem.buddyinfo.pages-Normal::order${o}::node0"`).join(',');
    const text = `Time,"kernel.all.load-1",${header}
2024-11-22 07:49:05,0.25,${COUNTS.join(',')}
2024-11-22 07:49:06,0.25,${COUNTS.join(',')}
2024-11-22 07:49:07,0.25,1,2
`;
    const { found, parsed } = parse(text);
    expect(found).toHaveLength(2);
    expect(found[1]!.zones).toEqual([{ node: 0, zone: 'Normal', free: COUNTS }]);
    expect(found[1]!.time.beginNs).toBe(FRI + 1e9);
    expect(parsed.codes).toEqual(['snapshot-line-bad']);
  });

  test.each([
    ['node-exporter.prom', 1],
    ['promtool-instant.txt', 1],
    ['pmrep-all.csv', 4],
    // The archive has no values at its first instant.
    ['pmrep-archive.csv', 3],
  ])('%s, as the tool wrote it', (name, copies) => {
    const bytes = readFileSync(join(import.meta.dirname, 'fixtures', name));
    expect(detect(bytes, name)?.format.id).toBe('snapshot-text');
    const parsed = parseWith(snapshotText, bytes);
    const found = ofKind(parsed, 'buddyinfo');
    expect(found).toHaveLength(copies);
    for (const { zones, time } of found) {
      expect(zones.map(({ zone, free }) => [zone, free.length])).toEqual([
        ['DMA', 11],
        ['DMA32', 11],
        ['Normal', 11],
      ]);
      expect(zones[0]!.free.slice(8)).toEqual([1, 1, 3]);
      expect(time.clock).toBe(name === 'node-exporter.prom' ? 'none' : 'wall');
    }
    expect(parsed.codes.filter((code) => code !== 'snapshot-foreign-lines')).toEqual([]);
  });
});
