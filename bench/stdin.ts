/**
 * 10 GB on stdin: `cat big | buddyscope report -` must pass with less than 512 MB of resident memory.
 *
 * The text is generated while it is read (repeat.ts), so nothing of 10 GB stands on the disk but the spool.
 * BUDDYSCOPE_BENCH_GB sets another size.
 */
import { join } from 'node:path';
import { buddyscope, mebi, ROOT, row, withFolder } from './measure.js';
import { readTrace, streamRepeated } from './repeat.js';

const bytes = Number(process.env.BUDDYSCOPE_BENCH_GB ?? 10) * 1e9;
const text = await readTrace(join(ROOT, 'samples', 'k510-net', 'trace.txt.zst'));

row('stdin', 'bytes', 'seconds', 'peak RSS', 'exit code');
const run = await withFolder((folder) =>
  buddyscope(['report', '-', '-o', join(folder, 'out'), '--quiet'], {
    stdin: streamRepeated(text, bytes),
  }),
);
row(
  'k510-net, repeated',
  `${(bytes / 1e9).toFixed(1)} GB`,
  `${run.seconds.toFixed(1)} s`,
  `${mebi(run.peakBytes)} MiB`,
  String(run.code),
);
process.stdout.write('goal: peak RSS below 488 MiB (512 MB), exit code 0\n');
if (run.code !== 0) process.stderr.write(run.stderr);
process.exitCode = run.code === 0 && run.peakBytes < 512e6 ? 0 : 1;
