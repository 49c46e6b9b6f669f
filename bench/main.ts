/**
 * Runs the benches, each in a process of its own so that none warms up or burdens another.
 *
 *   node dist/bench/main.js [NAME…] [--long]
 *   node dist/bench/main.js accuracy [its own arguments, see accuracy.ts]
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exists, machineLine, ROOT, TRACES, withFolder } from './measure.js';
import { readTrace } from './repeat.js';

interface Bench {
  readonly name: string;
  /** Runs only when named or with --long. */
  readonly long: boolean;
  /** Makes what the bench takes as arguments. */
  prepare?(folder: string): Promise<string[]>;
}

/** The longest recorded trace there is, decompressed. */
async function longestTrace(folder: string): Promise<string[]> {
  const sets = [join(TRACES, 'k72-big'), join(ROOT, 'samples', 'k510-net')];
  const packed = sets.map((set) => join(set, 'trace.txt.zst')).find(exists);
  if (packed === undefined) throw new Error('samples/k510-net is missing');
  const path = join(folder, 'trace.txt');
  writeFileSync(path, await readTrace(packed));
  return [path];
}

/** In the order they run. */
const BENCHES: readonly Bench[] = [
  { name: 'scan-text', long: false, prepare: longestTrace },
  { name: 'scan-log', long: false },
  { name: 'binary', long: false },
  { name: 'report', long: false },
  { name: 'memory', long: false },
  { name: 'page', long: false },
  { name: 'stdin', long: true },
  { name: 'accuracy', long: true },
];

async function runBench(bench: Bench, script: string, own: readonly string[]): Promise<boolean> {
  process.stdout.write(`\n== ${bench.name}\n`);
  return withFolder(async (folder) => {
    const args = (await bench.prepare?.(folder)) ?? own;
    const options = { stdio: 'inherit' } as const;
    return spawnSync(process.execPath, ['--expose-gc', script, ...args], options).status === 0;
  });
}

const args = process.argv.slice(2);
const long = args.includes('--long');
// The accuracy bench takes arguments of its own; named first, it gets all that follow.
const own = args[0] === 'accuracy' ? args.splice(1) : [];
const named = args.filter((arg) => !arg.startsWith('-'));
const unknown = named.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  const names = BENCHES.map(({ name }) => name).join(', ');
  process.stderr.write(`bench: no bench is called ${unknown.join(', ')}; there are ${names}\n`);
  process.exit(2);
}

process.stdout.write(`${machineLine()}\n`);
const scripts = dirname(fileURLToPath(import.meta.url));
for (const bench of BENCHES) {
  const wanted = named.length > 0 ? named.includes(bench.name) : long || !bench.long;
  if (!wanted) continue;
  if (!(await runBench(bench, join(scripts, `${bench.name}.js`), own))) process.exitCode = 1;
}
