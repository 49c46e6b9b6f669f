/**
 * `npm run bench`: builds, then runs the benches in bench/ one after another.
 *
 *   npm run bench                  all of them
 *   npm run bench -- NAME… [--long]  only those named (scan-text, report, memory, page, stdin, accuracy)
 *   npm run bench -- accuracy [RECORDING…] [--big] …  see bench/accuracy.ts
 *
 * bench/*.ts are transpiled to dist/bench/ and import the built code in dist/, so that what is timed is what
 * users run. Peers that are missing (trace-cmd) are installed through apt where that may be done.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { DIST, findProgram, isRoot, ROOT, run, say } from './lib.mjs';
import { setup } from './setup.mjs';

const BENCH = join(ROOT, 'bench');

async function transpile() {
  const { build: bundle } = await import('esbuild');
  const files = readdirSync(BENCH, { recursive: true }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: files.map((name) => join(BENCH, name)),
    outbase: BENCH,
    outdir: join(DIST, 'bench'),
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
}

async function installPeers() {
  if (findProgram('trace-cmd')) return;
  if (!isRoot() || !findProgram('apt-get')) {
    say('bench: no trace-cmd, and it takes root and apt to install it; its column stays empty');
    return;
  }
  say('bench: apt-get install trace-cmd (the peer)');
  const options = {
    stdio: ['ignore', 'ignore', 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'trace-cmd'], options);
}

async function bench(args) {
  const code = (await setup()) || (await build());
  if (code !== 0) return code;
  await transpile();
  await installPeers();
  return run(process.execPath, ['--expose-gc', join(DIST, 'bench', 'main.js'), ...args]);
}

process.exitCode = await bench(process.argv.slice(2));
