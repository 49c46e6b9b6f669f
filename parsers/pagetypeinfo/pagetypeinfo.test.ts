/** /proc/pagetypeinfo of every generation, with several nodes, capped counts and mixed blocks. */
import { describe, expect, test } from 'vitest';
import { snapshotText } from '../snapshot-text/index.js';
import { ofKind, parseWith } from '../snapshot-text/testing.js';

const NEW_TYPES = ['Unmovable', 'Movable', 'Reclaimable', 'HighAtomic', 'CMA', 'Isolate'];
const OLD_TYPES = ['Unmovable', 'Reclaimable', 'Movable', 'Reserve', 'Isolate'];

function node(id: number, types: readonly string[], cell = '     7 '): string {
  const free = types.map(
    (type) =>
      `Node ${String(id).padStart(4)}, zone   Normal, type ${type.padStart(12)} ${cell.repeat(11)}\n`,
  );
  return `Page block order: 9
Pages per block:  512

Free pages count per migrate type at order       0      1      2      3      4      5      6      7      8      9     10 
${free.join('')}
Number of blocks type ${types.map((type) => `${type.padStart(12)} `).join('')}
Node ${id}, zone   Normal ${types.map((_, i) => `${String(i).padStart(12)} `).join('')}
`;
}

function parse(text: string) {
  const parsed = parseWith(snapshotText, text);
  return { parsed, found: ofKind(parsed, 'pagetypeinfo') };
}

describe('pagetypeinfo', () => {
  test.each([
    ['v4.4 and later', NEW_TYPES],
    ['up to v4.3', OLD_TYPES],
  ])('types of %s', (_, types) => {
    const { found, parsed } = parse(node(0, types));
    expect(parsed.codes).toEqual([]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ pageblockOrder: 9, mixed: null, line: 1 });
    expect(found[0]!.free.map(({ type }) => type)).toEqual(types);
    expect(found[0]!.free[0]!.free).toEqual(new Array(11).fill(7));
    expect(found[0]!.blocks).toEqual([
      { node: 0, zone: 'Normal', counts: Object.fromEntries(types.map((type, i) => [type, i])) },
    ]);
  });

  test('headings repeat for each node; a repeated row begins the next copy', () => {
    const { found } = parse((node(0, NEW_TYPES) + node(1, NEW_TYPES)).repeat(3));
    expect(found).toHaveLength(3);
    for (const copy of found) {
      expect(copy.free).toHaveLength(12);
      expect(copy.blocks.map(({ node: id }) => id)).toEqual([0, 1]);
    }
    const lines = node(0, NEW_TYPES).split('\n').length - 1;
    expect(found.map(({ line }) => line)).toEqual([1, 1 + 2 * lines, 1 + 4 * lines]);
  });

  test('counts printed >100000 are marked as capped', () => {
    const { found } = parse(node(0, NEW_TYPES, '>100000 '));
    expect(found[0]!.free[0]!.free[3]).toBe(100000);
    expect(found[0]!.free[0]!.cappedOrders).toHaveLength(11);
  });

  test('mixed blocks of page_owner kernels', () => {
    const mixed = `Number of mixed blocks ${NEW_TYPES.map((type) => `${type.padStart(12)} `).join('')}
Node 0, zone   Normal ${NEW_TYPES.map(() => '           5 ').join('')}
`;
    const { found } = parse(node(0, NEW_TYPES) + mixed);
    expect(found[0]!.mixed).toEqual([
      { node: 0, zone: 'Normal', counts: Object.fromEntries(NEW_TYPES.map((type) => [type, 5])) },
    ]);
    expect(found[0]!.blocks[0]!.counts.Movable).toBe(1);
  });

  test('buddyinfo right behind it is not taken for block counts', () => {
    const row = `Node 0, zone   Normal ${'     3 '.repeat(11)}\n`;
    const { parsed } = parse(node(0, NEW_TYPES) + row);
    expect(parsed.source.snapshots).toEqual({ pagetypeinfo: 1, buddyinfo: 1 });
  });

  test('rows alone (grep Node) are read, and the block order is then unknown', () => {
    const rows = node(0, NEW_TYPES)
      .split('\n')
      .filter((line) => line.includes('type ') && line.startsWith('Node'));
    const { found } = parse(`${rows.join('\n')}\n`);
    expect(found[0]!.free).toHaveLength(6);
    expect(found[0]!.pageblockOrder).toBeNaN();
  });
});
