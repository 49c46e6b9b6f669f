import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { collect } from '../event-format/testing.js';
import { cutEverywhere, damage } from '../event-format/testing-fuzz.js';
import { perfetto } from './index.js';

type Value = bigint | number | string | Uint8Array | Field[];
type Field = readonly [number, Value];

function varint(value: bigint | number): number[] {
  let left = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(left & 127n) | (left > 127n ? 128 : 0));
    left >>= 7n;
  } while (left > 0n);
  return bytes;
}

function message(fields: readonly Field[]): Uint8Array {
  const bytes: number[] = [];
  for (const [number, value] of fields) {
    if (typeof value === 'bigint' || typeof value === 'number') {
      bytes.push(...varint(number << 3), ...varint(value));
      continue;
    }
    const part = typeof value === 'string' ? Buffer.from(value) : value;
    const inner = part instanceof Uint8Array ? part : message(part);
    bytes.push(...varint((number << 3) | 2), ...varint(inner.length), ...inner);
  }
  return Uint8Array.from(bytes);
}

const packet = (fields: Field[]): Field => [1, fields];
const event = (timeNs: number, pid: number, kind: number, fields: Field[]): Field => [
  2,
  [
    [1, timeNs],
    [2, pid],
    [kind, fields],
  ],
];

const BUNDLES: Field[] = [
  packet([
    [
      45,
      [
        [
          1,
          [
            [1, 'Linux'],
            [3, '5.15.110-android14'],
          ],
        ],
      ],
    ],
  ]),
  packet([
    [
      2,
      [
        [
          2,
          [
            [1, 77],
            [2, 'RenderThread'],
          ],
        ],
      ],
    ],
  ]),
  packet([
    [
      1,
      [
        [1, 3],
        event(5_000_000_100, 77, 307, [
          [1, 0x820],
          [2, 1],
          [3, 3],
          [5, 0x1234],
        ]),
        event(5_000_000_300, 77, 310, [
          [1, 3],
          [3, 0x1234],
        ]),
      ],
    ],
  ]),
  packet([
    [
      1,
      [
        [1, 0],
        [3, 1],
        event(5_000_000_200, 78, 307, [
          [1, 0x800],
          [5, 2n ** 64n - 1n],
        ]),
        event(5_000_000_250, 78, 60, [[1, 1]]),
      ],
    ],
  ]),
  packet([
    [8, 5_000_000_400],
    [
      7,
      [
        [
          12,
          [
            [1, '0'],
            [2, 'DMA32'],
            [3, 5],
            [3, 0],
            [3, 200],
          ],
        ],
      ],
    ],
  ]),
];
const PLAIN = message(BUNDLES);
const PACKED = message([packet([[50, deflateSync(PLAIN)]])]);

describe('Perfetto traces', () => {
  it.each([
    ['plain', PLAIN],
    ['compressed', PACKED],
  ])('gives ftrace page events in time order, %s packets', (_, bytes) => {
    for (const chunk of [bytes.length, 1, 13]) {
      const { rows, source, diagnostics } = collect(perfetto, bytes, { chunk });
      expect(rows.map((r) => [r.timeNs, r.cpu, r.comm, r.kind, r.pfn, r.order, r.gfp])).toEqual([
        [5_000_000_100, 3, 'RenderThread', 1, 0x1234, 3, '0x820'],
        [5_000_000_200, 0, '', 90, -1, 0, ''],
        [5_000_000_200, 0, ':78', 1, -1, 0, '0x800'],
        [5_000_000_300, 3, 'RenderThread', 2, 0x1234, 3, ''],
      ]);
      expect(source.skippedEvents).toEqual({ 'ftrace event 60': 1 });
      expect(diagnostics.counts().map(([code]) => code)).toEqual(['events-lost']);
    }
  });

  it('takes buddyinfo polls and the kernel as snapshots', () => {
    const { snapshots } = collect(perfetto, PLAIN);
    expect(snapshots).toMatchObject([
      { kind: 'version', release: '5.15.110-android14' },
      {
        kind: 'buddyinfo',
        zones: [{ node: 0, zone: 'DMA32', free: [5, 0, 200] }],
        time: { clock: 'trace', beginNs: 5_000_000_400 },
      },
    ]);
  });

  it('is recognised by its packets', () => {
    expect(perfetto.detect(PLAIN, '')?.confidence).toBeGreaterThan(0.8);
    expect(perfetto.detect(PACKED, '')?.confidence).toBeGreaterThanOrEqual(0.5);
    expect(perfetto.detect(Buffer.from('\nhello world, this is text\n'), '')).toBeNull();
  });

  it('does not follow packets compressed twice or without end', () => {
    const twice = message([packet([[50, deflateSync(PACKED)]])]);
    expect(collect(perfetto, twice).diagnostics.count('binary-damaged')).toBe(1);
    const bomb = message([packet([[50, deflateSync(new Uint8Array(100 << 20))]])]);
    expect(collect(perfetto, bomb).diagnostics.count('binary-damaged')).toBe(1);
  });

  it('survives damage', () => {
    cutEverywhere(perfetto, PLAIN);
    cutEverywhere(perfetto, PACKED);
    damage(perfetto, PLAIN, 600, 71);
    damage(perfetto, PACKED, 300, 72);
  });
});
