/**
 * The whole `buddyscope report`, text file to HTML, against `trace-cmd report` merely printing events.
 *
 * Peer: `trace-cmd report` on the trace.dat of ../shared/traces/k61-fragment (1 million events; k72-big has no
 * binary file), output to /dev/null. Ours: the text of k72-big (6.4 million events) with its snapshots, and that of
 * k61-fragment for the same events side by side. Compared per event. Goal: at least 4 times the peer.
 */
import { copyFileSync, cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buddyscope,
  countEvents,
  exists,
  measure,
  mebi,
  mega,
  ROOT,
  row,
  TRACES,
  withFolder,
} from './measure.js';
import { readTrace } from './repeat.js';

const PEER_SET = join(TRACES, 'k61-fragment');

/** Events a second of the peer, or NaN when it or its input is not there. */
async function peerRate(folder: string, events: number): Promise<number> {
  const input = join(PEER_SET, 'trace.dat');
  if (!exists(input)) return Number.NaN;
  const copy = join(folder, 'trace.dat');
  copyFileSync(input, copy);
  try {
    const run = await measure('trace-cmd', ['report', copy]);
    return run.code === 0 ? events / run.seconds : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

/** The set unpacked: decompression is not what is measured. */
async function unpack(set: string, folder: string): Promise<string> {
  const target = join(folder, 'set');
  cpSync(join(set, 'snapshots'), join(target, 'snapshots'), { recursive: true });
  cpSync(join(set, 'system'), join(target, 'system'), { recursive: true });
  writeFileSync(join(target, 'trace.txt'), await readTrace(join(set, 'trace.txt.zst')));
  return target;
}

async function benchSet(set: string, peer: number): Promise<number> {
  return withFolder(async (folder) => {
    const input = await unpack(set, folder);
    const events = countEvents(join(input, 'trace.txt'));
    const reference = Number.isNaN(peer) ? await peerRate(folder, events) : peer;
    const run = await buddyscope(['report', input, '-o', join(folder, 'out'), '--quiet']);
    if (run.code !== 0) {
      process.stderr.write(`report of ${set} ended with ${run.code}: ${run.stderr}\n`);
      process.exitCode = 1;
      return reference;
    }
    const rate = events / run.seconds;
    const ratio = Number.isNaN(reference) ? '-' : `${(rate / reference).toFixed(1)} x`;
    const other = Number.isNaN(reference) ? 'not there' : `${mega(reference)} M/s`;
    const name = `${set.split('/').at(-1)} (${mega(events)} M events, ${run.seconds.toFixed(1)} s)`;
    row(name, other, `${mega(rate)} M/s`, ratio, `${mebi(run.peakBytes)} MiB`);
    return reference;
  });
}

row('report', 'trace-cmd report', 'buddyscope report', 'ratio', 'peak RSS');
let peer = Number.NaN;
for (const set of [PEER_SET, join(TRACES, 'k72-big'), join(ROOT, 'samples', 'k510-net')]) {
  if (exists(set)) peer = await benchSet(set, peer);
}
process.stdout.write('goal: 4 x, and 2 M/s on k72-big\n');
