/**
 * kpageflags and page-types: classes by pfn, kernels that mark only heads, hostile input, goldens.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PageClass } from '../../src/records/snapshot.js';
import { DETECT_BYTES } from '../format.js';
import { bytesOf, ofKind, parseWith } from '../snapshot-text/testing.js';
import { kpageflags, pageTypes } from './index.js';

const BUDDY = 1n << 10n;
const NOPAGE = 1n << 20n;
const RESERVED = 1n << 32n;

function words(...values: bigint[]): Uint8Array {
  return new Uint8Array(new BigUint64Array(values).buffer);
}

function repeat(value: bigint, count: number): bigint[] {
  return new Array<bigint>(count).fill(value);
}

function classesOf(bytes: Uint8Array, chunk?: number) {
  const parsed = parseWith(kpageflags, bytes, chunk === undefined ? {} : { chunk });
  return { parsed, copy: ofKind(parsed, 'kpageflags')[0]! };
}

const MACHINE = words(
  RESERVED,
  ...repeat(BUDDY, 32),
  ...repeat(0n, 5),
  1n << 7n,
  (1n << 5n) | (1n << 12n),
  1n << 15n,
  ...repeat(1n << 16n, 3),
  1n << 26n,
  ...repeat(NOPAGE, 20),
);

describe('kpageflags', () => {
  test('each word becomes the class of its pfn', () => {
    const { copy, parsed } = classesOf(MACHINE);
    expect(copy.classes).toHaveLength(MACHINE.length / 8);
    expect(copy.classes[0]).toBe(PageClass.pinned);
    expect([...copy.classes.subarray(1, 33)].every((c) => c === PageClass.buddy)).toBe(true);
    expect([...copy.classes.subarray(33, 45)]).toEqual([
      ...[0, 0, 0, 0, 0, PageClass.slab, PageClass.lru | PageClass.anon, PageClass.compoundHead],
      ...[PageClass.compoundTail, PageClass.compoundTail, PageClass.compoundTail],
      PageClass.pinned,
    ]);
    expect(copy.classes.at(-1)).toBe(PageClass.noPage);
    expect(copy.buddyHeadsOnly).toBe(false);
    expect(copy.time.clock).toBe('none');
    expect(parsed.codes).toEqual([]);
    expect(parsed.source.snapshots).toEqual({ kpageflags: 1 });
  });

  test('chunks of any size and alignment give the same', () => {
    const whole = classesOf(MACHINE).copy;
    for (const chunk of [1, 3, 7, 8, 61]) {
      expect(classesOf(MACHINE, chunk).copy).toEqual(whole);
    }
    const shifted = new Uint8Array(MACHINE.length + 1);
    shifted.set(MACHINE, 1);
    expect(classesOf(shifted.subarray(1)).copy).toEqual(whole);
  });

  test('kernels that mark only the head of a free block are told apart', () => {
    const heads = [RESERVED, ...repeat(0n, 7)];
    const whole = [RESERVED, ...repeat(0n, 7)];
    for (let block = 0; block < 40; block++) {
      heads.push(BUDDY, ...repeat(0n, 15), ...repeat(1n << 7n, 16));
      whole.push(...repeat(BUDDY, 16), ...repeat(1n << 7n, 16));
    }
    expect(classesOf(words(...heads)).copy.buddyHeadsOnly).toBe(true);
    expect(classesOf(words(...heads), 9).copy.buddyHeadsOnly).toBe(true);
    expect(classesOf(words(...whole)).copy.buddyHeadsOnly).toBe(false);
  });

  test('every other page free is not taken for heads of blocks', () => {
    const checker: bigint[] = [];
    for (let pair = 0; pair < 400; pair++) checker.push(BUDDY, 0n);
    expect(classesOf(words(...checker)).copy.buddyHeadsOnly).toBe(false);
  });

  test('cut at any byte: whole words are kept, the rest is reported', () => {
    for (let length = 0; length <= MACHINE.length; length++) {
      const { parsed, copy } = classesOf(MACHINE.subarray(0, length));
      expect(copy?.classes.length ?? 0).toBe(length >> 3);
      expect(parsed.codes).toEqual(length % 8 === 0 ? [] : ['kpageflags-cut']);
    }
  });

  test('no more pages are kept than the limit', () => {
    const parsed = parseWith(kpageflags, MACHINE, { limits: { pages: 10 } });
    expect(ofKind(parsed, 'kpageflags')[0]!.classes).toHaveLength(10);
    expect(parsed.codes).toEqual(['kpageflags-limit']);
  });

  test('detection goes by content, the name only tips the scales', () => {
    expect(kpageflags.detect(MACHINE, 'x.bin')?.confidence).toBeGreaterThan(0.85);
    const zeros = new Uint8Array(4096);
    expect(kpageflags.detect(zeros, 'x.bin')).toBeNull();
    expect(kpageflags.detect(zeros, 'kpageflags-1.bin')?.confidence).toBeGreaterThan(0.2);
    expect(kpageflags.detect(MACHINE.subarray(0, MACHINE.length - 3), 'x')).toBeNull();
    expect(
      kpageflags.detect(bytesOf('Node 0, zone DMA 0 0 0\n'.repeat(8)), 'kpageflags'),
    ).toBeNull();
    const counts = words(...Array.from({ length: 512 }, (_, i) => BigInt(i % 7)));
    expect(kpageflags.detect(counts, 'kpagecount')).toBeNull();
  });
});

describe('page-types', () => {
  const flags = (set: string) =>
    [...'LERUDlASWIBMasbHTGuXnxtozig'].map((c) => (set.includes(c) ? c : '_')).join('');
  const list = [
    'offset\tlen\tflags',
    `1\t3f\t${flags('B')}`,
    `40\t10\t${flags('S')}`,
    `60\t1\t${flags('Ula')}`,
    '',
  ].join('\n');

  test('ranges fill the pages they name; unlisted pages are absent', () => {
    const parsed = parseWith(pageTypes, list);
    const { classes } = ofKind(parsed, 'kpageflags')[0]!;
    expect(classes).toHaveLength(0x61);
    expect([
      classes[0],
      classes[1],
      classes[0x3f],
      classes[0x40],
      classes[0x50],
      classes[0x60],
    ]).toEqual([2, 1, 1, 8, 2, PageClass.lru | PageClass.anon]);
    expect(parsed.codes).toEqual([]);
    expect(pageTypes.detect(bytesOf(list), '')?.confidence).toBeGreaterThan(0.9);
  });

  test('a row cannot stand for terabytes', () => {
    const parsed = parseWith(pageTypes, `offset\tlen\tflags\n1\t1fffffff\t${flags('B')}\n${list}`);
    expect(ofKind(parsed, 'kpageflags')[0]!.classes).toHaveLength(0x61);
    expect(parsed.codes).toContain('section-limit');
  });

  test('rows that go backwards or beyond the limit are counted, not obeyed', () => {
    const bad = `${list}0\t1\t${flags('B')}\nfffffffffffff\t1\t${flags('B')}\n5\tx\ty\n`;
    const parsed = parseWith(pageTypes, bad);
    expect(parsed.source.skippedLines).toBe(3);
    expect(ofKind(parsed, 'kpageflags')[0]!.classes).toHaveLength(0x61);
  });
});

const TRACES = join(import.meta.dirname, '../../../shared/traces');
const files: string[] = [];
if (existsSync(TRACES)) {
  for (const set of readdirSync(TRACES)) {
    const folder = join(TRACES, set, 'snapshots');
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder)) {
      if (/^kpageflags.*\.bin/.test(file)) files.push(join(set, 'snapshots', file));
    }
  }
}

function read(file: string): Uint8Array | null {
  const path = join(TRACES, file);
  if (!path.endsWith('.zst')) return readFileSync(path);
  try {
    return execFileSync('zstd', ['-dcq', path], { maxBuffer: 1 << 28 });
  } catch {
    return null;
  }
}

describe.skipIf(files.length === 0)('kpageflags of the recordings (../shared/traces)', () => {
  test('every copy is recognised unnamed and has whole free blocks in plenty', ({ skip }) => {
    for (const file of files) {
      const bytes = read(file);
      if (!bytes) return skip('zstd is not installed');
      const detection = kpageflags.detect(bytes.subarray(0, DETECT_BYTES), 'unnamed');
      expect(detection?.confidence, file).toBeGreaterThan(0.85);
      const { copy, parsed } = classesOf(bytes);
      expect(parsed.codes).toEqual([]);
      expect(copy.classes).toHaveLength(bytes.length / 8);
      expect(copy.buddyHeadsOnly, file).toBe(false);
      let free = 0;
      for (const value of copy.classes) free += value & PageClass.buddy;
      expect(free, file).toBeGreaterThan(1000);
    }
  });
});
