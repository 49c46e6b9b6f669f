/**
 * kpagecount: which pages are mapped, told apart from kpageflags, hostile input, real copies (6.1, made in a
 * virtual machine beside kpageflags).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decompress } from 'fzstd';
import { describe, expect, test } from 'vitest';
import { PageClass } from '../../src/records/snapshot.js';
import { cutEverywhere, damage } from '../event-format/testing-fuzz.js';
import { DETECT_BYTES } from '../format.js';
import { kpageflags } from '../kpageflags/index.js';
import { detect } from '../registry.js';
import { ofKind, parseWith } from '../snapshot-text/testing.js';
import { kpagecount } from './index.js';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const real = (name: string): Uint8Array => decompress(readFileSync(join(FIXTURES, name)));

function words(...values: bigint[]): Uint8Array {
  return new Uint8Array(new BigInt64Array(values).buffer);
}

const SMALL = words(0n, 1n, 2n, 0n, -127n, 700n, 0n, 1n, 1n, 0n);
const mappedOf = (bytes: Uint8Array, chunk?: number): number[] => {
  const parsed = parseWith(kpagecount, bytes, chunk === undefined ? {} : { chunk });
  return [...(ofKind(parsed, 'kpagecount')[0]?.mapped ?? [])];
};

describe('kpagecount', () => {
  test('a page with a count above 0 is mapped, whatever the chunks', () => {
    const mapped = [0, 1, 1, 0, 0, 1, 0, 1, 1, 0];
    for (const chunk of [undefined, 1, 3, 8, 61]) expect(mappedOf(SMALL, chunk)).toEqual(mapped);
    const { codes, source } = parseWith(kpagecount, SMALL);
    expect(codes).toEqual([]);
    expect(source.snapshots).toEqual({ kpagecount: 1 });
    expect(source.facts).toMatchObject({ pages: '10', mapped: '5' });
  });

  test('words that are no counts are counted, and say nothing of their pages', () => {
    const parsed = parseWith(kpagecount, words(1n, 1n << 32n, 1n << 21n, 1n));
    expect(parsed.codes).toEqual(['record-out-of-range']);
    expect([...ofKind(parsed, 'kpagecount')[0]!.mapped]).toEqual([1, 0, 0, 1]);
  });

  test('cut at any byte: whole words are kept, the rest is reported', () => {
    for (let length = 0; length <= SMALL.length; length++) {
      const { codes } = parseWith(kpagecount, SMALL.subarray(0, length));
      expect(mappedOf(SMALL.subarray(0, length))).toHaveLength(length >> 3);
      expect(codes).toEqual(length % 8 === 0 ? [] : ['kpageflags-cut']);
    }
  });

  test('no more pages are kept than the limit', () => {
    const parsed = parseWith(kpagecount, SMALL, { limits: { pages: 4 } });
    expect([...ofKind(parsed, 'kpagecount')[0]!.mapped]).toEqual([0, 1, 1, 0]);
    expect(parsed.codes).toEqual(['kpageflags-limit']);
  });

  test('survives damage', () => {
    cutEverywhere(kpagecount, SMALL);
    damage(kpagecount, SMALL, 300, 91);
  });
});

const countFrom = (mapped: readonly number[], pfn: number): number =>
  mapped.slice(pfn, pfn + 8192).reduce((a, b) => a + b, 0);

describe('kpagecount and kpageflags of one machine', () => {
  const counts = real('kpagecount-27.bin.zst');
  const flags = real('kpageflags-26.bin.zst');

  test('each is taken for what it is', () => {
    expect(detect(counts.subarray(0, DETECT_BYTES), 'x/kpagecount-27.bin')?.format.id).toBe(
      'kpagecount',
    );
    // The low pages are mapped by nobody: without a name zeros say nothing …
    expect(detect(counts.subarray(0, DETECT_BYTES), 'x.bin')).toBeNull();
    // … where pages are mapped, the words do.
    const inUse = mappedOf(counts);
    const densest = [...inUse.keys()]
      .filter((pfn) => pfn % 8192 === 0)
      .sort((a, b) => countFrom(inUse, b) - countFrom(inUse, a))[0]!;
    const mapped = counts.subarray(densest * 8);
    expect(detect(mapped.subarray(0, DETECT_BYTES), 'x.bin')?.format.id).toBe('kpagecount');
    expect(detect(flags.subarray(0, DETECT_BYTES), 'x.bin')?.format.id).toBe('kpageflags');
    expect(detect(flags.subarray(0, DETECT_BYTES), 'kpagecount')?.format.id).toBe('kpageflags');
  });

  test('no mapped page is free', () => {
    const mapped = mappedOf(counts);
    const { classes } = ofKind(parseWith(kpageflags, flags), 'kpageflags')[0]!;
    expect(mapped).toHaveLength(classes.length);
    const of = (bit: number): number[] =>
      mapped.flatMap((m, pfn) => (m === 1 && (classes[pfn]! & bit) !== 0 ? [pfn] : []));
    expect(mapped.filter((m) => m === 1)).toHaveLength(2975);
    expect(of(PageClass.buddy)).toEqual([]);
    // What user programs map lies on the LRU lists, but for a few pages of the kernel's own.
    expect(of(PageClass.lru).length).toBeGreaterThan(2900);
    expect(of(PageClass.slab)).toEqual([]);
  });
});
