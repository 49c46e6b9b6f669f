/**
 * Runs the benches, each in a process of its own so that none warms up or burdens another.
 *
 *   node dist/bench/main.js [NAME…] [--long]
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exists, machineLine } from './measure.js';

/** In the order they run; `long` ones only when named or with --long. */
const BENCHES: readonly { readonly name: string; readonly long: boolean }[] = [
  { name: 'scan-text', long: false },
  { name: 'report', long: false },
  { name: 'memory', long: false },
  { name: 'stdin', long: true },
];

const args = process.argv.slice(2);
const long = args.includes('--long');
const named = args.filter((arg) => !arg.startsWith('-'));
const unknown = named.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `bench: no bench is called ${unknown.join(', ')}; there are ${BENCHES.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}

process.stdout.write(`${machineLine()}\n`);
const folder = dirname(fileURLToPath(import.meta.url));
let code = 0;
for (const bench of BENCHES) {
  if (named.length > 0 ? !named.includes(bench.name) : bench.long && !long) continue;
  const script = join(folder, `${bench.name}.js`);
  if (!exists(script)) continue;
  process.stdout.write(`\n== ${bench.name}\n`);
  const result = spawnSync(process.execPath, ['--expose-gc', script], { stdio: 'inherit' });
  if (result.status !== 0) code = 1;
}
process.exitCode = code;
