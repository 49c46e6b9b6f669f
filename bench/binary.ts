/**
 * Binary readers: bytes to event batches, events a second, ours and the peers' side by side.
 *
 * Reads recordings from ../shared/traces (or the files given as arguments), uncompressed, from
 * memory, in one thread; the best of several runs counts, after a warm-up. Peers (`trace-cmd
 * report`, `perf script`) run on the same file with their output thrown away.
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
import { TRACES } from './measure.js';

const RUNS = 7;

interface Result {
  readonly events: number;
  readonly seconds: number;
}

function readOnce(format: FileFormat, bytes: Uint8Array): Result {
  let events = 0;
  const start = performance.now();
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
  return { events, seconds: (performance.now() - start) / 1000 };
}

function best(format: FileFormat, bytes: Uint8Array): Result {
  let found = readOnce(format, bytes);
  for (let i = 0; i < RUNS; i++) {
    const next = readOnce(format, bytes);
    if (next.seconds < found.seconds) found = next;
  }
  return found;
}

function peer(command: string, args: readonly string[]): number | null {
  if (spawnSync('which', [command]).status !== 0) return null;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 2; i++) {
    const start = performance.now();
    const done = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
    if (done.status !== 0) return null;
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

function show(name: string, ours: Result, theirs: number | null, tool: string): void {
  const rate = (seconds: number): string => (ours.events / seconds / 1e6).toFixed(2);
  const other = theirs === null ? `${tool}: not here` : `${tool} ${rate(theirs)} M/s`;
  const times = theirs === null ? '' : `, ${(theirs / ours.seconds).toFixed(1)} times as fast`;
  console.log(`${name}: ${ours.events} events, ours ${rate(ours.seconds)} M/s, ${other}${times}`);
}

/** The recording without compression, if trace-cmd can convert it. */
function plainDat(path: string, folder: string): string | null {
  const out = join(folder, 'plain.dat');
  const done = spawnSync('trace-cmd', ['convert', '--compression', 'none', '-i', path, '-o', out]);
  return done.status === 0 ? out : null;
}

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
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
  } finally {
    rmSync(folder, { recursive: true });
  }
}

main();
