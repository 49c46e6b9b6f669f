/**
 * Peak memory of `report` for a recording and for one ten times as long. Goal: grows by less than 10 %.
 *
 * The long one is samples/k61-checker ten times over with shifted time (repeat.ts): same memory, same
 * processes, ten times the events and the time.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { buddyscope, mebi, ROOT, type Run, row, withFolder } from './measure.js';
import { readTrace, writeRepeated } from './repeat.js';

const SAMPLE = join(ROOT, 'samples', 'k61-checker');
const ROUNDS = 10;
/** When garbage is collected differs from run to run, and the peak with it: the median run counts. */
const RUNS = 3;

async function reportOf(rounds: number): Promise<Run> {
  return withFolder(async (folder) => {
    const input = join(folder, 'set');
    for (const part of ['snapshots', 'system']) {
      cpSync(join(SAMPLE, part), join(input, part), { recursive: true });
    }
    writeRepeated(await readTrace(join(SAMPLE, 'trace.txt.zst')), rounds, join(input, 'trace.txt'));
    const runs: Run[] = [];
    for (let run = 0; run < RUNS; run++) {
      const args = ['report', input, '-o', join(folder, 'out'), '--force', '--quiet'];
      runs.push(await buddyscope(args));
    }
    return runs.sort((a, b) => a.peakBytes - b.peakBytes)[RUNS >> 1]!;
  });
}

row('memory', 'seconds', 'peak RSS', 'growth');
const once = await reportOf(1);
row('k61-checker once', `${once.seconds.toFixed(1)} s`, `${mebi(once.peakBytes)} MiB`, '');
const often = await reportOf(ROUNDS);
const growth = (often.peakBytes / once.peakBytes - 1) * 100;
row(
  `k61-checker ${ROUNDS} times`,
  `${often.seconds.toFixed(1)} s`,
  `${mebi(often.peakBytes)} MiB`,
  `${growth.toFixed(1)} %`,
);
process.stdout.write('goal: growth below 10 %\n');
if (once.code !== 0 || often.code !== 0) {
  process.stderr.write(once.stderr + often.stderr);
  process.exitCode = 1;
}
