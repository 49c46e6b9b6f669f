/** Reading the big trace ahead on a thread changes nothing but the speed. */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BackgroundHash } from '../io/hash.js';
import { newReadStats } from '../io/reader.js';
import { ScannedFile } from '../io/scan.js';
import { collect, traceLike } from '../io/testing/bytes.js';
import { usingThread } from '../io/testing/threads.js';
import { EventBatch } from '../records/events.js';
import { openRecording } from './open.js';
import type { OpenOptions, Recording } from './recording.js';

const BIG = 34 << 20;
const BUDDYINFO = '# mono=1599.1\nNode 0, zone   Normal  1 2 3 4 5 6 7 8 9 10 11 \n';

const thread = usingThread(new URL('./scan-thread.ts', import.meta.url));

/** Lines as the kernel prints them, stamps ascending, with marks and lines of no use in between. */
function trace(bytes: number): Buffer {
  const lines: string[] = ['# tracer: nop\n#\n'];
  let length = 0;
  for (let i = 0; length < bytes; i++) {
    const front = `    task${i % 7}-${100 + (i % 7)}     [00${i % 2}] .....  1599.${String(i).padStart(6, '0')}: `;
    const pfn = `page=00000000${String(i % 99999999).padStart(8, '0')} pfn=0x${(4096 + (i % 4096)).toString(16)}`;
    let line = `${front}mm_page_free: ${pfn} order=0\n`;
    if (i % 3 === 0) {
      line = `${front}mm_page_alloc: ${pfn} order=0 migratetype=1 gfp_flags=GFP_KERNEL\n`;
    }
    if (i % 50_021 === 0) line = `CPU:1 [LOST ${i} EVENTS]\n${line}`;
    if (i % 70_001 === 0) line = `what is this\n${line}`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join(''));
}

function folderOf(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(thread.dir, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}

/** All that a recording says. */
function essence(recording: Recording): unknown {
  const { events, strings, sources, diagnostics, snapshots, clock } = recording;
  const hash = createHash('sha256');
  const batch = new EventBatch();
  for (let b = 0; b < events.batches; b++) {
    events.read(b, batch);
    for (const column of [batch.timeNs, batch.pfn, batch.pid, batch.comm, batch.cpu]) {
      hash.update(new Uint8Array(column.buffer, 0, batch.length * column.BYTES_PER_ELEMENT));
    }
    for (const column of [batch.kind, batch.order, batch.migratetype, batch.detail]) {
      hash.update(new Uint8Array(column.buffer, 0, batch.length * column.BYTES_PER_ELEMENT));
    }
  }
  const texts = (table: typeof strings.comms): string[] =>
    Array.from({ length: table.size }, (_, id) => table.text(id));
  return {
    length: events.length,
    columns: hash.digest('hex'),
    comms: texts(strings.comms),
    gfps: texts(strings.gfps),
    sources,
    diagnostics: diagnostics.all,
    counts: diagnostics.counts(),
    snapshots,
    clock: { epochS: clock.epochS, name: clock.name },
  };
}

async function read(inputs: readonly string[], options: OpenOptions): Promise<unknown> {
  const recording = await openRecording(inputs, { readerThread: null, hash: true, ...options });
  try {
    return essence(recording);
  } finally {
    recording.close();
  }
}

describe('the trace read ahead', () => {
  const big = trace(BIG);

  it('gives what reading in turn gives, between other inputs', async () => {
    const folder = folderOf('set', {
      'buddyinfo.log': BUDDYINFO,
      'trace.txt': big,
      'zz-more.log': BUDDYINFO.replace('1599.1', '1599.2'),
    });
    const ahead = await read([folder], { scanThread: thread.url });
    expect(ahead).toEqual(await read([folder], { scanThread: null }));
    expect(ahead).toMatchObject({
      sources: {
        1: { format: 'ftrace-text', sha256: createHash('sha256').update(big).digest('hex') },
      },
    });
  });

  it('is read again in turn where an input before it gave the names their numbers', async () => {
    const folder = folderOf('two', { 'a.txt': trace(200_000).subarray(0, 150_000), 'b.txt': big });
    expect(await read([folder], { scanThread: thread.url })).toEqual(
      await read([folder], { scanThread: null }),
    );
  });

  it('is left to its own parser if that has no scanner', async () => {
    const path = join(folderOf('other', { 'x.log': traceLike(BIG).fill(120) }), 'x.log');
    expect(await read([path], { scanThread: thread.url })).toEqual(
      await read([path], { scanThread: null }),
    );
  });

  it('stops when the caller wants no more', async () => {
    const path = join(folderOf('stopped', { 'trace.txt': big }), 'trace.txt');
    const signal = AbortSignal.abort(new Error('no more'));
    await expect(read([path], { scanThread: thread.url, signal })).rejects.toThrow('no more');
  });

  it('may leave the hash for later', async () => {
    const path = join(folderOf('later', { 'trace.txt': big }), 'trace.txt');
    const recording = await openRecording([path], { scanThread: thread.url, hash: 'later' });
    expect(recording.sources[0]?.sha256).toBeNull();
    await recording.hashed();
    expect(recording.sources[0]?.sha256).toBe(createHash('sha256').update(big).digest('hex'));
    recording.close();
  });
});

describe('a file that changes while it is in use', () => {
  const small = trace(20_000);
  /** The hashes of inputs that were read whole, then changed by `change`, and what is said of them. */
  async function hashedAfter(name: string, change: (path: string) => void) {
    const folder = folderOf(name, { 'a.txt': big(), 'b.txt': small });
    const path = join(folder, 'a.txt');
    const recording = await openRecording([folder], { scanThread: thread.url, hash: 'later' });
    change(path);
    await recording.hashed();
    const { sources, diagnostics } = recording;
    recording.close();
    return { sources, said: diagnostics.all.filter(({ code }) => code === 'input-unhashed') };
  }
  const big = () => trace(BIG);

  it('has no hash if it shrank, and that is said', async () => {
    const { sources, said } = await hashedAfter('shrunk', (path) => truncateSync(path, 1_000_000));
    expect(sources.map(({ sha256 }) => sha256)).toEqual([
      null,
      createHash('sha256').update(small).digest('hex'),
    ]);
    expect(said.map(({ source, message }) => [source, message])).toEqual([
      [sources[0]!.name, expect.stringContaining('1000000 of ')],
    ]);
  });

  it('has the hash of the bytes that were read if it grew', async () => {
    const { sources, said } = await hashedAfter('grown', (path) => appendFileSync(path, small));
    expect(sources[0]!.sha256).toBe(createHash('sha256').update(big()).digest('hex'));
    expect(said).toEqual([]);
  });

  it('has its hash although its name is gone', async () => {
    const { sources, said } = await hashedAfter('gone', (path) => rmSync(path));
    expect(sources[0]!.sha256).toBe(createHash('sha256').update(big()).digest('hex'));
    expect(said).toEqual([]);
  });
});

it('events that were read ahead in vain are not counted as read', async () => {
  const folder = folderOf('counted', {
    'a.txt': trace(200_000).subarray(0, 150_000),
    'b.txt': trace(BIG),
  });
  const seen: number[] = [];
  let now = 0;
  const progress = {
    now: () => (now += 1000),
    report: ({ events }: { events: number }) => void seen.push(events),
  };
  const recording = await openRecording([folder], {
    readerThread: null,
    scanThread: thread.url,
    progress,
  });
  const read = recording.sources.reduce(
    (sum, { events }) => sum + Object.values(events).reduce((a, b) => a + b, 0),
    0,
  );
  expect(seen.at(-1)).toBe(read);
  recording.close();
});

describe('the scan thread', () => {
  const order = { format: 'ftrace-text', options: {} };

  it('sends whole lines with what is in them, unless a line is very long', async () => {
    const long = Buffer.concat([trace(3_000_000), Buffer.alloc(2_500_000, 'x')]);
    const path = join(folderOf('lines', { 'trace.txt': long }), 'trace.txt');
    const task = { fd: openSync(path, 'r'), inputBytes: 2 ** 40, order };
    const stats = newReadStats();
    const file = new ScannedFile(task, stats, thread.url);
    const parts: Uint8Array[] = [];
    let found = 0;
    for await (const chunk of file.chunks()) {
      parts.push(chunk.slice());
      if (file.found !== null) found++;
    }
    expect(Buffer.concat(parts).equals(long)).toBe(true);
    expect(found).toBe(parts.length);
    expect(stats.rawBytes).toBe(long.length);
    expect(parts[0]?.at(-1)).toBe(10);
    expect(parts.at(-1)?.at(-1)).toBe('x'.charCodeAt(0));
  });

  it('shares its buffers: one that is given away makes all code for typed arrays be compiled again', async () => {
    const path = join(folderOf('shared', { 'trace.txt': trace(1_500_000) }), 'trace.txt');
    const task = { fd: openSync(path, 'r'), inputBytes: 2 ** 40, order };
    const file = new ScannedFile(task, newReadStats(), thread.url);
    const buffers: unknown[] = [];
    for await (const chunk of file.chunks()) buffers.push(chunk.buffer, file.found?.memory);
    expect(buffers.length).toBeGreaterThan(2);
    for (const buffer of buffers) expect(buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('stops at the limit, after all bytes before it', async () => {
    const path = join(folderOf('limit', { 'trace.txt': trace(3_000_000) }), 'trace.txt');
    const task = { fd: openSync(path, 'r'), inputBytes: 2_000_000, order };
    const { bytes, stop } = await collect(
      new ScannedFile(task, newReadStats(), thread.url).chunks(),
    );
    expect(stop).toMatchObject({ reason: 'too-long' });
    expect(bytes.length).toBe(2_000_000);
  });

  it('says what the system said if it cannot read', async () => {
    const task = { fd: openSync(thread.dir, 'r'), inputBytes: 2 ** 40, order };
    const { stop } = await collect(new ScannedFile(task, newReadStats(), thread.url).chunks());
    expect(stop).toMatchObject({ reason: 'io', message: 'EISDIR' });
  });
});

describe('a hash in the background', () => {
  it('is that of the bytes asked for', async () => {
    const bytes = traceLike(3_000_000);
    const path = join(folderOf('hash', { 'x.bin': bytes }), 'x.bin');
    const hash = new BackgroundHash({ fd: openSync(path, 'r'), bytes: 2_000_000 });
    const wanted = createHash('sha256').update(bytes.subarray(0, 2_000_000)).digest('hex');
    expect(await hash.take()).toBe(wanted);
  });

  it('is refused where the bytes are not there any more', async () => {
    const path = join(folderOf('short', { 'x.bin': traceLike(3000) }), 'x.bin');
    const hash = new BackgroundHash({ fd: openSync(path, 'r'), bytes: 4000 });
    await expect(hash.take()).rejects.toMatchObject({ reason: 'shrunk' });
  });

  it('is refused where the system cannot read, and the file is closed all the same', async () => {
    const fd = openSync(thread.dir, 'r');
    const hash = new BackgroundHash({ fd, bytes: 4000 });
    await expect(hash.take()).rejects.toMatchObject({ reason: 'io', message: 'EISDIR' });
    expect(() => fstatSync(fd)).toThrow('EBADF');
  });
});
