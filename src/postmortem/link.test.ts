/**
 * Reports and the trace beside them: found by order, task and time; the offset fitted when needed.
 */
import { expect, test } from 'vitest';
import { printReport } from '../../parsers/dmesg/testing/generate.js';
import { readLog } from '../../parsers/dmesg/testing/read.js';
import type { Attempt, FailureWindow } from '../analysis/types.js';
import { linkReports } from './link.js';
import { postmortemOf } from './postmortem.js';
import { normalZone, specOf } from './testing/spec.js';

const ZONE = normalZone({ min: 400, blocks: [50_000, 900, 0, 0, 0, 0, 0, 0, 0, 0, 0] });

/** Reports of order 4 at these seconds. */
function reportsAt(...seconds: number[]) {
  const lines = seconds.flatMap((s) =>
    printReport(specOf('6.1.40', 'atomic', 4, [ZONE]), '6.1.40').map(
      (text, i) => `[ ${s}.${String(i).padStart(6, '0')}] ${text}`,
    ),
  );
  return postmortemOf(readLog(`${lines.join('\n')}\n`).records).reports;
}

/** From the first to the last stamp of such a report. */
const PRINTING_NS =
  (printReport(specOf('6.1.40', 'atomic', 4, [ZONE]), '6.1.40').length - 1) * 1000;

function attempt(timeNs: number, more: Partial<Attempt> = {}): Attempt {
  const base = { order: 4, gfp: 'GFP_ATOMIC', cpu: 0, pid: 77, comm: 'worker', ok: false };
  return { timeNs, ...base, class: 'atomic', ...more };
}

const window: FailureWindow = {
  order: 4,
  gfp: 'GFP_ATOMIC',
  node: 0,
  fromNs: 9.9e9,
  toNs: 10.5e9,
  reason: 'fragmented',
  certainty: 'exact',
  openedBy: null,
  closedBy: null,
};

test('the attempt ends after its report is printed', () => {
  const attempts = [
    attempt(9.99e9),
    attempt(10.01e9, { order: 3 }),
    attempt(10.02e9, { pid: 5 }),
    attempt(10.03e9, { ok: true }),
    attempt(10.031e9),
    attempt(40.02e9),
  ];
  const { links, method, offsetNs } = linkReports(reportsAt(10, 40), attempts, [window]);
  expect([method, offsetNs]).toEqual(['same-clock', 0]);
  expect(links).toEqual([
    { report: 0, attempt: 4, window: 0, momentNs: 10.031e9 - PRINTING_NS },
    { report: 1, attempt: 5, window: null, momentNs: 40.02e9 - PRINTING_NS },
  ]);
});

test('two clocks some milliseconds apart: the attempts that end where the others do', () => {
  // the log's clock is 35 ms behind; at 34.012 one failed without a report
  const ends = [10.035e9, 22.035e9, 34.012e9, 34.035e9];
  const { links } = linkReports(
    reportsAt(10, 22, 34),
    ends.map((end) => attempt(end)),
    [],
  );
  expect(links.map((link) => ends[link.attempt!])).toEqual([10.035e9, 22.035e9, 34.035e9]);
});

test('the window is looked for where the request failed, not where the log says', () => {
  const late = { ...window, fromNs: 10.0309e9, toNs: 10.032e9 };
  const before = { ...window, fromNs: 9.9e9, toNs: 10.01e9 };
  const { links } = linkReports(reportsAt(10), [attempt(10.031e9)], [before, late]);
  expect(links[0]).toMatchObject({ attempt: 0, window: 1 });
});

test('another clock is fitted from several reports', () => {
  const attempts = [attempt(500e9), attempt(1010.01e9), attempt(1040.01e9), attempt(1055.01e9)];
  const link = linkReports(reportsAt(10, 40, 55), attempts, []);
  expect(link.method).toBe('fitted');
  expect(link.offsetNs).toBe(1000.01e9);
  expect(link.links.map((l) => l.attempt)).toEqual([1, 2, 3]);
});

test('a trace with an epoch', () => {
  const link = linkReports(reportsAt(6_000_010), [attempt(10.02e9)], [], 6_000_000);
  expect([link.method, link.links[0]?.attempt]).toEqual(['same-clock', 0]);
});

test('no attempt fits: said, not guessed', () => {
  const link = linkReports(reportsAt(10), [attempt(10.1e9, { order: 1 })], []);
  expect(link.method).toBe('none');
  expect(link.links[0]).toMatchObject({ attempt: null, window: null });
});
