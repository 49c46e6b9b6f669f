/**
 * What is known at the edges of a recording.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, runCli } from '../testing/run-cli.js';

it('knows the state just before the first event and just after the last one, but not farther off', async () => {
  const sample = join(ROOT, 'samples', 'k61-tiny');
  const probe = await runCli(['state', sample, '--at', '0']);
  const [, from, to] = /runs from ([\d.]+) to ([\d.]+) s/.exec(probe.stderr)!.map(Number);
  const at = [from! - 0.2, from! - 0.05, to! + 0.05, to! + 0.2].map((t) => t.toFixed(6)).join();
  const { stdout, stderr } = await runCli(['predict', sample, '--order', '2', '--at', at]);
  expect(stdout.match(/succeeds|undetermined/g)).toEqual([
    'undetermined',
    'succeeds',
    'succeeds',
    'undetermined',
  ]);
  expect(stderr).toContain('2 of the instants asked for lie outside');
});
