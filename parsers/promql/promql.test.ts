import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesOf, ofKind, parseWith } from '../snapshot-text/testing.js';
import { promql } from './index.js';

const ORDERS = Array.from({ length: 11 }, (_, order) => order);
const T = 1732261745;

interface Result {
  metric: Record<string, string>;
  values?: [number, string][];
  value?: [number, string];
}

function series(zone: string, order: number, host = 'db1:9100'): Result {
  const metric = { __name__: 'node_buddyinfo_blocks', instance: host, job: 'node', node: '0' };
  return {
    metric: { ...metric, size: String(order), zone },
    values: [0, 15, 30.5].map((dt) => [T + dt, String(100 * order + Math.floor(dt))]),
  };
}

function answer(result: readonly Result[], resultType = 'matrix'): string {
  return JSON.stringify({ status: 'success', data: { resultType, result } });
}

const all = ['Normal', 'DMA32'].flatMap((zone) => ORDERS.map((order) => series(zone, order)));

describe('Prometheus query results', () => {
  test('series become copies, zones in the kernel’s order', () => {
    const text = answer([...all].reverse());
    expect(promql.detect(bytesOf(text), 'x')?.confidence).toBeGreaterThan(0.9);
    for (const chunk of [text.length, 100]) {
      const parsed = parseWith(promql, text, { chunk });
      const found = ofKind(parsed, 'buddyinfo');
      expect(found.map(({ time }) => time.beginNs / 1e6)).toEqual(
        [T, T + 15, T + 30.5].map((s) => s * 1e3),
      );
      expect(found[1]!.zones).toEqual([
        { node: 0, zone: 'DMA32', free: ORDERS.map((order) => 100 * order + 15) },
        { node: 0, zone: 'Normal', free: ORDERS.map((order) => 100 * order + 15) },
      ]);
      expect(parsed.codes).toEqual([]);
      expect(parsed.source).toMatchObject({ clock: 'wall', facts: { host: 'db1:9100' } });
    }
  });

  test('a vector, and the bare list of results', () => {
    const vector = all.map(({ metric, values }) => ({ metric, value: values![0]! }));
    for (const text of [answer(vector, 'vector'), JSON.stringify(vector, null, 2)]) {
      expect(promql.detect(bytesOf(text), 'x')).not.toBeNull();
      expect(ofKind(parseWith(promql, text), 'buddyinfo')).toHaveLength(1);
    }
  });

  test('other hosts, zones without an order and impossible counts are said', () => {
    const other = ORDERS.map((order) => series('Normal', order, 'db2:9100'));
    const two = parseWith(promql, answer([...all, ...other]));
    expect([two.snapshots.length, two.codes]).toEqual([3, ['snapshot-other-host']]);
    const asked = parseWith(promql, answer([...all, ...other]), { options: { host: 'db2:9100' } });
    expect(ofKind(asked, 'buddyinfo')[0]!.zones.map(({ zone }) => zone)).toEqual(['Normal']);
    const cut = parseWith(promql, answer(all.slice(1)));
    expect(ofKind(cut, 'buddyinfo')[0]!.zones.map(({ zone }) => zone)).toEqual(['DMA32']);
    expect(cut.codes).toEqual(['snapshot-cut']);
    const bad = all.map((one) => ({ ...one, values: [[T, '-1'] as [number, string]] }));
    expect(parseWith(promql, answer(bad))).toMatchObject({
      snapshots: [],
      source: { skippedLines: 22 },
    });
  });

  test.each([
    ['query_range.json', 8],
    ['promtool.json', 8],
    ['query.json', 1],
  ])('%s, as Prometheus 2.42 answered', (name, copies) => {
    const bytes = readFileSync(join(import.meta.dirname, 'fixtures', name));
    expect(promql.detect(bytes, 'x')?.confidence).toBeGreaterThan(0.9);
    const parsed = parseWith(promql, bytes);
    const found = ofKind(parsed, 'buddyinfo');
    expect(found).toHaveLength(copies);
    for (const { zones } of found) {
      expect(zones.map(({ zone, free }) => [zone, free.length])).toEqual([
        ['DMA', 11],
        ['DMA32', 11],
        ['Normal', 11],
      ]);
      expect(zones[0]!.free.slice(8)).toEqual([1, 1, 3]);
    }
    expect(parsed.codes).toEqual([]);
  });

  test('a document cut anywhere is refused with a word, never thrown at', () => {
    const text = answer(all);
    for (let length = 1; length < text.length; length += 97) {
      const parsed = parseWith(promql, text.slice(0, length));
      expect([parsed.snapshots.length, parsed.codes]).toEqual([0, ['binary-damaged']]);
    }
    for (const odd of ['[1,null,{"metric":3}]', '{"data":{"result":7}}', 'null', '[]']) {
      expect(parseWith(promql, odd).snapshots).toEqual([]);
    }
  });
});
