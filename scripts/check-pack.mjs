/**
 * Proves that `npm pack` yields a package that installs and runs elsewhere.
 *
 * Packs into a temporary folder, installs the package there as a user would, and from a third folder
 * runs the command and imports the library. The install takes the dependencies from npm's cache
 * where it can.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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
  const report = runInstalled(work, ['report', sample, '-o', 'out', '--quiet']);
  const html = existsSync(join(work, 'out', 'report.html'));
  ok = check('report', report.status === 0 && html, report.stderr) && ok;
  return checkLibrary(user) && ok;
}

/** The example of src/index.ts, run where the package is installed, on the sample it brings along. */
function checkLibrary(user) {
  const source = readFileSync(join(ROOT, 'src', 'index.ts'), 'utf8');
  const example = /```js\n([\s\S]*?)```/.exec(source)[1].replace(/^ \* ?/gm, '');
  const program = example.replace("'samples/", "'node_modules/buddyscope/samples/");
  const args = ['--input-type=module', '-e', program];
  const library = spawnSync(process.execPath, args, { cwd: user, encoding: 'utf8' });
  const told = library.status === 0 && library.stdout.includes('at the end order 3');
  let ok = check("import … from 'buddyscope'", told, library.stderr);
  const runtime = "await import.meta.resolve('buddyscope/report-runtime.js')";
  const read = `import { readFileSync } from 'node:fs'; readFileSync(new URL(${runtime}))`;
  const asset = spawnSync(process.execPath, ['--input-type=module', '-e', read], { cwd: user });
  ok = check('buddyscope/report-runtime.js', asset.status === 0, String(asset.stderr)) && ok;
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
