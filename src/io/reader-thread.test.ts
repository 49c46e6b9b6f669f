import { createHash } from 'node:crypto';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { newReadStats, type ReaderTask, readInThread, threadPays } from './reader.js';
import { collect, OPEN_LIMITS, traceLike } from './testing/bytes.js';
import { usingThread } from './testing/threads.js';

const thread = usingThread(new URL('./reader-thread.ts', import.meta.url));

async function readFileInThread(
  bytes: Uint8Array,
  options = OPEN_LIMITS,
  plain = false,
  more: Partial<ReaderTask> = {},
) {
  const path = join(thread.dir, 'input');
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  try {
    const stats = newReadStats();
    const task: ReaderTask = { fd, initial: new Uint8Array(0), options, plain, ...more };
    return { ...(await collect(readInThread(task, stats, thread.url))), stats };
  } finally {
    closeSync(fd);
  }
}

describe('the reader thread', () => {
  const text = traceLike(20_000_000);

  it('gives the same bytes and hash, many buffers long', async () => {
    const raw = new Uint8Array(gzipSync(text, { level: 1 }));
    const { bytes, stop, stats } = await readFileInThread(raw);
    expect(stop).toBeNull();
    expect(Buffer.compare(bytes, text)).toBe(0);
    expect(stats).toEqual({
      rawBytes: raw.length,
      sha256: createHash('sha256').update(raw).digest('hex'),
      compression: 'gz',
    });
  });

  it('hands over why it stopped, after all bytes before that', async () => {
    const raw = new Uint8Array(gzipSync(text, { level: 1 }));
    const cut = await readFileInThread(raw.subarray(0, raw.length >> 1));
    expect(cut.stop).toMatchObject({ reason: 'truncated' });
    expect(cut.bytes.length).toBeGreaterThan(text.length / 4);
    const limited = await readFileInThread(raw, { ...OPEN_LIMITS, inputBytes: 5_000_000 });
    expect(limited.stop).toMatchObject({ reason: 'too-long' });
    expect(limited.bytes.length).toBe(5_000_000);
  });

  it('reads a plain file straight into the buffers, with the same limits', async () => {
    const { bytes, stop, stats } = await readFileInThread(text, OPEN_LIMITS, true);
    expect(stop).toBeNull();
    expect(Buffer.compare(bytes, text)).toBe(0);
    const sha256 = createHash('sha256').update(text).digest('hex');
    expect(stats).toEqual({ rawBytes: text.length, sha256, compression: null });
    const limited = await readFileInThread(text, { ...OPEN_LIMITS, inputBytes: 5_000_000 }, true);
    expect(limited.stop).toMatchObject({ reason: 'too-long' });
    expect(Buffer.compare(limited.bytes, text.subarray(0, 5_000_000))).toBe(0);
  });

  it('reads a pipe that gives little at a time, after the bytes already taken from it', async () => {
    const some = text.subarray(0, 3_000_000);
    const more = { initial: some.subarray(0, 40_000), pipe: true };
    const { bytes, stats } = await readFileInThread(some.subarray(40_000), OPEN_LIMITS, true, more);
    expect(Buffer.compare(bytes, some)).toBe(0);
    expect(stats.rawBytes).toBe(some.length);
    expect(stats.sha256).toBe(createHash('sha256').update(some).digest('hex'));
  });

  it('can be left before the end', async () => {
    const path = join(thread.dir, 'left');
    writeFileSync(path, text);
    const fd = openSync(path, 'r');
    const task = { fd, initial: new Uint8Array(0), options: OPEN_LIMITS };
    for await (const chunk of readInThread(task, newReadStats(), thread.url)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    closeSync(fd);
  });

  it('is used for big inputs only', () => {
    expect(threadPays(100, true, true)).toBe(false);
    expect(threadPays(50 << 20, true, false)).toBe(true);
    expect(threadPays(50 << 20, false, false)).toBe(false);
    expect(threadPays(50 << 20, false, true)).toBe(true);
    expect(threadPays(Number.NaN, true, false)).toBe(true);
    expect(threadPays(Number.NaN, false, true)).toBe(false);
    expect(threadPays(Number.NaN, false, true, true)).toBe(true);
  });
});
