/**
 * Proves that `npm pack` yields a package that installs and runs elsewhere.
 *
 * Packs into a temporary folder, installs the package there as a user would, and from a third folder
 * runs the command and imports the library. The install takes the dependencies from npm's cache
 * where it can.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { npm, ROOT, say } from './lib.mjs';
import { setup } from './setup.mjs';

const folder = mkdtempSync(join(tmpdir(), 'buddyscope-pack-'));

function check(what, ok, detail = '') {
  say(`check-pack: ${ok ? 'ok    ' : 'FAILED'} ${what}${ok || !detail ? '' : `\n${detail}`}`);
  return ok;
}

function runInstalled(where, args) {
  const program = join(folder, 'user', 'node_modules', '.bin', 'buddyscope');
  return spawnSync(program, args, { cwd: where, encoding: 'utf8', timeout: 300_000 });
}

function checkCommands(user) {
  const sample = join(user, 'node_modules', 'buddyscope', 'samples', 'k61-tiny');
  const work = join(folder, 'work');
  mkdirSync(work);
  const version = runInstalled(work, ['--version']);
  let ok = check('--version', version.status === 0, version.stderr);
  const inspect = runInstalled(work, ['inspect', sample, '--format', 'json']);
  ok = check('inspect', inspect.status === 0, inspect.stderr) && ok;
  if (existsSync(join(ROOT, 'src', 'cli', 'commands', 'report.ts'))) {
    const report = runInstalled(work, ['report', sample, '-o', 'out', '--quiet']);
    const html = existsSync(join(work, 'out', 'report.html'));
    ok = check('report', report.status === 0 && html, report.stderr) && ok;
  }
  if (existsSync(join(ROOT, 'src', 'index.ts'))) {
    const args = ['--input-type=module', '-e', "await import('buddyscope')"];
    const library = spawnSync(process.execPath, args, { cwd: user, encoding: 'utf8' });
    ok = check("import('buddyscope')", library.status === 0, library.stderr) && ok;
  }
  return ok;
}

async function checkPack() {
  if ((await setup()) || (await build())) return 1;
  const quiet = { stdio: ['ignore', 'ignore', 2] };
  const packed = await npm(
    ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder],
    quiet,
  );
  const file = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (!check('npm pack', packed === 0 && file !== undefined)) return 1;
  const user = join(folder, 'user');
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), '{ "name": "user", "private": true }\n');
  const install = ['install', join(folder, file), '--ignore-scripts', '--no-audit', '--no-fund'];
  const installed = await npm([...install, '--prefer-offline', '--loglevel=error'], {
    ...quiet,
    cwd: user,
  });
  if (!check('npm install', installed === 0)) return 1;
  return checkCommands(user) ? 0 : 1;
}

try {
  process.exitCode = await checkPack();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
