import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { peek } from './raw.js';
import { collect, hasTool, pieces, pipeThrough, readBytes, traceLike } from './testing/bytes.js';
import { unzstdWithFzstd } from './zst.js';

const TEXT = traceLike(700_000);
const OTHER = traceLike(5_000, 99);

interface Codec {
  readonly name: string;
  readonly there: boolean;
  compress(bytes: Uint8Array): Uint8Array;
}

const CODECS: readonly Codec[] = [
  { name: 'gz', there: true, compress: (bytes) => new Uint8Array(gzipSync(bytes)) },
  {
    name: 'zst',
    there: hasTool('zstd'),
    compress: (bytes) => pipeThrough('zstd', ['-c', '-q', '-3'], bytes),
  },
  {
    name: 'xz',
    there: hasTool('xz'),
    compress: (bytes) => pipeThrough('xz', ['-c', '-1'], bytes),
  },
];

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

for (const { name, there, compress } of CODECS) {
  describe.skipIf(!there)(`reading ${name}`, () => {
    it('gives the bytes back, however the input is cut, with the hash of the file', async () => {
      const raw = compress(TEXT);
      for (const chunk of [61, 4096, 1 << 20]) {
        const result = await readBytes(raw, {}, chunk);
        expect(result.stop).toBeNull();
        expect(same(result.bytes, TEXT)).toBe(true);
        expect(result.compression).toBe(name);
        expect(result.sha256).toBe(createHash('sha256').update(raw).digest('hex'));
      }
    });

    it('reads parts put one after another', async () => {
      const { bytes, stop } = await readBytes(joined(compress(TEXT), compress(OTHER)), {}, 1000);
      expect(stop).toBeNull();
      expect(same(bytes, joined(TEXT, OTHER))).toBe(true);
    });

    it('reads an empty stream', async () => {
      expect(await readBytes(compress(new Uint8Array(0)))).toMatchObject({
        bytes: new Uint8Array(0),
        stop: null,
        compression: name,
      });
    });

    it('uses what came before a cut, wherever it is', async () => {
      const raw = compress(TEXT);
      const cuts = [300, raw.length >> 1, raw.length - 20, raw.length - 9, raw.length - 1];
      for (const cut of cuts) {
        const { bytes, stop, sha256 } = await readBytes(raw.subarray(0, cut), {}, 5000);
        expect(stop, `cut at ${cut}`).toMatchObject({ reason: 'truncated' });
        expect(same(bytes, TEXT.subarray(0, bytes.length))).toBe(true);
        if (cut > raw.length >> 2) expect(bytes.length).toBeGreaterThan(TEXT.length / 8);
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      }
      for (let cut = 7; cut < 60; cut++) {
        expect((await readBytes(raw.subarray(0, cut))).stop).not.toBeNull();
      }
    });

    it('never throws anything else, whatever byte is wrong', async () => {
      const raw = compress(OTHER);
      for (let at = 6; at < raw.length; at += 1 + (at >> 6)) {
        const bad = raw.slice();
        bad[at]! ^= 1 << (at % 8);
        const { bytes, stop } = await readBytes(bad);
        if (stop !== null) expect(stop.name).toBe('ReadStop');
        expect(bytes.length).toBeLessThan(1 << 24);
      }
    });

    it('stops at a bomb', async () => {
      const zeros = new Uint8Array(80 << 20);
      const { bytes, stop } = await readBytes(compress(zeros), { expansion: 100 });
      expect(stop).toMatchObject({ reason: 'bomb' });
      expect(bytes.length).toBeGreaterThan(60 << 20);
      expect(bytes.length).toBeLessThan(72 << 20);
    });

    it('refuses what is compressed twice', async () => {
      const { bytes, stop } = await readBytes(compress(compress(OTHER)));
      expect(stop).toMatchObject({ reason: 'nested' });
      expect(bytes.length).toBe(0);
    });
  });
}

describe('reading plain bytes', () => {
  it('stops at the limit of bytes, exactly', async () => {
    const { bytes, stop } = await readBytes(TEXT, { inputBytes: 100_001 }, 4096);
    expect(stop).toMatchObject({ reason: 'too-long' });
    expect(same(bytes, TEXT.subarray(0, 100_001))).toBe(true);
  });

  it('gives all bytes of a short input and of none', async () => {
    for (const length of [0, 1, 3, 264, 265, 266]) {
      const { bytes, stop } = await readBytes(TEXT.subarray(0, length), {}, 2);
      expect(stop).toBeNull();
      expect(same(bytes, TEXT.subarray(0, length))).toBe(true);
    }
  });
});

describe('UTF-16', () => {
  const text = `\ufeff${'größe 日本語 🙂 page allocation\r\n'.repeat(2000)}`.replace(
    'größe 日本',
    'size of it',
  );
  const little = Buffer.from(text, 'utf16le');
  const wanted = Buffer.from(text.slice(1), 'utf8');

  it.each([
    ['little', little],
    ['big', Buffer.from(little).swap16()],
    ['compressed', gzipSync(little)],
  ])('%s: comes out as UTF-8, whatever the chunks', async (_name, bytes) => {
    for (const size of [3, 61, 1 << 16]) {
      const read = await readBytes(bytes, {}, size);
      expect(read.stop).toBeNull();
      expect(same(read.bytes, wanted)).toBe(true);
    }
  });

  it.each([
    ['little', (bytes: Buffer) => bytes],
    ['big', (bytes: Buffer) => bytes.swap16()],
    ['compressed', (bytes: Buffer) => gzipSync(bytes)],
  ])('%s, without a byte order mark', async (_name, kept) => {
    const log = '[    1.000000] größe 日本語 🙂: page allocation failure\r\n'.repeat(500);
    const read = await readBytes(kept(Buffer.from(log, 'utf16le')), {}, 61);
    expect(Buffer.from(read.bytes).toString('utf8')).toBe(log);
  });

  it('is not seen in copies of kpageflags, in small numbers or in a few letters', async () => {
    const flags = new BigUint64Array(2000).map((_, i) => [0n, 0x400n, 0x868n, 0x100n][i % 4]!);
    const small = new Uint16Array(2000).map((_, i) => i % 64);
    const few = Buffer.from('a few letters', 'utf16le');
    for (const { buffer, byteOffset, byteLength } of [flags, small, few]) {
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      const read = await readBytes(bytes, {}, 61);
      expect(same(read.bytes, bytes)).toBe(true);
    }
  });

  it('is not seen in bytes that merely begin like it', async () => {
    const binary = Uint8Array.from({ length: 4000 }, (_, i) => [0xff, 0xfe, 0x12, 0x9a][i % 4]!);
    const read = await readBytes(binary, {}, 61);
    expect(same(read.bytes, binary)).toBe(true);
  });
});

describe('looking at the head', () => {
  it('closes the source although nothing more was read', async () => {
    let closed = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield TEXT.subarray(0, 1000);
      } finally {
        closed++;
      }
    }
    const { all } = await peek(source(), 2500);
    await all.return(undefined);
    expect(closed).toBe(1);
    expect((await all.next()).done).toBe(true);
  });
});

describe.skipIf(!hasTool('zstd'))('zstd through fzstd', () => {
  const zstd = (bytes: Uint8Array, ...args: string[]): Uint8Array =>
    pipeThrough('zstd', ['-c', '-q', ...args], bytes);

  it('agrees with zstd at every level and window', async () => {
    const long = joined(TEXT, traceLike(2_000_000, 5), TEXT, new Uint8Array(300_000));
    for (const args of [['-1'], ['-12'], ['--fast=5'], ['-3', '--no-check'], ['-5', '--long=20']]) {
      const { bytes, stop } = await collect(unzstdWithFzstd(pieces(zstd(long, ...args), 70_000)));
      expect(stop).toBeNull();
      expect(same(bytes, long)).toBe(true);
    }
  });

  it('skips frames that hold no data', async () => {
    const skippable = Uint8Array.from([0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]);
    const { bytes, stop } = await readBytes(joined(skippable, zstd(OTHER), skippable), {}, 3);
    expect(stop).toBeNull();
    expect(same(bytes, OTHER)).toBe(true);
  });

  it('refuses a window of gigabytes before allocating it', async () => {
    const header = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8, 1, 0, 0]);
    const { stop } = await readBytes(header);
    expect(stop).toMatchObject({ reason: 'window', message: String(2 ** 31) });
  });
});

describe.skipIf(!hasTool('xz'))('xz', () => {
  it('reads streams with padding between, blocks and other checks', async () => {
    const xz = (...args: string[]): Uint8Array => pipeThrough('xz', ['-c', ...args], TEXT);
    const raw = joined(xz('-0', '--block-size=100KiB'), new Uint8Array(8), xz('-1', '-C', 'crc32'));
    const { bytes, stop } = await readBytes(raw, {}, 777);
    expect(stop).toBeNull();
    expect(same(bytes, joined(TEXT, TEXT))).toBe(true);
  });

  it('goes on working after a reader gave up half-way', async () => {
    const raw = pipeThrough('xz', ['-c', '-0'], TEXT);
    for (let i = 0; i < 3; i++) {
      expect((await readBytes(raw, { inputBytes: 1000 })).bytes.length).toBe(1000);
    }
    expect((await readBytes(raw)).stop).toBeNull();
  });
});
