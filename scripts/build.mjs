/**
 * Builds dist/: TypeScript to JavaScript, and the browser side of the report into one file.
 *
 *   node scripts/build.mjs [--force]
 *
 * A stamp in dist/ holds a hash of all sources; while it has not changed nothing is run.
 */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  CLI,
  DIST,
  filesUnder,
  hashFiles,
  isMain,
  MODULES,
  ROOT,
  readText,
  run,
  say,
} from './lib.mjs';

const STAMP = join(DIST, '.buddyscope-build');
const RUNTIME = join(ROOT, 'src', 'report', 'runtime', 'main.ts');
const RUNTIME_BUNDLE = join(DIST, 'src', 'report', 'runtime.js');

function sources() {
  const code = (path) => path.endsWith('.ts') || path.endsWith('.json') || path.endsWith('.css');
  const fixed = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  return [
    ...fixed.map((name) => join(ROOT, name)),
    join(ROOT, 'scripts', 'build.mjs'),
    ...filesUnder(join(ROOT, 'src'), code),
    ...filesUnder(join(ROOT, 'parsers'), code),
  ].filter((path) => !path.endsWith('.test.ts'));
}

/** Removes outputs whose source is gone, so that dist never holds what a fresh build would not. */
function removeStale() {
  for (const path of filesUnder(DIST, (name) => /\.(js|d\.ts)(\.map)?$/.test(name))) {
    const source = join(ROOT, relative(DIST, path).replace(/\.(js|d\.ts)(\.map)?$/, '.ts'));
    const bench = path.startsWith(join(DIST, 'bench'));
    if (!existsSync(source) && !bench && !path.startsWith(RUNTIME_BUNDLE)) rmSync(path);
  }
}

async function bundleRuntime() {
  if (!existsSync(RUNTIME)) return;
  const { build: bundle } = await import('esbuild');
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: [RUNTIME],
    outfile: RUNTIME_BUNDLE,
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'eof',
    logLevel: 'warning',
  });
}

/**
 * Compiled modules into which the packages they import are laid, because loading those file by file
 * takes most of the time a short run takes: vega-lite alone draws in all of vega for three helpers
 * that vega-util has too.
 */
const WITH_PACKAGES = ['src/report/compile-charts.js', 'parsers/ndjson/snapshot-json.js'];

async function inlinePackages() {
  const { build: bundle } = await import('esbuild');
  const files = WITH_PACKAGES.map((name) => join(DIST, name)).filter((path) => existsSync(path));
  const ownModules = {
    name: 'own-modules',
    setup: (build) => {
      build.onResolve({ filter: /^\./ }, ({ path, importer }) =>
        files.includes(importer) ? { path, external: true } : undefined,
      );
    },
  };
  for (const path of files) {
    await bundle({
      absWorkingDir: ROOT,
      entryPoints: [path],
      outfile: path,
      allowOverwrite: true,
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      alias: { vega: 'vega-util' },
      plugins: [ownModules],
      legalComments: 'eof',
      logLevel: 'warning',
    });
  }
}

/** Resolves to an exit code. */
export async function build({ force = false } = {}) {
  const wanted = hashFiles(sources());
  if (!force && readText(STAMP) === wanted && existsSync(CLI)) return 0;
  mkdirSync(DIST, { recursive: true });
  rmSync(STAMP, { force: true });
  const tsc = join(MODULES, 'typescript', 'bin', 'tsc');
  const code = await run(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    stdio: ['ignore', 2, 2],
  });
  if (code !== 0) {
    say('build: tsc found errors');
    return code;
  }
  try {
    await bundleRuntime();
    await inlinePackages();
  } catch (error) {
    say(`build: the packages could not be bundled: ${error.message.split('\n')[0]}`);
    return 1;
  }
  removeStale();
  if (existsSync(CLI)) chmodSync(CLI, 0o755);
  writeFileSync(STAMP, `${wanted}\n`);
  return 0;
}

if (isMain(import.meta)) {
  process.exitCode = await build({ force: process.argv.includes('--force') });
}
