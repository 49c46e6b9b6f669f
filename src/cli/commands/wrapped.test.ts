/**
 * A real recording as it would be had its ring buffer wrapped: of each CPU the last events alone.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decompress } from 'fzstd';
import { expect, it } from 'vitest';
import { makeFolder, ROOT, runCli } from '../testing/run-cli.js';

/** Events that the buffer of a CPU holds. */
const ROOM = 70_000;
const CPU = /^.{16,40}? \[(\d{3})\] /;

function wrapped(): string {
  const folder = makeFolder();
  cpSync(join(ROOT, 'samples', 'k61-checker'), folder, { recursive: true });
  const packed = join(folder, 'trace.txt.zst');
  const text = Buffer.from(decompress(readFileSync(packed))).toString('latin1');
  rmSync(packed);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const left = new Map<string, number>();
  const cpuOf = (line: string): string => CPU.exec(line)![1]!;
  for (const line of lines) left.set(cpuOf(line), (left.get(cpuOf(line)) ?? 0) + 1);
  const begun = new Set<string>();
  const kept: string[] = [];
  for (const line of lines) {
    const cpu = cpuOf(line);
    left.set(cpu, left.get(cpu)! - 1);
    if (left.get(cpu)! >= ROOM) continue;
    if (!begun.has(cpu) && begun.size > 0)
      kept.push(`##### CPU ${Number(cpu)} buffer started ####`);
    begun.add(cpu);
    kept.push(line);
  }
  const header = `# tracer: nop\n#\n# entries-in-buffer/entries-written: ${kept.length}/${lines.length}   #P:2\n#\n`;
  writeFileSync(join(folder, 'trace.txt'), `${header}${kept.join('\n')}\n`);
  return folder;
}

it('is followed from where every buffer begins, and bounded by copies before', async () => {
  const args = ['verify', wrapped(), '--hide', 'every=1', '--format', 'json'];
  const { code, stdout, stderr } = await runCli(args);
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /warning\[buffers-begin-apart\] the trace is whole from [456]\.\d+ s after its first event/,
  );
  const { summary } = JSON.parse(stdout);
  expect(summary.coveredShare).toBeGreaterThan(0.98);
  expect(summary.falseAlarms).toBe(0);
  // Pages that were taken unseen before that are not left to a later compaction: 125 of 130 were found then.
  expect(summary.found / summary.failed).toBeGreaterThan(0.98);
});
