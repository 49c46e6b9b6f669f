import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import * as library from './index.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The example in the header of index.ts, as a reader would copy it. */
function example(): string {
  const source = readFileSync(join(ROOT, 'src', 'index.ts'), 'utf8');
  const block = /```js\n([\s\S]*?)```/.exec(source)?.[1] ?? '';
  return block.replace(/^ \* ?/gm, '');
}

test('the example in the header runs by the name of the package', () => {
  const args = ['--input-type=module', '-e', example()];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 120_000,
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^order 9 fails from \d+(\.\d+)? to \d+(\.\d+)? s: [a-z-]+$/m);
  expect(stdout).toMatch(/^at the end order 3 (succeeds|fails|undetermined), zone by zone: \[/m);
}, 180_000);

test('inputs that are no good are told, not thrown', async () => {
  const recording = await library.openRecording([join(ROOT, 'no-such-file')]);
  expect(recording.diagnostics.all.map(({ code }) => code)).toEqual(['input-missing']);
  expect(recording.events.length).toBe(0);
  recording.close();
});

test('what is documented is there', () => {
  const names = [
    ['openRecording', 'convertEvents', 'convertSnapshots', 'detect', 'formatById', 'FORMATS'],
    ['reconstruct', 'verify', 'postmortemOf', 'RequestJudge', 'WindowsObserver'],
    ['createReportObservers', 'buildReportData', 'reportFiles', 'CHARTS', 'EventBatch'],
  ].flat();
  for (const name of names) expect(library, name).toHaveProperty(name);
});
