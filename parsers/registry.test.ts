import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DETECT_BYTES, type Format, MIN_CONFIDENCE } from './format.js';
import { detect, FORMATS, formatById } from './registry.js';

const HERE = import.meta.dirname;
const CAPTURES = join(HERE, '..', '..', 'shared', 'captures');

test('every folder with a reader is registered under its own name', () => {
  const folders = readdirSync(HERE).filter((name) => existsSync(join(HERE, name, 'index.ts')));
  expect(FORMATS.map(({ id }) => id).sort()).toEqual(folders.sort());
});

test('every format has a page of its own', () => {
  for (const { id } of FORMATS) expect(existsSync(join(HERE, id, 'README.md')), id).toBe(true);
});

test('a format is found by its id, nothing else by any', () => {
  for (const format of FORMATS) expect(formatById(format.id)).toBe(format);
  expect(formatById('constructor')).toBeNull();
});

test.each([
  ['prose', 'It was a dark and stormy night; the rain fell in torrents.\n'],
  ['JSON about a kernel', '{ "kernel_version_text": "Linux version 6.1.0-56-amd64" }\n'],
  ['HTML', '<!DOCTYPE html><html><body>TRACE: a page</body></html>'],
  ['source code', 'int main(void) { printf("Node 0, zone DMA"); return 0; }\n'],
  ['a shell script', '#!/bin/sh\ncat /proc/buddyinfo > out\n'],
  ['zeros', '\0'.repeat(4096)],
])('%s is no input', (_what, text) => {
  expect(detect(Buffer.from(text), 'file')).toBeNull();
});

test('detection takes any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (bytes, name) => {
      const found = detect(bytes, name);
      expect(found === null || found.detection.confidence <= 1).toBe(true);
    }),
    { numRuns: 500 },
  );
});

/** The surest of all formats, each of them asked. */
function surest(head: Uint8Array): Format | null {
  const all = FORMATS.map((format) => ({
    format,
    sure: format.detect(head, '', {})?.confidence ?? 0,
  }));
  const most = Math.max(...all.map(({ sure }) => sure));
  return most < MIN_CONFIDENCE ? null : all.find(({ sure }) => sure === most)!.format;
}

/** Real files of one run in many forms, by how their names begin. */
const CAPTURED: readonly (readonly [RegExp, string | null])[] = [
  [/^bpftrace\.ndjson$/, 'bpftrace'],
  [/^format-6\.18-/, 'event-format'],
  [/^perf.*\.data$/, 'perf-data'],
  [/^perf.*\.script/, 'perf-script'],
  [/^perf.*\.(stat|caller|header|report|D)\.txt$/, 'no-events'],
  [/^perf\.json$/, 'no-events'],
  [/^perf\.trace\.txt$/, 'perf-trace'],
  [/^bpftrace\.txt$/, 'bpftrace'],
  [/^header_(page|event)\.txt$/, 'event-format'],
  [/^README\.md$/, null],
  [/^trace(_pipe)?-6\.18-.*\.txt$/, 'ftrace-text'],
  [/^trace_pipe_raw-6\.18-cpu1\.bin$/, 'trace-pipe-raw'],
  [/^v[67].*\.dat$/, 'trace-dat'],
  [/^v7.*\.report.*\.txt$/, 'trace-cmd-report'],
];

test.skipIf(!existsSync(CAPTURES))(
  'files of real tools are told apart (../shared/captures)',
  () => {
    let checked = 0;
    for (const name of readdirSync(CAPTURES)) {
      const expected = CAPTURED.find(([pattern]) => pattern.test(name));
      if (expected === undefined) continue;
      const head = readFileSync(join(CAPTURES, name)).subarray(0, DETECT_BYTES);
      // The name must not be needed.
      expect(detect(head, '')?.format.id ?? null, name).toBe(expected[1]);
      expect(surest(head)?.id ?? null, `${name}, all formats asked`).toBe(expected[1]);
      checked++;
    }
    expect(checked).toBeGreaterThan(30);
  },
);
