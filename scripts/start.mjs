/**
 * `npm start`: from a fresh checkout to a report of a bundled recording.
 *
 *   npm start                  the sample k510-net, whose network driver was refused its buffers
 *   npm start -- INPUT…        a recording of yours; arguments go to `buddyscope report`
 */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from './build.mjs';
import { CLI, ROOT, run, say } from './lib.mjs';
import { setup } from './setup.mjs';

const SAMPLE = join('samples', 'k510-net');
const OUT = join('out', 'k510-net');

async function start(args) {
  const code = (await setup()) || (await build());
  if (code !== 0) return code;
  if (args.length > 0) return run(process.execPath, [CLI, 'report', ...args]);
  say(`buddyscope report ${SAMPLE}`);
  const result = await run(process.execPath, [CLI, 'report', SAMPLE, '-o', OUT, '--force']);
  const report = join(ROOT, OUT, 'report.html');
  if (result === 0 && existsSync(report)) {
    say(`\nThe report: ${relative(process.cwd(), report)}`);
    say(`Open it in a browser: file://${report}`);
  }
  return result;
}

process.exitCode = await start(process.argv.slice(2));
