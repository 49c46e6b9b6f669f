/**
 * Builds dist/: TypeScript to JavaScript, and the browser side of the report into one file.
 *
 *   node scripts/build.mjs [--force]
 *
 * A stamp in dist/ holds a hash of all sources; while it has not changed nothing is run.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { constantTables, withConstants } from './constants.mjs';
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
    join(ROOT, 'scripts', 'constants.mjs'),
    ...filesUnder(join(ROOT, 'src'), code),
    ...filesUnder(join(ROOT, 'parsers'), code),
  ].filter((path) => !path.endsWith('.test.ts'));
}

/** Removes outputs whose source is gone, so that dist never holds what a fresh build would not. */
function removeStale() {
  for (const path of filesUnder(DIST, (name) => /\.(js|d\.ts)(\.map)?$/.test(name))) {
    const source = join(ROOT, relative(DIST, path).replace(/\.(js|d\.ts)(\.map)?$/, '.ts'));
    const bench = path.startsWith(join(DIST, 'bench'));
    const part = CLI_PART.test(basename(path)) && dirname(path) === dirname(CLI);
    if (!existsSync(source) && !bench && !part && !path.startsWith(RUNTIME_BUNDLE)) rmSync(path);
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
 * Lays Vega-Lite into the compiled module that needs it: it draws in all of vega for three helpers that vega-util has too, and
 * file by file that takes most of the time a short run takes.
 */
async function inlineVegaLite() {
  const { build: bundle } = await import('esbuild');
  const path = join(DIST, 'src', 'report', 'compile-charts.js');
  const ownModules = {
    name: 'own-modules',
    setup: (build) => {
      build.onResolve({ filter: /^\./ }, ({ path: name, importer }) =>
        importer === path ? { path: name, external: true } : undefined,
      );
    },
  };
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

/** Changes the text of our own modules on their way into a bundle. */
function ownText(change) {
  return {
    name: 'own-text',
    setup: (build) => {
      build.onLoad({ filter: /\.js$/ }, ({ path }) => {
        const text = path.startsWith(DIST) ? readText(path) : null;
        return text === null ? undefined : { contents: change(text, path), loader: 'js' };
      });
    },
  };
}

/** Where threads start: each as one file, for the same reason. */
const THREADS = [
  'src/io/hash-thread.js',
  'src/io/reader-thread.js',
  'src/recording/scan-thread.js',
  'src/cli/compile-thread.js',
  'src/cli/ledger-thread.js',
];

async function bundleThreads(tables) {
  const { build: bundle } = await import('esbuild');
  for (const name of THREADS) {
    await bundle({
      absWorkingDir: ROOT,
      entryPoints: [join(DIST, name)],
      outfile: join(DIST, name),
      allowOverwrite: true,
      bundle: true,
      minifySyntax: true,
      minifyWhitespace: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      banner: { js: REQUIRE },
      plugins: [ownText((text, path) => withConstants(text, path, tables))],
      legalComments: 'eof',
      logLevel: 'warning',
    });
  }
}

/** Packages of the older kind, laid into a module, still ask for their imports in their own way. */
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";

/** Parts of the bundled command line that several commands share. */
const CLI_PART = /^bundle-[A-Z0-9]+\.js$/;
/**
 * Packages that are laid in once. yargs brings two newer ones, which compile an expression of all emojis when they are loaded:
 * 25 ms of every command, for the help that few of them show.
 */
const ONE_OF_EACH = { 'string-width': join(MODULES, 'string-width') };
/** Loaded only when pictures are asked for; one of them is native code. */
const NOT_BUNDLED = ['@resvg/resvg-js', 'vega', 'vega-lite'];

/**
 * The command line as few files, packages and all, in the place of its compiled entry: some 150 modules
 * loaded one by one take longer to start than a small recording takes to read. The modules themselves
 * stay where they are, for the library and for the reader thread.
 */
async function bundleCli(tables) {
  const { build: bundle } = await import('esbuild');
  const folder = dirname(CLI);
  for (const name of readdirSync(folder)) if (CLI_PART.test(name)) rmSync(join(folder, name));
  // Modules that look for files beside themselves still find them: they keep their own address.
  const own = ownText((text, path) => {
    const address = `new URL(${JSON.stringify(relative(folder, path))}, import.meta.url).href`;
    return withConstants(text.replaceAll('import.meta.url', address), path, tables);
  });
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: [CLI],
    outdir: folder,
    chunkNames: 'bundle-[hash]',
    allowOverwrite: true,
    bundle: true,
    splitting: true,
    minifySyntax: true,
    minifyWhitespace: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: NOT_BUNDLED,
    alias: ONE_OF_EACH,
    banner: { js: REQUIRE },
    plugins: [own],
    legalComments: 'eof',
    logLevel: 'warning',
  });
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
    await inlineVegaLite();
    const tables = await constantTables(DIST);
    await bundleThreads(tables);
    await bundleCli(tables);
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
