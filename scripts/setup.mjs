/**
 * Installs what is missing, and only that: npm packages from the lockfile, Debian packages for the tests.
 *
 *   node scripts/setup.mjs             packages
 *   node scripts/setup.mjs --tests     packages, and where they may be installed (root, apt) Chromium,
 *                                      trace-cmd and perf, which tests use
 *
 * A stamp under node_modules remembers the lockfile it was installed from; while that has not changed
 * nothing is run. Install scripts of packages are never run: none of ours needs one.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  findProgram,
  hashFiles,
  isMain,
  isRoot,
  MODULES,
  npm,
  ROOT,
  readText,
  run,
  say,
} from './lib.mjs';

const LOCKFILE = join(ROOT, 'package-lock.json');
const STAMP = join(MODULES, '.buddyscope-lock');
const OLDEST_NODE = [20, 19];

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** Debian packages that tests use where they are there. */
const FOR_TESTS = [
  {
    given: process.env.BUDDYSCOPE_CHROMIUM,
    programs: BROWSERS,
    name: 'chromium',
    tests: 'browser tests',
  },
  { programs: ['trace-cmd'], name: 'trace-cmd', tests: 'comparisons with trace-cmd' },
  { programs: ['perf'], name: 'linux-perf', tests: 'comparisons with perf' },
  { programs: ['babeltrace2'], name: 'babeltrace2', tests: 'comparisons with babeltrace2' },
];

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return true;
  say(`setup: Node ${OLDEST_NODE.join('.')} or later is needed, this is ${process.versions.node}`);
  return false;
}

/** Whether npm's own record of node_modules agrees with the lockfile, package by package. */
function installedMatchesLockfile() {
  const record = join(MODULES, '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(LOCKFILE, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || (installed[path] === undefined && entry.optional)) continue;
    if (installed[path]?.version !== entry.version || !existsSync(join(ROOT, path))) return false;
  }
  return Object.keys(installed).every((path) => wanted[path] !== undefined);
}

async function installPackages() {
  const wanted = hashFiles([LOCKFILE], `${process.platform} ${process.arch}`);
  if (readText(STAMP) === wanted) return 0;
  if (!installedMatchesLockfile()) {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    say('setup: npm ci (the lockfile changed, or nothing is installed yet)');
    // stdout is for the closing lines of our callers; npm's own words go to stderr.
    const options = { stdio: ['ignore', 2, 2] };
    const code = (await npm(args, options)) && (await npm(args, options));
    if (code !== 0) return code;
  }
  writeFileSync(STAMP, `${wanted}\n`);
  return 0;
}

/** `npx buddyscope` in the checkout: a link beside those npm makes. */
function linkCommand() {
  const link = join(MODULES, '.bin', 'buddyscope');
  if (lstatSync(link, { throwIfNoEntry: false })) return;
  mkdirSync(join(MODULES, '.bin'), { recursive: true });
  symlinkSync('../../dist/src/cli/main.js', link);
}

/** Installs a Debian package that tests want and nothing else needs, if it may and did not fail before. */
async function installForTests({ given, programs, name, tests }, again) {
  if (given || findProgram(...programs)) return;
  const skipped = `the ${tests} will be skipped`;
  if (!isRoot() || !findProgram('apt-get')) {
    say(`setup: no ${name}, and it takes root and apt to install it; ${skipped}`);
    return;
  }
  const stamp = join(MODULES, `.buddyscope-no-${name}`);
  if (!again && existsSync(stamp)) {
    say(`setup: ${name} could not be installed before (npm run setup tries again); ${skipped}`);
    return;
  }
  say(`setup: apt-get install ${name} (for the ${tests})`);
  const options = {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  const install = ['install', '-y', '-qq', '--no-install-recommends', name];
  if ((await run('apt-get', install, options)) !== 0) {
    await run('apt-get', ['update', '-qq'], options);
    await run('apt-get', install, options);
  }
  if (findProgram(...programs)) return;
  writeFileSync(stamp, '');
  say(`setup: ${name} could not be installed; ${skipped}`);
}

/** Resolves to an exit code: 0 when the packages are there (a missing browser is no error). */
export async function setup({ tests = false, again = false } = {}) {
  if (!checkNode()) return 1;
  const code = await installPackages();
  if (code !== 0) {
    say('setup: npm ci failed');
    return code;
  }
  linkCommand();
  if (tests) for (const wanted of FOR_TESTS) await installForTests(wanted, again);
  return 0;
}

if (isMain(import.meta)) {
  process.exitCode = await setup({ tests: process.argv.includes('--tests'), again: true });
}
