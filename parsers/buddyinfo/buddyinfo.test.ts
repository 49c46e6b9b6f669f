/** Rows of /proc/buddyinfo: any number of orders, any width, and what is refused. */
import { describe, expect, test } from 'vitest';
import { snapshotText } from '../snapshot-text/index.js';
import { ofKind, parseWith } from '../snapshot-text/testing.js';

function parse(text: string) {
  const parsed = parseWith(snapshotText, text);
  return { parsed, found: ofKind(parsed, 'buddyinfo') };
}

describe('buddyinfo', () => {
  test('a count for each order, whatever the number of orders', () => {
    for (const orders of [7, 10, 11, 14, 33]) {
      const counts = Array.from({ length: orders }, (_, order) => order * 3);
      const row = `Node 0, zone   Normal ${counts.map((c) => String(c).padStart(6)).join(' ')} \n`;
      expect(parse(row).found[0]!.zones).toEqual([{ node: 0, zone: 'Normal', free: counts }]);
    }
  });

  test('wide counts, folded blanks, no trailing blank, several nodes', () => {
    const text = [
      'Node 0, zone DMA 1 2 3 4 5 6 7 8 9 10 11',
      'Node 0, zone   Normal 12345678901      0      0      0      0      0      0      0      1      1      3 ',
      'Node   12, zone\tHighMem 1 2 3 4 5 6 7 8 9 10 11\r',
      '',
    ].join('\n');
    const { found, parsed } = parse(text);
    expect(found).toHaveLength(1);
    expect(found[0]!.zones.map(({ node, zone }) => `${node} ${zone}`)).toEqual([
      ...['0 DMA', '0 Normal', '12 HighMem'],
    ]);
    expect(found[0]!.zones[1]!.free[0]).toBe(12345678901);
    expect(parsed.codes).toEqual([]);
  });

  test('a repeated zone begins the next copy', () => {
    const row = 'Node 0, zone DMA 1 2 3 4 5 6 7 8 9 10 11\n';
    const { found } = parse(
      row + row.replace('DMA', 'Normal') + row + row.replace('DMA', 'Normal'),
    );
    expect(found.map(({ line, zones }) => [line, zones.length])).toEqual([
      [1, 2],
      [3, 2],
    ]);
  });

  test.each([
    ['a negative count', 'Node 0, zone DMA 1 2 3 4 -5 6 7 8 9 10 11'],
    ['a count beyond any machine', 'Node 0, zone DMA 1 2 3 4 5 6 7 8 9 10 9999999999999'],
    ['a word among counts', 'Node 0, zone DMA 1 2 3 4 5 6 7 x 9 10 11'],
    ['too few orders', 'Node 0, zone DMA 1 2 3'],
    ['34 orders', `Node 0, zone DMA ${'1 '.repeat(34)}`],
    ['a capped count', 'Node 0, zone DMA 1 2 3 4 5 6 7 8 9 10 >100000'],
  ])('%s: the line is reported with its number and skipped', (_, line) => {
    const { found, parsed } = parse(`\n${line}\n`);
    expect(found).toEqual([]);
    expect(parsed.codes).toEqual(['snapshot-line-bad']);
    expect(parsed.diagnostics[0]).toMatchObject({ line: 2, source: 'input' });
    expect(parsed.source.skippedLines).toBe(1);
  });

  test('rows of one copy have the same number of orders', () => {
    const text =
      'Node 0, zone DMA 1 2 3 4 5 6 7 8 9 10 11\nNode 0, zone Normal 1 2 3 4 5 6 7 8 9\n';
    const { found, parsed } = parse(text);
    expect(found[0]!.zones).toHaveLength(1);
    expect(parsed.codes).toEqual(['snapshot-line-bad']);
  });

  test('a last row without newline counts only if it is as long as the others', () => {
    const row = 'Node 0, zone DMA 1 2 3 4 5 6 7 8 9 10 174 \n';
    const last = row.replace('DMA', 'Normal').trimEnd();
    expect(parse(row + last.slice(0, -1)).found[0]!.zones).toHaveLength(1);
    expect(parse(`${row}${last} `).found[0]!.zones).toHaveLength(2);
    const pasted = parse(row.replace(' \n', '\n') + last);
    expect(pasted.found[0]!.zones).toHaveLength(2);
  });
});
