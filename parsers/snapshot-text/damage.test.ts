/**
 * The container under damage: cut at every byte, flipped bytes, chunks of one byte, hostile lines.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../src/records/snapshot.js';
import { snapshotText } from './index.js';
import { bytesOf, ofKind, parseWith } from './testing.js';

const MIXED = `Linux version 6.1.0-56-amd64 (x@y) (gcc-12) #1 SMP Debian 6.1.192-2
# mono=5.607514808-5.607733514 snap=1
Node 0, zone      DMA      0      0      0      0      0      1      1      1      0      1      3 
Node 0, zone    DMA32    123    217    321    428    512    608    702    803    905    101    212 
Fri Nov 22 07:49:05 UTC 2024
Page block order: 9
Pages per block:  512

Free pages count per migrate type at order       0      1      2      3      4      5      6      7      8      9     10 
Node    0, zone      DMA, type    Unmovable     10     11     12     13     14     15     16     17     18     19     20 
Node    0, zone      DMA, type      Movable     20  >100000     22     23     24     25     26     27     28     29     30 

Number of blocks type     Unmovable      Movable 
Node 0, zone      DMA           10           72 
Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 578
  pages free     3808
        min      188
        low      235
        high     282
        spanned  4095
        present  3998
        protection: (0, 108, 108)
      nr_free_pages 3808
  pagesets
    cpu: 0
              count: 12
              high:  117
              batch: 13
  vm stats threshold: 14
  start_pfn:           101
Node 0, zone      DMA -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 -1.000 0.918 -1.000 
vm.min_free_kbytes = 67584
vm.extfrag_threshold = 500
nr_free_pages 18477
pgalloc_normal 7123
`;
const BYTES = bytesOf(MIXED);

/** Every number and text a snapshot states, as flat facts that do not depend on what is missing. */
function factsOf(snapshots: readonly Snapshot[]): Set<string> {
  const facts = new Set<string>();
  for (const s of snapshots) {
    if (s.kind === 'buddyinfo' || s.kind === 'unusable_index' || s.kind === 'extfrag_index') {
      for (const zone of s.zones) facts.add(JSON.stringify(zone));
    } else if (s.kind === 'pagetypeinfo') {
      for (const row of [...s.free, ...s.blocks]) facts.add(JSON.stringify(row));
    } else if (s.kind === 'zoneinfo') {
      for (const { pcp, ...zone } of s.zones) {
        for (const [name, value] of Object.entries(zone)) {
          if (value !== null) facts.add(`zone ${name} ${JSON.stringify(value)}`);
        }
        for (const entry of pcp) facts.add(JSON.stringify(entry));
      }
    } else if (s.kind === 'vmstat') {
      for (const counter of s.counters) facts.add(counter.join());
    } else if (s.kind === 'sysctl') {
      for (const value of s.values) facts.add(value.join());
    } else if (s.kind === 'version') facts.add(s.release);
  }
  return facts;
}

describe('damage', () => {
  test('the undamaged file: one copy of each kind, nothing skipped', () => {
    const parsed = parseWith(snapshotText, BYTES);
    expect(parsed.codes).toEqual([]);
    expect(parsed.source.snapshots).toEqual({
      ...{ version: 1, buddyinfo: 1, pagetypeinfo: 1, zoneinfo: 1, extfrag_index: 1, sysctl: 1 },
      vmstat: 1,
    });
  });

  test('cut at every byte: nothing is stated that the whole file does not state', () => {
    const whole = factsOf(parseWith(snapshotText, BYTES).snapshots);
    for (let length = 0; length <= BYTES.length; length++) {
      const { snapshots } = parseWith(snapshotText, BYTES.subarray(0, length));
      for (const fact of factsOf(snapshots)) {
        // The first line, cut within, cannot be told from a shorter one.
        if (length > 80) expect(whole.has(fact), `${length}: ${fact}`).toBe(true);
      }
    }
  });

  test('chunks of any size give the same', () => {
    const whole = parseWith(snapshotText, BYTES);
    for (const chunk of [1, 2, 7, 61, 1000]) {
      const { snapshots, source } = parseWith(snapshotText, BYTES, { chunk });
      expect(snapshots).toEqual(whole.snapshots);
      expect(source).toEqual(whole.source);
    }
  });

  test('flipped bytes never throw, and every line is accounted for', () => {
    const flips = fc.array(fc.tuple(fc.nat(BYTES.length - 1), fc.nat(255)), { maxLength: 40 });
    fc.assert(
      fc.property(flips, (list) => {
        const bytes = BYTES.slice();
        for (const [at, value] of list) bytes[at] = value;
        const { source, snapshots } = parseWith(snapshotText, bytes);
        expect(source.skippedLines).toBeLessThanOrEqual(source.lines);
        expect(snapshots.length).toBeLessThan(40);
      }),
      { seed: 20, numRuns: 400 },
    );
  });

  test('arbitrary text is never taken for a snapshot by detection alone', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(snapshotText.detect(bytesOf(text), 'x')).toBeNull();
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  test('a line of 100 MB is dropped, not held, and the next one is read', () => {
    const long = new Uint8Array(100 << 20).fill(0x41);
    const parsed = parseWith(
      snapshotText,
      Buffer.concat([long, bytesOf('\nvm.swappiness = 60\n')]),
      { chunk: 1 << 20 },
    );
    expect(parsed.codes).toEqual(['line-too-long']);
    expect(ofKind(parsed, 'sysctl')[0]!.line).toBe(2);
    expect(parsed.source.skippedLines).toBe(1);
  });

  test('more zones than any machine has do not pile up', () => {
    const rows = Array.from(
      { length: 40_000 },
      (_, i) => `Node ${i}, zone Z 1 2 3 4 5 6 7 8 9 1 2`,
    );
    const found = ofKind(parseWith(snapshotText, `${rows.join('\n')}\n`), 'buddyinfo');
    expect(Math.max(...found.map(({ zones }) => zones.length))).toBeLessThanOrEqual(1 << 14);
    expect(found.reduce((sum, { zones }) => sum + zones.length, 0)).toBe(40_000);
  });

  test('prefixes nested without end are given up', () => {
    const parsed = parseWith(snapshotText, `${'a: '.repeat(20_000)}Node 0, zone DMA\n`);
    expect(parsed.snapshots).toEqual([]);
    expect(parsed.codes).toEqual(['snapshot-foreign-lines']);
  });

  test('hostile lines for every pattern take no time', () => {
    const started = process.cpuUsage();
    const filler = [
      'Node 0, zone DMA, type ',
      '# mono=',
      'vm.',
      '[',
      '<1>1 ',
      'zzz ',
      '==> ',
      '1 ',
    ];
    for (const start of [...filler, 'Every 1.0s: ', 'Fri ', 'Number of blocks type ', 'a']) {
      for (const unit of [' ', '1', 'a', ' a', '1 ', '-', '(', '[', '.', '/', ': ', ' /proc/']) {
        parseWith(snapshotText, `${start}${unit.repeat(20_000)}\n`);
      }
    }
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(10_000);
  });
});
