/**
 * A real trace, cut at every byte of its first and last 4 KiB and with bytes flipped at random (fixed
 * seed), plain and compressed: whatever is left is read, nothing throws, and what is lost is said.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Decompress } from 'fzstd';
import { beforeAll, expect, test } from 'vitest';
import { openRecording } from '../recording/open.js';
import type { Recording } from '../recording/recording.js';
import { ROOT } from './testing/run-cli.js';

const KIB4 = 4096;
/** Enough of the sample to have every kind of line, little enough to read thousands of times. */
const SAMPLE_BYTES = 12 << 10;

let sample: Uint8Array;
let wholeEvents: number;

beforeAll(async () => {
  const parts: Uint8Array[] = [];
  const stream = new Decompress((chunk) => parts.push(chunk.slice()));
  stream.push(readFileSync(join(ROOT, 'samples', 'k61-tiny', 'trace.txt.zst')), true);
  const text = Buffer.concat(parts).subarray(0, SAMPLE_BYTES);
  sample = text.subarray(0, text.lastIndexOf(10) + 1);
  wholeEvents = (await eventsOf(sample)).events;
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

interface Reading {
  readonly events: number;
  readonly codes: string[];
  readonly skippedLines: number;
}

/** @param known true spares deciding on the format, which takes longer than reading so little. */
async function eventsOf(bytes: Uint8Array, known = false): Promise<Reading> {
  let recording: Recording | null = null;
  try {
    recording = await openRecording(['-'], {
      stdin: once(bytes),
      readerThread: null,
      ...(known ? { format: 'ftrace-text' } : {}),
    });
    return {
      events: recording.events.length,
      codes: recording.diagnostics.counts().map(([code]) => code),
      skippedLines: recording.sources.reduce((sum, source) => sum + source.skippedLines, 0),
    };
  } finally {
    recording?.close();
  }
}

/** Numbers in [0, 1) from a seed (mulberry32): the same damage every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('the whole sample is read without a word', async () => {
  const { events, codes, skippedLines } = await eventsOf(sample);
  expect(events).toBeGreaterThan(50);
  expect({ codes, skippedLines }).toEqual({ codes: [], skippedLines: 0 });
});

test('cut at every byte of the last 4 KiB: never fewer events than whole lines', async () => {
  let last = wholeEvents;
  for (let length = sample.length - 1; length >= sample.length - KIB4; length--) {
    const { events, codes } = await eventsOf(sample.subarray(0, length), true);
    expect(events).toBeLessThanOrEqual(last);
    expect(events).toBeGreaterThanOrEqual(last - 1);
    if (sample[length - 1] !== 10) expect(codes).toContain('trace-cut');
    last = events;
  }
});

test('cut at every byte of the first 4 KiB, from either end', async () => {
  for (let length = 0; length < KIB4; length++) {
    const head = await eventsOf(sample.subarray(0, length), true);
    expect(head.events).toBeLessThan(wholeEvents);
    // A header alone, cut at the end of a line, is a trace in which nothing happened.
    if (length > 0 && sample[length - 1] !== 10) expect(head.codes).toContain('trace-cut');
  }
  for (let from = 1; from < KIB4; from += 7) {
    const tail = await eventsOf(sample.subarray(from));
    expect(tail.events).toBeGreaterThan(wholeEvents - KIB4 / 40);
  }
});

test('gzip cut at every 16th byte gives what stands before the cut', async () => {
  const packed = gzipSync(sample);
  for (let length = 1; length < packed.length; length += 16) {
    const { events, codes } = await eventsOf(packed.subarray(0, length));
    expect(events).toBeLessThanOrEqual(wholeEvents);
    expect(codes.length).toBeGreaterThan(0);
  }
});

test('bytes flipped at random: at most the lines hit are lost', async () => {
  const random = seeded(20_260);
  for (let round = 0; round < 200; round++) {
    const damaged = Uint8Array.from(sample);
    const flips = 1 + Math.floor(random() * 8);
    for (let i = 0; i < flips; i++) {
      const at = Math.floor(random() * damaged.length);
      damaged[at] = damaged[at]! ^ (1 << Math.floor(random() * 8));
    }
    const { events } = await eventsOf(damaged);
    // A flipped newline joins two lines; a flipped digit changes a value and loses nothing.
    expect(events).toBeGreaterThanOrEqual(wholeEvents - 2 * flips);
    expect(events).toBeLessThanOrEqual(wholeEvents);
  }
});

test('whole stretches overwritten with noise', async () => {
  const random = seeded(7);
  for (let round = 0; round < 100; round++) {
    const damaged = Uint8Array.from(sample);
    const at = Math.floor(random() * damaged.length);
    const length = Math.floor(random() * 2000);
    for (let i = at; i < Math.min(damaged.length, at + length); i++) {
      damaged[i] = Math.floor(random() * 256);
    }
    const { events } = await eventsOf(damaged);
    expect(events).toBeLessThanOrEqual(wholeEvents + length);
  }
});
