/** unusable_index and extfrag_index: values, and which of the two a copy is. */
import { describe, expect, test } from 'vitest';
import { snapshotText } from '../snapshot-text/index.js';
import { parseWith } from '../snapshot-text/testing.js';

const parse = (text: string, name = 'input') => parseWith(snapshotText, text, { name });
const row = (values: string) => `Node 0, zone   Normal ${values} \n`;

describe('extfrag indices', () => {
  test('negative values only extfrag_index has; thousandths below zero have their own sign', () => {
    const { snapshots, codes } = parse(
      row('-1.000 -1.000 -1.000  0.918  0.997  0.-500  0.-35  0.000 -1.000 -1.000 -1.000'),
    );
    expect(codes).toEqual([]);
    expect(snapshots).toMatchObject([
      {
        kind: 'extfrag_index',
        zones: [
          {
            node: 0,
            zone: 'Normal',
            values: [-1, -1, -1, 0.918, 0.997, -0.5, -0.035, 0, -1, -1, -1],
          },
        ],
      },
    ]);
  });

  test('values that grow with order are unusable_index', () => {
    const { snapshots } = parse(
      row('0.000 0.005 0.010 0.014 0.016 0.025 0.042 0.129 0.164 0.9 1.000').replace(
        '0.9 ',
        '0.900 ',
      ),
    );
    expect(snapshots).toMatchObject([{ kind: 'unusable_index' }]);
  });

  test('the file name decides where values do not', () => {
    const zeros = row('0.000 '.repeat(11).trim());
    expect(parse(zeros, 'extfrag_index.log').snapshots[0]!.kind).toBe('extfrag_index');
    expect(parse(zeros, 'unusable_index.log').snapshots[0]!.kind).toBe('unusable_index');
  });

  test('anything but decimals is reported', () => {
    const { snapshots, codes } = parse(row('0.000 0.00x 1 2 3 4 5 6 7 8 9'));
    expect(snapshots).toEqual([]);
    expect(codes).toEqual(['snapshot-line-bad']);
  });
});
