/**
 * A report counts once, however many logs hold it; two reports count twice, however alike.
 */
import { expect, test } from 'vitest';
import { printReport } from '../../parsers/dmesg/testing/generate.js';
import { readLog } from '../../parsers/dmesg/testing/read.js';
import { type PostmortemResult, postmortemOf } from './postmortem.js';
import { renderPostmortem } from './render-text.js';
import { normalZone, specOf } from './testing/spec.js';

const ZONE = normalZone({ min: 400, blocks: [50_000, 900, 0, 0, 0, 0, 0, 0, 0, 0, 0] });
const LINES = printReport(specOf('6.1.40', 'atomic', 4, [ZONE]), '6.1.40');

const at = (seconds: number, lines = LINES): string =>
  lines.map((text, i) => `[ ${seconds}.${String(i).padStart(6, '0')}] ${text}\n`).join('');
const dated = (stamp: string): string =>
  LINES.map((text) => `Nov 29 ${stamp} host kernel: ${text}\n`).join('');

function resultOf(...logs: string[]): PostmortemResult {
  return postmortemOf(logs.flatMap((text, i) => readLog(text, 4096, `log${i}`).records));
}

test('a log that holds dmesg twice has each report once, of one boot', () => {
  const result = resultOf(at(100) + at(130) + at(100) + at(130));
  expect(result.reports.map(({ splat }) => splat.time.monoNs)).toEqual([100e9, 130e9]);
  expect(result).toMatchObject({ copies: 2, timeline: { boots: 1, spanNs: 30e9 } });
  expect(result.reports[0]?.notes).toContain('it stands 2 times in the logs and is counted once');
  const text = renderPostmortem(result, { width: 100, colour: false, explain: false });
  expect(text).toContain('2 reports in 30 s by 1 caller and cause');
  expect(text).toContain('2 reports repeat others to the letter and are not counted.');
});

test('dmesg and syslog of one run tell of the same reports, the one with seconds since boot stays', () => {
  const { reports, copies } = resultOf(dated('12:00:00'), at(100));
  expect(reports.map(({ splat }) => [splat.source, splat.time.monoNs])).toEqual([['log1', 100e9]]);
  expect(copies).toBe(1);
});

test('a cut copy is no copy: what it lacks may differ', () => {
  const { reports, copies } = resultOf(at(100) + at(100, LINES.slice(0, -4)));
  expect([reports.length, copies]).toEqual([2, 0]);
});

test('two failures in one second with the same figures are two', () => {
  expect(resultOf(dated('12:00:00') + dated('12:00:00')).reports).toHaveLength(2);
});

test('other figures, another time: another report', () => {
  const other = LINES.map((text) => text.replace('Normal free:', 'Normal free:1'));
  const { reports, copies } = resultOf(at(100) + at(100, other) + at(101));
  expect([reports.length, copies]).toEqual([3, 0]);
});
