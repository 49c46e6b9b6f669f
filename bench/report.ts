/**
 * The whole `buddyscope report`, text file to HTML, against `trace-cmd report` merely printing events.
 *
 * Peer: `trace-cmd report` on the trace.dat of ../shared/traces/k61-fragment (1 million events; k72-big has no
 * binary file), output to /dev/null. Ours: the text of k72-big (6.4 million events) with its snapshots, and that of
 * k61-fragment for the same events side by side. Compared per event. Goal: at least 4 times the peer.
 *
 * Peer and report run in turns, ROUNDS times each, and the fastest run of each counts: what else runs on the
 * machine only ever slows. Processor time is shown beside, for machines that are never quiet.
 */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import {
  buddyscope,
  countEvents,
  exists,
  measure,
  mebi,
  mega,
  ROOT,
  type Run,
  row,
  TRACES,
  withFolder,
} from './measure.js';
import { readTrace } from './repeat.js';

const PEER_SET = join(TRACES, 'k61-fragment');

const ROUNDS = 5;

/** One run of the peer, or null when it or its input is not there. */
async function runPeer(folder: string): Promise<Run | null> {
  const input = join(PEER_SET, 'trace.dat');
  if (!exists(input)) return null;
  const copy = join(folder, 'trace.dat');
  if (!exists(copy)) copyFileSync(input, copy);
  try {
    const run = await measure('trace-cmd', ['report', copy]);
    return run.code === 0 ? run : null;
  } catch {
    return null;
  }
}

/** The set unpacked, all of it: decompression is not what is measured. */
async function unpack(set: string, folder: string): Promise<string> {
  const target = join(folder, 'set');
  for (const part of ['snapshots', 'system']) {
    mkdirSync(join(target, part), { recursive: true });
    for (const name of readdirSync(join(set, part))) {
      const to = join(target, part, name.replace(/\.zst$/, ''));
      if (name.endsWith('.zst')) writeFileSync(to, await readTrace(join(set, part, name)));
      else copyFileSync(join(set, part, name), to);
    }
  }
  writeFileSync(join(target, 'trace.txt'), await readTrace(join(set, 'trace.txt.zst')));
  return target;
}

/** The faster of two runs. */
const faster = (a: Run | null, b: Run | null): Run | null =>
  a === null || (b !== null && b.seconds < a.seconds) ? b : a;

/** @param peerEvents events that the peer prints. */
async function benchSet(set: string, peerEvents: number): Promise<void> {
  await withFolder(async (folder) => {
    const input = await unpack(set, folder);
    const events = countEvents(join(input, 'trace.txt'));
    let ours: Run | null = null;
    let theirs: Run | null = null;
    for (let round = 0; round < ROUNDS; round++) {
      theirs = faster(theirs, await runPeer(folder));
      const args = ['report', input, '-o', join(folder, 'out'), '--force', '--quiet'];
      const run = await buddyscope(args);
      if (run.code !== 0) {
        process.stderr.write(`report of ${set} ended with ${run.code}: ${run.stderr}\n`);
        process.exitCode = 1;
        return;
      }
      ours = faster(ours, run);
    }
    if (ours !== null) show(`${set.split('/').at(-1)}`, events, ours, theirs, peerEvents);
  });
}

function show(name: string, events: number, ours: Run, theirs: Run | null, peerEvents: number) {
  const rate = (count: number, seconds: number): string => `${mega(count / seconds)} M/s`;
  const times = (mine: number, other: number): string =>
    `${(events / mine / (peerEvents / other)).toFixed(1)} x`;
  row(
    `${name} (${mega(events)} M events)`,
    theirs === null ? 'not there' : rate(peerEvents, theirs.seconds),
    rate(events, ours.seconds),
    theirs === null ? '-' : times(ours.seconds, theirs.seconds),
    `${mebi(ours.peakBytes)} MiB`,
  );
  row(
    '  by processor time',
    theirs === null ? '' : rate(peerEvents, theirs.cpuSeconds),
    rate(events, ours.cpuSeconds),
    theirs === null ? '-' : times(ours.cpuSeconds, theirs.cpuSeconds),
    `${ours.seconds.toFixed(1)} s, cpu ${ours.cpuSeconds.toFixed(1)}`,
  );
}

async function countPeerEvents(): Promise<number> {
  if (!exists(PEER_SET)) return Number.NaN;
  return withFolder(async (folder) =>
    countEvents(join(await unpack(PEER_SET, folder), 'trace.txt')),
  );
}

row('report', 'trace-cmd report', 'buddyscope report', 'ratio', 'peak RSS');
const peerEvents = await countPeerEvents();
for (const set of [PEER_SET, join(TRACES, 'k72-big'), join(ROOT, 'samples', 'k510-net')]) {
  if (exists(set)) await benchSet(set, peerEvents);
}
const load = loadavg().map((value) => value.toFixed(1));
process.stdout.write(`goal: 4 x, and 2 M/s on k72-big; load average now ${load.join(', ')}\n`);
