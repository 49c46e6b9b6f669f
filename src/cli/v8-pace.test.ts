/** V8 knows the settings that we ask for: of one that it does not know it would complain on stderr. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { ROOT } from './testing/run-cli.js';

const MODULE = pathToFileURL(join(ROOT, 'dist', 'src', 'cli', 'v8-pace.js')).href;

test.each(['paceReading', 'paceReplay', 'paceWriting'])('%s', (pace) => {
  // In a process of its own: the settings hold for all of it.
  const code = `import { ${pace} } from '${MODULE}'; ${pace}(); console.log('done');`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', code],
    { encoding: 'utf8' },
  );
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done\n', stderr: '' });
});
