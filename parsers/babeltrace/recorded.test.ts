/**
 * What LTTng 2.13 recorded on 6.1.192 (two cpus, in a virtual machine) as babeltrace2 2.0.4 prints it, beside the ftrace
 * text of the same moments on cpu 0.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decompress } from 'fzstd';
import { expect, it } from 'vitest';
import { collect, type Row } from '../event-format/testing.js';
import { isPageRow } from '../event-format/testing-text.js';
import { ftraceText } from '../ftrace-text/index.js';
import { detect } from '../registry.js';
import { babeltrace } from './index.js';

const fixture = (name: string): Uint8Array =>
  decompress(readFileSync(join(import.meta.dirname, 'fixtures', name)));

/** LTTng stamps the time of day and has masks for gfp flags; names are those of the moment. */
const said = ({ name, cpu, pid, pfn, order, migratetype }: Row): string =>
  [name, cpu, pid, pfn, order, migratetype].join(' ');

it('gives what ftrace text gives of the same moments, event by event', () => {
  const bytes = fixture('lttng-2.13.txt.zst');
  expect(detect(bytes.subarray(0, 1 << 16), 'x')?.format.id).toBe('babeltrace');
  const trace = collect(babeltrace, bytes);
  const onCpu0 = trace.rows.filter((row) => row.cpu === 0);
  const ours = onCpu0.map(said);
  const text = collect(ftraceText, fixture('ftrace.txt.zst')).rows.filter(isPageRow);
  const theirs = text.map(said);
  // ftrace began earlier and ended later.
  const from = theirs.findIndex((_, i) =>
    ours.slice(0, 9).every((one, k) => one === theirs[i + k]),
  );
  expect(from).toBeGreaterThan(0);
  expect(ours).toHaveLength(1274);
  expect(ours).toEqual(theirs.slice(from, from + ours.length));
  // Clocks that begin apart: they stay so, as far as an emulated machine stamps both buffers at once.
  const apart = onCpu0.map(({ timeNs }, i) => timeNs - text[from + i]!.timeNs);
  const first = apart[0]!;
  for (const one of apart) expect(Math.abs(one - first)).toBeLessThan(5e6);
  expect(trace.diagnostics.all).toEqual([]);
  expect(new Set(trace.rows.map(({ comm }) => comm))).toContain('dd');
});
