/**
 * `npm test`: installs what is missing, builds, runs the whole test suite.
 *
 *   npm test                       all tests
 *   npm test -- src/replay -t NAME arguments go to `vitest run`
 *
 * The last line is always `N passed, N failed, N skipped`, alone and plain.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { MODULES, run, say } from './lib.mjs';
import { setup } from './setup.mjs';

/** Passed, failed, skipped as vitest's JSON report has them; null when there is none. */
function readCounts(path) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    // A file that cannot even be loaded has no tests to fail: it counts as one.
    const unloadable = report.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    ).length;
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + unloadable,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return null;
  }
}

async function test(args) {
  const counts = { passed: 0, failed: 1, skipped: 0 };
  let code = (await setup({ tests: true })) || (await build());
  if (code === 0) {
    const folder = mkdtempSync(join(tmpdir(), 'buddyscope-test-'));
    const result = join(folder, 'result.json');
    const vitest = join(MODULES, 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${result}`];
    code = await run(process.execPath, [vitest, 'run', ...reporters, ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    Object.assign(counts, readCounts(result) ?? { passed: 0, failed: 1 });
    rmSync(folder, { recursive: true, force: true });
    // vitest also fails for errors outside any test.
    if (code !== 0 && counts.failed === 0) counts.failed = 1;
  } else {
    say('test: set-up or build failed, no test was run');
  }
  process.stdout.write(
    `\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`,
  );
  return code !== 0 ? code : counts.failed > 0 ? 1 : 0;
}

process.exitCode = await test(process.argv.slice(2));
