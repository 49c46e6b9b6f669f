/**
 * Binary readers: bytes to event batches, events a second, ours and the peers' side by side.
 *
 * Reads recordings from ../shared/traces, from memory, in one thread; the best of several runs counts,
 * after a warm-up. Peers (`trace-cmd report`, `perf script`) run on the same file with their output
 * thrown away. Processor time counts, for both: other work on the machine disturbs it least. Goal: 10
 * times the peer on uncompressed files.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decompress } from 'fzstd';
import type { FileFormat } from '../parsers/format.js';
import { perfData } from '../parsers/perf-data/parse.js';
import { traceDat } from '../parsers/trace-dat/parse.js';
import { accessBytes } from '../src/io/random-access.js';
import { Diagnostics } from '../src/records/diagnostics.js';
import { DEFAULT_LIMITS } from '../src/records/limits.js';
import { newSourceSummary } from '../src/records/source.js';
import { RecordingStrings } from '../src/records/strings.js';
import { RecordingClock } from '../src/records/time.js';
import { mega, row, TRACES } from './measure.js';

/** Runs at least, and seconds of them: small files need many to be seen undisturbed. */
const RUNS = 7;
const SECONDS = 1;

interface Result {
  readonly events: number;
  readonly seconds: number;
}

function readOnce(format: FileFormat, bytes: Uint8Array): Result {
  let events = 0;
  const start = process.cpuUsage();
  format.parse(accessBytes(bytes), {
    source: newSourceSummary('bench'),
    diagnostics: new Diagnostics(),
    limits: DEFAULT_LIMITS,
    strings: new RecordingStrings(),
    clock: new RecordingClock(),
    options: {},
    sink: {
      events: (batch) => {
        events += batch.length;
      },
      snapshot: () => undefined,
    },
  });
  const { user, system } = process.cpuUsage(start);
  return { events, seconds: (user + system) / 1e6 };
}

function best(format: FileFormat, bytes: Uint8Array): Result {
  let found = readOnce(format, bytes);
  let spent = 0;
  for (let i = 0; i < RUNS || spent < SECONDS; i++) {
    const next = readOnce(format, bytes);
    spent += next.seconds;
    if (next.seconds < found.seconds) found = next;
  }
  return found;
}

/** Processor time of a program's run, best of three; null if it is not here or fails. */
function peer(command: string, args: readonly string[]): number | null {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const script = '"$@" > /dev/null 2>&1 || exit 1; times';
    const done = spawnSync('sh', ['-c', script, 'sh', command, ...args], { encoding: 'latin1' });
    // The second line of `times` is about children: `0m1.230s 0m0.040s`.
    const times = done.stdout.split('\n')[1]?.matchAll(/(\d+)m([\d.]+)s/g);
    if (done.status !== 0 || times === undefined) return null;
    const seconds = [...times].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
    least = Math.min(least, seconds);
  }
  return least;
}

function show(name: string, ours: Result, theirs: number | null, tool: string): void {
  const rate = (seconds: number): string => `${mega(ours.events / seconds)} M/s`;
  const title = `${name} (${mega(ours.events)} M events)`;
  if (theirs === null) row(title, `${tool}: not here`, rate(ours.seconds), '-');
  else row(title, rate(theirs), rate(ours.seconds), `${(theirs / ours.seconds).toFixed(1)} x`);
}

/** The recording without compression, if trace-cmd can convert it. */
function plainDat(path: string, folder: string): string | null {
  const out = join(folder, 'plain.dat');
  const done = spawnSync('trace-cmd', ['convert', '--compression', 'none', '-i', path, '-o', out]);
  return done.status === 0 ? out : null;
}

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  row('decoding, a second of processor time', 'trace-cmd, perf', 'buddyscope', 'ratio');
  try {
    for (const set of ['k72-recovery', 'k510-fragment', 'k61-stack']) {
      const path = join(TRACES, set, 'trace.dat');
      if (!existsSync(path)) continue;
      const seconds = peer('trace-cmd', ['report', '-i', path]);
      show(
        `${set} trace.dat (zstd)`,
        best(traceDat, readFileSync(path)),
        seconds,
        'trace-cmd report',
      );
      const plain = plainDat(path, folder);
      if (plain === null) continue;
      const ours = best(traceDat, readFileSync(plain));
      const theirs = peer('trace-cmd', ['report', '-i', plain]);
      show(`${set} trace.dat (plain)`, ours, theirs, 'trace-cmd report');
    }
    const packed = join(TRACES, 'k61-perf', 'perf.data.zst');
    if (existsSync(packed)) {
      const path = join(folder, 'perf.data');
      writeFileSync(path, decompress(readFileSync(packed)));
      const theirs = peer('perf', ['script', '-i', path]);
      show('k61-perf perf.data', best(perfData, readFileSync(path)), theirs, 'perf script');
    }
    process.stdout.write('goal: 10 x on uncompressed files\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

main();
