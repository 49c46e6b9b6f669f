/** /proc/zoneinfo of every generation: what moved, what came, what went. */
import { describe, expect, test } from 'vitest';
import { snapshotText } from '../snapshot-text/index.js';
import { ofKind, parseWith } from '../snapshot-text/testing.js';

const V2624 = `Node 0, zone   Normal
  pages free     3264
        min      919
        low      1148
        high     1378
        scanned  0 (a: 12 i: 7)
        spanned  225280
        present  223520
    nr_free_pages 3264
    nr_inactive  51166
        protection: (0, 0, 2432, 2432)
  pagesets
    cpu: 0 pcp: 0
              count: 147
              high:  186
              batch: 31
    cpu: 0 pcp: 1
              count: 52
              high:  62
              batch: 15
  vm stats threshold: 16
  all_unreclaimable: 0
  prev_priority:     12
  start_pfn:         4096
`;
const V44 = `Node 0, zone   Normal
  pages free     3264
        min      919
        low      1148
        high     1378
        scanned  0
        spanned  225280
        present  223520
        managed  220000
    nr_free_pages 3264
    nr_alloc_batch 230
    nr_free_cma  17
        protection: (0, 0, 2432, 2432)
  pagesets
    cpu: 0
              count: 147
              high:  186
              batch: 31
  vm stats threshold: 16
  all_unreclaimable: 0
  start_pfn:         4096
  inactive_ratio:    1
`;
const V72 = `Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 80544
      pgscan_anon  0
  pages free     3776
        boost    12
        min      163
        low      200
        high     237
        promo    274
        spanned  4095
        present  3998
        managed  3840
        cma      64
        protection: (0, 1097, 1097, 1097, 1097)
      nr_free_pages 3776
      nr_free_pages_blocks 3072
      nr_free_cma  17
  pagesets
    cpu: 0
              count:    3026
              high:     17558
              batch:    63
              high_min: 6945
              high_max: 17558
  vm stats threshold: 4
    cpu: 1
              count:    0
              high:     0
              batch:    1
              high_min: 94
              high_max: 240
  vm stats threshold: 5
  node_unreclaimable:  0
  start_pfn:           1
  reserved_highatomic: 2048
  free_highatomic:     512
Node 0, zone   Device
  pages free     0
        boost    0
        min      0
        low      0
        high     0
        promo    0
        spanned  0
        present  0
        managed  0
        cma      0
        protection: (0, 0, 0, 0, 0)
`;

function parse(text: string) {
  const parsed = parseWith(snapshotText, text);
  return { parsed, found: ofKind(parsed, 'zoneinfo') };
}

describe('zoneinfo', () => {
  test('v2.6.24: hot and cold lists of a CPU add up, no managed', () => {
    const { found, parsed } = parse(V2624);
    expect(parsed.codes).toEqual([]);
    expect(found[0]!.zones[0]).toMatchObject({
      ...{ freePages: 3264, min: 919, low: 1148, high: 1378, spanned: 225280, present: 223520 },
      ...{ managed: null, boost: null, cma: null, promo: null, startPfn: 4096 },
      protection: [0, 0, 2432, 2432],
      pcp: [{ cpu: 0, count: 199, high: 186, batch: 31, highMin: null, highMax: null }],
      vmStatsThreshold: 16,
    });
  });

  test('v4.4: counters before protection', () => {
    const { found, parsed } = parse(V44);
    expect(parsed.codes).toEqual([]);
    expect(found[0]!.zones[0]).toMatchObject({ managed: 220000, nrFreeCma: 17, startPfn: 4096 });
    expect(found[0]!.zones[0]!.protection).toEqual([0, 0, 2432, 2432]);
  });

  test('v7.2: boost, promo, cma, high_min and high_max, highatomic, an empty zone', () => {
    const { found, parsed } = parse(V72);
    expect(parsed.codes).toEqual([]);
    const [dma, device] = found[0]!.zones;
    expect(dma).toMatchObject({
      ...{ freePages: 3776, boost: 12, min: 163, promo: 274, cma: 64, nrFreeCma: 17 },
      ...{ nrFreePagesBlocks: 3072, reservedHighatomic: 2048, freeHighatomic: 512, startPfn: 1 },
      vmStatsThreshold: 5,
    });
    expect(dma!.high).toBe(237);
    expect(dma!.pcp).toEqual([
      { cpu: 0, count: 3026, high: 17558, batch: 63, highMin: 6945, highMax: 17558 },
      { cpu: 1, count: 0, high: 0, batch: 1, highMin: 94, highMax: 240 },
    ]);
    expect(device).toMatchObject({ zone: 'Device', present: 0, startPfn: null, pcp: [] });
  });

  test('a vmstat file right behind is not part of the last zone', () => {
    const { parsed } = parse(`${V72}nr_free_pages 77\npgfree 1\n`);
    expect(parsed.source.snapshots).toEqual({ zoneinfo: 1, vmstat: 1 });
  });

  test('a zone that lacks its watermarks was cut: it is dropped and said so', () => {
    const at = V72.indexOf('        high     237');
    const { found, parsed } = parse(`${V72.slice(0, at)}# mono=1.0-1.1 snap=2\n${V72}`);
    expect(found.map(({ zones }) => zones.length)).toEqual([2]);
    expect(parsed.diagnostics).toMatchObject([{ code: 'snapshot-cut', line: 1 }]);
  });

  test('lines of later kernels are passed over, nonsense is reported', () => {
    const { found, parsed } = parse(
      V72.replace('        cma      64', '        novel    3\n   %%% 7'),
    );
    expect(found[0]!.zones[0]!.managed).toBe(3840);
    expect(parsed.codes).toEqual(['snapshot-line-bad']);
    expect(parsed.diagnostics[0]!.line).toBe(15);
  });
});
