import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openRecording } from './open.js';

const folder = mkdtempSync(join(tmpdir(), 'buddyscope-unlikely-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HEAD = '# tracer: nop\n#\n# entries-in-buffer/entries-written: 2000/2000   #P:4\n#\n';

/** A trace of so many events; `cpuOf` says which CPU each is of. */
function trace(name: string, events: number, cpuOf: (i: number) => number): string {
  const file = join(folder, name);
  const lines = Array.from(
    { length: events },
    (_, i) =>
      `  dd-17      [00${cpuOf(i)}] .....  ${(100 + (i + cpuOf(i) / 10) / 1000).toFixed(6)}: mm_page_free: page=0 pfn=0x${(i + 4096).toString(16)} order=0\n`,
  );
  writeFileSync(file, HEAD + lines.join(''));
  return file;
}

async function codes(...files: string[]): Promise<string[]> {
  const recording = await openRecording(files);
  recording.close();
  return recording.diagnostics.counts().map(([code]) => code);
}

it('one file of per_cpu alone is not taken for the whole trace', async () => {
  expect(await codes(trace('cpu2', 2000, () => 2))).toEqual(['events-of-one-cpu']);
});

it('the files of several CPUs are one trace', async () => {
  const files = [0, 1].map((cpu) => trace(`both-cpu${cpu}`, 2000, () => cpu));
  expect(await codes(...files)).toEqual(['events-merged']);
});

it('nothing is said of a trace of several CPUs, or of one too short to tell', async () => {
  expect(await codes(trace('all', 2000, (i) => i % 3))).toEqual([]);
  expect(await codes(trace('short', 100, () => 1))).toEqual([]);
});
